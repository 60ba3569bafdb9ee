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
///
/// Nothing but the heads reads what the last layer makes, so it makes only their R rows (`[CLS]` and masked positions):
/// keys and values of all tokens, but queries, dense layers and LayerNorm of R. The same numbers as of all rows, and for
/// a model of two layers a fifth of the work less.
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
    func layerInput(_ layer: Int) -> FloatView { states(before: layer, rows: n) }

    /// (R, H): the encoder's last hidden states, of `input.headRows` or of every token, valid after `forward` until
    /// `backward`.
    var hiddenStates: FloatView { states(before: config.numHiddenLayers, rows: input.headCount) }

    private func states(before layer: Int, rows: Int) -> FloatView {
        workspace.view(layer % 2 == 0 ? workspace.evenInput : workspace.oddInput, rows * h)
    }

    /// Whether the layer makes the heads' rows only.
    func isOfHeadRows(_ layer: Int) -> Bool { layer == config.numHiddenLayers - 1 && !input.capacity.everyRow }

    /// Rows that the layer makes.
    func rows(of layer: Int) -> Int { isOfHeadRows(layer) ? input.headCount : n }

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
        let r = rows(of: layer)
        let context = workspace.view(regions.context, r * h)
        let product = workspace.view(workspace.product, r * h)
        let attentionOut = workspace.view(workspace.attentionOut, r * h)

        let residual = projectForward(layer, w)
        let (queries, keys) = attentionViews(layer, regions.qkv)
        device.attentionForward(
            context, workspace.view(regions.logSumExp, r * config.numAttentionHeads), queries: queries, keys: keys,
            attentionRows(layer), dropout: dropout.stream(layer: layer + 1, .attentionProbabilities),
            scratch: attentionScratch)
        device.matmul(product, context, w.attentionOutput.weight, m: r, n: h, k: h, transposeB: true)
        device.residualLayerNormForward(
            attentionOut, workspace.view(regions.attentionSum, r * h), workspace.view(regions.attentionMean, r),
            workspace.view(regions.attentionRstd, r), product, w.attentionOutput.bias, residual,
            w.attentionNorm.weight, w.attentionNorm.bias, n: r, c: h, eps: eps,
            dropout: dropout.stream(layer: layer + 1, .attentionOutput))

        let raw = workspace.view(regions.raw, r * i)
        let activated = workspace.view(workspace.activated, r * i)
        device.matmul(raw, attentionOut, w.intermediate.weight, m: r, n: i, k: h, transposeB: true)
        device.biasGeluForward(activated, raw, w.intermediate.bias, n: r, c: i)
        device.matmul(product, activated, w.output.weight, m: r, n: h, k: i, transposeB: true)
        device.residualLayerNormForward(
            states(before: layer + 1, rows: r), workspace.view(regions.outputSum, r * h),
            workspace.view(regions.outputMean, r), workspace.view(regions.outputRstd, r), product, w.output.bias,
            attentionOut, w.outputNorm.weight, w.outputNorm.bias, n: r, c: h, eps: eps,
            dropout: dropout.stream(layer: layer + 1, .output))
    }

    /// Queries, keys and values of a layer; returns the rows of its input that ask, (R, H).
    private func projectForward(_ layer: Int, _ w: LayerWeights) -> FloatView {
        let x = layerInput(layer)
        let region = workspace.layers[layer].qkv
        guard isOfHeadRows(layer) else {
            let qkv = workspace.view(region, n * 3 * h)
            device.matmul(qkv, x, w.qkv.weight, bias: w.qkv.bias, m: n, n: 3 * h, k: h, transposeB: true)
            return x
        }
        let r = input.headCount
        let asking = workspace.view(workspace.asking, r * h)
        let (queries, keys) = attentionViews(layer, region)
        device.gatherRows(asking, x, rows: input.headRows, n: r, c: h)
        device.matmul(queries, asking, w.query.weight, bias: w.query.bias, m: r, n: h, k: h, transposeB: true)
        device.matmul(keys, x, w.keyValue.weight, bias: w.keyValue.bias, m: n, n: 2 * h, k: h, transposeB: true)
        return asking
    }

    /// A layer's queries and its keys with their values, or the gradients of them: q | k | v a row, or, of the heads'
    /// rows only, (N, 2H) of keys and values and behind them (R, H) of queries.
    func attentionViews(_ layer: Int, _ region: Region) -> (queries: FloatView, keys: FloatView) {
        guard isOfHeadRows(layer) else {
            let qkv = workspace.view(region, n * 3 * h)
            return (qkv, qkv.slice(h, qkv.count - h))
        }
        let all = workspace.view(region, (2 * n + input.headCount) * h)
        return (all.slice(2 * n * h, input.headCount * h), all.slice(0, 2 * n * h))
    }

    /// Where the rows of `attentionViews` lie.
    func attentionRows(_ layer: Int) -> AttentionRows {
        guard isOfHeadRows(layer) else {
            return .packed(
                input.offsets, sequences: input.sequences, heads: config.numAttentionHeads, headSize: config.headSize)
        }
        return .apart(
            queries: input.headOffsets, keys: input.offsets, sequences: input.sequences,
            heads: config.numAttentionHeads, headSize: config.headSize)
    }

    var attentionScratch: FloatView {
        workspace.view(workspace.attentionScratch, workspace.attentionScratch.capacity)
    }
}
