// Stage `pair-sample`: draws segment B and the relation for every anchor segment, pass by pass.
// A piece is one pass of one bucket; its projection is the `SamplingIndex` of the bucket.

package import Container
import Corpus
package import Pipeline

package enum PairSample: Stage {
    package typealias Config = PairSampleConfig
    package typealias Output = PairsArtifact

    package static let name = "pair-sample", version = 2
    package static let summary = "draws (segment A, segment B, relation) from segments and the document graph"
    static let segments = InputPort<SegmentsArtifact>("segments", help: "the segments to pair")
    static let graph = InputPort<DocumentGraphArtifact>("graph", help: "the links that linked pairs follow")
    static let sides = InputPort<DocumentGraphArtifact>(
        "sides", .optional, autoWired: false,
        help: "the graph whose sides hold; the same as `graph` unless an ablation changes the links")
    static let links = InputPort<LinksArtifact>(
        "links", .optionalMany, help: "link spans, read with `link_scope: segment` only")
    static let neighbours = InputPort<LinksArtifact>(
        "neighbours", .optionalMany, autoWired: false,
        help: "links of `kind: lexical`, read with `negatives: {from: lexical}` only")
    static let tokens = InputPort<TokensArtifact>(
        "tokens", .optional, help: "for the shortcut report, and for `link_scope: segment`")
    package static var ports: [AnyInputPort] {
        [segments.erased, graph.erased, sides.erased, links.erased, neighbours.erased, tokens.erased]
    }

    package static func uses(_ port: String, _ config: Config) -> Bool {
        switch port {
        case links.name: config.linkScope == .segment
        case neighbours.name: config.negatives.hard > 0 && config.negatives.from == .lexical
        default: true
        }
    }

    /// A pass is a function of its number, not of how many there are.
    package static func pieceConfig(_ config: Config) -> Config {
        var config = config
        config.passes = Config().passes
        return config
    }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let config = context.config
        var graph = try GraphColumns(reading: try context.input(Self.graph.name).columns(0))
        graph.kinds = []
        let sides = try side(of: graph, context)
        let segments = try context.input(Self.segments.name)
        var documents = SamplingIndex.Documents(nodes: graph.node)
        for part in segments.manifest.parts {
            let reader = try segments.columns(part)
            documents.add(document: try reader.column("document"), hash: try reader.column("hash"))
        }
        documents.join(graph.leader, of: graph.node)
        let segmentLinks = try config.linkScope == .segment ? spans(graph, segments, context) : nil
        let neighbours = try neighbours(graph, context)
        return try (0..<config.randomBuckets).flatMap { bucket in
            try context.environment.checkCancelled()
            let projection = SamplingIndex(
                graph: graph, sides: sides, documents: documents, bucket: bucket, buckets: config.randomBuckets,
                segmentLinks: segmentLinks, neighbours: neighbours
            ).bytes
            return (0..<config.passes).map { pass in
                let name =
                    "pass-\(padded(pass, 4))" + (config.randomBuckets > 1 ? "-bucket-\(padded(bucket, 5))" : "")
                return Piece(name: name, projection: projection)
            }
        }.sorted { $0.name < $1.name }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        guard let pass = Int(piece.name.dropFirst("pass-".count).prefix { $0.isNumber })
        else { throw StageError("piece '\(piece.name)' of pair-sample names no pass") }
        var options = context.config.options
        if context.config.randomBuckets > 1, let bucket = piece.name.split(separator: "-").last.flatMap({ Int($0) }) {
            options.bucketName = " in bucket \(bucket) of \(context.config.randomBuckets)"
        }
        let sampler = PairSampler(index: try SamplingIndex(bytes: piece.projection), options: options)
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
        for side in [Side.validation, .test] where counts.anchors[Int(side.rawValue)] > 0 {
            for relation in Relation.allCases
            where context.config.relationMix.weights[Int(relation.rawValue)] > 0
                && counts.relation[Int(side.rawValue)][Int(relation.rawValue)] == 0
            {
                context.environment.progress.warning(
                    "pair-sample: the \(side.name) side has no \(relation.name) pairs, its documents cannot give any; "
                        + "enlarge it (`sides` of stage graph) to measure with them")
            }
        }
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

    /// What hard negatives are drawn from; nil without them.
    private static func neighbours(
        _ graph: GraphColumns, _ context: StageContext<Config>
    ) throws -> SamplingIndex.Neighbours? {
        if context.config.negatives.hard == 0 { return nil }
        if context.config.negatives.from == .twoHop { return { TwoHopNeighbours.of($0, graph) } }
        let artifacts = context.list(Self.neighbours.name)
        guard !artifacts.isEmpty else {
            throw StageError(
                "`negatives: {from: lexical}` needs the port 'neighbours', which is not connected",
                fix: "add a stage {use: link-extract, with: {kind: lexical}} and name it: in: {neighbours: NAME}")
        }
        do {
            let near = try GraphBuilder(nodes: graph.node) { visit in
                for artifact in artifacts {
                    for part in artifact.manifest.parts {
                        try visit(try LinkColumns(readingEndsOf: try artifact.columns(part)))
                    }
                }
            }.graph
            return { Array(near.outLinks($0)) }
        } catch let error as UnknownDocument {
            throw StageError(
                "port 'neighbours' names document \(error.id), which is not in the graph",
                cause: "the neighbours were found among other documents than those of the graph",
                fix: "wire both to the same documents")
        }
    }

    private static func spans(
        _ graph: GraphColumns, _ segments: StoredArtifact, _ context: StageContext<Config>
    ) throws -> SamplingIndex.SegmentLinks {
        let artifacts = context.list(links.name)
        guard !artifacts.isEmpty else {
            throw StageError(
                "`link_scope: segment` needs the port 'links', which is not connected",
                fix: "write `in: {links: NAME}` with the link-extract stage's name")
        }
        let lookup = try SegmentLookup(tokens: try context.input(Self.tokens.name), segments: segments)
        let found = try SegmentLinks(graph: graph, lookup: lookup) { visit in
            for artifact in artifacts {
                for part in artifact.manifest.parts {
                    try visit(try LinkColumns(reading: try artifact.columns(part)))
                    try context.environment.checkCancelled()
                }
            }
        }
        guard found.placed > 0 else {
            throw StageError(
                "`link_scope: segment` finds no link inside any segment", cause: unplaced(found),
                fix: "use `link_scope: document`, or links of `kind: hyperlink`")
        }
        return { found.targets($0, $1) }
    }

    private static func unplaced(_ links: SegmentLinks) -> String {
        switch (links.withoutSpan, links.unplaced) {
        case (0, 0): "there are no links"
        case (let whole, 0): "all \(whole) links are links of whole documents, without a place in the text"
        case (let whole, let lost):
            "\(lost) links stand where no segment has a token"
                + (whole > 0 ? ", and \(whole) are links of whole documents" : "")
        }
    }
}

/// A number with leading zeros, so that names sort as numbers do.
func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
