// Stage `graph`: one document graph from one or more links artifacts, with a side for every document. One piece: its
// work is global, and it holds the texts of one part at a time.

package import Container
import Corpus
package import Pipeline

package struct SidesConfig: StageConfig {
    package enum By: String, CaseIterable, Sendable { case group, text, none }

    package var by = By.group
    package var validation = 0.05
    package var test = 0.05
    package var maxGroup = 0.02

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice(
                "by", \.by,
                help: "group: communities of linked or equal-text documents; text: a hash of the text; none: all train"),
            .number("validation", \.validation, in: 0...0.5, help: "share of the documents"),
            .number("test", \.test, in: 0...0.5, help: "share of the documents"),
            .number("max_group", \.maxGroup, in: 0.0001...0.5, help: "largest share of the documents in one community"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        validation + test < 1
            ? []
            : [
                ConfigProblem(
                    "and test leave nothing to train on", key: "validation", fix: "make the two shares smaller")
            ]
    }
}

package struct GraphConfig: StageConfig {
    package var sides = SidesConfig()
    package var maxInDegree: Int?
    package var maxOutDegree: Int?
    package var excludePrefixes: [String] = []
    package var excludeSuffixes: [String] = []

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .nested("sides", \.sides, help: "how documents are divided into train, validation and test"),
            .optionalInt(
                "max_in_degree", \.maxInDegree, in: 1...Int(UInt32.max),
                help: "documents with more distinct sources lose their in-links"),
            .optionalInt(
                "max_out_degree", \.maxOutDegree, in: 1...Int(UInt32.max),
                help: "documents with more distinct targets (lists, indexes) lose their out-links"),
            .strings(
                "exclude_title_prefixes", \.excludePrefixes,
                help: "documents whose title begins so (`List of `) take part in no link"),
            .strings(
                "exclude_title_suffixes", \.excludeSuffixes,
                help: "documents whose title ends so (` (disambiguation)`) take part in no link"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        [("exclude_title_prefixes", excludePrefixes), ("exclude_title_suffixes", excludeSuffixes)].compactMap {
            $1.contains("")
                ? ConfigProblem("holds an empty string", key: $0, cause: "every title matches it", fix: "remove it")
                : nil
        }
    }
}

package enum Graph: Stage {
    package typealias Config = GraphConfig
    package typealias Output = DocumentGraphArtifact

    package static let name = "graph", version = 1
    package static let summary = "merges links into the document graph and assigns each document a side"
    static let documents = InputPort<DocumentsArtifact>("documents", help: "the nodes")
    static let links = InputPort<LinksArtifact>(
        "links", .many, help: "the edges; where several name the same edge, it keeps its lowest kind")
    package static var ports: [AnyInputPort] { [documents.erased, links.erased] }

    static let hubCount = 20

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        let artifact = try context.input(documents.name)
        let nodes = try Nodes(artifact, context)
        var filter = GraphFilter()
        filter.maxInDegree = context.config.maxInDegree
        filter.maxOutDegree = context.config.maxOutDegree
        filter.excluded = nodes.excluded
        let built = try build(nodes.ids, filter, context)
        var graph = built.graph
        let sides = SideAssignment(graph, textHash: nodes.textHash, rule: context.config.sides.rule)
        graph.side = sides.side

        let statistics = GraphStatistics(graph, hubCount: hubCount)
        let titles = try nodes.titles(of: statistics.hubs, artifact)
        var metadata = report(
            statistics, built.counts, hubs: zip(statistics.hubs, titles).map { (graph.inDegree[$0], $1) })
        metadata["duplicate_texts"] = .int(Int64(nodes.duplicateTexts))
        metadata["sides"] = report(statistics, sides, context.config.sides)
        return PieceResult(
            parts: [try output.columns("graph", rows: graph.node.count, graph.table)],
            counts: [
                "documents": Int64(statistics.documents), "edges": Int64(statistics.edges),
                "orphans": Int64(statistics.orphans),
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
        do {
            return try GraphBuilder(nodes: nodes, filter: filter) { visit in
                for artifact in context.list(links.name) {
                    for part in artifact.manifest.parts {
                        try visit(try LinkColumns(reading: try artifact.columns(part)))
                        try context.environment.checkCancelled()
                    }
                }
            }
        } catch let error as UnknownDocument {
            throw StageError(
                "a link names document \(error.id), which is none of the \(nodes.count) documents",
                cause: "the links were extracted from other documents than those on port 'documents'",
                fix: "wire `documents` to the stage that the links were extracted from")
        }
    }

    // MARK: Reports

    private static func report(
        _ statistics: GraphStatistics, _ counts: GraphBuilder.Counts, hubs: [(inDegree: UInt32, title: String)]
    ) -> [String: JSON] {
        var kinds: [String: JSON] = [:]
        for kind in LinkKind.allCases where statistics.kinds[Int(kind.rawValue)] > 0 {
            kinds[kind.name] = JSON(statistics.kinds[Int(kind.rawValue)])
        }
        return [
            "documents": JSON(statistics.documents), "edges": JSON(statistics.edges), "edges_by_kind": .object(kinds),
            "link_rows": JSON(counts.links),
            "dropped": .object([
                "merged": JSON(counts.merged), "excluded_titles": JSON(counts.excluded), "hubs": JSON(counts.hubs),
                "lists": JSON(counts.lists),
            ]),
            "orphans": JSON(statistics.orphans), "without_in_links": JSON(statistics.withoutInLinks),
            "without_out_links": JSON(statistics.withoutOutLinks), "max_out_degree": JSON(statistics.maxOutDegree),
            "in_degree_histogram": histogram(statistics.inDegrees),
            "out_degree_histogram": histogram(statistics.outDegrees),
            "hubs": .array(
                hubs.map { .object(["title": .string($0.title), "in_degree": .int(Int64($0.inDegree))]) }),
        ]
    }

    /// `[{from: 0, documents: n}, {from: 1, …}, {from: 2, …}, {from: 4, …}]`: degrees from each bound to below the next.
    private static func histogram(_ bins: [Int]) -> JSON {
        .array(
            bins.enumerated().map { bin, documents in
                .object(["from": JSON(bin == 0 ? 0 : 1 << (bin - 1)), "documents": JSON(documents)])
            })
    }

    private static func report(_ statistics: GraphStatistics, _ sides: SideAssignment, _ config: SidesConfig) -> JSON {
        func share(_ part: Int, _ whole: Int) -> JSON { .number(whole == 0 ? 0 : Double(part) / Double(whole)) }
        var report: [String: JSON] = ["by": .string(config.by.rawValue)]
        for side in Side.allCases {
            let counts = statistics.sides[Int(side.rawValue)]
            report[side.name] = .object([
                "documents": JSON(counts.documents), "links": JSON(counts.links), "links_inside": JSON(counts.inside),
                "inside_share": share(counts.inside, counts.links), "documents_with_links_inside": JSON(counts.linking),
            ])
        }
        report["links_inside_share"] = share(statistics.sides.reduce(0) { $0 + $1.inside }, statistics.edges)
        if let groups = sides.groups { report["communities"] = JSON(groups) }
        if let largest = sides.largestGroup { report["largest_community"] = JSON(largest) }
        return .object(report)
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

extension SidesConfig {
    var rule: SideRule {
        var rule = SideRule()
        rule.unit = SideRule.Unit(rawValue: by.rawValue) ?? .group
        rule.validation = validation
        rule.test = test
        rule.maxGroup = maxGroup
        return rule
    }
}

/// The documents as nodes: sorted ids, hashes of their texts, and which are excluded by title.
private struct Nodes {
    let ids: [UInt64]
    /// 0 for a document without text.
    let textHash: [UInt64]
    let excluded: Set<UInt32>
    /// Documents whose text an earlier one has already.
    let duplicateTexts: Int

    init(_ documents: StoredArtifact, _ context: StageContext<GraphConfig>) throws {
        let config = context.config
        let looksAtTitles = !(config.excludePrefixes.isEmpty && config.excludeSuffixes.isEmpty)
        var rows: [(id: UInt64, hash: UInt64, excluded: Bool)] = []
        for part in documents.manifest.parts {
            let reader = try documents.columns(part)
            let id: [UInt64] = try reader.column("id")
            let text = try reader.strings("text")
            let title = looksAtTitles ? try reader.strings("title") : StringColumn()
            for i in id.indices {
                let hash = text.withBytes(i) { $0.isEmpty ? 0 : max(1, Digest.of(UnsafeRawBufferPointer($0)).prefix) }
                rows.append((id[i], hash, looksAtTitles && Self.matches(title.string(i), config)))
            }
            try context.environment.checkCancelled()
        }
        rows.sort { $0.id < $1.id }
        if let i = rows.indices.dropFirst().first(where: { rows[$0].id == rows[$0 - 1].id }) {
            throw StageError(
                "two documents have the id \(rows[i].id)", cause: "ids come from the corpus name and the source id",
                fix: "give the corpora different names, or drop one of the documents")
        }
        guard rows.count < Int(UInt32.max) else {
            throw StageError("a graph holds fewer than 2^32 documents, not \(rows.count)", fix: "split the corpus")
        }
        ids = rows.map(\.id)
        textHash = rows.map(\.hash)
        excluded = Set(rows.indices.filter { rows[$0].excluded }.map { UInt32($0) })
        let sorted = textHash.filter { $0 != 0 }.sorted()
        duplicateTexts = zip(sorted, sorted.dropFirst()).count { $0 == $1 }
    }

    private static func matches(_ title: String, _ config: GraphConfig) -> Bool {
        config.excludePrefixes.contains { title.utf8.starts(with: $0.utf8) }
            || config.excludeSuffixes.contains { title.utf8.reversed().starts(with: $0.utf8.reversed()) }
    }

    /// Titles of a few nodes, in their order.
    func titles(of nodes: [Int], _ documents: StoredArtifact) throws -> [String] {
        let wanted = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { (ids[$1], $0) })
        var titles = [String](repeating: "", count: nodes.count)
        for part in documents.manifest.parts {
            let reader = try documents.columns(part)
            let id: [UInt64] = try reader.column("id")
            guard id.contains(where: { wanted[$0] != nil }) else { continue }
            let column = try reader.strings("title")
            for (i, id) in id.enumerated() { if let place = wanted[id] { titles[place] = column.string(i) } }
        }
        return titles
    }
}
