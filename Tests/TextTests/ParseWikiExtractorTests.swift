// What WikiExtractor wrote of the sample wiki (Tests/Goldens/make_own.py) and odd forms of the same.

import Foundation
import Testing
import Text

@Suite struct ParseWikiExtractorTests {
    private func read(_ text: String) throws -> (
        documents: [ParsedDocument], rejected: [String], WikiExtractorReader.Summary
    ) {
        var reader = WikiExtractorReader()
        var documents: [ParsedDocument] = []
        var rejected: [String] = []
        try reader.read(
            file: "wiki_00", from: source(Array(text.utf8)),
            onDocument: {
                $0.check()
                documents.append($0)
            },
            onRejection: { rejected.append("\($0.place(file: "wiki_00")): \($0.problem.reason.rawValue)") })
        return (documents, rejected, reader.summary)
    }

    private func golden(_ name: String) throws -> [ParsedDocument] {
        var reader = WikiExtractorReader()
        var documents: [ParsedDocument] = []
        try reader.read(
            path: ParseGoldens.path("../own/\(name)"), onDocument: { documents.append($0) },
            onRejection: { _ in Issue.record("nothing is to be rejected") })
        documents.forEach { $0.check() }
        return documents
    }

    @Test func `both forms, with and without links, give the same articles`() throws {
        let linked = try golden("wiki_links.bz2")
        #expect(linked.count == 12 && linked.reduce(0) { $0 + $1.linkCount } == 100)
        let first = try #require(linked.first)
        #expect(first.sourceID == "1" && first.title == "Anchor" && first.blockCount == 2)
        #expect(Array(first.links.prefix(3)) == ["iron→iron", "ship→ship", "rope→rope"])
        #expect(first.blocks[0].hasPrefix("An anchor is a heavy hook of iron that holds a ship in its place."))
        let json = try golden("wiki_json_links.bz2")
        #expect(json.map(\.text) == linked.map(\.text) && json.map(\.links) == linked.map(\.links))
        #expect(json.map(\.sourceID) == linked.map(\.sourceID) && json.map(\.title) == linked.map(\.title))
        for name in ["wiki_plain.bz2", "wiki_json.bz2"] {
            let plain = try golden(name)
            #expect(plain.map(\.text) == linked.map(\.text) && plain.allSatisfy { $0.linkCount == 0 }, "\(name)")
        }
    }

    @Test func `anchors, escaped or not, become links with decoded targets`() throws {
        let text = """
            <doc id="7" url="https://x/wiki?curid=7" title="The "Old" &amp; new">
            The "Old" &amp; new

            A &lt;a href="Caf%C3%A9%20%28bar%29"&gt;café &amp;amp; bar&lt;/a&gt;s, <a href="Sea">the <b>sea</b></a> &amp; 3 &lt; 4.
            &lt;a href="http%3A//example.org"&gt;a site&lt;/a&gt; and <a href="Over">two
            lines</a> <a href="Never">closed, &lt;a here

            </doc>
            """
        let (documents, rejected, summary) = try read(text)
        #expect(rejected.isEmpty && documents.count == 1)
        let document = try #require(documents.first)
        #expect(document.title == "The \"Old\" & new" && document.sourceID == "7")
        #expect(
            document.blocks == [
                "A café &amp; bars, the <b>sea</b> & 3 < 4.", "a site and two", "lines closed, <a here",
            ])
        #expect(
            document.links == ["café &amp; bar→Café (bar)", "the <b>sea</b>→Sea", "→Over", "→Never"])
        #expect(summary.externalLinks == 1 && summary.links.acrossBlocks == 1)
    }

    @Test func `an article that is cut off is rejected, and those around it are read`() throws {
        let text = """
            <doc id="1" url="u" title="A">
            A

            Text of A.

            <doc id="2" revid="9" url="u" title="B" language="en" revision="9">
            Text of B.
            </doc>
            stray
            text

            <doc id="3" url="u" title="C">
            """
        let (documents, rejected, _) = try read(text)
        #expect(documents.map(\.title) == ["B"] && documents.first?.blocks == ["Text of B."])
        #expect(
            rejected == [
                "wiki_00:1:1: unclosed_document", "wiki_00:9:1: outside_document", "wiki_00:12:1: unclosed_document",
            ])
    }

    @Test func `another file is refused`() {
        let error = #expect(throws: TextError.self) { try read("\n<mediawiki>") }
        #expect(error?.code == .unsupported && error?.description.contains("check `format`") == true)
    }
}
