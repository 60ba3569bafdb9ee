// Stages that make artifacts of the right types and read nothing, and files in memory: plans are asserted from text.

import Container
import Testing

import Pipeline

enum Documents: ToyArtifact { static let typeName = "documents" }
enum Links: ToyArtifact { static let typeName = "links" }
enum Graph: ToyArtifact { static let typeName = "document-graph" }
enum Tokens: ToyArtifact { static let typeName = "tokens" }
enum Checkpoint: ToyArtifact { static let typeName = "checkpoint" }

protocol ToyArtifact: Artifact {}
extension ToyArtifact {
    static var version: Int { 1 }
    static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {}
    static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON { [:] }
}

protocol ToyStage: Stage {}
extension ToyStage {
    static var version: Int { 1 }
    static var summary: String { "A toy." }
    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult {
        PieceResult(parts: [], counts: ["files": Int64(context.files.count)])
    }
}

struct NoKeys: StageConfig, Equatable { static let keys: [ConfigKey<NoKeys>] = [] }

enum Parse: ToyStage {
    struct Config: StageConfig, Equatable {
        var files: [InputFile] = []
        var corpus = ""
        var drop: [String] = []
        var maxRejected = 0.01
        static let keys: [ConfigKey<Config>] = [
            .files("files", \.files, required: true, help: "What to parse."),
            .string("corpus", \.corpus, help: "The name of the corpus."),
            .strings("drop", \.drop, help: "Patterns of paragraphs to drop."),
            .number("max_rejected", \.maxRejected, in: 0...1, help: "Share of bad pages allowed."),
        ]
    }
    typealias Output = Documents
    static let name = "parse"
    static let ports: [AnyInputPort] = []
    static func readsFileNames(_ config: Config) -> Bool { config.drop.isEmpty }
}

enum LinkExtract: ToyStage {
    typealias Config = NoKeys
    typealias Output = Links
    static let name = "link-extract"
    static let ports = [InputPort<Documents>("documents", help: "The pages.").erased]
}

enum GraphStage: ToyStage {
    typealias Config = NoKeys
    typealias Output = Graph
    static let name = "graph"
    static let ports = [
        InputPort<Documents>("documents", help: "The pages.").erased,
        InputPort<Links>("links", .many, help: "The links to join.").erased,
    ]
}

enum Tokenize: ToyStage {
    struct Config: StageConfig, Equatable {
        var importFile: InputFile?
        static let keys: [ConfigKey<Config>] = [.file("import", \.importFile, help: "A ready vocabulary.")]
    }
    typealias Output = Tokens
    static let name = "tokenize"
    static let ports = [InputPort<Documents>("documents", help: "The pages.").erased]
    static func uses(_ port: String, _ config: Config) -> Bool { config.importFile == nil }
}

/// Takes a graph, perhaps a start and a second graph, and has one key of every kind.
enum Train: ToyStage {
    typealias Config = ToyConfig
    typealias Output = Checkpoint
    static let name = "train"
    static let version = 3
    static let ports = [
        InputPort<Graph>("graph", help: "What to train on.").erased,
        InputPort<Tokens>("tokens", .optional, help: "The tokens.").erased,
        InputPort<Checkpoint>("init", .optional, autoWired: false, help: "Where to start.").erased,
    ]
}

struct MemoryFiles: FileSystem {
    var contents: [String: String]

    init(_ contents: [String: String]) { self.contents = contents }

    func read(_ path: String) throws -> [UInt8] { Array(contents[path]!.utf8) }
    func kind(_ path: String) -> FileKind? {
        if contents[path] != nil { return .file }
        return path == "/" || contents.keys.contains { $0.hasPrefix(path + "/") } ? .folder : nil
    }
    func list(_ folder: String) throws -> [String] {
        let prefix = folder == "/" ? "/" : folder + "/"
        let below = contents.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
        return Set(below.map { String($0.prefix { $0 != "/" }) }).sorted()
    }
}

let toyRegistry = StageRegistry([
    StageType(Parse.self), StageType(LinkExtract.self), StageType(GraphStage.self), StageType(Tokenize.self),
    StageType(Train.self),
])

/// Plans `p.yaml`, given as text, in `/home`; other files as given.
func plans(
    _ yaml: String, _ experiment: String? = nil, sets: [String] = [], files: [String: String] = [:]
) throws(PipelineErrors) -> [Plan] {
    let memory = MemoryFiles(files.merging(["/home/p.yaml": yaml, "/home/a.txt": "a"]) { first, _ in first })
    return try PipelineLoader(registry: toyRegistry, files: memory)
        .load(path: "p.yaml", experiment: experiment, sets: sets, workingDirectory: "/home")
}

func planned(
    _ yaml: String, _ experiment: String? = nil, sets: [String] = [], files: [String: String] = [:]
) throws -> Plan {
    let all = try plans(yaml, experiment, sets: sets, files: files)
    return try #require(all.count == 1 ? all[0] : nil)
}

/// The printed errors of a pipeline that must not load.
func errors(
    _ yaml: String, _ experiment: String? = nil, sets: [String] = [], files: [String: String] = [:]
) -> String {
    do throws(PipelineErrors) {
        return "no error: \(try plans(yaml, experiment, sets: sets, files: files).map(\.stages).map { $0.map(\.name) })"
    } catch { return error.description }
}

/// A value of a stage's resolved config.
func value(_ plan: Plan, _ stage: String, _ key: String) -> JSON? { plan[stage]?.bound.resolvedConfig[key] }

/// The head that most tests share: documents, links, graph; `rest` goes on under `stages:`.
func base(_ rest: String, head: String = "") -> String {
    """
    version: 1
    \(head)
    stages:
      documents: {use: parse, with: {files: [a.txt]}}
      links: {use: link-extract}
      graph: {use: graph}
    \(rest)
    """
}
