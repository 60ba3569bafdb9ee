// The pipeline files that come with the program: every experiment of each plans, and so does every command in their
// comments.

import Foundation
import Pipeline
import Testing

import Stages

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// The machine's files and, below a folder that is not there, whatever is asked for.
private struct WithData: FileSystem {
    static let folder = "/given"
    let real = RealFiles()

    func read(_ path: String) throws -> [UInt8] { try real.read(path) }

    func kind(_ path: String) -> FileKind? {
        guard path.hasPrefix(Self.folder) else { return real.kind(path) }
        let name = Paths.name(of: path)
        return name.contains("*") ? nil : name.contains(".") ? .file : .folder
    }

    func list(_ folder: String) throws -> [String] {
        folder.hasPrefix(Self.folder) ? ["one.xml"] : try real.list(folder)
    }
}

@Suite struct PipelineFileTests {
    /// Relative to the package, sorted.
    private static func files(_ pattern: String) throws -> [String] {
        try #require(Glob(root + "/" + pattern)).matches(in: RealFiles())
            .map { String($0.path.dropFirst(root.count + 1)) }
    }

    private let loader = PipelineLoader(registry: LinkloomStages.registry, files: WithData())

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: root + "/" + file, encoding: .utf8)
    }

    private func load(_ file: String, _ experiment: String?, _ sets: [String]) throws -> [Plan] {
        try loader.load(path: file, experiment: experiment, sets: sets, workingDirectory: root)
    }

    @Test func `every experiment of every file plans with the stages that there are`() throws {
        let pipelines = try Self.files("pipelines/*.yaml")
        let examples = try Self.files("examples/**/*.yaml")
        #expect(pipelines.contains("pipelines/curriculum.yaml"))
        #expect(examples.contains("examples/own-corpus/own-corpus.yaml"))
        for file in pipelines + examples {
            let text = try text(file)
            // Files and folders from outside are named below these two.
            let sets = ["data", "start"].filter { text.contains("\n  \($0): .") || text.contains("{\($0): .") }
                .map { "params.\($0)=\(WithData.folder)/\($0)" }
            let experiments = try loader.experimentNames(file, workingDirectory: root)
            for experiment in experiments.isEmpty ? [nil] : experiments.map(Optional.some) {
                let plans = try load(file, experiment, sets)
                #expect(!plans.isEmpty, "\(file) \(experiment ?? "")")
                #expect(
                    plans.allSatisfy { $0.stages.contains { $0.use == "pretrain" } }, "\(file) \(experiment ?? "")")
            }
        }
        let curriculum = try #require(try load("pipelines/curriculum.yaml", "sample", []).first)
        #expect(curriculum["model"]?.wires["shards"] == ["short-shards", "long-shards"])
    }

    @Test func `every corpus that is described plans under LinkBERT`() throws {
        let corpora = try Self.files("pipelines/corpora/*.yaml").map { Paths.name(of: $0).dropLast(".yaml".count) }
        #expect(corpora.count >= 4)
        for corpus in corpora {
            let sets = ["corpus=\(corpus)", "params.data=" + WithData.folder]
            #expect(try load("pipelines/linkbert.yaml", "linkbert", sets).count == 1, "\(corpus)")
        }
    }

    @Test func `every command in a comment of a file plans`() throws {
        var commands = 0
        for file in try Self.files("pipelines/*.yaml") + Self.files("examples/**/*.yaml") {
            for line in try text(file).split(separator: "\n") where line.hasPrefix("#   linkloom run ") {
                // What follows two spaces is a remark.
                var words = line.dropFirst("#   linkloom run ".count).components(separatedBy: "  ")[0]
                    .split(separator: " ").map(String.init)
                #expect(words.removeFirst() == file)
                var experiment: String?
                var until: String?
                var sets: [String] = []
                while words.count >= 2 {
                    let (option, value) = (words.removeFirst(), words.removeFirst())
                    switch option {
                    case "-e": experiment = value
                    case "--until": until = value
                    case "-s":
                        let isPath = value.hasPrefix("params.data=") || value.hasPrefix("params.start=")
                        sets.append(isPath ? value.prefix { $0 != "=" } + "=" + WithData.folder + "/model" : value)
                    default: Issue.record("\(file): what is \(option)?")
                    }
                }
                #expect(words == [], "\(file): \(line)")
                // Without it, the files are to be put beside the pipeline.
                if try text(file).contains("{data: ."), !sets.contains(where: { $0.hasPrefix("params.data=") }) {
                    sets.append("params.data=" + WithData.folder)
                }
                let plans = try load(file, experiment, sets)
                #expect(!plans.isEmpty && plans.allSatisfy { until == nil || $0[until!] != nil }, "\(file): \(line)")
                commands += 1
            }
        }
        #expect(commands >= 10)
    }
}
