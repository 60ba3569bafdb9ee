// The memory of one slice: one arena, cut once for the largest slice into the regions that forward and backward use.
// Nothing is allocated after that.

import Kernels

/// The largest slice that a workspace holds.
struct SliceCapacity: Equatable {
    var tokens: Int
    var sequences: Int
    var masked: Int
    /// Tokens of the longest sequence.
    var longest: Int
}

/// A piece of the arena; `capacity` floats from `offset`.
struct Region {
    let offset: Int
    let capacity: Int
}

/// Cuts an arena of yet unknown size into regions on 64-byte borders.
struct ArenaPlan {
    private(set) var count = 0

    mutating func take(_ floats: Int) -> Region {
        let region = Region(offset: count, capacity: floats)
        count += (floats + 15) & ~15
        return region
    }
}

/// What forward keeps of one layer for backward: sums before a LayerNorm and raw products, from which what was made of
/// them is cheaply made again. N tokens, H hidden, I intermediate size, NH heads.
struct LayerRegions {
    let qkv, context, attentionSum, raw, outputSum: Region
    let logSumExp, attentionMean, attentionRstd, outputMean, outputRstd: Region

    init(_ plan: inout ArenaPlan, _ config: BertConfig, tokens n: Int) {
        let h = config.hiddenSize
        let i = config.intermediateSize
        qkv = plan.take(n * 3 * h)
        context = plan.take(n * h)
        attentionSum = plan.take(n * h)
        raw = plan.take(n * i)
        outputSum = plan.take(n * h)
        logSumExp = plan.take(n * config.numAttentionHeads)
        attentionMean = plan.take(n)
        attentionRstd = plan.take(n)
        outputMean = plan.take(n)
        outputRstd = plan.take(n)
    }
}

/// Regions of the heads. M masked positions, S sequences, R rows of logits at a time.
struct HeadRegions {
    let gathered, raw, activated, normed, mean, rstd, maskedLosses, logits: Region
    let cls, pooledRaw, pooled, relationLogits, relationLosses: Region
    let dNormed, dRaw, dPooled, dCLS: Region

    init(_ plan: inout ArenaPlan, _ config: BertConfig, _ capacity: SliceCapacity) {
        let h = config.hiddenSize
        let m = capacity.masked
        let s = capacity.sequences
        gathered = plan.take(m * h)
        raw = plan.take(m * h)
        activated = plan.take(m * h)
        normed = plan.take(m * h)
        mean = plan.take(m)
        rstd = plan.take(m)
        maskedLosses = plan.take(m)
        let rows = min(m, Workspace.logitRows)
        logits = plan.take(
            max(rows * config.vocabSize, Device.scratchCount(vocabularyRows: rows, v: config.vocabSize, c: h)))
        cls = plan.take(s * h)
        pooledRaw = plan.take(s * h)
        pooled = plan.take(s * h)
        relationLogits = plan.take(s * (config.relationClasses ?? 1))
        relationLosses = plan.take(s)
        dNormed = plan.take(m * h)
        dRaw = plan.take(m * h)
        dPooled = plan.take(s * h)
        dCLS = plan.take(s * h)
    }
}

/// One slice's activations, its gradients of activations, and its scratch.
///
/// Memory: for training about N·L·(6H + I) + N·(7H + I + max(3H, I)) + M·6H + R·V floats; without backward one layer's
/// share serves all layers. Used by one thread at a time.
final class Workspace {
    /// Most rows of vocabulary logits, or of their exponentials, held at once: few enough that they stay in a large L3
    /// cache, enough that reading the embeddings again for the next rows is a small part of the work.
    static let logitRows = 160

    let capacity: SliceCapacity
    let layers: [LayerRegions]
    let heads: HeadRegions
    let embeddingSum, embeddingMean, embeddingRstd: Region
    /// (N, H): what even and odd layers read, in turn.
    let evenInput, oddInput: Region
    /// (N, H) and (N, I): of the layer at work.
    let attentionOut, activated: Region
    /// (N, H) each: a product on its way into a sum; gradients between layers.
    let product, gradientA, gradientB: Region
    /// (N, max(3H, I)): gradients inside a layer.
    let wide: Region
    let attentionScratch: Region
    private let arena: DeviceBuffer

    /// - Parameter training: whether forward keeps what backward needs.
    init(_ config: BertConfig, capacity: SliceCapacity, training: Bool) {
        var plan = ArenaPlan()
        let n = capacity.tokens
        let h = config.hiddenSize
        embeddingSum = plan.take(n * h)
        embeddingMean = plan.take(n)
        embeddingRstd = plan.take(n)
        if training {
            layers = (0..<config.numHiddenLayers).map { _ in LayerRegions(&plan, config, tokens: n) }
        } else {
            layers = Array(repeating: LayerRegions(&plan, config, tokens: n), count: config.numHiddenLayers)
        }
        heads = HeadRegions(&plan, config, capacity)
        evenInput = plan.take(n * h)
        oddInput = plan.take(n * h)
        attentionOut = plan.take(n * h)
        activated = plan.take(n * config.intermediateSize)
        product = plan.take(n * h)
        gradientA = plan.take(training ? n * h : 0)
        gradientB = plan.take(training ? n * h : 0)
        wide = plan.take(training ? n * max(3 * h, config.intermediateSize) : 0)
        attentionScratch = plan.take(
            Device.scratchCount(maxSequence: capacity.longest, headSize: config.headSize))
        self.capacity = capacity
        arena = DeviceBuffer(floats: plan.count)
    }

    /// Bytes of the arena.
    var bytes: Int { arena.count * 4 }

    /// The first `count` floats of a region.
    func view(_ region: Region, _ count: Int) -> FloatView {
        precondition(count <= region.capacity, "\(count) floats of a region of \(region.capacity)")
        return arena.view(region.offset, count)
    }
}
