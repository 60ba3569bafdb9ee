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
/// documents give the same candidates. Memory: 101 bytes a document, and 16 more while candidates are listed.
/// - Source: Broder 1997, "On the resemblance and containment of documents"; one permutation and densification after
///   Li, Owen & Zhang 2012 (NIPS) and Shrivastava 2017 (ICML).
package struct NearDuplicateSketch: Sendable {
    static let rows = 5
    static let bands = 25
    /// Of documents with one key: so many are compared each with each, in larger crowds with the first and the next.
    static let crowd = 16

    /// By band, then document.
    private var keys: [UInt32]
    private var hasWords: [Bool]
    private var smallest = [UInt64](repeating: .max, count: bins)
    private var filled: [UInt8] = []
    private var lenders = [UInt16](repeating: .max, count: bins)

    private static let bins = rows * bands

    package init(documents: Int) {
        keys = [UInt32](repeating: 0, count: documents * Self.bands)
        hasWords = [Bool](repeating: false, count: documents)
    }

    /// - Parameter hashes: of the words of document `node` in order, 0 for a gap. O(words).
    package mutating func add(_ node: Int, _ hashes: [UInt64]) {
        for bin in filled { smallest[Int(bin)] = .max }
        filled.removeAll(keepingCapacity: true)
        Shingles.forEach(hashes) { shingle in
            let bin = Int(KeyedRandom.below(shingle, UInt64(Self.bins)))
            let value = KeyedRandom.mix(1, shingle) >> 1
            if smallest[bin] == .max { filled.append(UInt8(bin)) }
            if value < smallest[bin] { smallest[bin] = value }
        }
        if filled.isEmpty { return }
        hasWords[node] = true
        if filled.count < Self.bins { lend() }
        for band in 0..<Self.bands {
            var key = UInt64(band)
            for row in 0..<Self.rows {
                let bin = band * Self.rows + row
                let value = smallest[bin] < .max ? smallest[bin] : smallest[Int(lenders[bin] & 0xFF)]
                key = KeyedRandom.mix(key, value)
            }
            keys[band * hasWords.count + node] = UInt32(truncatingIfNeeded: key >> 32)
        }
    }

    /// Finds a filled bin for every empty one: the first in the empty one's own order.
    private mutating func lend() {
        lenders.withUnsafeMutableBufferPointer { lenders in
            Self.lending.withUnsafeBufferPointer { lending in
                for bin in lenders.indices { lenders[bin] = .max }
                for lender in filled {
                    let row = Int(lender) * Self.bins
                    for bin in 0..<Self.bins { lenders[bin] = min(lenders[bin], lending[row + bin]) }
                }
            }
        }
    }

    /// By lending bin, then borrowing bin: the place of the one in the other's order, and in the lower byte the lender. The
    /// order of a bin is that in which its pseudo-random sequence first names all bins.
    private static let lending: [UInt16] = {
        var lending = [UInt16](repeating: .max, count: bins * bins)
        for bin in 0..<bins {
            var named = 0
            var attempt: UInt64 = 0
            while named < bins {
                attempt += 1
                let lender = Int(KeyedRandom.below(KeyedRandom.key(2, UInt64(bin), attempt), UInt64(bins)))
                if lending[lender * bins + bin] < .max { continue }
                lending[lender * bins + bin] = UInt16(named) << 8 | UInt16(lender)
                named += 1
            }
        }
        return lending
    }()

    /// Pairs (lower, higher) in ascending order, each once.
    /// - Parameter leader: of each document; only documents that lead themselves take part.
    package func candidates(_ leader: [UInt32]) -> [(UInt32, UInt32)] {
        var pairs: [UInt64] = []
        var order: [UInt64] = []
        var spare: [UInt64] = []
        order.reserveCapacity(hasWords.count)
        for band in 0..<Self.bands {
            order.removeAll(keepingCapacity: true)
            for node in hasWords.indices where hasWords[node] && leader[node] == UInt32(node) {
                order.append(UInt64(keys[band * hasWords.count + node]) << 32 | UInt64(node))
            }
            Self.sortByKey(&order, &spare)
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

    /// Sorts by the upper 32 bits, keeping the order of equal ones: a counting sort by 11 bits at a time.
    private static func sortByKey(_ values: inout [UInt64], _ spare: inout [UInt64]) {
        if spare.count < values.count { spare = [UInt64](repeating: 0, count: values.count) }
        for shift in [32, 43, 54] as [UInt64] {
            var next = [Int](repeating: 0, count: 1 << 11 + 1)
            for value in values { next[Int(value >> shift & 0x7FF) + 1] += 1 }
            for digit in 1..<next.count { next[digit] += next[digit - 1] }
            for value in values {
                let digit = Int(value >> shift & 0x7FF)
                spare[next[digit]] = value
                next[digit] += 1
            }
            swap(&values, &spare)
            values.removeLast(values.count - spare.count)
        }
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
        var sorted = textHash
        sorted.sort()
        var repeated: [UInt64] = []
        for (previous, hash) in zip(sorted, sorted.dropFirst())
        where hash == previous && hash != 0 && repeated.last != hash { repeated.append(hash) }
        sorted = []
        if repeated.isEmpty { return }
        let place = DocumentIndex(sorted: repeated)
        var first = [UInt32](repeating: .max, count: repeated.count)
        for (node, hash) in textHash.enumerated() {
            guard let place = place[hash] else { continue }
            if first[place] == .max { first[place] = UInt32(node) }
            leader[node] = first[place]
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
