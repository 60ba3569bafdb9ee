// WikiExtractorText: the text of an extracted article, whose links are HTML anchors, escaped or not, as plain text.

/// Decodes one text after another; keeps its buffers.
///
/// WikiExtractor writes a link as `<a href="Percent%20encoded">label</a>` and then, unless told otherwise, escapes `<`,
/// `>` and `&` of the whole text, anchors included. Both forms are understood, in one text too.
struct WikiExtractorText {
    private static let openings: [[UInt8]] = ["<a href=\"", "&lt;a href=\""].map { Array($0.utf8) }
    private static let endings: [[UInt8]] = ["\">", "\"&gt;"].map { Array($0.utf8) }
    private static let closings: [[UInt8]] = ["</a>", "&lt;/a&gt;"].map { Array($0.utf8) }
    private static let entities: [(name: [UInt8], byte: UInt8)] = [
        (Array("&lt;".utf8), Byte.less), (Array("&gt;".utf8), Byte.greater), (Array("&amp;".utf8), Byte.ampersand),
        (Array("&quot;".utf8), Byte.doubleQuote), (Array("&#x27;".utf8), Byte.quote), (Array("&#39;".utf8), Byte.quote),
    ]
    /// Longer targets are no titles; the anchor is text then.
    private static let longestTarget = 4096

    /// Links to other sites, whose label is kept as text.
    private(set) var externalLinks = 0
    private var target: [UInt8] = []
    private var decoded: [UInt8] = []

    init() {}

    /// Appends the text of `source`, valid UTF-8, to `out`. An anchor that is never closed is a link without a place.
    /// Complexity: O(n).
    mutating func decode(_ source: Bytes, into out: inout SpannedText) {
        /// Where the label of the open anchor begins in `out`.
        var open: Int?
        var i = 0
        while i < source.count {
            let end = Self.nextMark(source, from: i)
            out.bytes.append(contentsOf: Bytes(rebasing: source[i..<end]))
            i = end
            guard i < source.count else { break }
            if let after = opening(source, i) {
                if open != nil { addLink(nil, &out) }
                readTarget()
                open = out.bytes.count
                if isExternal {
                    externalLinks += 1
                    open = nil
                }
                i = after
            } else if let closing = Self.closings.first(where: { Self.stands($0, source, i) }) {
                if let begin = open { addLink(begin, &out) }
                open = nil
                i += closing.count
            } else if let entity = Self.entities.first(where: { Self.stands($0.name, source, i) }) {
                out.bytes.append(entity.byte)
                i += entity.name.count
            } else {
                out.bytes.append(source[i])
                i += 1
            }
        }
        if open != nil { addLink(nil, &out) }
    }

    private mutating func addLink(_ begin: Int?, _ out: inout SpannedText) {
        guard !decoded.isEmpty else { return }
        let none = ParsedDocument.placeless
        let hasPlace = begin.map { $0 < out.bytes.count } ?? false
        out.addLink(
            SpannedText.Link(begin: hasPlace ? UInt32(begin!) : none, end: hasPlace ? UInt32(out.bytes.count) : none),
            target: decoded)
    }

    /// Position of the next `<` or `&`.
    private static func nextMark(_ source: Bytes, from start: Int) -> Int {
        var i = start
        while i < source.count, source[i] != Byte.less, source[i] != Byte.ampersand { i += 1 }
        return i
    }

    private static func stands(_ literal: [UInt8], _ source: Bytes, _ i: Int) -> Bool {
        guard source.count - i >= literal.count else { return false }
        for k in literal.indices where source[i + k] != literal[k] { return false }
        return true
    }

    // MARK: anchors

    /// If an anchor opens at `i`: the position after it, with `target` filled.
    private mutating func opening(_ source: Bytes, _ i: Int) -> Int? {
        guard let form = Self.openings.firstIndex(where: { Self.stands($0, source, i) }) else { return nil }
        let begin = i + Self.openings[form].count
        var end = begin
        while end < source.count, end - begin <= Self.longestTarget, source[end] != Byte.doubleQuote,
            source[end] != Byte.lf
        {
            end += 1
        }
        guard Self.stands(Self.endings[form], source, end) else { return nil }
        target.removeAll(keepingCapacity: true)
        target.append(contentsOf: Bytes(rebasing: source[begin..<end]))
        return end + Self.endings[form].count
    }

    /// Percent-decodes `target` into `decoded`: valid UTF-8, without control characters and spaces at its ends.
    private mutating func readTarget() {
        var kept = 0
        var i = 0
        while i < target.count {
            var byte = target[i]
            if byte == Byte.percent, i + 2 < target.count, let high = Byte.hexValue(target[i + 1]),
                let low = Byte.hexValue(target[i + 2])
            {
                byte = high << 4 | low
                i += 2
            }
            target[kept] = byte < 0x20 || byte == 0x7F ? Byte.space : byte
            kept += 1
            i += 1
        }
        var range = 0..<kept
        while let first = range.first, target[first] == Byte.space { range.removeFirst() }
        while let last = range.last, target[last] == Byte.space { range.removeLast() }
        decoded.removeAll(keepingCapacity: true)
        target.withUnsafeBufferPointer { _ = UTF8Repair.append(Bytes(rebasing: $0[range]), to: &decoded) }
    }

    private static let schemes: [[UInt8]] = ["//", "http:", "https:", "ftp:", "mailto:", "irc:", "news:"].map {
        Array($0.utf8)
    }

    private var isExternal: Bool { Self.schemes.contains { decoded.starts(with: $0) } }
}
