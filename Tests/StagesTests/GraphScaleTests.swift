// The graph of a whole encyclopedia, 6 million documents and 200 million links, through `graph` and `pair-sample` in
// bounded memory. A thousandth of it unless LINKLOOM_SCALE says how much; Benchmarks/graph-scale/run.sh sets it.

import Container
import Corpus
import Foundation
import Pipeline
import Stages
import Testing

private let scale = ProcessInfo.processInfo.environment["LINKLOOM_SCALE"].flatMap(Double.init) ?? 0.001

/// Documents and links that are made as they are written, a part at a time.
private struct MadeUpWiki {
    let documents: Int
    let links: Int
    static let partDocuments = 250_000
    static let partLinks = 2_000_000
    static let segmentsOfDocument = 3

    static func id(_ number: Int) -> UInt64 { KeyedRandom.mix(0x7761, UInt64(number)) >> 1 }

    private func parts(
        _ type: String, _ total: Int, _ size: Int, _ sink: PartSink, _ blobs: any BlobStore,
        _ table: (Range<Int>) -> ColumnTable
    ) throws -> StoredArtifact {
        let parts = try stride(from: 0, to: total, by: size).map { begin in
            let range = begin..<min(begin + size, total)
            return try sink.columns("part-\(begin / size)", rows: range.count, table(range))
        }
        return StoredArtifact(
            manifest: Manifest(type: type, version: 1, metadata: .object([:]), parts: parts), blobs: blobs)
    }

    func documents(_ run: ToyRun) throws -> StoredArtifact {
        try parts("documents", documents, Self.partDocuments, PartSink(blobs: run.blobs), run.blobs) { range in
            var columns = DocumentColumns()
            for number in range {
                ToyDocument(title: "d\(number)", text: "number \(number) is \(number * 7 % 1009) by \(number % 997)")
                    .append(to: &columns)
                columns.id[columns.id.count - 1] = Self.id(number)
            }
            return columns.table
        }
    }

    /// A third of the links go to neighbours by number, a third to popular documents, a third anywhere.
    func links(_ run: ToyRun) throws -> StoredArtifact {
        try parts("links", links, Self.partLinks, PartSink(blobs: run.blobs), run.blobs) { range in
            var columns = LinkColumns()
            for link in range {
                let source = link * documents / links
                let draw = KeyedRandom.mix(0x6C, UInt64(link))
                let unit = KeyedRandom.unit(KeyedRandom.mix(draw, 1))
                let target: Int
                switch draw % 3 {
                case 0: target = (source / 64) * 64 + Int(unit * 64)
                case 1: target = Int(unit * unit * unit * Double(documents))
                default: target = Int(unit * Double(documents))
                }
                let kept = target == source || target >= documents ? (source + 1) % documents : target
                columns.append(Self.id(source), Self.id(kept), .hyperlink)
            }
            return columns.table
        }
    }

    func segments(_ run: ToyRun) throws -> StoredArtifact {
        try parts("segments", documents, Self.partDocuments, PartSink(blobs: run.blobs), run.blobs) { range in
            var columns = SegmentColumns()
            for number in range {
                for ordinal in 0..<UInt32(Self.segmentsOfDocument) {
                    columns.document.append(Self.id(number))
                    columns.ordinal.append(ordinal)
                    columns.first.append(ordinal * 250)
                    columns.end.append(ordinal * 250 + 250)
                    columns.hash.append(KeyedRandom.mix(UInt64(number), UInt64(ordinal)))
                }
            }
            return columns.table
        }
    }
}

/// What a step cost.
private struct Cost {
    let seconds: Double
    /// The largest resident size, in bytes, and what was resident before.
    let peak: Int
    let before: Int
}

/// A size in bytes from this process's status, by name.
private func resident(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
    return 1024 * (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0)
}

/// Runs a step, prints and returns what it cost.
private func measured<R>(_ name: String, _ body: () throws -> R) rethrows -> (result: R, cost: Cost) {
    // Linux: 5 resets the high-water mark.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    let before = resident("VmRSS:")
    let start = ContinuousClock.now
    let result = try body()
    let cost = Cost(
        seconds: (ContinuousClock.now - start) / .seconds(1), peak: resident("VmHWM:"), before: before)
    print("\(name): \((cost.seconds * 10).rounded() / 10) s, peak \(cost.peak >> 20) MiB, before \(before >> 20) MiB")
    return (result, cost)
}

@Suite struct GraphScaleTests {
    @Test func `an encyclopedia's links fit into memory`() throws {
        let wiki = MadeUpWiki(documents: Int(6_000_000 * scale), links: Int(200_000_000 * scale))
        let run = try ToyRun()
        let segments = wiki.documents * MadeUpWiki.segmentsOfDocument
        print("\(wiki.documents) documents, \(wiki.links) links, \(segments) segments")
        let (inputs, generating) = try measured("generate") {
            try (documents: wiki.documents(run), links: wiki.links(run), segments: wiki.segments(run))
        }
        let (graph, graphCost) = try measured("graph") {
            try run.run(Graph.self, GraphConfig(), ["documents": [inputs.documents], "links": [inputs.links]]).artifact
        }
        let edges = try #require(graph.manifest.metadata["edges"]?.int)
        let merged = try #require(graph.manifest.metadata["dropped"]?["merged"]?.int)
        let alike = try #require(graph.manifest.metadata["dropped"]?["duplicates"]?["edges"]?.int)
        #expect(edges + merged + alike == Int64(wiki.links))
        // Beside the program itself and one part of links.
        let part = 17 * min(wiki.links, MadeUpWiki.partLinks)
        let perNode = (graphCost.peak - generating.before - part - 8 * wiki.links) / wiki.documents
        print(
            "graph: \(edges) edges, 8 bytes a link and \(perNode) bytes a node, sides keep \(graph.manifest.metadata["sides"]?["links_inside_share"]?.double ?? 0)"
        )
        var config = PairSampleConfig()
        config.passes = 1
        let (pairs, pairsCost) = try measured("pair-sample, one pass") {
            try run.run(PairSample.self, config, ["segments": [inputs.segments], "graph": [graph]]).artifact
        }
        let realised = try #require(pairs.manifest.metadata["mix"]?["realised"]?["train"])
        for relation in ["contiguous", "random", "linked"] {
            #expect(abs((realised[relation]?.double ?? 0) - 1.0 / 3) < 0.01)
        }
        #expect(max(graphCost.peak, pairsCost.peak) < 12 << 30)
        // Where a part and the program itself are small beside the graph.
        if scale >= 0.5 { #expect(perNode < 60) }
    }
}
