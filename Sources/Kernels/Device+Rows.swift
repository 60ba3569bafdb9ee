// Operations on whole rows: embeddings, gather and scatter, bias and column sums.

internal import CKernels

extension Device {
    /// `out` (N, C) = word[ids] + position[positions] + type[types].
    package func embeddingForward(
        _ out: FloatView, _ word: FloatView, _ position: FloatView, _ type: FloatView, ids: IndexView,
        positions: IndexView, types: IndexView, n: Int, c: Int
    ) {
        require(out, n * c, "out")
        require(ids, n, below: word.count / max(c, 1), "ids")
        require(positions, n, below: position.count / max(c, 1), "positions")
        require(types, n, below: type.count / max(c, 1), "types")
        unsafe kernels.embedding_forward(
            out.pointer, word.pointer, position.pointer, type.pointer, ids.pointer, positions.pointer, types.pointer,
            n, c)
    }

    /// `out` (n, C) = rows of `inp`, e.g. the masked positions or the `[CLS]` rows.
    package func gatherRows(_ out: FloatView, _ inp: FloatView, rows: IndexView, n: Int, c: Int) {
        require(out, n * c, "out")
        require(rows, n, below: inp.count / max(c, 1), "rows")
        unsafe kernels.gather_rows(out.pointer, inp.pointer, rows.pointer, n, c)
    }

    /// `dInp[rows[i]] += dOut[i]`, in the order of i; rows may repeat.
    package func scatterAddRows(_ dInp: FloatView, _ dOut: FloatView, rows: IndexView, n: Int, c: Int) {
        require(dOut, n * c, "dOut")
        require(rows, n, below: dInp.count / max(c, 1), "rows")
        unsafe kernels.scatter_add_rows(dInp.pointer, dOut.pointer, rows.pointer, n, c)
    }

    /// `x` (N, C) += bias (C), in place.
    package func addBias(_ x: FloatView, _ bias: FloatView, n: Int, c: Int) {
        require(x, n * c, "x")
        require(bias, c, "bias")
        unsafe kernels.add_bias(x.pointer, bias.pointer, n, c)
    }

    /// `dBias` (C) += the rows of `x` (N, C), in the order of N.
    package func sumRows(_ dBias: FloatView, _ x: FloatView, n: Int, c: Int) {
        require(dBias, c, "dBias")
        require(x, n * c, "x")
        unsafe kernels.sum_rows(dBias.pointer, x.pointer, n, c)
    }
}
