// One batch through the model: cut into slices by a fixed rule, masked, run forward and backward, gradients joined in
// a fixed tree. Threads take slices; no result depends on how many there are.

package import Kernels
import Container

/// One row of a batch.
package struct BatchRow: Sendable {
    package let source: any InstanceSource
    package let row: Int
    /// How often training has been through the source before; enters the key of the masks.
    package let epoch: Int

    package init(source: any InstanceSource, row: Int, epoch: Int) {
        self.source = source
        self.row = row
        self.epoch = epoch
    }
}

/// What a batch's losses came to.
package struct BatchLosses: Sendable, Equatable {
    /// Mean over the masked positions of the batch, nats.
    package var mlm = 0.0
    /// Mean over the sequences of the batch, nats; nil without a relation head.
    package var drp: Double?
    package var tokens = 0
    package var masked = 0
    package var sequences = 0
    /// Counted only by `evaluate`.
    package var mlmCorrect = 0
    package var drpCorrect = 0
}

/// What the means of a step divide by.
package struct BatchCounts: Sendable, Equatable {
    package var masked: Int
    package var sequences: Int
}

/// How rows are masked and weighed: the same for every batch of a run.
package struct BatchRules: Sendable {
    package var drpWeight: Double
    package var slices: Int
    package var seed: UInt64
    /// Used for rows without static masks.
    package var masking: Masking

    package init(drpWeight: Double, slices: Int, seed: UInt64, masking: Masking) {
        self.drpWeight = drpWeight
        self.slices = slices
        self.seed = seed
        self.masking = masking
    }
}

/// Runs batches. All memory is taken in `init`: one workspace, one input and one gradient buffer a slice.
///
/// Slices: rows sorted by length are dealt like cards, forth and back, so a slice has at most
/// ⌈batch / slices⌉ rows and about its share of the tokens. A slice's losses are divided by the counts of the whole
/// batch, and gradients are added pairwise over slice numbers (0+1, 2+3, …, then 0+2, …).
package final class BatchEngine: @unchecked Sendable {
    // `@unchecked`: used by one thread; inside a pool call, task s touches slice s alone or a range of parameters.
    package let model: BertModel
    package let rules: BatchRules
    let pool: WorkerPool
    let device: Device
    private let batchSize: Int
    private let slices: [Slice]
    private let vocabulary: VocabularyHead
    /// Ranges of the flat buffers that one task joins or updates; a fixed cut, whatever the number of threads.
    let ranges: [ParameterRange]

    /// - Throws: `ModelError` if rows are longer than the model's positions.
    package init(
        model: BertModel, rules: BatchRules, limits: InstanceLimits, batchSize: Int, pool: WorkerPool,
        device: Device = .cpu
    ) throws(ModelError) {
        let capacity = try Self.capacity(model.config, rules, limits, batchSize)
        self.model = model
        self.rules = rules
        self.batchSize = batchSize
        self.pool = pool
        self.device = device
        let first = Slice(model, capacity, of: rules.slices, first: nil)
        slices = [first] + (1..<rules.slices).map { _ in Slice(model, capacity, of: rules.slices, first: first) }
        vocabulary = VocabularyHead(model.config, capacity, slices.map(\.workspace), device)
        ranges = ParameterRange.ranges(model.layout)
    }

    static func capacity(
        _ config: BertConfig, _ rules: BatchRules, _ limits: InstanceLimits, _ batchSize: Int
    ) throws(ModelError) -> SliceCapacity {
        guard limits.tokens <= config.maxPositionEmbeddings else {
            throw ModelError(
                "rows have up to \(limits.tokens) tokens, the model has \(config.maxPositionEmbeddings) positions",
                cause: "a token past the last position has no embedding for its place",
                fix: "make the shards with a max_seq_length of at most \(config.maxPositionEmbeddings)")
        }
        let rows = (batchSize + rules.slices - 1) / rules.slices
        let dynamic = rules.masking.number(of: limits.tokens) + limits.spans
        return SliceCapacity(
            tokens: rows * limits.tokens, sequences: rows,
            masked: rows * max(limits.staticMasks, min(limits.tokens, dynamic)), longest: limits.tokens)
    }

    /// Bytes of the workspaces and gradients.
    package var bytes: Int {
        slices.reduce(vocabulary.bytes) { $0 + $1.workspace.bytes + $1.gradients.count * 4 }
    }

    /// The joined gradients after `gradients(step:rows:)`, flat over the model's layout.
    package var gradients: FloatView { slices[0].gradients.view() }

    /// Which slice each row of a batch goes to: lists of indices, ascending, by slice.
    package static func deal(_ lengths: [Int], slices: Int) -> [[Int]] {
        var dealt = [[Int]](repeating: [], count: slices)
        let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
        for (turn, index) in order.enumerated() {
            let seat = turn % slices
            dealt[(turn / slices) % 2 == 0 ? seat : slices - 1 - seat].append(index)
        }
        for slice in dealt.indices { dealt[slice].sort() }
        return dealt
    }

    /// Forward and backward of one batch; leaves the batch's gradient in `gradients`.
    /// - Parameters:
    ///   - step: enters the dropout seeds; nil turns dropout off.
    ///   - whole: the counts of the whole step where this batch is a part of it; its means divide the gradient. Nil:
    ///     the batch's own counts. The losses returned are the batch's own means either way.
    /// - Throws: `ModelError` if a row cannot be read.
    package func gradients(step: Int?, rows: [BatchRow], of whole: BatchCounts? = nil) throws -> BatchLosses {
        try fill(rows)
        let scale = lossScale(whole ?? counts)
        let config = model.config
        let places = maskedPlaces
        let dropout = slices.indices.map { index in
            step.map { DropoutKeys(seed: rules.seed, step: $0, slice: index, config: config) } ?? .off
        }
        pool.run(slices.count) { [slices, model, device, vocabulary] index in
            let slice = slices[index]
            slice.clearGradients(device)
            slice.clearCounts()
            guard slice.input.tokens > 0 else { return }
            let pass = slice.pass(model, device, dropout[index])
            pass.forward()
            if let normed = pass.transformForward() { vocabulary.take(places[index], of: slice.input, normed: normed) }
        }
        let first = slices[0].weights
        vocabulary.run(
            places.last?.upperBound ?? 0, model.weights, first, scale: 1 / Float(scale.masked), pool: pool)
        pool.run(slices.count) { [slices, model, device, vocabulary] index in
            let slice = slices[index]
            guard slice.input.tokens > 0 else { return }
            let pass = slice.pass(model, device, dropout[index])
            slice.losses = pass.headsBackward(
                slice.weights, scale, dNormed: vocabulary.gradient(places[index]),
                maskedLosses: vocabulary.losses(places[index]))
            pass.backward(slice.weights)
        }
        for slice in slices where slice.input.tokens > 0 {
            slice.pass(model, device, .off).wordBackward(first.word)
        }
        join()
        var losses = BatchLosses()
        for slice in slices {
            losses.mlm += slice.losses.mlm
            losses.drp = (losses.drp ?? 0) + slice.losses.drp
        }
        return finished(losses)
    }

    /// Where each slice's masked positions stand among those of the batch.
    private var maskedPlaces: [Range<Int>] {
        var end = 0
        return slices.map { slice in
            defer { end += slice.input.masked }
            return end..<end + slice.input.masked
        }
    }

    /// Losses and correct predictions of one batch, without dropout and backward.
    package func evaluate(_ rows: [BatchRow]) throws -> BatchLosses {
        try fill(rows)
        pool.run(slices.count) { [slices, model, device] index in
            let slice = slices[index]
            guard slice.input.tokens > 0 else { return slice.clearCounts() }
            slice.evaluate(slice.pass(model, device, .off))
        }
        var losses = BatchLosses()
        for slice in slices {
            losses.mlm += slice.losses.mlm
            losses.drp = (losses.drp ?? 0) + slice.losses.drp
            losses.mlmCorrect += slice.mlmCorrect
            losses.drpCorrect += slice.drpCorrect
        }
        return finished(losses)
    }

    /// Sum of squares of the joined gradient, ranges added in order.
    package func gradientSquares() -> Double {
        let sums = RangeSums(ranges.count)
        let gradient = gradients
        pool.run(ranges.count) { [device, ranges] index in
            sums.set(index, device.sumOfSquares(gradient.slice(ranges[index].offset, ranges[index].count)))
        }
        return sums.total
    }

    private func fill(_ rows: [BatchRow]) throws {
        precondition(!rows.isEmpty && rows.count <= batchSize, "a batch of \(rows.count) rows, planned \(batchSize)")
        let dealt = Self.deal(rows.map { $0.source.length($0.row) }, slices: slices.count)
        pool.run(slices.count) { [slices, rules, model] index in
            slices[index].fill(dealt[index].map { rows[$0] }, rules, model.config)
        }
        for slice in slices { if let failure = slice.failure { throw failure } }
    }

    /// Masked positions and sequences of a batch, without computing anything.
    /// - Throws: `ModelError` if a row cannot be read.
    package func count(_ rows: [BatchRow]) throws -> BatchCounts {
        try fill(rows)
        return counts
    }

    private var counts: BatchCounts {
        BatchCounts(
            masked: slices.reduce(0) { $0 + $1.input.masked }, sequences: slices.reduce(0) { $0 + $1.input.sequences })
    }

    private func lossScale(_ counts: BatchCounts) -> LossScale {
        LossScale(
            masked: max(1, counts.masked), sequences: max(1, counts.sequences), drpWeight: Float(rules.drpWeight))
    }

    private func finished(_ sums: BatchLosses) -> BatchLosses {
        var losses = sums
        losses.tokens = slices.reduce(0) { $0 + $1.input.tokens }
        losses.masked = slices.reduce(0) { $0 + $1.input.masked }
        losses.sequences = slices.reduce(0) { $0 + $1.input.sequences }
        losses.mlm /= Double(max(1, losses.masked))
        losses.drp = model.config.relationClasses == nil ? nil : (losses.drp ?? 0) / Double(losses.sequences)
        return losses
    }

    /// Adds up the gradients that each slice has of its own: all but those of the word embeddings.
    private func join() {
        guard slices.count > 1 else { return }
        let wordEnd = model.layout.wordEnd
        pool.run(ranges.count) { [slices, ranges, device] index in
            let end = ranges[index].offset + ranges[index].count
            let begin = max(ranges[index].offset, wordEnd)
            guard begin < end else { return }
            func view(_ slice: Slice) -> FloatView {
                slice.gradients.view(begin - slice.gradientBase, end - begin)
            }
            var stride = 1
            while stride < slices.count {
                for left in Swift.stride(from: 0, to: slices.count - stride, by: 2 * stride) {
                    device.add(view(slices[left]), view(slices[left + stride]))
                }
                stride *= 2
            }
        }
    }
}

/// One double a range, each set by its own task.
private final class RangeSums: @unchecked Sendable {
    // `@unchecked`: task i writes element i alone, and `total` is read after all tasks have ended.
    private let values: UnsafeMutableBufferPointer<Double>

    init(_ count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
    }

    deinit { values.deallocate() }

    func set(_ index: Int, _ value: Double) { values[index] = value }
    var total: Double { values.reduce(0, +) }
}

/// A run of neighbouring parameters that AdamW treats alike, at most `limit` floats long.
package struct ParameterRange: Sendable, Equatable {
    package static let limit = 1 << 17
    package let offset: Int
    package let count: Int
    package let isDecayed: Bool
    package let isTrained: Bool

    /// All floats of the layout, gaps included, in order.
    package static func ranges(_ layout: ParameterLayout) -> [ParameterRange] {
        var ranges: [ParameterRange] = []
        for (index, entry) in layout.entries.enumerated() {
            let end = index + 1 < layout.entries.count ? layout.entries[index + 1].offset : layout.count
            var offset = entry.offset
            if let last = ranges.last, last.isDecayed == entry.isDecayed, last.isTrained == entry.isTrained,
                last.count + end - last.offset - last.count <= limit
            {
                offset = last.offset
                ranges.removeLast()
            }
            while offset < end {
                let count = min(limit, end - offset)
                ranges.append(
                    ParameterRange(
                        offset: offset, count: count, isDecayed: entry.isDecayed, isTrained: entry.isTrained))
                offset += count
            }
        }
        return ranges
    }
}
