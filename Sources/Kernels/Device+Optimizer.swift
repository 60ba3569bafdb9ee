// The optimiser's step and the small loops over flat buffers around it.

internal import CKernels

extension Device {
    /// One AdamW step: `g = grad · gradScale`, the moments, `p −= lr · weightDecay · p`,
    /// `p −= lr · (m / biasCorrection1) / (√(v / biasCorrection2) + eps)`.
    /// - Parameters: `biasCorrection1`, `biasCorrection2`: 1 − βᵗ, or 1 for BERT's own Adam, which has none.
    /// - Source: Loshchilov & Hutter 2019 (arXiv 1711.05101), decay as in torch.optim.AdamW.
    package func adamW(
        _ param: FloatView, _ grad: FloatView, _ m: FloatView, _ v: FloatView, count: Int, lr: Float, beta1: Float,
        beta2: Float, eps: Float, weightDecay: Float, biasCorrection1: Float, biasCorrection2: Float,
        gradScale: Float
    ) {
        require(param, count, "param")
        require(grad, count, "grad")
        require(m, count, "m")
        require(v, count, "v")
        let settings = ck_adamw(
            learning_rate: lr, beta1: beta1, beta2: beta2, epsilon: eps, weight_decay: weightDecay,
            bias_correction1: biasCorrection1, bias_correction2: biasCorrection2, grad_scale: gradScale)
        unsafe kernels.adamw_step(param.pointer, grad.pointer, m.pointer, v.pointer, count, settings)
    }

    /// Σ x² in sixteen fixed lanes of double: the same bits in every variant.
    package func sumOfSquares(_ x: FloatView) -> Double { unsafe kernels.sum_of_squares(x.pointer, x.count) }

    /// `dst += src`, which must have the same count.
    package func add(_ dst: FloatView, _ src: FloatView) {
        precondition(dst.count == src.count, "add: \(src.count) floats to \(dst.count)")
        unsafe kernels.add(dst.pointer, src.pointer, dst.count)
    }

    /// `x *= factor`.
    package func scale(_ x: FloatView, by factor: Float) { unsafe kernels.scale(x.pointer, x.count, factor) }

    /// Every element of `x` = `value`.
    package func fill(_ x: FloatView, _ value: Float) { unsafe x.pointer.update(repeating: value, count: x.count) }

    /// Whether no element is infinite or NaN.
    package func isFinite(_ x: FloatView) -> Bool { unsafe kernels.is_finite(x.pointer, x.count) }
}
