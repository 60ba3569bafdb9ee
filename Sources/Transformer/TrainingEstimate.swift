// What a run will cost, said before it begins.

import Container

/// Passes, tokens, memory and floating-point operations of a run.
package struct TrainingEstimate: Sendable {
    package let parameters: Int
    /// Rows the run asks for, and rows its data sets have, by data set that a phase names.
    package let passes: [(data: Int, needed: Int, rows: Int)]
    /// Expected tokens, from the mean length of the rows.
    package let tokens: Int
    /// Bytes of parameters, gradients, moments and activations.
    package let bytes: Int
    /// Expected floating-point operations of matrix products, multiply and add counted separately.
    package let operations: Double
    private let precision: TrainingPrecision

    init(_ trainer: Trainer) {
        let config = trainer.model.config
        let settings = trainer.settings
        let needs = trainer.data.indices.map { index in
            settings.phases.reduce(0) { $0 + $1.steps(of: index) } * settings.batchSize
        }
        var passes: [(data: Int, needed: Int, rows: Int)] = []
        var tokens = 0.0
        var operations = 0.0
        for (index, needed) in needs.enumerated() where needed > 0 {
            let source = trainer.data[index].train
            passes.append((index, needed, source.count))
            let mean = Double(source.tokens) / Double(max(1, source.count))
            let batch = Double(settings.batchSize)
            tokens += mean * Double(needed)
            operations +=
                Double(needed) / batch
                * Self.operations(
                    config, tokens: batch * mean, squares: batch * mean * mean,
                    masked: batch * mean * trainer.engine.rules.masking.probability, sequences: batch)
        }
        parameters = trainer.model.layout.parameterCount
        self.passes = passes
        self.tokens = Int(tokens)
        self.operations = operations
        precision = settings.precision
        let buffers = trainer.accumulated == nil ? 3 : 4
        bytes = trainer.engine.bytes + buffers * 4 * trainer.model.layout.count
    }

    /// Operations of one step: 3 · [(L − 1)(2T(4H² + 2HI) + 4·ΣTₛ²·H) + 4TH² + R(2(2H² + 2HI) + 4H·ΣTₛ²/T) + 2N(H² + HV) +
    /// 2B(H² + cH)], backward counted as twice forward. T tokens, Tₛ tokens of a sequence, N masked positions, B
    /// sequences, R = N + B rows of the last layer, c relation classes.
    package static func operations(
        _ config: BertConfig, tokens: Double, squares: Double, masked: Double, sequences: Double
    ) -> Double {
        let h = Double(config.hiddenSize)
        let wide = h * Double(config.intermediateSize)
        let layer = 2 * tokens * (4 * h * h + 2 * wide) + 4 * squares * h
        let rows = masked + sequences
        let last = 4 * tokens * h * h + rows * (2 * (2 * h * h + 2 * wide) + 4 * h * squares / max(1, tokens))
        let head = 2 * masked * (h * h + h * Double(config.vocabSize))
        let relation = config.relationClasses.map { 2 * sequences * (h * h + Double($0) * h) } ?? 0
        return 3 * (Double(config.numHiddenLayers - 1) * layer + last + head + relation)
    }

    /// Lines for people.
    package var lines: [String] {
        var lines = passes.map { pass in
            "shards \(pass.data): \(pass.needed) rows wanted of \(pass.rows), "
                + "\(rounded(Double(pass.needed) / Double(max(1, pass.rows)), 2)) passes over the data"
        }
        lines.append(
            "\(parameters) parameters, about \(tokens) tokens, \(rounded(operations / 1e12, 2)) TFLOP, "
                + "\(rounded(Double(bytes) / 1048576, 0)) MiB of memory"
                + (precision == .fp32 ? "" : ", products in \(precision.rawValue)"))
        return lines
    }

    /// Data sets whose rows will be seen more than once, in words.
    package var warnings: [String] {
        passes.filter { $0.needed > $0.rows }.map { pass in
            "shards \(pass.data) have \(pass.rows) training rows and \(pass.needed) are wanted: pairs repeat, with "
                + "new masks; more `passes` in `pair-sample` give new pairs"
        }
    }
}
