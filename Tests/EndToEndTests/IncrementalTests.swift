// One file more, less or another among 64, dumps or texts: what runs again is what the file touches.

import Container
import Foundation
import Testing

@Suite struct IncrementalTests {
    /// A dump of two pages: `Town n` links to the next town and, in dump 10, to the town that is not there yet.
    private func dump(_ n: Int, of count: Int = 64, extra: String = "") -> String {
        func page(_ title: String, _ id: Int, _ text: String) -> String {
            """
              <page><title>\(title)</title><ns>0</ns><id>\(id)</id>
                <revision><id>\(id)</id><model>wikitext</model><text>\(text)</text></revision></page>
            """
        }
        let walk = "The road leads over the hill and past the old stone bridge to [[Town \((n + 1) % count)]]. "
        let fair = "Every year in late summer the people of the valley meet there for the fair of wool and honey. "
        let more = n == 10 ? "Some say that the best bread comes from [[Town 64]]. " : ""
        let mill = "The mill of [[Town \(n)]] grinds rye and wheat for \(n + 2) farms. "
        return """
            <mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
            <siteinfo><sitename>Valley</sitename><dbname>valley</dbname><namespaces>
              <namespace key="0" case="first-letter" /></namespaces></siteinfo>
            \(page("Town \(n)", 2 * n + 1, walk + fair + more + extra + fair))
            \(page("Mill \(n)", 2 * n + 2, mill + fair + walk + fair))
            </mediawiki>
            """
    }

    private let yaml = """
        version: 1
        stages:
          documents: {use: parse, with: {format: mediawiki, files: ["dumps/*.xml"]}}
          links: {use: link-extract, with: {kind: hyperlink}}
          graph: {use: graph, with: {sides: {by: text, validation: 0.1, test: 0.1}}}
          vocab: {use: vocabulary, with: {import: vocab.txt}}
          tokens: {use: tokenize}
          segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
        """

    /// Letters and signs: enough to spell every text.
    private var vocabulary: String {
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789".map(String.init)
        return
            (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ","] + letters + letters.map { "##" + $0 })
            .joined(separator: "\n") + "\n"
    }

    private struct Use: Equatable {
        var run: Int64
        var reused: Int64
    }

    private func uses(_ shop: Workshop, _ file: String) throws -> [String: Use] {
        let run = try shop.run("run", file, "--json")
        try #require(run.status == 0, "\(run.errors)")
        return Dictionary(
            uniqueKeysWithValues: (try run.json["stages"]?.array ?? []).map {
                ($0["name"]?.string ?? "", Use(run: $0["run"]?.int ?? -1, reused: $0["reuse"]?.int ?? -1))
            })
    }

    @Test func `one file added to 64, edited or removed runs the pieces that it touches`() throws {
        let shop = try Workshop()
        try FileManager.default.createDirectory(atPath: shop.path("dumps"), withIntermediateDirectories: true)
        try shop.write(vocabulary, "vocab.txt")
        for n in 0..<64 { try shop.write(dump(n), "dumps/valley-\(n).xml") }
        let file = try shop.write(yaml, "pipeline.yaml")
        let first = try uses(shop, file)
        let text = ["documents", "tokens", "segments"]
        for stage in text { #expect(first[stage] == Use(run: 64, reused: 0)) }

        // Town 64 is named by dump 10 alone, so that piece of the links runs beside the new one and the name counts.
        try shop.write(dump(64, of: 65), "dumps/valley-64.xml")
        let added = try uses(shop, file)
        for stage in text { #expect(added[stage] == Use(run: 1, reused: 64), "\(stage)") }
        #expect(added["links"] == Use(run: 3, reused: 63))
        #expect(added["vocab"]?.run == 0)

        try shop.write(dump(20, extra: "A new inn has opened near the gate. "), "dumps/valley-20.xml")
        let edited = try uses(shop, file)
        for stage in text { #expect(edited[stage] == Use(run: 1, reused: 64), "\(stage)") }
        #expect(edited["links"] == Use(run: 1, reused: 65))

        try FileManager.default.removeItem(atPath: shop.path("dumps/valley-64.xml"))
        try shop.write(dump(20), "dumps/valley-20.xml")
        let restored = try uses(shop, file)
        for (stage, use) in restored { #expect(use.run == 0, "\(stage): everything was made before") }
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
        try shop.write(vocabulary, "vocab.txt")
        func write(_ n: Int, _ more: String = "") throws {
            let text = "The road to town \(n) leads over the hill and past the old stone bridge. \(more)\n"
            try shop.write(text, "towns/town-\(n).txt")
        }
        for n in 0..<64 { try write(n) }
        let text = ["documents", "tokens", "segments"]
        let first = try uses(shop, file)
        for stage in text { #expect(first[stage] == Use(run: 64, reused: 0), "\(stage)") }

        try write(64)
        let added = try uses(shop, file)
        for stage in text { #expect(added[stage] == Use(run: 1, reused: 64), "\(stage)") }

        try write(20, "A new inn has opened near the gate.")
        let edited = try uses(shop, file)
        for stage in text { #expect(edited[stage] == Use(run: 1, reused: 64), "\(stage)") }
    }
}
