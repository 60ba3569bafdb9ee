// XMLCharacters: character data and attribute values of XML word for word, where XMLText makes flowing text of them.

import Glibc

/// Decodes the references of XML itself and of numbers, makes every line end one line feed, and replaces ill-formed UTF-8
/// and characters that XML forbids with U+FFFD. Complexity: O(bytes); runs without any of these are copied whole.
struct XMLCharacters {
    /// What became U+FFFD.
    private(set) var replaced = 0

    /// - Parameter offset: of `raw` in its buffer, for messages.
    /// - Throws: `.undefinedEntity` for the name of any other entity, `.malformed` for an ampersand that begins none.
    mutating func append(
        _ raw: Bytes, at offset: Int, isEscaped: Bool, to out: inout [UInt8]
    ) throws(XMLProblem) {
        var i = 0
        while i < raw.count {
            var end = raw.count
            if isEscaped, let found = memchr(raw.baseAddress! + i, Int32(Byte.ampersand), raw.count - i) {
                end = UnsafeRawPointer(found) - UnsafeRawPointer(raw.baseAddress!)
            }
            appendPlain(raw, i..<end, to: &out)
            guard end < raw.count else { return }
            let reference = try Self.reference(raw, end, offset)
            if reference.scalar.isASCII {
                out.append(UInt8(reference.scalar.value))
            } else {
                out.append(scalar: reference.scalar)
            }
            i = reference.end
        }
    }

    // MARK: runs

    private static let isForbidden: [Bool] = (0..<256).map { $0 < 32 && $0 != 9 && $0 != 10 && $0 != 13 }

    private mutating func appendPlain(_ raw: Bytes, _ range: Range<Int>, to out: inout [UInt8]) {
        let bytes = Bytes(rebasing: raw[range])
        var (run, i) = (0, 0)
        func flush(to out: inout [UInt8]) {
            if run < i { out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run..<i])) }
        }
        while i < bytes.count {
            i = Self.plainEnd(bytes, i)
            guard i < bytes.count else { break }
            let b = bytes[i]
            if b == Byte.cr {
                flush(to: &out)
                if i + 1 == bytes.count || bytes[i + 1] != Byte.lf { out.append(Byte.lf) }
                i += 1
                run = i
            } else if b < 0x80, !Self.isForbidden[Int(b)] {
                i += 1
            } else {
                var bad = 1
                if b >= 0x80 {
                    switch UTF8Repair.head(bytes, i) {
                    case .scalar(let n): bad = Self.isNonCharacter(bytes, i, n) ? n : -n
                    case .invalid(let n): bad = n
                    case .incomplete: bad = bytes.count - i
                    }
                }
                if bad < 0 {
                    i -= bad
                    continue
                }
                flush(to: &out)
                out.append(contentsOf: UTF8Repair.replacement)
                replaced += 1
                i += bad
                run = i
            }
        }
        flush(to: &out)
    }

    /// Where, eight bytes at a time, something else than printable ASCII and U+007F begins; at most seven bytes early.
    @inline(__always)
    private static func plainEnd(_ bytes: Bytes, _ start: Int) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        let ones: UInt64 = 0x0101_0101_0101_0101
        var i = start
        while i + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            // The top bit of a byte survives if the byte is above 0x7F, or below 0x20 and so borrows.
            if (word | (word &- ones &* 0x20)) & (ones &* 0x80) != 0 { break }
            i += 8
        }
        return i
    }

    /// U+FFFE and U+FFFF, which XML forbids.
    private static func isNonCharacter(_ bytes: Bytes, _ i: Int, _ n: Int) -> Bool {
        n == 3 && bytes[i] == 0xEF && bytes[i + 1] == 0xBF && bytes[i + 2] >= 0xBE
    }

    // MARK: references

    private static let named: [(name: StaticString, scalar: Unicode.Scalar)] = [
        ("lt", "<"), ("gt", ">"), ("amp", "&"), ("quot", "\""), ("apos", "'"),
    ]

    /// The reference whose `&` is at `i`. XML 1.0, section 4.1; a number that names no character is malformed.
    private static func reference(
        _ raw: Bytes, _ i: Int, _ offset: Int
    ) throws(XMLProblem) -> (scalar: Unicode.Scalar, end: Int) {
        for (name, scalar) in named {
            let end = i + 1 + name.utf8CodeUnitCount
            if end < raw.count, raw[end] == Byte.semicolon,
                memcmp(raw.baseAddress! + i + 1, name.utf8Start, name.utf8CodeUnitCount) == 0
            {
                return (scalar, end + 1)
            }
        }
        var end = i + 1
        while end < raw.count, end - i < 64, raw[end] != Byte.semicolon, raw[end] > Byte.space { end += 1 }
        guard end < raw.count, raw[end] == Byte.semicolon, end > i + 1 else {
            throw XMLProblem(kind: .malformed, offset: offset + i, message: "'&' begins no entity")
        }
        let name = String(decoding: raw[(i + 1)..<end], as: UTF8.self)
        guard name.hasPrefix("#") else {
            throw XMLProblem(
                kind: .undefinedEntity, offset: offset + i, message: "the entity '&\(name);' is not defined")
        }
        let digits = name.dropFirst(name.hasPrefix("#x") ? 2 : 1)
        // The initialiser would take a sign.
        guard digits.first?.isHexDigit == true, let value = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10),
            let scalar = Unicode.Scalar(value),
            value >= 0x20 || [0x9, 0xA, 0xD].contains(value), value & 0xFFFE != 0xFFFE || value > 0xFFFF
        else {
            throw XMLProblem(
                kind: .malformed, offset: offset + i, message: "'&\(name);' is no character that XML allows")
        }
        return (scalar, end + 1)
    }
}
