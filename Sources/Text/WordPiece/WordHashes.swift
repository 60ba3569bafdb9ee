// The normalised words of a text as 64-bit hashes: what comparing documents by their words needs, without the words.

/// Hashes of words in order, with `gap` where punctuation parts them. Equal words have equal hashes, on any machine.
///
/// Words are cut and normalised by `WordScanner`. Threading: for one thread at a time.
package struct WordHashes: ~Copyable {
    /// Stands for any run of punctuation between two words, for the end of a text, and for no word.
    package static let gap: UInt64 = 0

    private var scanner: WordScanner
    private var sink = HashSink()

    package init(_ options: WordPieceOptions = WordPieceOptions()) { scanner = WordScanner(options) }

    /// Everything appended since the last `removeAll`.
    package var hashes: [UInt64] { sink.hashes }

    package mutating func removeAll() { sink.hashes.removeAll(keepingCapacity: true) }

    /// Appends the words of a text (at most 4 GiB), then a gap. O(bytes).
    package mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        scanner.scan(text, 0..<text.count, into: &sink)
        sink.gap()
    }
}

private struct HashSink: WordSink, ~Copyable {
    var hashes: [UInt64] = []
    private let punctuation = UnicodeData.shared.punctuation

    init() {}

    @inline(__always)
    mutating func gap() {
        if let last = hashes.last, last != WordHashes.gap { hashes.append(WordHashes.gap) }
    }

    @inline(__always)
    mutating func punctuation(_ byte: UInt8, begin: Int) { gap() }

    @inline(__always)
    mutating func short(_ key: WordTable.Key, begin: Int) { hashes.append(max(1, key.hash)) }

    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>) {
        if isPunctuation(bytes) { return gap() }
        hashes.append(max(1, WordTable.key(bytes).hash))
    }

    /// Whether the word is one punctuation mark: they stand alone, as ideographs do.
    private func isPunctuation(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count <= 4, let lead = bytes.first else { return false }
        if bytes.count == 1 { return lead < 0x80 && punctuation.holds(UInt32(lead)) }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard lead >= 0xC0, bytes.count == length else { return false }
        var code = UInt32(lead) & (0x7F >> UInt32(length))
        for i in 1..<length { code = code << 6 | UInt32(bytes[i]) & 0x3F }
        return punctuation.holds(code)
    }
}
