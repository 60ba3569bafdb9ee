// Which tokens of a span are masked, and how: BERT's 15% with 80/10/10, as a pure function of a key.
// `pretrain` masks with it at every pass, `shard` writes static masks with it, `evaluate` masks its probe with it.

import Container

/// Masked tokens of one span or several, flat: the original ids are the labels, `replacements` is what the model sees.
package struct MaskedTokens: Sendable, Equatable {
    package var positions: [UInt32] = [], labels: [UInt32] = [], replacements: [UInt32] = []

    package init() {}
    package var count: Int { positions.count }

    /// Empties it and keeps its memory.
    package mutating func removeAll() {
        positions.removeAll(keepingCapacity: true)
        labels.removeAll(keepingCapacity: true)
        replacements.removeAll(keepingCapacity: true)
    }
}

/// Masks spans of token ids.
///
/// A span is the text of one segment, without special tokens. Its masks depend on its key and its own tokens only,
/// so segment A is masked the same whatever B is. Every token (or word) draws a rank from (key, index in the span),
/// and the lowest ranks are masked: cutting the end of a span leaves most other choices as they were.
/// - Source: google-research/bert `create_pretraining_data.py`: the number is `max(1, round(n · probability))` with
///   halves to even, 80% `[MASK]`, 10% random id over the whole vocabulary, 10% unchanged, drawn per token, also
///   inside a whole word; a word that would exceed the number is passed over. The number counts the span's
///   maskable tokens, not the special tokens around it.
package struct Masking: Sendable {
    /// The share of tokens to mask, `masked_lm_prob`.
    package let probability: Double
    package let maskID: UInt32
    package let vocabularySize: Int
    /// Pieces beginning with `##` go with the piece before them.
    package let wholeWord: Bool
    private let continuation: [Bool]
    private let neverMasked: [UInt32]
    /// Ids from here on are text.
    private let firstOfText: UInt32

    /// - Parameters:
    ///   - continuation: by id, whether the token continues a word (`##…`); read only with `wholeWord`.
    ///   - neverMasked: ids such as `[CLS]`, `[SEP]`, `[PAD]`, `[MASK]`, which are no text.
    package init(
        probability: Double = 0.15, maskID: UInt32, vocabularySize: Int, wholeWord: Bool = false,
        continuation: [Bool] = [], neverMasked: [UInt32] = []
    ) {
        precondition(probability >= 0 && probability <= 1, "masked_lm_prob must lie in 0...1")
        precondition(!wholeWord || continuation.count >= vocabularySize, "whole-word masking needs all continuations")
        self.probability = probability
        self.maskID = maskID
        self.vocabularySize = vocabularySize
        self.wholeWord = wholeWord
        self.continuation = continuation
        self.neverMasked = neverMasked.sorted()
        firstOfText = neverMasked.max().map { $0 + 1 } ?? 0
    }

    /// The key of one span's masks. `pass` is the row's pass in its shards, `epoch` how often training has been
    /// through the shards: neither repeats the other's masks.
    package static func key(seed: UInt64, epoch: Int, pass: Int, document: UInt64, segment: UInt32) -> UInt64 {
        RandomKey(seed: seed).adding("mask").adding(UInt64(epoch)).adding(UInt64(pass)).adding(document)
            .adding(UInt64(segment)).value
    }

    /// How many of `count` maskable tokens are masked (with whole words: at most).
    package func number(of count: Int) -> Int {
        guard count > 0, probability > 0 else { return 0 }
        return min(count, max(1, Int((Double(count) * probability).rounded(.toNearestOrEven))))
    }

    /// Appends the masked tokens of a span to `masked`, in order of position.
    ///
    /// - Parameter ids: the span's tokens; positions count from its start.
    /// - Complexity: O(n) expected; no heap allocation for spans below about 120 tokens, one above.
    package func mask(_ ids: UnsafeBufferPointer<UInt32>, key: UInt64, into masked: inout MaskedTokens) {
        precondition(ids.count < 1 << 16, "a span has fewer than 65536 tokens")
        let draws = RandomKey(seed: key).draws
        var tokens = ids.count
        for id in ids where isSpecial(id) { tokens -= 1 }
        let wanted = number(of: tokens)
        guard wanted > 0 else { return }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: ids.count) { scratch in
            if wholeWord {
                var groups = 0
                for position in 0..<ids.count where !isSpecial(ids[position]) {
                    if position > 0, isContinuation(ids[position]), !isSpecial(ids[position - 1]) { continue }
                    scratch[groups] = Self.rank(position, draws.mix(UInt64(position)))
                    groups += 1
                }
                let words = UnsafeMutableBufferPointer(rebasing: scratch[..<groups])
                chooseWords(ids, words, wanted, draws, &masked)
                return
            }
            // Only ranks under a bound that a few more than wanted should keep are looked at; were it too low, all.
            let likely = (Double(wanted) + 2 * Double(wanted).squareRoot() + 2) / Double(tokens)
            let bound = likely < 1 ? UInt64(likely * 0x1p64) : .max
            let hasSpecials = tokens < ids.count
            var count = gatherRanks(ids, draws, upTo: bound, hasSpecials, into: scratch)
            if count < wanted { count = gatherRanks(ids, draws, upTo: .max, hasSpecials, into: scratch) }
            let ranks = UnsafeMutableBufferPointer(rebasing: scratch[..<count])
            let highest = valueInOrder(ranks, wanted)
            for rank in ranks where rank <= highest { append(ids, Int(rank & 0xFFFF), draws, &masked) }
        }
    }

    /// A draw whose low bits are the position, so that no two are equal.
    @inline(__always)
    private static func rank(_ position: Int, _ draw: UInt64) -> UInt64 { draw & ~0xFFFF | UInt64(position) }

    /// Writes the ranks of the maskable tokens up to `bound` (but for its last bit), in order of position, to the front of
    /// `ranks`, which has room for all. No branch depends on a draw: one in six would be mispredicted.
    private func gatherRanks(
        _ ids: UnsafeBufferPointer<UInt32>, _ draws: KeyedRandom.Mixer, upTo bound: UInt64, _ hasSpecials: Bool,
        into ranks: UnsafeMutableBufferPointer<UInt64>
    ) -> Int {
        var count = 0
        for position in 0..<ids.count {
            let rank = Self.rank(position, draws.mix(UInt64(truncatingIfNeeded: position)))
            ranks[count] = rank
            // The borrow of the difference, which is 1 where the rank is greater; a comparison would become a branch.
            count &+= 1 &- Int(truncatingIfNeeded: (bound >> 1 &- rank >> 1) >> 63)
        }
        guard hasSpecials else { return count }
        var kept = 0
        for rank in ranks[..<count] where !isSpecial(ids[Int(rank & 0xFFFF)]) {
            ranks[kept] = rank
            kept += 1
        }
        return kept
    }

    /// Takes words by rank while they fit, then appends their tokens in order of position.
    private func chooseWords(
        _ ids: UnsafeBufferPointer<UInt32>, _ ranks: UnsafeMutableBufferPointer<UInt64>, _ wanted: Int,
        _ draws: KeyedRandom.Mixer, _ masked: inout MaskedTokens
    ) {
        var ranks = ranks
        ranks.sort()
        var left = wanted
        var taken = 0
        for rank in ranks where left > 0 {
            let first = Int(rank & 0xFFFF)
            let length = wordEnd(ids, first) - first
            if length > left { continue }
            ranks[taken] = rank
            taken += 1
            left -= length
        }
        sortPositions(ranks, taken)
        for choice in 0..<taken {
            let first = Int(ranks[choice])
            for position in first..<wordEnd(ids, first) { append(ids, position, draws, &masked) }
        }
    }

    private func wordEnd(_ ids: UnsafeBufferPointer<UInt32>, _ first: Int) -> Int {
        var end = first + 1
        while end < ids.count, isContinuation(ids[end]), !isSpecial(ids[end]) { end += 1 }
        return end
    }

    @inline(__always)
    private func append(
        _ ids: UnsafeBufferPointer<UInt32>, _ position: Int, _ draws: KeyedRandom.Mixer, _ masked: inout MaskedTokens
    ) {
        let kind = KeyedRandom.below(draws.mix(0x1_0000 + UInt64(position)), 10)
        masked.positions.append(UInt32(position))
        masked.labels.append(ids[position])
        masked.replacements.append(
            kind < 8
                ? maskID
                : kind == 8
                    ? UInt32(KeyedRandom.below(draws.mix(0x2_0000 + UInt64(position)), UInt64(vocabularySize)))
                    : ids[position])
    }

    private func isContinuation(_ id: UInt32) -> Bool { Int(id) < continuation.count && continuation[Int(id)] }

    @inline(__always)
    private func isSpecial(_ id: UInt32) -> Bool { id < firstOfText && isNeverMasked(id) }

    private func isNeverMasked(_ id: UInt32) -> Bool {
        for special in neverMasked where special == id { return true }
        return false
    }
}

/// The value up to which `wanted` of the values lie. They are distinct and spread evenly, so that counting below a guess
/// on the line between two counts ends after a few passes, which mispredict nothing; every other guess is the middle once
/// that has not helped.
private func valueInOrder(_ values: UnsafeMutableBufferPointer<UInt64>, _ wanted: Int) -> UInt64 {
    var (low, countLow) = (UInt64.min, 0)
    var (high, countHigh) = (values.max() ?? .max, values.count)
    var guesses = 0
    while countHigh > wanted, high - low > 1 {
        let share = Double(wanted - countLow) / Double(countHigh - countLow)
        let step = guesses > 8 && guesses % 2 == 0 ? (high - low) / 2 : UInt64(Double(high - low) * min(share, 0.99))
        let guess = low + max(1, min(step, high - low - 1))
        var count = 0
        for value in values where value <= guess { count &+= 1 }
        if count >= wanted { (high, countHigh) = (guess, count) } else { (low, countLow) = (guess, count) }
        guesses += 1
    }
    return countHigh == wanted ? high : low
}

/// Replaces the first `count` ranks by their positions, ascending (insertion sort: a tenth of a span's words).
private func sortPositions(_ values: UnsafeMutableBufferPointer<UInt64>, _ count: Int) {
    for index in 0..<count {
        let position = values[index] & 0xFFFF
        var slot = index
        while slot > 0, values[slot - 1] > position {
            values[slot] = values[slot - 1]
            slot -= 1
        }
        values[slot] = position
    }
}
