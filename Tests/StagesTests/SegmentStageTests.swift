// Stage `segment`: a part of segments for each part of tokens, and the counts of all.

import Container
import Corpus
import Pipeline
import Stages
import Testing

@Suite struct SegmentStageTests {
    private func tokens(_ documents: [(id: UInt64, sentences: [Int])]) -> TokenColumns {
        var columns = TokenColumns()
        for document in documents {
            columns.document.append(document.id)
            for length in document.sentences {
                for _ in 0..<length {
                    let at = UInt32(columns.ids.count)
                    columns.ids.append(at % 7)
                    columns.begin.append(2 * at)
                    columns.end.append(2 * at + 1)
                }
                columns.block.append(0)
                columns.sentenceOffsets.append(Int64(columns.ids.count))
            }
            columns.documentOffsets.append(Int64(columns.block.count))
            columns.titleOffsets.append(0)
        }
        return columns
    }

    @Test func `each part of tokens gives a part of segments`() throws {
        let run = try ToyRun()
        let parts = [tokens([(1, [50, 50, 50]), (2, [])]), tokens([(3, [10]), (4, [300])])]
        let artifact = try run.artifact("tokens", parts.map { ($0.count, $0.table(narrow: true)) })
        let (made, results) = try run.run(Segment.self, SegmentConfig(), ["tokens": [artifact]], backwards: true)
        #expect(made.manifest.parts.map(\.name) == ["part-0", "part-1"])
        let first = try SegmentColumns(reading: made.columns(0))
        #expect(first.document == [1, 1])
        #expect(first.end == [50, 150])
        let second = try SegmentColumns(reading: made.columns(1))
        #expect(second.document == [3, 4, 4])
        #expect(second.end == [10, 150, 300])
        let metadata = made.manifest.metadata
        #expect(metadata["documents"]?.int == 4)
        #expect(metadata["segments"]?.int == 5)
        #expect(metadata["empty_documents"]?.int == 1)
        #expect(metadata["short_documents"]?.int == 1)
        #expect(metadata["hard_cut_share"]?.double == 0.2)
        #expect(metadata["length"]?["p50"]?.int == 100)
        #expect(metadata["length"]?["max"]?.int == 150)
        #expect(results.reduce(0) { $0 + ($1.counts["segments"] ?? 0) } == 5)
    }
}
