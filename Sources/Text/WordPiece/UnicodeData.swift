// The Unicode properties behind BERT's normaliser, unpacked once from `UnicodeTables`.
// They are those of the Rust crates under Hugging Face `tokenizers`, not of one Unicode version.

/// Character properties by code point, exactly as `tokenizers` 0.23.3 sees them.
///
/// Threading: immutable once made; `shared` is made on first use.
struct UnicodeData: Sendable {
    /// Sorted, disjoint, half-open ranges of code points.
    typealias Ranges = [Range<UInt32>]

    /// General categories that clean_text removes (C*; U+0000 and U+FFFD come on top).
    let other: Ranges
    /// Property White_Space.
    let space: Ranges
    /// ASCII punctuation and categories P*.
    let punctuation: Ranges
    /// Category Mn, removed by strip_accents.
    let mark: Ranges
    /// Lowercase mappings of one character, without context (so no final sigma), where it is not itself.
    let lower: [UInt32: [UInt32]]
    /// Full canonical decompositions but those of Hangul syllables.
    let decomposition: [UInt32: [UInt32]]
    /// Members of `mark` with combining class 0.
    let starterMark: Ranges
    /// Combining class of the characters outside `mark` whose class is not 0.
    let combiningClass: [UInt32: UInt32]

    static let shared = UnicodeData()

    /// The blocks that BERT treats as Chinese: every character is a word.
    static let chinese: Ranges = [
        0x3400..<0x4DC0, 0x4E00..<0xA000, 0xF900..<0xFB00, 0x20000..<0x2A6E0, 0x2A700..<0x2B740, 0x2B740..<0x2B820,
        0x2B920..<0x2CEB0, 0x2F800..<0x2FA20,
    ]

    static let hangulSyllables: Range<UInt32> = 0xAC00..<0xD7A4

    private init() {
        var reader = SectionReader(bytes: decodeBase64(UnicodeTables.packed))
        other = reader.ranges()
        space = reader.ranges()
        punctuation = reader.ranges()
        mark = reader.ranges()
        lower = reader.mapping()
        decomposition = reader.mapping()
        starterMark = reader.ranges()
        // The class is stored as the distance from the key.
        combiningClass = Dictionary(uniqueKeysWithValues: reader.mapping().map { ($0, $1[0] - $0) })
        precondition(reader.isAtEnd, "UnicodeTables does not match its reader")
    }

    /// The full canonical decomposition of one character.
    func decomposed(_ code: UInt32) -> [UInt32] {
        if Self.hangulSyllables.contains(code) {
            // The Unicode Standard, section 3.12: L, V and T indices by arithmetic.
            let index = code - 0xAC00
            let tail = index % 28
            let jamo = [0x1100 + index / 588, 0x1161 + index % 588 / 28]
            return tail == 0 ? jamo : jamo + [0x11A7 + tail]
        }
        return decomposition[code] ?? [code]
    }
}

extension UnicodeData.Ranges {
    /// Complexity: O(log n).
    func holds(_ code: UInt32) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].upperBound <= code { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].contains(code)
    }
}

/// Reads the LEB128 sections described in Tests/Goldens/make_unicode_tables.py.
private struct SectionReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    private mutating func number() -> UInt32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while true {
            let byte = bytes[position]
            position += 1
            value |= UInt32(byte & 127) << shift
            if byte < 128 { return value }
            shift += 7
        }
    }

    mutating func ranges() -> UnicodeData.Ranges {
        var at: UInt32 = 0
        return (0..<number()).map { _ in
            let begin = at + number()
            at = begin + number()
            return begin..<at
        }
    }

    mutating func mapping() -> [UInt32: [UInt32]] {
        var key: UInt32 = 0
        var result: [UInt32: [UInt32]] = [:]
        let count = number()
        result.reserveCapacity(Int(count))
        for _ in 0..<count {
            key += number()
            result[key] = (0..<number()).map { _ in
                let zigzag = number()
                return zigzag & 1 == 0 ? key + zigzag / 2 : key - (zigzag + 1) / 2
            }
        }
        return result
    }
}

private func decodeBase64(_ text: StaticString) -> [UInt8] {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, letter) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
        values[Int(letter)] = UInt8(value)
    }
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8CodeUnitCount / 4 * 3)
    var bits: UInt32 = 0
    var held = 0
    for letter in UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) {
        let value = values[Int(letter)]
        if value == 255 { continue }  // padding
        bits = bits << 6 | UInt32(value)
        held += 6
        if held >= 8 {
            held -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
        }
    }
    return result
}
