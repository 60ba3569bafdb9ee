// From words to ids: the cache of words, the greedy match for new ones, and the columns of tokens that grow.

/// Looks words up in the cache, encodes the new ones, and gathers tokens.
struct EncodingSink: WordSink, ~Copyable {
    /// Past any of these the cache starts afresh.
    private static let wordLimit = 1 << 19
    private static let pieceLimit = 1 << 20
    private static let arenaLimit = 1 << 22
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
    /// How often the cache has started afresh.
    private var generation = 0
    /// Words and marks in the order of the text that still wait for their ids. Looking many words up together hides
    /// the latency of memory, which a table of all words of a language otherwise pays at every rare one.
    private let pending: UnsafeMutablePointer<PendingWord>
    private let payloads: UnsafeMutablePointer<UInt64>
    private var pendingCount = 0
    private static let pendingLimit = 64

    init(_ vocabulary: WordPieceVocabulary) {
        self.vocabulary = vocabulary
        firstBytes = ByteFinder(vocabulary.specials.map { $0.bytes[0] })
        pending = .allocate(capacity: Self.pendingLimit)
        payloads = .allocate(capacity: Self.pendingLimit)
    }

    deinit {
        pending.deallocate()
        payloads.deallocate()
    }

    mutating func emit(_ id: UInt32, _ begin: Int, _ end: Int) {
        lookUpPending()
        output.append(id, begin, end)
    }

    mutating func drain(into tokens: inout EncodedTokens) {
        lookUpPending()
        output.drain(into: &tokens)
    }

    @inline(__always)
    mutating func punctuation(_ byte: UInt8, begin: Int) {
        wait(
            PendingWord(
                low: UInt64(vocabulary.punctuationIDs[Int(byte)]), high: 0, count: 0,
                begin: UInt32(truncatingIfNeeded: begin)))
    }

    @inline(__always)
    mutating func short(_ key: WordTable.Key, begin: Int) {
        wait(
            PendingWord(
                low: key.low, high: key.high, count: UInt32(truncatingIfNeeded: key.count),
                begin: UInt32(truncatingIfNeeded: begin)))
    }

    @inline(__always)
    private mutating func wait(_ word: PendingWord) {
        pending[pendingCount] = word
        pendingCount += 1
        if pendingCount == Self.pendingLimit { lookUpPending() }
    }

    /// Turns the words that wait into tokens.
    @inline(never)
    private mutating func lookUpPending() {
        cache.probe(pending, count: pendingCount, into: payloads)
        let generation = generation
        for index in 0..<pendingCount {
            let word = pending[index]
            let begin = Int(word.begin)
            if word.count == 0 {
                output.append(UInt32(truncatingIfNeeded: word.low), begin, begin + 1)
                continue
            }
            var payload = payloads[index]
            // Not where it was looked for first, or the cache started afresh since.
            if payload == 0 || generation != self.generation { payload = find(word.key) }
            let count = Int(payload >> 32)
            let low = UInt32(truncatingIfNeeded: payload)
            if count == 1 {
                output.append(low, begin, begin + Int(word.count))
                continue
            }
            var from = begin
            for index in Int(low)..<Int(low) + count {
                let piece = pieces[index]
                output.append(piece.id, from, begin + Int(piece.end))
                from = begin + Int(piece.end)
            }
        }
        pendingCount = 0
    }

    private mutating func find(_ key: WordTable.Key) -> UInt64 {
        // A word of up to 16 bytes is its key: the closure never runs.
        let slot = cache.find(key, UnsafeBufferPointer(start: nil, count: 0))
        return slot.pointee.count != 0 ? slot.pointee.payload : newShort(key)
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
        lookUpPending()
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
            generation += 1
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
