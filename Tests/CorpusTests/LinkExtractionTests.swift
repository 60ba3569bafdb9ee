// From link targets to documents: redirects, aliases, drop reasons, edge lists, random links.

import Container
import Corpus
import Testing

/// Five documents, redirects that chain, loop, dangle and hide behind a document.
private func index() -> TargetIndex {
    var index = TargetIndex(form: TitleNormalForm(namespaces: ["Category": []]))
    index.addDocument(id: 30, sourceID: "p30", title: "Riga", aliases: ["doi:10.1/RIGA", "pmid:030"])
    index.addDocument(id: 10, sourceID: "p10", title: "Daugava")
    index.addDocument(id: 20, sourceID: "p20", title: "daugava")
    index.addDocument(id: 40, sourceID: "1984", title: "C#")
    index.addDocument(id: 50, sourceID: "p50", title: "Latgale")
    index.addRedirect(from: "Rīga", to: "Capital of Latvia")
    index.addRedirect(from: "Capital of Latvia", to: "riga#History")
    index.addRedirect(from: "A", to: "B")
    index.addRedirect(from: "B", to: "A")
    index.addRedirect(from: "Gone", to: "Nowhere")
    index.addRedirect(from: "Latgale", to: "Riga")
    index.seal()
    return index
}

private func resolve(
    _ text: String, as kind: TargetIndex.NameKind = .title, decoding: Bool = false
) -> Resolution {
    var index = index()
    return Array(text.utf8).withUnsafeBufferPointer { index.resolve($0, as: kind, percentDecoding: decoding) }
}

@Suite struct LinkExtractionTests {
    @Test func `redirects are followed through chains and sections`() {
        #expect(resolve("rīga") == .document(30))
        #expect(resolve("Capital_of_Latvia#Sights") == .document(30))
        #expect(resolve("A") == .dropped(.redirectLoop))
        #expect(resolve("Gone") == .dropped(.dangling))
        #expect(resolve("Latgale") == .document(50), "a document wins over a redirect of its name")
        let counts = index().counts
        #expect(counts.redirects == 6)
        #expect(counts.loopingRedirects == 2)
        #expect(counts.danglingRedirects == 1)
        #expect(counts.shadowedRedirects == 1)
        #expect(counts.ambiguousTitles == 1)
    }

    @Test func `a chain longer than the limit is a loop, one at the limit is not`() {
        var index = TargetIndex(form: TitleNormalForm())
        index.addDocument(id: 1, sourceID: "1", title: "End")
        for i in 0..<TargetIndex.redirectLimit {
            index.addRedirect(from: "R\(i)", to: i == 0 ? "End" : "R\(i - 1)")
        }
        index.addRedirect(from: "Too far", to: "R\(TargetIndex.redirectLimit - 1)")
        index.seal()
        func resolve(_ text: String) -> Resolution {
            Array(text.utf8).withUnsafeBufferPointer { index.resolve($0, as: .title) }
        }
        #expect(resolve("R\(TargetIndex.redirectLimit - 1)") == .document(1))
        #expect(resolve("Too far") == .dropped(.redirectLoop))
    }

    @Test func `the smallest id wins an ambiguous title in any order`() {
        #expect(resolve("daugava") == .document(10))
        var other = TargetIndex(form: TitleNormalForm())
        other.addDocument(id: 20, sourceID: "b", title: "daugava")
        other.addDocument(id: 10, sourceID: "a", title: "Daugava")
        other.seal()
        #expect(Array("Daugava".utf8).withUnsafeBufferPointer { other.resolve($0, as: .title) } == .document(10))
    }

    @Test func `every drop has its reason`() {
        #expect(resolve("") == .dropped(.empty))
        #expect(resolve("#Sights") == .dropped(.selfLink))
        #expect(resolve("Category:Rivers") == .dropped(.otherNamespace))
        #expect(resolve("fr:Riga") == .dropped(.interwiki))
        #expect(resolve("Vilnius") == .dropped(.dangling))
        #expect(resolve("C#") == .document(40), "a title with a number sign is found uncut")
        for reason in LinkDrop.allCases {
            #expect(Resolution(bits: Resolution.dropped(reason).bits) == .dropped(reason))
        }
    }

    @Test func `names of edge lists are aliases, titles or source ids`() {
        #expect(resolve("PMID:30", as: .any) == .document(30))
        #expect(resolve("doi:10.1/riga", as: .alias) == .document(30))
        #expect(resolve("Latgale", as: .any) == .document(50))
        #expect(resolve("1984", as: .any) == .document(40))
        #expect(resolve("1984", as: .title) == .dropped(.dangling))
        #expect(resolve("p10", as: .sourceID) == .document(10))
        #expect(resolve("R%C4%ABga", as: .any, decoding: true) == .document(30))
    }

    @Test func `spans become rows, and a projection holds only what resolves`() throws {
        var spans = LinkSpans()
        spans.id = [10, 30]
        for target in ["riga", "Rīga", "riga", "Vilnius", "daugava", "doi:10.1/riga", "riga#x"] {
            spans.target.append(target)
        }
        spans.begin = [0, 5, 5, 9, 12, 20, 0]
        spans.end = [4, 8, 8, 11, 15, 25, 4]
        spans.offsets = [0, 6, 7]
        var index = index()
        let table = spans.projection(.hyperlink, &index, percentDecoding: false)
        #expect(table.bytes.count == 16 * 5, "Vilnius is left out")
        let read = try #require(TargetTable(bytes: table.bytes))
        let (links, counts) = spans.resolve(.hyperlink, read)
        #expect(links.source == [10, 10])
        #expect(links.target == [30, 30])
        #expect(links.begin == [0, 5])
        #expect(counts.resolved == 2)
        #expect(counts.distinct == 1)
        #expect(counts.dropped == [.duplicate: 1, .dangling: 1, .selfLink: 2, .otherKind: 1])
        #expect(LinkCounts(named: counts.named) == counts)

        let citations = spans.projection(.citation, &index, percentDecoding: false)
        #expect(spans.resolve(.citation, citations).links.target == [30])
    }

    /// Reads a list twice, as the stage does: for its names, then for its edges.
    private func edges(_ text: String, skipLines: Int = 0) -> (
        links: LinkColumns, counts: LinkCounts, lines: Int, malformed: [String]
    ) {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        let list = EdgeList(skipLines: skipLines)
        func eachLine(_ body: (Int, EdgeList.Line) -> Void) {
            for (i, line) in lines.enumerated() {
                line.withUnsafeBufferPointer { body(i + 1, list.read($0, number: i + 1)) }
            }
        }
        var index = index()
        var (known, all) = (TargetTable(), TargetTable())
        eachLine { _, line in
            guard case .edge(let source, let target) = line else { return }
            for name in [source, target] {
                known.addKnown(name) { index.resolve(name, as: .any) }
                all.add(name) { index.resolve(name, as: .any) }
            }
        }
        #expect(known.bytes == all.bytes)
        var collector = EdgeCollector(known)
        var read = 0
        var malformed: [String] = []
        eachLine { number, line in
            switch line {
            case .passedOver: return
            case .edge(let source, let target): collector.add(source: source, target: target)
            case .malformed(let reason): malformed.append("\(number) \(reason)")
            }
            read += 1
        }
        let (links, counts) = collector.finish()
        return (links, counts, read, malformed)
    }

    @Test func `an edge list is read line by line`() {
        let (links, counts, lines, malformed) = edges(
            "\u{FEFF}# source\ttarget\n\nRiga\tDaugava\r\nRiga\tdaugava\textra\nRiga\nRiga\t\nRiga\trīga\n"
                + "Vilnius\tRiga\nRiga\tVilnius\n   \nDaugava\tC#")
        #expect(links.source == [10, 30])
        #expect(links.target == [40, 10])
        #expect(links.begin == [LinkColumns.wholeDocument, LinkColumns.wholeDocument])
        #expect(lines == 8)
        #expect(malformed == ["5 no_separator", "6 empty_name"])
        #expect(counts.dropped == [.duplicate: 1, .selfLink: 1, .unknownSource: 1, .dangling: 1])
    }

    @Test func `a line without a tab takes its only comma`() {
        let (links, counts, lines, malformed) = edges(
            "\u{FEFF}citing,referenced\r\nRiga,Daugava\r\n\"C#\" , \"Riga\"\nRiga,Daugava,Latgale\n,Riga\n\"\",Riga\n"
                + "Riga\tDaugava, the river\nLatgale, Riga\n# a,b\n\n", skipLines: 1)
        #expect(links.source == [30, 40, 50])
        #expect(links.target == [10, 30, 30])
        #expect(lines == 7)
        #expect(malformed == ["4 several_commas", "5 empty_name", "6 empty_name"])
        #expect(counts.dropped == [.dangling: 1], "a tab comes first: the comma belongs to a title")
    }

    @Test func `identifiers of one scheme need not name it`() {
        #expect(resolve("30", as: .pmid) == .document(30))
        #expect(resolve("0030", as: .pmid) == .document(30))
        #expect(resolve("PMID:30", as: .pmid) == .document(30))
        #expect(resolve("doi:10.1/riga", as: .pmid) == .dropped(.dangling))
        #expect(resolve("https://doi.org/10.1/Riga", as: .doi) == .document(30))
        #expect(resolve("10.1%2FRIGA", as: .doi, decoding: true) == .document(30))
        #expect(resolve("30", as: .pmcid) == .dropped(.dangling))
        #expect(resolve("Riga", as: .pmid) == .dropped(.dangling))
        #expect(resolve("", as: .pmid) == .dropped(.empty))
    }

    @Test func `random targets are distinct, never the document, and a function of seed and document`() {
        let ids = (0..<3000 as Range<UInt64>).map { KeyedRandom.mix(1, $0) >> 1 }.sorted()
        let targets = RandomTargets(sortedIDs: ids)
        var hits = [UInt64: Int]()
        for id in ids {
            let drawn = targets.targets(of: id, count: 5, seed: 9)
            #expect(drawn == targets.targets(of: id, count: 5, seed: 9))
            #expect(Set(drawn).count == 5 && !drawn.contains(id))
            for target in drawn { hits[target, default: 0] += 1 }
        }
        #expect(targets.targets(of: ids[0], count: 5, seed: 9) != targets.targets(of: ids[0], count: 5, seed: 10))
        // A uniform choice leaves e^-5 of the documents without an in-link and gives nearly none more than 15.
        #expect(3000 - hits.count < 120)
        #expect(hits.values.max()! < 20)
    }

    @Test func `a document more disturbs few random links`() {
        let ids = (0..<3000 as Range<UInt64>).map { KeyedRandom.mix(2, $0) >> 1 }.sorted()
        let before = RandomTargets(sortedIDs: ids.filter { $0 != ids[77] })
        let after = RandomTargets(sortedIDs: ids)
        let changed = ids.count {
            before.targets(of: $0, count: 5, seed: 3) != after.targets(of: $0, count: 5, seed: 3)
        }
        #expect(changed < 30)
    }

    @Test func `a corpus too small for the number of links gives all it has`() {
        let targets = RandomTargets(sortedIDs: [1, 2, 3])
        #expect(targets.targets(of: 2, count: 5, seed: 0) == [1, 3])
        #expect(RandomTargets(sortedIDs: [1, 2, 3, 4]).targets(of: 2, count: 2, seed: 0).count == 2)
    }
}
