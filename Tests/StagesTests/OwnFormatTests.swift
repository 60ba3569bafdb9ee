// Stage parse on corpora of one's own: JSON Lines and WikiExtractor's output, up to the links between documents.

import Container
import Corpus
import Foundation
import Pipeline
import Testing

import Stages

@Suite struct OwnFormatTests {
    private func files(_ run: ToyRun, _ texts: [String]) throws -> [InputFile] {
        try texts.enumerated().map { number, text in
            var file = try run.file("own-\(number).jsonl", text)
            file.digest = Digest.of(text)
            return file
        }
    }

    private func config(_ format: ParseConfig.Format, _ files: [InputFile]) -> ParseConfig {
        var config = ParseConfig()
        config.format = format
        config.files = files
        config.corpus = "own"
        return config
    }

    /// Edges as `source title → target title`, with the anchor where there is one.
    private func edges(_ run: ToyRun, _ documents: StoredArtifact, _ kind: LinkExtractConfig.Kind) throws -> [String] {
        var config = LinkExtractConfig()
        config.kind = kind
        let links = try run.run(LinkExtract.self, config, ["documents": [documents]]).artifact
        var titles: [UInt64: String] = [:]
        var texts: [UInt64: [UInt8]] = [:]
        for part in documents.manifest.parts {
            let columns = try DocumentColumns(reading: documents.columns(part))
            for i in 0..<columns.count {
                titles[columns.id[i]] = columns.title.string(i)
                texts[columns.id[i]] = Array(columns.text.string(i).utf8)
            }
        }
        var edges: [String] = []
        for part in links.manifest.parts {
            let columns = try LinkColumns(reading: links.columns(part))
            for i in 0..<columns.count {
                var edge = "\(titles[columns.source[i]] ?? "?") → \(titles[columns.target[i]] ?? "?")"
                if columns.begin[i] != LinkColumns.wholeDocument {
                    let anchor = texts[columns.source[i]]![Int(columns.begin[i])..<Int(columns.end[i])]
                    edge += " (\(String(decoding: anchor, as: UTF8.self)))"
                }
                edges.append(edge)
            }
        }
        return edges
    }

    @Test func `links lead by title, by another title, by alias and by id`() throws {
        let run = try ToyRun()
        let text = #"""
            {"id": "go:7", "title": "growth", "text": "Growth of a cell.", "aliases": ["cell growth"], "links": ["GO:8", "go:8"]}
            {"id": "go:8", "title": "life", "text": "Life is cell growth.", "links": [{"target": "Cell growth", "begin": 8, "end": 19}]}
            {"id": "12", "title": "death", "text": "The end.", "aliases": ["doi:10.1/X"], "links": ["go:7", "id:13"]}
            {"id": 13, "title": "birth", "text": "The beginning.", "links": ["doi:10.1/x", "id:12", "id:99", "Growth"]}
            """#
        let files = try files(run, [text])
        let documents = try run.run(Parse.self, config(.jsonl, files), [:], files: files).artifact
        #expect(try edges(run, documents, .hyperlink) == ["life → growth (cell growth)", "birth → growth"])
        #expect(
            try edges(run, documents, .citation) == [
                "growth → life", "death → growth", "death → birth", "birth → death",
            ])
        #expect(documents.manifest.metadata["counts"]?["redirects"]?.int == 1)
    }

    @Test func `the later of two lines with one id counts, in a file and between files`() throws {
        let run = try ToyRun()
        let files = try files(
            run,
            [
                #"{"id": "a", "text": "old a"}"# + "\n" + #"{"id": "b", "text": "old b"}"# + "\n"
                    + #"{"id": "b", "text": "b"}"#,
                #"{"id": "c", "text": "c"}"# + "\n" + #"{"id": "a", "text": "a"}"#,
            ])
        let documents = try run.run(Parse.self, config(.jsonl, files), [:], files: files).artifact
        let texts = try documents.manifest.parts.flatMap { part in
            let columns = try DocumentColumns(reading: documents.columns(part))
            return (0..<columns.count).map { columns.text.string($0) }
        }
        #expect(texts == ["b", "c", "a"])
        #expect(documents.manifest.metadata["counts"]?["replaced"]?.int == 2)
    }

    @Test func `titles with slashes, dots and bidirectional marks are names and nothing more`() throws {
        let run = try ToyRun()
        let titles = ["/etc/passwd", "../../up", "AC/DC", "a\u{202E}b", "con", "..", "\u{200F}חוף"]
        var text = ""
        for (i, title) in titles.enumerated() {
            let next = titles[(i + 1) % titles.count]
            text += "{\"id\": \"\(title)\", \"text\": \"Text of \(i).\", \"links\": [\"\(next)\"]}\n"
        }
        let files = try files(run, [text])
        let documents = try run.run(Parse.self, config(.jsonl, files), [:], files: files).artifact
        let columns = try DocumentColumns(reading: documents.columns(documents.manifest.parts[0]))
        #expect((0..<columns.count).map { columns.title.string($0) } == titles)
        #expect(try edges(run, documents, .hyperlink).count == titles.count)
    }

    @Test func `rejected lines are counted by reason with their places, unknown fields by name`() throws {
        let run = try ToyRun()
        let text = #"""
            {"id": "1", "text": "one", "url": "u", "date": 5}
            {"id": "2", "text": "two", "links": [{"target": "1", "begin": 0, "end": 9}]}
            nonsense
            {"id": "3", "text": "thrée", "url": null, "links": [{"target": "1", "begin": 0, "end": 5}]}
            """#
        let files = try files(run, [text])
        let (artifact, results) = try run.run(Parse.self, config(.jsonl, files), [:], files: files)
        let rejections = try #require(results.first).rejections
        #expect(
            rejections.counts == ["link_out_of_bounds": 1, "wrong_type": 1])
        #expect(rejections.total == 4)
        #expect(rejections.samples.map(\.place) == ["own-0.jsonl:2:38", "own-0.jsonl:3:1"])
        #expect(artifact.manifest.metadata["unknown_fields"] == .object(["date": .int(1), "url": .int(2)]))
        #expect(artifact.manifest.metadata["counts"]?["unknown_fields"]?.int == 3)
    }

    @Test func `many files of WikiExtractor go to buckets that their content decides`() throws {
        let run = try ToyRun()
        let texts = (0..<300).map {
            "<doc id=\"\($0)\" url=\"u\" title=\"T\($0)\">\nT\($0)\n\nSee &lt;a href=\"T\(($0 + 1) % 300)\"&gt;it&lt;/a&gt;.\n\n</doc>\n"
        }
        let files = try files(run, texts)
        let config = config(.wikiextractor, files)
        let (artifact, results) = try run.run(Parse.self, config, [:], files: files)
        #expect(results.count <= 16)
        #expect(
            try run.run(Parse.self, config, [:], files: files, backwards: true).artifact.manifest == artifact.manifest)
        let edges = try edges(run, artifact, .hyperlink)
        #expect(edges.count == 300 && edges.contains("T299 → T0 (it)"))
    }
}
