// Stage `vocabulary`: trains WordPiece on the documents, or takes a vocabulary that someone else made.
// A piece is one documents part (its word counts) or the imported file; training is in `finish`.

package import Container
import Corpus
package import Pipeline
package import Text

package struct VocabularyConfig: StageConfig {
    package var importFile: InputFile?
    package var size = 30_522
    package var minFrequency = 2
    package var alphabetLimit = 1000
    /// nil: true, or what an imported tokenizer.json says.
    package var lowercase: Bool?
    package var stripAccents: Bool?

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .file("import", \.importFile, help: "a vocab.txt or tokenizer.json to use as it is; nothing is trained"),
            .int("size", \.size, in: 6...16_777_215, help: "tokens to train; fewer if no pair is frequent enough"),
            .int("min_frequency", \.minFrequency, in: 1...Int.max, help: "pairs that occur less often are not merged"),
            .int("alphabet_limit", \.alphabetLimit, in: 1...1_114_112, help: "the most frequent characters are kept"),
            .optionalBool("lowercase", \.lowercase, help: "null: true, or what an imported tokenizer.json says"),
            .optionalBool("strip_accents", \.stripAccents, help: "null: as lowercase, BERT's rule"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        guard importFile != nil else { return [] }
        let base = VocabularyConfig()
        return [
            ("size", size != base.size), ("min_frequency", minFrequency != base.minFrequency),
            ("alphabet_limit", alphabetLimit != base.alphabetLimit),
        ].filter(\.1).map {
            ConfigProblem(
                "has no effect with `import`", key: $0.0, cause: "an imported vocabulary is used as it is",
                fix: "remove one of the two keys")
        }
    }
}

package enum Vocabulary: Stage {
    package typealias Config = VocabularyConfig
    package typealias Output = VocabularyArtifact

    package static let name = "vocabulary", version = 2
    package static let summary = "trains a WordPiece vocabulary, or imports one"
    static let documents = InputPort<DocumentsArtifact>(
        "documents", help: "the texts to train on; unused with `import`")
    package static var ports: [AnyInputPort] { [documents.erased] }

    package static func uses(_ port: String, _ config: Config) -> Bool { config.importFile == nil }

    /// Pieces count words; how many tokens become of them is decided when the counts are joined.
    package static func pieceConfig(_ config: Config) -> Config {
        var config = config
        config.size = Config().size
        config.minFrequency = Config().minFrequency
        config.alphabetLimit = Config().alphabetLimit
        return config
    }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        if context.config.importFile != nil { return [Piece(name: "import", files: [0])] }
        return try context.input(documents.name).manifest.parts.map { part in
            Piece(name: part.name, parts: [PortPart(port: documents.name, part: part)])
        }
    }

    /// Memory: one part's text and its distinct words.
    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        if context.config.importFile != nil { return try importPiece(context, output) }
        guard let part = piece.parts.first else {
            throw StageError("piece '\(piece.name)' of vocabulary names no part of the documents")
        }
        let text = try context.columns(part).strings("text")
        let counter = WordCounter(trainingOptions(context.config))
        for row in 0..<text.count {
            text.withBytes(row) { counter.add($0) }
            if row & 255 == 0 { try context.environment.checkCancelled() }
        }
        let words = counter.counts
        return PieceResult(
            parts: [try output.columns("words-\(piece.name)", rows: words.count, words.table)],
            counts: ["documents": Int64(text.count), "words": Int64(words.total), "bytes": Int64(text.bytes.count)])
    }

    /// Memory: the distinct words of the corpus, thrice at most.
    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        if context.config.importFile != nil {
            guard let result = results.first else { throw StageError("the imported vocabulary is missing") }
            return Finished(parts: result.parts, metadata: result.summary)
        }
        let options = trainingOptions(context.config)
        let counter = WordCounter(options)
        for part in results.flatMap(\.parts) {
            counter.merge(try WordCounts(reading: try output.read(part)))
            try context.environment.checkCancelled()
        }
        let words = counter.counts
        var trainer = WordPieceTrainer()
        trainer.size = context.config.size
        trainer.minFrequency = UInt64(context.config.minFrequency)
        trainer.alphabetLimit = context.config.alphabetLimit
        let environment = context.environment
        let tokens = try staged {
            try trainer.train(words) { done in
                try environment.checkCancelled()
                environment.progress.update(done: Int64(done), total: Int64(trainer.size), unit: "tokens", note: "")
            }
        }
        if tokens.count < trainer.size {
            environment.progress.message(
                "vocabulary: \(tokens.count) of \(trainer.size) tokens; no other pair occurs \(trainer.minFrequency) times"
            )
        }
        let vocabulary = try staged { try WordPieceVocabulary(tokens: tokens, options: options) }
        var metadata = vocabulary.metadata
        metadata["source"] = .string("trained")
        metadata["source_counts"] = .object([
            "documents": .int(results.reduce(0) { $0 + ($1.counts["documents"] ?? 0) }),
            "words": .int(Int64(words.total)), "distinct_words": JSON(words.count),
        ])
        return Finished(
            parts: [try write(vocabulary, output)], metadata: metadata, counts: ["tokens": Int64(tokens.count)])
    }

    private static func trainingOptions(_ config: Config) -> WordPieceOptions {
        var options = WordPieceOptions(lowercase: config.lowercase ?? true)
        options.stripAccents = config.stripAccents
        return options
    }

    private static func write(_ vocabulary: WordPieceVocabulary, _ output: PartSink) throws -> Part {
        var columns = VocabularyColumns()
        for token in vocabulary.tokens { columns.token.append(token) }
        return try output.columns("vocabulary", rows: vocabulary.tokens.count, columns.table)
    }

    // MARK: Import

    private static func importPiece(_ context: StageContext<Config>, _ output: PartSink) throws -> PieceResult {
        guard let file = context.files.first else { throw StageError("the file of `import` is not known") }
        let config = context.config
        let bytes = try Files.read(file.path)
        let isJSON = bytes.first { ![32, 9, 10, 13].contains($0) } == UInt8(ascii: "{")
        let tokens: [String]
        var options: WordPieceOptions
        if isJSON {
            (tokens, options) = try staged { try VocabularyFiles.tokenizer(json: bytes, file: file.logicalName) }
            try agree("lowercase", config.lowercase, options.lowercase, file)
            try agree("strip_accents", config.stripAccents, options.stripsAccents, file)
        } else {
            tokens = try staged { try VocabularyFiles.tokens(text: bytes, file: file.logicalName) }
            options = trainingOptions(config)
            if config.lowercase == nil, let cased = tokens.first(where: isCased) {
                throw StageError(
                    "the vocabulary has upper-case tokens such as '\(cased)', but texts would be lowercased",
                    place: file.logicalName, cause: "a vocab.txt does not say how its texts were normalised",
                    fix: "set `lowercase: false`, or `lowercase: true` if those tokens are never to be used")
            }
        }
        let vocabulary = try staged(file.logicalName) { try WordPieceVocabulary(tokens: tokens, options: options) }
        var metadata = vocabulary.metadata
        metadata["source"] = .string("imported")
        return PieceResult(
            parts: [try write(vocabulary, output)], counts: ["tokens": Int64(tokens.count)], summary: metadata)
    }

    private static func agree(_ key: String, _ asked: Bool?, _ found: Bool, _ file: InputFile) throws {
        guard let asked, asked != found else { return }
        throw StageError(
            "`\(key): \(asked)` is set, but the imported tokenizer has \(key) \(found)", place: file.logicalName,
            cause: "a tokenizer.json says how its texts are normalised", fix: "remove `\(key)` or import a vocab.txt")
    }

    /// Whether a token holds an upper-case letter and is not written in brackets like a special token.
    private static func isCased(_ token: String) -> Bool {
        token.first != "[" && token.utf8.contains { (65...90).contains($0) }
    }
}

extension WordPieceVocabulary {
    /// What the metadata of a `vocabulary` says of it: everything but the tokens.
    var metadata: JSON {
        let names = ["pad", "unk", "cls", "sep", "mask"]
        let special = zip(names, specialIDs).map { ($0, JSON.int(Int64($1))) }
        return [
            "vocabulary_size": JSON(tokens.count),
            "tokens_sha256": .string(Digest.of(HuggingFaceTokenizerFiles.vocabularyText(self)).hex),
            "normalizer": [
                "lowercase": .bool(options.lowercase), "strip_accents": options.stripAccents.map { .bool($0) } ?? .null,
                "clean_text": .bool(options.cleanText), "handle_chinese_chars": .bool(options.handleChineseChars),
            ],
            "special_tokens": .object(Dictionary(uniqueKeysWithValues: special)),
            "continuing_prefix": .string(options.continuingPrefix), "unknown_token": .string(options.unknownToken),
            "max_word_characters": JSON(options.maxWordCharacters),
        ]
    }

    /// The vocabulary of an artifact, with the options that its metadata gives.
    package static func read(_ artifact: StoredArtifact) throws -> WordPieceVocabulary {
        let metadata = artifact.manifest.metadata
        guard let part = artifact.manifest.parts.first, let normalizer = metadata["normalizer"],
            let lowercase = normalizer["lowercase"]?.bool, let clean = normalizer["clean_text"]?.bool,
            let chinese = normalizer["handle_chinese_chars"]?.bool,
            let prefix = metadata["continuing_prefix"]?.string, let unknown = metadata["unknown_token"]?.string,
            let characters = metadata["max_word_characters"]?.int
        else {
            throw StageError(
                "the vocabulary artifact does not say how texts are normalised", cause: "its metadata is incomplete",
                fix: "make it again with this version")
        }
        var options = WordPieceOptions(lowercase: lowercase)
        options.stripAccents = normalizer["strip_accents"]?.bool
        options.cleanText = clean
        options.handleChineseChars = chinese
        options.continuingPrefix = prefix
        options.unknownToken = unknown
        options.maxWordCharacters = Int(characters)
        let column = try VocabularyColumns(reading: try artifact.columns(part)).token
        let tokens = (0..<column.count).map { column.string($0) }
        return try staged { try WordPieceVocabulary(tokens: tokens, options: options) }
    }
}

extension WordCounts {
    fileprivate var total: UInt64 { counts.reduce(0, +) }

    fileprivate var table: ColumnTable {
        var words = StringColumn()
        words.bytes = bytes
        words.offsets = offsets
        var table = ColumnTable()
        table.set("word", words)
        table.set("count", counts)
        return table
    }

    fileprivate init(reading part: PartReader) throws {
        self.init()
        let words = try part.strings("word")
        bytes = words.bytes
        offsets = words.offsets
        counts = try part.column("count")
    }
}
