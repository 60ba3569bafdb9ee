// The model without training: logits, losses and vectors for evaluation, `fill-mask`, `predict` and `embed`.

package import Kernels

/// One sequence to look at.
package struct PredictorInput: Sendable {
    /// The whole sequence, special tokens and `[MASK]`s included.
    package var ids: [UInt32]
    /// First position of token type 1; `ids.count` if there is one span.
    package var secondBegin: Int
    /// Positions that the MLM head looks at, ascending.
    package var positions: [Int]
    /// Original ids at `positions`, for losses; empty where no loss is wanted.
    package var labels: [UInt32]

    package init(ids: [UInt32], secondBegin: Int? = nil, positions: [Int] = [], labels: [UInt32] = []) {
        precondition(labels.isEmpty || labels.count == positions.count, "a label for every position, or none")
        self.ids = ids
        self.secondBegin = secondBegin ?? ids.count
        self.positions = positions
        self.labels = labels
    }
}

/// What a predictor is asked for.
package struct PredictorOutputs: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Losses and most likely ids at `positions`.
    package static let maskedLosses = PredictorOutputs(rawValue: 1)
    /// Logits over the vocabulary at `positions`.
    package static let vocabularyLogits = PredictorOutputs(rawValue: 2)
    package static let relationLogits = PredictorOutputs(rawValue: 4)
    /// Last hidden states of all tokens.
    package static let hiddenStates = PredictorOutputs(rawValue: 8)
    /// The pooled `[CLS]`.
    package static let pooled = PredictorOutputs(rawValue: 16)
    /// The last hidden state of `[CLS]`; alone, it spares most of the last layer.
    package static let classStates = PredictorOutputs(rawValue: 32)
}

/// What came out for one sequence; what was not asked for is empty.
package struct Prediction: Sendable {
    /// −log p of the label at every position, nats.
    package var losses: [Float] = []
    /// The most likely id at every position (the lowest of equals).
    package var predicted: [UInt32] = []
    package var vocabularyLogits: [[Float]] = []
    /// One a class; nil without a relation head.
    package var relationLogits: [Float]?
    /// (tokens, H) row-major.
    package var hiddenStates: [Float] = []
    package var pooled: [Float] = []
    package var classState: [Float] = []
}

/// Runs a model forward on sequences, without dropout, a few at a time on each thread.
///
/// Results do not depend on the number of threads, nor on what a sequence is run together with beyond the rounding of
/// matrix products. Memory: about `batchTokens` · (13H + 2I) floats a thread plus 128 rows of logits.
package final class Predictor {
    private let model: BertModel
    private let pool: WorkerPool
    private let batchTokens: Int
    private let device: Device

    /// - Parameter batchTokens: tokens run together; a longer sequence runs alone.
    package init(_ model: BertModel, threads: Int = 1, batchTokens: Int = 2048, device: Device = .cpu) {
        self.model = model
        self.device = device
        pool = WorkerPool(threads: max(1, threads))
        self.batchTokens = batchTokens
    }

    package var config: BertConfig { model.config }

    /// One prediction a sequence, in order.
    /// - Precondition: sequences fit the model's positions, ids its vocabulary, positions their sequence.
    package func predict(_ inputs: [PredictorInput], wanting outputs: PredictorOutputs) -> [Prediction] {
        guard !inputs.isEmpty else { return [] }
        let groups = group(inputs)
        let capacity = groups.reduce(into: SliceCapacity(tokens: 0, sequences: 0, masked: 0, longest: 0)) {
            $0.tokens = max($0.tokens, inputs[$1].reduce(0) { $0 + $1.ids.count })
            $0.sequences = max($0.sequences, $1.count)
            $0.masked = max($0.masked, inputs[$1].reduce(0) { $0 + $1.positions.count })
            $0.longest = max($0.longest, inputs[$1].reduce(0) { max($0, $1.ids.count) })
            $0.everyRow = outputs.contains(.hiddenStates)
        }
        let lanes = min(pool.threadCount, groups.count)
        let results = PredictionSlots(inputs.count)
        pool.run(lanes) { [model, device] lane in
            let forward = PredictorPass(model, capacity, device)
            for group in stride(from: lane, to: groups.count, by: lanes) {
                let range = groups[group]
                forward.run(Array(inputs[range]), outputs) { results.set(range.lowerBound + $0, $1) }
            }
        }
        return results.values
    }

    /// Neighbouring sequences of together at most `batchTokens` tokens.
    private func group(_ inputs: [PredictorInput]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var begin = 0
        var tokens = 0
        for (index, input) in inputs.enumerated() {
            if index > begin, tokens + input.ids.count > batchTokens {
                groups.append(begin..<index)
                begin = index
                tokens = 0
            }
            tokens += input.ids.count
        }
        groups.append(begin..<inputs.count)
        return groups
    }
}

/// One prediction a sequence, set by whichever lane has it.
private final class PredictionSlots: @unchecked Sendable {
    // `@unchecked`: every slot is written by one lane, and read after all lanes have ended.
    private let slots: UnsafeMutableBufferPointer<Prediction>

    init(_ count: Int) {
        slots = .allocate(capacity: count)
        slots.initialize(repeating: Prediction())
    }

    deinit {
        slots.deinitialize()
        slots.deallocate()
    }

    func set(_ index: Int, _ value: Prediction) { slots[index] = value }
    var values: [Prediction] { Array(slots) }
}

/// A lane's memory.
private struct PredictorPass {
    private let pass: SlicePass

    init(_ model: BertModel, _ capacity: SliceCapacity, _ device: Device) {
        pass = SlicePass(
            device: device, config: model.config, weights: model.weights,
            workspace: Workspace(model.config, capacity: capacity, trainingSlices: 0),
            input: SliceInput(capacity: capacity), dropout: .off)
    }

    func run(_ inputs: [PredictorInput], _ outputs: PredictorOutputs, _ emit: (Int, Prediction) -> Void) {
        let slice = pass.input
        slice.removeAll()
        var owners: [Int] = []
        for (index, input) in inputs.enumerated() {
            let labels = input.labels.isEmpty ? [UInt32](repeating: 0, count: input.positions.count) : input.labels
            slice.append(
                input.ids, secondBegin: input.secondBegin, relation: nil,
                masked: zip(input.positions, labels).map { (position: $0, label: $1) })
            owners.append(contentsOf: repeatElement(index, count: input.positions.count))
        }
        var results = [Prediction](repeating: Prediction(), count: inputs.count)
        pass.forward()
        if outputs.contains(.maskedLosses) {
            pass.maskedPredictions { index, loss, predicted in
                results[owners[index]].losses.append(loss)
                results[owners[index]].predicted.append(UInt32(predicted))
            }
        }
        if outputs.contains(.vocabularyLogits) {
            pass.maskedLogits { results[owners[$0]].vocabularyLogits.append($1) }
        }
        if outputs.contains(.relationLogits), let logits = pass.relationPredictions() {
            let classes = logits.count / inputs.count
            for index in results.indices {
                results[index].relationLogits = Array(logits[index * classes..<(index + 1) * classes])
            }
        }
        let h = pass.h
        if outputs.contains(.hiddenStates) {
            var row = 0
            for (index, input) in inputs.enumerated() {
                results[index].hiddenStates = pass.hiddenStates.slice(row * h, input.ids.count * h).read()
                row += input.ids.count
            }
        }
        if !outputs.isDisjoint(with: [.pooled, .classStates]) {
            let pooled = pass.poolForward()
            let states = pass.classStates
            for index in results.indices {
                if outputs.contains(.pooled) { results[index].pooled = pooled.slice(index * h, h).read() }
                if outputs.contains(.classStates) { results[index].classState = states.slice(index * h, h).read() }
            }
        }
        for (index, result) in results.enumerated() { emit(index, result) }
    }
}
