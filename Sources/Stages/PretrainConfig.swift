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
    package var mix: [Int] = []
    package var steps = StepAmount.percent(100)

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .int("shards", \.shards, in: 0...1000, help: "which of the connected shards, counted from 0"),
            .ints(
                "mix", \.mix, in: 0...1000,
                help: "instead of `shards`: all of them take turns, a batch each, in these proportions, e.g. [7, 3]"),
            StepAmount.key("steps", \.steps, help: "how many steps, or which share of `steps`"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        guard !mix.isEmpty else { return [] }
        if shards != 0 {
            return [ConfigProblem("cannot stand beside `mix`", key: "shards", fix: "leave one of them out")]
        }
        return mix.allSatisfy { $0 == 0 }
            ? [ConfigProblem("gives no shards a turn", key: "mix", fix: "give one of them more than 0")] : []
    }

    /// By number of the connected shards, their proportions.
    package var weights: [Int] { mix.isEmpty ? Array(repeating: 0, count: shards) + [1] : mix }
}

package struct PretrainConfig: StageConfig {
    /// What happens where the model of port `init` has other words or positions than this run.
    package enum Mismatch: String, CaseIterable, Sendable { case refuse, extend }

    package var recipe: Recipe.Name?
    package var architecture = ModelShape.tiny
    package var initMismatch = Mismatch.refuse
    package var maxPositionEmbeddings = 512
    package var initializer = Initializer.normal
    package var initializerRange: Double?
    package var objective = Objective.linkbert
    package var drpWeight = 1.0
    package var steps = 1000
    package var batchSize = 16
    package var slices = 2
    package var gradientAccumulation = 1
    package var learningRate: Double?
    package var warmupSteps = StepAmount.percent(10)
    package var schedule = LearningRateSchedule.linear
    package var adamBeta1 = 0.9
    package var adamBeta2 = 0.98
    package var adamEpsilon = 1e-6
    package var adamVariant = AdamVariant.torch
    package var adamBiasCorrection = true
    package var weightDecay = 0.01
    package var weightDecayExclude = TrainingSettings.usualExclusions
    package var maxGradNorm = 1.0
    package var maxSkippedSteps = TrainingSettings().maxSkippedSteps
    package var maskedLMProb = 0.15
    package var wholeWord = false
    package var hiddenDropout = 0.1
    package var attentionDropout = 0.1
    package var seed = 0
    package var precision = TrainingPrecision.fp32
    package var validationSteps = 500
    package var validationRows = 256
    package var earlyStoppingPatience = 0
    package var earlyStoppingThreshold = 0.0
    package var saveSteps = 0
    package var saveTotalLimit = 0
    package var saveBest = false
    package var phases: [PhaseConfig] = []
    package var threads: Int?
    package var logSteps = 10
    package var checkpointSteps = 0
    package var checkpointSeconds = 120.0
    package var checkpointLimit = 2

    package init() {}

    /// A recipe's values, where the map names one.
    package static func start(from node: Node) -> Self {
        guard let text = try? node["recipe"]?.readString(), let name = Recipe.Name(rawValue: text) else {
            return Self()
        }
        return Recipe.named(name).config
    }

    package func origin(of key: String) -> String? {
        recipe.flatMap { name in Recipe.named(name).source(of: key).map { "recipe \(name.rawValue): \($0)" } }
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if gradientAccumulation > batchSize {
            problems.append(
                ConfigProblem(
                    "is \(gradientAccumulation), more than batch_size \(batchSize)", key: "gradient_accumulation",
                    cause: "a batch is computed in that many parts"))
        } else if slices > partSize {
            problems.append(
                ConfigProblem(
                    "is \(slices), more than "
                        + (gradientAccumulation > 1
                            ? "the \(partSize) sequences of a part of the batch" : "batch_size \(batchSize)"),
                    key: "slices",
                    fix: "set slices to at most \(partSize)"))
        }
        if earlyStoppingPatience > 0 || saveBest, validationSteps == 0 {
            problems.append(
                ConfigProblem(
                    "is 0, but " + (saveBest ? "save_best" : "early_stopping_patience") + " needs validations",
                    key: "validation_steps", fix: "set validation_steps to the steps between them"))
        }
        if saveTotalLimit > 0, saveSteps == 0 {
            problems.append(
                ConfigProblem("has no effect with `save_steps: 0`", key: "save_total_limit", fix: "set save_steps"))
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

    /// Sequences computed at once.
    private var partSize: Int { (batchSize + gradientAccumulation - 1) / gradientAccumulation }

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

    var trainingPhases: [TrainingPhase] {
        zip(phases, phaseSteps).map { TrainingPhase(weights: $0.weights, steps: $1) }
    }

    /// The settings of the trainer.
    func settings(threads available: Int) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.steps = steps
        settings.batchSize = batchSize
        settings.slices = slices
        settings.drpWeight = drpWeight
        settings.seed = UInt64(seed)
        settings.phases = trainingPhases
        settings.learningRate = learningRate ?? architecture.published?.defaultLearningRate ?? 5e-5
        settings.warmupSteps = warmupSteps.of(steps)
        settings.gradientAccumulation = gradientAccumulation
        settings.schedule = schedule
        settings.adamVariant = adamVariant
        settings.adamBiasCorrection = adamBiasCorrection
        settings.decayExclusions = weightDecayExclude
        settings.maxSkippedSteps = maxSkippedSteps
        settings.earlyStoppingPatience = earlyStoppingPatience
        settings.earlyStoppingThreshold = earlyStoppingThreshold
        settings.saveTotalLimit = saveTotalLimit
        settings.saveBest = saveBest
        settings.checkpointLimit = checkpointLimit
        settings.adamBeta1 = adamBeta1
        settings.adamBeta2 = adamBeta2
        settings.adamEpsilon = adamEpsilon
        settings.weightDecay = weightDecay
        settings.maxGradNorm = maxGradNorm
        settings.dropout = hiddenDropout > 0 || attentionDropout > 0
        settings.precision = precision
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
    /// - Parameter start: of the model of port `init`, which gives the sizes of `architecture: init` and the epsilon of
    ///   LayerNorm.
    func model(vocabularySize: Int, padID: UInt32, start: BertConfig? = nil) -> BertConfig {
        var config =
            architecture.published.map {
                BertConfig($0, vocabSize: vocabularySize, relationClasses: objective.relationClasses)
            } ?? start ?? BertConfig(.base, vocabSize: vocabularySize)
        config.vocabSize = vocabularySize
        config.relationClasses = objective.relationClasses
        config.maxPositionEmbeddings = maxPositionEmbeddings
        let standardRange =
            initializer == .mimetic ? 1 / Double(config.hiddenSize).squareRoot() : (start ?? config).initializerRange
        config.initializerRange = initializerRange ?? standardRange
        config.hiddenDropoutProb = hiddenDropout
        config.attentionProbsDropoutProb = attentionDropout
        config.padTokenID = Int(padID)
        if let start { config.layerNormEps = start.layerNormEps }
        return config
    }
}
