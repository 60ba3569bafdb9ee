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
        // Ten of the ring's links join two documents of one text.
        #expect(columns.targets.count == 31)
        #expect(columns.kinds.count { $0 == LinkKind.random.bit } == 1)
        #expect(columns.kinds.count { $0 == LinkKind.random.bit | LinkKind.hyperlink.bit } == 1)
        let metadata = one.manifest.metadata
        #expect(metadata["dropped"]?["merged"]?.int == 1)
        #expect(metadata["dropped"]?["duplicates"]?["edges_by_kind"] == ["hyperlink": 10])
        #expect(metadata["edges_by_kind"] == ["hyperlink": 30, "random": 2])
        #expect(metadata["edges_of_several_kinds"]?.int == 1)
        #expect(metadata["dangling_share"]?.double == 60.0 / 102)
        #expect(metadata["duplicates"]?["equal_texts"]?.int == 10)
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
        config.excludeSuffixes = ["2"]
        config.excludePatterns = ["^d3[0-9]$"]
        let (artifact, _) = try run.run(
            Graph.self, config,
            [
                "documents": [try run.documents([Self.ring])],
                "links": [try artifact(run, [links([(7, 1), (5, 7), (5, 3), (33, 32), (38, 5)], .hyperlink)])],
            ])
        #expect(try graph(artifact).node.count == 40)
        #expect(try graph(artifact).targets.count == 1)
        let rules = try #require(artifact.manifest.metadata["dropped"]?["excluded_titles"]?.array)
        #expect(rules.map { $0["edges"]?.int } == [2, 0, 2], "33 → 32 goes by the rule of its source")
        #expect(rules.map { $0["documents"]?.int } == [1, 4, 9], "d32 is the suffix's")
        #expect(rules[0]["samples"] == ["List of d"] && rules[2]["value"]?.string == "^d3[0-9]$")
        config.excludePatterns = ["("]
        #expect(config.problems().map(\.key) == ["exclude_title_patterns"])
    }

    @Test func `near duplicates share a side, are not linked, and stand in the report`() throws {
        let run = try ToyRun()
        var random = SplitMix64(seed: 5)
        func words(_ count: Int) -> [String] {
            (0..<count).map { _ in "w\(UInt64.random(in: 0..<5000, using: &random))" }
        }
        let original = words(200)
        var reprint = original
        reprint[100] = "corrected"
        let other = Array(original[..<100]) + words(100)
        var pages = [("original", original), ("reprint", reprint), ("other", other)]
        for i in 0..<30 { pages.append(("page \(i)", words(60))) }
        let documents = pages.map { title, words in
            ToyDocument(title: title, text: words.joined(separator: title == "reprint" ? "\n" : " "))
        }
        var edges = LinkColumns()
        edges.append(documents[0].id, documents[1].id, .hyperlink)
        edges.append(documents[0].id, documents[2].id, .hyperlink)
        let inputs = ["documents": [try run.documents([documents])], "links": [try artifact(run, [edges])]]
        var config = GraphConfig()
        for by in [SidesConfig.By.text, .group] {
            config.sides = SidesConfig()
            config.sides.by = by
            (config.sides.test, config.sides.validation) = (0.4, 0.2)
            let made = try run.run(Graph.self, config, inputs).artifact
            let columns = try graph(made)
            let at = documents[..<3].map { columns.index(of: $0.id)! }
            #expect(columns.leader[at[0]] == columns.leader[at[1]])
            #expect(columns.leader[at[2]] == UInt32(at[2]), "half of the text is no near duplicate")
            #expect(columns.side[at[0]] == columns.side[at[1]])
            #expect(columns.targets == [UInt32(at[2])])
            let duplicates = try #require(made.manifest.metadata["duplicates"])
            #expect(duplicates["near_duplicates"]?.int == 1 && duplicates["equal_texts"]?.int == 0)
            // A changed word changes five shingles of 196: 191 shared of 201.
            let sample = try #require(duplicates["samples"]?.array?.first)
            #expect(sample["resemblance"]?.double == (191.0 / 201 * 1e6).rounded() / 1e6)
            #expect(Set(sample["titles"]?.array?.compactMap(\.string) ?? []) == ["original", "reprint"])
        }
        config.nearDuplicates = nil
        #expect(try graph(run.run(Graph.self, config, inputs).artifact).targets.count == 2)
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
