// Counts the normalised words of a corpus: what a vocabulary is trained from.

/// Normalised words and how often each occurs, sorted by their bytes.
package struct WordCounts: Sendable, Equatable {
    /// The words end to end; word i is `bytes[offsets[i]..<offsets[i + 1]]`.
    package var bytes: [UInt8] = []
    package var offsets: [Int64] = [0]
    package var counts: [UInt64] = []

    package init() {}

    package var count: Int { counts.count }

    package func word(_ index: Int) -> ArraySlice<UInt8> { bytes[Int(offsets[index])..<Int(offsets[index + 1])] }

    package mutating func append(_ word: some Sequence<UInt8>, count: UInt64) {
        bytes.append(contentsOf: word)
        offsets.append(Int64(bytes.count))
        counts.append(count)
    }
}

/// Counts words as BERT's normaliser and pre-tokeniser cut them. Special tokens are ordinary text here, as in Hugging
/// Face training.
///
/// Memory: O(distinct words). Counters of parts of a corpus merge to the counter of the whole, in any order.
/// Threading: for one thread at a time.
package final class WordCounter {
    private var scanner: WordScanner
    private var sink = CountingSink()

    package init(_ options: WordPieceOptions) { scanner = WordScanner(options) }

    /// Counts the words of one text (at most 4 GiB).
    package func add(_ utf8: UnsafeBufferPointer<UInt8>) { scanner.scan(utf8, 0..<utf8.count, into: &sink) }

    package func add(_ text: String) {
        var text = text
        text.withUTF8 { add($0) }
    }

    package func merge(_ counts: WordCounts) {
        counts.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<counts.count {
                let range = Int(counts.offsets[index])..<Int(counts.offsets[index + 1])
                sink.add(UnsafeBufferPointer(rebasing: bytes[range]), counts.counts[index])
            }
        }
    }

    /// Everything counted so far, sorted by the bytes of the words.
    package var counts: WordCounts { sink.sorted() }
}

private struct CountingSink: WordSink, ~Copyable {
    /// Payload: the count.
    private var table = WordTable(capacity: 1 << 14)

    @inline(__always)
    mutating func punctuation(_ byte: UInt8, begin: Int) {
        short(WordTable.Key(low: UInt64(byte), high: 0, count: 1), begin: begin)
    }

    @inline(__always)
    mutating func short(_ key: WordTable.Key, begin: Int) {
        let nothing = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        let slot = table.find(key, nothing)
        if slot.pointee.count != 0 {
            slot.pointee.payload += 1
        } else {
            table.insert(key, nothing, payload: 1, at: slot)
        }
    }

    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>) {
        add(bytes, 1)
    }

    mutating func add(_ word: UnsafeBufferPointer<UInt8>, _ count: UInt64) {
        if word.isEmpty { return }
        let key = WordTable.key(word)
        let slot = table.find(key, word)
        if slot.pointee.count != 0 {
            slot.pointee.payload += count
        } else {
            table.insert(key, word, payload: count, at: slot)
        }
    }

    func sorted() -> WordCounts {
        var unsorted = WordCounts()
        for index in 0..<table.capacity where table.slots[index].count != 0 {
            unsorted.offsets[unsorted.offsets.count - 1] = Int64(unsorted.bytes.count)
            table.appendWord(of: table.slots[index], to: &unsorted.bytes)
            unsorted.offsets.append(Int64(unsorted.bytes.count))
            unsorted.counts.append(table.slots[index].payload)
        }
        var result = WordCounts()
        let order = unsorted.counts.indices.sorted {
            unsorted.word($0).lexicographicallyPrecedes(unsorted.word($1))
        }
        for index in order { result.append(unsorted.word(index), count: unsorted.counts[index]) }
        return result
    }
}
