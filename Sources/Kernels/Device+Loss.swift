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

    /// Floats of scratch that `vocabularyLoss` needs for at most `n` rows.
    package static func scratchCount(vocabularyRows n: Int, v: Int, c: Int) -> Int {
        precondition(n >= 0 && v > 0 && c > 0, "scratchCount: \(n) rows, \(v) words of \(c)")
        return ck_vocabulary_scratch(n, v, c)
    }

    /// Softmax cross-entropy of `x` (n, c) over the words, logits = x · wordᵀ + bias, and all its gradients, a block of
    /// words at a time: `losses` (n), `dX` (n, c) =, `dBias` (v) +=, `dWord` (v, c) = or, where `adds`, +=; the gradient
    /// of the logits is (softmax − onehot) · scale.
    package func vocabularyLoss(
        _ losses: FloatView, _ dX: FloatView, _ dWord: FloatView, _ dBias: FloatView, _ x: FloatView,
        _ word: FloatView, _ bias: FloatView, labels: IndexView, n: Int, v: Int, c: Int, scale: Float, adds: Bool,
        scratch: FloatView
    ) {
        require(losses, n, "losses")
        require(dX, n * c, "dX")
        require(dWord, v * c, "dWord")
        require(dBias, v, "dBias")
        require(x, n * c, "x")
        require(word, v * c, "word")
        require(bias, v, "bias")
        require(labels, n, below: v, "labels")
        require(scratch, Self.scratchCount(vocabularyRows: n, v: v, c: c), "scratch")
        unsafe kernels.vocabulary_loss(
            losses.pointer, dX.pointer, dWord.pointer, dBias.pointer, x.pointer, word.pointer, bias.pointer,
            labels.pointer, n, v, c, scale, adds, scratch.pointer)
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
