// Stage `link-extract`: what its pieces read, what it counts, and which input it refuses.

import Container
import Corpus
import Pipeline
import Stages
import Testing

@Suite struct LinkExtractTests {
    private static let site: JSON = [
        "site": ["case": "first-letter", "namespaces": [["id": 14, "name": "Kategoreja"], ["id": 0, "name": ""]]]
    ]
    private static let wiki = [
        [
            ToyDocument(
                title: "Riga", text: "r", links: ["daugava", "Latvia#History", "category:Rivers", "riga", "Nowhere"]),
            ToyDocument(title: "Daugava", text: "d", links: ["Rīga", "Latvia", "latvia", "doi:10.1/a"]),
        ],
        [ToyDocument(title: "Latvia", text: "l", links: ["Riga"], aliases: ["doi:10.1/A"])],
    ]

    private func links(_ artifact: StoredArtifact) throws -> LinkColumns {
        var all = LinkColumns()
        for part in artifact.manifest.parts {
            let columns = try LinkColumns(reading: try artifact.columns(part))
            for i in 0..<columns.count {
                all.append(
                    columns.source[i], columns.target[i], columns.begin[i], columns.end[i],
                    LinkKind(rawValue: columns.kind[i])!)
            }
        }
        return all
    }

    @Test func `hyperlinks are resolved across parts, with every drop counted`() throws {
        let run = try ToyRun()
        let documents = try run.documents(Self.wiki, redirects: [("Rīga", "Riga")], metadata: Self.site)
        let (artifact, _) = try run.run(LinkExtract.self, LinkExtractConfig(), ["documents": [documents]])
        let found = try links(artifact)
        let id = { (title: String) in ToyDocument(title: title).id }
        #expect(found.source == [id("Riga"), id("Riga"), id("Daugava"), id("Daugava"), id("Daugava"), id("Latvia")])
        #expect(found.target == [id("Daugava"), id("Latvia"), id("Riga"), id("Latvia"), id("Latvia"), id("Riga")])
        #expect(found.begin == [0, 10, 0, 10, 20, 0])
        let expected: JSON = [
            "kind": "hyperlink",
            "counts": [
                "occurrences": 10, "resolved": 6, "distinct_edges": 5, "other_namespace": 1, "self": 1, "dangling": 1,
                "other_kind": 1,
            ],
            "names": [
                "documents": 3, "redirects": 1, "ambiguous_titles": 0, "shadowed_redirects": 0, "dangling_redirects": 0,
                "looping_redirects": 0,
            ],
        ]
        #expect(artifact.manifest.metadata == expected)
        let (backwards, _) = try run.run(
            LinkExtract.self, LinkExtractConfig(), ["documents": [documents]], backwards: true)
        #expect(backwards.manifest == artifact.manifest)
    }

    @Test func `citations follow identifiers only`() throws {
        let run = try ToyRun()
        var config = LinkExtractConfig()
        config.kind = .citation
        let (artifact, _) = try run.run(LinkExtract.self, config, ["documents": [try run.documents(Self.wiki)]])
        let found = try links(artifact)
        #expect(found.source == [ToyDocument(title: "Daugava").id])
        #expect(found.target == [ToyDocument(title: "Latvia").id])
        #expect(found.kind == [LinkKind.citation.rawValue])
    }

    @Test func `a document more changes only the pieces that link to it`() throws {
        let run = try ToyRun()
        func pieces(_ extra: [ToyDocument]) throws -> [String: Piece] {
            let context = run.context(
                LinkExtract.self, LinkExtractConfig(), ["documents": [try run.documents(Self.wiki + [extra])]])
            return Dictionary(uniqueKeysWithValues: try LinkExtract.gather(context).map { ($0.name, $0) })
        }
        let before = try pieces([])
        let unrelated = try pieces([ToyDocument(title: "Tartu")])
        #expect(before["part-0"] == unrelated["part-0"] && before["part-1"] == unrelated["part-1"])
        let related = try pieces([ToyDocument(title: "Nowhere")])
        #expect(before["part-0"] != related["part-0"] && before["part-1"] == related["part-1"])
    }

    @Test func `an edge list becomes sorted edges, malformed lines are rejected with their place`() throws {
        let run = try ToyRun()
        var config = LinkExtractConfig()
        config.kind = .edges
        config.urlDecode = true
        let file = try run.file(
            "links.tsv", "# a list\n\nR%69ga\tLatvia\nLatvia\tRiga\nbroken\nLatvia\tRiga\nTartu\tRiga\n")
        config.edges = file
        let (artifact, results) = try run.run(
            LinkExtract.self, config, ["documents": [try run.documents(Self.wiki)]], files: [file])
        #expect(try links(artifact).count == 2)
        #expect(artifact.manifest.metadata["lines"]?.int == 5)
        #expect(artifact.manifest.metadata["counts"]?["unknown_source"]?.int == 1)
        #expect(artifact.manifest.metadata["counts"]?["duplicate"]?.int == 1)
        let rejections = try #require(results.first { $0.rejections.total > 0 }).rejections
        #expect(rejections.total == 5)
        #expect(rejections.samples == [.init(reason: "no_separator", place: "links.tsv:5")])
    }

    @Test(arguments: [
        ("links.tsv", "", "the file is empty"), ("links.tsv.gz", "a\tb", "the name says gzip, the content does not"),
    ])
    func `an edge list that is empty or not what its name says is refused`(
        name: String, text: String, message: String
    ) throws {
        let run = try ToyRun()
        var config = LinkExtractConfig()
        config.kind = .edges
        let file = try run.file(name, text)
        let documents = try run.documents(Self.wiki)
        let error = #expect(throws: StageError.self) {
            try run.run(LinkExtract.self, config, ["documents": [documents]], files: [file])
        }
        #expect(error?.message == message)
        #expect(error?.place == file.path + ": byte 0")
        #expect(error?.fix != nil)
    }

    @Test func `random links depend on seed and document alone`() throws {
        let run = try ToyRun()
        var config = LinkExtractConfig()
        config.kind = .random
        config.perDocument = 3
        let titles = (0..<40).map { ToyDocument(title: "d\($0)") }
        let one = try links(run.run(LinkExtract.self, config, ["documents": [try run.documents([titles])]]).artifact)
        let two = try links(
            run.run(
                LinkExtract.self, config,
                ["documents": [try run.documents([Array(titles[..<9]), Array(titles[9...])])]]
            ).artifact)
        #expect(one == two)
        #expect(one.count == 120)
        config.seed = 14
        #expect(
            try links(run.run(LinkExtract.self, config, ["documents": [try run.documents([titles])]]).artifact) != one)
    }

    @Test func `edges without a file and a file without edges are wrong configs`() {
        var config = LinkExtractConfig()
        config.kind = .edges
        #expect(config.problems().map(\.key) == ["edges"])
        config.kind = .hyperlink
        #expect(config.problems().isEmpty)
        config.edges = InputFile(path: "/x", logicalName: "x")
        #expect(config.problems().map(\.key) == ["edges"])
    }
}
