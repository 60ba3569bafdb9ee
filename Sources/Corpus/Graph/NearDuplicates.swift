// Documents of nearly the same words: mirrored pages, reprints, templates filled with other names. One that teaches a
// model to copy is no link, and a twin on another side of the split would leak what is tested.

import Container

/// The runs of words ("shingles") of a document, as 64-bit hashes.
package enum Shingles {
    package static let words = 5

    /// Every run of `words` words, gaps left out; of fewer words, all of them as one. O(words).
    /// - Parameter hashes: of the words in order, 0 for a gap.
    package static func forEach(_ hashes: [UInt64], _ body: (UInt64) -> Void) {
        var window = [UInt64](repeating: 0, count: words)
        var count = 0
        // A polynomial in an odd base, so that a word leaves the window by one subtraction.
        var sum: UInt64 = 0
        for hash in hashes where hash != 0 {
            let leaving = window[count % words]
            sum = (sum &- leaving &* top) &* base &+ hash
            window[count % words] = hash
            count += 1
            if count >= words { body(KeyedRandom.mix(seed, sum)) }
        }
        if count > 0, count < words { body(KeyedRandom.mix(seed, sum)) }
    }

    /// Sorted, each once.
    package static func set(_ hashes: [UInt64]) -> [UInt64] {
        var all: [UInt64] = []
        forEach(hashes) { all.append($0) }
        all.sort()
        var distinct: [UInt64] = []
        for shingle in all where distinct.last != shingle { distinct.append(shingle) }
        return distinct
    }

    /// Shared shingles as a share of all of both; 0 if neither has any.
    package static func resemblance(_ a: [UInt64], _ b: [UInt64]) -> Double {
        var (i, j, shared) = (0, 0, 0)
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                (i, j, shared) = (i + 1, j + 1, shared + 1)
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        let all = a.count + b.count - shared
        return all == 0 ? 0 : Double(shared) / Double(all)
    }

    private static let seed: UInt64 = 0x7368_696E_676C_65
    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// base^(words − 1): what the oldest word of a full window is multiplied by.
    private static let top = base &* base &* base &* base
}

/// Finds pairs of documents that may be near duplicates, without comparing all with all.
///
/// Of each document the smallest shingle of each of 125 classes is kept, and five classes at a time make a key: documents
/// that share one of 25 keys are a candidate. A pair of resemblance 0.8 is found with probability 0.99995, of 0.7 with
/// 0.99, of 0.6 with 0.87; of 0.2 it becomes a candidate once in a hundred times. All hashes are fixed: the same
/// documents give the same candidates. Memory: 100 bytes a document.
/// - Source: Broder 1997, "On the resemblance and containment of documents"; one permutation and densification after
///   Li, Owen & Zhang 2012 (NIPS) and Shrivastava 2017 (ICML).
package struct NearDuplicateSketch: Sendable {
    static let rows = 5
    static let bands = 25
    /// Of documents with one key: so many are compared each with each, in larger crowds with the first and the next.
    static let crowd = 16

    private var keys: [UInt32]
    private var hasWords: [Bool]

    package init(documents: Int) {
        keys = [UInt32](repeating: 0, count: documents * Self.bands)
        hasWords = [Bool](repeating: false, count: documents)
    }

    /// - Parameter hashes: of the words of document `node` in order, 0 for a gap. O(words).
    package mutating func add(_ node: Int, _ hashes: [UInt64]) {
        let bins = Self.rows * Self.bands
        var smallest = [UInt64](repeating: .max, count: bins)
        var filled = 0
        smallest.withUnsafeMutableBufferPointer { smallest in
            Shingles.forEach(hashes) { shingle in
                let bin = Int(KeyedRandom.below(shingle, UInt64(bins)))
                let value = KeyedRandom.mix(1, shingle) >> 1
                if smallest[bin] == .max { filled += 1 }
                if value < smallest[bin] { smallest[bin] = value }
            }
        }
        guard filled > 0 else { return }
        hasWords[node] = true
        let found = smallest
        for bin in 0..<bins where found[bin] == .max {
            var attempt: UInt64 = 0
            var from = bin
            while found[from] == .max {
                attempt += 1
                from = Int(KeyedRandom.below(KeyedRandom.key(2, UInt64(bin), attempt), UInt64(bins)))
            }
            smallest[bin] = found[from]
        }
        for band in 0..<Self.bands {
            var key = UInt64(band)
            for row in 0..<Self.rows { key = KeyedRandom.mix(key, smallest[band * Self.rows + row]) }
            keys[node * Self.bands + band] = UInt32(truncatingIfNeeded: key >> 32)
        }
    }

    /// Pairs (lower, higher) in ascending order, each once.
    /// - Parameter leader: of each document; only documents that lead themselves take part.
    package func candidates(_ leader: [UInt32]) -> [(UInt32, UInt32)] {
        let nodes = hasWords.indices.filter { hasWords[$0] && leader[$0] == UInt32($0) }
        var pairs: [UInt64] = []
        var order = [UInt64](repeating: 0, count: nodes.count)
        for band in 0..<Self.bands {
            for (i, node) in nodes.enumerated() {
                order[i] = UInt64(keys[node * Self.bands + band]) << 32 | UInt64(node)
            }
            order.sort()
            var begin = 0
            while begin < order.count {
                var end = begin + 1
                while end < order.count, order[end] >> 32 == order[begin] >> 32 { end += 1 }
                for i in begin..<end {
                    let last = end - begin <= Self.crowd ? end : min(i + 2, end)
                    for j in (i + 1)..<max(i + 1, last) { pairs.append(Self.pair(order[i], order[j])) }
                    if last < end, i == begin { for j in (i + 2)..<end { pairs.append(Self.pair(order[i], order[j])) } }
                }
                begin = end
            }
        }
        pairs.sort()
        var distinct: [(UInt32, UInt32)] = []
        var previous: UInt64 = 0
        for pair in pairs where pair != previous {
            distinct.append((UInt32(pair >> 32), UInt32(truncatingIfNeeded: pair)))
            previous = pair
        }
        return distinct
    }

    private static func pair(_ a: UInt64, _ b: UInt64) -> UInt64 { a << 32 | b & 0xFFFF_FFFF }
}

/// Documents in groups of nearly or exactly the same text. The first of a group leads it.
package struct DuplicateGroups: Sendable, Equatable {
    /// Index of the first document of each one's group: its own for a document alone.
    package private(set) var leader: [UInt32]

    /// Groups of equal text.
    /// - Parameter textHash: 0 for a document without text, which equals no other.
    package init(textHash: [UInt64]) {
        leader = Array(0..<UInt32(textHash.count))
        let order = leader.sorted { (textHash[Int($0)], $0) < (textHash[Int($1)], $1) }
        for (previous, node) in zip(order, order.dropFirst())
        where textHash[Int(node)] != 0 && textHash[Int(node)] == textHash[Int(previous)] {
            leader[Int(node)] = leader[Int(previous)]
        }
    }

    /// Joins the groups of two documents.
    package mutating func unite(_ a: Int, _ b: Int) {
        let (x, y) = (root(a), root(b))
        leader[max(x, y)] = UInt32(min(x, y))
    }

    /// Makes every document name the first of its group. To be called once all are united.
    package mutating func settle() { for node in leader.indices { leader[node] = UInt32(root(node)) } }

    /// Leaders point downwards, so following them ends.
    private func root(_ node: Int) -> Int {
        var at = node
        while Int(leader[at]) != at { at = Int(leader[at]) }
        return at
    }

    /// Groups of more than one document, the documents in them beyond the first, and the size of the largest.
    package var counts: (groups: Int, repeats: Int, largest: Int) {
        var size = [UInt32](repeating: 0, count: leader.count)
        for first in leader { size[Int(first)] += 1 }
        let groups = size.count { $0 > 1 }
        return (groups, size.reduce(0) { $0 + Int($1 > 1 ? $1 - 1 : 0) }, Int(size.max() ?? 0))
    }
}
