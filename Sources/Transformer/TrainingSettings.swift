// What a training run is told: the schedule, the optimiser, the data in order, and the operational knobs that may not
// change a bit of the result.

package import Container

/// A stretch of training on one data set.
package struct TrainingPhase: Sendable, Equatable {
    /// Index of the data set.
    package var data: Int
    package var steps: Int

    package init(data: Int, steps: Int) {
        self.data = data
        self.steps = steps
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

    package var learningRate = 1e-3
    package var warmupSteps = 100
    package var adamBeta1 = 0.9
    package var adamBeta2 = 0.98
    package var adamEpsilon = 1e-6
    package var weightDecay = 0.01
    /// Gradients of a greater norm are scaled down to it; 0 turns clipping off.
    package var maxGradNorm = 1.0
    package var dropout = true

    /// Steps between validations; 0 for none.
    package var validationSteps = 0
    /// Rows looked at in a validation.
    package var validationRows = 256
    /// Steps between published checkpoints; 0 for none but the last.
    package var saveSteps = 0

    // Operational: where, when and how loudly, never what.
    package var threads = 1
    package var logSteps = 10
    /// Steps between checkpoints in scratch; 0 leaves it to the clock.
    package var checkpointSteps = 0
    package var checkpointSeconds = 120.0

    package init() {}

    /// Learning rate of a step (1, 2, …): linear from 0 to the peak over the warm-up, then linear to 0 after the
    /// last step. The first step already learns.
    package func learningRate(step: Int) -> Double {
        if step <= warmupSteps { return learningRate * Double(step) / Double(warmupSteps) }
        return learningRate * Double(steps - step + 1) / Double(max(1, steps - warmupSteps))
    }

    /// Everything that decides the result; a saved state goes on only under the same fingerprint.
    var fingerprint: JSON {
        [
            "steps": JSON(steps), "batch_size": JSON(batchSize), "slices": JSON(slices),
            "drp_weight": .number(drpWeight), "seed": .string(String(seed)),
            "phases": .array(phases.map { ["data": JSON($0.data), "steps": JSON($0.steps)] }),
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
        guard slices >= 1, slices <= batchSize else {
            throw ModelError(
                "a batch of \(batchSize) sequences cannot be cut into \(slices) slices",
                fix: "set `slices` to at most `batch_size`")
        }
        guard warmupSteps <= steps else {
            throw ModelError("warmup_steps \(warmupSteps) is more than steps \(steps)")
        }
        guard phases.reduce(0, { $0 + $1.steps }) == steps else {
            throw ModelError("the phases have \(phases.reduce(0) { $0 + $1.steps }) steps, `steps` is \(steps)")
        }
        for phase in phases where !(0..<dataSets).contains(phase.data) {
            throw ModelError(
                "a phase names shards \(phase.data), but \(dataSets) are connected (0 to \(dataSets - 1))")
        }
    }
}

/// Where a run reports to; all closures may be called from the training thread at any time.
package struct TrainingObserver: Sendable {
    package var message: @Sendable (String) -> Void = { _ in }
    package var warning: @Sendable (String) -> Void = { _ in }
    /// (steps done, note).
    package var progress: @Sendable (Int, String) -> Void = { _, _ in }
    /// Rates and clocks, which belong beside the result.
    package var record: @Sendable (JSON) -> Void = { _ in }
    package var isCancelled: @Sendable () -> Bool = { false }

    package init() {}
}

/// The run was asked to stop; its state is saved.
package struct TrainingCancelled: Error, Sendable {}
