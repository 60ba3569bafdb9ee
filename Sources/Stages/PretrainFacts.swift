// What `pretrain` reads of its inputs beside their rows, and whether they belong together.

import Container
import Corpus
import Pipeline
import Text
import Transformer

struct PretrainFacts {
    let vocabulary: WordPieceVocabulary
    /// Size and special tokens of the vocabulary.
    let tokens: TokensMetadata
    private let shards: [(facts: TokensMetadata, linkedRows: Int64)]
    private let vocabularyMetadata: JSON

    init(_ context: StageContext<PretrainConfig>) throws {
        let artifact = try context.input(Pretrain.vocabulary.name)
        vocabulary = try WordPieceVocabulary.read(artifact)
        tokens = try TokensMetadata(artifact)
        var metadata = artifact.manifest.metadata
        for key in ["source", "source_counts"] where metadata[key] != nil { metadata[key] = nil }
        vocabularyMetadata = metadata
        shards = try context.list(Pretrain.shards.name).map { shard in
            let rows = shard.manifest.metadata["rows"]
            let linked = Side.allCases.filter { $0 != .test }.reduce(0) {
                $0 + (rows?[$1.name]?[Relation.linked.name]?.int ?? 0)
            }
            return (try TokensMetadata(shard), linked)
        }
    }

    /// The facts as bytes, for the piece's key.
    var projection: [UInt8] {
        let list = shards.map { shard in
            var json = shard.facts.json
            json["linked_rows"] = .int(shard.linkedRows)
            return json
        }
        return JSON.object(["vocabulary": vocabularyMetadata, "shards": .array(list)]).canonical
    }

    /// - Throws: `StageError` if shards and vocabulary, or shards and objective, do not belong together.
    func check(_ config: PretrainConfig) throws {
        for (index, shard) in shards.enumerated() {
            guard shard.facts.agrees(with: tokens) else {
                if shard.facts.vocabularySize == tokens.vocabularySize, shard.facts.special == tokens.special {
                    throw StageError(
                        "shards \(index) were made with another vocabulary of \(tokens.vocabularySize) tokens",
                        cause: "tokens_sha256 differs: ids of one vocabulary mean other words in another",
                        fix: "connect the vocabulary that the shards' tokens were made with")
                }
                throw StageError(
                    "shards \(index) were made with a vocabulary of \(shard.facts.vocabularySize) tokens "
                        + "(\(shard.facts.specialJSON.text)), the connected vocabulary has \(tokens.vocabularySize) "
                        + "(\(tokens.specialJSON.text))",
                    cause: "ids of one vocabulary mean other words in another",
                    fix: "connect the vocabulary that the shards' tokens were made with")
            }
            if config.objective == .bert, shard.linkedRows > 0 {
                throw StageError(
                    "shards \(index) have \(shard.linkedRows) linked pairs, but `objective: bert` knows contiguous "
                        + "and random only",
                    cause: "next sentence prediction has two classes",
                    fix: "set the mix of `pair-sample` to {contiguous: 1, random: 1, linked: 0}, or use "
                        + "`objective: linkbert`")
            }
        }
        for phase in config.phases where phase.weights.count > shards.count {
            throw StageError(
                "a phase names shards \(phase.weights.count - 1), but \(shards.count) are connected",
                fix: "count from 0: the last is \(shards.count - 1)")
        }
    }

    /// By token id here, the id of the same text in the vocabulary of a model to start from; nil for texts it lacks.
    func tokenMap(of start: StoredArtifact) throws -> [Int?] {
        let theirs = try Self.lines(start.bytes(try vocabularyPart(of: start)))
        let ids = Dictionary(theirs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let map = vocabulary.tokens.map { ids[$0] }
        guard map.contains(where: { $0 != nil }) else {
            throw StageError(
                "the model of port 'init' knows none of this vocabulary's tokens",
                cause: "nothing of its embeddings could be taken over",
                fix: "import the model's own vocabulary: `use: vocabulary, with: {import: …/vocab.txt}`")
        }
        return map
    }

    /// Tokens of a vocab.txt, by id.
    static func lines(_ bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func vocabularyPart(of start: StoredArtifact) throws -> Part {
        guard let part = start.part(named: "vocab.txt") else {
            throw StageError(
                "the model of port 'init' comes without a vocab.txt",
                cause: "whether its embeddings stand for this pipeline's words cannot be told",
                fix: "put the vocab.txt of the model into the folder that is imported")
        }
        return part
    }

    /// A model to start from must have been trained with this very vocabulary, not only with one of its size.
    func checkVocabulary(of start: StoredArtifact) throws {
        let part = try vocabularyPart(of: start)
        let own = HuggingFaceTokenizerFiles.vocabularyText(vocabulary)
        let theirs = try start.bytes(part)
        if own == theirs { return }
        let (mine, other) = (Self.lines(own), Self.lines(theirs))
        if mine == other { return }
        let detail =
            mine.count == other.count
            ? zip(mine, other).enumerated().first { $1.0 != $1.1 }
                .map { "; token \($0) is '\($1.1)' there and '\($1.0)' here" } ?? "" : ""
        throw StageError(
            "the model of port 'init' has another vocabulary: \(other.count) tokens there, \(mine.count) here" + detail,
            cause: "its embeddings would stand for other words",
            fix: "import the model's own vocabulary: `use: vocabulary, with: {import: …/vocab.txt}`, or set "
                + "`init_mismatch: extend` to take tokens over by their text")
    }

    func masking(_ config: PretrainConfig) -> Masking {
        let prefix = vocabulary.options.continuingPrefix
        return Masking(
            probability: config.maskedLMProb, maskID: tokens.special.mask, vocabularySize: vocabulary.tokens.count,
            wholeWord: config.wholeWord, continuation: vocabulary.tokens.map { $0.hasPrefix(prefix) },
            neverMasked: tokens.special.all)
    }
}

extension JSON {
    /// On one line, for messages.
    fileprivate var text: String { String(decoding: canonical, as: UTF8.self) }
}
