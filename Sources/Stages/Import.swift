// Stage `import`: an artifact from outside. A checkpoint comes from a Hugging Face model folder, any other type from
// the folder that `linkloom export` wrote.

package import Container
package import Pipeline
import Transformer

package struct ImportConfig: StageConfig {
    package enum Kind: String, CaseIterable, Sendable {
        case documents, links, documentGraph = "document-graph", vocabulary, tokens, segments, pairs, shards
        case checkpoint, scores

        var artifact: any Artifact.Type {
            switch self {
            case .documents: DocumentsArtifact.self
            case .links: LinksArtifact.self
            case .documentGraph: DocumentGraphArtifact.self
            case .vocabulary: VocabularyArtifact.self
            case .tokens: TokensArtifact.self
            case .segments: SegmentsArtifact.self
            case .pairs: PairsArtifact.self
            case .shards: ShardsArtifact.self
            case .checkpoint: CheckpointArtifact.self
            case .scores: ScoresArtifact.self
            }
        }
    }

    package var kind = Kind.checkpoint
    package var files: [InputFile] = []

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice("type", \.kind, help: "the type of the artifact"),
            .folder(
                "folder", \.files, required: true,
                help: "for a checkpoint a model folder as `save_pretrained` writes it (safetensors, sharded or not, or "
                    + "pytorch_model.bin), else an exported artifact"),
        ]
    }
}

package enum Import: Stage {
    package typealias Config = ImportConfig
    package typealias Output = CheckpointArtifact

    package static let name = "import", version = 1
    package static let summary = "brings in a model, or any artifact, from a folder"
    package static var ports: [AnyInputPort] { [] }

    package static func output(_ config: Config) -> any Artifact.Type { config.kind.artifact }
    package static func readsFileNames(_ config: Config) -> Bool { true }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        if context.config.kind == .checkpoint, file("manifest.json", context) == nil {
            return try importModel(context, output)
        }
        return try importArtifact(context, output)
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        Finished(parts: results.flatMap(\.parts), metadata: results.first?.summary ?? .object([:]))
    }

    private static func file(_ name: String, _ context: StageContext<Config>) -> InputFile? {
        context.files.first { $0.logicalName == name }
    }

    // MARK: A Hugging Face model

    /// Files that a checkpoint has; a model folder's others (other frameworks' weights, a readme) are left behind.
    static let modelFiles = [
        "config.json", "model.safetensors", "optimizer.safetensors", "special_tokens_map.json", "tokenizer.json",
        "tokenizer_config.json", "vocab.txt",
    ]

    private static let weightsName = "model.safetensors"

    /// What was read, and nothing that had to be started afresh, in one safetensors file.
    private static func writeWeights(
        _ read: HuggingFaceModel, _ name: String, _ output: PartSink
    ) throws -> Part {
        let tensors = HuggingFaceModel.tensors(read.model, without: Set(read.initialised))
        return try output.file(name) { blob in
            try TensorFile.write(tensors, metadata: ["format": "pt"]) { try blob.write($0) }
        }
    }

    private static func importModel(_ context: StageContext<Config>, _ output: PartSink) throws -> PieceResult {
        guard let config = file("config.json", context) else {
            throw StageError(
                "the folder has no config.json", cause: "it holds " + names(context),
                fix: "name the folder that `save_pretrained` or `linkloom export` wrote")
        }
        let folder = String(config.path.dropLast("/config.json".count))
        let (files, read) = try staged {
            let files = try ModelFiles(directory: folder)
            return (files, try HuggingFaceModel.read(files, seed: 0))
        }
        let model = read.model
        if !read.initialised.isEmpty {
            context.environment.progress.message(
                "the model has no \(read.initialised.joined(separator: ", ")); whoever needs them starts them afresh")
        }
        if !read.unused.isEmpty {
            context.environment.progress.warning(
                "not used of the model: \(read.unused.prefix(8).joined(separator: ", "))")
        }
        var parts: [Part] = []
        for name in modelFiles {
            if name == weightsName, !files.weights.isSafetensors {
                parts.append(try writeWeights(read, name, output))
            } else if let file = file(name, context) {
                parts.append(try copy(file, name, output))
            }
        }
        if !files.weights.isSafetensors {
            context.environment.progress.message(
                "weights of \(files.weights.fileNames.joined(separator: ", ")) were rewritten as \(weightsName)")
        }
        let relation: JSON = model.config.relationClasses.map { JSON($0) } ?? .null
        return PieceResult(
            parts: parts, counts: ["parameters": Int64(model.layout.parameterCount)],
            summary: [
                "imported": true, "parameters": JSON(model.layout.parameterCount),
                "vocabulary_size": JSON(model.config.vocabSize), "relation_classes": relation,
                "max_position_embeddings": JSON(model.config.maxPositionEmbeddings),
                "missing": JSON(read.initialised),
            ])
    }

    // MARK: An exported artifact

    private static func importArtifact(_ context: StageContext<Config>, _ output: PartSink) throws -> PieceResult {
        let kind = context.config.kind
        guard let file = file("manifest.json", context) else {
            throw StageError(
                "the folder has no manifest.json", cause: "it holds " + names(context),
                fix: "name a folder that `linkloom export FILE STAGE --to DIR` wrote")
        }
        let manifest: Manifest
        do {
            manifest = try Manifest(parsing: try Files.read(file.path))
        } catch let error as ContainerError {
            throw StageError(error.message, place: file.path, cause: error.cause, fix: error.fix)
        }
        let type = kind.artifact
        guard manifest.type == type.typeName, manifest.version == type.version else {
            throw StageError(
                "the manifest is of \(manifest.type) version \(manifest.version), `type` asks for \(type.typeName) "
                    + "version \(type.version)", place: file.path,
                fix: manifest.type == type.typeName
                    ? "export it again with this version" : "set `type: \(manifest.type)`")
        }
        let parts = try manifest.parts.map { part in
            guard let file = Self.file(part.name, context) ?? Self.file(part.name + ".safetensors", context) else {
                throw StageError(
                    "the manifest names the part '\(part.name)', which the folder lacks", place: file.path,
                    fix: "export the whole artifact, without `--part`")
            }
            let copied = try copy(file, part.name, rows: Int(part.rows), output)
            guard copied.digest == part.digest else {
                throw StageError(
                    "the part's content has digest \(copied.digest), the manifest says \(part.digest)",
                    place: file.path, cause: "the file was changed after it was exported", fix: "export it again")
            }
            return copied
        }
        return PieceResult(
            parts: parts, counts: ["rows": parts.reduce(0) { $0 + $1.rows }], summary: manifest.metadata)
    }

    private static func copy(_ file: InputFile, _ name: String, rows: Int = 0, _ output: PartSink) throws -> Part {
        let mapped = try MappedFile(path: file.path)
        return try output.file(name, rows: rows) { try $0.write(mapped.bytes) }
    }

    private static func names(_ context: StageContext<Config>) -> String {
        let names = context.files.prefix(8).map(\.logicalName)
        return names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}
