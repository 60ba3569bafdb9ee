// The examples of docs/pipeline-file.md: every file in it loads, every error in it is what the program prints.

import Container
import Foundation
import Testing

import Pipeline

/// The keys that the page's examples use, all in one config; the stages have the ports of the real ones.
struct DocConfig: StageConfig {
    var format = "text", kind = "hyperlink", masking = "dynamic", objective = "linkbert", architecture = "tiny"
    var commentPrefix = ""
    var drop: [String] = [], draw: [String] = [], tasks: [String] = []
    var files: [InputFile] = []
    var edges: InputFile?
    var urlDecode = false, lowercase = false
    var size = 30522, maxSeqLength = 512, seed = 0, steps = 1, passes = 10
    var maxRejected = 0.01
    var mix = ["contiguous": 1.0, "random": 1, "linked": 1]

    static let keys: [ConfigKey<DocConfig>] = [
        .string("format", \.format, help: ""), .string("kind", \.kind, help: ""),
        .string("masking", \.masking, help: ""), .string("objective", \.objective, help: ""),
        .string("architecture", \.architecture, help: ""), .string("comment_prefix", \.commentPrefix, help: ""),
        .strings("drop", \.drop, help: ""), .strings("draw", \.draw, help: ""), .strings("tasks", \.tasks, help: ""),
        .files("files", \.files, help: ""), .file("edges", \.edges, help: ""),
        .bool("url_decode", \.urlDecode, help: ""), .bool("lowercase", \.lowercase, help: ""),
        .int("size", \.size, help: ""), .int("max_seq_length", \.maxSeqLength, help: ""),
        .int("seed", \.seed, help: ""), .int("steps", \.steps, help: ""), .int("passes", \.passes, help: ""),
        .number("max_rejected", \.maxRejected, in: 0...1, help: "Share of bad pages allowed."),
        .weights("mix", \.mix, names: ["contiguous", "random", "linked"], help: ""),
    ]
}

enum Vocabulary: ToyArtifact { static let typeName = "vocabulary" }
enum Segments: ToyArtifact { static let typeName = "segments" }
enum Pairs: ToyArtifact { static let typeName = "pairs" }
enum Shards: ToyArtifact { static let typeName = "shards" }
enum Scores: ToyArtifact { static let typeName = "scores" }

protocol DocStage: ToyStage where Config == DocConfig {}

enum Doc {
    static func port<A: Artifact>(_ name: String, _ type: A.Type, _ arity: PortArity = .one) -> AnyInputPort {
        InputPort<A>(name, arity, autoWired: name != "init", help: "").erased
    }

    enum Parse: DocStage {
        typealias Output = Documents
        static let name = "parse"
        static let ports: [AnyInputPort] = []
    }
    enum LinkExtract: DocStage {
        typealias Output = Links
        static let name = "link-extract"
        static let ports = [port("documents", Documents.self)]
    }
    enum DocumentGraph: DocStage {
        typealias Output = Graph
        static let name = "graph"
        static let ports = [port("documents", Documents.self), port("links", Links.self, .many)]
    }
    enum Vocab: DocStage {
        typealias Output = Vocabulary
        static let name = "vocabulary"
        static let ports = [port("documents", Documents.self)]
    }
    enum Tokenize: DocStage {
        typealias Output = Tokens
        static let name = "tokenize"
        static let ports = [port("documents", Documents.self), port("vocabulary", Vocabulary.self)]
    }
    enum Segment: DocStage {
        typealias Output = Segments
        static let name = "segment"
        static let ports = [port("tokens", Tokens.self)]
    }
    enum PairSample: DocStage {
        typealias Output = Pairs
        static let name = "pair-sample"
        static let ports = [
            port("segments", Segments.self), port("graph", Graph.self), port("links", Links.self, .optional),
        ]
    }
    enum Shard: DocStage {
        typealias Output = Shards
        static let name = "shard"
        static let ports = [port("pairs", Pairs.self), port("segments", Segments.self), port("tokens", Tokens.self)]
    }
    enum Pretrain: DocStage {
        typealias Output = Checkpoint
        static let name = "pretrain"
        static let ports = [
            port("shards", Shards.self, .many), port("vocabulary", Vocabulary.self),
            port("init", Checkpoint.self, .optional),
        ]
    }
    enum Evaluate: DocStage {
        typealias Output = Scores
        static let name = "evaluate"
        static let ports = [port("checkpoint", Checkpoint.self), port("probe", Shards.self, .optional)]
    }

    static let registry = StageRegistry([
        StageType(Parse.self), StageType(LinkExtract.self), StageType(DocumentGraph.self), StageType(Vocab.self),
        StageType(Tokenize.self), StageType(Segment.self), StageType(PairSample.self), StageType(Shard.self),
        StageType(Pretrain.self), StageType(Evaluate.self),
    ])
}

struct DocsTests {
    /// The page's files by path, and its error texts by file.
    private static func page() throws -> (files: [String: String], errors: [(file: String, text: String)]) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/pipeline-file.md")
        let lines = try String(contentsOf: root.standardizedFileURL, encoding: .utf8).components(separatedBy: "\n")
        var files = ["/home/pipelines/plaintext_articles/A.txt": "A", "/home/pipelines/links.tsv": ""]
        var errors: [(String, String)] = []
        for (index, line) in lines.enumerated() {
            func block(from first: Int) -> String {
                lines[first...].prefix { !$0.hasPrefix("```") }.joined(separator: "\n")
            }
            if line.hasPrefix("# file: "), lines[index - 1] == "```yaml" {
                files["/home/" + line.dropFirst(8)] = block(from: index + 1)
            } else if line.hasPrefix("<!-- errors: ") {
                errors.append((String(line.dropFirst(13).dropLast(4)), block(from: index + 2)))
            }
        }
        return (files, errors)
    }

    private func load(_ path: String, _ experiment: String?, sets: [String] = []) throws -> [Plan] {
        try PipelineLoader(registry: Doc.registry, files: MemoryFiles(try Self.page().files))
            .load(path: path, experiment: experiment, sets: sets, workingDirectory: "/home")
    }

    @Test func `the page's pipeline loads with every experiment, and one change touches what it should`() throws {
        let linkbert = try #require(try load("pipelines/linkbert.yaml", "linkbert").first)
        #expect(linkbert.stages.count == 12)
        #expect(linkbert["pairs"]?.wires == ["segments": ["segments"], "graph": ["graph"], "links": ["links"]])
        #expect(linkbert["probe"]?.wires["pairs"] == ["probe-pairs"])
        #expect(linkbert["documents"]?.bound.files.map(\.logicalName) == ["A.txt"])
        #expect(value(linkbert, "documents", "max_rejected") == .number(0.01))
        #expect(try load("pipelines/linkbert.yaml", "mix-sweep").count == 6)

        let more = try #require(
            try load("pipelines/linkbert.yaml", "linkbert", sets: ["params.mix.linked=2"]).first)
        func changed(_ plan: Plan) -> [String] {
            linkbert.stages.map(\.name).filter {
                plan[$0]?.bound.canonicalConfig != linkbert[$0]?.bound.canonicalConfig
            }
        }
        #expect(changed(more) == ["pairs"])
        #expect(more.downstream(of: "pairs") == ["shards", "model", "scores"])
        #expect(changed(try #require(try load("pipelines/linkbert.yaml", "bert").first)) == ["pairs", "model"])
        #expect(try load("merge.yaml", nil).first.flatMap { value($0, "documents", "max_rejected") } == .number(0.02))
    }

    @Test func `the page's pipeline loads from a real folder`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "linkloom-\(UUID().uuidString)").path
        defer { try? Files.remove(root) }
        for (path, text) in try Self.page().files {
            try Files.makeDirectories(Paths.folder(of: root + path))
            try Files.publish(Array(text.utf8), at: root + path)
        }
        let loader = PipelineLoader(registry: Doc.registry)
        let plan = try #require(
            try loader.load(
                path: "linkbert.yaml", experiment: "bert", sets: [], workingDirectory: root + "/home/pipelines"
            ).first)
        #expect(plan["documents"]?.bound.files.map(\.path) == [root + "/home/pipelines/plaintext_articles/A.txt"])
        #expect(
            try loader.experimentNames("home/pipelines/linkbert.yaml", workingDirectory: root)
                == ["linkbert", "bert", "mix-sweep"])
    }

    @Test func `the page's errors are what is printed`() throws {
        let errors = try Self.page().errors
        #expect(errors.count == 1)
        for (file, text) in errors {
            let error = #expect(throws: PipelineErrors.self) { try load(file, nil) }
            #expect(error?.description == text)
        }
    }

    @Test func `a damaged file gives a plan or errors with places in it, never a crash`() throws {
        let files = try Self.page().files
        let text = Array(try #require(files["/home/pipelines/linkbert.yaml"]).utf8)
        for seed in 0..<400 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 9))
                case 2: bytes.insert(Array("{}[]&*!|>'\"%@`#:,-\n\t $".utf8).randomElement(using: &random)!, at: at)
                default: bytes.swapAt(at, Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            let memory = RawFiles(base: MemoryFiles(files), path: "/home/pipelines/linkbert.yaml", bytes: bytes)
            do throws(PipelineErrors) {
                let loader = PipelineLoader(registry: Doc.registry, files: memory)
                let plans = try loader.load(
                    path: "pipelines/linkbert.yaml", experiment: "linkbert", sets: [], workingDirectory: "/home")
                #expect(plans.count == 1, "seed \(seed)")
            } catch {
                #expect(!error.diagnostics.isEmpty, "seed \(seed)")
                for diagnostic in error.diagnostics {
                    let place = try #require(diagnostic.location, "seed \(seed)")
                    #expect(place.line >= 1 && place.column >= 1, "seed \(seed): \(diagnostic)")
                }
            }
        }
    }
}

/// Files in memory, one of them with bytes that need not be text.
private struct RawFiles: FileSystem {
    let base: MemoryFiles
    let path: String
    let bytes: [UInt8]

    func read(_ path: String) throws -> [UInt8] { path == self.path ? bytes : try base.read(path) }
    func kind(_ path: String) -> FileKind? { base.kind(path) }
    func list(_ folder: String) throws -> [String] { try base.list(folder) }
}
