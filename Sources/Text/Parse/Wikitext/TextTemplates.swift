// TextTemplates: how a template that carries text is found by its name, and what of it a reader sees.
// The table of names is in TextTemplateTable.swift; templates that stand in no table are dropped.

enum TextTemplates {
    enum Rule: Sendable, Equatable {
        /// The nth argument, inline.
        case argument(Int)
        /// The last positional argument, inline: `{{lang|fr|mot}}`, `{{transl|ar|ALA|kitāb}}`.
        case last
        /// The first argument, or the one named `text`, `quote` or `content`, as its own block.
        case block
        /// The last positional argument as its own block.
        case lastBlock
        case literal(String)
        case pieces(Pieces)
        /// `{{convert|5|km|mi}}`: amount and unit.
        case convert
        /// `{{val|1.5|0.2|u=kg}}`: number, uncertainty, exponent, unit.
        case value
        /// `{{frac|1|2}}`, `{{frac|3|1|2}}`, `{{frac|2}}`.
        case fraction
        /// Year, month and day; a second date gives an age if the rule says so.
        case date(isAged: Bool)
        /// `{{as of|2011|3}}`
        case asOf
        /// `{{nihongo|English|kanji|rōmaji}}`
        case nihongo
        /// `{{IPAc-en|…}}`: the pieces between slashes, without key words and names of recordings.
        case phonemes
        /// The first argument with its digits in groups of three.
        case number
        /// `{{lang-fr|mot}}`: the language's name and the text.
        case language(String)
        /// The page's own title.
        case pageTitle
    }

    /// Positional arguments `first`, `first + 1`, … (at most `most`) with words around and between them.
    struct Pieces: Sendable, Equatable {
        var before = ""
        var between = ""
        var after = ""
        var first = 1
        var most = 32
    }

    private struct Entry {
        var name: [UInt8]
        var rule: Rule
    }

    private static let table: [UInt64: Entry] = {
        var table: [UInt64: Entry] = [:]
        for (rule, names) in TextTemplateTable.rules {
            for name in names.split(separator: ";") {
                let bytes = Array(name.utf8.drop { $0 <= Byte.space })
                let hash = bytes.withUnsafeBufferPointer { Self.hash($0, bytes.indices) }
                precondition(table[hash] == nil, "'\(name)' stands twice in the table of templates")
                table[hash] = Entry(name: bytes, rule: rule)
            }
        }
        return table
    }()

    private static let languages: [[UInt8]: String] = {
        var table: [[UInt8]: String] = [:]
        for (code, name) in TextTemplateTable.languages { table[Array(code.utf8)] = name }
        return table
    }()

    /// Prefixes of names that end in a language code, and whether the language's name is shown.
    private static let languagePrefixes: [(bytes: [UInt8], isNamed: Bool)] = {
        let prefixes: [(String, Bool)] = [("lang-", true), ("ipa-", false), ("vol-", false), ("script/", false)]
        return prefixes.map { (Array($0.0.utf8), $0.1) }
    }()

    private static let functions: [(bytes: [UInt8], rule: Rule)] = {
        let functions: [(String, Rule)] = [
            ("formatnum:", .number), ("lc:", .argument(1)), ("uc:", .argument(1)), ("lcfirst:", .argument(1)),
            ("ucfirst:", .argument(1)),
        ]
        return functions.map { (Array($0.0.utf8), $0.1) }
    }()

    /// As MediaWiki reads names: case and underscores do not matter here.
    @inline(__always)
    private static func normal(_ b: UInt8) -> UInt8 { b == Byte.underscore ? Byte.space : Byte.lower(b) }

    /// FNV-1a over the name's normal form.
    private static func hash(_ bytes: Bytes, _ name: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in name { hash = (hash ^ UInt64(normal(bytes[i]))) &* 0x100_0000_01B3 }
        return hash
    }

    private static func starts(_ bytes: Bytes, _ name: Range<Int>, _ prefix: [UInt8]) -> Bool {
        guard name.count > prefix.count else { return false }
        for k in 0..<prefix.count where normal(bytes[name.lowerBound + k]) != prefix[k] { return false }
        return true
    }

    /// The rule of a template and, for functions, how many bytes of the name to skip; nil for templates that show
    /// nothing worth keeping.
    static func rule(_ bytes: Bytes, _ name: Range<Int>) -> (rule: Rule, skipped: Int)? {
        if let entry = table[hash(bytes, name)], entry.name.count == name.count,
            zip(name, entry.name).allSatisfy({ normal(bytes[$0]) == $1 })
        {
            return (entry.rule, 0)
        }
        if name.count <= 20 {
            for prefix in languagePrefixes where starts(bytes, name, prefix.bytes) {
                let code = bytes[(name.lowerBound + prefix.bytes.count)..<name.upperBound].map { Byte.lower($0) }
                guard prefix.isNamed, let language = languages[code] else { return (.argument(1), 0) }
                return (.language(language), 0)
            }
        }
        for function in functions where starts(bytes, name, function.bytes) {
            return (function.rule, function.bytes.count)
        }
        return nil
    }
}
