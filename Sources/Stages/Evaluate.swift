// Stage `evaluate`: what a checkpoint knows, measured on the probe: losses and guesses by relation, relation
// prediction beside its floors, context gain, and link prediction.

package import Container
import Corpus
package import Pipeline
import Transformer

package struct EvaluateConfig: StageConfig {
    package var tasks: [String] = []
    package var contextRows = 1000
    package var linkAnchors = 100
    package var linkCandidates = 20
    package var seed = 1

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .strings("tasks", \.tasks, help: "fine-tuned tasks; none are offered yet, so only the empty list is taken"),
            .int(
                "context_rows", \.contextRows, in: 0...1_000_000,
                help: "linked rows of the probe to measure context gain on; 0 for none"),
            .int(
                "link_anchors", \.linkAnchors, in: 0...1_000_000,
                help: "linked rows to rank candidates for; 0 for none"),
            .int(
                "link_candidates", \.linkCandidates, in: 1...10_000,
                help: "random segments that the linked one is ranked among"),
            .int("seed", \.seed, in: 0...Int.max, help: "draws of rows, random contexts and candidates"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        tasks.isEmpty
            ? []
            : [
                ConfigProblem(
                    "names '\(tasks[0])', but fine-tuned tasks are not offered in this version", key: "tasks",
                    fix: "write `tasks: []`")
            ]
    }
}

package enum Evaluate: Stage {
    package typealias Config = EvaluateConfig
    package typealias Output = ScoresArtifact

    package static let name = "evaluate", version = 3
    package static let summary = "measures a checkpoint: losses by relation, context gain, link prediction"
    static let checkpoint = InputPort<CheckpointArtifact>("checkpoint", help: "the model to measure")
    static let probe = InputPort<ShardsArtifact>(
        "probe", .optional, autoWired: false, help: "shards with static masks, drawn from the test side")
    static let segments = InputPort<SegmentsArtifact>(
        "segments", .optional, help: "for the shortcut floor and link prediction")
    static let tokens = InputPort<TokensArtifact>(
        "tokens", .optional, help: "for the shortcut floor, unigram losses and link prediction")
    static let graph = InputPort<DocumentGraphArtifact>("graph", .optional, help: "for link prediction")
    package static var ports: [AnyInputPort] {
        [checkpoint.erased, probe.erased, segments.erased, tokens.erased, graph.erased]
    }

    package static func numerics(_ config: Config) -> JSON? { Numerics.json }

    /// The one piece reads metadata too, which no part's digest covers.
    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let facts = try [probe.name, tokens.name].compactMap {
            try context.optional($0).map { try TokensMetadata($0).json }
        }
        return [Piece(name: "all", parts: context.allParts, projection: JSON.array(facts).canonical)]
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        guard let probe = context.optional(Self.probe.name) else {
            throw StageError(
                "there is nothing to evaluate on", cause: "the port 'probe' is not connected and no tasks are named",
                fix: "wire a shard stage with `masking: static` as `in: {probe: NAME}`")
        }
        let checkpoint = try context.input(Self.checkpoint.name)
        let files = try ModelFiles(artifact: checkpoint)
        let model = try HuggingFaceModel.read(files, seed: 0).model
        let rows = try ProbeRows(probe)
        try rows.check(model.config)
        try rows.checkVocabulary(of: checkpoint)
        let evaluation = ProbeEvaluation(
            predictor: Predictor(model, threads: context.environment.threads), rows: rows, config: context.config,
            environment: context.environment)
        let whole = try evaluation.wholeRows()
        var scores: [String: JSON] = ["probe": try evaluation.intrinsic(whole)]
        if context.config.contextRows > 0 { scores["context_gain"] = try evaluation.contextGain() }
        if let tokens = context.optional(Self.tokens.name), let segments = context.optional(Self.segments.name) {
            let measure = try SegmentPairMeasure(
                lookup: try SegmentLookup(tokens: tokens, segments: segments), tokens: tokens)
            scores["floors"] = try evaluation.floors(measure, whole)
            if let graph = context.optional(Self.graph.name), context.config.linkAnchors > 0,
                model.config.relationClasses == Relation.allCases.count
            {
                let columns = try GraphColumns(reading: try graph.columns(0))
                scores["link_prediction"] = try evaluation.linkPrediction(columns, measure.lookup)
            }
        }
        let part = try output.file("scores.json", JSON.object(scores).encoded())
        return PieceResult(
            parts: [part], counts: ["probe rows": Int64(rows.count)], summary: evaluation.headline(scores))
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        Finished(parts: results.flatMap(\.parts), metadata: results.first?.summary ?? .object([:]))
    }
}

/// The rows of the probe, unmasked and masked.
struct ProbeRows {
    struct Row {
        /// What the model sees: static masks applied.
        var ids: [UInt32]
        /// Position and original id of each mask, ascending.
        var masks: [(position: Int, label: UInt32)]
        var spans: [(begin: Int, document: UInt64, segment: UInt32)]
        var relation: Relation

        /// First position of segment B.
        var secondBegin: Int { spans[1].begin }
        /// The ids before masking.
        var original: [UInt32] {
            var original = ids
            for mask in masks { original[mask.position] = mask.label }
            return original
        }
        /// Tokens of A and of B, unmasked, without special tokens.
        var a: ArraySlice<UInt32> { original[spans[0].begin..<secondBegin - 1] }
        var b: ArraySlice<UInt32> { original[secondBegin..<ids.count - 1] }
        var masksOfA: [(position: Int, label: UInt32)] { masks.filter { $0.position < secondBegin - 1 } }
    }

    private(set) var rows: [Row] = []
    let facts: TokensMetadata
    var count: Int { rows.count }

    /// Training rows are passed over: a model is not measured on what it may have learned by heart.
    /// - Throws: `StageError` if the shards have no static masks or no rows of another side.
    init(_ artifact: StoredArtifact) throws {
        facts = try TokensMetadata(artifact)
        for part in artifact.manifest.parts where !part.name.hasPrefix(Side.train.name + "-") {
            let columns = try ShardColumns(reading: try artifact.columns(part))
            guard let masks = columns.masks else {
                throw StageError(
                    "the probe has no masks", cause: "its shards were written with `masking: dynamic`",
                    fix: "write the probe's shards with `masking: static`, so that all models see the same masks")
            }
            for i in 0..<columns.count {
                let spans = Int(columns.spanOffsets[i])..<Int(columns.spanOffsets[i + 1])
                guard spans.count == 2, let relation = Relation(rawValue: columns.spanRelation[spans.lowerBound + 1])
                else { continue }
                rows.append(
                    Row(
                        ids: columns.inputIDs[Int(columns.offsets[i])..<Int(columns.offsets[i + 1])],
                        masks: (Int(masks.offsets[i])..<Int(masks.offsets[i + 1])).map {
                            (Int(masks.positions[$0]), masks.labels[$0])
                        },
                        spans: spans.map {
                            (Int(columns.spanBegin[$0]), columns.spanDocument[$0], columns.spanSegment[$0])
                        }, relation: relation))
            }
        }
        guard !rows.isEmpty else {
            throw StageError(
                "the probe has no rows outside the training side", cause: "no pairs were drawn for it",
                fix: "give its pair-sample stage `draw: [test]`; is the test side empty? (`linkloom stats FILE graph`)")
        }
    }

    /// Ids of the probe must mean to the model what they meant when the probe was made, where both say it.
    func checkVocabulary(of checkpoint: StoredArtifact) throws {
        guard let wanted = facts.tokensDigest, let part = checkpoint.part(named: "vocab.txt") else { return }
        let text = PretrainFacts.lines(try checkpoint.bytes(part)).map { $0 + "\n" }.joined()
        guard Digest.of(text) == wanted else {
            throw StageError(
                "the model has another vocabulary than the probe",
                cause: "its vocab.txt is not the one that the probe's tokens were made with",
                fix: "make the probe with the model's vocabulary: `use: vocabulary, with: {import: …/vocab.txt}`")
        }
    }

    func check(_ config: BertConfig) throws {
        if let classes = config.relationClasses, classes > Relation.allCases.count {
            throw StageError(
                "the model tells \(classes) relations apart, the probe has \(Relation.allCases.count)",
                fix: "evaluate a model with a relation head of 2 or 3 classes")
        }
        guard config.vocabSize == facts.vocabularySize else {
            throw StageError(
                "the model has \(config.vocabSize) tokens, the probe was made with a vocabulary of \(facts.vocabularySize)",
                cause: "ids of one vocabulary mean other words in another",
                fix: "make the probe with the model's vocabulary")
        }
        if let long = rows.first(where: { $0.ids.count > config.maxPositionEmbeddings }) {
            throw StageError(
                "the probe has rows of \(long.ids.count) tokens, the model \(config.maxPositionEmbeddings) positions",
                fix: "make the probe with a max_seq_length of at most \(config.maxPositionEmbeddings)")
        }
        if let bad = rows.lazy.flatMap(\.original).first(where: { Int($0) >= config.vocabSize }) {
            throw StageError("the probe holds token id \(bad), outside the model's vocabulary of \(config.vocabSize)")
        }
    }
}
