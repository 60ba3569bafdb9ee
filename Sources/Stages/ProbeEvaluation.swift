// The intrinsic measures: masked language modelling and relation prediction on the probe, and what context adds.

import Container
import Corpus
import Pipeline
import Transformer

/// Sums of losses and hits that become means.
struct LossSum {
    private(set) var loss = 0.0
    private(set) var right = 0
    private(set) var count = 0

    mutating func add(_ loss: Float, right hit: Bool) {
        self.loss += Double(loss)
        if hit { right += 1 }
        count += 1
    }

    var mean: Double { count == 0 ? 0 : loss / Double(count) }

    var json: JSON {
        .object([
            "tokens": .int(Int64(count)), "loss": .number(rounded(mean)),
            "accuracy": .number(rounded(count == 0 ? 0 : Double(right) / Double(count))),
        ])
    }
}

struct ProbeEvaluation {
    let predictor: Predictor
    let rows: ProbeRows
    let config: EvaluateConfig
    let environment: StageEnvironment

    /// Rows asked at a time, so that progress and cancellation are timely.
    private static let chunk = 256

    func predict(_ asked: [PredictorInput], _ unit: String) throws -> [Prediction] {
        var out: [Prediction] = []
        out.reserveCapacity(asked.count)
        for start in stride(from: 0, to: asked.count, by: Self.chunk) {
            try environment.checkCancelled()
            let chunk = Array(asked[start..<min(start + Self.chunk, asked.count)])
            out += predictor.predict(chunk, wanting: [.maskedLosses, .relationLogits])
            environment.progress.update(done: Int64(out.count), total: Int64(asked.count), unit: unit, note: "")
        }
        return out
    }

    // MARK: The probe as it is

    /// What a model with a relation head says of the rows with nothing masked; nil without such a head.
    func wholeRows() throws -> [Prediction]? {
        guard let classes = predictor.config.relationClasses, classes > 0 else { return nil }
        return try predict(
            rows.rows.map { PredictorInput($0.original, secondBegin: $0.secondBegin, masks: []) }, "whole rows")
    }

    /// MLM loss (nats a masked token) and accuracy by relation; relation accuracy with its confusion matrix, on the
    /// masked rows and on the same rows without masks, which is what the shortcut floor reads.
    /// - Parameter whole: `wholeRows()`.
    func intrinsic(_ whole: [Prediction]?) throws -> JSON {
        let answers = try predict(
            rows.rows.map { PredictorInput($0.ids, secondBegin: $0.secondBegin, masks: $0.masks) }, "probe rows")
        var all = LossSum()
        var byRelation = [LossSum](repeating: LossSum(), count: 3)
        for (row, answer) in zip(rows.rows, answers) {
            for (i, mask) in row.masks.enumerated() {
                let hit = answer.predicted[i] == mask.label
                all.add(answer.losses[i], right: hit)
                byRelation[Int(row.relation.rawValue)].add(answer.losses[i], right: hit)
            }
        }
        var out: [String: JSON] = [
            "mlm": all.json,
            "mlm_by_relation": .byRelation { byRelation[$0].json },
        ]
        if let classes = predictor.config.relationClasses, let whole {
            out["drp"] = relationScores(answers, classes: classes)
            out["drp_unmasked"] = relationScores(whole, classes: classes)
        }
        return .object(out)
    }

    private static func argmax(_ logits: [Float]) -> Int {
        logits.indices.max { logits[$0] != logits[$1] ? logits[$0] < logits[$1] : $0 > $1 } ?? 0
    }

    /// - Parameter answers: one for each row of the probe. With a two-way head (objective `bert`) rows of relation
    ///   `linked` have no right answer and are left out.
    private func relationScores(_ answers: [Prediction], classes: Int) -> JSON {
        var confusion = [[Int64]](repeating: [0, 0, 0], count: 3)
        for (row, answer) in zip(rows.rows, answers) {
            confusion[Int(row.relation.rawValue)][Self.argmax(answer.relationLogits ?? [])] += 1
        }
        let known = Relation.allCases.filter { Int($0.rawValue) < classes }
        let totals = known.map { confusion[Int($0.rawValue)].reduce(0, +) }
        let rows = totals.reduce(0, +)
        let right = known.reduce(0) { $0 + confusion[Int($1.rawValue)][Int($1.rawValue)] }
        return .object([
            "rows": .int(rows), "accuracy": .number(rounded(rows == 0 ? 0 : Double(right) / Double(rows))),
            "majority_share": .number(rounded(rows == 0 ? 0 : Double(totals.max() ?? 0) / Double(rows))),
            "confusion": .byRelation(classes) { actual in .byRelation(classes) { .int(confusion[actual][$0]) } },
        ])
    }

    // MARK: Context gain

    /// The loss on the same masked tokens of A with its linked B beside it, a random B, or nothing, split by whether the
    /// token stands in the linked B: the article's claim for MLM over linked documents (LinkBERT, section 4.2).
    func contextGain() throws -> JSON {
        let linked = rows.rows.filter { $0.relation == .linked && !$0.masksOfA.isEmpty }
        let others = rows.rows.filter { $0.relation == .random }
        let chosen = Self.draw(linked, config.contextRows, seed: UInt64(config.seed))
        guard !chosen.isEmpty, !others.isEmpty else { return .object(["rows": .int(0)]) }
        var asked: [PredictorInput] = []
        for row in chosen {
            asked.append(question(row, context: row.b))
            asked.append(question(row, context: stranger(for: row, others).b))
            asked.append(question(row, context: nil))
        }
        let answers = try predict(asked, "contexts")
        let names = ["linked", "random", "none"]
        var sums = [[LossSum]](repeating: [LossSum](repeating: LossSum(), count: 3), count: 3)
        for (index, row) in chosen.enumerated() {
            let inB = Set(row.b)
            for (i, mask) in row.masksOfA.enumerated() {
                for context in 0..<3 {
                    let answer = answers[index * 3 + context]
                    let hit = answer.predicted[i] == mask.label
                    sums[context][0].add(answer.losses[i], right: hit)
                    sums[context][inB.contains(mask.label) ? 1 : 2].add(answer.losses[i], right: hit)
                }
            }
        }
        func split(_ s: Int) -> JSON {
            var out = Dictionary(uniqueKeysWithValues: names.indices.map { (names[$0], sums[$0][s].json) })
            out["gain_linked_over_random"] = .number(rounded(sums[1][s].mean - sums[0][s].mean))
            out["gain_linked_over_none"] = .number(rounded(sums[2][s].mean - sums[0][s].mean))
            return .object(out)
        }
        return .object([
            "rows": .int(Int64(chosen.count)), "all": split(0), "token_in_linked_segment": split(1),
            "token_not_in_linked_segment": split(2),
        ])
    }

    /// A with its masks, and a context without any, cut so that the row fits the model's positions.
    private func question(_ row: ProbeRows.Row, context: ArraySlice<UInt32>?) -> PredictorInput {
        var ids = Array(row.ids[..<row.secondBegin])
        guard let context else { return PredictorInput(ids, secondBegin: ids.count, masks: row.masksOfA) }
        ids += context.prefix(predictor.config.maxPositionEmbeddings - ids.count - 1)
        ids.append(rows.facts.special.separator)
        return PredictorInput(ids, secondBegin: row.secondBegin, masks: row.masksOfA)
    }

    /// The B of another row, drawn by the anchor; never of the anchor's own documents.
    private func stranger(for row: ProbeRows.Row, _ others: [ProbeRows.Row]) -> ProbeRows.Row {
        var key = KeyedRandom.key(UInt64(config.seed), row.spans[0].document, UInt64(row.spans[0].segment))
        for _ in 0..<32 {
            let other = others[Int(KeyedRandom.below(key, UInt64(others.count)))]
            if !row.spans.contains(where: { $0.document == other.spans[1].document }) { return other }
            key = KeyedRandom.mix(key, 1)
        }
        return others[0]
    }

    /// At most `count` rows, by the hash of their anchor.
    static func draw(_ rows: [ProbeRows.Row], _ count: Int, seed: UInt64) -> [ProbeRows.Row] {
        let keyed = rows.enumerated().map { index, row in
            (KeyedRandom.key(seed, row.spans[0].document, UInt64(row.spans[0].segment)), index)
        }
        return keyed.sorted { $0 < $1 }.prefix(count).map { rows[$0.1] }
    }

    // MARK: Floors

    /// What needs no model: the shortcut floor of relation prediction, and the loss of the unigram distribution. Beside the
    /// floor, the accuracy of the same regression when it also reads the model's relation logits: by so much the model
    /// knows what the shortcuts do not tell.
    /// - Parameter whole: `wholeRows()`.
    func floors(_ measure: SegmentPairMeasure, _ whole: [Prediction]?) throws -> JSON {
        // The same task as the model's: a two-way head knows no linked rows.
        let classes = predictor.config.relationClasses ?? Relation.allCases.count
        let indices = rows.rows.indices.filter { Int(rows.rows[$0].relation.rawValue) < classes }
        let known = indices.map { rows.rows[$0] }
        let vectors = try known.map {
            try measure.vector(
                ($0.spans[0].document, $0.spans[0].segment), ($0.spans[1].document, $0.spans[1].segment))
        }
        let labels = known.map { Int($0.relation.rawValue) }
        let folds = known.map { Int(KeyedRandom.below(KeyedRandom.mix(0xF01D, $0.spans[0].document), 5)) }
        let probe = try LogisticProbe(
            rows: vectors, labels: labels, classes: classes, fold: folds, check: environment.checkCancelled)
        let weights = JSON.byRelation(probe.weights.count) { relation in
            .object(
                Dictionary(
                    uniqueKeysWithValues: zip(
                        ShortcutFeatures.names, probe.weights[relation].map { .number(rounded($0)) })
                ))
        }
        var out: [String: JSON] = [
            "shortcut_accuracy": .number(rounded(probe.accuracy)),
            "shortcut_weights": weights,
            "unigram_loss": .number(rounded(unigramLoss(measure.lookup))),
        ]
        if let whole {
            let joined = zip(vectors, indices).map { vector, row in
                vector + (whole[row].relationLogits ?? []).map(Double.init)
            }
            let both = try LogisticProbe(
                rows: joined, labels: labels, classes: classes, fold: folds, check: environment.checkCancelled)
            out["shortcut_and_model_accuracy"] = .number(rounded(both.accuracy))
        }
        return .object(out)
    }

    /// Mean −ln p(label) over the probe's masks, p the add-one unigram distribution of the whole corpus.
    private func unigramLoss(_ lookup: SegmentLookup) -> Double {
        let counts = lookup.tokenCounts(vocabularySize: rows.facts.vocabularySize)
        let total = Double(counts.reduce(0, +)) + Double(counts.count)
        var sum = LossSum()
        for row in rows.rows {
            for mask in row.masks {
                sum.add(Float(NaturalLog.of(total / (Double(counts[Int(mask.label)]) + 1))), right: false)
            }
        }
        return sum.mean
    }

    /// The few numbers for the manifest and the table of stages.
    func headline(_ scores: [String: JSON]) -> JSON {
        var out: [String: JSON] = [:]
        out["mlm_loss"] = scores["probe"]?["mlm"]?["loss"]
        out["drp_accuracy"] = scores["probe"]?["drp"]?["accuracy"]
        out["drp_accuracy_unmasked"] = scores["probe"]?["drp_unmasked"]?["accuracy"]
        out["shortcut_accuracy"] = scores["floors"]?["shortcut_accuracy"]
        out["shortcut_and_model_accuracy"] = scores["floors"]?["shortcut_and_model_accuracy"]
        out["unigram_loss"] = scores["floors"]?["unigram_loss"]
        out["context_gain"] = scores["context_gain"]?["all"]?["gain_linked_over_random"]
        out["link_mrr"] = scores["link_prediction"]?["uniform"]?["mrr"]
        return .object(out)
    }
}

extension PredictorInput {
    init(_ ids: [UInt32], secondBegin: Int, masks: [(position: Int, label: UInt32)]) {
        self.init(ids: ids, secondBegin: secondBegin, positions: masks.map(\.position), labels: masks.map(\.label))
    }
}
