// The normal form under which a title and a link to it meet, by the rules of MediaWiki's title parser.

/// What a site says about its titles, and the normal form that follows from it.
///
/// In order: percent-decoding where asked; bidirectional marks dropped; the section after `#` cut where asked;
/// underscores and every kind of space are one space, runs collapsed, ends trimmed; one leading `:` cut; a namespace
/// prefix replaced by the site's own spelling; the first letter upper-cased if the site's case rule is `first-letter`.
/// Titles are not brought to Unicode NFC: dumps hold NFC already, and other corpora are compared as they are.
/// - Source: MediaWiki `TitleParser::splitTitleString` and `Language::ucfirst`, read as documentation of the rules.
package struct TitleNormalForm: Sendable, Equatable {
    package enum CaseRule: String, Sendable, CaseIterable {
        case firstLetter = "first-letter", caseSensitive = "case-sensitive"
    }

    package var caseRule: CaseRule
    /// Lower-cased spelling of a namespace (its name or an alias, spaces for underscores) → the site's own name.
    package private(set) var namespaces: [String: String]

    /// - Parameter namespaces: the site's name of a namespace → further spellings. The main namespace is left out.
    package init(caseRule: CaseRule = .firstLetter, namespaces: [String: [String]] = [:]) {
        self.caseRule = caseRule
        self.namespaces = [:]
        for name in namespaces.keys.sorted() where !name.isEmpty {
            for spelling in [name] + (namespaces[name] ?? []) where self.namespaces[spelling.lowercased()] == nil {
                self.namespaces[spelling.lowercased()] = name
            }
        }
    }

    package enum Outcome: Sendable, Equatable {
        /// The buffer holds the normal form. `namespaced`: it begins with one of the site's namespaces.
        case title(namespaced: Bool)
        /// Only a section was named: a link to the page it stands on.
        case sectionOnly
        case empty
    }

    /// Writes the normal form of `raw` over `out`. O(n); allocates only for titles with a colon or a first letter
    /// beyond ASCII. Invalid UTF-8 passes through unchanged.
    package func normalize(
        _ raw: UnsafeBufferPointer<UInt8>, percentDecoding: Bool = false, cuttingSection: Bool = true,
        into out: inout [UInt8]
    ) -> Outcome {
        out.removeAll(keepingCapacity: true)
        let hadSection = collapse(raw, percentDecoding, cuttingSection, &out)
        if out.first == UInt8(ascii: ":") {
            out.removeFirst()
            if out.first == UInt8(ascii: " ") { out.removeFirst() }
        }
        if out.isEmpty { return hadSection ? .sectionOnly : .empty }
        let start = canonicalizeNamespace(&out)
        if start == out.count, start > 0 { return .empty }
        if caseRule == .firstLetter { Self.upperCaseScalar(at: start, of: &out) }
        return .title(namespaced: start > 0)
    }

    package func normalize(_ title: String, percentDecoding: Bool = false) -> String? {
        var out: [UInt8] = []
        var title = title
        let outcome = title.withUTF8 { normalize($0, percentDecoding: percentDecoding, into: &out) }
        guard case .title = outcome else { return nil }
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: Steps

    /// Decodes, drops, cuts, collapses and trims. Returns whether a section was cut.
    private func collapse(
        _ raw: UnsafeBufferPointer<UInt8>, _ percentDecoding: Bool, _ cuttingSection: Bool, _ out: inout [UInt8]
    ) -> Bool {
        if percentDecoding, raw.contains(UInt8(ascii: "%")) {
            let decoded = Self.percentDecoded(raw)
            return decoded.withUnsafeBufferPointer { collapse($0, false, cuttingSection, &out) }
        }
        var at = 0
        var pendingSpace = false
        while at < raw.count {
            let byte = raw[at]
            if cuttingSection, byte == UInt8(ascii: "#") { return true }
            let (width, action) = Self.classify(raw, at)
            switch action {
            case .space: pendingSpace = !out.isEmpty
            case .drop: break
            case .keep:
                if pendingSpace {
                    out.append(UInt8(ascii: " "))
                    pendingSpace = false
                }
                out.append(byte)
            }
            at += width
        }
        return false
    }

    private enum Action { case keep, space, drop }

    /// What becomes of the byte (or the multi-byte space or mark) at `at`.
    private static func classify(_ raw: UnsafeBufferPointer<UInt8>, _ at: Int) -> (width: Int, action: Action) {
        let byte = raw[at]
        if byte < 0x80 {
            let isSpace = byte == 0x20 || byte == UInt8(ascii: "_") || (byte >= 0x09 && byte <= 0x0D)
            return (1, isSpace ? .space : .keep)
        }
        if byte == 0xC2, at + 1 < raw.count, raw[at + 1] == 0xA0 { return (2, .space) }
        guard byte >= 0xE1, byte <= 0xE3, at + 2 < raw.count else { return (1, .keep) }
        switch (byte, raw[at + 1], raw[at + 2]) {
        case (0xE1, 0x9A, 0x80), (0xE1, 0xA0, 0x8E), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8...0xA9),
            (0xE2, 0x80, 0xAF), (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80):
            return (3, .space)
        case (0xE2, 0x80, 0x8E...0x8F), (0xE2, 0x80, 0xAA...0xAE): return (3, .drop)
        default: return (1, .keep)
        }
    }

    /// Replaces a namespace prefix by the site's spelling. Returns where the title proper begins.
    private func canonicalizeNamespace(_ out: inout [UInt8]) -> Int {
        guard !namespaces.isEmpty, let colon = out.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return 0 }
        var end = colon
        if out[end - 1] == UInt8(ascii: " ") { end -= 1 }
        guard let name = namespaces[String(decoding: out[..<end], as: UTF8.self).lowercased()] else { return 0 }
        var rest = colon + 1
        if rest < out.count, out[rest] == UInt8(ascii: " ") { rest += 1 }
        let prefix = Array(name.utf8) + [UInt8(ascii: ":")]
        out.replaceSubrange(..<rest, with: prefix)
        return prefix.count
    }

    /// `%41` → `A`; a percent sign without two hexadecimal digits stays. `+` stays too.
    package static func percentDecoded(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(raw.count)
        var at = 0
        while at < raw.count {
            if raw[at] == UInt8(ascii: "%"), at + 2 < raw.count, let high = hex(raw[at + 1]), let low = hex(raw[at + 2])
            {
                out.append(high << 4 | low)
                at += 3
            } else {
                out.append(raw[at])
                at += 1
            }
        }
        return out
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Upper-cases one scalar by its simple mapping. `ß` (whose upper case is two letters) and Georgian (whose modern
    /// script has no sentence case) stay, as on MediaWiki sites.
    private static func upperCaseScalar(at start: Int, of out: inout [UInt8]) {
        guard start < out.count else { return }
        let lead = out[start]
        if lead < 0x80 {
            if lead >= UInt8(ascii: "a"), lead <= UInt8(ascii: "z") { out[start] = lead - 32 }
            return
        }
        let width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, start + width <= out.count else { return }
        let text = String(decoding: out[start..<start + width], as: UTF8.self)
        guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first, scalar != "\u{FFFD}",
            !(0x10D0...0x10FF).contains(scalar.value)
        else { return }
        let upper = scalar.properties.uppercaseMapping.unicodeScalars
        guard upper.count == 1, let mapped = upper.first, mapped != scalar else { return }
        out.replaceSubrange(start..<start + width, with: Array(String(Character(mapped)).utf8))
    }
}

extension TitleNormalForm {
    /// Whether an unresolved normal form looks like a link to another wiki: `Fr:…`, `Wikt:…`. Dumps do not list the
    /// prefixes a site uses, so this only names the reason of a link that is dropped anyway.
    package static func looksInterwiki(_ form: [UInt8]) -> Bool {
        guard let colon = form.firstIndex(of: UInt8(ascii: ":")), colon >= 1, colon <= 16 else { return false }
        var prefix = Array(form[..<colon])
        if prefix[0] >= UInt8(ascii: "A"), prefix[0] <= UInt8(ascii: "Z") { prefix[0] += 32 }
        guard prefix.allSatisfy({ ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) || $0 == UInt8(ascii: "-") })
        else { return false }
        let first = prefix.prefix { $0 != UInt8(ascii: "-") }
        return first.count == 2 || first.count == 3 || sisterProjects.contains(String(decoding: prefix, as: UTF8.self))
    }

    private static let sisterProjects: Set<String> = [
        "b", "c", "commons", "d", "foundation", "incubator", "m", "mediawikiwiki", "meta", "metawikipedia", "n", "phab",
        "q", "s", "simple", "species", "v", "voy", "w", "wikibooks", "wikidata", "wikinews", "wikipedia", "wikiquote",
        "wikisource", "wikispecies", "wikiversity", "wikivoyage", "wikt", "wiktionary",
    ]
}
