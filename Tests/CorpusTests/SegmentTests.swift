// Segments: they tile the document, stay in the budget, are balanced, and end where sentences and blocks end.

import Container
import Corpus
import Foundation
import Testing

/// A document given as blocks of sentence lengths. Every `gap`th token begins after a space.
private func tokens(_ documents: [[[Int]]], gap: Int = 1) -> TokenColumns {
    var columns = TokenColumns()
    for (document, blocks) in documents.enumerated() {
        columns.document.append(UInt64(100 + document))
        var at: UInt32 = 0
        for (block, sentences) in blocks.enumerated() {
            for length in sentences {
                for i in 0..<length {
                    if i % gap == 0 { at += 1 }
                    columns.ids.append(UInt32(columns.ids.count % 1000))
                    columns.begin.append(at)
                    at += 1
                    columns.end.append(at)
                }
                columns.sentenceOffsets.append(Int64(columns.ids.count))
                columns.block.append(UInt32(block))
            }
        }
        columns.documentOffsets.append(Int64(columns.sentenceOffsets.count - 1))
        columns.titleOffsets.append(0)
    }
    return columns
}

/// The columns as a part of an artifact is read: from a file.
private func view(_ table: ColumnTable) throws -> TokenView {
    let path = NSTemporaryDirectory() + "linkloom-tests-" + UUID().uuidString
    var bytes = Data()
    try table.write { bytes.append(contentsOf: $0) }
    try bytes.write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    let part = Part(name: "tokens", digest: Digest.of([]), bytes: Int64(bytes.count), rows: 0)
    return try TokenView(MappedPart(part, MappedFile(path: path)))
}

private func segment(
    _ columns: TokenColumns, maxSeqLength: Int, minTokens: Int = 64, narrow: Bool = true
) throws -> (segments: SegmentColumns, counts: SegmentCounts) {
    let tokens = try view(columns.table(narrow: narrow))
    var segmenter = Segmenter(SegmentRule(maxSeqLength: maxSeqLength, minTokens: minTokens))
    var segments = SegmentColumns()
    for row in 0..<tokens.count { segmenter.append(row, of: tokens, to: &segments) }
    return (segments, segmenter.counts)
}

private func lengths(_ segments: SegmentColumns) -> [Int] { zip(segments.first, segments.end).map { Int($1 - $0) } }

@Suite struct SegmentTests {
    private static func randomDocuments(seed: UInt64) -> [[[Int]]] {
        var generator = SplitMix64(seed: seed)
        return (0..<12).map { _ in
            (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                    Int.random(in: 0..<20, using: &generator) == 0
                        ? Int.random(in: 0...700, using: &generator) : Int.random(in: 1...45, using: &generator)
                }
            }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `segments tile every document within the budget`(seed: UInt64) throws {
        let columns = tokens(Self.randomDocuments(seed: seed), gap: 3)
        for maxSeqLength in [16, 17, 128, 512] {
            let (segments, counts) = try segment(columns, maxSeqLength: maxSeqLength, narrow: seed % 2 == 0)
            let budget = (maxSeqLength - 3) / 2
            #expect(lengths(segments).allSatisfy { $0 > 0 && $0 <= budget })
            var row = 0
            for document in 0..<columns.count {
                let range = columns.tokens(document)
                var at: UInt32 = 0
                var ordinal: UInt32 = 0
                while row < segments.count, segments.document[row] == columns.document[document] {
                    #expect(segments.first[row] == at)
                    #expect(segments.ordinal[row] == ordinal)
                    at = segments.end[row]
                    let ids = columns.ids[range.lowerBound + Int(segments.first[row])..<range.lowerBound + Int(at)]
                    let length = KeyedRandom.mix(0x5E67, UInt64(ids.count))
                    let hash = ids.reduce(length) { KeyedRandom.mix($0, UInt64($1)) }
                    #expect(segments.hash[row] == hash)
                    ordinal += 1
                    row += 1
                }
                #expect(Int(at) == range.count)
                #expect(range.count < 128 || ordinal >= 2)
                #expect(range.count >= 64 || range.count > budget || ordinal == (range.isEmpty ? 0 : 1))
            }
            #expect(row == segments.count)
            #expect(counts.segments == segments.count)
            #expect(counts.lengths.reduce(0, +) == segments.count)
            #expect(counts.tokens == columns.ids.count)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `segments are balanced to about a sentence`(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let sentences = (0..<Int.random(in: 10...60, using: &generator)).map { _ in
            Int.random(in: 10...30, using: &generator)
        }
        let total = sentences.reduce(0, +)
        let (segments, counts) = try segment(tokens([[sentences]]), maxSeqLength: 512)
        let all = lengths(segments)
        let least = max(2, (total + 253) / 254)
        #expect(all.count >= least && all.count <= least + 1)
        #expect(counts.hardCuts == 0)
        #expect(all.max()! - all.min()! <= 4 * 30, "\(all)")
    }

    @Test func `no segment ends inside a sentence unless it must`() throws {
        let (segments, counts) = try segment(tokens([[[100, 100, 100, 100], [300], [20]]]), maxSeqLength: 512)
        #expect(counts.hardCuts == 1)
        let sentenceEnds: Set<UInt32> = [100, 200, 300, 400, 700, 720]
        #expect(segments.end.count { !sentenceEnds.contains($0) } == 1)
    }

    @Test func `a block end wins over a sentence end nearby`() throws {
        let (apart, _) = try segment(tokens([[[20, 20, 20, 20, 12], [20, 20, 20, 20]]]), maxSeqLength: 300)
        #expect(apart.end == [92, 172], "6 tokens off the middle, but a block end")
        let (joined, _) = try segment(tokens([[[20, 20, 20, 20, 12, 20, 20, 20, 20]]]), maxSeqLength: 300)
        #expect(joined.end == [80, 172], "of equal sentence ends the earlier")
        let (far, _) = try segment(tokens([[[20, 20, 20, 20, 20, 20], [20, 20, 12]]]), maxSeqLength: 300)
        #expect(far.end == [80, 172], "a block end far off does not unbalance the segments")
    }

    @Test func `a heading stays with the text after it`() throws {
        let documents = [[[60, 60], [4], [60, 60]], [[60, 60], [60], [4], [60]]]
        for (document, blocks) in documents.enumerated() {
            let columns = tokens([blocks])
            let (segments, _) = try segment(columns, maxSeqLength: 300)
            let headingEnd: UInt32 = document == 0 ? 124 : 184
            #expect(!segments.end.contains(headingEnd))
            #expect(segments.count == 2)
        }
    }

    @Test func `a long sentence is cut into equal parts, each at a gap`() throws {
        let columns = tokens([[[600]]], gap: 7)
        let (segments, counts) = try segment(columns, maxSeqLength: 512)
        #expect(segments.end == [196, 392, 600], "three parts fit the budget of 254; words begin at multiples of 7")
        #expect(counts.hardCuts == 2)
        let (unbroken, _) = try segment(tokens([[[600]]], gap: 1000), maxSeqLength: 512)
        #expect(unbroken.end == [200, 400, 600])
    }

    @Test func `a document of one long sentence still gives two segments`() throws {
        let (segments, counts) = try segment(tokens([[[128]], [[127]]]), maxSeqLength: 512)
        #expect(segments.end == [64, 128, 127])
        #expect(segments.ordinal == [0, 1, 0])
        #expect(counts.hardCuts == 1)
    }

    @Test func `short and empty documents are counted`() throws {
        let (segments, counts) = try segment(tokens([[[10, 20]], [], [[0]], [[64]]]), maxSeqLength: 512)
        #expect(segments.document == [100, 103])
        #expect(counts.short == 1)
        #expect(counts.empty == 2)
        #expect(counts.documents == 4)
        #expect([0, 0.5, 1].map(counts.quantile) == [30, 30, 64])
    }

    @Test func `what one document gives does not depend on its neighbours`() throws {
        let documents = Self.randomDocuments(seed: 99)
        let (together, _) = try segment(tokens(documents, gap: 2), maxSeqLength: 128)
        var ends: [UInt32] = []
        for document in documents { ends += try segment(tokens([document], gap: 2), maxSeqLength: 128).segments.end }
        #expect(ends == together.end)
    }
}
