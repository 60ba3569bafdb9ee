// Validation, early stopping, and the models that a run publishes on its way.

import Container
import Glibc
import Kernels

extension Trainer {
    /// Losses over the first `validationRows` validation rows of every data set, without dropout, with the masks of
    /// the first pass: the same text and masks every time. What training starts from is shown too, but is no candidate for
    /// the best.
    func validate() throws {
        var total = BatchLosses()
        var mlm = 0.0
        var drp = 0.0
        for set in data {
            guard let source = set.validation else { continue }
            let count = min(settings.validationRows, source.count)
            for begin in stride(from: 0, to: count, by: settings.partSize) {
                let rows = (begin..<min(begin + settings.partSize, count)).map {
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
            "step": JSON(state.step), "validation_mlm_loss": finite(total.mlm),
            "validation_mlm_accuracy": .number(Double(total.mlmCorrect) / Double(max(1, total.masked))),
            "validation_rows": JSON(total.sequences),
        ]
        if model.config.relationClasses != nil {
            let loss = drp / Double(total.sequences)
            total.drp = loss
            line["validation_drp_loss"] = finite(loss)
            line["validation_drp_accuracy"] = .number(Double(total.drpCorrect) / Double(total.sequences))
        }
        if state.step > 0, settings.earlyStoppingPatience > 0 || settings.saveBest { try compare(total, &line) }
        append(line)
        observer.message(Self.summary(total, step: state.step))
    }

    private static func summary(_ losses: BatchLosses, step: Int) -> String {
        func share(_ right: Int, of all: Int) -> String {
            "\(rounded(100 * Double(right) / Double(max(1, all)), 1))% right"
        }
        let mlm = "MLM loss \(rounded(losses.mlm, 4)), \(share(losses.mlmCorrect, of: losses.masked))"
        let drp = losses.drp.map { "; DRP loss \(rounded($0, 4)), \(share(losses.drpCorrect, of: losses.sequences))" }
        return (step == 0 ? "validation before training: " : "validation after step \(step): ") + mlm + (drp ?? "")
    }

    /// Is this the best validation so far? Decides early stopping and publishes the best parameters.
    private func compare(_ losses: BatchLosses, _ line: inout [String: JSON]) throws {
        let loss = losses.mlm + settings.drpWeight * (losses.drp ?? 0)
        line["validation_loss"] = finite(loss)
        if loss.isFinite, state.best.map({ loss < $0.loss - settings.earlyStoppingThreshold }) ?? true {
            let before = state.best
            state.best = BestValidation(step: state.step, loss: loss)
            state.validationsSinceBest = 0
            if settings.saveBest {
                try publish(bestFolder(state.step))
                if let before, let old = bestFolder(before.step) { try Files.remove(old) }
            }
        } else {
            state.validationsSinceBest += 1
            if settings.earlyStoppingPatience > 0, state.validationsSinceBest >= settings.earlyStoppingPatience {
                state.isStopped = true
                observer.message(
                    "stopped early after step \(state.step): no better validation since "
                        + (state.best.map { "step \($0.step)" } ?? "the start"))
            }
        }
        if let best = state.best { line["best_step"] = JSON(best.step) }
        if state.isStopped { line["stopped_early"] = true }
    }

    /// The losses of the last step and the last validation, as the metrics have them: the same whether this process
    /// trained or only found the training done.
    func lastLosses() throws -> (step: BatchLosses, validation: BatchLosses?) {
        var step: BatchLosses?
        var validation: BatchLosses?
        for line in state.metrics.split(separator: UInt8(ascii: "\n")).reversed() {
            if step != nil, validation != nil { break }
            let json = try JSON(parsing: Array(line))
            if step == nil, let mlm = json["mlm_loss"]?.double {
                step = BatchLosses(mlm: mlm, drp: json["drp_loss"]?.double)
            } else if validation == nil, let mlm = json["validation_mlm_loss"]?.double {
                validation = BatchLosses(mlm: mlm, drp: json["validation_drp_loss"]?.double)
            }
        }
        return (step ?? BatchLosses(), validation)
    }

    // MARK: Published models

    private func modelFolder(_ step: Int) -> String? { scratch.map { $0 + "/saved/checkpoint-\(step)" } }
    private func bestFolder(_ step: Int) -> String? { scratch.map { $0 + "/saved/best-\(step)" } }

    private func publish(_ directory: String?) throws {
        guard let directory else { return }
        try Files.makeDirectories(directory)
        try HuggingFaceModel.write(model, directory: directory)
    }

    /// Publishes the model of this step and removes those past the limit.
    func saveModel() throws {
        try publish(modelFolder(state.step))
        let limit = settings.saveTotalLimit
        guard limit > 0 else { return }
        let old = state.step - limit * settings.saveSteps
        if old > 0, let directory = modelFolder(old) { try Files.remove(directory) }
    }

    func savedModels() throws -> [TrainingResult.Saved] {
        guard settings.saveSteps > 0 else { return [] }
        let steps = Array(stride(from: settings.saveSteps, through: state.step, by: settings.saveSteps))
        let kept = settings.saveTotalLimit > 0 ? steps.suffix(settings.saveTotalLimit) : steps[...]
        return try kept.compactMap { try found($0, modelFolder($0)) }
    }

    func savedBest() throws -> TrainingResult.Saved? {
        guard settings.saveBest, let best = state.best else { return nil }
        return try found(best.step, bestFolder(best.step))
    }

    private func found(_ step: Int, _ directory: String?) throws -> TrainingResult.Saved? {
        guard let directory else { return nil }
        guard Files.exists(directory + "/model.safetensors") else {
            throw ModelError(
                "the checkpoint of step \(step) is gone", place: directory,
                fix: "remove the run's scratch folder and train again")
        }
        return TrainingResult.Saved(step: step, directory: directory)
    }
}

/// A number as JSON has it; null for those that it has not.
private func finite(_ value: Double) -> JSON { value.isFinite ? .number(value) : .null }

/// For comparisons only.
func naturalLogarithm(_ value: Int) -> Double { log(Double(value)) }
