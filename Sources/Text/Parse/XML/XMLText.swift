// XMLText: character data to plain text: entities decoded, whitespace collapsed, ill-formed UTF-8 repaired.

/// Flattens the texts of one block, which may be cut by inline markup anywhere.
struct XMLText {
    /// Whitespace was read and not written: it stands only between two visible characters.
    private var hasSpace = false
    private var hasNonASCII = false
    /// Something was left out here: no space goes before punctuation that follows.
    private var isJoining = false
    /// Ill-formed sequences that became U+FFFD.
    private(set) var replaced = 0

    /// Forgets whitespace at the end of a block, and begins another.
    mutating func begin() {
        hasSpace = false
        isJoining = false
        hasNonASCII = false
    }

    /// White space stands here, whatever the markup is.
    mutating func gap() { hasSpace = true }

    /// What stood here is left out: the words around it stay apart, but punctuation joins the word before.
    mutating func joinPunctuation() { isJoining = true }

    /// Appends one text token to the block that begins at `start` of `out`.
    mutating func append(_ scanner: XMLScanner, to out: inout [UInt8], from start: Int) throws(XMLProblem) {
        let text = scanner.text
        try append(
            Bytes(rebasing: scanner.bytes[text]), at: text.lowerBound, isEscaped: !scanner.isCDATA, to: &out,
            from: start)
    }

    /// - Parameter offset: of `raw` in its buffer, for messages.
    mutating func append(
        _ raw: Bytes, at offset: Int = 0, isEscaped: Bool = true, to out: inout [UInt8], from start: Int
    ) throws(XMLProblem) {
        var i = 0
        while i < raw.count {
            if raw[i] <= Byte.space {
                hasSpace = true
                i += 1
                continue
            }
            if isJoining, raw[i] != Byte.ampersand || !isEscaped {
                let next = join(raw, i, &out, start)
                if next > i {
                    i = next
                    continue
                }
            }
            let run = i
            var high: UInt8 = 0
            while i < raw.count {
                let b = raw[i]
                if b == Byte.ampersand, isEscaped { break }
                if b <= Byte.space, b < Byte.space || i + 1 == raw.count || raw[i + 1] <= Byte.space { break }
                high |= b
                i += 1
            }
            if i > run {
                flushSpace(&out, start)
                out.append(contentsOf: UnsafeBufferPointer(rebasing: raw[run..<i]))
                if high >= 0x80 { hasNonASCII = true }
            }
            if isEscaped, i < raw.count, raw[i] == Byte.ampersand {
                let (scalar, end) = try XMLEntity.decode(raw, i, offset)
                i = end
                if scalar.value <= 0x20 {
                    hasSpace = true
                } else {
                    flushSpace(&out, start)
                    if scalar.isASCII { out.append(UInt8(scalar.value)) } else { out.append(scalar: scalar) }
                }
            }
        }
    }

    /// Appends a text of the reader's own.
    mutating func append(_ text: StaticString, to out: inout [UInt8], from start: Int) {
        flushSpace(&out, start)
        out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Ends the block: its bytes are well-formed UTF-8 afterwards.
    mutating func finish(_ out: inout [UInt8], from start: Int) {
        hasSpace = false
        guard hasNonASCII else { return }
        hasNonASCII = false
        let isWellFormed = out.withUnsafeBufferPointer { buffer in
            let block = Bytes(rebasing: buffer[start...])
            var i = 0
            while i < block.count {
                i = UTF8Repair.asciiPrefix(block, from: i)
                guard i < block.count else { break }
                guard case .scalar(let n) = UTF8Repair.head(block, i) else { return false }
                i += n
            }
            return true
        }
        if isWellFormed { return }
        let block = Array(out[start...])
        out.removeSubrange(start...)
        replaced += block.withUnsafeBufferPointer { UTF8Repair.append($0, to: &out) }
    }

    /// Looks at the first visible byte after something was left out. Returns where to go on: brackets that have lost all
    /// they held go, too.
    private mutating func join(_ raw: Bytes, _ i: Int, _ out: inout [UInt8], _ start: Int) -> Int {
        if raw[i] == Byte.closeParen, out.count > start, out.last == Byte.openParen {
            out.removeLast()
            if out.count > start, out.last == Byte.space { out.removeLast() }
            hasSpace = true
            return i + 1
        }
        isJoining = false
        let isPunctuation = [Byte.dot, Byte.comma, Byte.semicolon, Byte.colon, Byte.closeParen].contains(raw[i])
        if isPunctuation || out.last == Byte.openParen {
            hasSpace = false
        } else if Byte.isLetter(raw[i]) || Byte.isDigit(raw[i]) {
            hasSpace = true
        }
        return i
    }

    /// Appends a text token as it is, entities decoded.
    static func appendVerbatim(_ scanner: XMLScanner, to out: inout [UInt8]) throws(XMLProblem) {
        let raw = Bytes(rebasing: scanner.bytes[scanner.text])
        var i = 0
        while i < raw.count {
            if raw[i] == Byte.ampersand, !scanner.isCDATA {
                let (scalar, end) = try XMLEntity.decode(raw, i, scanner.text.lowerBound)
                out.append(scalar: scalar)
                i = end
            } else {
                if raw[i] != Byte.cr { out.append(raw[i]) }
                i += 1
            }
        }
    }

    @inline(__always)
    private mutating func flushSpace(_ out: inout [UInt8], _ start: Int) {
        if hasSpace, out.count > start { out.append(Byte.space) }
        hasSpace = false
    }

    /// Whether the next visible character will follow a space.
    var endsInSpace: Bool { hasSpace }
}

/// References: `&amp;`, `&#233;`, `&#xE9;`, and the names of HTML, which publishers' document types define alike.
enum XMLEntity {
    /// Decodes the reference whose `&` is at `i`.
    /// - Throws: `XMLProblem.undefinedEntity` for another name: it is never looked up in the file.
    static func decode(_ raw: Bytes, _ i: Int, _ offset: Int) throws(XMLProblem) -> (scalar: Unicode.Scalar, end: Int) {
        if let found = HTMLEntities.decode(raw, at: i, limit: raw.count) {
            let isForbidden = found.scalar.value < 0x20 && !Byte.isSpace(UInt8(found.scalar.value))
            return (isForbidden ? "\u{FFFD}" : found.scalar, found.end)
        }
        var end = i + 1
        while end < raw.count, end - i < 64, Byte.isLetter(raw[end]) || Byte.isDigit(raw[end]) || raw[end] == Byte.dot {
            end += 1
        }
        guard end < raw.count, raw[end] == Byte.semicolon, end > i + 1 else {
            throw XMLProblem(kind: .malformed, offset: offset + i, message: "'&' begins no entity")
        }
        let name = String(decoding: raw[(i + 1)..<end], as: UTF8.self)
        throw XMLProblem(
            kind: .undefinedEntity, offset: offset + i,
            message:
                "the entity '&\(name);' is defined neither by XML nor by HTML; those that a file defines are not expanded"
        )
    }
}
