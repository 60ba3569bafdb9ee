// The BERT encoder over packed sequences, forward. Sequences lie end to end without padding; attention runs inside each.
// Source: Devlin et al. 2019 (arXiv 1810.04805) and google-research/bert `modeling.py`, with the exact (erf) GELU.

import Kernels

/// Where dropout acts, as in BERT.
enum DropoutSite: UInt64 {
    case embeddings = 0, attentionProbabilities, attentionOutput, output
}

/// The dropout streams of one slice in one step; every site of every layer has its own seed.
struct DropoutKeys {
    private let key: RandomKey?
    private let hidden: Float
    private let attention: Float

    /// No dropout: prediction and validation.
    static let off = DropoutKeys(key: nil, hidden: 0, attention: 0)

    private init(key: RandomKey?, hidden: Float, attention: Float) {
        self.key = key
        self.hidden = hidden
        self.attention = attention
    }

    init(seed: UInt64, step: Int, slice: Int, config: BertConfig) {
        key = RandomKey(seed: seed).adding("dropout").adding(UInt64(step)).adding(UInt64(slice))
        hidden = Float(config.hiddenDropoutProb)
        attention = Float(config.attentionProbsDropoutProb)
    }

    /// - Parameter layer: 0 for the embeddings, then 1, 2, …
    func stream(layer: Int, _ site: DropoutSite) -> DropoutStream {
        guard let key else { return .off }
        let rate = site == .attentionProbabilities ? attention : hidden
        return DropoutStream(seed: key.adding(UInt64(layer)).adding(site.rawValue).value, rate: rate)
    }
}

/// One pass of the model over one slice: parameters, memory and input together.
///
/// N tokens, S sequences, H hidden, I intermediate size, NH heads. Forward leaves in the workspace what backward reads.
struct SlicePass {
    let device: Device
    let config: BertConfig
    let weights: Weights
    let workspace: Workspace
    let input: SliceInput
    let dropout: DropoutKeys

    var n: Int { input.tokens }
    var h: Int { config.hiddenSize }
    var eps: Float { Float(config.layerNormEps) }

    /// (N, H): what the layer reads, until the layer after the next has been run.
    func layerInput(_ layer: Int) -> FloatView {
        workspace.view(layer % 2 == 0 ? workspace.evenInput : workspace.oddInput, n * h)
    }

    /// (N, H): the encoder's last hidden states, valid after `forward` until `backward`.
    var hiddenStates: FloatView { layerInput(config.numHiddenLayers) }

    func forward() {
        device.embeddingForward(
            workspace.view(workspace.embeddingSum, n * h), weights.word, weights.position, weights.type, ids: input.ids,
            positions: input.positions, types: input.types, n: n, c: h)
        normaliseEmbeddings()
        for layer in 0..<config.numHiddenLayers { forward(layer: layer) }
    }

    /// The first layer's input, from the sums of embeddings.
    func normaliseEmbeddings() {
        let out = layerInput(0)
        device.layerNormForward(
            out, workspace.view(workspace.embeddingMean, n), workspace.view(workspace.embeddingRstd, n),
            workspace.view(workspace.embeddingSum, n * h), weights.embeddingNorm.weight, weights.embeddingNorm.bias,
            n: n, c: h, eps: eps)
        let stream = dropout.stream(layer: 0, .embeddings)
        if stream.rate > 0 { device.dropout(out, out, n: n * h, dropout: stream) }
    }

    private func forward(layer: Int) {
        let w = weights.layers[layer]
        let regions = workspace.layers[layer]
        let i = config.intermediateSize
        let x = layerInput(layer)
        let qkv = workspace.view(regions.qkv, n * 3 * h)
        let context = workspace.view(regions.context, n * h)
        let product = workspace.view(workspace.product, n * h)
        let attentionOut = workspace.view(workspace.attentionOut, n * h)

        device.matmul(qkv, x, w.qkv.weight, bias: w.qkv.bias, m: n, n: 3 * h, k: h, transposeB: true)
        device.attentionForward(
            context, workspace.view(regions.logSumExp, n * config.numAttentionHeads), qkv, offsets: input.offsets,
            sequences: input.sequences, heads: config.numAttentionHeads, headSize: config.headSize,
            dropout: dropout.stream(layer: layer + 1, .attentionProbabilities), scratch: attentionScratch)
        device.matmul(product, context, w.attentionOutput.weight, m: n, n: h, k: h, transposeB: true)
        device.residualLayerNormForward(
            attentionOut, workspace.view(regions.attentionSum, n * h), workspace.view(regions.attentionMean, n),
            workspace.view(regions.attentionRstd, n), product, w.attentionOutput.bias, x, w.attentionNorm.weight,
            w.attentionNorm.bias, n: n, c: h, eps: eps, dropout: dropout.stream(layer: layer + 1, .attentionOutput))

        let raw = workspace.view(regions.raw, n * i)
        let activated = workspace.view(workspace.activated, n * i)
        device.matmul(raw, attentionOut, w.intermediate.weight, m: n, n: i, k: h, transposeB: true)
        device.biasGeluForward(activated, raw, w.intermediate.bias, n: n, c: i)
        device.matmul(product, activated, w.output.weight, m: n, n: h, k: i, transposeB: true)
        device.residualLayerNormForward(
            layerInput(layer + 1), workspace.view(regions.outputSum, n * h),
            workspace.view(regions.outputMean, n), workspace.view(regions.outputRstd, n), product, w.output.bias,
            attentionOut, w.outputNorm.weight, w.outputNorm.bias, n: n, c: h, eps: eps,
            dropout: dropout.stream(layer: layer + 1, .output))
    }

    var attentionScratch: FloatView {
        workspace.view(workspace.attentionScratch, workspace.attentionScratch.capacity)
    }
}
