// Stage `pair-sample`: draws segment B and the relation for every anchor segment, pass by pass.
// A piece is one pass of one bucket; its projection is the `SamplingIndex` of the bucket.

package import Container
import Corpus
package import Pipeline

package struct PairSampleConfig: StageConfig {
    package enum LinkScope: String, CaseIterable, Sendable { case document, segment }
    package enum Anchor: String, CaseIterable, Sendable { case segment }
    package enum Fallback: String, CaseIterable, Sendable { case redraw }
    package enum TargetSegment: String, CaseIterable, Sendable { case uniform, first }
    package enum Exclusion: String, CaseIterable, Sendable {
        case sameDocument = "same_document"
        case outLink = "out_link"
        case inLink = "in_link"
        case equalText = "equal_text"
    }
    package enum DrawnSide: String, CaseIterable, Sendable {
        case train, validation, test
        var side: Side {
            switch self {
            case .train: .train
            case .validation: .validation
            case .test: .test
            }
        }
    }

    package var mix: [String: Double] = ["contiguous": 1, "random": 1, "linked": 1]
    package var passes = 10
    package var seed = 0
    package var draw: [DrawnSide] = [.train, .validation]
    package var linkScope = LinkScope.document
    package var targetSegment = TargetSegment.uniform
    package var anchor = Anchor.segment
    package var noLink = Fallback.redraw
    package var noNext = Fallback.redraw
    package var diversity = 1.0
    package var negativesExclude = Exclusion.allCases
    package var randomBuckets = 1

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .weights(
                "mix", \.mix, names: Relation.allCases.map(\.name),
                help: "shares of the relations; each pass and side realises them as a quota"),
            .int("passes", \.passes, in: 1...65_535, help: "times that every segment is an anchor"),
            .int("seed", \.seed, in: 0...Int.max, help: "every draw is a function of (seed, pass, document, segment)"),
            .choices("draw", \.draw, help: "the sides that pairs are drawn for"),
            .choice(
                "link_scope", \.linkScope,
                help: "document: B's document is linked from A's; segment: from a link whose anchor lies in A"),
            .choice("target_segment", \.targetSegment, help: "which segment of the target document becomes B"),
            .choice("anchor", \.anchor, help: "segment: every segment is an anchor once a pass"),
            .choice("no_link", \.noLink, help: "an anchor without a link draws another relation within the quota"),
            .choice(
                "no_next", \.noNext, help: "an anchor without a next segment draws another relation within the quota"),
            .number(
                "diversity", \.diversity, in: 0...4,
                help: "linked targets are weighted 1/in-degree^d: 1 as in the article, 0 its ablation"),
            .choices("negatives_exclude", \.negativesExclude, help: "documents that a random draw refuses"),
            .int(
                "random_buckets", \.randomBuckets, in: 1...65_536,
                help: "random segments come from the anchor's bucket; more buckets, less recomputation per added file"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        draw.isEmpty ? [ConfigProblem("names no side", key: "draw", fix: "write e.g. [train, validation]")] : []
    }

    var relationMix: RelationMix {
        RelationMix(contiguous: mix["contiguous"] ?? 0, random: mix["random"] ?? 0, linked: mix["linked"] ?? 0)
    }

    var options: PairSampler.Options {
        var options = PairSampler.Options()
        options.mix = relationMix
        options.seed = UInt64(seed)
        options.diversity = diversity
        options.draw = Set(draw.map(\.side))
        options.excludeOwnDocument = negativesExclude.contains(.sameDocument)
        options.excludeOutLinks = negativesExclude.contains(.outLink)
        options.excludeInLinks = negativesExclude.contains(.inLink)
        options.excludeEqualText = negativesExclude.contains(.equalText)
        options.firstTargetSegment = targetSegment == .first
        return options
    }
}

package enum PairSample: Stage {
    package typealias Config = PairSampleConfig
    package typealias Output = PairsArtifact

    package static let name = "pair-sample", version = 1
    package static let summary = "draws (segment A, segment B, relation) from segments and the document graph"
    static let segments = InputPort<SegmentsArtifact>("segments", help: "the segments to pair")
    static let graph = InputPort<DocumentGraphArtifact>("graph", help: "the links that linked pairs follow")
    static let sides = InputPort<DocumentGraphArtifact>(
        "sides", .optional, autoWired: false,
        help: "the graph whose sides hold; the same as `graph` unless an ablation changes the links")
    static let links = InputPort<LinksArtifact>(
        "links", .optionalMany, help: "link spans, read with `link_scope: segment` only")
    static let tokens = InputPort<TokensArtifact>(
        "tokens", .optional, help: "for the shortcut report, and for `link_scope: segment`")
    package static var ports: [AnyInputPort] {
        [segments.erased, graph.erased, sides.erased, links.erased, tokens.erased]
    }

    package static func uses(_ port: String, _ config: Config) -> Bool {
        port != links.name || config.linkScope == .segment
    }

    /// A pass is a function of its number, not of how many there are.
    package static func pieceConfig(_ config: Config) -> Config {
        var config = config
        config.passes = Config().passes
        return config
    }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let config = context.config
        let graph = try GraphColumns(reading: try context.input(Self.graph.name).columns(0))
        let sides = try side(of: graph, context)
        let segments = try context.input(Self.segments.name)
        let parts = try segments.manifest.parts.map { try SegmentColumns(reading: try segments.columns($0)) }
        let documents = SamplingIndex.Documents(nodes: graph.node, segments: parts)
        let segmentLinks = try config.linkScope == .segment ? spans(graph, parts, context) : nil
        return (0..<config.randomBuckets).flatMap { bucket in
            let projection = SamplingIndex(
                graph: graph, sides: sides, documents: documents, bucket: bucket, buckets: config.randomBuckets,
                segmentLinks: segmentLinks
            ).bytes
            return (0..<config.passes).map { pass in
                let name = "pass-\(padded(pass, 4))" + (config.randomBuckets > 1 ? "-bucket-\(padded(bucket, 5))" : "")
                return Piece(name: name, projection: projection)
            }
        }.sorted { $0.name < $1.name }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        guard let pass = Int(piece.name.dropFirst("pass-".count).prefix { $0.isNumber })
        else { throw StageError("piece '\(piece.name)' of pair-sample names no pass") }
        let sampler = PairSampler(index: try SamplingIndex(bytes: piece.projection), options: context.config.options)
        do {
            let (pairs, counts) = try sampler.pairs(pass: pass)
            let part = try output.columns(piece.name, rows: pairs.count, pairs.table)
            return PieceResult(parts: [part], counts: ["pairs": Int64(pairs.count)], summary: counts.json)
        } catch let error as PairSamplingError {
            throw StageError(error.message, cause: error.cause, fix: error.fix)
        }
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        var counts = PairCounts()
        for result in results { counts.add(PairCounts(json: result.summary)) }
        let report = try PairReport(results.flatMap(\.parts), context, output)
        return Finished(
            parts: results.flatMap(\.parts),
            metadata: .object([
                "mix": report.mix(counts, asked: context.config.relationMix),
                "sampling": counts.json, "coverage": report.coverage, "shortcuts": report.shortcuts,
            ]))
    }

    /// The side of every node of `graph`, from the graph wired as `sides`.
    static func side(of graph: GraphColumns, _ context: StageContext<Config>) throws -> [UInt8] {
        guard let base = context.optional(sides.name) else { return graph.side }
        let columns = try GraphColumns(reading: try base.columns(0))
        return try graph.node.map { id in
            guard let index = columns.index(of: id) else {
                throw StageError(
                    "document \(id) is in the graph but not in the graph wired as 'sides'",
                    cause: "the two graphs were built from different documents",
                    fix: "build both graphs from the same documents")
            }
            return columns.side[index]
        }
    }

    private static func spans(
        _ graph: GraphColumns, _ segments: [SegmentColumns], _ context: StageContext<Config>
    ) throws -> SamplingIndex.SegmentLinks {
        let artifacts = context.list(links.name)
        guard !artifacts.isEmpty else {
            throw StageError(
                "`link_scope: segment` needs the port 'links', which is not connected",
                fix: "write `in: {links: NAME}` with the link-extract stage's name")
        }
        let tokens = try context.input(Self.tokens.name)
        var found = SegmentLinks()
        for tokenPart in tokens.manifest.parts {
            let columns = try TokenColumns(reading: try tokens.columns(tokenPart))
            let known = Set(columns.document)
            for part in segments where part.document.contains(where: known.contains) {
                for artifact in artifacts {
                    for linkPart in artifact.manifest.parts {
                        let rows = try LinkColumns(reading: try artifact.columns(linkPart))
                        found.add(links: rows, tokens: columns, segments: part)
                    }
                }
            }
        }
        guard found.placed > 0 else {
            throw StageError(
                "`link_scope: segment` finds no link inside any segment",
                cause: found.withoutSpan > 0
                    ? "all \(found.withoutSpan) links are links of whole documents, without a place in the text"
                    : "there are no links",
                fix: "use `link_scope: document`, or links of `kind: hyperlink`")
        }
        let links = found
        return { node, ordinal in
            // Only edges that the graph kept: its caps and filters hold for linked pairs of any scope.
            let kept = graph.outLinks(node)
            return links.targets(graph.node[node], UInt32(ordinal)).compactMap { graph.index(of: $0).map(UInt32.init) }
                .filter { kept.contains($0) }
        }
    }
}

/// A number with leading zeros, so that names sort as numbers do.
func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension PairCounts {
    var json: JSON {
        func sides(_ values: [Int]) -> JSON { .bySide { .int(Int64(values[$0])) } }
        let relations = JSON.bySide { side in .byRelation { .int(Int64(relation[side][$0])) } }
        return .object([
            "relations": relations, "anchors": sides(anchors),
            "left_out": sides(leftOut), "redraws": sides(redraws), "refused_negatives": .int(Int64(refusedNegatives)),
        ])
    }

    init(json: JSON) {
        self.init()
        for side in Side.allCases {
            let s = Int(side.rawValue)
            for r in Relation.allCases {
                relation[s][Int(r.rawValue)] = Int(json["relations"]?[side.name]?[r.name]?.int ?? 0)
            }
            anchors[s] = Int(json["anchors"]?[side.name]?.int ?? 0)
            leftOut[s] = Int(json["left_out"]?[side.name]?.int ?? 0)
            redraws[s] = Int(json["redraws"]?[side.name]?.int ?? 0)
        }
        refusedNegatives = Int(json["refused_negatives"]?.int ?? 0)
    }
}
