// Multi-head self-attention inside each sequence of a slice; sequences lie end to end, nothing is padded.

internal import CKernels

extension Device {
    /// Floats of scratch that attention needs for sequences of at most `maxSequence` tokens, forward or backward.
    package static func scratchCount(maxSequence: Int, headSize: Int) -> Int {
        precondition(maxSequence >= 0 && headSize > 0, "scratchCount: \(maxSequence) tokens, head size \(headSize)")
        return ck_attention_scratch(maxSequence, headSize)
    }

    /// `out` (N, H) = softmax(q · kᵀ / √headSize) · v for every sequence and head, dropout on the probabilities.
    /// - Parameters: `qkv`: (N, 3H), q | k | v in a row, biases added. `logSumExp`: (heads, N), written, kept for
    ///   backward. `offsets`: sequences + 1 row numbers from 0 to N, ascending; a sequence may be empty.
    /// - Source: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2. Complexity: O(Σ T² · H) time,
    ///   scores in scratch, a tile of rows at a time.
    package func attentionForward(
        _ out: FloatView, _ logSumExp: FloatView, _ qkv: FloatView, offsets: IndexView, sequences: Int, heads: Int,
        headSize: Int, dropout: DropoutStream, scratch: FloatView
    ) {
        let n = checkedRows(offsets, sequences, headSize, scratch)
        require(out, n * heads * headSize, "out")
        require(logSumExp, n * heads, "logSumExp")
        require(qkv, 3 * n * heads * headSize, "qkv")
        unsafe kernels.attention_forward(
            out.pointer, logSumExp.pointer, qkv.pointer, offsets.pointer, sequences, heads, headSize,
            dropout.settings, scratch.pointer)
    }

    /// `dQKV` (N, 3H) = the gradient of the call with the same arguments; probabilities are computed again.
    package func attentionBackward(
        _ dQKV: FloatView, _ dOut: FloatView, _ out: FloatView, _ logSumExp: FloatView, _ qkv: FloatView,
        offsets: IndexView, sequences: Int, heads: Int, headSize: Int, dropout: DropoutStream, scratch: FloatView
    ) {
        let n = checkedRows(offsets, sequences, headSize, scratch)
        require(dQKV, 3 * n * heads * headSize, "dQKV")
        require(dOut, n * heads * headSize, "dOut")
        require(out, n * heads * headSize, "out")
        require(logSumExp, n * heads, "logSumExp")
        require(qkv, 3 * n * heads * headSize, "qkv")
        unsafe kernels.attention_backward(
            dQKV.pointer, dOut.pointer, out.pointer, logSumExp.pointer, qkv.pointer, offsets.pointer, sequences,
            heads, headSize, dropout.settings, scratch.pointer)
    }

    // N, once the offsets are known to begin at 0 and ascend and the scratch to hold the longest sequence.
    private func checkedRows(_ offsets: IndexView, _ sequences: Int, _ headSize: Int, _ scratch: FloatView) -> Int {
        precondition(offsets.count > sequences, "attention: \(offsets.count) offsets for \(sequences) sequences")
        precondition(offsets[0] == 0, "attention: the first sequence begins at row \(offsets[0]), not 0")
        var longest = 0
        for s in 0..<sequences {
            let length = Int(offsets[s + 1]) - Int(offsets[s])
            precondition(length >= 0, "attention: the offsets of sequence \(s) descend")
            longest = max(longest, length)
        }
        require(scratch, Self.scratchCount(maxSequence: longest, headSize: headSize), "scratch", "attention")
        return Int(offsets[sequences])
    }
}
