// A model directory in the Hugging Face layout, asked to fill the [MASK]s of a text.

import Container
import Corpus
import Pipeline
import Text
import Transformer

/// Loads a checkpoint exported by Linkloom, or any BERT in the Hugging Face layout with a vocab.txt.
package struct MaskFiller {
    /// One guess for one mask.
    package struct Guess: Sendable {
        package let token: String
        package let id: UInt32
        /// Probability, as `transformers`' fill-mask pipeline gives it.
        package let score: Double

        var json: JSON { .object(["token": .string(token), "id": .int(Int64(id)), "score": .number(score)]) }
    }

    /// `[{token, id, score}]`, or a list of such lists where the text has several masks.
    package static func json(_ answers: [[Guess]]) -> String {
        let lists = answers.map { JSON.array($0.map(\.json)) }
        return String(decoding: (lists.count == 1 ? lists[0] : .array(lists)).canonical, as: UTF8.self)
    }

    private let predictor: Predictor
    private let vocabulary: WordPieceVocabulary
    /// What the reader of the model had to supply, e.g. a head that the files lack.
    package let notes: [String]

    /// - Throws: `StageError` naming the file that is missing or does not fit the others.
    package init(directory: String, threads: Int) throws {
        let read: HuggingFaceModel
        do {
            read = try HuggingFaceModel.read(try ModelFiles(directory: directory), seed: 0)
        } catch let error as ModelError {
            throw StageError(error.message, place: error.place, cause: error.cause, fix: error.fix)
        }
        predictor = Predictor(read.model, threads: threads)
        notes = read.initialised.map { "the model has no \($0): initialised at random" }
        vocabulary = try Self.vocabulary(directory)
        guard vocabulary.tokens.count == read.model.config.vocabSize else {
            throw StageError(
                "vocab.txt has \(vocabulary.tokens.count) tokens, the model \(read.model.config.vocabSize)",
                place: directory, fix: "use the vocab.txt that the model was trained with")
        }
    }

    private static func vocabulary(_ directory: String) throws -> WordPieceVocabulary {
        let path = directory + "/vocab.txt"
        guard Files.exists(path) else {
            throw StageError("there is no vocab.txt", place: directory, fix: "export the model again, or copy it there")
        }
        var tokens = String(decoding: try Files.read(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map { $0.hasSuffix("\r") ? $0.dropLast() : $0 }
            .map(String.init)
        if tokens.last == "" { tokens.removeLast() }
        var options = WordPieceOptions()
        let configPath = directory + "/tokenizer_config.json"
        if Files.exists(configPath) {
            let config = try JSON(parsing: try Files.read(configPath))
            options = WordPieceOptions(lowercase: config["do_lower_case"]?.bool ?? true)
            options.stripAccents = config["strip_accents"]?.bool
            options.handleChineseChars = config["tokenize_chinese_chars"]?.bool ?? true
        }
        do {
            return try WordPieceVocabulary(tokens: tokens, options: options)
        } catch {
            throw StageError(error.message, place: path, cause: error.cause, fix: error.fix)
        }
    }

    /// The likeliest tokens at every `[MASK]` of the text, in order.
    ///
    /// - Throws: `StageError` if the text has no mask or does not fit the model's positions.
    package func fill(_ text: String, top: Int) throws -> [[Guess]] {
        let ids = vocabulary.specialIDs
        let special = SpecialTokenIDs(pad: ids[0], unknown: ids[1], classify: ids[2], separator: ids[3], mask: ids[4])
        let row = [special.classify] + WordPieceEncoder(vocabulary).encode(text).ids + [special.separator]
        let masks = row.indices.filter { row[$0] == special.mask }
        let mask = vocabulary.options.specialTokens.mask
        guard !masks.isEmpty else {
            throw StageError("the text has no \(mask)", fix: "write \(mask) where a token is to be guessed")
        }
        guard row.count <= predictor.config.maxPositionEmbeddings else {
            throw StageError(
                "the text has \(row.count) tokens, the model \(predictor.config.maxPositionEmbeddings) positions",
                fix: "shorten the text")
        }
        let answer = predictor.predict([PredictorInput(ids: row, positions: masks)], wanting: .vocabularyLogits)
        return answer[0].vocabularyLogits.map { best($0, top) }
    }

    private func best(_ logits: [Float], _ top: Int) -> [Guess] {
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0.0) { $0 + Exponential.of(Double($1) - highest) }
        let order = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
        return order.prefix(top).map { id in
            Guess(
                token: vocabulary.tokens[id], id: UInt32(id),
                score: Exponential.of(Double(logits[id]) - highest) / sum)
        }
    }
}
