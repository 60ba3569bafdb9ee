// The decoder of the MLM head: all masked positions of a batch against the vocabulary, forward and backward. Each slice
// takes a part of the words instead of its own rows: every word is packed once for all rows, and its gradient has one
// writer.

import Kernels

/// Memory: (M, H) twice for the batch's M masked positions; a part's memory is lent by the slice of its number.
final class VocabularyHead: @unchecked Sendable {
    // `@unchecked`: used by one thread; inside a pool call a task touches the rows of its slice or its part of the words.
    private let device: Device
    private let hidden: Int
    /// Most rows at a time.
    private let limit: Int
    private let parts: [VocabularyPart]
    private let normed, gradient, losses, greatest, factors: DeviceBuffer
    private let labels: IndexBuffer

    /// - Parameter workspaces: of the slices; each lends its region for logits, which nothing else uses meanwhile.
    init(_ config: BertConfig, _ capacity: SliceCapacity, _ workspaces: [Workspace], _ device: Device) {
        self.device = device
        let (slices, h) = (workspaces.count, config.hiddenSize)
        let rows = capacity.masked * slices
        let limit = Self.rows(capacity, slices)
        hidden = h
        self.limit = limit
        parts = zip(VocabularyPart.cut(config.vocabSize, into: slices), workspaces).map { words, workspace in
            VocabularyPart(
                words: words,
                memory: workspace.view(workspace.heads.logits, workspace.heads.logits.capacity), n: limit, c: h)
        }
        normed = DeviceBuffer(floats: rows * h)
        gradient = DeviceBuffer(floats: rows * h)
        losses = DeviceBuffer(floats: rows)
        greatest = DeviceBuffer(floats: limit)
        factors = DeviceBuffer(floats: limit)
        labels = IndexBuffer(count: rows)
    }

    /// A part holds as many exponentials as a slice alone would hold logits, of more rows and fewer words.
    private static func rows(_ capacity: SliceCapacity, _ slices: Int) -> Int {
        min(capacity.masked, Workspace.logitRows) * slices
    }

    /// Floats that a slice lends.
    static func partFloats(_ config: BertConfig, _ capacity: SliceCapacity, slices: Int) -> Int {
        let words = VocabularyPart.cut(config.vocabSize, into: slices).map(\.count).max() ?? 0
        return VocabularyPart.floats(rows(capacity, slices), words: words, config.hiddenSize)
    }

    var bytes: Int { 4 * (normed.count + gradient.count + 2 * losses.count + 2 * limit) }

    /// Takes a slice's rows, after its `transformForward`, as `rows` of the batch.
    func take(_ rows: Range<Int>, of input: SliceInput, normed own: FloatView) {
        view(normed, rows).copy(from: own)
        let (all, labels) = (labels.view(rows.lowerBound, rows.count), input.maskedLabels(0..<rows.count))
        for index in 0..<rows.count { all[index] = labels[index] }
    }

    /// (rows, H): the gradient of what `take` was given, and (rows) the losses, after `run`.
    func gradient(_ rows: Range<Int>) -> FloatView { view(gradient, rows) }
    func losses(_ rows: Range<Int>) -> FloatView { losses.view(rows.lowerBound, rows.count) }

    /// Forward and backward of `count` rows. **Writes** (not adds) the gradient of the word embeddings and adds that of
    /// the decoder's bias.
    func run(_ count: Int, _ weights: Weights, _ gradients: Weights, scale: Float, pool: WorkerPool) {
        if count == 0 { return clear(gradients.word, pool) }
        let blocks = (count + limit - 1) / limit
        for block in 0..<blocks {
            let rows = count * block / blocks..<count * (block + 1) / blocks
            let (x, labels, n, c) = (view(normed, rows), labels.view(rows.lowerBound, rows.count), rows.count, hidden)
            let (greatest, factors) = (greatest.view(0, n), factors.view(0, n))
            pool.run(parts.count) { [parts, device] index in
                device.vocabularyForward(
                    parts[index], x, weights.word, weights.decoderBias, labels: labels, n: n, c: c)
            }
            device.vocabularyJoin(
                losses(rows), gradient(rows), greatest: greatest, factors: factors, parts, weights.word,
                labels: labels, n: n, c: c, scale: scale)
            pool.run(parts.count) { [parts, device] index in
                device.vocabularyBackward(
                    gradients.word, gradients.decoderBias, parts[index], greatest: greatest, factors: factors, x,
                    weights.word, weights.decoderBias, labels: labels, n: n, c: c, scale: scale, adds: block > 0)
            }
        }
    }

    private func clear(_ word: FloatView, _ pool: WorkerPool) {
        pool.run(parts.count) { [parts, device, hidden] index in
            let words = parts[index].words
            device.fill(word.slice(words.lowerBound * hidden, words.count * hidden), 0)
        }
    }

    private func view(_ buffer: DeviceBuffer, _ rows: Range<Int>) -> FloatView {
        buffer.view(rows.lowerBound * hidden, rows.count * hidden)
    }
}
