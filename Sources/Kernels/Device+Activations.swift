// Element-wise operations with their bias: GELU, tanh, dropout.

internal import CKernels

extension Device {
    /// `out[i]` = `inp[i]` dropped out, i < n. Its own backward with the same stream; `out` may be `inp`.
    package func dropout(_ out: FloatView, _ inp: FloatView, n: Int, dropout: DropoutStream) {
        require(out, n, "out")
        require(inp, n, "inp")
        unsafe kernels.dropout_forward(out.pointer, inp.pointer, n, dropout.settings)
    }

    /// `out` (N, C) = gelu(x + bias), the exact (erf) form; `x` keeps the raw product for backward.
    /// - Source: Hendrycks & Gimpel 2016 (arXiv 1606.08415); "gelu" of Hugging Face, not the tanh form.
    package func biasGeluForward(_ out: FloatView, _ x: FloatView, _ bias: FloatView, n: Int, c: Int) {
        require(out, n * c, "out")
        require(x, n * c, "x")
        require(bias, c, "bias")
        unsafe kernels.bias_gelu_forward(out.pointer, x.pointer, bias.pointer, n, c)
    }

    /// `dX` (N, C) = dOut · gelu′(x + bias); `dBias` (C) += its rows. `dX` may be `dOut`.
    /// - Parameter activated: (N, C), written with what forward made, to the bit; forward's own need not be kept.
    package func biasGeluBackward(
        _ dX: FloatView, _ dBias: FloatView, _ dOut: FloatView, _ x: FloatView, _ bias: FloatView, n: Int, c: Int,
        activated: FloatView? = nil
    ) {
        if let activated { require(activated, n * c, "activated") }
        require(dX, n * c, "dX")
        require(dBias, c, "dBias")
        require(dOut, n * c, "dOut")
        require(x, n * c, "x")
        require(bias, c, "bias")
        unsafe kernels.bias_gelu_backward(
            dX.pointer, dBias.pointer, activated?.pointer, dOut.pointer, x.pointer, bias.pointer, n, c)
    }

    /// `out` (N, C) = tanh(x + bias): the pooler. `out` may be `x`.
    package func tanhForward(_ out: FloatView, _ x: FloatView, _ bias: FloatView, n: Int, c: Int) {
        require(out, n * c, "out")
        require(x, n * c, "x")
        require(bias, c, "bias")
        unsafe kernels.bias_tanh_forward(out.pointer, x.pointer, bias.pointer, n, c)
    }

    /// `dX` (N, C) = dOut · (1 − out²); `dBias` (C) += its rows. `dX` may be `dOut`.
    package func tanhBackward(
        _ dX: FloatView, _ dBias: FloatView, _ dOut: FloatView, _ out: FloatView, n: Int, c: Int
    ) {
        require(dX, n * c, "dX")
        require(dBias, c, "dBias")
        require(dOut, n * c, "dOut")
        require(out, n * c, "out")
        unsafe kernels.bias_tanh_backward(dX.pointer, dBias.pointer, dOut.pointer, out.pointer, n, c)
    }
}
