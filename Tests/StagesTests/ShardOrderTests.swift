// The order of training rows: by keys that are never all in memory, over parts that are mapped.

import Container
import Corpus
import Stages
import Testing

@Suite struct ShardOrderTests {
    /// Pairs with ascending documents and a few segments each, every fourth of another side.
    private func pairs(_ count: Int, firstDocument: UInt64) -> PairColumns {
        var pairs = PairColumns()
        for i in 0..<count {
            pairs.aDocument.append(firstDocument + UInt64(i / 3))
            pairs.bDocument.append(7)
            pairs.aSegment.append(UInt32(i % 3))
            pairs.bSegment.append(UInt32(i))
            pairs.relation.append(UInt8(i % 3))
            pairs.pass.append(5)
            pairs.side.append(i % 4 == 3 ? Side.validation.rawValue : Side.train.rawValue)
        }
        return pairs
    }

    /// More rows than are ordered at once, so that several ranges of keys follow each other.
    @Test func `rows come by the key of seed, pass and anchor, each once`() throws {
        let run = try ToyRun()
        let parts = [
            pairs(300_000, firstDocument: 1), pairs(0, firstDocument: 1), pairs(70_000, firstDocument: 900_000),
        ]
        let artifact = try run.artifact("pairs", parts.map { ($0.count, $0.table) })
        let pass = try PassPairs(artifact, parts: artifact.manifest.parts)
        #expect(pass.count == 370_000)
        var all = PairColumns()
        for part in parts { all.append(part) }
        for side in [Side.train, .validation, .test] {
            let rows = (0..<all.count).filter { all.side[$0] == side.rawValue }
            let keys = rows.map { row in
                KeyedRandom.mix(KeyedRandom.key(3, 0x0DE2, 5, all.aDocument[row]), UInt64(all.aSegment[row]))
            }
            let expected = rows.indices.sorted { keys[$0] < keys[$1] }.map { rows[$0] }
            var found: [SegmentPair] = []
            try pass.forEach(of: side, seed: 3) { found.append($0) }
            #expect(found.count == rows.count)
            #expect(
                zip(found, expected).allSatisfy { pair, row in
                    pair
                        == SegmentPair(
                            aDocument: all.aDocument[row], bDocument: all.bDocument[row], aSegment: all.aSegment[row],
                            bSegment: all.bSegment[row], relation: all.relation[row], pass: all.pass[row])
                }, "\(side)")
        }
    }
}
