// The training loop: batches in a fixed order, AdamW, checkpoints that resume exactly, metrics without clocks.

import Container
import Kernels

/// What a finished run leaves beside the model's parameters.
package struct TrainingResult: Sendable {
    /// A published checkpoint in scratch, in the Hugging Face layout.
    package struct Saved: Sendable, Equatable {
        package let step: Int
        package let directory: String
    }

    package let metrics: [UInt8]
    /// Both Adam moments as `optimizer.safetensors`: `first_moment.<parameter>`, `second_moment.<parameter>`.
    package let optimizer: OptimizerState
    /// Steps done; fewer than asked for if training stopped early.
    package let steps: Int
    package let tokens: Int
    /// The last step's losses that were finite.
    package let losses: BatchLosses
    /// The last validation's; nil if there was none.
    package let validation: BatchLosses?
    /// The checkpoints that `saveSteps` asked for, in order.
    package let saved: [Saved]
    /// The parameters of the best validation, where `saveBest` asked for them.
    package let savedBest: Saved?
    package let best: BestValidation?
    /// Whether early stopping ended the run.
    package let stoppedEarly: Bool
    /// Steps whose loss or gradient was not finite.
    package let skipped: Int
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
    /// Sum of the gradients of a batch's parts; nil where a batch is computed at once.
    let accumulated: DeviceBuffer?
    /// Ranges that AdamW treats alike.
    let ranges: [ParameterRange]
    let scratch: String?
    private let folder: StateFolder?
    var cursors: [DataCursor]
    var state: TrainingState

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
        for (index, phase) in settings.phases.enumerated() {
            guard let empty = phase.data.first(where: { data[$0].train.count == 0 }) else { continue }
            throw ModelError(
                "phase \(index) trains on shards \(empty), which have no training rows",
                cause: "every pair fell to the validation or test side, or none could be made",
                fix: "look at `linkloom stats FILE STAGE` of their `pair-sample`; more documents or a smaller "
                    + "`min_tokens` in `segment` give pairs")
        }
        if settings.earlyStoppingPatience > 0 || settings.saveBest {
            guard settings.validationSteps > 0, data.contains(where: { ($0.validation?.count ?? 0) > 0 }) else {
                throw ModelError(
                    "early stopping and save_best need validations, but there are none",
                    cause: settings.validationSteps > 0
                        ? "the shards have no validation rows" : "validation_steps is 0",
                    fix: settings.validationSteps > 0
                        ? "give `graph` a share of validation documents: `sides: {validation: 0.01}`"
                        : "set validation_steps")
            }
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
        let obstacle = settings.precision.obstacle
        guard let device = Device.cpu(settings.precision.device), obstacle == nil else {
            throw ModelError(
                "training in \(settings.precision.rawValue) is not possible here", cause: obstacle?.cause,
                fix: obstacle?.fix)
        }
        engine = try BatchEngine(
            model: model, rules: rules, limits: limits, batchSize: settings.partSize,
            pool: WorkerPool(threads: min(settings.threads, max(settings.slices, 2))), device: device)
        firstMoment = DeviceBuffer(floats: model.layout.count)
        secondMoment = DeviceBuffer(floats: model.layout.count)
        accumulated = settings.gradientAccumulation > 1 ? DeviceBuffer(floats: model.layout.count) : nil
        ranges = ParameterRange.ranges(model.layout, undecayed: settings.decayExclusions) ?? engine.ranges
        folder = scratch.map {
            StateFolder(
                path: $0 + "/states", kept: max(2, settings.checkpointLimit),
                fingerprint: [
                    "settings": settings.fingerprint, "parameters": JSON(model.layout.count),
                    "config": model.config.json, "masked_lm_prob": .number(masking.probability),
                    "whole_word": .bool(masking.wholeWord), "rows": JSON(data.map { $0.train.count }),
                ], numerics: Numerics.json(of: device))
        }
        cursors = data.map { DataCursor($0.train) }
        state = TrainingState(positions: cursors.map(\.position))
    }

    /// What the run is going to cost.
    package var estimate: TrainingEstimate { TrainingEstimate(self) }

    /// Trains to the last step, from the newest whole checkpoint in scratch if there is one.
    /// - Throws: `TrainingCancelled` once asked to stop, with the state saved; `ModelError` for losses that are not
    ///   numbers or hopeless, naming step and rows, or rows that cannot be read. The states saved last are then from
    ///   before the first bad step.
    package func run() throws -> TrainingResult {
        try resume()
        observer.begin(state.metrics)
        if state.metrics.isEmpty, settings.validationSteps > 0 { try validate() }
        var clock = StepClock(step: state.step, tokens: state.tokens)
        while state.step < settings.steps, !state.isStopped {
            if observer.isCancelled() {
                if isHealthy { try save() }
                throw TrainingCancelled()
            }
            try step(rate: clock.rate)
            if isDue(settings.validationSteps, orAtEnd: true) { try clock.leavingOut { try validate() } }
            if let rate = clock.tick(state.step, state.tokens, every: settings.logSteps, of: settings.steps) {
                observer.record(rate)
            }
            if clock.isFirstReport {
                observer.message("about \(clock.remaining(settings.steps)) to go at \(clock.rate)")
            }
            if isDue(settings.saveSteps, orAtEnd: false) { try saveModel() }
            let last = state.step == settings.steps || state.isStopped
            if last || isHealthy && clock.isCheckpointDue(state.step, settings) { try save() }
        }
        let (losses, validation) = try lastLosses()
        return TrainingResult(
            metrics: state.metrics, optimizer: OptimizerState(self, step: state.step - state.skipped),
            steps: state.step,
            tokens: state.tokens, losses: losses, validation: validation, saved: try savedModels(),
            savedBest: try savedBest(), best: state.best, stoppedEarly: state.isStopped, skipped: state.skipped)
    }

    func isDue(_ every: Int, orAtEnd: Bool) -> Bool {
        guard every > 0 else { return false }
        return state.step % every == 0 || orAtEnd && state.step == settings.steps
    }

    /// Whether the state is one to go back to.
    private var isHealthy: Bool { state.skippedInRow == 0 && state.hopelessInRow == 0 }

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

    /// In words, for whoever has to go back: where the newest state stands.
    var lastGoodState: String {
        guard let step = (try? folder?.steps())?.first else { return "no state was saved yet" }
        return "the state after step \(step) is kept"
    }
}

extension ParameterRange {
    /// Ranges with other exclusions than BERT's; nil for BERT's own. Gaps of the layout are left out.
    static func ranges(_ layout: ParameterLayout, undecayed parts: [String]) -> [ParameterRange]? {
        if Set(parts) == Set(TrainingSettings.usualExclusions) { return nil }
        return layout.entries.flatMap { entry in
            stride(from: entry.offset, to: entry.offset + entry.count, by: limit).map { offset in
                ParameterRange(
                    offset: offset, count: min(limit, entry.offset + entry.count - offset),
                    isDecayed: !parts.contains { entry.name.contains($0) }, isTrained: entry.isTrained)
            }
        }
    }
}
