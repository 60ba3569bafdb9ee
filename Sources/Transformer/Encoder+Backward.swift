// The encoder, backward: from the gradient of the last hidden states to every parameter's gradient.

import Kernels

extension SlicePass {
    /// Adds the encoder's parameter gradients to `gradients`.
    ///
    /// `workspace.gradientA` holds the gradient of `hiddenStates`, (N, H), and is overwritten. `forward` of the same
    /// input and dropout must have run just before.
    func backward(_ gradients: Weights) {
        for layer in (0..<config.numHiddenLayers).reversed() {
            if layer < config.numHiddenLayers - 1 { restore(layer: layer) }
            backward(layer: layer, gradients.layers[layer])
        }
        let gradient = workspace.view(workspace.gradientA, n * h)
        let stream = dropout.stream(layer: 0, .embeddings)
        if stream.rate > 0 { device.dropout(gradient, gradient, n: n * h, dropout: stream) }
        let dSum = workspace.view(workspace.gradientB, n * h)
        device.layerNormBackward(
            dSum, gradients.embeddingNorm.weight, gradients.embeddingNorm.bias, gradient,
            workspace.view(workspace.embeddingSum, n * h), weights.embeddingNorm.weight,
            workspace.view(workspace.embeddingMean, n), workspace.view(workspace.embeddingRstd, n), n: n, c: h)
        device.embeddingBackward(
            gradients.word, gradients.position, gradients.type, dSum, ids: input.ids, positions: input.positions,
            types: input.types, n: n, c: h)
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
        let x = layerInput(layer)
        let dOut = workspace.view(workspace.gradientA, n * h)
        let dProduct = workspace.view(workspace.product, n * h)
        let dAttentionOut = workspace.view(workspace.gradientB, n * h)
        let attentionOut = workspace.view(workspace.attentionOut, n * h)
        let activated = workspace.view(workspace.activated, n * i)

        device.residualLayerNormBackward(
            dProduct, g.output.bias, dAttentionOut, g.outputNorm.weight, g.outputNorm.bias, dOut,
            workspace.view(regions.outputSum, n * h), w.outputNorm.weight, workspace.view(regions.outputMean, n),
            workspace.view(regions.outputRstd, n), n: n, c: h, dropout: dropout.stream(layer: layer + 1, .output))
        let dActivated = workspace.view(workspace.wide, n * i)
        device.matmul(dActivated, dProduct, w.output.weight, m: n, n: i, k: h)
        device.biasGeluBackward(
            dActivated, g.intermediate.bias, dActivated, workspace.view(regions.raw, n * i), w.intermediate.bias,
            n: n, c: i, activated: activated)
        device.matmul(g.output.weight, dProduct, activated, m: h, n: i, k: n, transposeA: true, beta: 1)
        device.matmul(g.intermediate.weight, dActivated, attentionOut, m: i, n: h, k: n, transposeA: true, beta: 1)
        device.matmul(dAttentionOut, dActivated, w.intermediate.weight, m: n, n: h, k: i, beta: 1)

        let dX = workspace.view(workspace.gradientA, n * h)
        device.residualLayerNormBackward(
            dProduct, g.attentionOutput.bias, dX, g.attentionNorm.weight, g.attentionNorm.bias, dAttentionOut,
            workspace.view(regions.attentionSum, n * h), w.attentionNorm.weight,
            workspace.view(regions.attentionMean, n), workspace.view(regions.attentionRstd, n), n: n, c: h,
            dropout: dropout.stream(layer: layer + 1, .attentionOutput))
        let context = workspace.view(regions.context, n * h)
        device.matmul(g.attentionOutput.weight, dProduct, context, m: h, n: h, k: n, transposeA: true, beta: 1)
        let dContext = workspace.view(workspace.gradientB, n * h)
        device.matmul(dContext, dProduct, w.attentionOutput.weight, m: n, n: h, k: h)
        let dQKV = workspace.view(workspace.wide, n * 3 * h)
        device.attentionBackward(
            dQKV, dContext, context, workspace.view(regions.logSumExp, n * config.numAttentionHeads),
            workspace.view(regions.qkv, n * 3 * h), offsets: input.offsets, sequences: input.sequences,
            heads: config.numAttentionHeads, headSize: config.headSize,
            dropout: dropout.stream(layer: layer + 1, .attentionProbabilities), scratch: attentionScratch)
        device.sumRows(g.qkv.bias, dQKV, n: n, c: 3 * h)
        device.matmul(g.qkv.weight, dQKV, x, m: 3 * h, n: h, k: n, transposeA: true, beta: 1)
        device.matmul(dX, dQKV, w.qkv.weight, m: n, n: h, k: 3 * h, beta: 1)
    }
}
