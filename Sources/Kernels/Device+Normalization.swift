// Layer normalisation, alone and fused with the bias, dropout and residual that stand before it in a BERT layer.

internal import CKernels

extension Device {
    /// `out = (inp − mean) · rstd · weight + bias` over the last axis.
    /// - Parameters: `out`: (N, C), must not overlap `inp`. `mean`, `rstd`: (N), written, kept for backward.
    /// - Source: Ba, Kiros & Hinton 2016 (arXiv 1607.06450); `eps` 1e-12 in BERT.
    package func layerNormForward(
        _ out: FloatView, _ mean: FloatView, _ rstd: FloatView, _ inp: FloatView, _ weight: FloatView,
        _ bias: FloatView, n: Int, c: Int, eps: Float
    ) {
        require(out, n * c, "out")
        require(inp, n * c, "inp")
        require(mean, n, "mean")
        require(rstd, n, "rstd")
        require(weight, c, "weight")
        require(bias, c, "bias")
        unsafe kernels.layer_norm_forward(
            out.pointer, mean.pointer, rstd.pointer, inp.pointer, weight.pointer, bias.pointer, n, c, eps)
    }

    /// `dInp` (N, C) =, `dWeight` and `dBias` (C) +=. `dInp` may be `dOut`.
    package func layerNormBackward(
        _ dInp: FloatView, _ dWeight: FloatView, _ dBias: FloatView, _ dOut: FloatView, _ inp: FloatView,
        _ weight: FloatView, _ mean: FloatView, _ rstd: FloatView, n: Int, c: Int
    ) {
        require(dInp, n * c, "dInp")
        require(dWeight, c, "dWeight")
        require(dBias, c, "dBias")
        require(dOut, n * c, "dOut")
        require(inp, n * c, "inp")
        require(weight, c, "weight")
        require(mean, n, "mean")
        require(rstd, n, "rstd")
        unsafe kernels.layer_norm_backward(
            dInp.pointer, dWeight.pointer, dBias.pointer, dOut.pointer, inp.pointer, weight.pointer, mean.pointer,
            rstd.pointer, n, c)
    }

    /// `sum = residual + dropout(x + xBias)`; `out` = layer norm of `sum`. All (N, C); the dropout element is
    /// (row, channel). `sum`, `mean`, `rstd` are kept for backward; `out` and `sum` must not overlap the others.
    package func residualLayerNormForward(
        _ out: FloatView, _ sum: FloatView, _ mean: FloatView, _ rstd: FloatView, _ x: FloatView,
        _ xBias: FloatView, _ residual: FloatView, _ weight: FloatView, _ bias: FloatView, n: Int, c: Int,
        eps: Float, dropout: DropoutStream
    ) {
        require(out, n * c, "out")
        require(sum, n * c, "sum")
        require(mean, n, "mean")
        require(rstd, n, "rstd")
        require(x, n * c, "x")
        require(xBias, c, "xBias")
        require(residual, n * c, "residual")
        require(weight, c, "weight")
        require(bias, c, "bias")
        unsafe kernels.residual_layer_norm_forward(
            out.pointer, sum.pointer, mean.pointer, rstd.pointer, x.pointer, xBias.pointer, residual.pointer,
            weight.pointer, bias.pointer, n, c, eps, dropout.settings)
    }

    /// `dResidual` (N, C) = the gradient of `sum`, `dX` (N, C) = that through dropout; `dXBias`, `dWeight`,
    /// `dBias` (C) +=. One of `dX` and `dResidual` may be `dOut`.
    package func residualLayerNormBackward(
        _ dX: FloatView, _ dXBias: FloatView, _ dResidual: FloatView, _ dWeight: FloatView, _ dBias: FloatView,
        _ dOut: FloatView, _ sum: FloatView, _ weight: FloatView, _ mean: FloatView, _ rstd: FloatView, n: Int,
        c: Int, dropout: DropoutStream
    ) {
        require(dX, n * c, "dX")
        require(dXBias, c, "dXBias")
        require(dResidual, n * c, "dResidual")
        require(dWeight, c, "dWeight")
        require(dBias, c, "dBias")
        require(dOut, n * c, "dOut")
        require(sum, n * c, "sum")
        require(weight, c, "weight")
        require(mean, n, "mean")
        require(rstd, n, "rstd")
        unsafe kernels.residual_layer_norm_backward(
            dX.pointer, dXBias.pointer, dResidual.pointer, dWeight.pointer, dBias.pointer, dOut.pointer,
            sum.pointer, weight.pointer, mean.pointer, rstd.pointer, n, c, dropout.settings)
    }
}
