// A model folder that makes texts into vectors, any number of them in bounded memory.

import Container
import Pipeline
import Text
import Transformer

/// The encoder of a model in the Hugging Face layout.
package final class TextEmbedder {
    /// How the vectors of a text's tokens become one.
    package enum Pool: String, CaseIterable, Sendable {
        /// The last hidden state of `[CLS]`.
        case cls
        /// The mean of all tokens' last hidden states, `[CLS]` and `[SEP]` included, as sentence-transformers has it.
        case mean
        /// `pooler_output`: `[CLS]` through the model's pooler.
        case pooled
    }

    /// What came out for one text.
    package struct Vectors: Sendable {
        /// Of the row, special tokens included; both empty where a text has one vector.
        package let ids: [UInt32]
        package let tokens: [String]
        /// (tokens, H) row-major, or (H).
        package let values: [Float]
        package let width: Int

        package var rows: [ArraySlice<Float>] {
            stride(from: 0, to: values.count, by: width).map { values[$0..<$0 + width] }
        }

        /// `[number, …]`, or `{ids, tokens, vectors}`; numbers read back as the same fp32.
        package var json: [UInt8] {
            guard !tokens.isEmpty else { return Array(Self.list(values[...]).utf8) }
            let ids = ids.map { "\($0)" }.joined(separator: ",")
            var line = Array("{\"ids\":[\(ids)],\"tokens\":[".utf8)
            line += tokens.map { JSON.quote($0) }.joined(separator: [UInt8(ascii: ",")])
            line += "],\"vectors\":[\(rows.map(Self.list).joined(separator: ","))]}".utf8
            return line
        }

        /// The numbers with spaces between; of tokens a line each, the token and a tab before them, and an empty line.
        package var text: [UInt8] {
            let lines = rows.map { $0.map { "\($0)" }.joined(separator: " ") }
            guard !tokens.isEmpty else { return Array(lines[0].utf8) }
            return Array(zip(tokens, lines).map { "\($0)\t\($1)\n" }.joined().utf8)
        }

        private static func list(_ numbers: ArraySlice<Float>) -> String {
            "[" + numbers.map { "\($0)" }.joined(separator: ",") + "]"
        }
    }

    /// Tokens of the texts that are computed together. Fixed, so that no clock and no thread count reaches a result.
    private static let batchTokens = 16_384

    private let directory: String
    private let vocabulary: WordPieceVocabulary
    private let predictor: Predictor
    private let rows: TextRows
    private let second: [UInt32]?
    private let pool: Pool?

    /// - Parameters:
    ///   - pool: nil for every token's vector.
    ///   - pair: a second text for every text.
    /// - Throws: `StageError` for `pooled` of a model without a pooler, and naming the file that is missing or does not
    ///   fit the others.
    package init(directory: String, pool: Pool?, pair: String? = nil, threads: Int) throws {
        let folder = try ModelFolder(directory: directory)
        if pool == .pooled {
            try folder.require(["bert.pooler."], "pooler", fix: "take `cls` or `mean`, which need none")
        }
        self.directory = directory
        self.pool = pool
        vocabulary = folder.vocabulary
        predictor = Predictor(folder.model, threads: threads)
        rows = try TextRows(folder, pairs: pair != nil)
        second = pair.map(rows.ids)
    }

    /// Hands on the vectors of each text that `next` gives, in order, until it gives nil.
    ///
    /// Memory: the texts' tokens and vectors of one batch (16,384 tokens and the text that fills it), and a predictor's.
    /// - Parameter warn: told of the first text that had to be cut to the model's positions, and at the end of how many
    ///   there were.
    /// - Throws: what the closures throw; `StageError` if a vector is not finite.
    package func embed(
        _ next: () throws -> String?, warn: (String) -> Void, _ emit: (Vectors) throws -> Void
    ) throws {
        var batch: [TextRow] = []
        var (held, count, cut) = (0, 0, 0)
        while let text = try next() {
            let row = rows.row(rows.ids(text), second)
            count += 1
            if row.isCut {
                cut += 1
                if cut == 1 { warn(describeCut(row, count)) }
            }
            batch.append(row)
            held += row.ids.count
            if held >= Self.batchTokens {
                try compute(batch, after: count - batch.count, emit)
                batch.removeAll(keepingCapacity: true)
                held = 0
            }
        }
        try compute(batch, after: count - batch.count, emit)
        if cut > 1 { warn("\(cut) of \(count) texts were cut to the model's \(rows.positions) positions") }
    }

    private func describeCut(_ row: TextRow, _ number: Int) -> String {
        "text \(number)\(second == nil ? "" : ", with its pair,") has \(row.whole) tokens, the model \(rows.positions) "
            + "positions: what is beyond them was cut off"
    }

    private func compute(_ batch: [TextRow], after done: Int, _ emit: (Vectors) throws -> Void) throws {
        let wanted: PredictorOutputs =
            switch pool {
            case .cls: .classStates
            case .pooled: .pooled
            case .mean, nil: .hiddenStates
            }
        let inputs = batch.map { PredictorInput(ids: $0.ids, secondBegin: $0.secondBegin) }
        let width = predictor.config.hiddenSize
        for (number, prediction) in predictor.predict(inputs, wanting: wanted).enumerated() {
            let values =
                switch pool {
                case .cls: prediction.classState
                case .pooled: prediction.pooled
                case .mean: Self.mean(prediction.hiddenStates, width)
                case nil: prediction.hiddenStates
                }
            guard values.allSatisfy(\.isFinite) else {
                throw StageError(
                    "the vector of text \(done + number + 1) is not finite", place: directory,
                    cause: "the weights are damaged, or training went wrong", fix: "export or train the model again")
            }
            let ids = pool == nil ? batch[number].ids : []
            try emit(
                Vectors(ids: ids, tokens: ids.map { vocabulary.tokens[Int($0)] }, values: values, width: width))
        }
    }

    private static func mean(_ values: [Float], _ width: Int) -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        for row in stride(from: 0, to: values.count, by: width) {
            for column in 0..<width { sums[column] += Double(values[row + column]) }
        }
        return sums.map { Float($0 / Double(values.count / width)) }
    }
}
