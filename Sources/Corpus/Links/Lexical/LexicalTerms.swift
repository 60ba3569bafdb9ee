// The terms of lexical links: hashed words and pairs of words, and in how many documents each occurs.

import Container

/// What decides the links of `kind: lexical`.
package struct LexicalOptions: Sendable, Equatable {
    package enum Similarity: String, Sendable, CaseIterable { case cosine, dot }

    package var similarity = Similarity.cosine
    /// Links of each document.
    package var count = 5
    /// Terms are hashed into 2^hashBits buckets; terms of one bucket count as one.
    package var hashBits = 24
    /// Words in a larger share of the documents are stop words: no term holds one.
    package var stopShare = 0.5
    /// Links of lower similarity are not made; 0 keeps every one above 0.
    package var minimumScore = 0.0

    package init() {}

    /// The bucket of a word, given by its hash.
    func bucket(_ word: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: KeyedRandom.mix(Self.unigram, word) >> UInt64(64 - hashBits))
    }

    /// The bucket of two words in a row.
    func bucket(_ first: UInt64, _ second: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: KeyedRandom.mix(first, second) >> UInt64(64 - hashBits))
    }

    private static let unigram: UInt64 = 0x756E_6967_7261_6D
}

/// In how many documents each bucket occurs: the facts about the whole corpus that every piece reads.
///
/// Memory: 8 bytes a bucket while counting, 4 after it.
package struct TermFrequencies: Sendable, Equatable {
    package let hashBits: Int
    package private(set) var documents = 0
    /// By bucket.
    package private(set) var count: [UInt32]

    package init(hashBits: Int) {
        self.hashBits = hashBits
        count = [UInt32](repeating: 0, count: 1 << hashBits)
    }
}

/// Counts `TermFrequencies`, document by document, in any order.
package struct TermCounter: ~Copyable {
    private let options: LexicalOptions
    private var frequencies: TermFrequencies
    /// The last document in which each bucket was seen, from 1.
    private var seen: [UInt32]

    package init(_ options: LexicalOptions) {
        self.options = options
        frequencies = TermFrequencies(hashBits: options.hashBits)
        seen = [UInt32](repeating: 0, count: 1 << options.hashBits)
    }

    /// - Parameter words: hashes of the document's words in order, 0 for a gap that no pair of words spans.
    package mutating func add(_ words: [UInt64]) {
        frequencies.addDocument()
        let document = UInt32(frequencies.documents)
        var previous: UInt64 = 0
        for word in words {
            if word != 0 {
                add(options.bucket(word), document)
                if previous != 0 { add(options.bucket(previous, word), document) }
            }
            previous = word
        }
    }

    @inline(__always)
    private mutating func add(_ bucket: UInt32, _ document: UInt32) {
        if seen[Int(bucket)] == document { return }
        seen[Int(bucket)] = document
        frequencies.increment(bucket)
    }

    package consuming func finish() -> TermFrequencies { frequencies }
}

extension TermFrequencies {
    fileprivate mutating func addDocument() { documents += 1 }

    @inline(__always)
    fileprivate mutating func increment(_ bucket: UInt32) { count[Int(bucket)] &+= 1 }

    /// LEB128 numbers: hash bits, documents, then the counts by bucket, a run of zeros as a zero and its length.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        func put(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            out.append(UInt8(truncatingIfNeeded: rest))
        }
        put(UInt64(hashBits))
        put(UInt64(documents))
        var zeros: UInt64 = 0
        for value in count {
            if value == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 {
                put(0)
                put(zeros)
                zeros = 0
            }
            put(UInt64(value))
        }
        return out
    }

    /// - Throws: `ContainerError.format` if the bytes are not what `bytes` wrote.
    package init(bytes: [UInt8]) throws {
        let malformed = ContainerError(.format, "the term frequencies of a link-extract piece are malformed")
        var at = 0
        func take() throws -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while at < bytes.count, shift < 63 {
                let byte = bytes[at]
                at += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            throw malformed
        }
        let bits = try take()
        guard LexicalOptions.hashBitsRange.contains(Int(clamping: bits)) else { throw malformed }
        self.init(hashBits: Int(bits))
        documents = Int(clamping: try take())
        var bucket = 0
        while at < bytes.count {
            let value = try take()
            if value == 0 {
                bucket += Int(clamping: min(try take(), UInt64(count.count)))
            } else {
                guard bucket < count.count, value <= UInt64(UInt32.max) else { throw malformed }
                count[bucket] = UInt32(value)
                bucket += 1
            }
        }
    }
}

extension LexicalOptions {
    package static let hashBitsRange = 10...28
}
