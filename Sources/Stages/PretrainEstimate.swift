// What training is going to cost, before it begins: for `plan`.

import Container
import Pipeline
import Transformer

/// Operations and tokens of a run, from the mean rows of shards that are made, the longest of those that are not.
struct PretrainEstimate {
    private let config: PretrainConfig
    private let model: BertConfig
    /// By connected shards: mean tokens of a row, and whether that was measured.
    private let lengths: [(mean: Double, isMeasured: Bool)]

    /// - Parameter waiting: configs of the stages that are yet to run, by port.
    init(_ config: PretrainConfig, inputs: [String: [StoredArtifact]], waiting: [String: [JSON]]) {
        self.config = config
        let made = inputs[Pretrain.vocabulary.name]?.first?.manifest.metadata["vocabulary_size"]?.int
        let wanted = waiting[Pretrain.vocabulary.name]?.first?["size"]?.int
        model = config.model(
            vocabularySize: Int(made ?? wanted ?? 30_522), padID: 0,
            start: inputs[Pretrain.start.name]?.first.flatMap(Self.shape))
        let longest = Double(config.maxPositionEmbeddings)
        let shards = inputs[Pretrain.shards.name] ?? []
        if shards.isEmpty {
            lengths = (waiting[Pretrain.shards.name] ?? [.null]).map {
                (min(longest, $0["max_seq_length"]?.double ?? longest), false)
            }
        } else {
            lengths = shards.map { shard in
                let rows = shard.manifest.parts.reduce(0) { $0 + $1.rows }
                guard rows > 0, let tokens = shard.manifest.metadata["tokens"]?.int else { return (longest, false) }
                return (Double(tokens) / Double(rows), true)
            }
        }
    }

    /// Sizes of the model to start from; nil if they cannot be read.
    private static func shape(_ start: StoredArtifact) -> BertConfig? {
        guard let files = try? ModelFiles(artifact: start, place: "init") else { return nil }
        return try? BertConfig(parsing: files.config, place: "init")
    }

    /// Steps on each of the connected shards.
    private var steps: [Double] {
        guard !config.phases.isEmpty else {
            return lengths.map { _ in Double(config.steps) / Double(lengths.count) }
        }
        let phases = config.trainingPhases
        return lengths.indices.map { shards in Double(phases.reduce(0) { $0 + $1.steps(of: shards) }) }
    }

    var estimate: StageEstimate {
        let batch = Double(config.batchSize)
        var operations = 0.0
        var tokens = 0.0
        for (length, count) in zip(lengths, steps) {
            tokens += count * batch * length.mean
            operations +=
                count
                * TrainingEstimate.operations(
                    model, tokens: batch * length.mean, squares: batch * length.mean * length.mean,
                    masked: batch * length.mean * config.maskedLMProb, sequences: batch)
        }
        let millions = { (n: Double) in Recipe.decimal(n / 1e6, 2) + " M" }
        var summary =
            "\(millions(Double(ParameterLayout(model).parameterCount))) parameters, "
            + (lengths.allSatisfy(\.isMeasured) ? "about " : "at most ") + millions(tokens) + " tokens"
        if let recipe = config.recipe { summary = "recipe \(recipe.rawValue), " + summary }
        if let hint = Recipe.tooLong(operations: operations) { summary += " (\(hint))" }
        return StageEstimate(operations: operations, summary: summary)
    }
}
