// Stage `link-extract`, `kind: edges`: citation tables as others publish them, on the corpora that they are about.

import Container
import Corpus
import Foundation
import Pipeline
import Stages
import Testing

@Suite struct LinkExtractEdgesTests {
    /// A citation table with a header: four edges of which one repeats and one is a self-citation, two ends outside the
    /// corpus, and two lines that are no edge.
    private static let table = "citing,referenced\n1,2\n1,3\n2,3\n2,3\n3,3\n1;2\n1,2,3\n99,1\n1,99\n"

    /// `table`, packed by Python 3.11: gzip.compress(…, mtime=0), bz2.compress, lzma.compress, and by zstandard 0.25.0
    /// with a checksum.
    private static let packed = [
        "gz": "H4sIAAAAAAACA0vOLMnMS9cpSk1LLUrNS05N4TLUMQJiYy4jKDYGYkNrkBiIZ2mpYwhkWlpyAQBYy/FiOgAAAA==",
        "bz2":
            "QlpoOTFBWSZTWUNiTBAAABXZgAAQAAQ4KA+hFAAgAFRTAATQSjSanpNommcGJY8EJ4Z7qmMpDjPQlPFd/HInsx31L4u5IpwoSCGxJggA",
        "xz":
            "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AA5AC9dADGaSu83ftrB4W0fWCBs2Xnm/Bdgb9IK5P7nfHEHmqTkbebRN6FHaxg/mA0SsjUAAACE1GGn"
            + "aJJPswABSzpX+gf1H7bzfQEAAAAABFla",
        "zst": "KLUv/SQ6vQEAtAJjaXRpbmcscmVmZXJlbmNlZAoxLDIKMSwzCjIzLDMKMTs5OSwxCjEsOTkKAwA1A9wM5TM3Bn1SMtU=",
    ]

    private let run: ToyRun

    init() throws { run = try ToyRun() }

    private func packed(_ suffix: String) throws -> [UInt8] {
        let text = try #require(Self.packed[suffix])
        return [UInt8](try #require(Data(base64Encoded: text)))
    }

    private func parse(_ format: ParseConfig.Format, _ texts: [String]) throws -> StoredArtifact {
        var config = ParseConfig()
        config.format = format
        config.corpus = "toy"
        config.files = try texts.enumerated().map { number, text in
            var file = try run.file("\(format)-\(number).xml", text)
            file.digest = Digest.of(text)
            return file
        }
        return try run.run(Parse.self, config, [:], files: config.files).artifact
    }

    private func pubmed() throws -> StoredArtifact {
        let records = (1...3).map {
            "<PubmedArticle><MedlineCitation><PMID>\($0)</PMID><Article><ArticleTitle>Title \($0)</ArticleTitle><Abstract>"
                + "<AbstractText>Abstract \($0).</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
        }
        return try parse(.pubmed, ["<PubmedArticleSet>\(records.joined())</PubmedArticleSet>"])
    }

    /// Articles 10.1/a1, 10.1/a2, 10.1/a3 with the PMIDs 1, 2, 3 and the PMCIDs 901, 902, 903.
    private func jats() throws -> StoredArtifact {
        try parse(
            .jats,
            (1...3).map {
                "<article><front><article-meta><article-id pub-id-type=\"pmid\">\($0)</article-id>"
                    + "<article-id pub-id-type=\"pmc\">PMC90\($0)</article-id>"
                    + "<article-id pub-id-type=\"doi\">10.1/a\($0)</article-id><title-group><article-title>Title \($0)"
                    + "</article-title></title-group></article-meta></front><body><p>Text \($0).</p></body></article>"
            })
    }

    private func extract(
        _ file: InputFile, from documents: StoredArtifact, by names: LinkExtractConfig.EdgesBy = .any,
        skipLines: Int = 1
    ) throws -> (edges: [String], metadata: JSON, rejections: Rejections) {
        var config = LinkExtractConfig()
        config.kind = .edges
        config.edges = file
        config.edgesBy = names
        config.skipLines = skipLines
        let (artifact, results) = try run.run(LinkExtract.self, config, ["documents": [documents]], files: [file])
        var titles: [UInt64: String] = [:]
        for part in documents.manifest.parts {
            let columns = try DocumentColumns(reading: documents.columns(part))
            for i in 0..<columns.count { titles[columns.id[i]] = String(columns.title.string(i).suffix(1)) }
        }
        let edges = try artifact.manifest.parts.flatMap { part in
            let columns = try LinkColumns(reading: artifact.columns(part))
            return (0..<columns.count).map { "\(titles[columns.source[$0]]!)→\(titles[columns.target[$0]]!)" }
        }
        return (edges.sorted(), artifact.manifest.metadata, results.last!.rejections)
    }

    @Test func `a table of PMIDs with a header gives the edges of a PubMed corpus`() throws {
        let file = try run.file("table.csv", Self.table)
        for names in [LinkExtractConfig.EdgesBy.any, .sourceID, .pmid] {
            let (edges, metadata, rejections) = try extract(file, from: try pubmed(), by: names)
            #expect(edges == ["1→2", "1→3", "2→3"])
            #expect(
                metadata["counts"] == [
                    "occurrences": 7, "resolved": 3, "distinct_edges": 3, "duplicate": 1, "self": 1,
                    "unknown_source": 1,
                    "dangling": 1,
                ])
            #expect(metadata["lines"]?.int == 9)
            #expect(rejections.counts == ["no_separator": 1, "several_commas": 1] && rejections.total == 9)
            #expect(rejections.samples.map(\.place) == ["table.csv:7", "table.csv:8"])
        }
        let unskipped = try extract(file, from: try pubmed(), skipLines: 0)
        #expect(unskipped.edges.count == 3 && unskipped.metadata["lines"]?.int == 10)
    }

    @Test func `bare identifiers find the articles of a JATS corpus by alias`() throws {
        let documents = try jats()
        let pmids = try run.file("table.csv", Self.table)
        #expect(try extract(pmids, from: documents, by: .pmid).edges == ["1→2", "1→3", "2→3"])
        #expect(try extract(pmids, from: documents).edges == [], "a number without its scheme is no alias")
        let others = try run.file(
            "others.csv",
            "PMC901,902\n903,PMCID:PMC901\n\"pmcid:903\",\"902\"\n10.1/A1,https://doi.org/10.1/a2\ndoi:10.1/a3,10.1/a1\n"
        )
        #expect(try extract(others, from: documents, by: .pmcid, skipLines: 0).edges == ["1→2", "3→1", "3→2"])
        #expect(try extract(others, from: documents, by: .doi, skipLines: 0).edges == ["1→2", "3→1"])
        let leading = try run.file("leading.tsv", "001\tPMID:2\n")
        #expect(try extract(leading, from: documents, by: .pmid, skipLines: 0).edges == ["1→2"])
    }

    @Test(arguments: ["gz", "bz2", "xz", "zst"])
    func `a compressed table is read as the plain one`(suffix: String) throws {
        let packed = try self.packed(suffix)
        let path = run.folder + "/table.csv.\(suffix)"
        try Files.publish(packed, at: path)
        let documents = try pubmed()
        let found = try extract(InputFile(path: path, logicalName: "table.csv.\(suffix)"), from: documents)
        let plain = try extract(try run.file("table.csv", Self.table), from: documents)
        #expect(found.edges == plain.edges && found.metadata == plain.metadata)
        #expect(found.rejections.counts == plain.rejections.counts)
        #expect(found.rejections.samples.map(\.place) == ["table.csv.\(suffix):7", "table.csv.\(suffix):8"])
    }

    @Test(arguments: ["gz", "bz2", "xz", "zst"])
    func `a compressed table that was cut off is refused with its place`(suffix: String) throws {
        let packed = try self.packed(suffix).dropLast(9)
        let file = InputFile(path: run.folder + "/table.csv.\(suffix)", logicalName: "table.csv.\(suffix)")
        try Files.publish(Array(packed), at: file.path)
        let documents = try pubmed()
        let error = #expect(throws: StageError.self) { try extract(file, from: documents) }
        #expect(error?.message == "the file is cut off")
        #expect(error?.place == "\(file.path): byte \(packed.count)")
        #expect(error?.cause != nil && error?.fix?.hasPrefix("fetch the file again") == true)
    }

    @Test func `the keys of edge lists leave other links alone`() {
        var config = LinkExtractConfig()
        #expect(LinkExtractConfig.keys.allSatisfy { !$0.isSet(in: config) })
        config.skipLines = 1
        config.edgesBy = .pmid
        #expect(config.problems().compactMap(\.key) == ["edges_by", "skip_lines"])
    }
}
