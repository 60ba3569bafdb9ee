// The heads of one slice, forward and backward: the MLM transform at masked positions only, whose decoder is in
// VocabularyHead.swift, and the relation head on the pooled [CLS].

import Kernels

/// What a slice's loss is divided by: counts of the whole batch, so that slices add up to the batch's mean.
struct LossScale: Equatable {
    /// Masked positions of the batch.
    var masked: Int
    /// Sequences of the batch.
    var sequences: Int
    var drpWeight: Float
}

/// Sums over a slice, not yet divided.
struct SliceLosses: Equatable {
    var mlm = 0.0
    var drp = 0.0
}

extension SlicePass {
    /// Backward of both heads and forward of the relation head, after `transformForward` and the decoder.
    ///
    /// Leaves the gradient of the hidden states in `workspace.gradientA` and adds the heads' parameter gradients to
    /// `gradients`.
    /// - Parameters:
    ///   - dNormed: (M, H), the gradient of `heads.normed`; overwritten.
    ///   - maskedLosses: (M).
    func headsBackward(
        _ gradients: Weights, _ scale: LossScale, dNormed: FloatView, maskedLosses: FloatView
    ) -> SliceLosses {
        device.fill(workspace.view(workspace.gradientA, input.headCount * h), 0)
        var losses = SliceLosses()
        if input.masked > 0 { transformBackward(gradients, dNormed) }
        losses.mlm = sum(maskedLosses)
        if let weight = weights.relation, let gradient = gradients.relation {
            losses.drp = relationBackward(weight, gradient, gradients.pooler, scale)
        }
        return losses
    }

    /// Rows of masked positions through the MLM transform: (M, H) in `heads.normed`; nil if there are none.
    @discardableResult
    func transformForward() -> FloatView? {
        let heads = workspace.heads
        let m = input.masked
        guard m > 0 else { return nil }
        let normed = workspace.view(heads.normed, m * h)
        let gathered = workspace.view(heads.gathered, m * h)
        let raw = workspace.view(heads.raw, m * h)
        let activated = workspace.view(heads.activated, m * h)
        device.gatherRows(gathered, hiddenStates, rows: input.maskedRows(0..<m), n: m, c: h)
        device.matmul(raw, gathered, weights.transform.weight, m: m, n: h, k: h, transposeB: true)
        device.biasGeluForward(activated, raw, weights.transform.bias, n: m, c: h)
        device.layerNormForward(
            normed, workspace.view(heads.mean, m), workspace.view(heads.rstd, m), activated,
            weights.transformNorm.weight, weights.transformNorm.bias, n: m, c: h, eps: eps)
        return normed
    }

    /// Blocks of masked positions whose logits are held at once, about equally long.
    var logitBlocks: [Range<Int>] {
        let count = (input.masked + Workspace.logitRows - 1) / Workspace.logitRows
        return (0..<count).map { input.masked * $0 / count..<input.masked * ($0 + 1) / count }
    }

    /// (rows, V): logits of a block without the decoder's bias, after `transformForward`; for evaluation.
    func logits(_ block: Range<Int>) -> FloatView {
        let rows = block.count
        let v = config.vocabSize
        let logits = workspace.view(workspace.heads.logits, rows * v)
        let normed = workspace.view(workspace.heads.normed, input.masked * h).slice(block.lowerBound * h, rows * h)
        device.matmul(logits, normed, weights.word, m: rows, n: v, k: h, transposeB: true)
        return logits
    }

    private func transformBackward(_ gradients: Weights, _ dNormed: FloatView) {
        let heads = workspace.heads
        let m = input.masked
        let dRaw = workspace.view(heads.dRaw, m * h)
        let raw = workspace.view(heads.raw, m * h)
        device.layerNormBackward(
            dRaw, gradients.transformNorm.weight, gradients.transformNorm.bias, dNormed,
            workspace.view(heads.activated, m * h), weights.transformNorm.weight, workspace.view(heads.mean, m),
            workspace.view(heads.rstd, m), n: m, c: h)
        device.biasGeluBackward(dRaw, gradients.transform.bias, dRaw, raw, weights.transform.bias, n: m, c: h)
        let gathered = workspace.view(heads.gathered, m * h)
        device.matmul(gradients.transform.weight, dRaw, gathered, m: h, n: h, k: m, transposeA: true, beta: 1)
        device.matmul(dNormed, dRaw, weights.transform.weight, m: m, n: h, k: h)
        device.scatterAddRows(
            workspace.view(workspace.gradientA, input.headCount * h), dNormed, rows: input.maskedRows(0..<m), n: m,
            c: h)
    }

    /// The pooled vectors, (S, H), into `heads.pooled`: tanh of a dense layer over every sequence's first row.
    func poolForward() -> FloatView {
        let heads = workspace.heads
        let s = input.sequences
        let cls = workspace.view(heads.cls, s * h)
        let raw = workspace.view(heads.pooledRaw, s * h)
        let pooled = workspace.view(heads.pooled, s * h)
        device.gatherRows(cls, hiddenStates, rows: input.firstRows, n: s, c: h)
        device.matmul(raw, cls, weights.pooler.weight, m: s, n: h, k: h, transposeB: true)
        device.tanhForward(pooled, raw, weights.pooler.bias, n: s, c: h)
        return pooled
    }

    /// (S, H): every sequence's first row of the hidden states, after `poolForward`.
    var classStates: FloatView { workspace.view(workspace.heads.cls, input.sequences * h) }

    /// (S, classes): relation logits without bias.
    func relationLogits(_ relation: Affine) -> FloatView {
        let s = input.sequences
        let classes = relation.bias.count
        let logits = workspace.view(workspace.heads.relationLogits, s * classes)
        device.matmul(logits, poolForward(), relation.weight, m: s, n: classes, k: h, transposeB: true)
        return logits
    }

    private func relationBackward(
        _ weight: Affine, _ gradient: Affine, _ poolerGradient: Affine, _ scale: LossScale
    ) -> Double {
        let heads = workspace.heads
        let s = input.sequences
        let classes = weight.bias.count
        let logits = relationLogits(weight)
        let losses = workspace.view(heads.relationLosses, s)
        device.softmaxCrossEntropy(
            losses, logits, bias: weight.bias, labels: input.relations, n: s, v: classes,
            scale: scale.drpWeight / Float(scale.sequences))
        let pooled = workspace.view(heads.pooled, s * h)
        let dPooled = workspace.view(heads.dPooled, s * h)
        device.sumRows(gradient.bias, logits, n: s, c: classes)
        device.matmul(gradient.weight, logits, pooled, m: classes, n: h, k: s, transposeA: true, beta: 1)
        device.matmul(dPooled, logits, weight.weight, m: s, n: h, k: classes)
        device.tanhBackward(dPooled, poolerGradient.bias, dPooled, pooled, n: s, c: h)
        let cls = workspace.view(heads.cls, s * h)
        let dCLS = workspace.view(heads.dCLS, s * h)
        device.matmul(poolerGradient.weight, dPooled, cls, m: h, n: h, k: s, transposeA: true, beta: 1)
        device.matmul(dCLS, dPooled, weights.pooler.weight, m: s, n: h, k: h)
        device.scatterAddRows(
            workspace.view(workspace.gradientA, input.headCount * h), dCLS, rows: input.firstRows, n: s, c: h)
        return sum(losses)
    }

    /// Losses added in order, in double precision.
    func sum(_ losses: FloatView) -> Double {
        var total = 0.0
        for index in 0..<losses.count { total += Double(losses[index]) }
        return total
    }
}
