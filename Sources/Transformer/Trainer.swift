// The training loop: batches in a fixed order, AdamW, checkpoints that resume exactly, metrics without clocks.

import Container
import Kernels

/// What a finished run leaves beside the model's parameters.
package struct TrainingResult: Sendable {
    package let metrics: [UInt8]
    /// Both Adam moments as `optimizer.safetensors`: `first_moment.<parameter>`, `second_moment.<parameter>`.
    package let optimizer: OptimizerState
    package let steps: Int
    package let tokens: Int
    /// The last step's losses.
    package let losses: BatchLosses
    /// The last validation's; nil if there was none.
    package let validation: BatchLosses?
    /// Steps and folders of the checkpoints that `saveSteps` asked for, in order.
    package let saved: [(step: Int, directory: String)]
}

/// Trains a model.
///
/// Promise: parameters, moments and metrics are a pure function of the start parameters, the data, the masking and
/// the non-operational settings, on one CPU kind and BLAS build: neither the number of threads nor being stopped and
/// started again changes a bit. Nothing of the model's size is allocated after `init`.
package final class Trainer {
    let model: BertModel
    let settings: TrainingSettings
    let data: [TrainingData]
    let observer: TrainingObserver
    let engine: BatchEngine
    let firstMoment: DeviceBuffer
    let secondMoment: DeviceBuffer
    private let scratch: String?
    private let folder: StateFolder?
    private var cursors: [DataCursor]
    private var state: TrainingState
    private var validation: BatchLosses?

    /// - Parameters:
    ///   - model: holds the start parameters, and the result after `run`.
    ///   - scratch: a folder of this run alone, for checkpoints; nil for none.
    /// - Throws: `ModelError` for settings, rows or shapes that do not go together.
    package init(
        model: BertModel, settings: TrainingSettings, masking: Masking, data: [TrainingData], scratch: String? = nil,
        observer: TrainingObserver = TrainingObserver()
    ) throws {
        var settings = settings
        if settings.phases.isEmpty { settings.phases = [TrainingPhase(data: 0, steps: settings.steps)] }
        try settings.validate(dataSets: data.count)
        for (index, phase) in settings.phases.enumerated() where data[phase.data].train.count == 0 {
            throw ModelError("phase \(index) trains on shards \(phase.data), which have no training rows")
        }
        var limits = InstanceLimits()
        for set in data { limits = limits.union(set.train.limits).union(set.validation?.limits ?? InstanceLimits()) }
        self.model = model
        self.settings = settings
        self.data = data
        self.observer = observer
        self.scratch = scratch
        let rules = BatchRules(
            drpWeight: settings.drpWeight, slices: settings.slices, seed: settings.seed, masking: masking)
        engine = try BatchEngine(
            model: model, rules: rules, limits: limits, batchSize: settings.batchSize,
            pool: WorkerPool(threads: min(settings.threads, max(settings.slices, 2))))
        firstMoment = DeviceBuffer(floats: model.layout.count)
        secondMoment = DeviceBuffer(floats: model.layout.count)
        folder = scratch.map {
            StateFolder(
                path: $0 + "/states",
                fingerprint: [
                    "settings": settings.fingerprint, "parameters": JSON(model.layout.count),
                    "config": model.config.json, "masked_lm_prob": .number(masking.probability),
                    "whole_word": .bool(masking.wholeWord), "rows": JSON(data.map { $0.train.count }),
                ])
        }
        cursors = data.map { DataCursor($0.train) }
        state = TrainingState(positions: cursors.map(\.position))
    }

    /// What the run is going to cost.
    package var estimate: TrainingEstimate { TrainingEstimate(self) }

    /// Trains to the last step, from the newest whole checkpoint in scratch if there is one.
    /// - Throws: `TrainingCancelled` once asked to stop, with the state saved; `ModelError` for a loss that is not a
    ///   number, naming step and rows, or rows that cannot be read.
    package func run() throws -> TrainingResult {
        try resume()
        var clock = StepClock(step: state.step, tokens: state.tokens)
        var losses = BatchLosses()
        while state.step < settings.steps {
            if observer.isCancelled() {
                try save()
                throw TrainingCancelled()
            }
            losses = try step(rate: clock.rate)
            if let rate = clock.tick(state.step, state.tokens, every: settings.logSteps, of: settings.steps) {
                observer.record(rate)
            }
            if clock.isFirstReport {
                observer.message("about \(clock.remaining(settings.steps)) to go at \(clock.rate)")
            }
            if isDue(settings.saveSteps, orAtEnd: false) { try saveModel() }
            let last = state.step == settings.steps
            if last || clock.isCheckpointDue(state.step, settings) { try save() }
        }
        return TrainingResult(
            metrics: state.metrics, optimizer: OptimizerState(self), steps: state.step, tokens: state.tokens,
            losses: losses, validation: validation, saved: try savedModels())
    }

    /// One step: batch, gradients, clipping, AdamW, metrics.
    private func step(rate: String) throws -> BatchLosses {
        let step = state.step + 1
        let cursor = phase(of: step).data
        let rows = cursors[cursor].take(settings.batchSize)
        let losses = try engine.gradients(step: settings.dropout ? step : nil, rows: rows)
        let norm = engine.gradientSquares().squareRoot()
        let loss = losses.mlm + settings.drpWeight * (losses.drp ?? 0)
        guard loss.isFinite, norm.isFinite else { throw divergence(step, loss, norm, rows) }
        let learningRate = settings.learningRate(step: step)
        update(step: step, learningRate: learningRate, norm: norm)
        state.step = step
        state.tokens += losses.tokens
        state.positions[cursor] = cursors[cursor].position
        var line: [String: JSON] = [
            "step": JSON(step), "loss": .number(loss), "mlm_loss": .number(losses.mlm),
            "learning_rate": .number(learningRate), "grad_norm": .number(norm), "tokens": JSON(state.tokens),
        ]
        if let drp = losses.drp { line["drp_loss"] = .number(drp) }
        append(line)
        if isDue(settings.validationSteps, orAtEnd: true) { try validate() }
        if settings.logSteps > 0, step % settings.logSteps == 0 || step == settings.steps {
            observer.progress(step, "loss \(rounded(loss, 4))" + (rate.isEmpty ? "" : ", " + rate))
        }
        return losses
    }

    /// AdamW over fixed ranges of the flat buffers.
    private func update(step: Int, learningRate: Double, norm: Double) {
        // As torch.nn.utils.clip_grad_norm_: the norm plus 1e-6, never scaling up.
        let limit = settings.maxGradNorm
        let scale = limit > 0 ? min(1, limit / (norm + 1e-6)) : 1
        let correction1 = 1 - power(settings.adamBeta1, step)
        let correction2 = 1 - power(settings.adamBeta2, step)
        let parameters = model.parameters.view()
        let gradients = engine.gradients
        let first = firstMoment.view()
        let second = secondMoment.view()
        engine.pool.run(engine.ranges.count) { [engine, settings] index in
            let range = engine.ranges[index]
            guard range.isTrained else { return }
            engine.device.adamW(
                parameters.slice(range.offset, range.count), gradients.slice(range.offset, range.count),
                first.slice(range.offset, range.count), second.slice(range.offset, range.count), count: range.count,
                lr: Float(learningRate), beta1: Float(settings.adamBeta1), beta2: Float(settings.adamBeta2),
                eps: Float(settings.adamEpsilon), weightDecay: range.isDecayed ? Float(settings.weightDecay) : 0,
                biasCorrection1: Float(correction1), biasCorrection2: Float(correction2), gradScale: Float(scale))
        }
    }

    /// Losses over the first `validationRows` validation rows of every data set, without dropout, with the masks of
    /// the first pass: the same text and masks every time.
    private func validate() throws {
        var total = BatchLosses()
        var mlm = 0.0
        var drp = 0.0
        for set in data {
            guard let source = set.validation else { continue }
            let count = min(settings.validationRows, source.count)
            for begin in stride(from: 0, to: count, by: settings.batchSize) {
                let rows = (begin..<min(begin + settings.batchSize, count)).map {
                    BatchRow(source: source, row: $0, epoch: 0)
                }
                let losses = try engine.evaluate(rows)
                mlm += losses.mlm * Double(losses.masked)
                drp += (losses.drp ?? 0) * Double(losses.sequences)
                total.masked += losses.masked
                total.sequences += losses.sequences
                total.tokens += losses.tokens
                total.mlmCorrect += losses.mlmCorrect
                total.drpCorrect += losses.drpCorrect
            }
        }
        guard total.sequences > 0 else { return }
        total.mlm = mlm / Double(max(1, total.masked))
        var line: [String: JSON] = [
            "step": JSON(state.step), "validation_mlm_loss": .number(total.mlm),
            "validation_mlm_accuracy": .number(Double(total.mlmCorrect) / Double(max(1, total.masked))),
            "validation_rows": JSON(total.sequences),
        ]
        if model.config.relationClasses != nil {
            total.drp = drp / Double(total.sequences)
            line["validation_drp_loss"] = .number(drp / Double(total.sequences))
            line["validation_drp_accuracy"] = .number(Double(total.drpCorrect) / Double(total.sequences))
        }
        append(line)
        validation = total
    }

    private func append(_ line: [String: JSON]) {
        state.metrics.append(contentsOf: JSON.object(line).canonical)
        state.metrics.append(UInt8(ascii: "\n"))
    }

    private func isDue(_ every: Int, orAtEnd: Bool) -> Bool {
        guard every > 0 else { return false }
        return state.step % every == 0 || orAtEnd && state.step == settings.steps
    }

    /// The phase that a step (1, 2, …) belongs to.
    private func phase(of step: Int) -> TrainingPhase {
        var end = 0
        for phase in settings.phases {
            end += phase.steps
            if step <= end { return phase }
        }
        preconditionFailure("step \(step) is past the last phase")
    }

    private func divergence(_ step: Int, _ loss: Double, _ norm: Double, _ rows: [BatchRow]) -> ModelError {
        var instance = Instance()
        let named = rows.prefix(8).map { row -> String in
            let place = row.source.place(row.row)
            try? row.source.load(row.row, into: &instance)
            let documents = instance.spans.map { String($0.document) }.joined(separator: " and ")
            return "part \(place.part) row \(place.offset) (documents \(documents))"
        }
        return ModelError(
            "the loss is \(loss) and the gradient's norm \(norm)", place: "step \(step)",
            cause: "training diverged on a batch that begins with " + named.joined(separator: ", "),
            fix: "lower learning_rate, lengthen warmup_steps, or set max_grad_norm")
    }
}

// MARK: - Checkpoints

extension Trainer {
    private func resume() throws {
        guard let folder else { return }
        let restored = try folder.restore(
            parameters: model.parameters.view(), firstMoment: firstMoment.view(), secondMoment: secondMoment.view(),
            warn: observer.warning)
        guard let restored else { return }
        state = restored
        cursors = try zip(data, restored.positions).map { try DataCursor($0.train, at: $1) }
        observer.message("going on after step \(restored.step) of \(settings.steps)")
    }

    private func save() throws {
        try folder?.save(
            state, parameters: model.parameters.view(), firstMoment: firstMoment.view(),
            secondMoment: secondMoment.view())
    }

    private func modelFolder(_ step: Int) -> String? { scratch.map { $0 + "/saved/checkpoint-\(step)" } }

    private func saveModel() throws {
        guard let directory = modelFolder(state.step) else { return }
        try Files.makeDirectories(directory)
        try HuggingFaceModel.write(model, directory: directory)
    }

    private func savedModels() throws -> [(step: Int, directory: String)] {
        guard settings.saveSteps > 0 else { return [] }
        return try stride(from: settings.saveSteps, through: settings.steps, by: settings.saveSteps).compactMap {
            step in
            guard let directory = modelFolder(step) else { return nil }
            guard Files.exists(directory + "/model.safetensors") else {
                throw ModelError(
                    "the checkpoint of step \(step) is gone", place: directory,
                    fix: "remove the run's scratch folder and train again")
            }
            return (step, directory)
        }
    }
}

/// `base` to a whole power, by squaring: the same on every C library.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
