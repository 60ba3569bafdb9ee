// Softmax cross-entropy over the vocabulary or the relations.

internal import CKernels

extension Device {
    /// `losses` (n) = −log softmax(logits + bias)[label]; `logits` (n, v) become (softmax − onehot) · scale.
    /// - Parameter bias: (v), added first; its gradient is the column sums of `logits` afterwards.
    package func softmaxCrossEntropy(
        _ losses: FloatView, _ logits: FloatView, bias: FloatView?, labels: IndexView, n: Int, v: Int, scale: Float
    ) {
        require(losses, n, "losses")
        require(logits, n * v, "logits")
        require(labels, n, below: v, "labels")
        if let bias { require(bias, v, "bias") }
        unsafe kernels.softmax_cross_entropy(
            losses.pointer, logits.pointer, bias?.pointer, labels.pointer, n, v, scale)
    }

    /// The losses alone, and `predicted` (n) = the id with the greatest logit (the lowest of equals). `logits` are
    /// only read.
    package func softmaxCrossEntropyForward(
        _ losses: FloatView, predicted: IndexView, _ logits: FloatView, bias: FloatView?, labels: IndexView, n: Int,
        v: Int
    ) {
        require(losses, n, "losses")
        require(logits, n * v, "logits")
        require(labels, n, below: v, "labels")
        require(predicted, n, "predicted")
        if let bias { require(bias, v, "bias") }
        unsafe kernels.softmax_cross_entropy_forward(
            losses.pointer, predicted.pointer, logits.pointer, bias?.pointer, labels.pointer, n, v)
    }
}
