// The heads without backward: losses, predictions and logits, for validation, evaluation and filling masks.

import Kernels

extension SlicePass {
    /// Losses (nats) and most likely ids at the slice's masked positions, in order. After `forward`.
    func maskedPredictions(_ emit: (_ index: Int, _ loss: Float, _ predicted: Int32) -> Void) {
        guard input.masked > 0 else { return }
        transformForward()
        let losses = workspace.view(workspace.heads.maskedLosses, input.masked)
        for block in logitBlocks {
            let predicted = input.predicted(block)
            device.softmaxCrossEntropyForward(
                losses.slice(block.lowerBound, block.count), predicted: predicted, logits(block),
                bias: weights.decoderBias, labels: input.maskedLabels(block), n: block.count, v: config.vocabSize)
            for (offset, index) in block.enumerated() { emit(index, losses[index], predicted[offset]) }
        }
    }

    /// Logits over the whole vocabulary, biases added, at every masked position in order. After `forward`.
    func maskedLogits(_ emit: (_ index: Int, _ logits: [Float]) -> Void) {
        guard input.masked > 0 else { return }
        transformForward()
        let v = config.vocabSize
        for block in logitBlocks {
            let logits = logits(block)
            device.addBias(logits, weights.decoderBias, n: block.count, c: v)
            for (offset, index) in block.enumerated() { emit(index, logits.slice(offset * v, v).read()) }
        }
    }

    /// Relation logits with their bias, (S, classes) row-major; nil without a relation head. After `forward`.
    func relationPredictions() -> [Float]? {
        guard let relation = weights.relation else { return nil }
        let logits = relationLogits(relation)
        device.addBias(logits, relation.bias, n: input.sequences, c: relation.bias.count)
        return logits.read()
    }

    /// Relation losses (nats) and predicted classes, in order of sequence. After `forward`.
    func relationLosses(_ emit: (_ sequence: Int, _ loss: Float, _ predicted: Int32) -> Void) {
        guard let relation = weights.relation else { return }
        let s = input.sequences
        let losses = workspace.view(workspace.heads.relationLosses, s)
        let predicted = input.predicted(0..<s)
        device.softmaxCrossEntropyForward(
            losses, predicted: predicted, relationLogits(relation), bias: relation.bias, labels: input.relations,
            n: s, v: relation.bias.count)
        for sequence in 0..<s { emit(sequence, losses[sequence], predicted[sequence]) }
    }
}
