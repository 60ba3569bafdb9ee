// BERT's normaliser and pre-tokeniser in one pass over UTF-8: text in, normalised words with their places out.
// Words of ASCII alone never leave registers; everything else goes through `CharacterTable`.

/// Receives the words of a text in order.
package protocol WordSink: ~Copyable {
    /// A word of 1…16 ASCII bytes, normalised; byte i of it stands at `begin + i` in the text.
    mutating func short(_ key: WordTable.Key, begin: Int)
    /// An ASCII punctuation mark at `begin`.
    mutating func punctuation(_ byte: UInt8, begin: Int)
    /// Any other word. Byte i of it comes from `sources[i]` in the text. The buffers are lent for the call.
    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>)
}

/// The bytes of the text that a normalised byte was made from.
package struct SourceRange {
    package var begin: UInt32
    package var end: UInt32
}

/// Cuts text into normalised words exactly as `BertNormalizer` and `BertPreTokenizer` do.
///
/// Invalid UTF-8 counts as U+FFFD, a byte at a time. Memory: O(longest word). Threading: for one thread at a time.
package struct WordScanner: ~Copyable {
    private let table: CharacterTable
    private var bytes: [UInt8] = []
    private var sources: [SourceRange] = []
    /// A run of combining marks that canonical ordering may still move, in the order of the text.
    private var marks: [Mark] = []
    /// `bytes.count` just after the last of `marks`; anything else says that the run has ended.
    private var marksEnd = -1
    private var needsOrder = false

    private struct Mark {
        var combiningClass: UInt32
        var count: Int
        /// The first that its character of the text gave.
        var isFirst: Bool
        var source: SourceRange
    }

    package init(_ options: WordPieceOptions) { table = CharacterTable.shared(options) }

    /// Sends the words of `text[range]` to `sink`. `range` must begin and end at character boundaries.
    package mutating func scan<Sink: WordSink & ~Copyable>(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into sink: inout Sink
    ) {
        precondition(range.upperBound <= text.count && text.count <= UInt32.max, "range outside the text")
        guard !range.isEmpty else { return }
        let bulk = max(range.lowerBound, range.upperBound - Self.lookahead + 1)
        let position = words(text, from: range.lowerBound, to: bulk, end: range.upperBound, into: &sink) { at in
            // All that is read stands before the end of the range.
            UnsafeRawPointer(text.baseAddress! + at)
        }
        guard position < range.upperBound else { return }
        // The last bytes, with spaces after them, so that nothing past the range is read.
        withUnsafeTemporaryAllocation(byteCount: 2 * Self.lookahead, alignment: 8) { tail in
            let count = range.upperBound - position
            tail.baseAddress!.copyMemory(from: text.baseAddress! + position, byteCount: count)
            (tail.baseAddress! + count).initializeMemory(as: UInt8.self, repeating: 0x20, count: tail.count - count)
            _ = words(text, from: position, to: range.upperBound, end: range.upperBound, into: &sink) { at in
                UnsafeRawPointer(tail.baseAddress! + (at - position))
            }
        }
    }

    /// So many bytes from a position on must be readable: a word of 16 and the byte after it.
    private static let lookahead = WordTable.inlineBytes + 1

    /// Sends the words that begin in `position..<stop`.
    /// - Parameter bytes: where the bytes of the text from a position on can be read, `lookahead` of them.
    /// - Returns: where to go on; past `stop` if a word or the space after it ends there.
    @inline(__always)
    private mutating func words<Sink: WordSink & ~Copyable>(
        _ text: UnsafeBufferPointer<UInt8>, from: Int, to stop: Int, end: Int, into sink: inout Sink,
        _ bytes: (Int) -> UnsafeRawPointer
    ) -> Int {
        var position = from
        let caseBits: UInt64 = table.lowercase ? 0x2020_2020_2020_2020 : 0
        table.ascii.withUnsafeBufferPointer { ascii in
            while position < stop {
                let raw = bytes(position)
                let first = Self.load(raw, 0)
                let firstLength = Self.wordLength(first)
                if firstLength == 0 {
                    switch ascii[Int(truncatingIfNeeded: first & 0xFF)] {
                    case CharacterTable.ASCII.space:
                        position += 1
                    case CharacterTable.ASCII.punctuation:
                        sink.punctuation(UInt8(truncatingIfNeeded: first), begin: position)
                        position += 1
                    default:
                        position = slowWord(text, position..<end, into: &sink)
                    }
                    continue
                }
                var key = WordTable.Key(low: first, high: 0, count: firstLength)
                var next = UInt8(truncatingIfNeeded: first >> UInt64(truncatingIfNeeded: firstLength * 8))
                if firstLength < 8 {
                    key.low &= Self.lowBytes(firstLength)
                } else {
                    let second = Self.load(raw, 8)
                    let secondLength = Self.wordLength(second)
                    key.high = second & Self.lowBytes(secondLength) | caseBits & Self.lowBytes(secondLength)
                    key.count = 8 + secondLength
                    next = raw.load(fromByteOffset: key.count, as: UInt8.self)
                }
                // Letters and digits that end before a space or a mark are a word; all else is for the slow path.
                let kind = ascii[Int(next)]
                if kind >= CharacterTable.ASCII.space {
                    key.low |= caseBits & Self.lowBytes(min(key.count, 8))
                    sink.short(key, begin: position)
                    position += key.count + (kind == CharacterTable.ASCII.space ? 1 : 0)
                } else {
                    position = slowWord(text, position..<end, into: &sink)
                }
            }
        }
        return position
    }

    @inline(__always)
    private static func load(_ raw: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The lowest `count` bytes set; `count` at most 8.
    @inline(__always)
    private static func lowBytes(_ count: Int) -> UInt64 {
        ~(~0 << UInt64(truncatingIfNeeded: count * 8))
    }

    /// How many of eight bytes from the lowest on are ASCII letters or digits.
    ///
    /// Bit 7 of each byte tells: adding what is missing from a bound to 0x80 sets it from that bound on.
    @inline(__always)
    private static func wordLength(_ bytes: UInt64) -> Int {
        let plain = bytes & 0x7F7F_7F7F_7F7F_7F7F
        let folded = plain | 0x2020_2020_2020_2020
        let letters = (folded &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(folded &+ 0x0505_0505_0505_0505)
        let digits = (plain &+ 0x5050_5050_5050_5050) & ~(plain &+ 0x4646_4646_4646_4646)
        let others = (~(letters | digits) | bytes) & 0x8080_8080_8080_8080
        return others.trailingZeroBitCount >> 3
    }

    /// Scans by character from `range.lowerBound` until a word has ended; sends it and what stands beside it.
    /// - Returns: where to go on.
    private mutating func slowWord<Sink: WordSink & ~Copyable>(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into sink: inout Sink
    ) -> Int {
        var position = range.lowerBound
        marksEnd = -1
        while position < range.upperBound {
            let (code, count) = Self.decode(text, position, range.upperBound)
            let entry = table.entry(code)
            let source = SourceRange(begin: UInt32(position), end: UInt32(position + count))
            position += count
            switch entry & 7 {
            case CharacterTable.Kind.letter:
                append(code, source)
            case CharacterTable.Kind.mapped:
                let offset = Int(entry >> 8)
                for index in offset..<offset + Int(entry >> 3 & 31) {
                    bytes.append(table.blob[index])
                    sources.append(source)
                }
            case CharacterTable.Kind.dropped:
                break
            case CharacterTable.Kind.space:
                flush(into: &sink)
                return position
            case CharacterTable.Kind.isolated:
                flush(into: &sink)
                append(code, source)
                flush(into: &sink)
                return position
            default:
                var isFirst = true
                for element in table.sequences[Int(entry >> 3)] {
                    take(element, source, isFirst: isFirst, into: &sink)
                    isFirst = false
                }
            }
        }
        flush(into: &sink)
        return position
    }

    private mutating func take<Sink: WordSink & ~Copyable>(
        _ element: CharacterTable.Element, _ source: SourceRange, isFirst: Bool, into sink: inout Sink
    ) {
        switch element {
        case .space:
            flush(into: &sink)
        case .isolated(let code):
            flush(into: &sink)
            append(code, source)
            flush(into: &sink)
        case .letter(let code, combiningClass: 0):
            append(code, source)
        case .letter(let code, let combiningClass):
            appendMark(code, combiningClass, source, isFirst: isFirst)
        case .barrier:
            orderMarks()
            marksEnd = -1
        }
    }

    private mutating func flush<Sink: WordSink & ~Copyable>(into sink: inout Sink) {
        if !bytes.isEmpty {
            orderMarks()
            bytes.withUnsafeBufferPointer { bytes in
                sources.withUnsafeBufferPointer { sink.word(bytes, $0) }
            }
            bytes.removeAll(keepingCapacity: true)
            sources.removeAll(keepingCapacity: true)
        }
        marksEnd = -1
    }

    @inline(__always)
    private mutating func append(_ code: UInt32, _ source: SourceRange) {
        if code < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: code))
            sources.append(source)
            return
        }
        if code < 0x800 {
            bytes.append(UInt8(truncatingIfNeeded: 0xC0 | code >> 6))
            sources.append(source)
        } else {
            if code < 0x10000 {
                bytes.append(UInt8(truncatingIfNeeded: 0xE0 | code >> 12))
            } else {
                bytes.append(UInt8(truncatingIfNeeded: 0xF0 | code >> 18))
                bytes.append(UInt8(truncatingIfNeeded: 0x80 | code >> 12 & 0x3F))
                sources.append(source)
            }
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | code >> 6 & 0x3F))
            sources.append(source)
            sources.append(source)
        }
        bytes.append(UInt8(truncatingIfNeeded: 0x80 | code & 0x3F))
        sources.append(source)
    }

    private mutating func appendMark(
        _ code: UInt32, _ combiningClass: UInt32, _ source: SourceRange, isFirst: Bool
    ) {
        if marksEnd != bytes.count {
            orderMarks()
            marks.removeAll(keepingCapacity: true)
        }
        let begin = bytes.count
        append(code, source)
        if let last = marks.last, last.combiningClass > combiningClass { needsOrder = true }
        marks.append(
            Mark(combiningClass: combiningClass, count: bytes.count - begin, isFirst: isFirst, source: source))
        marksEnd = bytes.count
    }

    /// Canonical ordering of the last run, if it needs any: by class, stable. Places keep the order of the text: the n-th
    /// mark that is the first of its character takes the n-th such place, the others go with the one before them. So
    /// do `tokenizers`, but for marks that are stripped, which take a place there. Complexity: O(n log n).
    private mutating func orderMarks() {
        guard needsOrder else { return }
        needsOrder = false
        let begin = marks.reduce(marksEnd) { $0 - $1.count }
        var starts = [begin]
        for mark in marks { starts.append(starts[starts.count - 1] + mark.count) }
        let order = marks.indices.sorted {
            (marks[$0].combiningClass, $0) < (marks[$1].combiningClass, $1)
        }
        var places = marks.lazy.filter(\.isFirst).map(\.source).makeIterator()
        var place = begin > 0 ? sources[begin - 1] : marks[0].source
        var (ordered, ranges): ([UInt8], [SourceRange]) = ([], [])
        for index in order {
            let mark = marks[index]
            if mark.isFirst, let next = places.next() { place = next }
            ordered.append(contentsOf: bytes[starts[index]..<starts[index] + mark.count])
            ranges.append(contentsOf: repeatElement(place, count: mark.count))
        }
        bytes.replaceSubrange(begin..<marksEnd, with: ordered)
        sources.replaceSubrange(begin..<marksEnd, with: ranges)
    }

    /// One character and its length; U+FFFD and 1 for a byte that begins no valid sequence.
    @inline(__always)
    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ position: Int, _ end: Int
    ) -> (code: UInt32, count: Int) {
        let lead = UInt32(text[position])
        if lead < 0x80 { return (lead, 1) }
        @inline(__always) func tail(_ offset: Int) -> UInt32? {
            guard position + offset < end else { return nil }
            let byte = UInt32(text[position + offset])
            return byte & 0xC0 == 0x80 ? byte & 0x3F : nil
        }
        if lead < 0xE0 {
            if lead >= 0xC2, let a = tail(1) { return ((lead & 0x1F) << 6 | a, 2) }
        } else if lead < 0xF0 {
            if let a = tail(1), let b = tail(2) {
                let code = (lead & 0x0F) << 12 | a << 6 | b
                if code >= 0x800 && !(0xD800..<0xE000 ~= code) { return (code, 3) }
            }
        } else if lead < 0xF5, let a = tail(1), let b = tail(2), let c = tail(3) {
            let code = (lead & 0x07) << 18 | a << 12 | b << 6 | c
            if 0x10000..<0x110000 ~= code { return (code, 4) }
        }
        return (0xFFFD, 1)
    }
}
