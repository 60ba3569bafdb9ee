// What `stats pairs` tells of the draw: the realised mix, who appears how often, and what gives the relation away.

import Container
import Corpus
import Pipeline

struct PairReport {
    private(set) var coverage: JSON = .object([:])
    private(set) var shortcuts: JSON = .object([:])

    /// Pairs of the first pass that are measured for shortcuts, per relation.
    static let sampleSize = 1000

    init(_ parts: [Part], _ context: StageContext<PairSampleConfig>, _ output: PartSink) throws {
        let graph = try GraphColumns(reading: try context.input(PairSample.graph.name).columns(0))
        let index = DocumentIndex(sorted: graph.node)
        var drawn = [Int](repeating: 0, count: graph.node.count)
        var anchors = [Int](repeating: 0, count: graph.node.count)
        var samples = [SmallestSamples](repeating: SmallestSamples(), count: Relation.allCases.count)
        for part in parts {
            let pairs = try PairColumns(reading: try output.read(part))
            for i in 0..<pairs.count {
                if let node = index[pairs.aDocument[i]] { anchors[node] += 1 }
                if pairs.relation[i] == Relation.linked.rawValue, let node = index[pairs.bDocument[i]] {
                    drawn[node] += 1
                }
                if pairs.pass[i] == 0 { samples[Int(pairs.relation[i])].add(Sample(pairs, i)) }
            }
            try context.environment.checkCancelled()
        }
        coverage = Self.coverage(
            graph, try PairSample.side(of: graph, context), drawn, anchors,
            Set(context.config.draw.map(\.side.rawValue)))
        if let tokens = context.optional(PairSample.tokens.name) {
            shortcuts = try Self.shortcuts(samples, tokens, try context.input(PairSample.segments.name))
        }
    }

    /// Asked and realised shares, by side.
    func mix(_ counts: PairCounts, asked: RelationMix) -> JSON {
        func shares(_ values: [Double]) -> JSON {
            let total = values.reduce(0, +)
            return .byRelation { .number(total == 0 ? 0 : rounded(values[$0] / total)) }
        }
        var realised: [String: JSON] = [:]
        for side in Side.allCases where counts.anchors[Int(side.rawValue)] > 0 {
            realised[side.name] = shares(counts.relation[Int(side.rawValue)].map(Double.init))
        }
        return .object(["asked": shares(asked.weights), "realised": .object(realised)])
    }

    /// How often documents are drawn as linked targets, by decile of in-degree within the side, among documents that
    /// some anchor of the side links to.
    private static func coverage(
        _ graph: GraphColumns, _ side: [UInt8], _ drawn: [Int], _ anchors: [Int], _ sides: Set<UInt8>
    ) -> JSON {
        var inDegree = [Int](repeating: 0, count: graph.node.count)
        for node in graph.node.indices where anchors[node] > 0 {
            for target in graph.outLinks(node) where side[Int(target)] == side[node] && anchors[Int(target)] > 0 {
                inDegree[Int(target)] += 1
            }
        }
        // By in-degree, then by node, in one number: this sorts by the million.
        let linked = graph.node.indices.filter { inDegree[$0] > 0 && sides.contains(side[$0]) }
            .map { UInt64(inDegree[$0]) << 32 | UInt64($0) }.sorted().map { Int($0 & 0xFFFF_FFFF) }
        let deciles = (0..<10).compactMap { d -> JSON? in
            let slice = linked[(linked.count * d / 10)..<(linked.count * (d + 1) / 10)]
            guard let last = slice.last else { return nil }
            return .object([
                "largest_in_degree": .int(Int64(inDegree[last])),
                "mean_draws": .number(rounded(Double(slice.reduce(0) { $0 + drawn[$1] }) / Double(slice.count))),
            ])
        }
        let total = anchors.reduce(0, +)
        return .object([
            "linked_draws_by_in_degree_decile": .array(deciles),
            "linked_documents": .int(Int64(linked.count)),
            "linked_documents_never_drawn": .int(Int64(linked.count { drawn[$0] == 0 })),
            "anchor_share_of_largest_document": .number(
                total == 0 ? 0 : rounded(Double(anchors.max() ?? 0) / Double(total))),
        ])
    }

    struct Sample {
        let key: UInt64
        let a: (document: UInt64, segment: UInt32)
        let b: (document: UInt64, segment: UInt32)

        init(_ pairs: PairColumns, _ i: Int) {
            a = (pairs.aDocument[i], pairs.aSegment[i])
            b = (pairs.bDocument[i], pairs.bSegment[i])
            key = KeyedRandom.mix(KeyedRandom.mix(0x5A3B, a.document), UInt64(a.segment))
        }
    }

    /// Keeps the samples of smallest key: memory for twice `sampleSize`, however many come.
    private struct SmallestSamples {
        private var kept: [Sample] = []
        private var bound = UInt64.max

        mutating func add(_ sample: Sample) {
            if sample.key > bound { return }
            kept.append(sample)
            if kept.count == 2 * sampleSize {
                kept = sorted
                bound = kept[kept.count - 1].key
            }
        }

        /// The `sampleSize` smallest. Keys belong to anchors, which have one pair a pass, so none is twice.
        var sorted: [Sample] { Array(kept.sorted { $0.key < $1.key }.prefix(sampleSize)) }
    }

    private static func shortcuts(
        _ samples: [SmallestSamples], _ tokens: StoredArtifact, _ segments: StoredArtifact
    ) throws -> JSON {
        let lookup = try SegmentLookup(tokens: tokens, segments: segments)
        let measure = try SegmentPairMeasure(lookup: lookup, tokens: tokens)
        var out: [String: JSON] = [:]
        for relation in Relation.allCases {
            let chosen = samples[Int(relation.rawValue)].sorted
            let rows = try chosen.map { try measure.vector($0.a, $0.b) }
            guard !rows.isEmpty else { continue }
            var features: [String: JSON] = ["pairs_measured": .int(Int64(rows.count))]
            for (f, name) in ShortcutFeatures.names.enumerated() {
                let values = rows.map { $0[f] }
                features[name] =
                    name.hasPrefix("title")
                    ? .number(rounded(values.reduce(0, +) / Double(values.count)))
                    : .array(Quantiles.of(values).map { .number(rounded($0)) })
            }
            out[relation.name] = .object(features)
        }
        return .object(["quantiles": .array(Quantiles.shares.map { .number($0) }), "by_relation": .object(out)])
    }
}

/// Shortcut features of pairs of segments named by (document, ordinal).
struct SegmentPairMeasure {
    let lookup: SegmentLookup
    private let features: ShortcutFeatures

    init(lookup: SegmentLookup, tokens: StoredArtifact) throws {
        self.lookup = lookup
        let size = try TokensMetadata(tokens).vocabularySize
        features = ShortcutFeatures(
            frequencies: lookup.documentFrequencies(vocabularySize: size), documents: lookup.documentCount)
    }

    func vector(_ a: (document: UInt64, segment: UInt32), _ b: (document: UInt64, segment: UInt32)) throws -> [Double] {
        var (idsA, idsB, titleA, titleB): ([UInt32], [UInt32], [UInt32], [UInt32]) = ([], [], [], [])
        try lookup.tokens(a.document, a.segment, into: &idsA)
        try lookup.tokens(b.document, b.segment, into: &idsB)
        lookup.title(a.document, into: &titleA)
        lookup.title(b.document, into: &titleB)
        let share = { (s: (document: UInt64, segment: UInt32)) in
            Double(s.segment) / Double(max(1, lookup.segmentCount(s.document)))
        }
        return features.vector(
            a: idsA, b: idsB, ordinalA: share(a), ordinalB: share(b), titleA: titleA, titleB: titleB)
    }
}

/// Six digits after the point: enough for a report, and no noise of the last bits in a file.
func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
