// Stage `pair-sample` with `link_scope: segment`: B is linked from an anchor inside A, and from nowhere else in A's document.

import Container
import Corpus
import Pipeline
import Stages
import Testing

/// Documents of three segments of ten tokens; the token at place i is bytes 6i to 6i + 5. Each segment holds one link.
private struct SpannedCorpus {
    static let count = 24, segments = 3, tokensPerSegment = 10
    static let pages = (0..<count).map { ToyDocument(title: "d\($0)", text: "text \($0)") }

    let run: ToyRun
    var links = LinkColumns()

    /// - Parameter target: of the link in a segment of a document.
    init(_ run: ToyRun, spans: Bool = true, target: (_ document: Int, _ segment: Int) -> Int = Self.target) {
        self.run = run
        for (number, page) in Self.pages.enumerated() {
            for segment in 0..<Self.segments {
                // Over all tokens of a segment, the last one with an end in the next segment.
                let token = UInt32(segment * Self.tokensPerSegment + number % Self.tokensPerSegment)
                links.source.append(page.id)
                links.target.append(Self.pages[target(number, segment)].id)
                links.begin.append(spans ? 6 * token + 2 : LinkColumns.wholeDocument)
                links.end.append(spans ? 6 * token + 8 : LinkColumns.wholeDocument)
                links.kind.append(LinkKind.hyperlink.rawValue)
            }
        }
    }

    static func target(_ document: Int, _ segment: Int) -> Int { (document + 1 + 7 * segment) % count }

    /// What the links of a segment point to, by their spans.
    func targets(_ document: UInt64, _ segment: UInt32) -> [UInt64] {
        let bytes = 60 * segment..<60 * segment + 60
        return (0..<links.count).filter { links.source[$0] == document && bytes.contains(links.begin[$0]) }
            .map { links.target[$0] }
    }

    func graph(_ change: (inout GraphConfig) -> Void = { _ in }) throws -> StoredArtifact {
        var config = GraphConfig()
        config.sides.by = .none
        change(&config)
        let inputs = ["documents": [try run.documents([Self.pages])], "links": [try artifact(links)]]
        return try run.run(Graph.self, config, inputs).artifact
    }

    private func artifact(_ links: LinkColumns) throws -> StoredArtifact {
        try run.artifact("links", [(links.count, links.table)])
    }

    /// The ports without `graph`, each artifact in so many parts; the links also in so many artifacts, last rows first.
    func inputs(parts: Int = 1) throws -> [String: [StoredArtifact]] {
        let special: JSON = ["pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4]
        let tokens = try run.artifact(
            "tokens",
            Self.cut(Self.count, parts).map { range in
                let columns = Self.tokens(range)
                return (columns.count, columns.table(narrow: true))
            }, metadata: ["vocabulary_size": 200, "special_tokens": special])
        let segments = try run.artifact(
            "segments",
            Self.cut(Self.count, parts == 1 ? 1 : parts + 1).map { range in
                let columns = Self.segments(range)
                return (columns.count, columns.table)
            })
        let lists = try Self.cut(links.count, parts).reversed().map { range in
            var some = LinkColumns()
            some.source = Array(links.source[range])
            some.target = Array(links.target[range])
            some.begin = Array(links.begin[range])
            some.end = Array(links.end[range])
            some.kind = Array(links.kind[range])
            return try artifact(some)
        }
        return ["tokens": [tokens], "segments": [segments], "links": lists]
    }

    private static func cut(_ count: Int, _ parts: Int) -> [Range<Int>] {
        (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
    }

    private static func tokens(_ documents: Range<Int>) -> TokenColumns {
        var columns = TokenColumns()
        for number in documents {
            columns.document.append(pages[number].id)
            for segment in 0..<segments {
                for place in segment * tokensPerSegment..<(segment + 1) * tokensPerSegment {
                    columns.ids.append(UInt32(5 + (number * 31 + place) % 190))
                    columns.begin.append(UInt32(6 * place))
                    columns.end.append(UInt32(6 * place + 5))
                }
                columns.block.append(0)
                columns.sentenceOffsets.append(Int64(columns.ids.count))
            }
            columns.documentOffsets.append(Int64(columns.block.count))
            columns.titleOffsets.append(0)
        }
        return columns
    }

    private static func segments(_ documents: Range<Int>) -> SegmentColumns {
        var columns = SegmentColumns()
        for number in documents {
            for ordinal in 0..<UInt32(segments) {
                columns.document.append(pages[number].id)
                columns.ordinal.append(ordinal)
                columns.first.append(ordinal * UInt32(tokensPerSegment))
                columns.end.append((ordinal + 1) * UInt32(tokensPerSegment))
                columns.hash.append(KeyedRandom.mix(pages[number].id, UInt64(ordinal)))
            }
        }
        return columns
    }
}

private struct LinkedPair {
    var a: UInt64, segment: UInt32, b: UInt64
}

@Suite struct SegmentScopeTests {
    private var config: PairSampleConfig {
        var config = PairSampleConfig()
        config.passes = 6
        config.linkScope = .segment
        return config
    }

    private func linked(_ pairs: StoredArtifact) throws -> [LinkedPair] {
        try pairs.manifest.parts.flatMap { part in
            let columns = try PairColumns(reading: pairs.columns(part))
            return (0..<columns.count).filter { columns.relation[$0] == Relation.linked.rawValue }.map {
                LinkedPair(a: columns.aDocument[$0], segment: columns.aSegment[$0], b: columns.bDocument[$0])
            }
        }
    }

    @Test func `every linked pair follows a link whose anchor begins in A`() throws {
        let corpus = SpannedCorpus(try ToyRun())
        var inputs = try corpus.inputs()
        inputs["graph"] = [try corpus.graph()]
        let pairs = try linked(corpus.run.run(PairSample.self, config, inputs).artifact)
        #expect(pairs.count == 6 * SpannedCorpus.count, "a third of the anchors, each pass")
        for pair in pairs { #expect(corpus.targets(pair.a, pair.segment) == [pair.b]) }
        #expect(Set(pairs.map(\.segment)) == [0, 1, 2])
        // The whole document's links are what tells the scopes apart.
        var wide = config
        wide.linkScope = .document
        let all = try linked(corpus.run.run(PairSample.self, wide, inputs).artifact)
        #expect(all.contains { !corpus.targets($0.a, $0.segment).contains($0.b) })
        #expect(PairSample.uses("links", config) && !PairSample.uses("links", wide))
    }

    @Test func `one part or several of everything give the same pairs`() throws {
        let corpus = SpannedCorpus(try ToyRun())
        let graph = try corpus.graph()
        let made = try [1, 3, 5].map { parts in
            var inputs = try corpus.inputs(parts: parts)
            #expect(inputs["links"]?.count == parts && inputs["tokens"]?[0].manifest.parts.count == parts)
            inputs["graph"] = [graph]
            return try corpus.run.run(PairSample.self, config, inputs, backwards: parts == 3).artifact
        }
        #expect(try linked(made[0]).count > 0)
        #expect(made[1].manifest == made[0].manifest)
        #expect(made[2].manifest == made[0].manifest)
    }

    @Test func `links that the graph left out are not followed`() throws {
        // The second segment of every document links to the first document, a hub.
        let corpus = SpannedCorpus(try ToyRun()) { document, segment in
            segment == 1 && document > 0 ? 0 : SpannedCorpus.target(document, segment)
        }
        let hub = SpannedCorpus.pages[0].id
        var inputs = try corpus.inputs()
        inputs["graph"] = [try corpus.graph()]
        let free = try linked(corpus.run.run(PairSample.self, config, inputs).artifact)
        #expect(free.contains { $0.segment == 1 && $0.b == hub })
        inputs["graph"] = [try corpus.graph { $0.maxInDegree = 10 }]
        let capped = try linked(corpus.run.run(PairSample.self, config, inputs).artifact)
        #expect(capped.count > 50)
        #expect(!capped.contains { $0.b == hub || ($0.segment == 1 && $0.a != hub) })
    }

    @Test func `it is refused with the cause where links or their spans are missing`() throws {
        let corpus = SpannedCorpus(try ToyRun())
        var inputs = try corpus.inputs()
        inputs["graph"] = [try corpus.graph()]
        func refused(_ change: (inout [String: [StoredArtifact]]) throws -> Void) throws -> StageError {
            var inputs = inputs
            try change(&inputs)
            return try #require(throws: StageError.self) { try corpus.run.run(PairSample.self, config, inputs) }
        }
        let unwired = try refused { $0["links"] = nil }
        #expect(unwired.message == "`link_scope: segment` needs the port 'links', which is not connected")
        #expect(unwired.fix?.contains("in: {links: NAME}") == true)
        #expect(try refused { $0["tokens"] = nil }.message == "input port 'tokens' is not connected")

        let whole = try refused { $0["links"] = try SpannedCorpus(corpus.run, spans: false).inputs()["links"] }
        #expect(whole.message == "`link_scope: segment` finds no link inside any segment")
        #expect(whole.cause == "all 72 links are links of whole documents, without a place in the text")
        #expect(whole.fix?.contains("`link_scope: document`") == true)
        let none = try refused { $0["links"] = [try corpus.run.artifact("links", [(0, LinkColumns().table)])] }
        #expect(none.cause == "there are no links")
        let outside = try refused {
            var links = corpus.links
            links.begin = links.begin.map { $0 + 1000 }
            links.end = links.end.map { $0 + 1000 }
            $0["links"] = [try corpus.run.artifact("links", [(links.count, links.table)])]
        }
        #expect(outside.cause == "72 links stand where no segment has a token")
    }
}
