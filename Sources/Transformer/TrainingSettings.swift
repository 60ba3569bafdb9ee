// What a training run is told: the schedule, the optimiser, the data in order, and the operational knobs that may not
// change a bit of the result.

package import Container

/// A stretch of training on one data set, or on several that take turns.
package struct TrainingPhase: Sendable, Equatable {
    package let steps: Int
    /// By data set, how many of the turns are its own.
    package let weights: [Int]
    /// The data sets of the first steps, over and over.
    private let turns: [Int]

    package init(data: Int, steps: Int) {
        self.init(weights: Array(repeating: 0, count: data) + [1], steps: steps)
    }

    /// Every step is a batch of one data set, and after every step each has had its share to within one batch (smooth
    /// weighted round-robin).
    /// - Precondition: weights are not negative, and one is above 0.
    package init(weights: [Int], steps: Int) {
        let total = weights.reduce(0, +)
        precondition(total > 0 && weights.allSatisfy { $0 >= 0 }, "weights of data sets are at least 0, and one above")
        self.weights = weights
        self.steps = steps
        var credit = Array(repeating: 0, count: weights.count)
        turns = (0..<total).map { _ in
            for data in credit.indices { credit[data] += weights[data] }
            let next = credit.indices.max { credit[$0] < credit[$1] || credit[$0] == credit[$1] && $0 > $1 }!
            credit[next] -= total
            return next
        }
    }

    /// The data sets it trains on.
    package var data: [Int] { weights.indices.filter { weights[$0] > 0 } }

    /// The data set of a step of the phase, counted from 0.
    package func data(at step: Int) -> Int { turns[step % turns.count] }

    /// How many steps a data set has.
    package func steps(of data: Int) -> Int {
        guard weights.indices.contains(data) else { return 0 }
        let rest = turns[..<(steps % turns.count)].count { $0 == data }
        return steps / turns.count * weights[data] + rest
    }

    fileprivate var fingerprint: JSON {
        let data = data
        return data.count == 1
            ? ["data": JSON(data[0]), "steps": JSON(steps)]
            : ["mix": .array(weights.map { JSON($0) }), "steps": JSON(steps)]
    }
}

/// Rows to train on and, if there are any, rows to validate on.
package struct TrainingData: Sendable {
    package let train: any InstanceSource
    package let validation: (any InstanceSource)?

    package init(train: any InstanceSource, validation: (any InstanceSource)? = nil) {
        self.train = train
        self.validation = validation
    }
}

package struct TrainingSettings: Sendable {
    package var steps = 1000
    /// Sequences a step.
    package var batchSize = 16
    /// Parts a batch is cut into; threads take slices.
    package var slices = 2
    package var drpWeight = 1.0
    package var seed: UInt64 = 0
    /// In order; their steps add up to `steps`.
    package var phases: [TrainingPhase] = []

    /// Parts a batch is computed in, one after another, so that memory is needed for one part only. The gradient is
    /// that of the whole batch but for rounding.
    package var gradientAccumulation = 1

    package var learningRate = 1e-3
    package var warmupSteps = 100
    package var schedule = LearningRateSchedule.linear
    package var adamBeta1 = 0.9
    package var adamBeta2 = 0.98
    package var adamEpsilon = 1e-6
    package var adamVariant = AdamVariant.torch
    /// False for BERT's own Adam.
    package var adamBiasCorrection = true
    package var weightDecay = 0.01
    /// Parameters whose name holds one of these are not decayed.
    package var decayExclusions = TrainingSettings.usualExclusions
    /// Gradients of a greater norm are scaled down to it; 0 turns clipping off.
    package var maxGradNorm = 1.0
    package var dropout = true
    package var precision = TrainingPrecision.fp32
    /// The run stops once this many steps in a row had a loss or gradient that is not finite; fewer are skipped.
    package var maxSkippedSteps = 3

    /// Steps between validations; 0 for none.
    package var validationSteps = 0
    /// Rows looked at in a validation.
    package var validationRows = 256
    /// Steps between published checkpoints; 0 for none but the last.
    package var saveSteps = 0
    /// How many of the published checkpoints stay, the newest; 0 for all.
    package var saveTotalLimit = 0
    /// Whether the parameters of the best validation are kept.
    package var saveBest = false
    /// Validations in a row without a better loss after which training ends; 0 for never.
    package var earlyStoppingPatience = 0
    /// By how much a validation loss must fall to count as better.
    package var earlyStoppingThreshold = 0.0

    // Operational: where, when and how loudly, never what.
    package var threads = 1
    package var logSteps = 10
    /// Steps between checkpoints in scratch; 0 leaves it to the clock.
    package var checkpointSteps = 0
    package var checkpointSeconds = 120.0
    /// States kept in scratch, the newest; at least 2, so that a damaged one has one before it.
    package var checkpointLimit = 2

    package init() {}

    /// What BERT and its successors leave undecayed.
    package static let usualExclusions = ["bias", "LayerNorm"]

    /// Learning rate of a step (1, 2, …).
    package func learningRate(step: Int) -> Double {
        if step <= warmupSteps { return learningRate * Double(step) / Double(warmupSteps) }
        if schedule == .linear { return learningRate * Double(steps - step + 1) / Double(max(1, steps - warmupSteps)) }
        return learningRate * schedule.factor(step: step, warmup: warmupSteps, steps: steps)
    }

    /// Rows of the largest part of a batch.
    var partSize: Int { (batchSize + gradientAccumulation - 1) / gradientAccumulation }

    /// Everything that decides the result; a saved state goes on only under the same fingerprint. What came later than
    /// the first states is absent at its default.
    var fingerprint: JSON {
        let usual = TrainingSettings()
        var all = basicFingerprint.object ?? [:]
        func add<V: Equatable>(_ name: String, _ path: KeyPath<TrainingSettings, V>, _ json: (V) -> JSON) {
            if self[keyPath: path] != usual[keyPath: path] { all[name] = json(self[keyPath: path]) }
        }
        add("gradient_accumulation", \.gradientAccumulation) { JSON($0) }
        add("lr_schedule", \.schedule) { .string($0.rawValue) }
        add("adam_variant", \.adamVariant) { .string($0.rawValue) }
        add("adam_bias_correction", \.adamBiasCorrection) { .bool($0) }
        add("weight_decay_exclude", \.decayExclusions) { .array($0.map { .string($0) }) }
        add("max_skipped_steps", \.maxSkippedSteps) { JSON($0) }
        add("save_total_limit", \.saveTotalLimit) { JSON($0) }
        add("save_best", \.saveBest) { .bool($0) }
        add("early_stopping_patience", \.earlyStoppingPatience) { JSON($0) }
        add("precision", \.precision) { .string($0.rawValue) }
        add("early_stopping_threshold", \.earlyStoppingThreshold) { .number($0) }
        return .object(all)
    }

    private var basicFingerprint: JSON {
        [
            "steps": JSON(steps), "batch_size": JSON(batchSize), "slices": JSON(slices),
            "drp_weight": .number(drpWeight), "seed": .string(String(seed)),
            "phases": .array(phases.map(\.fingerprint)),
            "learning_rate": .number(learningRate), "warmup_steps": JSON(warmupSteps),
            "adam_beta1": .number(adamBeta1), "adam_beta2": .number(adamBeta2),
            "adam_epsilon": .number(adamEpsilon), "weight_decay": .number(weightDecay),
            "max_grad_norm": .number(maxGradNorm), "dropout": .bool(dropout),
            "validation_steps": JSON(validationSteps), "validation_rows": JSON(validationRows),
            "save_steps": JSON(saveSteps),
        ]
    }

    /// - Throws: `ModelError` for settings that contradict each other.
    package func validate(dataSets: Int) throws(ModelError) {
        guard gradientAccumulation >= 1, gradientAccumulation <= batchSize else {
            throw ModelError(
                "a batch of \(batchSize) sequences cannot be computed in \(gradientAccumulation) parts",
                fix: "set `gradient_accumulation` to at most `batch_size`")
        }
        guard slices >= 1, slices <= partSize else {
            throw ModelError(
                "\(partSize) sequences at a time cannot be cut into \(slices) slices",
                cause: "a batch of \(batchSize) is computed in \(gradientAccumulation) parts",
                fix: "set `slices` to at most `batch_size` divided by `gradient_accumulation`")
        }
        guard warmupSteps <= steps else {
            throw ModelError("warmup_steps \(warmupSteps) is more than steps \(steps)")
        }
        guard phases.reduce(0, { $0 + $1.steps }) == steps else {
            throw ModelError("the phases have \(phases.reduce(0) { $0 + $1.steps }) steps, `steps` is \(steps)")
        }
        for phase in phases where phase.weights.count > dataSets {
            throw ModelError(
                "a phase names shards \(phase.weights.count - 1), but \(dataSets) are connected (0 to \(dataSets - 1))")
        }
    }
}

/// Where a run reports to; all closures may be called from the training thread at any time.
package struct TrainingObserver: Sendable {
    package var message: @Sendable (String) -> Void = { _ in }
    package var warning: @Sendable (String) -> Void = { _ in }
    /// (steps done, note).
    package var progress: @Sendable (Int, String) -> Void = { _, _ in }
    /// The metrics so far, when training begins or goes on.
    package var begin: @Sendable ([UInt8]) -> Void = { _ in }
    /// A line of the metrics, as it enters the result.
    package var metrics: @Sendable (JSON) -> Void = { _ in }
    /// Rates and clocks, which belong beside the result.
    package var record: @Sendable (JSON) -> Void = { _ in }
    package var isCancelled: @Sendable () -> Bool = { false }

    package init() {}
}

/// The run was asked to stop; its state is saved.
package struct TrainingCancelled: Error, Sendable {}
