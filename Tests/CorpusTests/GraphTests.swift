// The document graph and its sides: properties over seeds, and independence of the order of the input.

import Container
import Corpus
import Testing

/// A graph of `topics` clusters of `size` documents: most links stay inside, some go to hubs or anywhere.
private struct Planted {
    let nodes: [UInt64]
    var links = LinkColumns()

    init(topics: Int, size: Int, linksPerDocument: Int = 12, seed: UInt64) {
        let count = topics * size
        let names = (0..<UInt64(count)).map { KeyedRandom.key(seed, $0) >> 1 }
        nodes = names.sorted()
        for source in 0..<count {
            for i in 0..<linksPerDocument {
                let draw = KeyedRandom.key(seed, 7, UInt64(source), UInt64(i))
                let target: Int
                switch KeyedRandom.unit(draw) {
                case ..<0.7:
                    target = source / size * size + Int(KeyedRandom.below(KeyedRandom.mix(draw, 1), UInt64(size)))
                case ..<0.85: target = Int(KeyedRandom.below(KeyedRandom.mix(draw, 2), 5))
                default: target = Int(KeyedRandom.below(KeyedRandom.mix(draw, 3), UInt64(count)))
                }
                if target != source { links.append(names[source], names[target], .hyperlink) }
            }
        }
    }

    /// The same links in another order, in several parts.
    func parts(shuffledBy seed: UInt64, count: Int) -> [LinkColumns] {
        var generator = SplitMix64(seed: seed)
        let order = Array(0..<links.count).shuffled(using: &generator)
        var parts = [LinkColumns](repeating: LinkColumns(), count: count)
        for (i, row) in order.enumerated() {
            parts[i % count].append(links.source[row], links.target[row], .hyperlink)
        }
        return parts
    }

    func graph(_ filter: GraphFilter = GraphFilter()) throws -> GraphColumns {
        try GraphBuilder(nodes: nodes, filter: filter) { try $0(links) }.graph
    }
}

@Suite struct GraphTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the rows of the graph are the distinct links, sorted`(seed: UInt64) throws {
        let planted = Planted(topics: 3, size: 7, seed: seed)
        let builder = try GraphBuilder(nodes: planted.nodes) { try $0(planted.links) }
        let graph = builder.graph
        var expected: [UInt64: Set<UInt64>] = [:]
        for (source, target) in zip(planted.links.source, planted.links.target) {
            expected[source, default: []].insert(target)
        }
        for (node, id) in graph.node.enumerated() {
            let row = graph.outLinks(node).map { graph.node[Int($0)] }
            #expect(row == row.sorted() && Set(row) == expected[id, default: []] && Set(row).count == row.count)
            #expect(graph.inDegree[node] == expected.values.count { $0.contains(id) })
        }
        #expect(builder.counts.edges == expected.values.reduce(0) { $0 + $1.count })
        #expect(builder.counts.merged == planted.links.count - builder.counts.edges)
        let inLinks = InLinks(graph)
        for node in graph.node.indices {
            #expect(
                inLinks[node].map(Int.init) == graph.node.indices.filter { graph.outLinks($0).contains(UInt32(node)) })
        }
    }

    @Test func `an edge of two kinds keeps both`() throws {
        var links = LinkColumns()
        links.append(1, 2, .random)
        links.append(1, 2, .edges)
        links.append(1, 3, .random)
        let mixed = try GraphBuilder(nodes: [1, 2, 3]) { try $0(links) }
        #expect(mixed.graph.targets == [1, 2])
        #expect(mixed.kinds == [LinkKind.edges.bit | LinkKind.random.bit, LinkKind.random.bit])
        #expect(mixed.counts.linkKinds == [0, 0, 1, 0, 2])
        var graph = mixed.graph
        (graph.kinds, graph.side) = (mixed.kinds, [0, 0, 0])
        let statistics = GraphStatistics(graph)
        #expect(statistics.kinds == [0, 0, 1, 0, 2] && statistics.ofSeveralKinds == 1)
        let alike = try GraphBuilder(nodes: [1, 2, 3]) { visit in
            var citations = LinkColumns()
            citations.append(3, 1, .citation)
            citations.append(2, 1, .citation)
            try visit(citations)
        }
        #expect(alike.graph.offsets == [0, 0, 1, 2] && alike.graph.targets == [0, 0])
        #expect(alike.kinds == [LinkKind.citation.bit, LinkKind.citation.bit])
    }

    @Test func `a link to a document that is no node is refused`() {
        var links = LinkColumns()
        links.append(1, 9, .edges)
        #expect(throws: UnknownDocument.self) { try GraphBuilder(nodes: [1, 2]) { try $0(links) } }
    }

    @Test func `filters take hubs, lists and excluded documents, and count them`() throws {
        var links = LinkColumns()
        for source in 1...4 as ClosedRange<UInt64> { links.append(source, 5, .hyperlink) }
        for target in 2...5 as ClosedRange<UInt64> { links.append(1, target, .hyperlink) }
        links.append(6, 2, .hyperlink)
        links.append(2, 6, .lexical)
        var filter = GraphFilter()
        filter.maxInDegree = 2
        filter.maxOutDegree = 3
        filter.excludedBy = [0, 0, 0, 0, 2, 0]
        let builder = try GraphBuilder(nodes: [1, 2, 3, 4, 5, 6], filter: filter) { try $0(links) }
        // 1 → 2, 3, 4 stays without its edge to 5, so 1 is no list.
        #expect(builder.counts.excluded.map(\.edges) == [0, 4])
        #expect(builder.counts.excluded.map(\.samples) == [[], [4]])
        #expect(builder.counts.lists.edges == 0 && builder.counts.hubs.edges == 0 && builder.counts.edges == 5)
        filter.maxOutDegree = 2
        filter.minDegree = 3
        let fewer = try GraphBuilder(nodes: [1, 2, 3, 4, 5, 6], filter: filter) { try $0(links) }
        #expect(fewer.counts.lists.edges == 3 && fewer.counts.lists.samples == [0])
        #expect(fewer.counts.fewLinks.edges == 2 && fewer.counts.fewLinks.documents == 2)
        #expect(fewer.counts.fewLinks.kinds == [1, 0, 0, 1, 0])
        #expect(fewer.graph.offsets == [0, 0, 0, 0, 0, 0, 0] && fewer.graph.inDegree == [0, 0, 0, 0, 0, 0])
        filter = GraphFilter()
        filter.maxInDegree = 3
        let hubs = try GraphBuilder(nodes: [1, 2, 3, 4, 5, 6], filter: filter) { try $0(links) }
        #expect(hubs.counts.hubs.edges == 4 && hubs.counts.hubs.documents == 1 && hubs.counts.hubs.samples == [4])
    }

    @Test func `edges between documents of one text go, whatever their kind`() throws {
        var links = LinkColumns()
        links.append(1, 2, .lexical)
        links.append(2, 3, .hyperlink)
        links.append(3, 1, .hyperlink)
        var filter = GraphFilter()
        filter.leader = [0, 0, 2]
        let builder = try GraphBuilder(nodes: [1, 2, 3], filter: filter) { try $0(links) }
        #expect(builder.counts.duplicates.edges == 1 && builder.counts.duplicates.kinds == [0, 0, 0, 1, 0])
        #expect(builder.graph.targets == [2, 0] && builder.graph.leader == [0, 0, 2])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the index finds every id and no other`(seed: UInt64) {
        let hashed = (0..<500 as Range<UInt64>).map { KeyedRandom.mix(seed, $0) >> 1 }.sorted()
        for nodes in [hashed, Array(1...50), [], [UInt64.max >> 1], [0]] {
            let index = DocumentIndex(sorted: nodes)
            for (place, id) in nodes.enumerated() {
                #expect(index[id] == place)
                #expect(index[id &+ 1] == nodes.firstIndex(of: id &+ 1))
            }
        }
    }

    @Test func `statistics count degrees, hubs and orphans`() throws {
        var links = LinkColumns()
        for source in [1, 2, 4] as [UInt64] { links.append(source, 3, .hyperlink) }
        links.append(1, 2, .citation)
        var graph = try GraphBuilder(nodes: [1, 2, 3, 4, 5]) { try $0(links) }.graph
        graph.side = [0, 0, 2, 0, 0]
        let statistics = GraphStatistics(graph, hubCount: 1)
        #expect(statistics.orphans == 1)
        #expect(statistics.inDegrees == [3, 1, 1])
        #expect(statistics.outDegrees == [2, 2, 1])
        #expect(statistics.hubs == [2])
        #expect(statistics.kinds == [3, 1, 0, 0, 0])
        #expect(statistics.sides[0] == .init(documents: 4, links: 4, inside: 1, linking: 1))
        #expect(statistics.sides[2] == .init(documents: 1, links: 0, inside: 0, linking: 0))
    }
}

@Suite struct KeyOrderTests {
    @Test(arguments: [0, 1, 2, 7, 100, 5000])
    func `keys are ordered as a sort orders them, equal ones by index`(count: Int) {
        let even = (0..<UInt64(count)).map { KeyedRandom.mix(9, $0) }
        let repeated = even.map { $0 % 7 << 61 }
        let crowded = even.map { $0 >> 40 }
        for keys in [even, repeated, crowded] {
            let expected = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
            #expect(KeyOrder.ascending(keys).map(Int.init) == expected)
        }
    }
}

@Suite struct SideTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `sides do not depend on the order or the parts of the links`(seed: UInt64) throws {
        let planted = Planted(topics: 30, size: 10, seed: seed)
        let textHash = planted.nodes.map { $0 % 97 == 0 ? 1 : $0 }
        let leader = DuplicateGroups(textHash: textHash).leader
        var graph = try planted.graph()
        graph.leader = leader
        let whole = SideAssignment(graph, textHash: textHash, rule: SideRule())
        let parts = planted.parts(shuffledBy: seed &+ 1, count: 4)
        var shuffled = try GraphBuilder(nodes: planted.nodes) { for part in parts { try $0(part) } }.graph
        shuffled.leader = leader
        #expect(SideAssignment(shuffled, textHash: textHash, rule: SideRule()).side == whole.side)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `sides have their shares, keep equal texts together and keep many links`(seed: UInt64) throws {
        let planted = Planted(topics: 60, size: 15, seed: seed)
        var graph = try planted.graph()
        let textHash = planted.nodes.enumerated().map { $0 % 50 < 2 ? UInt64(1 + $0 / 50) : $1 }
        graph.leader = DuplicateGroups(textHash: textHash).leader
        let sides = SideAssignment(graph, textHash: textHash, rule: SideRule())
        graph.side = sides.side
        let counts = GraphStatistics(graph).sides
        for side in [Side.validation, .test] {
            #expect(abs(counts[Int(side.rawValue)].documents - 45) <= 9, "5% of 900, off by at most half a community")
        }
        for (i, hash) in textHash.enumerated() {
            #expect(sides.side[i] == sides.side[textHash.firstIndex(of: hash)!])
        }
        #expect(sides.largestGroup! <= 18)
        let small = counts[1].links + counts[2].links
        let kept = Double(counts[1].inside + counts[2].inside) / Double(small)
        #expect(kept > 0.4, "70% of the links are planted inside; a split by document would keep 5%")
    }

    @Test func `documents that link to nothing still fill the sides`() throws {
        let nodes = (0..<200 as Range<UInt64>).map { KeyedRandom.mix(4, $0) >> 1 }.sorted()
        let graph = try GraphBuilder(nodes: nodes) { _ in }.graph
        let sides = SideAssignment(graph, textHash: nodes, rule: SideRule())
        #expect(sides.side.count { $0 == Side.test.rawValue } == 10)
        #expect(sides.side.count { $0 == Side.validation.rawValue } == 10)
    }

    @Test func `by text, no document moves another`() throws {
        let nodes = (0..<2000 as Range<UInt64>).map { KeyedRandom.mix(5, $0) >> 1 }.sorted()
        var rule = SideRule()
        rule.unit = .text
        let graph = try GraphBuilder(nodes: nodes) { _ in }.graph
        let texts = nodes.map { $0 % 3 == 0 ? 0 : $0 / 2 }
        let sides = SideAssignment(graph, textHash: texts, rule: rule).side
        let fewer = try GraphBuilder(nodes: Array(nodes.prefix(1000))) { _ in }.graph
        #expect(
            SideAssignment(fewer, textHash: Array(texts.prefix(1000)), rule: rule).side == Array(sides.prefix(1000)))
        #expect((70...130).contains(sides.count { $0 == Side.test.rawValue }))
    }

    @Test func `no sides at all, and empty graphs`() throws {
        var rule = SideRule()
        rule.unit = .none
        let planted = Planted(topics: 2, size: 5, seed: 1)
        #expect(Set(SideAssignment(try planted.graph(), textHash: planted.nodes, rule: rule).side) == [0])
        let empty = try GraphBuilder(nodes: []) { _ in }.graph
        for unit in SideRule.Unit.allCases {
            rule.unit = unit
            #expect(SideAssignment(empty, textHash: [], rule: rule).side.isEmpty)
        }
    }

    @Test func `communities respect the cap, units stay whole`() throws {
        for seed in 0..<10 as Range<UInt64> {
            let planted = Planted(topics: 12, size: 12, seed: seed)
            let graph = try planted.graph()
            let leader = (0..<UInt32(graph.node.count)).map { $0 % 9 < 3 ? $0 / 9 * 9 : $0 }
            let communities = Communities(graph, InLinks(graph), leader: leader, cap: 10)
            var size = [Int](repeating: 0, count: communities.count)
            for label in communities.label { size[Int(label)] += 1 }
            #expect(size.allSatisfy { $0 > 0 && $0 <= 10 })
            for (node, first) in leader.enumerated() {
                #expect(communities.label[node] == communities.label[Int(first)])
            }
            var seen: UInt32 = 0
            for label in communities.label {
                #expect(label <= seen, "numbered by first appearance")
                seen = max(seen, label + 1)
            }
        }
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `planted topics are found, however many labels a hub meets`(seed: UInt64) throws {
        // 400 topics of 12: the five hubs that everything links to meet far more labels than a first table holds.
        let planted = Planted(topics: 400, size: 12, seed: seed)
        let graph = try planted.graph()
        let topic = Dictionary(
            uniqueKeysWithValues: (0..<UInt64(4800)).map { (KeyedRandom.key(seed, $0) >> 1, Int($0) / 12) })
        let communities = Communities(
            graph, InLinks(graph), leader: Array(0..<UInt32(graph.node.count)), cap: 24)
        var largest = [Int](repeating: 0, count: 400)
        var shares: [[UInt32: Int]] = Array(repeating: [:], count: 400)
        for (node, id) in graph.node.enumerated() {
            let topic = topic[id]!
            shares[topic][communities.label[node], default: 0] += 1
            largest[topic] = max(largest[topic], shares[topic][communities.label[node]]!)
        }
        #expect(largest.reduce(0, +) > 4800 * 9 / 10, "documents of a topic that are in one community")
    }
}
