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
    /// Whether the last layer makes the hidden states of every token, or only of those that a head reads.
    var everyRow = false

    /// Most rows that the last layer makes, and most that any layer does.
    var headRows: Int { everyRow ? tokens : masked + sequences }
    var rows: Int { max(tokens, headRows) }
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
/// them is cheaply made again. Of N tokens, a layer makes R rows: all, or in the last one those that a head reads.
/// H hidden, I intermediate size, NH heads.
struct LayerRegions {
    let qkv, context, attentionSum, raw, outputSum: Region
    let logSumExp, attentionMean, attentionRstd, outputMean, outputRstd: Region

    init(_ plan: inout ArenaPlan, _ config: BertConfig, tokens n: Int, rows r: Int) {
        let h = config.hiddenSize
        let i = config.intermediateSize
        qkv = plan.take((2 * n + r) * h)
        context = plan.take(r * h)
        attentionSum = plan.take(r * h)
        raw = plan.take(r * i)
        outputSum = plan.take(r * h)
        logSumExp = plan.take(r * config.numAttentionHeads)
        attentionMean = plan.take(r)
        attentionRstd = plan.take(r)
        outputMean = plan.take(r)
        outputRstd = plan.take(r)
    }
}

/// Regions of the heads. M masked positions, S sequences. `logits` also holds a part of the vocabulary's loss.
struct HeadRegions {
    let gathered, raw, activated, normed, mean, rstd, maskedLosses, logits: Region
    let cls, pooledRaw, pooled, relationLogits, relationLosses: Region
    let dRaw, dPooled, dCLS: Region

    init(_ plan: inout ArenaPlan, _ config: BertConfig, _ capacity: SliceCapacity, slices: Int) {
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
        logits = plan.take(
            max(
                min(m, Workspace.logitRows) * config.vocabSize,
                slices > 0 ? VocabularyHead.partFloats(config, capacity, slices: slices) : 0))
        cls = plan.take(s * h)
        pooledRaw = plan.take(s * h)
        pooled = plan.take(s * h)
        relationLogits = plan.take(s * (config.relationClasses ?? 1))
        relationLosses = plan.take(s)
        dRaw = plan.take(m * h)
        dPooled = plan.take(s * h)
        dCLS = plan.take(s * h)
    }
}

/// One slice's activations, its gradients of activations, and its scratch.
///
/// Memory: for training about N·(L − 1)·(6H + I) + N·(9H + I + max(3H, I)) + R·(5H + I) + M·6H + P·V floats, P of
/// `logitRows`; without backward one layer's share serves all layers. Used by one thread at a time.
final class Workspace {
    /// Most rows of logits over the vocabulary, or of as many of their exponentials, that one slice holds at once: few
    /// enough that they stay in a large L3 cache, enough that reading the embeddings again for the next rows is a small
    /// part of the work.
    static let logitRows = 160

    let capacity: SliceCapacity
    let layers: [LayerRegions]
    let heads: HeadRegions
    let embeddingSum, embeddingMean, embeddingRstd: Region
    /// (N, H): what even and odd layers read, in turn.
    let evenInput, oddInput: Region
    /// (R, H): the rows that ask in the last layer.
    let asking: Region
    /// (N, H) and (N, I): of the layer at work.
    let attentionOut, activated: Region
    /// (N, H) each: a product on its way into a sum; gradients between layers.
    let product, gradientA, gradientB: Region
    /// (N, max(3H, I)): gradients inside a layer.
    let wide: Region
    let attentionScratch: Region
    private let arena: DeviceBuffer

    /// - Parameter slices: how many work on a batch, where forward is to keep what backward needs; 0 without backward.
    init(_ config: BertConfig, capacity: SliceCapacity, trainingSlices slices: Int) {
        let training = slices > 0
        var plan = ArenaPlan()
        let n = capacity.tokens
        let most = capacity.rows
        let h = config.hiddenSize
        embeddingSum = plan.take(n * h)
        embeddingMean = plan.take(n)
        embeddingRstd = plan.take(n)
        if training {
            layers = (1...config.numHiddenLayers).map { number in
                let rows = number == config.numHiddenLayers ? capacity.headRows : n
                return LayerRegions(&plan, config, tokens: n, rows: rows)
            }
        } else {
            let shared = LayerRegions(&plan, config, tokens: n, rows: most)
            layers = Array(repeating: shared, count: config.numHiddenLayers)
        }
        heads = HeadRegions(&plan, config, capacity, slices: slices)
        evenInput = plan.take(most * h)
        oddInput = plan.take(most * h)
        asking = plan.take(capacity.everyRow ? 0 : capacity.headRows * h)
        attentionOut = plan.take(most * h)
        activated = plan.take(most * config.intermediateSize)
        product = plan.take(most * h)
        gradientA = plan.take(training ? most * h : 0)
        gradientB = plan.take(training ? most * h : 0)
        wide = plan.take(training ? most * max(3 * h, config.intermediateSize) : 0)
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
