// Text to WordPiece ids with byte offsets, id for id what Hugging Face's BertTokenizerFast gives.

/// Encoded text as flat columns: one row a token.
package struct EncodedTokens: Sendable, Equatable {
    package var ids: [UInt32] = []
    /// Half-open byte ranges in the original UTF-8.
    package var begin: [UInt32] = []
    package var end: [UInt32] = []

    package init() {}

    package var count: Int { ids.count }

    package mutating func removeAll(keepingCapacity: Bool = true) {
        ids.removeAll(keepingCapacity: keepingCapacity)
        begin.removeAll(keepingCapacity: keepingCapacity)
        end.removeAll(keepingCapacity: keepingCapacity)
    }
}

/// BERT normalisation, pre-tokenisation and greedy longest-match WordPiece, with special tokens of the text kept whole.
///
/// Ids equal `BertTokenizerFast(…, add_special_tokens=False)` of tokenizers 0.23.3. No `[CLS]` or `[SEP]` is added.
/// A cache of words bounds the work: memory is at most 12 MiB beyond the vocabulary, and no result depends on it.
/// Threading: an encoder is for one thread; any number of them share a vocabulary.
package final class WordPieceEncoder {
    package let vocabulary: WordPieceVocabulary
    private var scanner: WordScanner
    private var sink: EncodingSink

    package init(_ vocabulary: WordPieceVocabulary) {
        self.vocabulary = vocabulary
        scanner = WordScanner(vocabulary.options)
        sink = EncodingSink(vocabulary)
    }

    /// - Throws: as `WordPieceVocabulary.init`.
    package convenience init(tokens: [String], options: WordPieceOptions) throws(VocabularyError) {
        self.init(try WordPieceVocabulary(tokens: tokens, options: options))
    }

    /// Appends the tokens of `utf8` to `tokens`; offsets count from the start of `utf8` (at most 4 GiB).
    package func encode(_ utf8: UnsafeBufferPointer<UInt8>, into tokens: inout EncodedTokens) {
        var position = 0
        if vocabulary.options.matchesSpecialTokens {
            while let match = nextSpecial(utf8, from: position) {
                scanner.scan(utf8, position..<match.range.lowerBound, into: &sink)
                sink.emit(match.id, match.range.lowerBound, match.range.upperBound)
                position = match.range.upperBound
            }
        }
        scanner.scan(utf8, position..<utf8.count, into: &sink)
        sink.drain(into: &tokens)
    }

    /// The tokens of a string. For tests and single texts.
    package func encode(_ text: String) -> EncodedTokens {
        var tokens = EncodedTokens()
        var text = text
        text.withUTF8 { encode($0, into: &tokens) }
        return tokens
    }

    /// The leftmost special token from `from` on, the longest if several begin there.
    private func nextSpecial(_ utf8: UnsafeBufferPointer<UInt8>, from: Int) -> (range: Range<Int>, id: UInt32)? {
        let specials = vocabulary.specials
        var at = from
        while let next = sink.firstBytes.next(in: utf8, from: at) {
            for special in specials where next + special.bytes.count <= utf8.count {
                let candidate = utf8[next..<next + special.bytes.count]
                if candidate.elementsEqual(special.bytes) { return (candidate.indices, special.id) }
            }
            at = next + 1
        }
        return nil
    }
}

/// The bytes that special tokens begin with.
private struct ByteFinder {
    private var isMember = [Bool](repeating: false, count: 256)

    init(_ bytes: [UInt8]) { for byte in bytes { isMember[Int(byte)] = true } }

    @inline(__always)
    func next(in text: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        isMember.withUnsafeBufferPointer { isMember in
            var at = from
            while at < text.count {
                if isMember[Int(text[at])] { return at }
                at += 1
            }
            return nil
        }
    }
}

/// Looks words up in the cache, encodes the new ones, and gathers tokens.
private struct EncodingSink: WordSink, ~Copyable {
    /// Past any of these the cache starts afresh.
    private static let wordLimit = 1 << 17
    private static let pieceLimit = 1 << 18
    private static let arenaLimit = 1 << 20
    /// Longer words are encoded each time they occur.
    private static let cachedBytes = 256

    private typealias WordPiece = (id: UInt32, end: UInt32)

    private let vocabulary: WordPieceVocabulary
    let firstBytes: ByteFinder
    /// Payload: number of pieces << 32 | id of the only piece, or index of the first in `pieces`.
    private var cache = WordTable()
    /// Id, and end within the normalised word.
    private var pieces: [WordPiece] = []
    /// Pieces of the word at hand.
    private var current: [WordPiece] = []
    private var output = TokenBuffer()

    init(_ vocabulary: WordPieceVocabulary) {
        self.vocabulary = vocabulary
        firstBytes = ByteFinder(vocabulary.specials.map { $0.bytes[0] })
    }

    @inline(__always)
    mutating func emit(_ id: UInt32, _ begin: Int, _ end: Int) { output.append(id, begin, end) }

    mutating func drain(into tokens: inout EncodedTokens) { output.drain(into: &tokens) }

    @inline(__always)
    mutating func punctuation(_ byte: UInt8, begin: Int) {
        output.append(vocabulary.punctuationIDs[Int(byte)], begin, begin + 1)
    }

    @inline(__always)
    mutating func short(_ key: WordTable.Key, begin: Int) {
        // A word of up to 16 bytes is its key: the closure never runs.
        let slot = cache.find(key, UnsafeBufferPointer(start: nil, count: 0))
        let payload = slot.pointee.count != 0 ? slot.pointee.payload : newShort(key)
        let count = Int(payload >> 32)
        let low = UInt32(truncatingIfNeeded: payload)
        if count == 1 {
            output.append(low, begin, begin + key.count)
            return
        }
        var from = begin
        for index in Int(low)..<Int(low) + count {
            let piece = pieces[index]
            output.append(piece.id, from, begin + Int(piece.end))
            from = begin + Int(piece.end)
        }
    }

    @inline(never)
    private mutating func newShort(_ key: WordTable.Key) -> UInt64 {
        let halves = (key.low.littleEndian, key.high.littleEndian)
        return withUnsafeBytes(of: halves) { raw in
            let word = UnsafeBufferPointer(rebasing: raw.bindMemory(to: UInt8.self)[..<key.count])
            encode(word)
            return remember(key, word)
        }
    }

    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>) {
        guard bytes.count <= Self.cachedBytes else {
            encode(bytes)
            var from = 0
            for piece in current { emit(piece, &from, sources) }
            return
        }
        let key = WordTable.key(bytes)
        let slot = cache.find(key, bytes)
        let payload: UInt64
        if slot.pointee.count != 0 {
            payload = slot.pointee.payload
        } else {
            encode(bytes)
            payload = remember(key, bytes)
        }
        let count = Int(payload >> 32)
        let low = UInt32(truncatingIfNeeded: payload)
        var from = 0
        if count == 1 {
            emit((low, UInt32(bytes.count)), &from, sources)
        } else {
            for index in Int(low)..<Int(low) + count { emit(pieces[index], &from, sources) }
        }
    }

    @inline(__always)
    private mutating func emit(
        _ piece: WordPiece, _ from: inout Int, _ sources: UnsafeBufferPointer<SourceRange>
    ) {
        output.append(piece.id, Int(sources[from].begin), Int(sources[Int(piece.end) - 1].end))
        from = Int(piece.end)
    }

    /// Caches `current` as the pieces of a word that `find` did not find.
    private mutating func remember(_ key: WordTable.Key, _ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
        if cache.count >= Self.wordLimit || pieces.count >= Self.pieceLimit || cache.arena.count >= Self.arenaLimit {
            cache.removeAll()
            pieces.removeAll(keepingCapacity: true)
        }
        var payload = UInt64(current.count) << 32
        if current.count == 1 {
            payload |= UInt64(current[0].id)
        } else {
            payload |= UInt64(pieces.count)
            pieces.append(contentsOf: current)
        }
        cache.insert(key, word, payload: payload, at: cache.find(key, word))
        return payload
    }

    /// Greedy longest match from the left into `current`; the unknown token alone if any part of the word has no match.
    private mutating func encode(_ word: UnsafeBufferPointer<UInt8>) {
        current.removeAll(keepingCapacity: true)
        let unknown = (vocabulary.unknownID, UInt32(word.count))
        let characters = word.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        guard characters <= vocabulary.options.maxWordCharacters else {
            current.append(unknown)
            return
        }
        var from = 0
        while from < word.count {
            let root = from == 0 ? 0 : vocabulary.continuation
            guard let root, let match = vocabulary.trie.longest(word, from: from, root: root) else {
                current.removeAll(keepingCapacity: true)
                current.append(unknown)
                return
            }
            current.append((match.id, UInt32(match.end)))
            from = match.end
        }
    }
}

/// Three growing columns that are handed over in one copy.
private struct TokenBuffer: ~Copyable {
    private var ids: UnsafeMutablePointer<UInt32>
    private var begins: UnsafeMutablePointer<UInt32>
    private var ends: UnsafeMutablePointer<UInt32>
    private var count = 0
    private var capacity = 1024

    init() {
        ids = .allocate(capacity: capacity)
        begins = .allocate(capacity: capacity)
        ends = .allocate(capacity: capacity)
    }

    deinit {
        ids.deallocate()
        begins.deallocate()
        ends.deallocate()
    }

    @inline(__always)
    mutating func append(_ id: UInt32, _ begin: Int, _ end: Int) {
        if count == capacity { grow() }
        ids[count] = id
        begins[count] = UInt32(truncatingIfNeeded: begin)
        ends[count] = UInt32(truncatingIfNeeded: end)
        count += 1
    }

    @inline(never)
    private mutating func grow() {
        func doubled(_ old: UnsafeMutablePointer<UInt32>) -> UnsafeMutablePointer<UInt32> {
            let new = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * 2)
            new.update(from: old, count: count)
            old.deallocate()
            return new
        }
        ids = doubled(ids)
        begins = doubled(begins)
        ends = doubled(ends)
        capacity *= 2
    }

    mutating func drain(into tokens: inout EncodedTokens) {
        tokens.ids.append(contentsOf: UnsafeBufferPointer(start: ids, count: count))
        tokens.begin.append(contentsOf: UnsafeBufferPointer(start: begins, count: count))
        tokens.end.append(contentsOf: UnsafeBufferPointer(start: ends, count: count))
        count = 0
    }
}
