// The encoder, backward: from the gradient of the last hidden states to every parameter's gradient.

import Kernels

extension SlicePass {
    /// Adds the encoder's parameter gradients to `gradients`, but for those of the word embeddings: see `wordBackward`.
    ///
    /// `workspace.gradientA` holds the gradient of `hiddenStates`, (R, H), and is overwritten. `forward` of the same
    /// input and dropout must have run just before.
    func backward(_ gradients: Weights) {
        for layer in (0..<config.numHiddenLayers).reversed() {
            if layer < config.numHiddenLayers - 1 { restore(layer: layer) }
            backward(layer: layer, gradients.layers[layer])
        }
        let gradient = workspace.view(workspace.gradientA, n * h)
        let stream = dropout.stream(layer: 0, .embeddings)
        if stream.rate > 0 { device.dropout(gradient, gradient, n: n * h, dropout: stream) }
        let dSum = embeddingGradient
        device.layerNormBackward(
            dSum, gradients.embeddingNorm.weight, gradients.embeddingNorm.bias, gradient,
            workspace.view(workspace.embeddingSum, n * h), weights.embeddingNorm.weight,
            workspace.view(workspace.embeddingMean, n), workspace.view(workspace.embeddingRstd, n), n: n, c: h)
        device.scatterAddRows(gradients.position, dSum, rows: input.positions, n: n, c: h)
        device.scatterAddRows(gradients.type, dSum, rows: input.types, n: n, c: h)
    }

    /// (N, H): the gradient of the sum of embeddings, after `backward`.
    private var embeddingGradient: FloatView { workspace.view(workspace.gradientB, n * h) }

    /// Adds the slice's gradient of the word embeddings, after `backward`, to one that all slices share.
    func wordBackward(_ word: FloatView) {
        device.scatterAddRows(word, embeddingGradient, rows: input.ids, n: n, c: h)
    }

    /// What forward made of the sums that it kept: the layer's input and the output of its attention. The last layer's
    /// are still there.
    private func restore(layer: Int) {
        if layer == 0 {
            normaliseEmbeddings()
        } else {
            let before = workspace.layers[layer - 1]
            normalise(
                layerInput(layer), before.outputSum, before.outputMean, before.outputRstd,
                weights.layers[layer - 1].outputNorm)
        }
        let regions = workspace.layers[layer]
        normalise(
            workspace.view(workspace.attentionOut, n * h), regions.attentionSum, regions.attentionMean,
            regions.attentionRstd, weights.layers[layer].attentionNorm)
    }

    private func normalise(_ out: FloatView, _ sum: Region, _ mean: Region, _ rstd: Region, _ norm: Affine) {
        device.layerNormForward(
            out, workspace.view(mean, n), workspace.view(rstd, n), workspace.view(sum, n * h), norm.weight, norm.bias,
            n: n, c: h, eps: eps)
    }

    /// Reads the gradient of the layer's output from `gradientA` and leaves there that of its input.
    private func backward(layer: Int, _ g: LayerWeights) {
        let w = weights.layers[layer]
        let regions = workspace.layers[layer]
        let i = config.intermediateSize
        let r = rows(of: layer)
        let dOut = workspace.view(workspace.gradientA, r * h)
        let dProduct = workspace.view(workspace.product, r * h)
        let dAttentionOut = workspace.view(workspace.gradientB, r * h)
        let attentionOut = workspace.view(workspace.attentionOut, r * h)
        let activated = workspace.view(workspace.activated, r * i)

        device.residualLayerNormBackward(
            dProduct, g.output.bias, dAttentionOut, g.outputNorm.weight, g.outputNorm.bias, dOut,
            workspace.view(regions.outputSum, r * h), w.outputNorm.weight, workspace.view(regions.outputMean, r),
            workspace.view(regions.outputRstd, r), n: r, c: h, dropout: dropout.stream(layer: layer + 1, .output))
        let dActivated = workspace.view(workspace.wide, r * i)
        device.matmul(dActivated, dProduct, w.output.weight, m: r, n: i, k: h)
        device.biasGeluBackward(
            dActivated, g.intermediate.bias, dActivated, workspace.view(regions.raw, r * i), w.intermediate.bias,
            n: r, c: i, activated: activated)
        device.matmul(g.output.weight, dProduct, activated, m: h, n: i, k: r, transposeA: true, beta: 1)
        device.matmul(g.intermediate.weight, dActivated, attentionOut, m: i, n: h, k: r, transposeA: true, beta: 1)
        device.matmul(dAttentionOut, dActivated, w.intermediate.weight, m: r, n: h, k: i, beta: 1)

        // Of the heads' rows only, what flows past attention is added to the gradient of the layer's input at the end.
        let dResidual = isOfHeadRows(layer) ? attentionOut : workspace.view(workspace.gradientA, n * h)
        device.residualLayerNormBackward(
            dProduct, g.attentionOutput.bias, dResidual, g.attentionNorm.weight, g.attentionNorm.bias, dAttentionOut,
            workspace.view(regions.attentionSum, r * h), w.attentionNorm.weight,
            workspace.view(regions.attentionMean, r), workspace.view(regions.attentionRstd, r), n: r, c: h,
            dropout: dropout.stream(layer: layer + 1, .attentionOutput))
        let context = workspace.view(regions.context, r * h)
        device.matmul(g.attentionOutput.weight, dProduct, context, m: h, n: h, k: r, transposeA: true, beta: 1)
        let dContext = workspace.view(workspace.gradientB, r * h)
        device.matmul(dContext, dProduct, w.attentionOutput.weight, m: r, n: h, k: h)
        let (queries, keys) = attentionViews(layer, regions.qkv)
        let (dQueries, dKeys) = attentionViews(layer, workspace.wide)
        device.attentionBackward(
            dQueries: dQueries, dKeys: dKeys, dContext, context,
            workspace.view(regions.logSumExp, r * config.numAttentionHeads), queries: queries, keys: keys,
            attentionRows(layer), dropout: dropout.stream(layer: layer + 1, .attentionProbabilities),
            scratch: attentionScratch)
        projectBackward(layer, w, g, dResidual)
    }

    /// From the gradients of queries, keys and values in `wide` to those of the parameters and, in `gradientA`, of the
    /// layer's input. `dResidual`: its share past attention, (R, H); overwritten.
    private func projectBackward(_ layer: Int, _ w: LayerWeights, _ g: LayerWeights, _ dResidual: FloatView) {
        let x = layerInput(layer)
        guard isOfHeadRows(layer) else {
            let dQKV = workspace.view(workspace.wide, n * 3 * h)
            device.sumRows(g.qkv.bias, dQKV, n: n, c: 3 * h)
            device.matmul(g.qkv.weight, dQKV, x, m: 3 * h, n: h, k: n, transposeA: true, beta: 1)
            return device.matmul(dResidual, dQKV, w.qkv.weight, m: n, n: h, k: 3 * h, beta: 1)
        }
        let r = input.headCount
        let asking = workspace.view(workspace.asking, r * h)
        let (dQueries, dKeys) = attentionViews(layer, workspace.wide)
        device.sumRows(g.query.bias, dQueries, n: r, c: h)
        device.sumRows(g.keyValue.bias, dKeys, n: n, c: 2 * h)
        device.matmul(g.query.weight, dQueries, asking, m: h, n: h, k: r, transposeA: true, beta: 1)
        device.matmul(g.keyValue.weight, dKeys, x, m: 2 * h, n: h, k: n, transposeA: true, beta: 1)
        device.matmul(dResidual, dQueries, w.query.weight, m: r, n: h, k: h, beta: 1)
        let dX = workspace.view(workspace.gradientA, n * h)
        device.matmul(dX, dKeys, w.keyValue.weight, m: n, n: h, k: 2 * h)
        device.scatterAddRows(dX, dResidual, rows: input.headRows, n: r, c: h)
    }
}
