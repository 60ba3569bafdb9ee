// Documents as vectors of weighted terms, after DrQA: log(tf + 1) · log((N − df + 0.5) / (df + 0.5)), never below 0.

/// Which terms count and how much. Terms are numbered by rank: rare ones first, so that what is left of a vector after
/// its first terms is both light and costly to look up, the order that exact pruning wants.
///
/// Memory: 4 bytes a bucket and 4 a term that occurs in more than one document.
/// - Source: Chen et al. 2017, "Reading Wikipedia to Answer Open-Domain Questions" (ACL, arXiv 1704.00051), section 3.1,
///   with the weights of its published code; stop words by document share rather than by an English list.
package struct TermRanks: Sendable {
    /// The term weighs nothing.
    static let ignored = UInt32.max
    /// The term occurs in one document: it adds to that one's length only.
    static let lone = UInt32.max - 1

    let options: LexicalOptions
    let documents: Int
    /// Rank by bucket, or one of the above.
    private(set) var rank: [UInt32]
    /// Document frequency by rank, ascending.
    private(set) var frequency: [UInt32] = []
    /// Words with more documents than this are stop words.
    private let stopLimit: UInt32
    private let isStopWord: [UInt64]
    /// Distinct buckets of terms that occur at all.
    package private(set) var occurring = 0

    package init(_ frequencies: TermFrequencies, _ options: LexicalOptions) {
        precondition(frequencies.hashBits == options.hashBits, "the frequencies are of another number of buckets")
        self.options = options
        documents = frequencies.documents
        let n = frequencies.documents
        stopLimit = UInt32(clamping: Int((options.stopShare * Double(n)).rounded(.down)))
        // Buckets by document frequency, then by number: a counting sort.
        let limit = (n - 1) / 2
        var starts = [Int](repeating: 0, count: max(2, limit) + 2)
        var stops = [UInt64](repeating: 0, count: (frequencies.count.count + 63) / 64)
        for (bucket, count) in frequencies.count.enumerated() where count > 0 {
            occurring += 1
            if count > stopLimit { stops[bucket >> 6] |= 1 << UInt64(bucket & 63) }
            if count >= 2, count <= limit { starts[Int(count) + 1] += 1 }
        }
        for i in 1..<starts.count { starts[i] += starts[i - 1] }
        frequency = [UInt32](repeating: 0, count: starts[starts.count - 1])
        rank = [UInt32](repeating: Self.ignored, count: frequencies.count.count)
        for (bucket, count) in frequencies.count.enumerated() where count > 0 && count <= limit {
            if count == 1 {
                rank[bucket] = Self.lone
            } else {
                rank[bucket] = UInt32(starts[Int(count)])
                frequency[starts[Int(count)]] = count
                starts[Int(count)] += 1
            }
        }
        isStopWord = stops
    }

    package var count: Int { frequency.count }

    @inline(__always)
    func isStop(_ bucket: UInt32) -> Bool { isStopWord[Int(bucket >> 6)] >> UInt64(bucket & 63) & 1 == 1 }

    /// log((N − df + 0.5) / (df + 0.5)); above 0 for every ranked term.
    func inverseFrequency(_ df: UInt32) -> Double {
        NaturalLog.of((Double(documents) - Double(df) + 0.5) / (Double(df) + 0.5))
    }
}

/// Vectors of a block of documents, end to end: ranks ascending, weights above 0. 8 bytes a term.
package struct TermVectors: Sendable {
    private(set) var offsets: [Int] = [0]
    private(set) var rank: [UInt32] = []
    private(set) var weight: [Float] = []

    package init() {}

    package var count: Int { offsets.count - 1 }
    func range(_ row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }

    package mutating func removeAll() {
        offsets.removeLast(offsets.count - 1)
        rank.removeAll(keepingCapacity: true)
        weight.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func append(_ term: UInt32, _ value: Float) {
        rank.append(term)
        weight.append(value)
    }

    fileprivate mutating func close() { offsets.append(rank.count) }
}

/// Makes vectors. The same words give the same vector, to the last bit, in any block. For one thread at a time.
package struct TermVectorBuilder {
    private let ranks: TermRanks
    private var ranked: [UInt32] = []
    private var lone: [UInt32] = []
    private var spare: [UInt32] = []
    private var frequencyLog: [Double] = [0]
    private var inverse: [Double]
    private let loneInverse: Double

    package init(_ ranks: TermRanks) {
        self.ranks = ranks
        loneInverse = ranks.inverseFrequency(1)
        // By document frequency: far fewer values than terms.
        inverse = (0...Int(ranks.frequency.last ?? 1)).map { $0 < 2 ? 0 : ranks.inverseFrequency(UInt32($0)) }
    }

    /// Appends the vector of a document.
    /// - Parameter words: as for `TermCounter.add`.
    package mutating func append(_ words: [UInt64], to vectors: inout TermVectors) {
        ranked.removeAll(keepingCapacity: true)
        lone.removeAll(keepingCapacity: true)
        var previous: UInt64 = 0
        for word in words {
            if word == 0 {
                previous = 0
                continue
            }
            let bucket = ranks.options.bucket(word)
            if ranks.isStop(bucket) {
                previous = 0
                continue
            }
            add(bucket)
            if previous != 0 { add(ranks.options.bucket(previous, word)) }
            previous = word
        }
        let begin = vectors.rank.count
        var square = 0.0
        Self.sort(&ranked, &spare, below: UInt32(ranks.count))
        Self.eachRun(ranked) { term, count in
            let value = logarithm(count) * inverse[Int(ranks.frequency[Int(term)])]
            square += value * value
            vectors.append(term, Float(value))
        }
        Self.sort(&lone, &spare, below: 1 << UInt32(ranks.options.hashBits))
        Self.eachRun(lone) { _, count in
            let value = logarithm(count) * loneInverse
            square += value * value
        }
        if ranks.options.similarity == .cosine, square > 0 {
            vectors.scale(from: begin, by: 1 / square.squareRoot())
        }
        vectors.close()
    }

    @inline(__always)
    private mutating func add(_ bucket: UInt32) {
        let rank = ranks.rank[Int(bucket)]
        if rank < TermRanks.lone { ranked.append(rank) } else if rank == TermRanks.lone { lone.append(bucket) }
    }

    /// log(count + 1).
    private mutating func logarithm(_ count: Int) -> Double {
        while frequencyLog.count <= count, frequencyLog.count < 1 << 16 {
            frequencyLog.append(NaturalLog.of(Double(frequencyLog.count + 1)))
        }
        return count < frequencyLog.count ? frequencyLog[count] : NaturalLog.of(Double(count + 1))
    }

    private static func eachRun(_ sorted: [UInt32], _ body: (UInt32, Int) -> Void) {
        var i = 0
        while i < sorted.count {
            var j = i + 1
            while j < sorted.count, sorted[j] == sorted[i] { j += 1 }
            body(sorted[i], j - i)
            i = j
        }
    }

    /// Ascending, by the radix: 11 bits at a time, as many times as `below` asks for.
    private static func sort(_ values: inout [UInt32], _ spare: inout [UInt32], below: UInt32) {
        if values.count < 64 { return values.sort() }
        if spare.count < values.count { spare = [UInt32](repeating: 0, count: values.count * 2) }
        var shift: UInt32 = 0
        let count = values.count
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2048) { starts in
            while shift < 32, (below - 1) >> shift > 0 {
                starts.initialize(repeating: 0)
                values.withUnsafeBufferPointer { from in
                    spare.withUnsafeMutableBufferPointer { to in
                        for i in 0..<count { starts[Int(from[i] >> shift & 2047)] += 1 }
                        var sum = 0
                        for digit in 0..<2048 {
                            let size = starts[digit]
                            starts[digit] = sum
                            sum += size
                        }
                        for i in 0..<count {
                            let digit = Int(from[i] >> shift & 2047)
                            to[starts[digit]] = from[i]
                            starts[digit] += 1
                        }
                    }
                }
                values.withUnsafeMutableBufferPointer { to in
                    spare.withUnsafeBufferPointer { from in
                        for i in 0..<count { to[i] = from[i] }
                    }
                }
                shift += 11
            }
        }
    }
}

extension TermVectors {
    fileprivate mutating func scale(from begin: Int, by factor: Double) {
        for i in begin..<weight.count { weight[i] = Float(Double(weight[i]) * factor) }
    }
}
