// The keys of stage `pretrain`.

import Container
package import Pipeline
package import Transformer

/// A number of steps, or a share of all steps such as `90%`.
package enum StepAmount: Sendable, Equatable {
    case steps(Int)
    case percent(Double)

    /// The steps meant, of `total`.
    package func of(_ total: Int) -> Int {
        switch self {
        case .steps(let steps): steps
        case .percent(let percent): Int((Double(total) * percent / 100).rounded())
        }
    }

    static func key<C>(_ name: String, _ path: any KeyOf<C, StepAmount>, help: String) -> ConfigKey<C> {
        .custom(
            name, path, type: "a whole number of steps, or a share such as 10%",
            schema: ["anyOf": [["type": "integer", "minimum": 0], ["type": "string", "pattern": "^[0-9.]+%$"]]],
            help: help, decode: { (node) throws(ConfigProblem) in try StepAmount(node) }, encode: \.json)
    }

    init(_ node: Node) throws(ConfigProblem) {
        let text = try node.readString()
        guard text.hasSuffix("%") else {
            self = .steps(try node.readInt(in: 0...1_000_000_000))
            return
        }
        let number = text.dropLast()
        guard !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }),
            let percent = Double(number), percent <= 100
        else { throw node.mismatch("a whole number of steps, or a share from 0% to 100%") }
        self = .percent(percent)
    }

    var json: JSON {
        switch self {
        case .steps(let steps): JSON(steps)
        case .percent(let percent):
            .string((percent == percent.rounded() ? "\(Int(percent))" : "\(percent)") + "%")
        }
    }
}

/// One phase: which of the connected shards, for how long.
package struct PhaseConfig: StageConfig {
    package var shards = 0
    package var steps = StepAmount.percent(100)

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .int("shards", \.shards, in: 0...1000, help: "which of the connected shards, counted from 0"),
            StepAmount.key("steps", \.steps, help: "how many steps, or which share of `steps`"),
        ]
    }
}

package struct PretrainConfig: StageConfig {
    package enum Precision: String, CaseIterable, Sendable { case fp32, bf16, fp16 }

    package var architecture = Architecture.tiny
    package var maxPositionEmbeddings = 512
    package var initializerRange = 0.02
    package var objective = Objective.linkbert
    package var drpWeight = 1.0
    package var steps = 1000
    package var batchSize = 16
    package var slices = 2
    package var learningRate: Double?
    package var warmupSteps = StepAmount.percent(10)
    package var adamBeta1 = 0.9
    package var adamBeta2 = 0.98
    package var adamEpsilon = 1e-6
    package var weightDecay = 0.01
    package var maxGradNorm = 1.0
    package var maskedLMProb = 0.15
    package var wholeWord = false
    package var hiddenDropout = 0.1
    package var attentionDropout = 0.1
    package var seed = 0
    package var precision = Precision.fp32
    package var validationSteps = 500
    package var validationRows = 256
    package var saveSteps = 0
    package var phases: [PhaseConfig] = []
    package var threads: Int?
    package var logSteps = 10
    package var checkpointSteps = 0
    package var checkpointSeconds = 120.0

    package init() {}

    package static var keys: [ConfigKey<Self>] { modelKeys + optimiserKeys + reportKeys }

    private static var modelKeys: [ConfigKey<Self>] {
        [
            .choice("architecture", \.architecture, help: "one of the published BERT sizes"),
            .int(
                "max_position_embeddings", \.maxPositionEmbeddings, in: 8...65_535,
                help: "positions the model has; rows may be shorter, never longer"),
            .number(
                "initializer_range", \.initializerRange, in: 1e-6...1,
                help: "standard deviation of the start values of weights (normal, cut at two deviations)"),
            .choice(
                "objective", \.objective,
                help: "linkbert: MLM and 3-way document relation prediction; bert: MLM and next sentence prediction; "
                    + "mlm: MLM alone"),
            .number("drp_weight", \.drpWeight, in: 0...1000, help: "weight of the relation loss beside the MLM loss"),
            .number(
                "masked_lm_prob", \.maskedLMProb, in: 0.01...0.9,
                help: "share of tokens masked, where masking is dynamic"),
            .bool("whole_word", \.wholeWord, help: "mask whole words, where masking is dynamic"),
            .number("hidden_dropout", \.hiddenDropout, in: 0...0.9, help: "dropout of embeddings and layer outputs"),
            .number("attention_dropout", \.attentionDropout, in: 0...0.9, help: "dropout of attention probabilities"),
            .int("seed", \.seed, in: 0...Int.max, help: "start values, masks and dropout"),
            .choice("precision", \.precision, help: "arithmetic; only fp32 on a CPU"),
        ]
    }

    private static var optimiserKeys: [ConfigKey<Self>] {
        [
            .int("steps", \.steps, in: 1...1_000_000_000, help: "optimiser steps"),
            .int("batch_size", \.batchSize, in: 1...1_000_000, help: "sequences a step"),
            .int(
                "slices", \.slices, in: 1...1024,
                help: "parts of a batch that threads take; fixed here, so that no thread count changes a bit"),
            .nestedList(
                "phases", \.phases, help: "shards in turn, e.g. [{shards: 0, steps: 90%}, {shards: 1, steps: 10%}]"),
            .optionalNumber(
                "learning_rate", \.learningRate, in: 0...1,
                help: "peak; null: by size, 1e-3 tiny and mini, 5e-4 small and medium, 2e-4 base, 1e-4 large"),
            StepAmount.key("warmup_steps", \.warmupSteps, help: "steps of linear warm-up, then linear decay to 0"),
            .number("adam_beta1", \.adamBeta1, in: 0...0.999999, help: "decay of the first moment"),
            .number("adam_beta2", \.adamBeta2, in: 0...0.999999, help: "decay of the second moment"),
            .number("adam_epsilon", \.adamEpsilon, in: 1e-12...1, help: "added to the root of the second moment"),
            .number("weight_decay", \.weightDecay, in: 0...10, help: "decoupled; biases and LayerNorm are exempt"),
            .number("max_grad_norm", \.maxGradNorm, in: 0...1e9, help: "clip the global norm; 0: do not clip"),
        ]
    }

    private static var reportKeys: [ConfigKey<Self>] {
        [
            .int(
                "validation_steps", \.validationSteps, in: 0...1_000_000_000, help: "steps between validations; 0: none"
            ),
            .int("validation_rows", \.validationRows, in: 1...1_000_000_000, help: "rows looked at in a validation"),
            .int(
                "save_steps", \.saveSteps, in: 0...1_000_000_000,
                help: "steps between checkpoints that stay in the result, as checkpoint-<step>/; 0: the last only"),
            .optionalInt(
                "threads", \.threads, in: 1...1024, operational: true, help: "threads; null: as many as the run may use"
            ),
            .int(
                "log_steps", \.logSteps, in: 1...1_000_000, operational: true, help: "steps between lines of progress"),
            .int(
                "checkpoint_steps", \.checkpointSteps, in: 0...1_000_000_000, operational: true,
                help: "steps between states saved for resuming; 0: by checkpoint_seconds"),
            .number(
                "checkpoint_seconds", \.checkpointSeconds, in: 1...1e9, operational: true,
                help: "seconds between states saved for resuming"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if precision != .fp32 {
            problems.append(
                ConfigProblem(
                    "is \(precision.rawValue), which no device here computes in", key: "precision", fix: "use fp32"))
        }
        if slices > batchSize {
            problems.append(
                ConfigProblem(
                    "is \(slices), more than batch_size \(batchSize)", key: "slices",
                    fix: "set slices to at most batch_size"))
        }
        if warmupSteps.of(steps) > steps {
            problems.append(
                ConfigProblem("is \(warmupSteps.of(steps)), more than steps \(steps)", key: "warmup_steps"))
        }
        let sum = phaseSteps.reduce(0, +)
        if !phases.isEmpty, sum != steps {
            problems.append(
                ConfigProblem(
                    "add up to \(sum) steps, but `steps` is \(steps)", key: "phases",
                    fix: "let the shares add up to 100%, or the numbers to \(steps)"))
        }
        if objective == .mlm, drpWeight != PretrainConfig().drpWeight, drpWeight != 0 {
            problems.append(ConfigProblem("has no effect with `objective: mlm`", key: "drp_weight"))
        }
        return problems
    }

    /// Steps of each phase: shares are rounded where they end, so that 33.3% thrice loses no step.
    package var phaseSteps: [Int] {
        var steps: [Int] = []
        var percent = 0.0
        var done = 0
        for phase in phases {
            var count = phase.steps.of(self.steps)
            if case .percent(let share) = phase.steps {
                percent += share
                count = StepAmount.percent(percent).of(self.steps) - done
            }
            if case .percent = phase.steps { done += count }
            steps.append(count)
        }
        return steps
    }

    /// The settings of the trainer.
    func settings(threads available: Int) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.steps = steps
        settings.batchSize = batchSize
        settings.slices = slices
        settings.drpWeight = drpWeight
        settings.seed = UInt64(seed)
        settings.phases = zip(phases, phaseSteps).map { TrainingPhase(data: $0.shards, steps: $1) }
        settings.learningRate = learningRate ?? architecture.defaultLearningRate
        settings.warmupSteps = warmupSteps.of(steps)
        settings.adamBeta1 = adamBeta1
        settings.adamBeta2 = adamBeta2
        settings.adamEpsilon = adamEpsilon
        settings.weightDecay = weightDecay
        settings.maxGradNorm = maxGradNorm
        settings.dropout = hiddenDropout > 0 || attentionDropout > 0
        settings.validationSteps = validationSteps
        settings.validationRows = validationRows
        settings.saveSteps = saveSteps
        settings.threads = max(1, min(threads ?? available, slices))
        settings.logSteps = logSteps
        settings.checkpointSteps = checkpointSteps
        settings.checkpointSeconds = checkpointSeconds
        return settings
    }

    /// The shape of the model for a vocabulary.
    func model(vocabularySize: Int, padID: UInt32) -> BertConfig {
        var config = BertConfig(
            architecture, vocabSize: vocabularySize, relationClasses: objective.relationClasses)
        config.maxPositionEmbeddings = maxPositionEmbeddings
        config.initializerRange = initializerRange
        config.hiddenDropoutProb = hiddenDropout
        config.attentionProbsDropoutProb = attentionDropout
        config.padTokenID = Int(padID)
        return config
    }
}
