// WikitextTag: the HTML-like tags of wikitext: which hide their content, which break paragraphs, where they end.

/// Tags whose content is not wikitext, or not text of the article. Their content is matched to the first closing tag.
enum OpaqueTag: UInt8, CaseIterable {
    case nowiki, pre, source, syntaxhighlight
    case ref, references, math, chem, ce, gallery, timeline, score, imagemap, hiero, graph, mapframe, maplink, inputbox
    case categorytree, templatedata, templatestyles, indicator, includeonly, charinsert, rss, phonos, section, style
    case script

    enum Rendering { case dropped, text, code }

    var rendering: Rendering {
        switch self {
        case .nowiki: .text
        case .pre, .source, .syntaxhighlight: .code
        default: .dropped
        }
    }

    var hidesComments: Bool { rendering != .dropped }

    /// The content is wikitext whose links count although its text is not kept.
    var holdsLinks: Bool {
        switch self {
        case .ref, .references, .gallery, .imagemap, .indicator: true
        default: false
        }
    }

    static let names: [[UInt8]] = allCases.map { Array("\($0)".utf8) }

    private static let keys: [UInt64] = names.map { $0.withUnsafeBufferPointer { WikitextTag.key($0, $0.indices) } }

    static func named(_ bytes: Bytes, _ name: Range<Int>) -> OpaqueTag? {
        let key = WikitextTag.key(bytes, name)
        guard let index = keys.firstIndex(of: key), WikitextTag.matches(bytes, name, names[index]) else { return nil }
        return OpaqueTag(rawValue: UInt8(index))
    }
}

/// An opening tag.
struct WikitextTag {
    var kind: OpaqueTag
    /// After the `>`.
    var end: Int
    var isSelfClosed: Bool

    /// The opaque opening tag at `i`, where a `<` stands.
    static func opaque(_ bytes: Bytes, at i: Int) -> WikitextTag? {
        let name = nameRange(bytes, from: i + 1)
        guard name.count >= 2, let kind = OpaqueTag.named(bytes, name), let end = tagEnd(bytes, from: name.upperBound)
        else { return nil }
        return WikitextTag(kind: kind, end: end, isSelfClosed: bytes[end - 2] == Byte.slash)
    }

    static func nameRange(_ bytes: Bytes, from start: Int) -> Range<Int> {
        var j = start
        while j < bytes.count, j - start < 20, Byte.isLetter(bytes[j]) || (Byte.isDigit(bytes[j]) && j > start) {
            j += 1
        }
        return start..<j
    }

    /// The name as a number to the base 37: different for any two names of up to 12 letters and digits.
    static func key(_ bytes: Bytes, _ name: Range<Int>) -> UInt64 {
        var key: UInt64 = 0
        for i in name {
            let digit = Byte.isDigit(bytes[i]) ? 27 + (bytes[i] & 15) : (bytes[i] | 0x20) &- 0x60
            key = key &* 37 &+ UInt64(digit)
        }
        return key
    }

    static func matches(_ bytes: Bytes, _ range: Range<Int>, _ name: [UInt8]) -> Bool {
        guard range.count == name.count else { return false }
        for k in 0..<name.count where Byte.lower(bytes[range.lowerBound + k]) != name[k] { return false }
        return true
    }

    /// After the `>` that ends the tag, or nil if another `<` or 4,096 bytes come first. A name must not go on.
    static func tagEnd(_ bytes: Bytes, from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        let next = bytes[start]
        guard next == Byte.greater || next == Byte.slash || Byte.isSpace(next) else { return nil }
        var j = start
        let limit = min(bytes.count, start + 4096)
        while j < limit {
            if bytes[j] == Byte.greater { return j + 1 }
            if bytes[j] == Byte.less { return nil }
            j += 1
        }
        return nil
    }
}

/// Finds closing tags; remembers the last answer of each kind, so that many openings cost one scan of the text.
struct ClosingTagFinder {
    private var known: [(from: Int, found: Range<Int>?)?] = Array(repeating: nil, count: OpaqueTag.allCases.count)

    /// For another text.
    mutating func reset() { for k in known.indices { known[k] = nil } }

    /// The first `</kind …>` at or after `start`.
    mutating func close(of kind: OpaqueTag, in bytes: Bytes, from start: Int) -> (begin: Int, end: Int)? {
        let k = Int(kind.rawValue)
        if let last = known[k], last.from <= start, last.found.map({ $0.lowerBound >= start }) ?? true {
            return last.found.map { ($0.lowerBound, $0.upperBound) }
        }
        var i = bytes.next(Byte.less, start, bytes.count)
        var found: Range<Int>?
        while i + 2 < bytes.count {
            if bytes[i + 1] == Byte.slash {
                let name = WikitextTag.nameRange(bytes, from: i + 2)
                if WikitextTag.matches(bytes, name, OpaqueTag.names[k]) {
                    var j = name.upperBound
                    while j < bytes.count, Byte.isSpace(bytes[j]) { j += 1 }
                    if j < bytes.count, bytes[j] == Byte.greater {
                        found = i..<(j + 1)
                        break
                    }
                }
            }
            i = bytes.next(Byte.less, i + 1, bytes.count)
        }
        known[k] = (start, found)
        return found.map { ($0.lowerBound, $0.upperBound) }
    }
}

/// What a transparent HTML tag does to the text around it.
enum HTMLTagEffect: UInt8 {
    case none, block, space, listItem, heading, cell, superscript

    private static let table: [UInt64: HTMLTagEffect] = {
        var table: [UInt64: HTMLTagEffect] = [:]
        let groups: [(HTMLTagEffect, String)] = [
            (
                .none,
                "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rb rbc rp rt rtc ruby s samp"
            ),
            (.none, "small span strike strong sub time tt u var wbr noinclude onlyinclude nowiki ref img input label"),
            (.none, "tbody thead tfoot colgroup col tvar languages translate"),
            (
                .block,
                "address article aside blockquote body caption center details dir div dl figure footer header hr html"
            ),
            (.block, "main menu nav ol p poem pre section summary table tr ul form"),
            (.space, "br"), (.listItem, "li dt dd"), (.heading, "h1 h2 h3 h4 h5 h6"), (.cell, "td th"),
            (.superscript, "sup"),
        ]
        for (effect, names) in groups {
            for name in names.split(separator: " ") { table[key(Array(name.utf8))] = effect }
        }
        return table
    }()

    /// The effect of the tag with this name, or nil for what is no HTML tag and so plain text.
    static func of(_ bytes: Bytes, _ name: Range<Int>) -> HTMLTagEffect? {
        guard !name.isEmpty, name.count <= 12 else { return nil }
        return table[WikitextTag.key(bytes, name)]
    }

    private static func key(_ name: [UInt8]) -> UInt64 {
        name.withUnsafeBufferPointer { WikitextTag.key($0, $0.indices) }
    }
}
