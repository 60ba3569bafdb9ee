// JSONScanner: the tokens of one JSON text, from bytes into buffers of the caller's. No token costs an allocation.

/// Reads one JSON text strictly by RFC 8259. The bytes must be valid UTF-8, which `LineUTF8.firstInvalid` checks.
struct JSONScanner {
    /// Of containers inside values that nobody reads.
    static let depthLimit = 64

    private let bytes: Bytes
    private(set) var at = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    func problem(_ reason: LineProblem.Reason) -> LineProblem {
        LineProblem(reason: reason, column: at + 1)
    }

    // MARK: punctuation

    @inline(__always) mutating func skipSpaces() {
        while at < bytes.count,
            bytes[at] == Byte.space || bytes[at] == Byte.tab || bytes[at] == Byte.cr || bytes[at] == Byte.lf
        {
            at += 1
        }
    }

    /// The next byte that is no space; nil at the end.
    @inline(__always) mutating func peek() -> UInt8? {
        skipSpaces()
        return at < bytes.count ? bytes[at] : nil
    }

    /// Passes over `byte` if it comes next.
    @inline(__always) mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        at += 1
        return true
    }

    @inline(__always) mutating func expect(_ byte: UInt8) throws(LineProblem) {
        guard take(byte) else { throw problem(.invalidJSON) }
    }

    /// Passes over `true`, `false` or `null` if it comes next.
    mutating func take(_ word: StaticString) -> Bool {
        skipSpaces()
        let count = word.utf8CodeUnitCount
        guard bytes.count - at >= count else { return false }
        for k in 0..<count where bytes[at + k] != word.utf8Start[k] { return false }
        at += count
        return true
    }

    // MARK: strings

    /// Position of the next quote, backslash or control character; eight bytes a step.
    @inline(__always) private func special(from start: Int) -> Int {
        guard let base = bytes.baseAddress else { return bytes.count }
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var i = start
        while i + 8 <= bytes.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self))
            let quote = word ^ (ones &* UInt64(Byte.doubleQuote))
            let escape = word ^ (ones &* 0x5C)
            // The lowest byte that a mask marks is exact: a borrow disturbs only those above it.
            let hits =
                ((quote &- ones) & ~quote | (escape &- ones) & ~escape | (word &- ones &* 0x20) & ~word) & highs
            if hits != 0 { return i + hits.trailingZeroBitCount / 8 }
            i += 8
        }
        while i < bytes.count, bytes[i] != Byte.doubleQuote, bytes[i] != 0x5C, bytes[i] >= 0x20 { i += 1 }
        return i
    }

    /// Appends the decoded string that comes next.
    mutating func string(into out: inout [UInt8]) throws(LineProblem) {
        guard peek() == Byte.doubleQuote else { throw problem(at < bytes.count ? .wrongType : .invalidJSON) }
        at += 1
        while true {
            let end = special(from: at)
            out.append(contentsOf: Bytes(rebasing: bytes[at..<end]))
            at = end
            guard at < bytes.count, bytes[at] >= 0x20 else { throw problem(.invalidJSON) }
            if bytes[at] == Byte.doubleQuote {
                at += 1
                return
            }
            try escape(into: &out)
        }
    }

    /// Passes over a string, decoding only what must be checked.
    private mutating func skipString() throws(LineProblem) {
        try expect(Byte.doubleQuote)
        var ignored: [UInt8] = []
        while true {
            at = special(from: at)
            guard at < bytes.count, bytes[at] >= 0x20 else { throw problem(.invalidJSON) }
            if bytes[at] == Byte.doubleQuote {
                at += 1
                return
            }
            ignored.removeAll(keepingCapacity: true)
            try escape(into: &ignored)
        }
    }

    private mutating func escape(into out: inout [UInt8]) throws(LineProblem) {
        guard at + 1 < bytes.count else { throw problem(.invalidJSON) }
        switch bytes[at + 1] {
        case Byte.doubleQuote, 0x5C, Byte.slash: out.append(bytes[at + 1])
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(Byte.lf)
        case UInt8(ascii: "r"): out.append(Byte.cr)
        case UInt8(ascii: "t"): out.append(Byte.tab)
        case UInt8(ascii: "u"): return try unicodeEscape(into: &out)
        default: throw problem(.invalidJSON)
        }
        at += 2
    }

    private mutating func unicodeEscape(into out: inout [UInt8]) throws(LineProblem) {
        guard let unit = hexUnit(at) else { throw problem(.invalidJSON) }
        var scalar = UInt32(unit)
        var length = 6
        if unit & 0xFC00 == 0xD800 {
            guard let low = hexUnit(at + 6), low & 0xFC00 == 0xDC00 else { throw problem(.loneSurrogate) }
            scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
            length = 12
        }
        guard scalar & 0xFFFF_F800 != 0xD800 else { throw problem(.loneSurrogate) }
        switch scalar {
        case ..<0x80: out.append(UInt8(scalar))
        case ..<0x800:
            out.append(UInt8(0xC0 | scalar >> 6))
            out.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            out.append(UInt8(0xE0 | scalar >> 12))
            out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(0x80 | scalar & 0x3F))
        default:
            out.append(UInt8(0xF0 | scalar >> 18))
            out.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(0x80 | scalar & 0x3F))
        }
        at += length
    }

    /// The four digits of `\uXXXX` at `start`; nil if something else stands there.
    private func hexUnit(_ start: Int) -> UInt16? {
        guard start + 6 <= bytes.count, bytes[start] == 0x5C, bytes[start + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for k in start + 2..<start + 6 {
            guard let digit = Byte.hexValue(bytes[k]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    // MARK: numbers

    /// The spelling of the number that comes next.
    private mutating func number() throws(LineProblem) -> Range<Int> {
        skipSpaces()
        let start = at
        if at < bytes.count, bytes[at] == Byte.dash { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "0") { at += 1 } else { try digits() }
        if at < bytes.count, bytes[at] == Byte.dot {
            at += 1
            try digits()
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == Byte.dash || bytes[at] == Byte.plus { at += 1 }
            try digits()
        }
        return start..<at
    }

    private mutating func digits() throws(LineProblem) {
        guard at < bytes.count, Byte.isDigit(bytes[at]) else { throw problem(.invalidJSON) }
        while at < bytes.count, Byte.isDigit(bytes[at]) { at += 1 }
    }

    /// Appends the digits of an integer, as spelled.
    mutating func integer(into out: inout [UInt8]) throws(LineProblem) {
        let start = at
        let spelling = try number()
        for i in spelling where !Byte.isDigit(bytes[i]) && bytes[i] != Byte.dash {
            at = start
            throw problem(.wrongType)
        }
        out.append(contentsOf: Bytes(rebasing: bytes[spelling]))
    }

    /// An offset: an integer from 0 that fits 32 bits; larger ones are `UInt32.max`.
    mutating func offset() throws(LineProblem) -> UInt32 {
        let next = peek()
        guard let next, Byte.isDigit(next) else { throw problem(next == nil ? .invalidJSON : .wrongType) }
        let start = at
        var value: UInt64 = 0
        for i in try number() {
            guard Byte.isDigit(bytes[i]) else {
                at = start
                throw problem(.wrongType)
            }
            value = min(value * 10 + UInt64(bytes[i] &- 0x30), UInt64(UInt32.max))
        }
        return UInt32(value)
    }

    // MARK: anything

    /// Passes over a whole value, whatever it is.
    mutating func skipValue() throws(LineProblem) {
        /// Bit k says whether the container at depth k + 1 is an object.
        var objects: UInt64 = 0
        var depth = 0
        while true {
            switch peek() {
            case nil: throw problem(.invalidJSON)
            case Byte.doubleQuote: try skipString()
            case Byte.openBrace, Byte.openBracket:
                guard depth < Self.depthLimit else { throw problem(.tooDeep) }
                let isObject = bytes[at] == Byte.openBrace
                at += 1
                if !take(isObject ? Byte.closeBrace : Byte.closeBracket) {
                    objects = isObject ? objects | 1 << UInt64(depth) : objects & ~(1 << UInt64(depth))
                    depth += 1
                    if isObject { try skipName() }
                    continue
                }
            case UInt8(ascii: "t"): guard take("true") else { throw problem(.invalidJSON) }
            case UInt8(ascii: "f"): guard take("false") else { throw problem(.invalidJSON) }
            case UInt8(ascii: "n"): guard take("null") else { throw problem(.invalidJSON) }
            default: _ = try number()
            }
            // A value is complete: close what ends here, or go on to the next value.
            while depth > 0 {
                let isObject = objects >> UInt64(depth - 1) & 1 == 1
                if take(Byte.comma) {
                    if isObject { try skipName() }
                    break
                }
                try expect(isObject ? Byte.closeBrace : Byte.closeBracket)
                depth -= 1
            }
            if depth == 0 { return }
        }
    }

    private mutating func skipName() throws(LineProblem) {
        skipSpaces()
        try skipString()
        try expect(Byte.colon)
    }
}

enum LineUTF8 {
    /// Position of the first byte that begins no well-formed sequence; nil if there is none.
    static func firstInvalid(_ bytes: Bytes) -> Int? {
        guard !bytes.isEmpty else { return nil }
        var i = 0
        while true {
            i = UTF8Repair.asciiPrefix(bytes, from: i)
            guard i < bytes.count else { return nil }
            // Text that is not ASCII comes in runs.
            repeat {
                guard case .scalar(let n) = UTF8Repair.head(bytes, i) else { return i }
                i += n
            } while i < bytes.count && bytes[i] >= 0x80
        }
    }
}
