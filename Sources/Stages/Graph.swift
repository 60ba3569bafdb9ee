// Stage `graph`: one document graph from one or more links artifacts, with a side for every document. One piece: its
// work is global, and it holds the texts of one part at a time. GraphNodes looks at the documents, GraphReport at what
// came of the links.

package import Container
import Corpus
package import Pipeline

package enum Graph: Stage {
    package typealias Config = GraphConfig
    package typealias Output = DocumentGraphArtifact

    package static let name = "graph", version = 3
    package static let summary = "merges links into the document graph and assigns each document a side"
    static let documents = InputPort<DocumentsArtifact>("documents", help: "the nodes")
    static let links = InputPort<LinksArtifact>(
        "links", .many, help: "the edges; where several name the same edge, it keeps the kinds of all")
    package static var ports: [AnyInputPort] { [documents.erased, links.erased] }

    static let hubCount = 20

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        let artifact = try context.input(documents.name)
        let nodes = try GraphNodes(artifact, context)
        var filter = GraphFilter()
        filter.maxInDegree = context.config.maxInDegree
        filter.maxOutDegree = context.config.maxOutDegree
        filter.minDegree = context.config.minDegree
        filter.excludedBy = nodes.excludedBy
        filter.leader = nodes.groups.leader
        let built = try build(nodes.ids, filter, context)
        var graph = built.graph
        let sides = SideAssignment(graph, textHash: nodes.textHash, rule: context.config.sides.rule)
        graph.side = sides.side
        graph.kinds = built.kinds

        let report = GraphReport(graph, built.counts, hubCount: hubCount)
        var metadata = report.metadata(
            context.config, titles: try nodes.titles(of: report.named, artifact))
        metadata["duplicates"] = nodes.duplicates
        metadata["sides"] = report.sides(sides, context.config.sides)
        return PieceResult(
            parts: [try output.columns("graph", rows: graph.node.count, graph.table)],
            counts: [
                "documents": Int64(graph.node.count), "edges": Int64(graph.targets.count),
                "orphans": Int64(report.statistics.orphans),
            ],
            summary: .object(metadata))
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        // The metadata of the links stands in no part's digest, so it is read here and not in the piece.
        var metadata = results.first?.summary ?? .object([:])
        metadata["links"] = .array(context.list(links.name).map(\.manifest.metadata))
        metadata["dangling_share"] = danglingShare(context.list(links.name)).map { .number($0) }
        return Finished(parts: results.flatMap(\.parts), metadata: metadata)
    }

    private static func build(
        _ nodes: [UInt64], _ filter: GraphFilter, _ context: StageContext<Config>
    ) throws -> GraphBuilder {
        func forEach(_ read: (PartReader) throws -> LinkColumns, _ visit: (LinkColumns) throws -> Void) throws {
            for artifact in context.list(links.name) {
                for part in artifact.manifest.parts {
                    try visit(try read(try artifact.columns(part)))
                    try context.environment.checkCancelled()
                }
            }
        }
        do {
            return try GraphBuilder(
                nodes: nodes, filter: filter,
                forEachSources: { try forEach(LinkColumns.init(readingSourcesOf:), $0) },
                forEachPart: { try forEach(LinkColumns.init(readingEndsOf:), $0) })
        } catch let error as UnknownDocument {
            throw StageError(
                "a link names document \(error.id), which is none of the \(nodes.count) documents",
                cause: "the links were extracted from other documents than those on port 'documents'",
                fix: "wire `documents` to the stage that the links were extracted from")
        }
    }

    /// Of all links that point into the corpus's own space: those whose target it lacks. Nil where links do not say.
    private static func danglingShare(_ artifacts: [StoredArtifact]) -> Double? {
        var dangling: Int64 = 0
        var resolved: Int64 = 0
        for artifact in artifacts {
            dangling += artifact.manifest.metadata["counts"]?["dangling"]?.int ?? 0
            resolved += artifact.manifest.metadata["counts"]?["resolved"]?.int ?? 0
        }
        return dangling + resolved == 0 ? nil : Double(dangling) / Double(dangling + resolved)
    }
}
