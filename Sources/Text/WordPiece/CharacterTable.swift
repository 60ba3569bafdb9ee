// One table a normaliser: what becomes of each code point after cleaning, CJK spacing, accent stripping, lowercasing.
// Two levels of 256 entries, so that a character costs two loads.

import Synchronization

/// The composed effect of BERT's normaliser and pre-tokeniser on single code points.
///
/// Entry: bits 0–2 the kind; `mapped`: bits 3–7 length and 8–31 offset into `blob`; `sequence`: bits 3–31 index into
/// `sequences`. Threading: immutable.
final class CharacterTable: Sendable {
    enum Kind {
        /// Part of a word, as it is.
        static let letter: UInt32 = 0
        /// Removed; its neighbours touch.
        static let dropped: UInt32 = 1
        static let space: UInt32 = 2
        /// A word of its own, as it is.
        static let isolated: UInt32 = 3
        /// Part of a word, replaced by the bytes in `blob`.
        static let mapped: UInt32 = 4
        /// Anything else: see `sequences`.
        static let sequence: UInt32 = 5
    }

    /// One step of a `sequence` entry.
    enum Element: Sendable, Equatable {
        /// Ends the word before and begins another.
        case space
        /// A word of its own.
        case isolated(UInt32)
        /// A character of a word, with its canonical combining class.
        case letter(UInt32, combiningClass: UInt32)
        /// Nothing, but canonical reordering does not cross it.
        case barrier
    }

    /// What an ASCII byte does, for the fast path.
    enum ASCII {
        static let other: UInt8 = 0
        static let word: UInt8 = 1
        static let space: UInt8 = 2
        static let punctuation: UInt8 = 3
    }

    private let first: [UInt16]
    private let second: [UInt32]
    let blob: [UInt8]
    let sequences: [[Element]]
    /// By byte; `other` from 0x80 on.
    let ascii: [UInt8]
    let lowercase: Bool

    init(_ options: WordPieceOptions) {
        var builder = Builder(options, UnicodeData.shared)
        var first: [UInt16] = []
        var second: [UInt32] = []
        var seen: [[UInt32]: UInt16] = [:]
        var entries = [UInt32](repeating: Kind.letter, count: 256)
        for block in UInt32(0)..<0x1100 {
            for low in UInt32(0)..<256 { entries[Int(low)] = builder.entry(block << 8 | low) }
            if let known = seen[entries] {
                first.append(known)
            } else {
                let index = UInt16(second.count / 256)
                seen[entries] = index
                second.append(contentsOf: entries)
                first.append(index)
            }
        }
        self.first = first
        self.second = second
        blob = builder.blob
        sequences = builder.sequences
        lowercase = options.lowercase
        ascii = (0..<256).map { byte in
            guard byte < 128 else { return ASCII.other }
            let entry = second[Int(first[0]) * 256 + byte]
            switch entry & 7 {
            case Kind.letter, Kind.mapped: return ASCII.word
            case Kind.space: return ASCII.space
            case Kind.isolated: return ASCII.punctuation
            default: return ASCII.other
            }
        }
    }

    @inline(__always) func entry(_ code: UInt32) -> UInt32 {
        first.withUnsafeBufferPointer { first in
            second.withUnsafeBufferPointer { $0[Int(first[Int(code >> 8)]) << 8 | Int(code & 255)] }
        }
    }
}

extension CharacterTable {
    /// What a table depends on.
    private struct Key: Hashable {
        let lowercase, stripsAccents, cleanText, handleChineseChars: Bool
    }

    private static let tables = Mutex<[Key: CharacterTable]>([:])

    /// The table of these options; made once a process (some milliseconds), then shared.
    static func shared(_ options: WordPieceOptions) -> CharacterTable {
        let key = Key(
            lowercase: options.lowercase, stripsAccents: options.stripsAccents, cleanText: options.cleanText,
            handleChineseChars: options.handleChineseChars)
        return tables.withLock { tables in
            if let table = tables[key] { return table }
            let table = CharacterTable(options)
            tables[key] = table
            return table
        }
    }
}

/// Composes the properties code point by code point.
private struct Builder {
    let options: WordPieceOptions
    let data: UnicodeData
    let other, space, punctuation, mark, starterMark, chinese: Bitmap
    /// Every character with any property; the others are letters that stay as they are.
    let touched: Bitmap
    var blob: [UInt8] = []
    var sequences: [[CharacterTable.Element]] = []

    init(_ options: WordPieceOptions, _ data: UnicodeData) {
        self.options = options
        self.data = data
        other = Bitmap(data.other + [0..<1, 0xFFFD..<0xFFFE])
        space = Bitmap(data.space)
        punctuation = Bitmap(data.punctuation)
        mark = Bitmap(data.mark)
        starterMark = Bitmap(data.starterMark)
        chinese = Bitmap(UnicodeData.chinese)
        let keys = [data.lower.keys, data.decomposition.keys].joined().map { $0..<$0 + 1 }
        let classes = data.combiningClass.keys.map { $0..<$0 + 1 }
        touched = Bitmap(
            data.other + [0..<1, 0xD800..<0xE000, 0xFFFD..<0xFFFE, UnicodeData.hangulSyllables] + data.space
                + data.punctuation + data.mark + keys + classes)
    }

    mutating func entry(_ code: UInt32) -> UInt32 {
        if !touched.contains(code) {
            let isChinese = options.handleChineseChars && chinese.contains(code)
            return isChinese ? CharacterTable.Kind.isolated : CharacterTable.Kind.letter
        }
        let elements = elements(code)
        if elements.isEmpty { return CharacterTable.Kind.dropped }
        if elements == [.space] { return CharacterTable.Kind.space }
        if elements == [.isolated(code)] || elements == [.space, .isolated(code), .space] {
            return CharacterTable.Kind.isolated
        }
        if elements == [.letter(code, combiningClass: 0)] { return CharacterTable.Kind.letter }
        var bytes: [UInt8] = []
        for element in elements {
            guard case .letter(let letter, combiningClass: 0) = element, let scalar = Unicode.Scalar(letter) else {
                sequences.append(elements)
                return CharacterTable.Kind.sequence | UInt32(sequences.count - 1) << 3
            }
            bytes.append(contentsOf: UTF8.encode(scalar)!)
        }
        let offset = blob.count
        blob.append(contentsOf: bytes)
        return CharacterTable.Kind.mapped | UInt32(bytes.count) << 3 | UInt32(offset) << 8
    }

    /// The normaliser's steps in their order: clean, Chinese, accents, lowercase; then the pre-tokeniser's classes.
    private func elements(_ code: UInt32) -> [CharacterTable.Element] {
        if 0xD800..<0xE000 ~= code { return [] }  // no character; never decoded
        let isBreak = (9...10).contains(code) || code == 13
        if options.cleanText {
            if !isBreak && other.contains(code) { return [] }
            if isBreak || space.contains(code) { return [.space] }
        }
        if options.handleChineseChars && chinese.contains(code) {
            let inner = letters(code).map { element in
                guard case .letter(let letter, _) = element else { return element }
                return .isolated(letter)
            }
            return [.space] + inner + [.space]
        }
        return letters(code)
    }

    private func letters(_ code: UInt32) -> [CharacterTable.Element] {
        var result: [CharacterTable.Element] = []
        for part in options.stripsAccents ? data.decomposed(code) : [code] {
            if options.stripsAccents && mark.contains(part) {
                if starterMark.contains(part) { result.append(.barrier) }
                continue
            }
            let combiningClass = options.stripsAccents ? data.combiningClass[part] ?? 0 : 0
            for letter in options.lowercase ? data.lower[part] ?? [part] : [part] {
                if space.contains(letter) {
                    result.append(.space)
                } else if punctuation.contains(letter) {
                    result.append(.isolated(letter))
                } else {
                    result.append(.letter(letter, combiningClass: combiningClass))
                }
            }
        }
        // A barrier counts only if a mark that reordering would move may follow; after a letter it says nothing new.
        while result.count > 1, result.last == .barrier, case .letter(_, combiningClass: 0) = result[result.count - 2] {
            result.removeLast()
        }
        return result
    }
}

/// Membership of a code point in a set of ranges, one bit each.
private struct Bitmap {
    private var words = [UInt64](repeating: 0, count: 0x110000 / 64)

    init(_ ranges: UnicodeData.Ranges) {
        for range in ranges {
            for code in range { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
        }
    }

    func contains(_ code: UInt32) -> Bool { words[Int(code >> 6)] >> UInt64(code & 63) & 1 == 1 }
}
