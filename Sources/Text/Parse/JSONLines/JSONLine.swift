// JSONLine: one line of a JSON Lines corpus by its schema: id, title, text, links, aliases. docs/formats.md has it.

/// How often fields that the schema does not know occurred, by name.
package struct FieldCounts: Sendable, Equatable {
    /// Names past so many are counted together.
    package static let mostNames = 64

    private var names = ByteStrings()
    private var counts: [Int64] = []
    /// Occurrences of names that found no place in the list.
    package private(set) var others: Int64 = 0

    package init() {}

    package var total: Int64 { counts.reduce(others, +) }
    package var isEmpty: Bool { counts.isEmpty }
    /// Sorted by the bytes of the names.
    package var sorted: [(name: String, count: Int64)] {
        counts.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }.map { (names.string($0), counts[$0]) }
    }

    mutating func add(_ name: [UInt8]) {
        for i in counts.indices where names[i].elementsEqual(name) {
            counts[i] += 1
            return
        }
        guard counts.count < Self.mostNames, name.count <= 256 else {
            others += 1
            return
        }
        names.append(name)
        counts.append(1)
    }
}

/// The fields of one line, decoded. Reused between lines: `parse` refills it and keeps its memory.
struct JSONLine {
    private(set) var id: [UInt8] = []
    private(set) var title: [UInt8] = []
    /// Text and links, before blocks are made of them.
    var text = SpannedText()
    private(set) var aliases = ByteStrings()

    private var name: [UInt8] = []
    private var scratch: [UInt8] = []
    /// Names that stand in link objects and mean nothing there; counted once the line is read.
    private var unknownInLinks = ByteStrings()

    private struct Fields: OptionSet {
        var rawValue: UInt8
        static let id = Fields(rawValue: 1), title = Fields(rawValue: 2), text = Fields(rawValue: 4)
        static let links = Fields(rawValue: 8), aliases = Fields(rawValue: 16)
    }

    private static let known: [(name: [UInt8], field: Fields)] = [
        (Array("id".utf8), .id), (Array("title".utf8), .title), (Array("text".utf8), .text),
        (Array("links".utf8), .links), (Array("aliases".utf8), .aliases),
    ]
    private static let target = Array("target".utf8), begin = Array("begin".utf8), end = Array("end".utf8)

    /// - Parameter unknown: counts fields outside the schema; those of links as `links.NAME`.
    /// - Throws: what is wrong with the line, first of all.
    mutating func parse(_ line: Bytes, unknown: inout FieldCounts) throws(LineProblem) {
        id.removeAll(keepingCapacity: true)
        title.removeAll(keepingCapacity: true)
        text.removeAll()
        aliases.removeAll()
        unknownInLinks.removeAll()
        if let bad = LineUTF8.firstInvalid(line) { throw LineProblem(reason: .invalidUTF8, column: bad + 1) }
        var scanner = JSONScanner(line)
        var seen: Fields = []
        guard scanner.take(Byte.openBrace) else { throw scanner.problem(.wrongType) }
        if !scanner.take(Byte.closeBrace) {
            repeat {
                _ = scanner.peek()
                let place = scanner.problem(.duplicateField)
                try readName(&scanner)
                guard let field = Self.known.first(where: { $0.name == name })?.field else {
                    unknown.add(name)
                    try scanner.skipValue()
                    continue
                }
                guard seen.insert(field).inserted else { throw place }
                if !scanner.take("null") { try value(of: field, &scanner) }
            } while scanner.take(Byte.comma)
            try scanner.expect(Byte.closeBrace)
        }
        guard scanner.peek() == nil else { throw scanner.problem(.invalidJSON) }
        Self.clean(&id)
        Self.clean(&title)
        if id.isEmpty, title.isEmpty { throw LineProblem(reason: .noIDOrTitle, column: 1) }
        if id.isEmpty { id.append(contentsOf: title) } else if title.isEmpty { title.append(contentsOf: id) }
        if !seen.contains(.text) { throw LineProblem(reason: .noText, column: 1) }
        if let problem = text.firstProblem { throw problem }
        for i in 0..<unknownInLinks.count { unknown.add(Array("links.".utf8) + unknownInLinks[i]) }
    }

    private mutating func readName(_ scanner: inout JSONScanner) throws(LineProblem) {
        name.removeAll(keepingCapacity: true)
        guard scanner.peek() == Byte.doubleQuote else { throw scanner.problem(.invalidJSON) }
        try scanner.string(into: &name)
        try scanner.expect(Byte.colon)
    }

    private mutating func value(of field: Fields, _ scanner: inout JSONScanner) throws(LineProblem) {
        switch field {
        case .id:
            if scanner.peek() == Byte.doubleQuote {
                try scanner.string(into: &id)
            } else {
                try scanner.integer(into: &id)
            }
        case .title: try scanner.string(into: &title)
        case .text: try scanner.string(into: &text.bytes)
        case .aliases:
            try list(&scanner) { line, scanner throws(LineProblem) in
                line.scratch.removeAll(keepingCapacity: true)
                try scanner.string(into: &line.scratch)
                Self.clean(&line.scratch)
                if !line.scratch.isEmpty { line.aliases.append(line.scratch) }
            }
        default:
            try list(&scanner) { line, scanner throws(LineProblem) in try line.link(&scanner) }
        }
    }

    private mutating func list(
        _ scanner: inout JSONScanner, _ item: (inout JSONLine, inout JSONScanner) throws(LineProblem) -> Void
    ) throws(LineProblem) {
        guard scanner.take(Byte.openBracket) else { throw scanner.problem(.wrongType) }
        if scanner.take(Byte.closeBracket) { return }
        repeat { try item(&self, &scanner) } while scanner.take(Byte.comma)
        try scanner.expect(Byte.closeBracket)
    }

    /// A target, or an object of a target and perhaps a place.
    private mutating func link(_ scanner: inout JSONScanner) throws(LineProblem) {
        let column = scanner.at + 1
        scratch.removeAll(keepingCapacity: true)
        if scanner.peek() == Byte.doubleQuote {
            try scanner.string(into: &scratch)
            return addLink(nil, nil, column)
        }
        guard scanner.take(Byte.openBrace) else { throw scanner.problem(.wrongType) }
        var hasTarget = false
        var place: (begin: UInt32?, end: UInt32?)
        if !scanner.take(Byte.closeBrace) {
            repeat {
                _ = scanner.peek()
                let duplicate = scanner.problem(.duplicateField)
                try readName(&scanner)
                if name == Self.target {
                    if hasTarget { throw duplicate }
                    hasTarget = true
                    try scanner.string(into: &scratch)
                } else if name == Self.begin {
                    if place.begin != nil { throw duplicate }
                    if !scanner.take("null") { place.begin = try scanner.offset() }
                } else if name == Self.end {
                    if place.end != nil { throw duplicate }
                    if !scanner.take("null") { place.end = try scanner.offset() }
                } else {
                    unknownInLinks.append(name)
                    try scanner.skipValue()
                }
            } while scanner.take(Byte.comma)
            try scanner.expect(Byte.closeBrace)
        }
        guard hasTarget, (place.begin == nil) == (place.end == nil) else {
            throw LineProblem(reason: .incompleteLink, column: column)
        }
        addLink(place.begin, place.end, column)
    }

    private mutating func addLink(_ begin: UInt32?, _ end: UInt32?, _ column: Int) {
        Self.clean(&scratch)
        let none = ParsedDocument.placeless
        text.addLink(SpannedText.Link(begin: begin ?? none, end: end ?? none, column: column), target: scratch)
    }

    /// Control characters become spaces; spaces at the ends go.
    private static func clean(_ string: inout [UInt8]) {
        var isClean = true
        for b in string where b < 0x20 || b == 0x7F { isClean = false }
        if !isClean { for i in string.indices where string[i] < 0x20 || string[i] == 0x7F { string[i] = Byte.space } }
        while string.last == Byte.space { string.removeLast() }
        let leading = string.prefix { $0 == Byte.space }.count
        if leading > 0 { string.removeFirst(leading) }
    }
}
