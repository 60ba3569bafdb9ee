// DropRules: the `drop` patterns of a corpus: paragraphs that say nothing, such as a licence at the end of every file.

/// Compiled patterns. Most are a literal with `^`, `$` or alternatives, which are compared as bytes; the others are
/// Swift regular expressions, tried only on paragraphs that begin as the pattern does. Not `Sendable`, as `Regex` is not.
package struct DropRules {
    private enum Literal {
        /// `^text`, `^(a|b)`: one of these stands at the start.
        case prefix([[UInt8]])
        /// `^text$`
        case whole([[UInt8]])
        /// `text`
        case inside([UInt8])
    }

    private struct Rule {
        var isAnchored: Bool
        /// Decides alone, if there is no regex.
        var literal: Literal?
        var regex: Regex<AnyRegexOutput>?
    }

    private var rules: [Rule] = []

    /// - Throws: `TextError.invalidArgument` naming the pattern that is no regular expression.
    package init(_ patterns: [String] = []) throws {
        rules = try patterns.map(Self.compile)
    }

    package var isEmpty: Bool { rules.isEmpty }

    /// Whether a paragraph (trimmed, one line) is to go.
    package func matches(_ paragraph: Bytes) -> Bool { rules.contains { Self.matches($0, paragraph) } }

    package func matches(_ paragraph: ArraySlice<UInt8>) -> Bool { paragraph.withUnsafeBufferPointer { matches($0) } }

    /// Whether a rule that begins with `^` matches: then a hard-wrapped line begins a paragraph, however it is set.
    package func startsParagraph(_ line: Bytes) -> Bool {
        rules.contains { $0.isAnchored && Self.matches($0, line) }
    }

    private static func matches(_ rule: Rule, _ text: Bytes) -> Bool {
        switch rule.literal {
        case .prefix(let list): if !list.contains(where: { text.starts(with: $0) }) { return false }
        case .whole(let list): if !list.contains(where: { text.elementsEqual($0) }) { return false }
        case .inside(let literal): if !contains(text, literal) { return false }
        case nil: break
        }
        guard let regex = rule.regex else { return true }
        return (try? regex.firstMatch(in: String(decoding: text, as: UTF8.self))) != nil
    }

    private static func contains(_ text: Bytes, _ literal: [UInt8]) -> Bool {
        guard let first = literal.first, text.count >= literal.count else { return literal.isEmpty }
        for i in 0...(text.count - literal.count) where text[i] == first {
            if (1..<literal.count).allSatisfy({ text[i + $0] == literal[$0] }) { return true }
        }
        return false
    }

    // MARK: compiling

    private static func compile(_ pattern: String) throws -> Rule {
        let regex: Regex<AnyRegexOutput>
        do {
            regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
        } catch {
            throw TextError(
                .invalidArgument, "'\(pattern)' is no regular expression", cause: "\(error)",
                fix: "escape characters that mean something, such as ( [ * + ? . with a backslash")
        }
        var reader = PatternReader(Array(pattern.utf8))
        let isAnchored = reader.take("^")
        // Paragraphs are trimmed, so leading blanks of a pattern match nothing.
        if isAnchored { while reader.take(" *") || reader.take("\\s*") {} }
        let alternatives = reader.alternatives()
        let atEnd = reader.isAtEnd
        if !isAnchored {
            if atEnd, alternatives.count == 1, !alternatives[0].isEmpty {
                return Rule(isAnchored: false, literal: .inside(alternatives[0]), regex: nil)
            }
            return Rule(isAnchored: false, literal: nil, regex: regex)
        }
        let isUseful = !alternatives.isEmpty && alternatives.allSatisfy { !$0.isEmpty }
        if isUseful, atEnd || reader.rest(is: ".*") || reader.rest(is: ".*$") {
            return Rule(isAnchored: true, literal: .prefix(alternatives), regex: nil)
        }
        if isUseful, reader.rest(is: "$") { return Rule(isAnchored: true, literal: .whole(alternatives), regex: nil) }
        // An alternation outside brackets would make the anchor and the literal belong to its first branch only.
        let hasBranches = pattern.utf8.contains(Byte.pipe) && alternatives.count < 2
        return Rule(
            isAnchored: !hasBranches, literal: isUseful && !hasBranches ? .prefix(alternatives) : nil, regex: regex)
    }
}

extension ParsedDocument {
    /// Removes the blocks that a rule matches. Returns how many went.
    package mutating func removeBlocks(matching rules: DropRules) -> Int {
        if rules.isEmpty { return 0 }
        let isDropped = (0..<blockCount).map { rules.matches(text[block($0)]) }
        return removeBlocks { isDropped[$0] }
    }
}

/// Reads the literal head of a pattern.
private struct PatternReader {
    private let bytes: [UInt8]
    private var i = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { i == bytes.count }

    mutating func take(_ text: String) -> Bool {
        guard bytes[i...].starts(with: text.utf8) else { return false }
        i += text.utf8.count
        return true
    }

    func rest(is text: String) -> Bool { bytes[i...].elementsEqual(text.utf8) }

    /// `literal`, `(a|b|c)` or `(?:a|b|c)`; empty if the head is neither.
    mutating func alternatives() -> [[UInt8]] {
        let start = i
        guard take("(?:") || take("(") else {
            let text = literal()
            return text.isEmpty ? [] : [text]
        }
        var list: [[UInt8]] = []
        while true {
            list.append(literal())
            if take("|") { continue }
            if take(")"), isAtEnd || !Self.quantifiers.contains(bytes[i]) { return list }
            i = start
            return []
        }
    }

    private static let quantifiers = Array("*+?{".utf8)
    private static let special = Array("^$.|()[]{}*+?\\".utf8)

    private mutating func literal() -> [UInt8] {
        var text: [UInt8] = []
        var lastStart = i
        while i < bytes.count {
            if bytes[i] == UInt8(ascii: "\\"), i + 1 < bytes.count,
                Self.special.contains(bytes[i + 1]) || bytes[i + 1] == Byte.dash
            {
                lastStart = i
                text.append(bytes[i + 1])
                i += 2
            } else if Self.special.contains(bytes[i]) {
                break
            } else {
                if bytes[i] < 0x80 || bytes[i] >= 0xC0 { lastStart = i }
                text.append(bytes[i])
                i += 1
            }
        }
        if i < bytes.count, Self.quantifiers.contains(bytes[i]), !text.isEmpty {
            // The quantifier takes the last character with it.
            let isEscape = bytes[lastStart] == UInt8(ascii: "\\")
            text.removeLast(isEscape ? 1 : i - lastStart)
            i = lastStart
        }
        return text
    }
}
