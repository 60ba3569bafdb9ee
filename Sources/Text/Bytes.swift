// Bytes: what every reader of this room needs to know about UTF-8, ASCII letters and percent encoding.

package typealias Bytes = UnsafeBufferPointer<UInt8>

/// Byte values that readers compare with; `Byte.lf` reads better than `0x0A`.
package enum Byte {
    package static let tab = UInt8(ascii: "\t"), lf = UInt8(ascii: "\n"), cr = UInt8(ascii: "\r")
    package static let space = UInt8(ascii: " "), bang = UInt8(ascii: "!"), hash = UInt8(ascii: "#")
    package static let percent = UInt8(ascii: "%"), ampersand = UInt8(ascii: "&"), quote = UInt8(ascii: "'")
    package static let doubleQuote = UInt8(ascii: "\""), openParen = UInt8(ascii: "("), closeParen = UInt8(ascii: ")")
    package static let star = UInt8(ascii: "*"), plus = UInt8(ascii: "+"), comma = UInt8(ascii: ",")
    package static let dash = UInt8(ascii: "-"), dot = UInt8(ascii: "."), slash = UInt8(ascii: "/")
    package static let colon = UInt8(ascii: ":"), semicolon = UInt8(ascii: ";"), less = UInt8(ascii: "<")
    package static let equal = UInt8(ascii: "="), greater = UInt8(ascii: ">"), underscore = UInt8(ascii: "_")
    package static let openBracket = UInt8(ascii: "["), closeBracket = UInt8(ascii: "]")
    package static let openBrace = UInt8(ascii: "{"), closeBrace = UInt8(ascii: "}")
    package static let pipe = UInt8(ascii: "|"), tilde = UInt8(ascii: "~")

    @inline(__always) package static func isSpace(_ b: UInt8) -> Bool { b == space || b &- 9 < 5 }
    @inline(__always) package static func isDigit(_ b: UInt8) -> Bool { b &- 0x30 < 10 }
    @inline(__always) package static func isLetter(_ b: UInt8) -> Bool { (b | 0x20) &- 0x61 < 26 }
    @inline(__always) package static func lower(_ b: UInt8) -> UInt8 { b &- 0x41 < 26 ? b | 0x20 : b }

    @inline(__always) package static func hexValue(_ b: UInt8) -> UInt8? {
        if isDigit(b) { return b &- 0x30 }
        let letter = b | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x57 : nil
    }
}

/// Checks and repairs of UTF-8.
package enum UTF8Repair {
    /// What stands at the head of a buffer: a whole scalar, a maximal ill-formed sequence, or a prefix that needs more.
    package enum Head { case scalar(Int), invalid(Int), incomplete }

    /// Follows table 3-7 of the Unicode Standard; an ill-formed sequence is the maximal subpart (section 3.9),
    /// so replacing each by one U+FFFD gives what WHATWG decoders give.
    @inline(__always)
    package static func head(_ bytes: Bytes, _ i: Int) -> Head {
        let lead = bytes[i]
        if lead < 0x80 { return .scalar(1) }
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, low) = (3, 0xA0)
        case 0xED: (length, high) = (3, 0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, low) = (4, 0x90)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, high) = (4, 0x8F)
        default: return .invalid(1)
        }
        for k in 1..<length {
            guard i + k < bytes.count else { return .incomplete }
            let b = bytes[i + k]
            if b < low || b > high { return .invalid(k) }
            (low, high) = (0x80, 0xBF)
        }
        return .scalar(length)
    }

    /// Length of the longest prefix that is ASCII, eight bytes a step.
    @inline(__always)
    package static func asciiPrefix(_ bytes: Bytes, from start: Int) -> Int {
        var i = start
        let raw = UnsafeRawPointer(bytes.baseAddress!)
        while i + 8 <= bytes.count {
            if raw.loadUnaligned(fromByteOffset: i, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
            i += 8
        }
        while i < bytes.count, bytes[i] < 0x80 { i += 1 }
        return i
    }

    /// Appends `bytes` to `out`, each ill-formed sequence replaced by U+FFFD. A cut-off sequence at the end is ill-formed.
    /// - Returns: how many were replaced. Complexity: O(n).
    @discardableResult
    package static func append(_ bytes: Bytes, to out: inout [UInt8]) -> Int {
        guard !bytes.isEmpty else { return 0 }
        var replaced = 0
        var start = 0
        var i = 0
        while i < bytes.count {
            i = asciiPrefix(bytes, from: i)
            guard i < bytes.count else { break }
            let bad: Int
            switch head(bytes, i) {
            case .scalar(let n):
                i += n
                continue
            case .invalid(let n): bad = n
            case .incomplete: bad = bytes.count - i
            }
            out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<i]))
            out.append(contentsOf: replacement)
            replaced += 1
            i += bad
            start = i
        }
        out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        return replaced
    }

    package static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}

extension Array where Element == UInt8 {
    /// Appends one Unicode scalar as UTF-8.
    package mutating func append(scalar: Unicode.Scalar) { append(contentsOf: UTF8.encode(scalar)!) }
}

/// Decodes `%XX`; a percent sign without two hexadecimal digits stays. The result is valid UTF-8 (ill-formed bytes
/// become U+FFFD), because file names are data.
package func percentDecoded(_ bytes: some Collection<UInt8>) -> String {
    var out: [UInt8] = []
    let source = Array(bytes)
    var i = 0
    while i < source.count {
        if source[i] == Byte.percent, i + 2 < source.count, let high = Byte.hexValue(source[i + 1]),
            let low = Byte.hexValue(source[i + 2])
        {
            out.append(high << 4 | low)
            i += 3
        } else {
            out.append(source[i])
            i += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}
