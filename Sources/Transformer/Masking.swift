// Which tokens of a span are masked, and how: BERT's 15% with 80/10/10, as a pure function of a key.
// `pretrain` masks with it at every pass, `shard` writes static masks with it, `evaluate` masks its probe with it.

import Container

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

    /// Emits the masked tokens of a span in order of position.
    ///
    /// - Parameters:
    ///   - ids: the span's tokens; positions count from its start.
    ///   - emit: (position, label, replacement): the original id is the label, `replacement` is what the model sees.
    /// - Complexity: O(n) expected; no heap allocation for spans below about 100 tokens, one above.
    package func mask(
        _ ids: UnsafeBufferPointer<UInt32>, key: UInt64, emit: (Int, UInt32, UInt32) -> Void
    ) {
        precondition(ids.count < 1 << 16, "a span has fewer than 65536 tokens")
        let stream = RandomKey(seed: key)
        let tokens = ids.reduce(0) { isSpecial($1) ? $0 : $0 + 1 }
        let wanted = number(of: tokens)
        guard wanted > 0 else { return }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: ids.count) { ranks in
            if wholeWord {
                var groups = 0
                for position in 0..<ids.count where !isSpecial(ids[position]) {
                    if position > 0, isContinuation(ids[position]), !isSpecial(ids[position - 1]) { continue }
                    ranks[groups] = Self.rank(position, stream.draw(UInt64(position)))
                    groups += 1
                }
                chooseWords(ids, UnsafeMutableBufferPointer(rebasing: ranks[0..<groups]), wanted, stream, emit)
                return
            }
            // Only ranks under a bound that a few more than wanted should keep are ordered; were it too low, all.
            let likely = (Double(wanted) + 2 * Double(wanted).squareRoot() + 2) / Double(tokens)
            var count = gatherRanks(ids, stream, below: likely < 1 ? UInt64(likely * 0x1p64) : .max, into: ranks)
            if count < wanted { count = gatherRanks(ids, stream, below: .max, into: ranks) }
            let chosen = UnsafeMutableBufferPointer(rebasing: ranks[0..<count])
            selectLowest(chosen, wanted)
            sortPositions(chosen, wanted)
            for choice in 0..<wanted { emitToken(ids, Int(chosen[choice]), stream, emit) }
        }
    }

    /// A draw whose low bits are the position, so that no two are equal.
    @inline(__always)
    private static func rank(_ position: Int, _ draw: UInt64) -> UInt64 { draw & ~0xFFFF | UInt64(position) }

    /// Writes the ranks of the maskable tokens up to `bound` to the front of `ranks`, which has room for all.
    private func gatherRanks(
        _ ids: UnsafeBufferPointer<UInt32>, _ stream: RandomKey, below bound: UInt64,
        into ranks: UnsafeMutableBufferPointer<UInt64>
    ) -> Int {
        let draws = stream.draws
        var count = 0
        for position in 0..<ids.count {
            let rank = Self.rank(position, draws.mix(UInt64(position)))
            ranks[count] = rank
            count += rank <= bound && !isSpecial(ids[position]) ? 1 : 0
        }
        return count
    }

    /// Takes words by rank while they fit, then emits their tokens in order of position.
    private func chooseWords(
        _ ids: UnsafeBufferPointer<UInt32>, _ ranks: UnsafeMutableBufferPointer<UInt64>, _ wanted: Int,
        _ stream: RandomKey, _ emit: (Int, UInt32, UInt32) -> Void
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
            for position in first..<wordEnd(ids, first) { emitToken(ids, position, stream, emit) }
        }
    }

    private func wordEnd(_ ids: UnsafeBufferPointer<UInt32>, _ first: Int) -> Int {
        var end = first + 1
        while end < ids.count, isContinuation(ids[end]), !isSpecial(ids[end]) { end += 1 }
        return end
    }

    @inline(__always)
    private func emitToken(
        _ ids: UnsafeBufferPointer<UInt32>, _ position: Int, _ stream: RandomKey, _ emit: (Int, UInt32, UInt32) -> Void
    ) {
        let kind = stream.draw(0x1_0000 + UInt64(position), below: 10)
        let replacement: UInt32 =
            switch kind {
            case 0..<8: maskID
            case 8: UInt32(stream.draw(0x2_0000 + UInt64(position), below: UInt64(vocabularySize)))
            default: ids[position]
            }
        emit(position, ids[position], replacement)
    }

    private func isContinuation(_ id: UInt32) -> Bool { Int(id) < continuation.count && continuation[Int(id)] }

    @inline(__always)
    private func isSpecial(_ id: UInt32) -> Bool { id < firstOfText && isNeverMasked(id) }

    private func isNeverMasked(_ id: UInt32) -> Bool {
        for special in neverMasked where special == id { return true }
        return false
    }
}

/// Moves the `count` lowest values to the front, in any order (Hoare's selection; the values are distinct).
private func selectLowest(_ values: UnsafeMutableBufferPointer<UInt64>, _ count: Int) {
    var low = 0
    var high = values.count - 1
    while low < high {
        let pivot = values[low + (high - low) / 2]
        var left = low
        var right = high
        while left <= right {
            while values[left] < pivot { left += 1 }
            while values[right] > pivot { right -= 1 }
            if left <= right {
                values.swapAt(left, right)
                left += 1
                right -= 1
            }
        }
        if count - 1 <= right {
            high = right
        } else if count - 1 >= left {
            low = left
        } else {
            return
        }
    }
}

/// Replaces the first `count` ranks by their positions, ascending (insertion sort: a tenth of a span's tokens).
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
