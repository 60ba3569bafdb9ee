// Stage parse on PubMed and JATS files: which version of a record stays, what is left out, and that citations resolve.

import Container
import Corpus
import Foundation
import Pipeline
import Testing
import Text

import Stages

@Suite struct ParseBiomedicalTests {
    private struct Record {
        var pmid: Int
        var text: String? = "An abstract."
        var cites: [Int] = []
        var entered = ""
        var doi = ""
    }

    private func set(_ records: [Record], deleted: [Int] = []) -> String {
        var xml = "<PubmedArticleSet>"
        for record in records {
            xml += "<PubmedArticle><MedlineCitation><PMID Version=\"1\">\(record.pmid)</PMID><Article>"
            xml += "<ArticleTitle>Title \(record.pmid)</ArticleTitle>"
            if let text = record.text {
                xml += "<Abstract><AbstractText Label=\"AIM\">\(text)</AbstractText></Abstract>"
            }
            xml += "</Article></MedlineCitation><PubmedData>"
            if !record.entered.isEmpty {
                let parts = record.entered.split(separator: "-")
                xml += "<History><PubMedPubDate PubStatus=\"pubmed\"><Year>\(parts[0])</Year><Month>\(parts[1])</Month>"
                xml += "</PubMedPubDate></History>"
            }
            xml += "<ArticleIdList><ArticleId IdType=\"doi\">\(record.doi)</ArticleId></ArticleIdList><ReferenceList>"
            for cited in record.cites {
                xml +=
                    "<Reference><ArticleIdList><ArticleId IdType=\"pubmed\">\(cited)</ArticleId></ArticleIdList></Reference>"
            }
            xml += "</ReferenceList></PubmedData></PubmedArticle>"
        }
        if !deleted.isEmpty {
            xml += "<DeleteCitation>" + deleted.map { "<PMID>\($0)</PMID>" }.joined() + "</DeleteCitation>"
        }
        return xml + "</PubmedArticleSet>"
    }

    private func parse(
        _ run: ToyRun, _ texts: [String], backwards: Bool = false, _ change: (inout ParseConfig) -> Void = { _ in }
    ) throws -> (artifact: StoredArtifact, documents: [String]) {
        var config = ParseConfig()
        config.format = .pubmed
        config.corpus = "toy"
        config.labels = .none
        config.files = try texts.enumerated().map { number, text in
            var file = try run.file("\(number).xml", text)
            file.digest = Digest.of(text)
            file.bytes = Int64(text.utf8.count)
            return file
        }
        change(&config)
        let artifact = try run.run(Parse.self, config, [:], files: config.files, backwards: backwards).artifact
        let parts = try artifact.manifest.parts.map { try DocumentColumns(reading: artifact.columns($0)) }
        return (
            artifact,
            parts.flatMap { part in
                (0..<part.count).map { "\(part.sourceID.string($0)): \(part.text.string($0))" }
            }.sorted()
        )
    }

    @Test(arguments: [0, 80])
    func `the last file that has a PMID decides, also in buckets`(_ others: Int) throws {
        // Others are small files enough to share buckets, so that the files below land in any order of pieces.
        let filler = (0..<others).map { set([Record(pmid: 1000 + $0)]) }
        let files = [
            set([
                Record(pmid: 1, text: "one, old"), Record(pmid: 2, text: "two, old"), Record(pmid: 3, text: "three"),
                Record(pmid: 4, text: "four, old"), Record(pmid: 4, text: "four, second version"),
            ]),
            set([Record(pmid: 1, text: "one, new"), Record(pmid: 2, text: nil)], deleted: [3]),
            set([Record(pmid: 5, text: "five, deleted and back")], deleted: []),
            set([], deleted: [5, 6]),
            set([Record(pmid: 5, text: "five, back")]),
        ]
        let run = try ToyRun()
        let wanted = ["1: one, new", "4: four, second version", "5: five, back"]
        for backwards in [false, true] {
            let (artifact, documents) = try parse(run, files + filler, backwards: backwards)
            #expect(documents.filter { !$0.hasPrefix("10") } == wanted)
            #expect(documents.count == wanted.count + others)
            let counts = artifact.manifest.metadata["counts"]
            #expect(counts?["replaced"]?.int == 5 && counts?["deletions"]?.int == 3)
            #expect(counts?["without_text"]?.int == 1)
            #expect(!artifact.manifest.parts.contains { $0.name.hasSuffix("removed") })
        }
    }

    @Test func `records that came later, or are short, are left out and counted`() throws {
        let run = try ToyRun()
        let files = [
            set([
                Record(pmid: 1, text: "in time", entered: "2020-2"), Record(pmid: 2, entered: "2020-3"),
                Record(pmid: 3, text: "undated"), Record(pmid: 4, text: "short"),
            ])
        ]
        let (artifact, documents) = try parse(run, files) {
            $0.until = "2020-02"
            $0.minWords = 1
        }
        #expect(documents == ["1: in time", "3: undated", "4: short"])
        #expect(artifact.manifest.metadata["counts"]?["after_until"]?.int == 1)
        #expect(artifact.manifest.metadata["counts"]?["undated"]?.int == 2)
        #expect(try parse(run, files) { $0.minWords = 2 }.documents == ["1: in time", "2: An abstract."])
    }

    @Test func `citations of either format resolve by any identifier of the cited`() throws {
        let run = try ToyRun()
        let (documents, _) = try parse(
            run, [set([Record(pmid: 1, cites: [2, 2, 99, 1]), Record(pmid: 2, cites: [1], doi: "10.1000/B")])])
        var config = LinkExtractConfig()
        config.kind = .citation
        let links = try run.run(LinkExtract.self, config, ["documents": [documents]]).artifact
        let columns = try links.manifest.parts.map { try LinkColumns(reading: links.columns($0)) }
        let ids = ["1", "2"].map { DocumentID.make(corpus: "toy", sourceID: $0.utf8) }
        #expect(columns.flatMap(\.source) == ids && columns.flatMap(\.target) == ids.reversed())
        #expect(columns.flatMap(\.begin).allSatisfy { $0 == LinkColumns.wholeDocument })
        let counts = links.manifest.metadata["counts"]
        #expect(counts?["duplicate"]?.int == 1 && counts?["dangling"]?.int == 1 && counts?["self"]?.int == 1)

        func article(_ doi: String, _ reference: String, _ pages: String) -> String {
            "<article><front><journal-meta><journal-title>J. Shore</journal-title></journal-meta><article-meta>"
                + "<article-id pub-id-type=\"doi\">\(doi)</article-id><title-group><article-title>\(doi)</article-title>"
                + "</title-group>\(pages)</article-meta></front><body><p>See <xref ref-type=\"bibr\" rid=\"r\">Ray</xref>."
                + "</p></body><back><ref-list><ref id=\"r\"><element-citation>\(reference)</element-citation></ref>"
                + "</ref-list></back></article>"
        }
        let articles = [
            article("10.1/a", "<pub-id pub-id-type=\"pmid\">7</pub-id><pub-id pub-id-type=\"doi\">10.1/B</pub-id>", ""),
            article("10.1/b", "<source>J Shore</source><volume>3</volume><fpage>12</fpage>", ""),
            article("10.1/c", "<source>None</source>", "<volume>3</volume><fpage>12</fpage>"),
        ]
        let (texts, _) = try parse(run, articles) {
            $0.format = .jats
            $0.labels = .inline
        }
        let cited = try run.run(LinkExtract.self, config, ["documents": [texts]]).artifact
        let spans = try cited.manifest.parts.map { try LinkColumns(reading: cited.columns($0)) }
        let own = ["10.1/a", "10.1/b", "10.1/c"].map { DocumentID.make(corpus: "toy", sourceID: $0.utf8) }
        #expect(
            Set(zip(spans.flatMap(\.source), spans.flatMap(\.target)).map { [$0, $1] }) == [
                [own[0], own[1]], [own[1], own[2]],
            ])
        #expect(spans.flatMap(\.begin) == [4, 4] && spans.flatMap(\.end) == [7, 7])
    }

    @Test func `keys that a format does not read are refused, each by the table of formats`() {
        for format in ParseConfig.Format.allCases {
            var config = ParseConfig()
            config.format = format
            config.commentPrefix = "#"
            config.until = "2020"
            config.labels = .heading
            config.captions = false
            config.namespaces = [4]
            let keys = Set(config.problems().compactMap(\.key))
            let dated: Set<ParseConfig.Format> = [.pubmed, .jats]
            #expect(
                keys.contains("until") != dated.contains(format) && keys.contains("labels") != dated.contains(format))
            #expect(
                keys.contains("captions") == (format != .jats) && keys.contains("comment_prefix") == (format != .text))
            #expect(keys.contains("namespaces") == (format != .mediawiki))
        }
        var config = ParseConfig()
        config.format = .pubmed
        config.until = "February 2020"
        #expect(config.problems().map(\.key) == ["until"])
    }
}
