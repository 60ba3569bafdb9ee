// Pair sampling: quotas, exclusions, sides, purity.

import Container
import Corpus
import Testing

/// A random graph of documents on three sides, by seed.
private struct SampleCorpus {
    var graph = GraphColumns()
    var documents: SamplingIndex.Documents

    init(seed: UInt64, count: Int = 120, linksPerDocument: Int = 6, sides: Bool = true) {
        var random = SplitMix64(seed: seed)
        graph.node = Set((0..<count).map { _ in random.next() >> 1 }).sorted()
        let n = graph.node.count
        graph.inDegree = [UInt32](repeating: 0, count: n)
        graph.side = (0..<n).map { _ in sides ? [0, 0, 0, 1, 2][Int.random(in: 0..<5, using: &random)] : 0 }
        for node in 0..<n {
            let links = Set(
                (0..<Int.random(in: 0...linksPerDocument * 2, using: &random)).map { _ in
                    UInt32.random(in: 0..<UInt32(n), using: &random)
                }
            ).subtracting([UInt32(node)]).sorted()
            graph.targets += links
            graph.kinds += links.map { _ in LinkKind.hyperlink.bit }
            graph.offsets.append(Int64(graph.targets.count))
            for target in links { graph.inDegree[Int(target)] += 1 }
        }
        var segments = SegmentColumns()
        for node in 0..<n {
            for ordinal in 0..<UInt32.random(in: 0...7, using: &random) {
                segments.document.append(graph.node[node])
                segments.ordinal.append(ordinal)
                segments.first.append(ordinal * 10)
                segments.end.append(ordinal * 10 + 10)
                segments.hash.append(random.next())
            }
        }
        documents = SamplingIndex.Documents(nodes: graph.node, segments: [segments])
    }

    func index(bucket: Int = 0, of buckets: Int = 1) -> SamplingIndex {
        SamplingIndex(graph: graph, sides: graph.side, documents: documents, bucket: bucket, buckets: buckets)
    }
}

private func options(_ mix: RelationMix = RelationMix(), seed: UInt64 = 7) -> PairSampler.Options {
    var options = PairSampler.Options()
    options.mix = mix
    options.seed = seed
    return options
}

@Suite struct PairSamplerTests {
    @Test(arguments: 0..<12) func `every pair keeps the promises of its relation`(seed: UInt64) throws {
        let corpus = SampleCorpus(seed: seed)
        let index = corpus.index()
        let (pairs, counts) = try PairSampler(index: index, options: options(seed: seed)).pairs(pass: Int(seed))
        #expect(pairs.count > 100)
        for i in 0..<pairs.count {
            let a = try #require(corpus.graph.index(of: pairs.aDocument[i]))
            let b = try #require(corpus.graph.index(of: pairs.bDocument[i]))
            #expect(corpus.graph.side[a] == corpus.graph.side[b])
            #expect(corpus.graph.side[a] != Side.test.rawValue)
            #expect(pairs.bSegment[i] < corpus.documents.segmentCount[b])
            switch try #require(Relation(rawValue: pairs.relation[i])) {
            case .contiguous:
                #expect(a == b && pairs.bSegment[i] == pairs.aSegment[i] + 1)
            case .random:
                #expect(a != b)
                #expect(!corpus.graph.outLinks(a).contains(UInt32(b)) && !corpus.graph.outLinks(b).contains(UInt32(a)))
            case .linked:
                #expect(a != b && corpus.graph.outLinks(a).contains(UInt32(b)))
            }
        }
        for side in [0, 1] {
            let total = counts.relation[side].reduce(0, +)
            #expect(total + counts.leftOut[side] == counts.anchors[side])
            for relation in 0..<3 { #expect(abs(counts.relation[side][relation] * 3 - total) <= 3) }
        }
    }

    @Test func `a quota is met exactly and leaves out only what it must`() {
        // 10 anchors: 3 can be contiguous only, 2 linked only, 5 neither.
        let all =
            [AnchorOptions](repeating: AnchorOptions(contiguous: true, linked: false), count: 3)
            + [AnchorOptions](repeating: AnchorOptions(contiguous: false, linked: true), count: 2)
            + [AnchorOptions](repeating: AnchorOptions(contiguous: false, linked: false), count: 5)
        let quota = RelationQuota(options: all, mix: RelationMix()) { KeyedRandom.mix(3, UInt64($0)) }
        // Two linked anchors bound the total: 2 + 2 + 3 is the largest that largest remainders allow.
        let counts = (0..<3).map { relation in quota.relation.count { $0 == UInt8(relation) } }
        #expect(counts[2] == 2)
        #expect(counts.reduce(0, +) + quota.leftOut == 10)
        #expect(counts.max()! - counts.min()! <= 1)
        for (anchor, relation) in quota.relation.enumerated() {
            if relation == 0 { #expect(all[anchor].contiguous) }
            if relation == 2 { #expect(all[anchor].linked) }
        }
    }

    @Test func `anchors do not depend on the mix`() throws {
        let index = SampleCorpus(seed: 5).index()
        let even = try PairSampler(index: index, options: options()).pairs(pass: 2).pairs
        let other = try PairSampler(index: index, options: options(RelationMix(contiguous: 1, random: 2, linked: 1)))
            .pairs(pass: 2).pairs
        let anchors = { (pairs: PairColumns) in zip(pairs.aDocument, pairs.aSegment).map { "\($0).\($1)" } }
        #expect(anchors(even) == anchors(other))
        #expect(even.relation != other.relation)
    }

    @Test func `a projection survives its bytes and refuses others`() throws {
        let index = SampleCorpus(seed: 9).index(bucket: 1, of: 3)
        #expect(try SamplingIndex(bytes: index.bytes) == index)
        #expect(throws: ContainerError.self) { try SamplingIndex(bytes: Array(index.bytes.dropLast())) }
        #expect(throws: ContainerError.self) { try SamplingIndex(bytes: index.bytes + [0]) }
    }

    @Test func `buckets share out the anchors and keep links across them`() throws {
        let corpus = SampleCorpus(seed: 4)
        var seen: [String: Int] = [:]
        var crossing = 0
        for bucket in 0..<3 {
            let pairs = try PairSampler(index: corpus.index(bucket: bucket, of: 3), options: options()).pairs(pass: 0)
                .pairs
            for i in 0..<pairs.count {
                seen["\(pairs.aDocument[i]).\(pairs.aSegment[i])", default: 0] += 1
                let other = SamplingIndex.bucket(of: pairs.bDocument[i], buckets: 3)
                if pairs.relation[i] == Relation.random.rawValue { #expect(other == bucket) }
                if pairs.relation[i] == Relation.linked.rawValue && other != bucket { crossing += 1 }
            }
        }
        #expect(seen.values.allSatisfy { $0 == 1 })
        #expect(crossing > 0)
    }

    @Test func `linked targets are drawn in inverse proportion to in-degree`() throws {
        // One source links to a hub (in-degree 16) and to a leaf (in-degree 1): the leaf is 16 times as likely.
        var graph = GraphColumns()
        graph.node = (1...18).map(UInt64.init)
        graph.side = [UInt8](repeating: 0, count: 18)
        graph.offsets = [0]
        for node in 0..<18 {
            if node == 0 { graph.targets += [1, 2] } else if node >= 3 { graph.targets += [1] }
            graph.offsets.append(Int64(graph.targets.count))
        }
        graph.inDegree = [UInt32](repeating: 0, count: 18)
        graph.kinds = graph.targets.map { _ in LinkKind.hyperlink.bit }
        var segments = SegmentColumns()
        for node in graph.node {
            segments.document.append(node)
            segments.ordinal.append(0)
            segments.first.append(0)
            segments.end.append(1)
            segments.hash.append(node)
        }
        let documents = SamplingIndex.Documents(nodes: graph.node, segments: [segments])
        let index = SamplingIndex(graph: graph, sides: graph.side, documents: documents, bucket: 0, buckets: 1)
        #expect(index.degreeClass[1] == 64)
        let sampler = PairSampler(index: index, options: options(RelationMix(contiguous: 0, random: 0, linked: 1)))
        var hub = 0
        for pass in 0..<3400 {
            let pairs = try sampler.pairs(pass: pass).pairs
            if let row = pairs.aDocument.firstIndex(of: 1), pairs.bDocument[row] == 2 { hub += 1 }
        }
        #expect((140...260).contains(hub))
    }

    @Test func `a corpus without links is refused when the mix asks for linked pairs`() throws {
        var corpus = SampleCorpus(seed: 3)
        corpus.graph.targets = []
        corpus.graph.offsets = corpus.graph.offsets.map { _ in 0 }
        let sampler = PairSampler(index: corpus.index(), options: options())
        let error = try #require(throws: PairSamplingError.self) { try sampler.pairs(pass: 0) }
        #expect(error.message.contains("linked pairs") && error.message.contains("train"))
        let bert = PairSampler(
            index: corpus.index(), options: options(RelationMix(contiguous: 1, random: 1, linked: 0)))
        #expect(try bert.pairs(pass: 0).pairs.count > 0)
    }

    @Test func `a side to measure on that keeps no link gives the other relations, by their shares`() throws {
        var corpus = SampleCorpus(seed: 3)
        let all = corpus.graph
        corpus.graph.targets = []
        corpus.graph.offsets = [0]
        for node in all.node.indices {
            corpus.graph.targets += all.outLinks(node).filter {
                all.side[node] != Side.test.rawValue || all.side[Int($0)] != Side.test.rawValue
            }
            corpus.graph.offsets.append(Int64(corpus.graph.targets.count))
        }
        var options = options(RelationMix(contiguous: 1, random: 2, linked: 3))
        options.draw = [.train, .validation, .test]
        let counts = try PairSampler(index: corpus.index(), options: options).pairs(pass: 0).counts
        let test = counts.relation[Int(Side.test.rawValue)]
        #expect(test[2] == 0 && test[0] > 0 && abs(test[1] - 2 * test[0]) <= 2)
        #expect(counts.relation[Int(Side.train.rawValue)].allSatisfy { $0 > 0 })
        #expect(counts.relation[Int(Side.validation.rawValue)].allSatisfy { $0 > 0 })
    }

    @Test func `degree classes are floors of sixteenths of log2`() {
        #expect(SamplingIndex.degreeClass(0) == 0 && SamplingIndex.degreeClass(1) == 0)
        for exponent in 1..<20 { #expect(SamplingIndex.degreeClass(1 << exponent) == UInt16(16 * exponent)) }
        #expect(SamplingIndex.degreeClass(3) == 25)  // 16 · 1.585 = 25.36
        #expect(SamplingIndex.degreeClass(1000) == 159)  // 16 · 9.966 = 159.45
    }
}

@Suite struct ShortcutTests {
    @Test func `a probe learns what separates the classes and nothing from noise`() throws {
        var random = SplitMix64(seed: 1)
        let labels = (0..<900).map { $0 % 3 }
        let told = labels.map {
            [Double($0) + Double.random(in: -0.2...0.2, using: &random), Double.random(in: 0...1, using: &random)]
        }
        let noise = labels.map { _ in
            [Double.random(in: 0...1, using: &random), Double.random(in: 0...1, using: &random)]
        }
        let folds = labels.indices.map { ($0 / 3) % 5 }
        #expect(try LogisticProbe(rows: told, labels: labels, classes: 3, fold: folds).accuracy > 0.95)
        let guessed = try LogisticProbe(rows: noise, labels: labels, classes: 3, fold: folds).accuracy
        #expect((0.25...0.42).contains(guessed))
        #expect(throws: CancellationError.self) {
            try LogisticProbe(rows: told, labels: labels, classes: 3, fold: folds) { throw CancellationError() }
        }
    }

    @Test func `plain logarithms and exponentials agree with the library's`() {
        for x in [1e-8, 0.1, 0.5, 1, 1.4142, 2, 3, 1e3, 123_456_789] {
            #expect(abs(NaturalLog.of(x) - reference(x)) <= 1e-13 * max(1, abs(reference(x))))
        }
        #expect(abs(Exponential.of(-1) - 0.36787944117144233) < 1e-15)
        #expect(Exponential.of(-800) == 0)
    }

    /// ln by Newton's method on the plain exponential.
    private func reference(_ x: Double) -> Double {
        var y = Double(x.exponent) * 0.6931471805599453
        for _ in 0..<60 {
            let e = y <= 0 ? Exponential.of(y) : 1 / Exponential.of(-y)
            y += 2 * (x - e) / (x + e)
        }
        return y
    }

    @Test func `a title counts only as a run of its tokens`() {
        #expect(ShortcutFeatures.contains([5, 1, 2, 3], [1, 2]))
        #expect(!ShortcutFeatures.contains([1, 5, 2], [1, 2]))
        #expect(!ShortcutFeatures.contains([1, 2], []))
    }
}

@Suite struct RefusalTests {
    @Test func `a document linked with all others sits out rather than stopping the stage`() throws {
        var graph = GraphColumns()
        graph.node = [1, 2, 3]
        graph.side = [0, 0, 0]
        graph.targets = [1, 2]
        graph.offsets = [0, 2, 2, 2]
        graph.kinds = [1, 1]
        graph.inDegree = [0, 1, 1]
        var segments = SegmentColumns()
        for node in graph.node {
            segments.document.append(node)
            segments.ordinal.append(0)
            segments.first.append(0)
            segments.end.append(1)
            segments.hash.append(node)
        }
        let documents = SamplingIndex.Documents(nodes: graph.node, segments: [segments])
        let index = SamplingIndex(graph: graph, sides: graph.side, documents: documents, bucket: 0, buckets: 1)
        let sampler = PairSampler(index: index, options: options(RelationMix(contiguous: 0, random: 1, linked: 0)))
        let (pairs, counts) = try sampler.pairs(pass: 0)
        // 2 and 3 have each other; 1 has nobody left.
        #expect(pairs.aDocument == [2, 3] && pairs.bDocument == [3, 2])
        #expect(counts.leftOut[0] == 1)
    }
}
