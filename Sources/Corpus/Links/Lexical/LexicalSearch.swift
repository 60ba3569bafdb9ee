// The nearest documents of a block of documents, exactly, while all documents of the corpus stream past it once.

import Container

/// One neighbour of a document.
package struct LexicalNeighbour: Sendable, Equatable {
    package var document: UInt64
    package var score: Double

    package init(document: UInt64, score: Double) {
        self.document = document
        self.score = score
    }
}

/// Finds the `count` most similar documents of every document of a block: exact, ties by document id, the same in
/// whatever blocks and order the corpus comes.
///
/// The block's vectors stand in an inverted index, and each document that streams past is added up against it. What
/// keeps this cheap: once a document of the block has its first neighbours, its most frequent terms leave the index, as
/// many as could never by themselves reach the score of its worst neighbour; their share of a sum is bounded by
/// Cauchy–Schwarz, and only where sum and bound reach that score are they looked up. The order of the terms is that of
/// `TermRanks`. Scores that are kept are added up anew, in double precision over the common terms in rank order, so no
/// pruning shows in a result.
///
/// Memory: 16 bytes a term and 24 + 16 · `count` bytes a document of the block, 4 bytes a term of the corpus.
/// - Source: Turtle & Flood 1995, "Query evaluation: strategies and optimizations" (MaxScore); Bayardo, Ma & Srikant
///   2007, "Scaling up all pairs similarity search" (WWW): terms in one global order, the frequent ones out of the index.
package struct LexicalSearch: ~Copyable {
    private struct Posting {
        var query: UInt32
        var weight: Float
    }

    private let options: LexicalOptions
    private let id: [UInt64]
    private let vectors: TermVectors
    private let levels: [UInt32]
    private var postingOffsets: [UInt32]
    private var postings: [Posting] = []
    private var state: [QueryState]
    private var sum: [Float]
    private var best: [[LexicalNeighbour]]
    private var survivors: [UInt32] = []
    private var lookup = TermLookup()
    private var suffix: [Float]
    private var streamed = 0
    private var nextRebuild = 64
    /// Root mean square of the norms of the block's vectors: 1 for cosines.
    private let typicalNorm: Double

    /// What decides whether a sum can still matter to a document of the block.
    private struct QueryState {
        /// Norm of the terms that are not in the index.
        var rest: Float = 0
        /// A score below this is of no use.
        var needed: Float = 0
        /// Index of the level at or before the first rank that is not in the index.
        var level: UInt32 = 0
        /// Terms in the index, from the vector's first.
        var indexed: UInt32 = 0
    }

    /// - Parameters:
    ///   - id: ids of the block's documents.
    ///   - vectors: their vectors, in that order.
    package init(_ id: [UInt64], _ vectors: consuming TermVectors, _ ranks: TermRanks) {
        precondition(id.count == vectors.count && id.count < Int(UInt32.max))
        options = ranks.options
        self.id = id
        levels = Self.levels(ranks)
        postingOffsets = [UInt32](repeating: 0, count: ranks.count + 1)
        state = [QueryState](repeating: QueryState(), count: id.count)
        sum = [Float](repeating: 0, count: id.count)
        best = [[LexicalNeighbour]](repeating: [], count: id.count)
        suffix = [Float](repeating: 0, count: levels.count + 1)
        var square = 0.0
        for value in vectors.weight { square += Double(value) * Double(value) }
        typicalNorm = (square / Double(max(1, id.count))).squareRoot()
        self.vectors = vectors
        for query in id.indices {
            state[query].needed = Float(options.minimumScore).nextDown
            state[query].level = UInt32(levels.count)
            state[query].indexed = UInt32(self.vectors.range(query).count)
        }
        index()
    }

    /// Ranks at which norms of what follows are kept: 64, an equal share of all postings between two of them.
    private static func levels(_ ranks: TermRanks) -> [UInt32] {
        let total = ranks.frequency.reduce(0) { $0 + Int($1) }
        var levels: [UInt32] = []
        var passed = 0
        for (rank, df) in ranks.frequency.enumerated() {
            if passed * 64 >= levels.count * total { levels.append(UInt32(rank)) }
            passed += Int(df)
        }
        return levels
    }

    /// The neighbours of each document of the block, nearest first.
    package consuming func finish() -> [[LexicalNeighbour]] { best }

    /// Compares the block with itself. Call it before `add`: neighbours found early make the rest cheaper.
    /// - Parameter check: called now and then; what it throws ends the work.
    package mutating func addBlock(check: () throws -> Void = {}) rethrows {
        for row in id.indices {
            add(id[row], vectors.rank, vectors.weight, vectors.range(row))
            if row & 255 == 0 { try check() }
        }
    }

    /// Compares the block with other documents, in any order; each document once.
    package mutating func add(_ documents: [UInt64], _ others: TermVectors) {
        for row in documents.indices { add(documents[row], others.rank, others.weight, others.range(row)) }
    }

    private mutating func add(_ document: UInt64, _ rank: [UInt32], _ weight: [Float], _ range: Range<Int>) {
        if streamed == nextRebuild {
            nextRebuild *= 2
            shrink()
            index()
        }
        streamed += 1
        if range.isEmpty { return }
        let slack = 1 + Float(range.count + 16) * Float.ulpOfOne
        rank.withUnsafeBufferPointer { rank in
            weight.withUnsafeBufferPointer { weight in
                accumulate(rank, weight, range)
                measure(rank, weight, range)
                sift(slack)
                if survivors.isEmpty { return }
                lookup.fill(rank, weight, range)
                for query in survivors { refine(Int(query), document, slack) }
            }
        }
    }

    /// Adds the document's weights to the sums of the block's documents, over the index.
    private mutating func accumulate(
        _ rank: UnsafeBufferPointer<UInt32>, _ weight: UnsafeBufferPointer<Float>, _ range: Range<Int>
    ) {
        sum.withUnsafeMutableBufferPointer { sum in
            postings.withUnsafeBufferPointer { postings in
                postingOffsets.withUnsafeBufferPointer { offsets in
                    for i in range {
                        let value = weight[i]
                        for p in Int(offsets[Int(rank[i])])..<Int(offsets[Int(rank[i]) + 1]) {
                            sum[Int(postings[p].query)] += postings[p].weight * value
                        }
                    }
                }
            }
        }
    }

    /// Norms of the document from each level on; 0 past the last one.
    private mutating func measure(
        _ rank: UnsafeBufferPointer<UInt32>, _ weight: UnsafeBufferPointer<Float>, _ range: Range<Int>
    ) {
        var at = range.upperBound
        var square: Float = 0
        for level in levels.indices.reversed() {
            while at > range.lowerBound, rank[at - 1] >= levels[level] {
                at -= 1
                square += weight[at] * weight[at]
            }
            suffix[level] = square.squareRoot()
        }
    }

    /// Collects the block's documents whose sum and bound reach what they need. Leaves their sums in place, and sets
    /// all others to 0.
    private mutating func sift(_ slack: Float) {
        survivors.removeAll(keepingCapacity: true)
        for query in state.indices {
            let bound = (sum[query] + state[query].rest * suffix[Int(state[query].level)]) * slack
            if bound > state[query].needed && bound > 0 {
                survivors.append(UInt32(query))
            } else {
                sum[query] = 0
            }
        }
    }

    /// Looks up what the index left out, and keeps the document if it belongs to the best.
    private mutating func refine(_ query: Int, _ document: UInt64, _ slack: Float) {
        var value = sum[query]
        sum[query] = 0
        if document == id[query] { return }
        let terms = vectors.range(query)
        let indexed = terms.lowerBound + Int(state[query].indexed)
        for i in indexed..<terms.upperBound { value += vectors.weight[i] * lookup[vectors.rank[i]] }
        // Both sums ran over fewer terms than the two slacks allow for.
        let reach = value * (slack + Float(terms.count) * Float.ulpOfOne)
        guard reach > state[query].needed else { return }
        var score = 0.0
        for i in terms { score += Double(vectors.weight[i]) * Double(lookup[vectors.rank[i]]) }
        guard score > 0, score >= options.minimumScore else { return }
        insert(LexicalNeighbour(document: document, score: score), query)
    }

    private mutating func insert(_ found: LexicalNeighbour, _ query: Int) {
        let place =
            best[query].firstIndex { ($0.score, found.document) < (found.score, $0.document) } ?? best[query].count
        if place >= options.count { return }
        best[query].insert(found, at: place)
        if best[query].count > options.count { best[query].removeLast() }
        if best[query].count == options.count, let worst = best[query].last {
            state[query].needed = Float(worst.score).nextDown
        }
    }

    /// Takes from the index of each document the longest run of frequent terms that cannot reach what it needs against
    /// a document of typical length.
    private mutating func shrink() {
        for query in state.indices where best[query].count == options.count {
            let limit = Double(state[query].needed) / max(typicalNorm, Double.leastNormalMagnitude)
            let terms = vectors.range(query)
            var at = terms.upperBound
            var square = 0.0
            while at > terms.lowerBound {
                let value = Double(vectors.weight[at - 1])
                if square + value * value > limit * limit { break }
                square += value * value
                at -= 1
            }
            if at == terms.upperBound { continue }
            state[query].indexed = UInt32(at - terms.lowerBound)
            state[query].rest = Float(square.squareRoot()).nextUp
            state[query].level = UInt32(Self.level(vectors.rank[at], levels))
        }
    }

    /// The last level at or below a rank.
    private static func level(_ rank: UInt32, _ levels: [UInt32]) -> Int {
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            if levels[middle] <= rank { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// The inverted index over the terms that `state` says.
    private mutating func index() {
        for i in postingOffsets.indices { postingOffsets[i] = 0 }
        var total = 0
        for query in state.indices {
            let terms = vectors.range(query)
            total += Int(state[query].indexed)
            for i in terms.prefix(Int(state[query].indexed)) { postingOffsets[Int(vectors.rank[i]) + 1] += 1 }
        }
        precondition(total < Int(UInt32.max), "a block holds fewer than 2^32 terms")
        for i in 1..<postingOffsets.count { postingOffsets[i] += postingOffsets[i - 1] }
        if postings.isEmpty { postings = [Posting](repeating: Posting(query: 0, weight: 0), count: total) }
        // Filling moves every offset to the end of its list, so the list before it begins there: shift them back.
        for query in state.indices {
            for i in vectors.range(query).prefix(Int(state[query].indexed)) {
                let slot = Int(vectors.rank[i])
                postings[Int(postingOffsets[slot])] = Posting(query: UInt32(query), weight: vectors.weight[i])
                postingOffsets[slot] += 1
            }
        }
        for i in stride(from: postingOffsets.count - 1, to: 0, by: -1) { postingOffsets[i] = postingOffsets[i - 1] }
        postingOffsets[0] = 0
    }
}

/// The weights of one document by rank: open addressing in a table that fits the first caches.
private struct TermLookup {
    private var keys: [UInt32] = []
    private var values: [Float] = []
    private var mask = 0
    private static let free = UInt32.max

    mutating func fill(
        _ rank: UnsafeBufferPointer<UInt32>, _ weight: UnsafeBufferPointer<Float>, _ range: Range<Int>
    ) {
        var slots = 64
        while slots < range.count * 2 { slots *= 2 }
        mask = slots - 1
        if keys.count < slots {
            keys = [UInt32](repeating: Self.free, count: slots)
            values = [Float](repeating: 0, count: slots)
        } else {
            for i in 0..<slots { keys[i] = Self.free }
        }
        for i in range {
            let slot = find(rank[i])
            keys[slot] = rank[i]
            values[slot] = weight[i]
        }
    }

    /// 0 for a term that the document lacks.
    subscript(rank: UInt32) -> Float {
        let slot = find(rank)
        return keys[slot] == rank ? values[slot] : 0
    }

    @inline(__always)
    private func find(_ rank: UInt32) -> Int {
        var slot = Int((rank &* 0x9E37_79B1) >> 7) & mask
        while keys[slot] != Self.free, keys[slot] != rank { slot = (slot + 1) & mask }
        return slot
    }
}
