// Which relation each anchor gets: a quota for each relation, met exactly, drawn at random among the anchors that can
// fill it. A coin instead would let documents without links shift the mix.

import Container

/// What an anchor could become. Any anchor can be paired with a random segment.
package struct AnchorOptions: Sendable, Equatable {
    /// A next segment exists.
    package var contiguous: Bool
    /// A link to a drawable document exists.
    package var linked: Bool

    package init(contiguous: Bool, linked: Bool) {
        self.contiguous = contiguous
        self.linked = linked
    }
}

/// Shares asked for, by relation raw value; need not sum to 1.
package struct RelationMix: Sendable, Equatable {
    package var contiguous: Double
    package var random: Double
    package var linked: Double

    package init(contiguous: Double = 1, random: Double = 1, linked: Double = 1) {
        self.contiguous = contiguous
        self.random = random
        self.linked = linked
    }

    package var weights: [Double] { [contiguous, random, linked] }
    package var total: Double { contiguous + random + linked }

    /// Counts that sum to `n` and are nearest to the shares (largest remainder).
    ///
    /// - Parameter turn: which relation wins a tie, taken round by round, so that over the passes of a small side the
    ///   remainders fall on all relations alike.
    package func counts(of n: Int, turn: Int = 0) -> [Int] {
        let exact = weights.map { $0 / total * Double(n) }
        var counts = exact.map { Int($0.rounded(.down)) }
        let order = (0..<3).sorted { a, b in
            let (x, y) = (exact[a] - Double(counts[a]), exact[b] - Double(counts[b]))
            return abs(x - y) > 1e-9 ? x > y : (a + turn) % 3 < (b + turn) % 3
        }
        var rest = n - counts.reduce(0, +)
        for relation in order where rest > 0 && weights[relation] > 0 {
            counts[relation] += 1
            rest -= 1
        }
        return counts
    }
}

package struct RelationQuota: Sendable {
    /// Relation raw value of each anchor; nil where the anchor sits this pass out so that the mix holds.
    package private(set) var relation: [UInt8?]
    /// Anchors whose first draw could not be filled (no next segment, no link) and was drawn again.
    package private(set) var redraws = 0
    package private(set) var leftOut = 0

    /// Assigns relations to anchors.
    ///
    /// Every relation gets its quota of the largest number of anchors for which all three quotas can be met; the others
    /// are left out. Anchors are visited in the order of their keys; each draws in proportion to what is left of the
    /// quotas, among those it can fill without making the rest infeasible. O(n).
    ///
    /// - Parameters:
    ///   - options: what each anchor could become.
    ///   - turn: the pass; see `RelationMix.counts`.
    ///   - key: a pseudo-random 64-bit number per anchor, a function of (seed, pass, document, segment) only.
    package init(options: [AnchorOptions], mix: RelationMix, turn: Int = 0, key: (Int) -> UInt64) {
        let n = options.count
        precondition(n < Int(UInt32.max), "a side has fewer than 2^32 anchors")
        relation = [UInt8?](repeating: nil, count: n)
        // Anchors still unvisited by what they can become: neither, contiguous only, linked only, both.
        var left = Counts()
        for option in options { left[Self.type(option)] += 1 }
        let total = Self.feasibleTotal(n, left, mix, turn)
        // Fourth entry: anchors left out.
        var quota = Self.quota(mix, total, turn)
        quota[3] = n - total
        let keys = (0..<n).map(key)
        for anchor in KeyOrder.ascending(keys).lazy.map(Int.init) {
            let option = options[anchor]
            left[Self.type(option)] -= 1
            var draw = KeyedRandom.mix(keys[anchor], 1)
            let first = Self.pick(quota, draw)
            var chosen = first
            if !Self.can(option, first) || !Self.isFeasible(Self.taking(first, quota), left) {
                if !Self.can(option, first) { redraws += 1 }
                var allowed = quota
                for choice in 0..<4
                where !Self.can(option, choice) || !Self.isFeasible(Self.taking(choice, quota), left) {
                    allowed[choice] = 0
                }
                draw = KeyedRandom.mix(draw, 2)
                chosen = Self.pick(allowed, draw)
            }
            quota[chosen] -= 1
            if chosen == 3 { leftOut += 1 } else { relation[anchor] = UInt8(chosen) }
        }
    }

    /// By relation raw value, then anchors left out; or by what anchors can become. In registers: this runs per anchor.
    private typealias Counts = SIMD4<Int>

    private static func type(_ option: AnchorOptions) -> Int { (option.contiguous ? 1 : 0) + (option.linked ? 2 : 0) }

    private static func can(_ option: AnchorOptions, _ choice: Int) -> Bool {
        switch choice {
        case 0: option.contiguous
        case 2: option.linked
        default: true
        }
    }

    private static func taking(_ choice: Int, _ quota: Counts) -> Counts {
        var rest = quota
        rest[choice] -= 1
        return rest
    }

    /// Hall's condition for the two relations that not every anchor can fill.
    private static func isFeasible(_ quota: Counts, _ left: Counts) -> Bool {
        quota[0] <= left[1] + left[3] && quota[2] <= left[2] + left[3]
            && quota[0] + quota[2] <= left[1] + left[2] + left[3]
    }

    private static func quota(_ mix: RelationMix, _ total: Int, _ turn: Int) -> Counts {
        let counts = mix.counts(of: total, turn: turn)
        return Counts(counts[0], counts[1], counts[2], 0)
    }

    private static func feasibleTotal(_ n: Int, _ left: Counts, _ mix: RelationMix, _ turn: Int) -> Int {
        var low = 0
        var high = n
        while low < high {
            let middle = (low + high + 1) / 2
            if isFeasible(quota(mix, middle, turn), left) { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// A choice in proportion to its weight.
    private static func pick(_ weights: Counts, _ draw: UInt64) -> Int {
        let sum = weights.wrappedSum()
        precondition(sum > 0, "a feasible quota leaves every anchor a choice")
        var position = Int(KeyedRandom.below(draw, UInt64(sum)))
        for choice in 0..<4 {
            if position < weights[choice] { return choice }
            position -= weights[choice]
        }
        return 3
    }
}
