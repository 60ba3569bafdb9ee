// SiteInfo: what a MediaWiki dump says about its wiki: language, case rule, and namespaces with their local names.

/// The `<siteinfo>` of a dump.
package struct SiteInfo: Sendable, Equatable {
    package enum CaseRule: String, Sendable {
        /// The first letter of a title is upper case, however it is written.
        case firstLetter = "first-letter"
        case caseSensitive = "case-sensitive"
    }

    package struct Namespace: Sendable, Equatable {
        package var id: Int
        /// The local name; empty for the main namespace.
        package var name: String
        package var caseRule: CaseRule?

        package init(id: Int, name: String, caseRule: CaseRule? = nil) {
            self.id = id
            self.name = name
            self.caseRule = caseRule
        }
    }

    /// `xml:lang` of the dump, e.g. `en`; empty if not given.
    package var language = ""
    package var name = ""
    package var database = ""
    package var caseRule = CaseRule.firstLetter
    package var namespaces: [Namespace] = []

    package init() {}

    /// English names that every wiki understands besides its own, and two old ones of the file namespace.
    package static let canonicalNames: [(name: String, id: Int)] = [
        ("media", -2), ("special", -1), ("talk", 1), ("user", 2), ("user talk", 3), ("project", 4),
        ("project talk", 5), ("wikipedia", 4), ("wikipedia talk", 5), ("file", 6), ("file talk", 7), ("image", 6),
        ("image talk", 7), ("mediawiki", 8), ("mediawiki talk", 9), ("template", 10), ("template talk", 11),
        ("help", 12), ("help talk", 13), ("category", 14), ("category talk", 15), ("portal", 100),
        ("portal talk", 101), ("module", 828), ("module talk", 829), ("wp", 4), ("wt", 5),
    ]
}

/// Finds what the prefix of a title means on this wiki.
package struct TitlePrefixes: Sendable {
    package enum Meaning: Sendable, Equatable {
        case namespace(Int)
        /// The same article in another language.
        case language
        /// Another site, such as Wiktionary.
        case interwiki
    }

    private var meanings: [[UInt8]: Meaning] = [:]

    package init(site: SiteInfo) {
        for code in Interwiki.languages { meanings[Array(code.utf8)] = .language }
        for prefix in Interwiki.sites { meanings[Array(prefix.utf8)] = .interwiki }
        for (name, id) in SiteInfo.canonicalNames { meanings[Array(name.utf8)] = .namespace(id) }
        for namespace in site.namespaces where namespace.id != 0 {
            meanings[Self.normal(Array(namespace.name.utf8))] = .namespace(namespace.id)
        }
    }

    /// Lower case, underscores as spaces, runs of spaces as one, trimmed.
    static func normal(_ prefix: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(prefix.count)
        var isPlain = true
        for b in prefix {
            if b == Byte.underscore || Byte.isSpace(b) {
                if !out.isEmpty, out.last != Byte.space { out.append(Byte.space) }
            } else {
                isPlain = isPlain && b < 0x80
                out.append(Byte.lower(b))
            }
        }
        if out.last == Byte.space { out.removeLast() }
        return isPlain ? out : Array(String(decoding: out, as: UTF8.self).lowercased().utf8)
    }

    /// What stands before the first colon, if it means anything: `Category:X`, `fr:X`. An unknown prefix is part of an
    /// article's title (`Star Trek: Voyager`).
    package func meaning(of title: Bytes) -> Meaning? {
        // The longest known prefix is far below 128 bytes; titles with a later colon have no prefix.
        guard let colon = title.prefix(128).firstIndex(of: Byte.colon) else { return nil }
        return meanings[Self.normal(title[..<colon])]
    }

    /// The namespace of a title for dumps that do not name it (schemas 0.3 to 0.5).
    package func namespace(of title: String) -> Int {
        if case .namespace(let id)? = Array(title.utf8).withUnsafeBufferPointer({ meaning(of: $0) }) { return id }
        return 0
    }
}
