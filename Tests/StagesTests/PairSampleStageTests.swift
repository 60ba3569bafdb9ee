// Stage `pair-sample`: hard negatives, near duplicates, and errors that name the bucket.

import Container
import Corpus
import Pipeline
import Stages
import Testing

@Suite struct PairSampleStageTests {
    private static let pages = (0..<60).map { ToyDocument(title: "d\($0)", text: "text \($0)") }

    private func links(_ pairs: [(Int, Int)], _ kind: LinkKind, _ run: ToyRun) throws -> StoredArtifact {
        var links = LinkColumns()
        for (from, to) in pairs { links.append(Self.pages[from].id, Self.pages[to % 60].id, kind) }
        return try run.artifact("links", [(links.count, links.table)])
    }

    private func graph(_ pairs: [(Int, Int)], _ run: ToyRun, sides: SidesConfig.By = .none) throws -> StoredArtifact {
        var config = GraphConfig()
        config.sides.by = sides
        return try run.run(
            Graph.self, config,
            ["documents": [try run.documents([Self.pages])], "links": [try links(pairs, .hyperlink, run)]]
        ).artifact
    }

    private func segments(_ run: ToyRun) throws -> StoredArtifact {
        var columns = SegmentColumns()
        for page in Self.pages {
            for ordinal in 0..<4 as Range<UInt32> {
                columns.document.append(page.id)
                columns.ordinal.append(ordinal)
                columns.first.append(ordinal * 10)
                columns.end.append(ordinal * 10 + 10)
                columns.hash.append(KeyedRandom.mix(page.id, UInt64(ordinal)))
            }
        }
        return try run.artifact("segments", [(columns.count, columns.table)])
    }

    /// A ring in which each document links to the next two: two links lead to the third and fourth as well.
    private static let ring = (0..<60).flatMap { [($0, $0 + 1), ($0, $0 + 2)] }

    private func distances(_ pairs: StoredArtifact) throws -> [Int: Int] {
        var counts: [Int: Int] = [:]
        let place = Dictionary(uniqueKeysWithValues: Self.pages.enumerated().map { ($1.id, $0) })
        for part in pairs.manifest.parts {
            let columns = try PairColumns(reading: try pairs.columns(part))
            for i in 0..<columns.count where columns.relation[i] == Relation.random.rawValue {
                let (a, b) = (place[columns.aDocument[i]]!, place[columns.bDocument[i]]!)
                counts[(b - a + 60) % 60, default: 0] += 1
            }
        }
        return counts
    }

    @Test func `the asked share of random pairs is two links away, and never linked`() throws {
        let run = try ToyRun()
        let inputs = ["segments": [try segments(run)], "graph": [try graph(Self.ring, run)]]
        var config = PairSampleConfig()
        config.passes = 30
        let plain = try distances(run.run(PairSample.self, config, inputs).artifact)
        config.negatives.hard = 0.4
        let made = try run.run(PairSample.self, config, inputs).artifact
        let hard = try distances(made)
        let total = hard.values.reduce(0, +)
        #expect(total == plain.values.reduce(0, +))
        for linked in [1, 2, 58, 59] { #expect(hard[linked] == nil) }
        // Uniform draws hit 3 or 4 once in 27 or so.
        let near = Double(hard[3]! + hard[4]!) / Double(total)
        #expect(abs(near - (0.4 + 0.6 * 2 / 55)) < 0.04)
        let counted = made.manifest.metadata["sampling"]?["hard_negatives"]?["train"]?.int ?? 0
        #expect(abs(Double(counted) / Double(total) - 0.4) < 0.04)
        let backwards = try run.run(PairSample.self, config, inputs, backwards: true).artifact
        #expect(backwards.manifest == made.manifest)
    }

    @Test func `lexical neighbours need their port, and those that are linked are left out`() throws {
        let run = try ToyRun()
        var inputs = ["segments": [try segments(run)], "graph": [try graph(Self.ring, run)]]
        var config = PairSampleConfig()
        config.passes = 3
        config.negatives.hard = 1
        config.negatives.from = .lexical
        let missing = #expect(throws: StageError.self) { try run.run(PairSample.self, config, inputs) }
        #expect(missing?.message.contains("'neighbours'") == true)
        // Even documents are like the next (linked) and the tenth from them; odd ones like none.
        let near = stride(from: 0, to: 60, by: 2).flatMap { [($0, $0 + 1), ($0, $0 + 10)] }
        inputs["neighbours"] = [try links(near, .lexical, run)]
        let made = try run.run(PairSample.self, config, inputs).artifact
        let hard = made.manifest.metadata["sampling"]?["hard_negatives"]?["train"]?.int ?? 0
        let without = made.manifest.metadata["sampling"]?["without_hard_negative"]?["train"]?.int ?? 0
        let found = try distances(made)
        #expect(hard > 50 && without > 50 && Int(hard + without) == found.values.reduce(0, +))
        #expect(found[10]! >= Int(hard) && found[1] == nil)
        #expect(!PairSample.uses("neighbours", PairSampleConfig()) && PairSample.uses("neighbours", config))
    }

    @Test func `an error names the bucket where there are several`() throws {
        let run = try ToyRun()
        let inputs = ["segments": [try segments(run)], "graph": [try graph([(0, 1)], run)]]
        var config = PairSampleConfig()
        config.passes = 1
        config.randomBuckets = 4
        let error = try #require(throws: StageError.self) { try run.run(PairSample.self, config, inputs) }
        #expect(error.message.contains(" in bucket ") && error.message.contains(" of 4"))
        #expect(error.fix?.contains("lower `random_buckets`") == true)
    }

    @Test func `a random draw refuses a near duplicate as it refuses an equal text`() {
        var segments = SegmentColumns()
        for node in [10, 20, 30] as [UInt64] {
            segments.document.append(node)
            segments.ordinal.append(0)
            segments.first.append(0)
            segments.end.append(9)
            segments.hash.append(node)
        }
        var documents = SamplingIndex.Documents(nodes: [10, 20, 30], segments: [segments])
        #expect(Set(documents.textHash).count == 3)
        documents.join([0, 1, 0], of: [10, 20, 30])
        #expect(documents.textHash[0] == documents.textHash[2] && documents.textHash[0] != documents.textHash[1])
    }
}
