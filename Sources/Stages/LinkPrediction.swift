// Link prediction: does the relation head put the truly linked segment above random ones?

import Container
import Corpus
import Pipeline
import Transformer

extension ProbeEvaluation {
    /// Ranks the linked segment of each anchor among random segments of its side by P(linked | A, candidate).
    ///
    /// Candidates are drawn uniformly over documents, and again matched by in-degree (documents whose in-degree rank is
    /// near the target's), because a model that only learned what popular pages look like passes the first test.
    func linkPrediction(_ graph: GraphColumns, _ lookup: SegmentLookup) throws -> JSON {
        let linked = rows.rows.filter { $0.relation == .linked }
        let anchors = Self.draw(linked, config.linkAnchors, seed: UInt64(config.seed))
        var out: [String: JSON] = [
            "anchors": .int(Int64(anchors.count)), "candidates": .int(Int64(config.linkCandidates)),
        ]
        guard !anchors.isEmpty else { return .object(out) }
        let pools = CandidatePools(graph, lookup)
        for (name, matched) in [("uniform", false), ("degree_matched", true)] {
            var asked: [PredictorInput] = []
            var sizes: [Int] = []
            for row in anchors {
                let candidates = try candidates(row, graph, pools, lookup, matched)
                // An anchor that too few documents can be set against would be ranked high for nothing.
                guard candidates.count == config.linkCandidates else { continue }
                sizes.append(candidates.count)
                asked.append(pair(row, row.b))
                for candidate in candidates { asked.append(pair(row, candidate[...])) }
            }
            out[name] = Self.ranks(try predict(asked, "candidates"), sizes)
        }
        return .object(out)
    }

    /// A unmasked beside a candidate.
    private func pair(_ row: ProbeRows.Row, _ candidate: ArraySlice<UInt32>) -> PredictorInput {
        let special = rows.facts.special
        var ids = [special.classify] + row.a + [special.separator]
        let begin = ids.count
        ids += candidate.prefix(predictor.config.maxPositionEmbeddings - begin - 1)
        ids.append(special.separator)
        return PredictorInput(ids: ids, secondBegin: begin)
    }

    private func candidates(
        _ row: ProbeRows.Row, _ graph: GraphColumns, _ pools: CandidatePools, _ lookup: SegmentLookup, _ matched: Bool
    ) throws -> [[UInt32]] {
        guard let anchor = graph.index(of: row.spans[0].document), let target = graph.index(of: row.spans[1].document)
        else {
            throw StageError(
                "a document of the probe is not in the graph", cause: "probe and graph were made from other documents",
                fix: "wire the graph that the probe's pairs were drawn from")
        }
        let pool = pools.bySide[Int(graph.side[anchor])]
        let window = matched ? pools.neighbours(of: target, in: pool) : 0..<pool.count
        var out: [[UInt32]] = []
        var key = KeyedRandom.key(
            UInt64(config.seed), matched ? 1 : 0, row.spans[0].document, UInt64(row.spans[0].segment))
        var ids: [UInt32] = []
        for _ in 0..<config.linkCandidates * 8 where out.count < config.linkCandidates {
            key = KeyedRandom.mix(key, 1)
            let node = pool[window.lowerBound + Int(KeyedRandom.below(key, UInt64(window.count)))]
            let isLinked =
                graph.outLinks(anchor).contains(UInt32(node)) || graph.outLinks(node).contains(UInt32(anchor))
            if node == anchor || node == target || isLinked { continue }
            let segment = UInt32(
                KeyedRandom.below(KeyedRandom.mix(key, 2), UInt64(lookup.segmentCount(graph.node[node]))))
            try lookup.tokens(graph.node[node], segment, into: &ids)
            out.append(ids)
        }
        return out
    }

    /// Mean reciprocal rank and hits of the first answer of each group; ties count against the model.
    private static func ranks(_ answers: [Prediction], _ sizes: [Int]) -> JSON {
        var position = 0
        var reciprocal = 0.0
        var (hits1, hits10) = (0, 0)
        for size in sizes {
            let scores = answers[position...position + size].map {
                linkedLogProbability($0.relationLogits ?? [0, 0, 0])
            }
            let rank = 1 + scores.dropFirst().count { $0 >= scores[0] }
            reciprocal += 1 / Double(rank)
            if rank == 1 { hits1 += 1 }
            if rank <= 10 { hits10 += 1 }
            position += size + 1
        }
        let n = Double(max(1, sizes.count))
        return .object([
            "ranked": .int(Int64(sizes.count)),
            "mrr": .number(rounded(reciprocal / n)), "hits_at_1": .number(rounded(Double(hits1) / n)),
            "hits_at_10": .number(rounded(Double(hits10) / n)), "chance_mrr": .number(rounded(chanceMRR(sizes))),
        ])
    }

    /// ln P(linked) − ln P(not linked) up to a constant that all candidates share is enough to rank: log-softmax.
    private static func linkedLogProbability(_ logits: [Float]) -> Double {
        let top = Double(logits.max() ?? 0)
        let sum = logits.reduce(0.0) { $0 + Exponential.of(Double($1) - top) }
        return Double(logits[Int(Relation.linked.rawValue)]) - top - NaturalLog.of(sum)
    }

    /// The mean reciprocal rank of a coin: (1/n) · Σ 1/k over ranks 1…n.
    private static func chanceMRR(_ sizes: [Int]) -> Double {
        var total = 0.0
        for size in sizes {
            let harmonic: Double = (1...size + 1).reduce(0.0) { (sum: Double, k: Int) in sum + 1 / Double(k) }
            total += harmonic / Double(size + 1)
        }
        return total / Double(max(1, sizes.count))
    }
}

/// Documents with segments by side, ordered by in-degree.
struct CandidatePools {
    let bySide: [[Int]]
    private let rank: [Int]

    init(_ graph: GraphColumns, _ lookup: SegmentLookup) {
        var bySide: [[Int]] = [[], [], []]
        for node in graph.node.indices where lookup.segmentCount(graph.node[node]) > 0 {
            bySide[Int(graph.side[node])].append(node)
        }
        var rank = [Int](repeating: 0, count: graph.node.count)
        for side in bySide.indices {
            bySide[side].sort { (graph.inDegree[$0], graph.node[$0]) < (graph.inDegree[$1], graph.node[$1]) }
            for (position, node) in bySide[side].enumerated() { rank[node] = position }
        }
        self.bySide = bySide
        self.rank = rank
    }

    /// The 5% of the pool, at least 32 documents, around the target's in-degree.
    func neighbours(of target: Int, in pool: [Int]) -> Range<Int> {
        let width = min(pool.count, max(32, pool.count / 20))
        let begin = max(0, min(pool.count - width, rank[target] - width / 2))
        return begin..<begin + width
    }
}
