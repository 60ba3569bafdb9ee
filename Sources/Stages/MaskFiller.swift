// A model folder asked to fill the [MASK]s of a text.

import Container
import Pipeline
import Text
import Transformer

/// The masked-word head of a model in the Hugging Face layout.
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
    private let rows: TextRows
    /// What the reader of the model had to supply, e.g. a head that the files lack.
    package let notes: [String]

    /// - Throws: `StageError` naming the file that is missing or does not fit the others.
    package init(directory: String, threads: Int) throws {
        let folder = try ModelFolder(directory: directory)
        predictor = Predictor(folder.model, threads: threads)
        vocabulary = folder.vocabulary
        rows = try TextRows(folder, pairs: false)
        notes = folder.initialised.map { "the model has no \($0): initialised at random" }
    }

    /// The likeliest tokens at every `[MASK]` of the text, in order.
    ///
    /// - Throws: `StageError` if the text has no mask or does not fit the model's positions.
    package func fill(_ text: String, top: Int) throws -> [[Guess]] {
        let row = rows.row(rows.ids(text))
        let maskID = vocabulary.specialIDs[4]
        let masks = row.ids.indices.filter { row.ids[$0] == maskID }
        let mask = vocabulary.options.specialTokens.mask
        guard !row.isCut else {
            throw StageError(
                "the text has \(row.whole) tokens, the model \(rows.positions) positions", fix: "shorten the text")
        }
        guard !masks.isEmpty else {
            throw StageError("the text has no \(mask)", fix: "write \(mask) where a token is to be guessed")
        }
        let answer = predictor.predict([PredictorInput(ids: row.ids, positions: masks)], wanting: .vocabularyLogits)
        return answer[0].vocabularyLogits.map { best($0, top) }
    }

    private func best(_ logits: [Float], _ top: Int) -> [Guess] {
        let scores = probabilities(logits)
        let order = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
        return order.prefix(top).map { Guess(token: vocabulary.tokens[$0], id: UInt32($0), score: scores[$0]) }
    }
}
