// Stage parse: pieces that follow the files, parts that follow the text, replaced documents, shared lines, errors.

import Container
import Corpus
import Foundation
import Pipeline
import Testing

import Stages

@Suite struct ParseStageTests {
    private func dump(_ pages: [(id: Int, title: String, text: String)], wiki: String = "testwiki", namespace: Int = 0)
        -> String
    {
        var xml =
            "<mediawiki version=\"0.10\" xml:lang=\"en\"><siteinfo><sitename>Test</sitename><dbname>\(wiki)</dbname>"
        xml += "<case>first-letter</case><namespaces><namespace key=\"0\" case=\"first-letter\"/>"
        xml += "<namespace key=\"6\" case=\"first-letter\">Bild</namespace></namespaces></siteinfo>"
        for page in pages {
            xml += "<page><title>\(page.title)</title><ns>\(namespace)</ns><id>\(page.id)</id>"
            if page.text.hasPrefix("#REDIRECT") { xml += "<redirect title=\"\(page.text.dropFirst(10))\"/>" }
            xml += "<revision><text>\(page.text)</text></revision></page>\n"
        }
        return xml + "</mediawiki>"
    }

    private func file(_ run: ToyRun, _ name: String, _ text: String) throws -> InputFile {
        var file = try run.file(name, text)
        file.digest = Digest.of(text)
        return file
    }

    private func config(_ files: [InputFile], _ change: (inout ParseConfig) -> Void = { _ in }) -> ParseConfig {
        var config = ParseConfig()
        config.files = files
        config.corpus = "toy"
        change(&config)
        return config
    }

    private func parse(_ run: ToyRun, _ config: ParseConfig, backwards: Bool = false) throws
        -> (artifact: StoredArtifact, columns: [DocumentColumns])
    {
        let artifact = try run.run(Parse.self, config, [:], files: config.files, backwards: backwards).artifact
        return (artifact, try artifact.manifest.parts.map { try DocumentColumns(reading: artifact.columns($0)) })
    }

    @Test func `pages become documents with ids, blocks, links and redirects`() throws {
        let run = try ToyRun()
        let text = dump([
            (1, "Harbour", "A [[ship]]s' place.\n\n== Kinds ==\n* [[Quay|quays]] [[Bild:x.png]]"),
            (2, "Port", "#REDIRECT Harbour"),
            (3, "Quay", "Stone."), (4, "Bare", "{{only|a template}}"),
        ])
        let (artifact, parts) = try parse(run, config([try file(run, "dump.xml", text)]))
        let columns = try #require(parts.first)
        #expect(columns.id == ["1", "3"].map { DocumentID.make(corpus: "toy", sourceID: $0.utf8) })
        #expect((0..<2).map { columns.title.string($0) } == ["Harbour", "Quay"])
        #expect(columns.text.string(0) == "A ships' place.\nKinds\nquays")
        #expect(
            columns.blockOffsets == [0, 3, 4] && columns.blockBegin == [0, 16, 22, 0]
                && columns.blockKind == [0, 1, 2, 0])
        #expect(columns.linkOffsets == [0, 2, 2] && columns.linkBegin == [2, 22] && columns.linkEnd == [7, 27])
        #expect((0..<2).map { columns.linkTarget.string($0) } == ["ship", "Quay"])
        #expect(columns.redirectFrom.string(0) == "Port" && columns.redirectTo.string(0) == "Harbour")
        let metadata = artifact.manifest.metadata
        #expect(
            metadata["site"]?["namespaces"]?.array?.count == 2 && metadata["site"]?["case"]?.string == "first-letter")
        for (name, count) in ["documents": 2, "pages": 4, "articles": 3, "redirects": 1, "without_text": 1, "links": 2]
        {
            #expect(metadata["counts"]?[name]?.int == Int64(count), "\(name)")
        }
    }

    @Test func `pieces follow the files, and their order of work changes no byte`() throws {
        let run = try ToyRun()
        let files = try (0..<257).map { try file(run, "t\($0).txt", "Text number \($0).\n") }
        let few = config(Array(files.prefix(64))) { $0.format = .text }
        let many = config(files) { $0.format = .text }
        for config in [few, many] {
            let forth = try parse(run, config).artifact.manifest
            let back = try parse(run, config, backwards: true).artifact.manifest
            #expect(forth.digest == back.digest)
            #expect(forth.metadata["counts"]?["documents"]?.int == Int64(config.files.count))
        }
        // A file more leaves the other files' pieces as they were.
        let context = { (config: ParseConfig) in run.context(Parse.self, config, [:], files: config.files) }
        let before = try Parse.gather(context(few)).map(\.name)
        let after = try Parse.gather(context(config([files[200]] + files.prefix(64)) { $0.format = .text })).map(\.name)
        #expect(Array(after.dropFirst()) == before && Set(after).count == 65)
        #expect(try Parse.gather(context(config(Array(files.dropLast())) { $0.format = .text })).count == 256)
        #expect(try Parse.gather(context(many)).count <= 16)
    }

    @Test func `a later version of a document replaces the earlier one, and is counted`() throws {
        let run = try ToyRun()
        let old = try file(run, "old.xml", dump([(1, "A", "old text"), (2, "B", "kept"), (2, "B", "kept again")]))
        let new = try file(run, "new.xml", dump([(1, "A", "new text")]))
        let (artifact, parts) = try parse(run, config([old, new]))
        let texts = parts.flatMap { part in (0..<part.count).map { part.text.string($0) } }
        #expect(texts == ["kept again", "new text"])
        let counts = artifact.manifest.metadata["counts"]
        #expect(counts?["replaced"]?.int == 2 && counts?["documents"]?.int == 2)
        #expect(counts?["blocks"]?.int == 2 && counts?["links"]?.int == 0 && counts?["text_bytes"]?.int == 18)
        let (_, reversed) = try parse(run, config([new, old]))
        #expect(
            reversed.flatMap { part in (0..<part.count).map { part.text.string($0) } } == ["old text", "kept again"])
    }

    @Test func `dumps of two wikis in one stage are refused`() throws {
        let run = try ToyRun()
        let files = [
            try file(run, "a.xml", dump([(1, "A", "x")])),
            try file(run, "b.xml", dump([(1, "A", "y")], wiki: "otherwiki")),
        ]
        #expect(throws: StageError.self) { try parse(run, config(files)) }
    }

    @Test func `parts are closed after 32 MiB of text, at a document's border`() throws {
        let run = try ToyRun()
        let line = String(repeating: "harbour ", count: 1 << 17)
        let pages = (0..<70).map { (id: $0 + 1, title: "T\($0)", text: line) }
        let (artifact, parts) = try parse(run, config([try file(run, "big.xml", dump(pages))]))
        #expect(parts.map(\.count) == [33, 33, 4])
        #expect(parts.allSatisfy { $0.text.bytes.count <= (33 << 20) })
        #expect(Set(artifact.manifest.parts.map(\.name)).count == 3)
    }

    @Test func `lines that many documents share are reported once a document`() throws {
        let run = try ToyRun()
        let pages = (0..<40).map {
            (id: $0 + 1, title: "T\($0)", text: "Own text \($0).\n\nLicence\n\nLicence\n\n" + ($0 < 2 ? "Rare" : ""))
        }
        let plain = try parse(run, config([try file(run, "d.xml", dump(pages))])).artifact.manifest.metadata
        #expect(
            plain["frequent_lines"]
                == [
                    ["line": "Licence", "documents": 40, "share": 1.0],
                    ["line": "Rare", "documents": 2, "share": 0.05],
                ])
        let dropped = try parse(run, config([try file(run, "d.xml", dump(pages))]) { $0.drop = ["^Licence$"] }).artifact
            .manifest.metadata
        #expect(dropped["frequent_lines"]?.array?.count == 1)
        #expect(dropped["counts"]?["dropped_paragraphs"]?.int == 80)
    }

    @Test func `bad files fail with place, cause and fix; files without documents say so`() throws {
        let run = try ToyRun()
        let empty = try file(run, "empty.xml", dump([(1, "Talk", "x")], namespace: 1))
        let broken = try file(run, "broken.xml", "<mediawiki version=\"0.10\"><page></mediawiki>")
        for (input, message) in [(empty, "hold no document"), (broken, "XML is malformed")] {
            do {
                _ = try parse(run, config([input]))
                Issue.record("accepted \(input.logicalName)")
            } catch let error as StageError {
                #expect(error.message.contains(message) && error.fix != nil && error.cause != nil)
            }
        }
        var wrong = ParseConfig()
        wrong.drop = ["(open"]
        wrong.commentPrefix = "#"
        #expect(wrong.problems().map(\.key) == ["drop", "comment_prefix"])
    }

    @Test func `frequent lines survive more distinct lines than there are counters`() throws {
        let run = try ToyRun()
        let pages = (0..<200).map { page in
            (
                id: page + 1, title: "T\(page)",
                text: (0..<500).map { "Line \(page) \($0).\n\n" }.joined() + "Shared line"
            )
        }
        let metadata = try parse(run, config([try file(run, "d.xml", dump(pages))])).artifact.manifest.metadata
        let first = try #require(metadata["frequent_lines"]?.array?.first)
        let count = try #require(first["documents"]?.int)
        // Low by at most the number of lines over 65,536.
        #expect(first["line"]?.string == "Shared line" && (198...200).contains(count))
    }
}
