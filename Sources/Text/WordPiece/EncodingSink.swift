// From words to ids: the cache of words, the greedy match for new ones, and the columns of tokens that grow.

import Glibc

/// Looks words up in the cache, encodes the new ones, and gathers tokens.
///
/// Words wait until `batchLimit` of them are looked up together. First in `front`, a table small enough to stay in the
/// second-level cache, which by Zipf's law holds most words of a text; then, for the rest, in the table of all words,
/// where looking many up at once hides the latency of memory. Neither loop has a branch that a word could mispredict.
struct EncodingSink: WordSink, ~Copyable {
    /// Past any of these the cache starts afresh.
    private static let wordLimit = 1 << 19
    private static let pieceLimit = 1 << 20
    private static let arenaLimit = 1 << 22
    /// Longer words are encoded each time they occur.
    private static let cachedBytes = 255
    private static let batchLimit = 64
    private static let frontBits: UInt64 = 14

    /// A word of up to 8 bytes; 0 if the slot is empty.
    private typealias FrontSlot = (low: UInt64, pieces: WordPieces)

    private let vocabulary: WordPieceVocabulary
    let firstBytes: ByteFinder
    private let front: UnsafeMutablePointer<FrontSlot>
    /// Payload: `WordPieces`.
    private var cache = WordTable()
    /// Pieces of the words that have more than two.
    private var pieces: [WordPiece] = []
    /// Pieces of the word at hand.
    private var current: [WordPiece] = []
    private var output = TokenBuffer()
    /// Words in the order of the text that still wait for their ids.
    private let pending: UnsafeMutablePointer<PendingWord>
    private let found: UnsafeMutablePointer<WordPieces>
    /// Numbers of the pending words that `front` does not hold.
    private let missed: UnsafeMutablePointer<Int32>
    private var pendingCount = 0

    init(_ vocabulary: WordPieceVocabulary) {
        self.vocabulary = vocabulary
        firstBytes = ByteFinder(vocabulary.specials.map { $0.bytes[0] })
        front = .allocate(capacity: 1 << Self.frontBits)
        front.initialize(repeating: (0, .none), count: 1 << Self.frontBits)
        pending = .allocate(capacity: Self.batchLimit)
        found = .allocate(capacity: Self.batchLimit)
        missed = .allocate(capacity: Self.batchLimit)
    }

    deinit {
        front.deallocate()
        pending.deallocate()
        found.deallocate()
        missed.deallocate()
    }

    mutating func emit(_ id: UInt32, _ begin: Int, _ end: Int) {
        lookUpPending()
        output.reserve(1)
        output.append(id, begin, end)
    }

    /// Forgets the tokens of the text before.
    @inline(__always)
    mutating func begin() { output.removeAll() }

    /// All tokens since `begin`; valid until the next.
    @inline(__always)
    mutating func finish() -> TokenSpans {
        if pendingCount > 0 { lookUpPending() }
        return output.spans
    }

    @inline(__always)
    mutating func punctuation(_ byte: UInt8, begin: Int) {
        short(WordTable.Key(low: UInt64(byte), high: 0, count: 1), begin: begin)
    }

    @inline(__always)
    mutating func short(_ key: WordTable.Key, begin: Int) {
        pending[pendingCount] = PendingWord(
            low: key.low, high: key.high, count: UInt32(truncatingIfNeeded: key.count),
            begin: UInt32(truncatingIfNeeded: begin))
        pendingCount += 1
        if pendingCount == Self.batchLimit { lookUpPending() }
    }

    /// Turns the words that wait into tokens.
    @inline(never)
    private mutating func lookUpPending() {
        makeRoom(for: pendingCount)
        let front = front
        let pending = pending
        let found = found
        let missed = missed
        let count = pendingCount
        var missedCount = 0
        for index in 0..<count {
            let word = pending[index]
            let slot = front[Self.frontIndex(word.low)]
            found[index] = slot.pieces
            missed[missedCount] = Int32(truncatingIfNeeded: index)
            missedCount += (slot.low ^ word.low) | word.high == 0 ? 0 : 1
        }
        cache.probe(pending, UnsafeBufferPointer(start: missed, count: missedCount), into: found)
        for position in 0..<missedCount {
            let index = Int(missed[position])
            let word = pending[index]
            // Not where it was looked for first.
            if found[index].isNone { found[index] = find(word.key) }
            if word.high == 0 { front[Self.frontIndex(word.low)] = (word.low, found[index]) }
        }
        output.reserve(count * WordTable.inlineBytes)
        for index in 0..<count {
            let begin = Int(pending[index].begin)
            let word = found[index]
            if word.count == 1 {
                output.append(word.firstID, begin, begin + Int(pending[index].count))
                continue
            }
            var from = begin
            for number in 0..<word.count {
                let piece = piece(number, of: word, length: pending[index].count)
                output.append(piece.id, from, begin + Int(piece.end))
                from = begin + Int(piece.end)
            }
        }
        pendingCount = 0
    }

    @inline(__always)
    private static func frontIndex(_ low: UInt64) -> Int {
        Int(truncatingIfNeeded: (low &* 0x9E37_79B9_7F4A_7C15) >> (64 - frontBits))
    }

    private mutating func find(_ key: WordTable.Key) -> WordPieces {
        // A word of up to 16 bytes is its key: the closure never runs.
        let slot = cache.find(key, UnsafeBufferPointer(start: nil, count: 0))
        return slot.pointee.count != 0 ? WordPieces(bits: slot.pointee.payload) : newShort(key)
    }

    @inline(never)
    private mutating func newShort(_ key: WordTable.Key) -> WordPieces {
        let halves = (key.low.littleEndian, key.high.littleEndian)
        return withUnsafeBytes(of: halves) { raw in
            let word = UnsafeBufferPointer(rebasing: raw.bindMemory(to: UInt8.self)[..<key.count])
            encode(word)
            return remember(key, word)
        }
    }

    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>) {
        lookUpPending()
        output.reserve(bytes.count)
        guard bytes.count <= Self.cachedBytes else {
            encode(bytes)
            var from = 0
            for piece in current { emit(piece, &from, sources) }
            return
        }
        makeRoom(for: 1)
        let key = WordTable.key(bytes)
        let slot = cache.find(key, bytes)
        let word: WordPieces
        if slot.pointee.count != 0 {
            word = WordPieces(bits: slot.pointee.payload)
        } else {
            encode(bytes)
            word = remember(key, bytes)
        }
        var from = 0
        for number in 0..<word.count {
            emit(piece(number, of: word, length: UInt32(bytes.count)), &from, sources)
        }
    }

    /// - Parameter length: the word's bytes, where its last piece ends.
    @inline(__always)
    private func piece(_ number: Int, of word: WordPieces, length: UInt32) -> WordPiece {
        switch word.count {
        case 1: (word.firstID, length)
        case 2: number == 0 ? (word.firstOfTwo, word.firstEnd) : (word.secondOfTwo, length)
        default: pieces[word.begin + number]
        }
    }

    @inline(__always)
    private mutating func emit(
        _ piece: WordPiece, _ from: inout Int, _ sources: UnsafeBufferPointer<SourceRange>
    ) {
        output.append(piece.id, Int(sources[from].begin), Int(sources[Int(piece.end) - 1].end))
        from = Int(piece.end)
    }

    /// Starts the cache afresh if `words` more might not fit. Nothing found before is valid after it.
    @inline(__always)
    private mutating func makeRoom(for words: Int) {
        if cache.count + words > Self.wordLimit || pieces.count + words * Self.cachedBytes > Self.pieceLimit
            || cache.arena.count > Self.arenaLimit
        {
            startAfresh()
        }
    }

    @inline(never)
    private mutating func startAfresh() {
        cache.removeAll()
        pieces.removeAll(keepingCapacity: true)
        front.update(repeating: (0, .none), count: 1 << Self.frontBits)
    }

    /// Caches `current` as the pieces of a word that `find` did not find.
    private mutating func remember(_ key: WordTable.Key, _ word: UnsafeBufferPointer<UInt8>) -> WordPieces {
        let made = WordPieces(current, next: pieces.count)
        if made.count > 2 { pieces.append(contentsOf: current) }
        cache.insert(key, word, payload: made.bits, at: cache.find(key, word))
        return made
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

/// Id, and end within the normalised word.
private typealias WordPiece = (id: UInt32, end: UInt32)

/// The pieces of one word in 64 bits, so that a look-up seldom needs a second one. The top byte is their number; below
/// it stand the one id, or the two ids (24 bits each, which every vocabulary fits) and where the first ends (8 bits),
/// or where three and more begin in the list of pieces.
struct WordPieces {
    let bits: UInt64

    static let none = WordPieces(bits: 0)

    init(bits: UInt64) { self.bits = bits }

    /// - Parameter next: where the pieces will stand in the list, if they are more than two.
    fileprivate init(_ pieces: [WordPiece], next: Int) {
        let low =
            switch pieces.count {
            case 1: UInt64(pieces[0].id)
            case 2: UInt64(pieces[0].id) << 32 | UInt64(pieces[1].id) << 8 | UInt64(pieces[0].end)
            default: UInt64(next)
            }
        bits = UInt64(pieces.count) << 56 | low
    }

    @inline(__always) var isNone: Bool { bits == 0 }
    @inline(__always) var count: Int { Int(truncatingIfNeeded: bits >> 56) }
    @inline(__always) var firstID: UInt32 { UInt32(truncatingIfNeeded: bits) }
    @inline(__always) var firstOfTwo: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) & 0xFF_FFFF }
    @inline(__always) var secondOfTwo: UInt32 { UInt32(truncatingIfNeeded: bits >> 8) & 0xFF_FFFF }
    @inline(__always) var firstEnd: UInt32 { UInt32(truncatingIfNeeded: bits & 0xFF) }
    /// Of three and more.
    @inline(__always) var begin: Int { Int(truncatingIfNeeded: bits & 0xFF_FFFF_FFFF) }
}

/// Three growing columns, which keep their memory from text to text.
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

    /// Makes room for that many rows more.
    @inline(__always)
    mutating func reserve(_ rows: Int) {
        if capacity - count < rows { grow(rows) }
    }

    /// There must be room.
    @inline(__always)
    mutating func append(_ id: UInt32, _ begin: Int, _ end: Int) {
        ids[count] = id
        begins[count] = UInt32(truncatingIfNeeded: begin)
        ends[count] = UInt32(truncatingIfNeeded: end)
        count += 1
    }

    @inline(never)
    private mutating func grow(_ rows: Int) {
        let larger = max(capacity * 2, count + rows)
        func moved(_ old: UnsafeMutablePointer<UInt32>) -> UnsafeMutablePointer<UInt32> {
            let new = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
            new.update(from: old, count: count)
            old.deallocate()
            return new
        }
        ids = moved(ids)
        begins = moved(begins)
        ends = moved(ends)
        capacity = larger
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    @inline(__always)
    var spans: TokenSpans {
        TokenSpans(
            ids: UnsafeBufferPointer(start: ids, count: count), begin: UnsafeBufferPointer(start: begins, count: count),
            end: UnsafeBufferPointer(start: ends, count: count))
    }
}
