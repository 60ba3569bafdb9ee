// Pairs drawn in buckets: a document added, edited or removed runs the buckets that can meet a change of it.

import Container
import Corpus
import Foundation
import Testing

@Suite struct IncrementalPairsTests {
    private static let buckets = 16, passes = 2

    private static let yaml = """
        version: 1
        stages:
          documents: {use: parse, with: {format: mediawiki, corpus: valley, files: ["dumps/*.xml"]}}
          links: {use: link-extract, with: {kind: hyperlink}}
          graph: {use: graph, with: {sides: {by: none}}}
          vocab: {use: vocabulary, with: {import: vocab.txt}}
          tokens: {use: tokenize}
          segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
          pairs: {use: pair-sample, with: {random_buckets: \(buckets), passes: \(passes)}}
        """

    private static let words = [
        "river", "stone", "bridge", "market", "honey", "wool", "bread", "road", "hill", "gate", "summer", "winter",
        "rye", "wheat", "farm", "barn", "horse", "cart", "wheel", "church", "bell", "tower", "wall", "well", "orchard",
        "apple", "plum", "smith", "baker", "weaver", "song", "fair",
    ]

    /// A text of words of its own, so that no two are nearly equal.
    private func text(_ seed: Int, _ links: [String], more: String = "The old road turns north.") -> String {
        var random = SplitMix64(seed: UInt64(seed))
        let sentences = (0..<8).map { _ in
            (0..<8).map { _ in Self.words[Int.random(in: 0..<Self.words.count, using: &random)] }.joined(separator: " ")
        }
        return (sentences.map { "A \($0)." } + [more] + links.map { "It lies near [[\($0)]]." }).joined(separator: " ")
    }

    /// Each town links to the next one, each mill to its town and to Town 0, the hub; Town 10 also to one to come.
    private func dump(_ n: Int, hub: String = "The old road turns north.") -> String {
        let near = n == 64 ? ["Town 0"] : ["Town \((n + 1) % 64)"] + (n == 10 ? ["Town 64"] : [])
        return wikiDump([
            ("Town \(n)", 2 * n + 1, text(2 * n + 1, near, more: n == 0 ? hub : "The old road turns north.")),
            ("Mill \(n)", 2 * n + 2, text(2 * n + 2, ["Town \(n)"] + (n == 64 ? [] : ["Town 0"]))),
        ])
    }

    private func town(_ n: Int) -> Int { 2 * n + 1 }
    private func mill(_ n: Int) -> Int { 2 * n + 2 }

    /// The pieces of the buckets that these pages are in.
    private func pieces(_ pages: [Int]) -> [String] {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        let touched = Set(
            pages.map { page in
                SamplingIndex.bucket(
                    of: DocumentID.make(corpus: "valley", sourceID: "\(page)".utf8), buckets: Self.buckets)
            })
        return (0..<Self.passes).flatMap { pass in
            touched.sorted().map { "pass-\(padded(pass, 4))-bucket-\(padded($0, 5))" }
        }
    }

    @Test func `a page added, edited or removed runs the buckets that it and its neighbours are in`() throws {
        let shop = try Workshop()
        let file = try shop.write(Self.yaml, "pipeline.yaml")
        try shop.write(spellingVocabulary, "vocab.txt")
        for n in 0..<64 { try shop.write(dump(n), "dumps/valley-\(n).xml") }
        let all = Self.buckets * Self.passes
        #expect(try IncrementalRun(shop, file)["pairs"] == Use(run: Int64(all), reused: 0))

        func expect(
            _ pages: [Int], buckets: Int, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let expected = pieces(pages)
            #expect(expected.count == buckets * Self.passes, what, sourceLocation: sourceLocation)
            let run = try IncrementalRun(shop, file)
            #expect(run.pieces["pairs"] == expected, what, sourceLocation: sourceLocation)
            let use = Use(run: Int64(expected.count), reused: Int64(all - expected.count))
            #expect(run["pairs"] == use, what, sourceLocation: sourceLocation)
        }

        // Town 0 has one in-link more, 66 instead of 65, which its class of in-degrees does not tell.
        try shop.write(dump(64), "dumps/valley-64.xml")
        try expect([town(64), mill(64), town(10)], buckets: 3, "the new pages, and the one that names one of them")

        // As long as before: only equal texts could tell, and those are looked for among the bucket's own.
        try shop.write(dump(0, hub: "The old road turns south."), "dumps/valley-0.xml")
        try expect([town(0)], buckets: 1, "not the buckets of the 65 pages that link to it")

        // Town 19 loses a link. Town 21 keeps one in-link of two, so Mill 21, which links to it, weighs it anew.
        try FileManager.default.removeItem(atPath: shop.path("dumps/valley-20.xml"))
        try expect([town(20), mill(20), town(19), mill(21)], buckets: 4, "the pages that are gone and those near them")
    }
}
