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

    /// What `part` has in the loss of `x` (n, c) over a vocabulary, logits = x · wordᵀ + bias: the first of three steps, in
    /// which all parts may be at work at once. `labels` (n) are ids of the whole vocabulary.
    package func vocabularyForward(
        _ part: VocabularyPart, _ x: FloatView, _ word: FloatView, _ bias: FloatView, labels: IndexView, n: Int, c: Int
    ) {
        let (word, bias) = cut(part, word, bias, labels, n, c)
        require(x, n * c, "x")
        unsafe withUnsafePointer(to: part.pointers) { pointers in
            unsafe kernels.vocabulary_forward(
                pointers, x.pointer, word.pointer, bias.pointer, labels.pointer, n, part.words.lowerBound,
                part.words.count, c)
        }
    }

    /// The parts together: `losses` (n) = −log softmax(logits)[label] and `dX` (n, c) =, where the gradient of the logits
    /// is (softmax − onehot) · scale; `greatest` (n) and `factors` (n) are for the backward step.
    /// - Parameter parts: of one vocabulary, together all of it, after `vocabularyForward`; added in their order.
    package func vocabularyJoin(
        _ losses: FloatView, _ dX: FloatView, greatest: FloatView, factors: FloatView, _ parts: [VocabularyPart],
        _ word: FloatView, labels: IndexView, n: Int, c: Int, scale: Float
    ) {
        require(losses, n, "losses")
        require(dX, n * c, "dX")
        require(greatest, n, "greatest")
        require(factors, n, "factors")
        require(labels, n, below: word.count / max(c, 1), "labels")
        for part in parts { part.check(n, c) }
        let pointers = unsafe parts.map { unsafe $0.pointers }
        unsafe pointers.withUnsafeBufferPointer { pointers in
            guard let first = pointers.baseAddress else { preconditionFailure("vocabularyJoin: no parts") }
            unsafe kernels.vocabulary_join(
                losses.pointer, dX.pointer, greatest.pointer, factors.pointer, first, pointers.count, word.pointer,
                labels.pointer, n, c, scale)
        }
    }

    /// The part's share of the gradients: its words' rows of `dWord` (v, c) = or, where `adds`, +=, and of `dBias` (v) +=.
    /// - Parameters:
    ///   - part: as `vocabularyForward` left it.
    ///   - scale: as in `vocabularyJoin`.
    package func vocabularyBackward(
        _ dWord: FloatView, _ dBias: FloatView, _ part: VocabularyPart, greatest: FloatView, factors: FloatView,
        _ x: FloatView, _ word: FloatView, _ bias: FloatView, labels: IndexView, n: Int, c: Int, scale: Float,
        adds: Bool
    ) {
        let (word, bias) = cut(part, word, bias, labels, n, c)
        let (dWord, dBias) = cut(part, dWord, dBias, labels, n, c)
        require(greatest, n, "greatest")
        require(factors, n, "factors")
        require(x, n * c, "x")
        unsafe withUnsafePointer(to: part.pointers) { pointers in
            unsafe kernels.vocabulary_backward(
                dWord.pointer, dBias.pointer, pointers, greatest.pointer, factors.pointer, x.pointer, word.pointer,
                bias.pointer, labels.pointer, n, part.words.lowerBound, part.words.count, c, scale, adds)
        }
    }

    /// The part's rows of matrices over the vocabulary.
    private func cut(
        _ part: VocabularyPart, _ word: FloatView, _ bias: FloatView, _ labels: IndexView, _ n: Int, _ c: Int
    ) -> (FloatView, FloatView) {
        part.check(n, c)
        require(labels, n, below: word.count / max(c, 1), "labels")
        require(bias, word.count / max(c, 1), "bias")
        return (
            word.slice(part.words.lowerBound * c, part.words.count * c),
            bias.slice(part.words.lowerBound, part.words.count)
        )
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
