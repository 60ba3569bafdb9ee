// Stage `pretrain`: shards and a vocabulary in, a checkpoint in the Hugging Face layout out. One piece: training is
// one computation, resumable through its scratch folder.

package import Container
import Corpus
package import Pipeline
import Text
import Transformer

package enum Pretrain: Stage {
    package typealias Config = PretrainConfig
    package typealias Output = CheckpointArtifact

    package static let name = "pretrain", version = 4
    package static let summary = "trains a BERT on shards: masked words and how two texts are related"
    static let shards = InputPort<ShardsArtifact>(
        "shards", .many, help: "training rows; several in order, which `phases` names by number")
    static let vocabulary = InputPort<VocabularyArtifact>(
        "vocabulary", help: "the vocabulary the shards were made with")
    static let start = InputPort<CheckpointArtifact>(
        "init", .optional, autoWired: false, help: "a model to start from instead of random weights")
    package static var ports: [AnyInputPort] { [shards.erased, vocabulary.erased, start.erased] }

    package static func numerics(_ config: Config) -> JSON? {
        Numerics.json(of: config.precision)
    }

    package static func obstacle(_ config: Config) -> String? {
        config.precision.obstacle.map { "precision is \(config.precision.rawValue), but \($0.cause); \($0.fix)" }
    }

    /// The one piece reads the training and validation rows, never the test side.
    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let parts = context.allParts.filter { part in
            part.port != shards.name || ShardSide.trainable.contains { part.part.name.hasPrefix($0.rawValue) }
        }
        // What the stage reads of metadata, which no part's digest covers.
        let facts = try PretrainFacts(context)
        return [Piece(name: "all", parts: parts, projection: facts.projection)]
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        do {
            return try train(context, output)
        } catch let error as ModelError {
            throw StageError(error)
        } catch is TrainingCancelled {
            throw Cancelled()
        }
    }

    private static func train(_ context: StageContext<Config>, _ output: PartSink) throws -> PieceResult {
        let config = context.config
        let environment = context.environment
        let facts = try PretrainFacts(context)
        try facts.check(config)
        let data = try context.list(shards.name).map {
            TrainingData(
                train: try ShardSource($0, side: .train), validation: try ShardSource($0, side: .validation))
        }
        let model = try PretrainStart.model(context, facts)
        var settings = config.settings(threads: environment.threads)
        if settings.phases.isEmpty { settings.phases = phases(data, settings) }
        let scratch = try environment.scratch()
        let trainer = try Trainer(
            model: model, settings: settings, masking: facts.masking(config), data: data, scratch: scratch,
            observer: observer(environment, steps: settings.steps, scratch: scratch))
        let estimate = trainer.estimate
        for line in estimate.lines { environment.progress.message(line) }
        for warning in estimate.warnings { environment.progress.warning(warning) }
        if let hint = Recipe.tooLong(operations: estimate.operations) { environment.progress.warning(hint) }
        let result = try trainer.run()
        return try write(model, result, facts, estimate.operations, context, output)
    }

    /// Without phases, shards are read one after another, each in proportion to its rows.
    private static func phases(_ data: [TrainingData], _ settings: TrainingSettings) -> [TrainingPhase] {
        let rows = data.map(\.train.count)
        let total = max(1, rows.reduce(0, +))
        var seen = 0
        var done = 0
        return rows.indices.compactMap { index in
            seen += rows[index]
            let end = index == rows.count - 1 ? settings.steps : settings.steps * seen / total
            defer { done = end }
            return end > done ? TrainingPhase(data: index, steps: end - done) : nil
        }
    }

    private static func observer(_ environment: StageEnvironment, steps: Int, scratch: String) -> TrainingObserver {
        let progress = environment.progress
        let events = LiveEvents(directory: scratch + "/tensorboard") { progress.warning($0) }
        var observer = TrainingObserver()
        observer.begin = { events.begin(metrics: $0) }
        observer.metrics = { events.add($0) }
        observer.message = { progress.message($0) }
        observer.warning = { progress.warning($0) }
        observer.progress = { progress.update(done: Int64($0), total: Int64(steps), unit: "steps", note: $1) }
        observer.record = { progress.record("training", $0) }
        observer.isCancelled = environment.isCancelled
        return observer
    }

    private static func write(
        _ model: BertModel, _ result: TrainingResult, _ facts: PretrainFacts, _ operations: Double,
        _ context: StageContext<Config>, _ output: PartSink
    ) throws -> PieceResult {
        let config = context.config
        let tokenizer = HuggingFaceTokenizerFiles.all(
            facts.vocabulary, modelMaxLength: config.maxPositionEmbeddings)
        var parts = [
            try output.file("config.json", HuggingFaceModel.configFile(model)),
            try output.file("model.safetensors") { blob in
                try HuggingFaceModel.writeWeights(model) { try blob.write($0) }
            },
            try output.file("optimizer.safetensors") { blob in try result.optimizer.write { try blob.write($0) } },
            try output.file("metrics.jsonl", result.metrics),
        ]
        for file in tokenizer { parts.append(try output.file(file.name, file.bytes)) }
        let published =
            result.saved.map { ("checkpoint-\($0.step)/", $0) } + (result.savedBest.map { [("best/", $0)] } ?? [])
        for (prefix, saved) in published {
            parts.append(try output.file(prefix + "config.json", HuggingFaceModel.configFile(model)))
            parts.append(try copy(saved.directory + "/model.safetensors", prefix + "model.safetensors", output))
            for file in tokenizer { parts.append(try output.file(prefix + file.name, file.bytes)) }
        }
        var metadata: [String: JSON] = [
            "architecture": .string(config.architecture.rawValue), "objective": .string(config.objective.rawValue),
            "parameters": JSON(model.layout.parameterCount), "steps": JSON(result.steps),
            "tokens": JSON(result.tokens), "vocabulary_size": JSON(model.config.vocabSize),
            "max_position_embeddings": JSON(model.config.maxPositionEmbeddings),
            "mlm_loss": .number(result.losses.mlm), "saved_steps": JSON(result.saved.map(\.step)),
        ]
        if let drp = result.losses.drp { metadata["drp_loss"] = .number(drp) }
        if let validation = result.validation {
            metadata["validation_mlm_loss"] = .number(validation.mlm)
            if let drp = validation.drp { metadata["validation_drp_loss"] = .number(drp) }
        }
        if let best = result.best {
            metadata["best_step"] = JSON(best.step)
            metadata["best_validation_loss"] = .number(best.loss)
            metadata["stopped_early"] = .bool(result.stoppedEarly)
        }
        if result.skipped > 0 { metadata["skipped_steps"] = JSON(result.skipped) }
        return PieceResult(
            parts: parts,
            counts: [
                "steps": Int64(result.steps), "tokens": Int64(result.tokens),
                "parameters": Int64(model.layout.parameterCount),
                StageEstimate.countName: Int64(operations / 1e9),
            ], summary: .object(metadata))
    }

    private static func copy(_ path: String, _ name: String, _ output: PartSink) throws -> Part {
        let file = try MappedFile(path: path)
        return try output.file(name) { try $0.write(file.bytes) }
    }

    /// What a run of these settings would cost.
    package static func estimate(
        _ config: Config, inputs: [String: [StoredArtifact]], waiting: [String: [JSON]]
    ) throws -> StageEstimate? {
        PretrainEstimate(config, inputs: inputs, waiting: waiting).estimate
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        Finished(parts: results.flatMap(\.parts), metadata: results.first?.summary ?? .object([:]))
    }
}

extension ShardSide {
    /// Sides whose rows training may look at.
    static var trainable: [ShardSide] { [.train, .validation] }
}
