// A model folder asked how one text is related to another.

import Container
import Pipeline
import Transformer

/// The relation head of a model in the Hugging Face layout: LinkBERT's three relations, or BERT's two.
package struct RelationPredictor {
    package struct Answer: Sendable {
        package let relation: String
        package let probability: Double
    }

    /// `{relation: probability}`.
    package static func json(_ answers: [Answer]) -> String {
        let members = answers.map { ($0.relation, JSON.number($0.probability)) }
        return String(decoding: JSON.object(Dictionary(uniqueKeysWithValues: members)).canonical, as: UTF8.self)
    }

    private let directory: String
    private let predictor: Predictor
    private let rows: TextRows

    /// - Throws: `StageError` for a model without a relation head, and naming the file that is missing or does not fit.
    package init(directory: String, threads: Int) throws {
        let folder = try ModelFolder(directory: directory)
        let fix = "train it with `objective: linkbert`: pipelines/continue.yaml goes on from any BERT"
        guard folder.model.config.relationClasses != nil else {
            throw StageError(
                "the model has no relation head", place: directory,
                cause: "its files have neither 'drp.weight' nor 'cls.seq_relationship.weight'", fix: fix)
        }
        try folder.require(["drp.", "cls.seq_relationship.", "bert.pooler."], "whole relation head", fix: fix)
        self.directory = directory
        predictor = Predictor(folder.model, threads: threads)
        rows = try TextRows(folder, pairs: true)
    }

    /// The probability of every relation of the second text to the first, in the order of their ids.
    /// - Parameter warn: told that the texts had to be cut to the model's positions.
    /// - Throws: `StageError` if the answer is not finite.
    package func predict(_ first: String, _ second: String, warn: (String) -> Void) throws -> [Answer] {
        let row = rows.row(rows.ids(first), rows.ids(second))
        if row.isCut {
            warn("the texts have \(row.whole) tokens, the model \(rows.positions) positions: the longer one was cut")
        }
        let input = PredictorInput(ids: row.ids, secondBegin: row.secondBegin)
        let logits = predictor.predict([input], wanting: .relationLogits)[0].relationLogits ?? []
        guard logits.allSatisfy(\.isFinite) else {
            throw StageError("the model's answer is not a finite number", place: directory, fix: "train it again")
        }
        return zip(BertConfig.relationNames(logits.count), probabilities(logits)).map {
            Answer(relation: $0, probability: $1)
        }
    }
}
