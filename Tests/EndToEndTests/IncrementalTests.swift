// One file more, less or another among 64, dumps or texts: what runs again is what the file touches.

import Container
import Foundation
import Testing

@Suite struct IncrementalTests {
    /// A dump of two pages: `Town n` links to the next town and, in dump 10, to the town that is not there yet.
    private func dump(_ n: Int, of count: Int = 64, extra: String = "") -> String {
        let walk = "The road leads over the hill and past the old stone bridge to [[Town \((n + 1) % count)]]. "
        let fair = "Every year in late summer the people of the valley meet there for the fair of wool and honey. "
        let more = n == 10 ? "Some say that the best bread comes from [[Town 64]]. " : ""
        let mill = "The mill of [[Town \(n)]] grinds rye and wheat for \(n + 2) farms. "
        return wikiDump([
            ("Town \(n)", 2 * n + 1, walk + fair + more + extra + fair),
            ("Mill \(n)", 2 * n + 2, mill + fair + walk + fair),
        ])
    }

    /// The pipeline over 64 dumps, not run yet.
    private func valley(_ vocabulary: String = "{import: vocab.txt}") throws -> (shop: Workshop, file: String) {
        let shop = try Workshop()
        try shop.write(spellingVocabulary, "vocab.txt")
        for n in 0..<64 { try shop.write(dump(n), "dumps/valley-\(n).xml") }
        let file = try shop.write(
            """
            version: 1
            stages:
              documents: {use: parse, with: {format: mediawiki, files: ["dumps/*.xml"]}}
              links: {use: link-extract, with: {kind: hyperlink}}
              graph: {use: graph, with: {sides: {by: text, validation: 0.1, test: 0.1}}}
              vocab: {use: vocabulary, with: \(vocabulary)}
              tokens: {use: tokenize}
              segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
            """, "pipeline.yaml")
        return (shop, file)
    }

    private let text = ["documents", "tokens", "segments"]

    /// The piece of a dump, in any stage.
    private func piece(_ dump: String) -> String { "mediawiki-" + Digest.of(dump).hex.prefix(12) }

    @Test func `one file added to 64, edited or removed runs the pieces that it touches`() throws {
        let (shop, file) = try valley()
        let first = try IncrementalRun(shop, file)
        for stage in text { #expect(first[stage] == Use(run: 64, reused: 0)) }

        // Town 64 is named by dump 10 alone, so that piece of the links runs beside the new one and the name counts.
        try shop.write(dump(64, of: 65), "dumps/valley-64.xml")
        let added = try IncrementalRun(shop, file)
        for stage in text { #expect(added[stage] == Use(run: 1, reused: 64), "\(stage)") }
        #expect(added["links"] == Use(run: 3, reused: 63))
        #expect(added["vocab"]?.run == 0)

        try shop.write(dump(20, extra: "A new inn has opened near the gate. "), "dumps/valley-20.xml")
        let edited = try IncrementalRun(shop, file)
        for stage in text { #expect(edited[stage] == Use(run: 1, reused: 64), "\(stage)") }
        #expect(edited["links"] == Use(run: 1, reused: 65))

        try FileManager.default.removeItem(atPath: shop.path("dumps/valley-64.xml"))
        try shop.write(dump(20), "dumps/valley-20.xml")
        let restored = try IncrementalRun(shop, file)
        for (stage, use) in restored.uses { #expect(use.run == 0, "\(stage): everything was made before") }
    }

    @Test func `a file removed from 64 runs only the links of those that name its titles`() throws {
        let (shop, file) = try valley()
        _ = try IncrementalRun(shop, file)
        try FileManager.default.removeItem(atPath: shop.path("dumps/valley-30.xml"))
        let removed = try IncrementalRun(shop, file)
        for stage in text { #expect(removed[stage] == Use(run: 0, reused: 63), "\(stage)") }
        // Dump 29 links to Town 30; the other piece holds the counts of all names.
        #expect(removed["links"] == Use(run: 2, reused: 62))
        let links = try #require(removed.pieces["links"])
        #expect(links.count == 2 && links.contains("names"))
        #expect(links.contains { $0.hasPrefix(piece(dump(29))) })
    }

    @Test func `a text added to 64, or edited, runs its own piece`() throws {
        let shop = try Workshop()
        let yaml = """
            version: 1
            stages:
              documents: {use: parse, with: {format: text, files: ["towns/*.txt"]}}
              vocab: {use: vocabulary, with: {import: vocab.txt}}
              tokens: {use: tokenize}
              segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
            """
        let file = try shop.write(yaml, "pipeline.yaml")
        try shop.write(spellingVocabulary, "vocab.txt")
        func write(_ n: Int, _ more: String = "") throws {
            let text = "The road to town \(n) leads over the hill and past the old stone bridge. \(more)\n"
            try shop.write(text, "towns/town-\(n).txt")
        }
        for n in 0..<64 { try write(n) }
        let first = try IncrementalRun(shop, file)
        for stage in text { #expect(first[stage] == Use(run: 64, reused: 0), "\(stage)") }

        try write(64)
        let added = try IncrementalRun(shop, file)
        for stage in text { #expect(added[stage] == Use(run: 1, reused: 64), "\(stage)") }

        try write(20, "A new inn has opened near the gate.")
        let edited = try IncrementalRun(shop, file)
        for stage in text { #expect(edited[stage] == Use(run: 1, reused: 64), "\(stage)") }
    }

    // MARK: Vocabularies

    @Test func `a trained vocabulary that changes tokenizes all again, and the plan says so before`() throws {
        let (shop, file) = try valley("{size: 90}")
        _ = try IncrementalRun(shop, file)

        // Two letters that no text had: nearly every id moves.
        try shop.write(dump(64, of: 65, extra: "A jazz quartet plays. "), "dumps/valley-64.xml")
        let plan = try planned(shop, file, "tokens")
        #expect(
            plan.reasons == [
                ["kind": "upstream", "stage": "documents"],
                ["kind": "upstream", "stage": "vocab", "port": "vocabulary"],
            ])
        #expect(plan.text.contains("at most all (last time 64)"))
        #expect(plan.text.contains("vocab (every piece reads port vocabulary: if it changes, all run again)"))
        #expect(!plan.text.contains("are reused"))
        #expect(try shop.run("why", file, "tokens").output.contains("every piece reads port vocabulary"))
        let changed = try IncrementalRun(shop, file)
        #expect(changed["documents"] == Use(run: 1, reused: 64))
        #expect(changed["vocab"] == Use(run: 1, reused: 64), "words are counted by piece")
        #expect(changed["tokens"] == Use(run: 65, reused: 0))
        #expect(changed["segments"] == Use(run: 65, reused: 0))

        // The same words once more: the tokens of the vocabulary come out as they were.
        try shop.write(dump(65, of: 66), "dumps/valley-65.xml")
        let same = try IncrementalRun(shop, file)
        #expect(same["vocab"] == Use(run: 1, reused: 65))
        #expect(same["tokens"] == Use(run: 1, reused: 65))
        #expect(same["segments"] == Use(run: 1, reused: 65))
    }

    @Test func `with an imported vocabulary the plan promises reuse, and one piece is tokenized`() throws {
        let (shop, file) = try valley()
        _ = try IncrementalRun(shop, file)
        try shop.write(dump(64, of: 65, extra: "A jazz quartet plays. "), "dumps/valley-64.xml")
        let plan = try planned(shop, file, "tokens")
        #expect(plan.reasons == [["kind": "upstream", "stage": "documents"]])
        #expect(
            plan.text.contains(
                "upstream runs: documents; port vocabulary stays: pieces of unchanged parts are reused"))
        let added = try IncrementalRun(shop, file)
        #expect(added["tokens"] == Use(run: 1, reused: 64))

        try shop.write(spellingVocabulary + "jazz\n", "vocab.txt")
        let other = try planned(shop, file, "tokens")
        #expect(other.reasons == [["kind": "upstream", "stage": "vocab", "port": "vocabulary"]])
        #expect(try IncrementalRun(shop, file)["tokens"] == Use(run: 65, reused: 0))
    }

    // MARK: Updates

    private func records(_ records: [(pmid: Int, text: String, cites: Int)]) -> String {
        let articles = records.map { record in
            """
            <PubmedArticle><MedlineCitation><PMID Version="1">\(record.pmid)</PMID><Article>
            <ArticleTitle>Study \(record.pmid)</ArticleTitle>
            <Abstract><AbstractText>\(record.text)</AbstractText></Abstract></Article></MedlineCitation>
            <PubmedData><ReferenceList><Reference><ArticleIdList>
            <ArticleId IdType="pubmed">\(record.cites)</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData>
            </PubmedArticle>
            """
        }
        return "<PubmedArticleSet>\n" + articles.joined(separator: "\n") + "\n</PubmedArticleSet>\n"
    }

    @Test func `a PubMed update file runs itself and the part whose record it replaces`() throws {
        let shop = try Workshop()
        try shop.write(spellingVocabulary, "vocab.txt")
        let file = try shop.write(
            """
            version: 1
            stages:
              documents: {use: parse, with: {format: pubmed, files: ["pubmed/*.xml"]}}
              links: {use: link-extract, with: {kind: citation}}
              vocab: {use: vocabulary, with: {import: vocab.txt}}
              tokens: {use: tokenize}
              segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
            """, "pipeline.yaml")
        // Files of three records: 11, 12, 13; 21, 22, 23; … Each cites the first of the next file, 52 one to come.
        for n in 1...6 {
            let three = (1...3).map { k in
                (10 * n + k, "We weighed mussels on shore \(n) for \(k) weeks.", n == 5 && k == 2 ? 99 : 10 * n + 11)
            }
            try shop.write(records(three), "pubmed/pubmed-0\(n).xml")
        }
        let first = try IncrementalRun(shop, file)
        for stage in text { #expect(first[stage] == Use(run: 6, reused: 0), "\(stage)") }

        try shop.write(
            records([(22, "We weighed the mussels of shore 2 again.", 31)]), "pubmed/pubmed-07.xml")
        let replaced = try IncrementalRun(shop, file)
        #expect(replaced["documents"] == Use(run: 1, reused: 6))
        for stage in ["tokens", "segments"] { #expect(replaced[stage] == Use(run: 2, reused: 5), "\(stage)") }
        #expect(replaced.pieces["tokens"] == replaced.pieces["segments"])
        // The documents are as many as before, under the same names: their counts stay too.
        #expect(replaced["links"] == Use(run: 2, reused: 6))

        // A record that was not there yet, and that one of file 5 cites.
        try shop.write(records([(99, "Shore 9 has no mussels.", 11)]), "pubmed/pubmed-08.xml")
        let added = try IncrementalRun(shop, file)
        for stage in text { #expect(added[stage] == Use(run: 1, reused: 7), "\(stage)") }
        #expect(added["links"] == Use(run: 3, reused: 6))
        #expect(try shop.run("cat", file, "documents").output.split(separator: "\n").count == 19)
    }
}
