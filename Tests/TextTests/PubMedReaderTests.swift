// PubMedReader: every form of record against lxml's reading, encodings, and files that are bad.

import Foundation
import Testing

import Text

@Suite struct PubMedReaderTests {
    private struct Read {
        var records: [PubMedRecord] = []
        var deleted: [String] = []
        var rejected: [(reason: String, place: String)] = []
        var invalidUTF8 = 0
    }

    private func read(_ path: String, labels: AbstractLabels = .inline) throws -> Read {
        let reader = try PubMedReader(path: path, labels: labels)
        var read = Read()
        while let event = try reader.next() {
            switch event {
            case .record: read.records.append(reader.record)
            case .deleted(let pmids): read.deleted += pmids
            case .rejected(let reason, let place): read.rejected.append((reason, place))
            }
        }
        read.invalidUTF8 = reader.invalidUTF8
        return read
    }

    private func read(_ folder: TemporaryFolder, _ text: String) throws -> Read {
        try read(try folder.write("in.xml", text.utf8))
    }

    private static func golden(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appendingPathComponent("Goldens/pubmed/\(name)").path
    }

    private struct Expected: Decodable {
        struct Record: Decodable {
            var pmid: String, title: String, sections: [[String]], citations: [String], doi: String
        }
        var records: [Record], deleted: [String]
    }

    private static func expected() throws -> [String: Expected] {
        try JSONDecoder().decode(
            [String: Expected].self, from: try Data(contentsOf: URL(fileURLWithPath: golden("expected.json"))))
    }

    private static func set(_ records: String) -> String {
        "<?xml version=\"1.0\"?>\n<PubmedArticleSet>\(records)</PubmedArticleSet>\n"
    }

    private static func record(_ pmid: String, abstract: String) -> String {
        "<PubmedArticle><MedlineCitation><PMID>\(pmid)</PMID><Article><ArticleTitle>T</ArticleTitle><Abstract>"
            + "<AbstractText>\(abstract)</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
    }

    @Test(arguments: ["new.xml", "old.xml"])
    func `titles, abstracts, citations and deletions are those that lxml finds`(_ name: String) throws {
        let expected = try #require(Self.expected()[name])
        let read = try read(Self.golden(name))
        #expect(read.records.map(\.document.sourceID) == expected.records.map(\.pmid))
        #expect(read.deleted == expected.deleted && read.rejected.isEmpty)
        for (record, wanted) in zip(read.records, expected.records) {
            record.document.check()
            #expect(record.document.title == wanted.title)
            #expect(record.document.blocks == wanted.sections.map { $0[0].isEmpty ? $0[1] : "\($0[0]): \($0[1])" })
            #expect(record.document.linkTarget.strings == wanted.citations.map { "pmid:" + $0 })
            #expect((0..<record.document.linkCount).allSatisfy { !record.document.hasPlace($0) })
            #expect(record.document.aliases.contains("pmid:" + wanted.pmid))
            if !wanted.doi.isEmpty { #expect(record.document.aliases.contains("doi:" + wanted.doi)) }
        }
    }

    @Test func `labels are kept as asked; dates and identifiers are the record's own`() throws {
        let headings = try read(Self.golden("new.xml"), labels: .heading).records[0].document
        #expect(headings.blocks.prefix(2) == ["AIM", "We weighed mussels (n < 20) in x=2 tanks."])
        #expect(headings.kinds == [.heading, .paragraph, .heading, .paragraph])
        let bare = try read(Self.golden("new.xml"), labels: .none).records[0].document
        #expect(bare.blocks.last == "Growth <fell> & stopped.")
        let new = try read(Self.golden("new.xml")).records
        #expect(new.map(\.date) == [PartialDate("2020-02-29"), nil, PartialDate("2011")])
        #expect(new[0].document.aliases == ["pmid:101", "doi:10.1000/Shell.1", "pmcid:PMC7"])
        let old = try read(Self.golden("old.xml")).records
        #expect(old[0].date == PartialDate("2007-10-18") && old[0].document.aliases == ["pmid:11", "pmcid:PMC99"])
    }

    @Test(arguments: ["latin1.xml", "utf16.xml"])
    func `declared encodings give the same documents as UTF-8`(_ name: String) throws {
        let other = try read(Self.golden(name)), utf8 = try read(Self.golden("new.xml"))
        #expect(other.records.map(\.document.text) == utf8.records.map(\.document.text))
        #expect(other.records.map(\.document.title) == utf8.records.map(\.document.title))
        #expect(other.invalidUTF8 == 0 && other.records.last?.document.string == "Naïve sailors wait.")
    }

    @Test func `a record longer than many chunks is whole, with its 5,000 references`() throws {
        let references = (1...5000).map {
            "<Reference><Citation>\(String(repeating: "Long citation. ", count: 12))</Citation><ArticleIdList>"
                + "<ArticleId IdType=\"pubmed\">\($0)</ArticleId></ArticleIdList></Reference>"
        }
        let folder = try TemporaryFolder()
        let long =
            "<PubmedArticle><MedlineCitation><PMID>9</PMID></MedlineCitation><PubmedData><ReferenceList>"
            + references.joined() + "</ReferenceList></PubmedData></PubmedArticle>"
        let small = (10..<40).map { Self.record("\($0)", abstract: String(repeating: "words ", count: 3000)) }
        let read = try read(folder, Self.set(small.joined() + long + small.joined()))
        #expect(read.records.count == 61)
        #expect(read.records[30].document.linkTarget.strings == (1...5000).map { "pmid:\($0)" })
        #expect(read.records[60].document.text.count == 17_999)
    }

    @Test func `an entity that the file defines is not expanded, and costs its record only`() throws {
        var bomb = "<!DOCTYPE PubmedArticleSet [<!ENTITY a \"aaaaaaaaaa\">"
        for i in 1...9 { bomb += "<!ENTITY b\(i) \"&b\(i - 1);&b\(i - 1);&b\(i - 1);]>\">" }
        let records = Self.record("1", abstract: "Fine &eacute;.") + Self.record("2", abstract: "Bad &b9;.")
        let folder = try TemporaryFolder()
        let read = try read(folder, bomb + "]>" + Self.set(records + Self.record("3", abstract: "Fine.")).dropFirst(22))
        #expect(read.records.map(\.document.string) == ["Fine é.", "Fine."])
        #expect(read.rejected.map(\.reason) == ["undefined_entity"])
        #expect(read.rejected[0].place.contains("in.xml: byte ") && read.rejected[0].place.contains("'&b9;'"))
    }

    @Test func `ill-formed UTF-8 is repaired and counted, records without PMID are rejected`() throws {
        let folder = try TemporaryFolder()
        var bytes = Array(Self.set(Self.record("1", abstract: "A ? B") + Self.record("x", abstract: "C")).utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "?"))!] = UInt8(ascii: "?")
        bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "?")))] = 0xFF
        let read = try read(try folder.write("in.xml", bytes))
        #expect(read.records.map(\.document.string) == ["A \u{FFFD} B"] && read.invalidUTF8 == 1)
        #expect(read.rejected.map(\.reason) == ["no_pmid"])
    }

    @Test func `bad files say where, why and what to do`() throws {
        let folder = try TemporaryFolder()
        let good = Self.record("7", abstract: "Fine.")
        let cases: [(text: String, code: TextError.Code, cause: String)] = [
            ("<PubmedArticleSet>" + good, .truncated, "</PubmedArticleSet> is missing"),
            ("<PubmedArticleSet>" + good + "<PubmedArticle><MedlineCitation><PM", .truncated, "the end of a tag"),
            (Self.set(good + "<PubmedArticle><Article></PubmedArticle>"), .damaged, "closes <Article>"),
            (
                Self.set(good + "<MedlineCitation><PMID>1 & 2</PMID></MedlineCitation>"), .damaged,
                "'&' begins no entity"
            ),
            (Self.set("words" + good), .damaged, "text stands between"),
            ("<eFetchResult><ERROR>x</ERROR></eFetchResult>", .unsupported, "no PubMed XML"),
            (Self.set(String(repeating: "<a>", count: 300)), .damaged, "more than 256 elements"),
            ("<?xml version=\"1.0\" encoding=\"klingon\"?><PubmedArticleSet/>", .unsupported, "iconv"),
        ]
        for (text, code, cause) in cases {
            do {
                _ = try read(folder, text)
                Issue.record("accepted \(text.prefix(80))")
            } catch let error as TextError {
                #expect(error.code == code && error.file?.hasSuffix("in.xml") == true && error.offset != nil)
                #expect((error.cause ?? "").contains(cause) && error.fix != nil, "\(error)")
            }
        }
        #expect(throws: TextError.self) { try read(Self.golden("cut.xml.gz")) }
        #expect(try read(folder, "<PubmedArticleSet/>").records.isEmpty)
        // Answers of efetch are often joined as they come.
        #expect(try read(folder, Self.set(good) + Self.set(good)).records.count == 2)
    }

    @Test(.enabled(if: RealData.isThere)) func `real files hold what was counted in them`() throws {
        let folder = "\(RealData.root ?? "")/biomedical/pubmed"
        let old = try read(folder + "/medline16n0902.xml.gz")
        #expect(old.records.count == 604 && old.records.count { !$0.document.text.isEmpty } == 526)
        #expect(old.records.reduce(0) { $0 + $1.document.linkCount } == 3547)
        var (records, abstracts, citations, cited, listed) = (0, 0, 0, 0, 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/efetch").sorted()
        where name.hasSuffix(".xml") {
            for record in try read(folder + "/efetch/" + name).records {
                record.document.check()
                records += 1
                abstracts += record.document.text.isEmpty ? 0 : 1
                listed += record.document.linkCount > 0 ? 1 : 0
                let targets = record.document.linkTarget.strings.filter { $0.hasPrefix("pmid:") }
                citations += targets.count
                cited += Set(targets).count
            }
        }
        // Some records list one PMID twice. 57 have a <ReferenceList>, three of them without any identifier.
        #expect((records, abstracts, citations, cited) == (94, 83, 4589, 4562))
        #expect(listed == 54)
    }
}
