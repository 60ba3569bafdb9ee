// JATSReader: blocks, spans and identifiers of full texts, against lxml's counts; what must not become text; bad input.

import Foundation
import Testing

import Text

@Suite struct JATSReaderTests {
    private func read(_ path: String, _ options: JATSOptions = JATSOptions()) throws
        -> (articles: [JATSArticle], rejected: [(reason: String, place: String)])
    {
        let reader = try JATSReader(path: path, options: options)
        var articles: [JATSArticle] = []
        var rejected: [(String, String)] = []
        while let event = try reader.next() {
            switch event {
            case .article:
                reader.article.document.check()
                articles.append(reader.article)
            case .rejected(let reason, let place): rejected.append((reason, place))
            }
        }
        return (articles, rejected)
    }

    private static func golden(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appendingPathComponent("Goldens/jats/\(name)").path
    }

    private struct Expected: Decodable {
        var paragraphs: Int, references: Int, identifiers: [String], bibliographic_links: Int, related: [String]
    }

    private static func article(_ body: String, ids: String = "<article-id pub-id-type=\"doi\">10.1/x</article-id>")
        -> String
    {
        "<article><front><article-meta>\(ids)<title-group><article-title>T</article-title></title-group></article-meta>"
            + "</front><body>\(body)</body></article>"
    }

    @Test(arguments: ["jats.xml", "nlm.nxml"])
    func `references, citations and related articles are those that lxml finds`(_ name: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.golden("expected.json")))
        let expected = try #require(JSONDecoder().decode([String: Expected].self, from: data)[name])
        let article = try #require(try read(Self.golden(name)).articles.first)
        let document = article.document
        #expect(article.references == expected.references)
        #expect((0..<document.linkCount).count { document.hasPlace($0) } == expected.bibliographic_links)
        for id in expected.identifiers + expected.related {
            #expect(document.linkTarget.strings.contains { $0.contains(":" + id) }, "\(id)")
        }
        #expect(article.relatedArticles == expected.related.count)
    }

    @Test func `appendices are text with citations, what else stands at the end is not`() throws {
        let folder = try TemporaryFolder()
        let back = """
            <back><ack><p>Thanks.</p></ack><app-group><app id="a"><label>A</label><title>Proof</title>
            <sec><title>Case 1</title><p>As shown <xref ref-type="bibr" rid="r">(Ole)</xref>.</p></sec>
            <ref-list><ref id="r"><element-citation><pub-id pub-id-type="pmid">7</pub-id></element-citation></ref>
            </ref-list></app></app-group><sec sec-type="additional-information"><title>Additional information</title>
            <p>Nothing to declare.</p></sec></back></article>
            """
        let text = Self.article("<p>Body.</p>").replacingOccurrences(of: "</article>", with: back)
        let document = try #require(try read(try folder.write("a.xml", text.utf8)).articles.first).document
        #expect(document.blocks == ["Body.", "Proof", "Case 1", "As shown (Ole)."])
        #expect(document.kinds == [.paragraph, .heading, .heading, .paragraph])
        #expect(document.links == ["(Ole)→pmid:7"])
    }

    @Test func `text reads as printed, without floats, formulas, notes or labels in it`() throws {
        let article = try #require(try read(Self.golden("jats.xml"), JATSOptions(tables: true)).articles.first)
        let document = article.document
        #expect(document.title == "How Fucus dries: A shore study" && document.sourceID == "10.1000/Tide.1")
        #expect(article.date == PartialDate("2014-11-03") && article.subArticles == 1)
        #expect(
            document.blocks == [
                "Background: Weeds dry.", "Findings: They live.", "Some die.", "Introduction",
                "Drying was seen before 1,2 and again (Ray, 1999; see Figure 1). It follows, where x2 is the height.",
                "Figure 1. A shore.", "Drawn after Ole (2001).", "Steps:", "Wait.", "Weigh again.", "then stop.",
                "Table 1. Weights.", "Weed | g", "Fucus 4", "Kelp | 9", "a = 1\n  b = 2",
            ])
        #expect(
            document.kinds == [
                .paragraph, .paragraph, .paragraph, .heading, .paragraph, .caption, .caption, .paragraph, .listItem,
                .listItem, .paragraph, .caption, .table, .table, .table, .code,
            ])
        let bare = try #require(
            try read(Self.golden("jats.xml"), JATSOptions(labels: .none, captions: false)).articles.first
        ).document
        #expect(bare.blocks.first == "Weeds dry." && !bare.kinds.contains(.caption) && !bare.kinds.contains(.table))
    }

    @Test func `citations stand where the text has them, with all identifiers of what they cite`() throws {
        let document = try #require(try read(Self.golden("jats.xml")).articles.first).document
        #expect(
            document.links == [
                "1→doi:10.1000/R.1 pmid:11 page:shore/9/1", "2→doi:10.1000/R.2",
                "Ray, 1999→doi:10.1000/R.1 pmid:11 page:shore/9/1", "Ray, 1999→page:tideresearch/3/e7",
                "Ole (2001)→doi:10.1000/R.2", "→pmcid:PMC5", "→doi:10.1000/Tide.2",
            ])
        #expect(
            document.aliases == [
                "doi:10.1000/Tide.1", "pmid:77", "page:tideres/4/e12", "page:tideresearch/4/e12",
            ])
    }

    @Test func `an article that is broken is rejected with its place, its neighbours in the set are read`() throws {
        let folder = try TemporaryFolder()
        let fine = Self.article("<p>Fine.</p>")
        let cases: [(text: String, reason: String)] = [
            (Self.article("<p>Never closed</body></article>"), "malformed_xml"),
            ("<article><front>", "cut_off_xml"),
            (
                "<!DOCTYPE article [<!ENTITY boom \"&boom;&boom;\">]>" + Self.article("<p>&boom;</p>"),
                "undefined_entity"
            ),
            ("<html><p>No article</p></html>", "no_article"),
            (Self.article("<p>x</p>", ids: ""), "no_id"),
            (Self.article(String(repeating: "<sec>", count: 100_000)), "malformed_xml"),
        ]
        for (text, reason) in cases {
            let read = try read(try folder.write("a.xml", text.utf8))
            #expect(read.articles.isEmpty && read.rejected.map(\.reason) == [reason], "\(read.rejected)")
            #expect(read.rejected[0].place.contains("a.xml"))
        }
        let set = try read(try folder.write("set.xml", "<pmc-articleset>\(fine)\(fine)</pmc-articleset>".utf8))
        #expect(set.articles.map(\.document.string) == ["Fine.", "Fine."] && set.rejected.isEmpty)
    }

    @Test func `spans stay right where bytes are repaired or the encoding is another`() throws {
        let folder = try TemporaryFolder()
        let reference =
            "<article><front><article-meta><article-id pub-id-type=\"doi\">10.1/x</article-id></article-meta></front>"
            + "<body><p>caf? (<xref ref-type=\"bibr\" rid=\"r\">Ray</xref>)</p></body><back><ref-list><ref id=\"r\">"
            + "<citation><pub-id pub-id-type=\"pmid\">5</pub-id></citation></ref></ref-list></back></article>"
        for (head, text) in [("", "caf\u{FFFD} (Ray)"), ("<?xml version='1.0' encoding='ISO-8859-1'?>", "café (Ray)")] {
            var bytes = Array((head + reference).utf8)
            bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "?")))] = 0xE9
            let document = try #require(try read(try folder.write("a.xml", bytes)).articles.first).document
            #expect(document.string == text && document.links == ["Ray→pmid:5"])
        }
    }

    @Test(.enabled(if: RealData.isThere)) func `eLife's articles are whole`() throws {
        let read = try read("\(RealData.root ?? "")/biomedical/elife/elife_linked.tar.gz")
        #expect(read.articles.count == 1166 && read.rejected.isEmpty)
        #expect(read.articles.reduce(0) { $0 + $1.references } == 52_649)
        #expect(read.articles.reduce(0) { $0 + $1.relatedArticles } == 578)
        for article in read.articles {
            for debris in ["{{", "[[", "&nbsp;", "<ref", "\\frac", "mml:", "  "]
            // A compound whose name has nested brackets.
            where article.document.sourceID != "10.7554/eLife.06412" || debris != "[[" {
                #expect(!article.document.string.contains(debris), "\(article.document.sourceID): \(debris)")
            }
        }
    }
}
