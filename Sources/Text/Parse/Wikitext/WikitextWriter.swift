// WikitextWriter: where rendered text goes: one space between words, blocks that begin and end with a visible
// character, link spans, and the traces of dropped templates (" ,", "( ; ", "()") tidied away.

struct WikitextWriter {
    var document = ParsedDocument()
    /// Heading level of each block, 0 for others.
    private var levels: [UInt8] = []
    private var kind = TextBlockKind.paragraph
    private var level: UInt8 = 0
    private var isInBlock = false
    private var hasSpace = false
    /// Markup was dropped since the last visible character.
    private var hasGap = false
    /// While above 0 (labels, headings) a block cannot end; breaks are spaces.
    private var inlineDepth = 0
    private enum LinkState { case none, waiting, open(Int) }
    private var link = LinkState.none

    init() {}

    mutating func reset() {
        document.text.removeAll(keepingCapacity: true)
        document.blockBegin.removeAll(keepingCapacity: true)
        document.blockKind.removeAll(keepingCapacity: true)
        document.linkBegin.removeAll(keepingCapacity: true)
        document.linkEnd.removeAll(keepingCapacity: true)
        document.linkTarget.removeAll()
        levels.removeAll(keepingCapacity: true)
        (isInBlock, hasSpace, hasGap, inlineDepth, link) = (false, false, false, 0, .none)
        setKind(.paragraph)
    }

    var currentKind: TextBlockKind { kind }
    var isLinkOpen: Bool { if case .none = link { false } else { true } }
    var lastByte: UInt8? { isInBlock ? document.text.last : nil }

    // MARK: structure

    mutating func space() { hasSpace = true }
    mutating func gap() { hasGap = true }
    mutating func beginInline() { inlineDepth += 1 }
    mutating func endInline() { inlineDepth -= 1 }

    /// Ends the block; the next visible character begins another, a paragraph unless `setKind` says otherwise.
    mutating func breakBlock() {
        guard inlineDepth == 0 else { return space() }
        (isInBlock, hasSpace, hasGap) = (false, false, false)
        setKind(.paragraph)
    }

    mutating func setKind(_ kind: TextBlockKind, level: Int = 0) {
        guard inlineDepth == 0 else { return }
        self.kind = kind
        self.level = UInt8(clamping: level)
    }

    // MARK: text

    /// Appends visible bytes (no line feed; single spaces inside are fine). Empty runs are allowed.
    mutating func append(_ bytes: Bytes) {
        var bytes = bytes
        while hasGap, let first = bytes.first, tidies(first, before: bytes.dropFirst().first) {
            bytes = Bytes(rebasing: bytes.dropFirst())
            while bytes.first == Byte.space {
                hasSpace = true
                bytes = Bytes(rebasing: bytes.dropFirst())
            }
        }
        guard let first = bytes.first else { return }
        beginVisible(first)
        document.text.append(contentsOf: bytes)
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

    mutating func append(_ byte: UInt8) { withUnsafePointer(to: byte) { append(Bytes(start: $0, count: 1)) } }

    mutating func append(scalar: Unicode.Scalar) { append(Array(UTF8.encode(scalar)!)) }

    /// Appends a code block as it is, without blanks and control characters at its ends; words where a block cannot end.
    mutating func appendCode(_ bytes: [UInt8]) {
        guard inlineDepth == 0 else {
            for word in bytes.split(whereSeparator: { $0 <= Byte.space }) {
                space()
                append(Array(word))
            }
            return space()
        }
        breakBlock()
        setKind(.code)
        let isBlank: (UInt8) -> Bool = { $0 <= Byte.space }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return breakBlock() }
        bytes[first...last].withUnsafeBufferPointer { append($0) }
        breakBlock()
    }

    private mutating func beginVisible(_ first: UInt8) {
        if !isInBlock {
            if !document.text.isEmpty { document.text.append(Byte.lf) }
            document.blockBegin.append(UInt32(document.text.count))
            document.blockKind.append(kind.rawValue)
            levels.append(level)
            isInBlock = true
        } else if hasSpace, !(hasGap && (isClosing(first) || document.text.last == Byte.openParen)) {
            document.text.append(Byte.space)
        }
        (hasSpace, hasGap) = (false, false)
        if case .waiting = link { link = .open(document.text.count) }
    }

    private func isClosing(_ b: UInt8) -> Bool {
        switch b {
        case Byte.comma, Byte.dot, Byte.semicolon, Byte.colon, Byte.closeParen, Byte.closeBracket, Byte.bang,
            UInt8(ascii: "?"):
            true
        default: false
        }
    }

    /// Whether `first`, which follows dropped markup, is a trace of it: then it is swallowed (and a bracket opened for it
    /// is taken back).
    private mutating func tidies(_ first: UInt8, before next: UInt8?) -> Bool {
        guard !isLinkOpen else { return false }
        guard isInBlock, let last = document.text.last else {
            return first == Byte.comma || first == Byte.semicolon || first == Byte.colon || first == Byte.dot
        }
        switch first {
        case Byte.comma, Byte.semicolon:
            return last == Byte.openParen || last == Byte.comma || last == Byte.semicolon
        case Byte.colon: return last == Byte.openParen
        case Byte.closeParen where isPause(last), Byte.dot where isPause(last) && !isWord(next):
            // "(born 1900, {{x}})", "for example, <math>…</math>.": the comma goes, what follows stays.
            if !isInLink(document.text.count - 1), document.text.count > Int(document.blockBegin.last!) + 1 {
                document.text.removeLast()
                hasSpace = false
            }
            return false
        case Byte.closeParen where last == Byte.openParen, Byte.closeBracket where last == Byte.openBracket,
            Byte.doubleQuote where last == Byte.doubleQuote && opensWord(document.text.count - 1):
            if isInLink(document.text.count - 1) { return false }
            document.text.removeLast()
            if document.text.count == Int(document.blockBegin.last!) {
                document.blockBegin.removeLast()
                document.blockKind.removeLast()
                levels.removeLast()
                if !document.text.isEmpty { document.text.removeLast() }
                isInBlock = false
            } else if document.text.last == Byte.space {
                document.text.removeLast()
                hasSpace = true
            }
            return true
        default: return false
        }
    }

    private func isWord(_ b: UInt8?) -> Bool { b.map { $0 >= 0x80 || Byte.isLetter($0) || Byte.isDigit($0) } ?? false }

    private func isPause(_ b: UInt8) -> Bool { b == Byte.comma || b == Byte.semicolon || b == Byte.colon }

    /// Whether nothing, a space or a bracket stands before `offset`.
    private func opensWord(_ offset: Int) -> Bool {
        guard offset > Int(document.blockBegin.last!) else { return true }
        return document.text[offset - 1] == Byte.space || document.text[offset - 1] == Byte.openParen
    }

    /// Whether the byte at `offset`, one of the last, belongs to an anchor.
    private func isInLink(_ offset: Int) -> Bool { document.linkEnd.last.map { Int($0) > offset } ?? false }

    // MARK: links

    mutating func beginLink() { link = .waiting }

    /// Ends the link. Returns whether it has a span: one that shows nothing has none.
    mutating func endLink(target: some Collection<UInt8>) -> Bool {
        defer { link = .none }
        guard case .open(let begin) = link, begin < document.text.count, !target.isEmpty else { return false }
        document.linkBegin.append(UInt32(begin))
        document.linkEnd.append(UInt32(document.text.count))
        document.linkTarget.append(target)
        return true
    }

    // MARK: end

    /// Removes blocks without a letter or digit, and headings whose section shows nothing; their links lose their place.
    mutating func finish() {
        breakBlock()
        var isEmpty = levels.indices.map { i in
            !document.text[document.block(i)].contains { $0 >= 0x80 || Byte.isLetter($0) || Byte.isDigit($0) }
        }
        // The highest heading level below which nothing has been seen yet, going backwards.
        var nextLevel: UInt8 = 1
        for i in levels.indices.reversed() where !isEmpty[i] {
            guard levels[i] > 0 else {
                nextLevel = .max
                continue
            }
            if nextLevel <= levels[i] { isEmpty[i] = true } else { nextLevel = levels[i] }
        }
        guard isEmpty.contains(true) else { return }
        let lost = linksOfBlocks { isEmpty[$0] }
        document.removeBlocks { isEmpty[$0] }
        for i in 0..<lost.count { document.appendPlacelessLink(lost[i]) }
    }

    /// Targets of the links in the blocks for which `isChosen` holds.
    private func linksOfBlocks(where isChosen: (Int) -> Bool) -> ByteStrings {
        var targets = ByteStrings()
        var block = 0
        for link in 0..<document.linkCount {
            while block + 1 < document.blockCount, document.blockBegin[block + 1] <= document.linkBegin[link] {
                block += 1
            }
            if isChosen(block) { targets.append(document.linkTarget[link]) }
        }
        return targets
    }
}
