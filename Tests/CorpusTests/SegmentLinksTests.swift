// Which segment a byte range lies in, and which links a segment holds: against a walk over all tokens and segments.

import Container
import Corpus
import Foundation
import Testing

/// Documents with tokens at given byte ranges and segments at given token ranges, stored in parts.
private final class SpannedTexts {
    struct Text {
        var id: UInt64
        var tokens: [Range<UInt32>]
        var segments: [Range<UInt32>]
        var title: [UInt32] = []

        /// The segment of the first token that reaches into the bytes.
        func segment(at bytes: Range<UInt32>) -> UInt32? {
            guard let token = tokens.firstIndex(where: { $0.upperBound > bytes.lowerBound }),
                tokens[token].lowerBound < bytes.upperBound
            else { return nil }
            return segments.firstIndex { $0.contains(UInt32(token)) }.map(UInt32.init)
        }
    }

    let texts: [Text]
    private let folder = NSTemporaryDirectory() + "linkloom-tests-" + UUID().uuidString
    private let blobs: BlobDirectory

    init(_ texts: [Text]) {
        self.texts = texts
        blobs = BlobDirectory(root: folder)
    }

    deinit { try? Files.remove(folder) }

    /// Three segments of two tokens of four bytes, a space behind each; ids as many as documents times 100.
    static func even(_ ids: [UInt64]) -> SpannedTexts {
        SpannedTexts(
            ids.map { id in
                Text(
                    id: id, tokens: (0..<6).map { 5 * $0..<5 * $0 + 4 }, segments: [0..<2, 2..<4, 4..<6],
                    title: [UInt32(id), 7])
            })
    }

    /// - Parameter parts: documents of each part of the tokens; of the segments the same, last part first.
    func lookup(parts: [Range<Int>]) throws -> SegmentLookup {
        let tokens = try artifact("tokens", parts.map(tokens))
        let segments = try artifact("segments", parts.reversed().map(segments))
        return try SegmentLookup(tokens: tokens, segments: segments)
    }

    private func artifact(_ type: String, _ tables: [(rows: Int, table: ColumnTable)]) throws -> StoredArtifact {
        let sink = PartSink(blobs: blobs)
        let parts = try tables.enumerated().map { try sink.columns("part-\($0)", rows: $1.rows, $1.table) }
        return StoredArtifact(
            manifest: Manifest(type: type, version: 1, metadata: .object([:]), parts: parts), blobs: blobs)
    }

    private func tokens(_ documents: Range<Int>) -> (rows: Int, table: ColumnTable) {
        var columns = TokenColumns()
        for text in texts[documents] {
            columns.document.append(text.id)
            for (place, token) in text.tokens.enumerated() {
                columns.ids.append(UInt32(truncatingIfNeeded: text.id * 100) + UInt32(place))
                columns.begin.append(token.lowerBound)
                columns.end.append(token.upperBound)
            }
            if !text.tokens.isEmpty {
                columns.block.append(0)
                columns.sentenceOffsets.append(Int64(columns.ids.count))
            }
            columns.documentOffsets.append(Int64(columns.block.count))
            columns.titleIDs += text.title
            columns.titleOffsets.append(Int64(columns.titleIDs.count))
        }
        return (columns.count, columns.table(narrow: false))
    }

    private func segments(_ documents: Range<Int>) -> (rows: Int, table: ColumnTable) {
        var columns = SegmentColumns()
        for text in texts[documents] {
            for (ordinal, segment) in text.segments.enumerated() {
                columns.document.append(text.id)
                columns.ordinal.append(UInt32(ordinal))
                columns.first.append(segment.lowerBound)
                columns.end.append(segment.upperBound)
                columns.hash.append(0)
            }
        }
        return (columns.count, columns.table)
    }

    /// A graph over the documents with these edges, by place.
    func graph(_ edges: [(Int, Int)]) -> GraphColumns {
        var graph = GraphColumns()
        graph.node = texts.map(\.id)
        for source in texts.indices {
            graph.targets += Set(edges.filter { $0.0 == source }.map { UInt32($0.1) }).sorted()
            graph.offsets.append(Int64(graph.targets.count))
        }
        return graph
    }

    static func random(seed: UInt64) -> SpannedTexts {
        var random = SplitMix64(seed: seed)
        return SpannedTexts(
            (1...20).map { id in
                var at: UInt32 = 0
                let tokens = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                    let begin = at + UInt32.random(in: 0...2, using: &random)
                    at = begin + UInt32.random(in: 1...4, using: &random)
                    return begin..<at
                }
                var segments: [Range<UInt32>] = []
                var first: UInt32 = 0
                while first < tokens.count {
                    let end = min(UInt32(tokens.count), first + UInt32.random(in: 1...8, using: &random))
                    segments.append(first..<end)
                    first = end
                }
                return Text(id: UInt64(id * 10), tokens: tokens, segments: segments)
            })
    }
}

extension LinkColumns {
    fileprivate mutating func append(_ source: UInt64, _ target: UInt64, _ bytes: Range<UInt32>?) {
        self.source.append(source)
        self.target.append(target)
        begin.append(bytes?.lowerBound ?? LinkColumns.wholeDocument)
        end.append(bytes?.upperBound ?? LinkColumns.wholeDocument)
        kind.append(LinkKind.hyperlink.rawValue)
    }
}

@Suite struct SegmentLinksTests {
    private func links(
        _ texts: SpannedTexts, _ graph: GraphColumns, _ rows: [(UInt64, UInt64, Range<UInt32>?)]
    ) throws -> SegmentLinks {
        var links = LinkColumns()
        for row in rows { links.append(row.0, row.1, row.2) }
        let lookup = try texts.lookup(parts: [0..<texts.texts.count])
        return try SegmentLinks(graph: graph, lookup: lookup) { try $0(links) }
    }

    @Test func `a target that a segment names twice counts once, and in each segment that names it`() throws {
        let texts = SpannedTexts.even([10, 20, 30])
        let made = try links(
            texts, texts.graph([(0, 1), (0, 2), (1, 0)]),
            [(10, 30, 0..<4), (10, 20, 5..<9), (10, 20, 0..<4), (10, 20, 0..<4), (10, 20, 20..<24), (20, 10, 10..<14)])
        #expect(made.targets(0, 0) == [1, 2])
        #expect(made.targets(0, 1) == [])
        #expect(made.targets(0, 2) == [1])
        #expect(made.targets(1, 1) == [0])
        #expect(made.targets(2, 0) == [])
        #expect(made.placed == 6 && made.unplaced == 0 && made.withoutSpan == 0)
    }

    @Test func `a span lies where its first token is`() throws {
        let texts = SpannedTexts.even([10, 20])
        let graph = texts.graph([(0, 1)])
        func ordinals(_ bytes: Range<UInt32>) throws -> [Int] {
            let made = try links(texts, graph, [(10, 20, bytes)])
            return (0..<3).filter { made.targets(0, $0) == [1] }
        }
        #expect(try ordinals(0..<1) == [0])
        #expect(try ordinals(8..<29) == [0], "from the last byte of the second token to the end of the text")
        #expect(try ordinals(9..<11) == [1], "the space before the third token, and its first byte")
        #expect(try ordinals(9..<10) == [], "only the space")
        #expect(try ordinals(28..<29) == [2])
        #expect(try ordinals(29..<40) == [])
        #expect(try ordinals(3..<3) == [0], "an empty span inside a token")
        #expect(try ordinals(4..<4) == [])
    }

    @Test func `links without a place are counted by what they lack`() throws {
        var texts = SpannedTexts.even([10, 20]).texts
        texts.append(SpannedTexts.Text(id: 30, tokens: [], segments: []))
        let made = try links(
            SpannedTexts(texts), SpannedTexts(texts).graph([(0, 1), (2, 0)]),
            [
                (10, 20, nil), (10, 20, 100..<104), (30, 10, 0..<4), (40, 10, 0..<4), (40, 10, nil), (10, 40, 0..<4),
                (10, 20, 0..<4),
            ])
        // 40 is no document of the graph: as a source it is passed over, as a target it is placed and dropped.
        #expect(made.withoutSpan == 1 && made.unplaced == 2 && made.placed == 2)
        #expect(made.targets(0, 0) == [1])
        #expect(made.targets(2, 0) == [])
    }

    @Test func `only edges of the graph are kept`() throws {
        let texts = SpannedTexts.even([10, 20, 30])
        let rows: [(UInt64, UInt64, Range<UInt32>?)] = [(10, 20, 0..<4), (10, 30, 0..<4), (20, 10, 0..<4)]
        let made = try links(texts, texts.graph([(0, 2)]), rows)
        #expect(made.targets(0, 0) == [2])
        #expect(made.targets(1, 0) == [], "the graph has no edge from 20")
        #expect(made.placed == 3)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `any parts and any order give what a walk over all links gives`(seed: UInt64) throws {
        let texts = SpannedTexts.random(seed: seed)
        var random = SplitMix64(seed: seed + 100)
        let count = texts.texts.count
        var edges: [(Int, Int)] = []
        var rows: [(source: Int, target: Int, bytes: Range<UInt32>?)] = []
        for _ in 0..<300 {
            let (from, to) = (Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random))
            let begin = UInt32.random(in: 0...90, using: &random)
            let length = UInt32.random(in: 1...12, using: &random)
            rows.append((from, to, Int.random(in: 0..<10, using: &random) == 0 ? nil : begin..<begin + length))
            if Bool.random(using: &random) { edges.append((from, to)) }
        }
        let graph = texts.graph(edges)
        var expected: [[UInt32]: Set<UInt32>] = [:]
        var (placed, unplaced) = (0, 0)
        for row in rows {
            guard let bytes = row.bytes else { continue }
            guard let segment = texts.texts[row.source].segment(at: bytes) else {
                unplaced += 1
                continue
            }
            placed += 1
            if graph.outLinks(row.source).contains(UInt32(row.target)) {
                expected[[UInt32(row.source), segment], default: []].insert(UInt32(row.target))
            }
        }
        for parts in [[0..<count], [0..<7, 7..<8, 8..<count]] {
            let lookup = try texts.lookup(parts: parts)
            rows.shuffle(using: &random)
            let made = try SegmentLinks(graph: graph, lookup: lookup) { visit in
                for half in [rows[..<120], rows[120...]] {
                    var links = LinkColumns()
                    for row in half { links.append(texts.texts[row.source].id, texts.texts[row.target].id, row.bytes) }
                    try visit(links)
                }
            }
            #expect(made.placed == placed && made.unplaced == unplaced && placed > 30 && unplaced > 30)
            #expect(made.withoutSpan == rows.count { $0.bytes == nil })
            var found: [[UInt32]: Set<UInt32>] = [:]
            for (node, text) in texts.texts.enumerated() {
                for ordinal in text.segments.indices {
                    let targets = made.targets(node, ordinal)
                    #expect(targets == Set(targets).sorted(), "ascending and distinct")
                    if !targets.isEmpty { found[[UInt32(node), UInt32(ordinal)]] = Set(targets) }
                }
            }
            #expect(found == expected, "seed \(seed)")
        }
    }
}

@Suite struct SegmentLookupTests {
    @Test func `tokens and titles are found whatever part they are in`() throws {
        let texts = SpannedTexts.even([1, 2, 3, 4])
        for parts in [[0..<4], [0..<1, 1..<4]] {
            let lookup = try texts.lookup(parts: parts)
            #expect(lookup.documentCount == 4)
            var ids: [UInt32] = [99]
            for id in [1, 2, 3, 4] as [UInt64] {
                #expect(lookup.segmentCount(id) == 3)
                for segment in 0..<3 as Range<UInt32> {
                    try lookup.tokens(id, segment, into: &ids)
                    let first = UInt32(id) * 100 + 2 * segment
                    #expect(ids == [first, first + 1])
                }
                lookup.title(id, into: &ids)
                #expect(ids == [UInt32(id), 7])
            }
            lookup.title(5, into: &ids)
            #expect(ids.isEmpty && lookup.segmentCount(5) == 0 && lookup.segment(at: 0, 4, of: 5) == nil)
        }
    }

    @Test func `a segment that is not there is an error, and so is a document that stands twice`() throws {
        let lookup = try SpannedTexts.even([1, 2]).lookup(parts: [0..<2])
        var ids: [UInt32] = []
        for (document, segment) in [(1, 3), (5, 0)] as [(UInt64, UInt32)] {
            let error = #expect(throws: ContainerError.self) { try lookup.tokens(document, segment, into: &ids) }
            #expect(error?.message.hasPrefix("segment \(segment) of document \(document) is not in") == true)
        }
        let twice = #expect(throws: ContainerError.self) {
            try SpannedTexts.even([1, 2, 1]).lookup(parts: [0..<2, 2..<3])
        }
        #expect(twice?.message == "document 1 stands twice in the tokens given")
    }

    @Test func `a segment that reaches past its document is refused`() throws {
        let text = SpannedTexts.Text(id: 1, tokens: [0..<4, 5..<9], segments: [0..<1, 1..<3])
        let lookup = try SpannedTexts([text]).lookup(parts: [0..<1])
        var ids: [UInt32] = []
        try lookup.tokens(1, 0, into: &ids)
        #expect(ids == [100])
        #expect(throws: ContainerError.self) { try lookup.tokens(1, 1, into: &ids) }
    }
}
