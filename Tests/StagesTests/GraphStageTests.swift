// Stage `graph`: merging, sides, reports, and what it refuses.

import Container
import Corpus
import Pipeline
import Stages
import Testing

@Suite struct GraphStageTests {
    /// A ring of documents; every fourth has the text of the one before it.
    private static let ring = (0..<40).map { i in
        ToyDocument(title: i == 7 ? "List of d" : "d\(i)", text: "text \(i % 4 == 3 ? i - 1 : i)", links: [])
    }

    private func links(_ pairs: [(Int, Int)], _ kind: LinkKind) -> LinkColumns {
        var links = LinkColumns()
        for (from, to) in pairs { links.append(Self.ring[from].id, Self.ring[to].id, kind) }
        return links
    }

    private func artifact(_ run: ToyRun, _ parts: [LinkColumns], dangling: Int64 = 0) throws -> StoredArtifact {
        let resolved = parts.reduce(0) { $0 + $1.count }
        return try run.artifact(
            "links", parts.map { ($0.count, $0.table) },
            metadata: ["counts": ["resolved": .int(Int64(resolved)), "dangling": .int(dangling)]])
    }

    private func graph(_ artifact: StoredArtifact) throws -> GraphColumns {
        try GraphColumns(reading: artifact.columns(0))
    }

    @Test func `several links artifacts merge, and parts in another order give the same bytes`() throws {
        let run = try ToyRun()
        let ring = (0..<40).map { ($0, ($0 + 1) % 40) }
        let hyperlinks = try artifact(run, [links(ring, .hyperlink)], dangling: 60)
        let random = try artifact(run, [links([(0, 1), (0, 5)], .random)])
        let one = try run.run(
            Graph.self, GraphConfig(),
            ["documents": [try run.documents([Self.ring])], "links": [hyperlinks, random]]
        ).artifact
        let columns = try graph(one)
        #expect(columns.node == Self.ring.map(\.id).sorted())
        #expect(columns.targets.count == 41)
        #expect(columns.kind.count { $0 == LinkKind.random.rawValue } == 1)
        let metadata = one.manifest.metadata
        #expect(metadata["dropped"]?["merged"]?.int == 1)
        #expect(metadata["edges_by_kind"] == ["hyperlink": 40, "random": 1])
        #expect(metadata["dangling_share"]?.double == 60.0 / 102)
        #expect(metadata["duplicate_texts"]?.int == 10)
        #expect(metadata["hubs"]?.array?.first?["in_degree"]?.int == 2)

        let split = try artifact(run, [links(Array(ring[20...]), .hyperlink), links(Array(ring[..<20]), .hyperlink)])
        let other = try run.run(
            Graph.self, GraphConfig(),
            [
                "documents": [try run.documents([Array(Self.ring[25...]), Array(Self.ring[..<25])])],
                "links": [random, split],
            ]
        ).artifact
        #expect(other.manifest.parts == one.manifest.parts)
    }

    @Test func `equal texts are on one side, and shares hold`() throws {
        let run = try ToyRun()
        var config = GraphConfig()
        config.sides.test = 0.2
        config.sides.validation = 0.1
        let inputs = [
            "documents": [try run.documents([Self.ring])],
            "links": [try artifact(run, [links((0..<40).map { ($0, ($0 + 1) % 40) }, .edges)])],
        ]
        let made = try run.run(Graph.self, config, inputs).artifact
        let columns = try graph(made)
        let side = { (i: Int) in columns.side[columns.index(of: Self.ring[i].id)!] }
        for i in stride(from: 3, to: 40, by: 4) { #expect(side(i) == side(i - 1)) }
        let sides = try #require(made.manifest.metadata["sides"])
        #expect((6...10).contains(sides["test"]?["documents"]?.int ?? 0))
        #expect((2...6).contains(sides["validation"]?["documents"]?.int ?? 0))
        #expect((sides["test"]?["inside_share"]?.double ?? 0) > 0.4, "pieces of a ring lose one link each")
        config.sides.by = .none
        let whole = try graph(run.run(Graph.self, config, inputs).artifact)
        #expect(Set(whole.side) == [Side.train.rawValue])
    }

    @Test func `documents are excluded by title and keep their node`() throws {
        let run = try ToyRun()
        var config = GraphConfig()
        config.excludePrefixes = ["List of "]
        let (artifact, _) = try run.run(
            Graph.self, config,
            [
                "documents": [try run.documents([Self.ring])],
                "links": [try artifact(run, [links([(7, 1), (2, 7), (2, 3)], .hyperlink)])],
            ])
        #expect(try graph(artifact).node.count == 40)
        #expect(try graph(artifact).targets.count == 1)
        #expect(artifact.manifest.metadata["dropped"]?["excluded_titles"]?.int == 2)
    }

    @Test func `links of other documents and twice the same document are refused`() throws {
        let run = try ToyRun()
        let foreign = try artifact(run, [links([(0, 39)], .edges)])
        let few = try run.documents([Array(Self.ring[..<10])])
        let error = #expect(throws: StageError.self) {
            try run.run(Graph.self, GraphConfig(), ["documents": [few], "links": [foreign]])
        }
        #expect(error?.message.contains("\(Self.ring[39].id)") == true)
        let twice = try run.documents([Self.ring, [Self.ring[3]]])
        #expect(throws: StageError.self) {
            try run.run(Graph.self, GraphConfig(), ["documents": [twice], "links": [foreign]])
        }
    }
}
