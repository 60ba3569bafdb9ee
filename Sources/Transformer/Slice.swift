// One slice of a batch with all its memory: input, activations and gradients. One task at a time works on it.

import Container
import Kernels

/// Memory and results of one slice.
final class Slice: @unchecked Sendable {
    // `@unchecked`: between two pool calls one thread owns it, inside a call the one task of its number does.
    let input: SliceInput
    let workspace: Workspace
    /// From `gradientBase` of the layout on: only the first slice has room for the word embeddings, whose gradient all
    /// slices add to in turn.
    let gradients: DeviceBuffer
    let gradientBase: Int
    /// Views of the gradients; that of the word embeddings is the first slice's.
    let weights: Weights
    private let wordEnd: Int
    private let modelWeights: Weights

    var losses = SliceLosses()
    var mlmCorrect = 0
    var drpCorrect = 0
    /// Why the last `fill` could not read a row.
    private(set) var failure: ModelError?

    private var instance = Instance()
    private var masks: [(position: Int, label: UInt32)] = []
    private var maskedTokens = MaskedTokens()

    /// - Parameters:
    ///   - count: of the slices of a batch.
    ///   - first: the first of them, nil for itself.
    init(_ model: BertModel, _ capacity: SliceCapacity, of count: Int, first: Slice?) {
        input = SliceInput(capacity: capacity)
        workspace = Workspace(model.config, capacity: capacity, trainingSlices: count)
        wordEnd = model.layout.wordEnd
        gradientBase = first == nil ? 0 : wordEnd
        gradients = DeviceBuffer(floats: model.layout.count - gradientBase)
        weights = Weights(
            gradients.view(), model.layout, model.config, from: gradientBase, word: first?.weights.word)
        modelWeights = model.weights
        masks.reserveCapacity(capacity.longest)
    }

    func pass(_ model: BertModel, _ device: Device, _ dropout: DropoutKeys) -> SlicePass {
        SlicePass(
            device: device, config: model.config, weights: modelWeights, workspace: workspace, input: input,
            dropout: dropout)
    }

    /// Zeroes all gradients but those of the word embeddings, which the MLM head overwrites.
    func clearGradients(_ device: Device) { device.fill(gradients.view(wordEnd - gradientBase), 0) }

    func clearCounts() {
        losses = SliceLosses()
        mlmCorrect = 0
        drpCorrect = 0
    }

    /// Reads and masks the rows, replacing what was there; sets `failure` at the first row that cannot be used.
    func fill(_ rows: [BatchRow], _ rules: BatchRules, _ config: BertConfig) {
        input.removeAll()
        failure = nil
        for row in rows {
            do {
                try row.source.load(row.row, into: &instance)
                try check(row, config)
                mask(row, rules)
                guard input.fits(tokens: instance.ids.count, masked: masks.count) else {
                    throw ModelError("the row does not fit the memory planned for its source", place: describe(row))
                }
                input.append(
                    instance.ids, secondBegin: instance.secondBegin, relation: instance.relation, masked: masks)
            } catch {
                failure = error as? ModelError ?? ModelError("\(error)", place: describe(row))
                return
            }
        }
    }

    private func check(_ row: BatchRow, _ config: BertConfig) throws(ModelError) {
        let vocabulary = UInt32(config.vocabSize)
        if let bad = instance.ids.first(where: { $0 >= vocabulary }) {
            throw ModelError(
                "token id \(bad) is not in the model's vocabulary of \(vocabulary)", place: describe(row),
                fix: "train on shards made with the model's own vocabulary")
        }
        guard let classes = config.relationClasses else { return }
        guard let relation = instance.relation else {
            throw ModelError(
                "the row has one span, but the relation head needs pairs", place: describe(row),
                fix: "use `objective: mlm`, or shards made from pairs")
        }
        guard Int(relation) < classes else {
            throw ModelError(
                "the row's relation is \(relation) (\(BertConfig.relationNames(3).last ?? "")), but the head has "
                    + "\(classes) classes", place: describe(row),
                cause: "`objective: bert` predicts contiguous or random only",
                fix: "set the mix of `pair-sample` to {contiguous: 1, random: 1, linked: 0}, or use "
                    + "`objective: linkbert`")
        }
    }

    private func mask(_ row: BatchRow, _ rules: BatchRules) {
        masks.removeAll(keepingCapacity: true)
        if let fixed = instance.staticMasks {
            for (position, label) in zip(fixed.positions, fixed.labels) { masks.append((Int(position), label)) }
            return
        }
        for span in instance.spans {
            let key = Masking.key(
                seed: rules.seed, epoch: row.epoch, pass: instance.pass, document: span.document,
                segment: span.segment)
            instance.ids.withUnsafeMutableBufferPointer { ids in
                let text = UnsafeMutableBufferPointer(rebasing: ids[span.range])
                maskedTokens.removeAll()
                rules.masking.mask(UnsafeBufferPointer(text), key: key, into: &maskedTokens)
                for choice in 0..<maskedTokens.count {
                    let position = Int(maskedTokens.positions[choice])
                    masks.append((span.range.lowerBound + position, maskedTokens.labels[choice]))
                    text[position] = maskedTokens.replacements[choice]
                }
            }
        }
    }

    func evaluate(_ pass: SlicePass) {
        clearCounts()
        pass.forward()
        let labels = input.maskedLabels(0..<input.masked)
        pass.maskedPredictions { index, loss, predicted in
            losses.mlm += Double(loss)
            if predicted == labels[index] { mlmCorrect += 1 }
        }
        let relations = input.relations
        pass.relationLosses { sequence, loss, predicted in
            losses.drp += Double(loss)
            if predicted == relations[sequence] { drpCorrect += 1 }
        }
    }

    private func describe(_ row: BatchRow) -> String {
        let place = row.source.place(row.row)
        return "part \(place.part) row \(place.offset)"
    }
}
