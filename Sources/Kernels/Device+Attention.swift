// Multi-head self-attention inside each sequence of a slice; sequences lie end to end, nothing is padded.

internal import CKernels

/// Where the rows of attention lie: which rows ask, which are asked, and how far apart they are.
///
/// S sequences; sequence s asks with the Q rows `queries[s] ..< queries[s + 1]` and is asked in the N rows
/// `keys[s] ..< keys[s + 1]`. In most layers both are the same rows; where only some outputs are read later, fewer ask.
package struct AttentionRows: Sendable {
    /// (S + 1) each: row numbers from 0 up, ascending; a sequence may be empty.
    package let queries, keys: IndexView
    package let sequences: Int
    package let heads, headSize: Int
    /// Floats from one row of queries to the next, and from one row of keys (their values lie H behind them) to the next.
    package let queryStep, keyStep: Int

    /// Rows q | k | v of 3H floats that all ask: queries begin at 0 and keys at H of a (N, 3H).
    package static func packed(_ offsets: IndexView, sequences: Int, heads: Int, headSize: Int) -> AttentionRows {
        AttentionRows(
            queries: offsets, keys: offsets, sequences: sequences, heads: heads, headSize: headSize,
            queryStep: 3 * heads * headSize, keyStep: 3 * heads * headSize)
    }

    /// Queries (Q, H) apart from k | v of (N, 2H).
    package static func apart(
        queries: IndexView, keys: IndexView, sequences: Int, heads: Int, headSize: Int
    ) -> AttentionRows {
        AttentionRows(
            queries: queries, keys: keys, sequences: sequences, heads: heads, headSize: headSize,
            queryStep: heads * headSize, keyStep: 2 * heads * headSize)
    }

    internal var h: Int { heads * headSize }
    internal var queryCount: Int { Int(queries[sequences]) }
    internal var keyCount: Int { Int(keys[sequences]) }

    // Valid while the views are alive, which `self` keeps.
    @unsafe internal var rows: ck_attention_rows {
        unsafe ck_attention_rows(
            queries: queries.pointer, keys: keys.pointer, S: sequences, NH: heads, HS: headSize,
            query_step: queryStep, key_step: keyStep)
    }

    // Floats that a view of queries needs, and one of keys with their values.
    internal var queryFloats: Int { queryCount == 0 ? 0 : (queryCount - 1) * queryStep + h }
    internal var keyFloats: Int { keyCount == 0 ? 0 : (keyCount - 1) * keyStep + 2 * h }

    // Row numbers begin at 0 and ascend, nobody asks an empty sequence, and the scratch holds the longest.
    internal func check(_ scratch: FloatView) {
        precondition(
            queries.count > sequences && keys.count > sequences,
            "attention: \(queries.count) and \(keys.count) offsets for \(sequences) sequences")
        precondition(queries[0] == 0 && keys[0] == 0, "attention: the first sequence does not begin at row 0")
        var longest = 0
        for s in 0..<sequences {
            let (asking, asked) = (queries[s + 1] - queries[s], keys[s + 1] - keys[s])
            precondition(asking >= 0 && asked >= 0, "attention: the offsets of sequence \(s) descend")
            precondition(asking == 0 || asked > 0, "attention: sequence \(s) is asked and empty")
            longest = max(longest, Int(asked))
        }
        require(scratch, Device.scratchCount(maxSequence: longest, headSize: headSize), "scratch", "attention")
    }
}

extension Device {
    /// Floats of scratch that attention needs for sequences of at most `maxSequence` tokens, forward or backward.
    package static func scratchCount(maxSequence: Int, headSize: Int) -> Int {
        precondition(maxSequence >= 0 && headSize > 0, "scratchCount: \(maxSequence) tokens, head size \(headSize)")
        return ck_attention_scratch(maxSequence, headSize)
    }

    /// `out` (Q, H) = softmax(q · kᵀ / √headSize) · v for every sequence and head, dropout on the probabilities.
    /// - Parameters: `queries`, `keys`: from the first row of each on, biases added. `logSumExp`: (heads, Q), written,
    ///   kept for backward.
    /// - Source: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2. Complexity: O(Σ Tq · T · H) time,
    ///   scores in scratch, a tile of rows at a time.
    package func attentionForward(
        _ out: FloatView, _ logSumExp: FloatView, queries: FloatView, keys: FloatView, _ rows: AttentionRows,
        dropout: DropoutStream, scratch: FloatView
    ) {
        rows.check(scratch)
        require(out, rows.queryCount * rows.h, "out")
        require(logSumExp, rows.queryCount * rows.heads, "logSumExp")
        require(queries, rows.queryFloats, "queries")
        require(keys, rows.keyFloats, "keys")
        guard rows.keyCount > 0 else { return }
        var layout = unsafe rows.rows
        unsafe kernels.attention_forward(
            out.pointer, logSumExp.pointer, queries.pointer, keys.pointer, keys.pointer + rows.h, &layout,
            dropout.settings, scratch.pointer)
    }

    /// `dQueries`, `dKeys` = the gradients of the call with the same arguments, laid out as what they are gradients of;
    /// probabilities are computed again.
    package func attentionBackward(
        dQueries: FloatView, dKeys: FloatView, _ dOut: FloatView, _ out: FloatView, _ logSumExp: FloatView,
        queries: FloatView, keys: FloatView, _ rows: AttentionRows, dropout: DropoutStream, scratch: FloatView
    ) {
        rows.check(scratch)
        require(dOut, rows.queryCount * rows.h, "dOut")
        require(out, rows.queryCount * rows.h, "out")
        require(logSumExp, rows.queryCount * rows.heads, "logSumExp")
        require(dQueries, rows.queryFloats, "dQueries")
        require(queries, rows.queryFloats, "queries")
        require(dKeys, rows.keyFloats, "dKeys")
        require(keys, rows.keyFloats, "keys")
        guard rows.keyCount > 0 else { return }
        var layout = unsafe rows.rows
        unsafe kernels.attention_backward(
            dQueries.pointer, dKeys.pointer, dKeys.pointer + rows.h, dOut.pointer, out.pointer, logSumExp.pointer,
            queries.pointer, keys.pointer, keys.pointer + rows.h, &layout, dropout.settings, scratch.pointer)
    }
}
