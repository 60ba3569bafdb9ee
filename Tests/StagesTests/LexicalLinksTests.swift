// Lexical links against scikit-learn, and through the stage: the same links in any parts.

import Container
import Corpus
import Foundation
import Pipeline
import Stages
import Testing
import Text

@Suite struct LexicalLinksTests {
    private static func rows(_ name: String) throws -> [[String]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../Goldens/lexical")
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        return text.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Title and text.
    private static func corpus() throws -> [(title: String, text: String)] {
        try rows("corpus.tsv").map { ($0[0], $0[1]) }
    }

    @Test(arguments: [LexicalOptions.Similarity.cosine, .dot])
    func `neighbours and scores are those of scikit-learn`(similarity: LexicalOptions.Similarity) throws {
        var options = LexicalOptions()
        options.similarity = similarity
        options.hashBits = 26
        let documents = try Self.corpus()
        var scanner = WordHashes()
        let words = documents.map { title, text in
            scanner.removeAll()
            for part in [title, text] { Array(part.utf8).withUnsafeBufferPointer { scanner.append($0) } }
            return scanner.hashes
        }
        var counter = TermCounter(options)
        for words in words { counter.add(words) }
        let ranks = TermRanks(counter.finish(), options)
        var builder = TermVectorBuilder(ranks)
        var vectors = TermVectors()
        for words in words { builder.append(words, to: &vectors) }
        var search = LexicalSearch(Array(0..<UInt64(documents.count)), vectors, ranks)
        try search.addBlock()
        let golden = try Self.rows("\(similarity.rawValue).tsv")
        #expect(golden.count == documents.count)
        for (found, row) in zip(search.finish(), golden) {
            let expected = row.dropFirst().map { $0.split(separator: ":").map { Double($0)! } }
            #expect(found.map { Double($0.document) } == expected.map { $0[0] }, "document \(row[0])")
            for (neighbour, pair) in zip(found, expected) {
                #expect(abs(neighbour.score - pair[1]) <= 1e-5 * max(1, pair[1]), "document \(row[0])")
            }
        }
    }

    @Test func `the stage gives the same links from one part or many, in any order of the pieces`() throws {
        let run = try ToyRun()
        let documents = try Self.corpus().map { ToyDocument(title: $0.title, text: $0.text) }
        var config = LinkExtractConfig()
        config.kind = .lexical
        config.hashBits = 16
        config.perDocument = 3
        func links(_ parts: [[ToyDocument]], backwards: Bool) throws -> (
            rows: Set<[UInt64]>, metadata: JSON, parts: Int
        ) {
            let inputs = ["documents": [try run.documents(parts)]]
            let made = try run.run(LinkExtract.self, config, inputs, backwards: backwards).artifact
            var rows: Set<[UInt64]> = []
            for part in made.manifest.parts {
                let links = try LinkColumns(reading: try made.columns(part))
                #expect(links.kind.allSatisfy { $0 == LinkKind.lexical.rawValue })
                for i in 0..<links.count {
                    rows.insert([links.source[i], links.target[i], UInt64(links.score[i].bitPattern)])
                }
            }
            return (rows, made.manifest.metadata, made.manifest.parts.count)
        }
        let one = try links([documents], backwards: false)
        let three = try links(
            [Array(documents[100...]), Array(documents[..<30]), Array(documents[30..<100])], backwards: true)
        #expect(one.parts == 1 && three.parts == 3)
        #expect(one.rows.count > 400 && one.rows == three.rows && one.metadata == three.metadata)
        #expect(one.metadata["lexical"]?["documents"]?.int == 160)
        // A part per piece up to 32 of them, then several.
        let many = documents.map { [$0] }
        let context = run.context(LinkExtract.self, config, ["documents": [try run.documents(many)]])
        #expect(try LinkExtract.gather(context).count == 32)
        #expect(try links(many, backwards: false).rows == one.rows)
    }

    @Test func `keys that a kind does not read are refused`() {
        var config = LinkExtractConfig()
        config.kind = .lexical
        config.similarity = .dot
        config.minScore = 0.1
        #expect(config.problems().isEmpty)
        config.seed = 4
        config.urlDecode = true
        #expect(config.problems().map(\.key) == ["url_decode", "seed"])
        config.kind = .edges
        #expect(config.problems().map(\.key) == ["edges", "similarity", "min_score", "seed"])
        #expect(config.problems().last?.fix == "remove it, or write `kind: random`")
    }
}
