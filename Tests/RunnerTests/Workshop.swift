// A folder of its own for one test: input files, a pipeline file, a store, and runs over them.

import Container
import Glibc
import Pipeline
import Runner
import Synchronization
import Testing

final class Workshop: Sendable {
    let root: String
    /// Warnings and lines that runs printed.
    let printed = Mutex<[String]>([])

    init(files: [String: String] = ["a.txt": "one\ntwo", "b.txt": "three", "c.txt": "four"]) throws {
        var template = Array(
            "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/linkloom-test-XXXXXX".utf8CString)
        root = try #require(
            template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
        for (name, text) in files { try write(name, text) }
        try pipeline()
    }

    deinit {
        if getenv("SAVE_TEMPS") == nil { try? Files.remove(root) }
    }

    var store: Store { Store(root: root + "/store") }

    func write(_ name: String, _ text: String) throws { try Files.publish(Array(text.utf8), at: root + "/" + name) }

    /// read → mark → join, with keys added to each.
    func pipeline(read: String = "", mark: String = "", extra: String = "") throws {
        try write(
            "pipeline.yaml",
            """
            version: 1
            stages:
              words: {use: read, with: {files: ["*.txt"], tag: "\(root)"\(read)}}
              marked: {use: mark, with: {tag: "\(root)"\(mark)}}
              joined: {use: join, in: {lines: marked}, with: {tag: "\(root)"}}
            \(extra)
            """)
    }

    func plan(_ sets: [String] = []) throws -> Plan {
        try PipelineLoader(registry: toyRegistry).load(
            path: root + "/pipeline.yaml", experiment: nil, sets: sets, workingDirectory: root)[0]
    }

    func reporter() -> Reporter {
        Reporter(isTerminal: false) { [weak self] text in self?.printed.withLock { $0.append(text) } }
    }

    var warnings: [String] { printed.withLock { $0.filter { $0.hasPrefix("warning: ") } } }

    @discardableResult
    func run(_ sets: [String] = [], width: Int = 1, _ change: (inout RunOptions) -> Void = { _ in }) throws
        -> RunOutcome
    {
        var options = RunOptions(width: width)
        options.backend = .threads
        options.isCancelled = { false }
        change(&options)
        let store = store
        let memo = FileMemo(store: store.root)
        defer { memo.save() }
        _ = Calls.take(root)
        return try Executor(store: store, memo: memo, plan: try plan(sets), options: options, reporter: reporter())
            .run()
    }

    func forecast(_ sets: [String] = [], until: String? = nil) throws -> Forecast {
        let inspector = Inspector(store: store, memo: FileMemo(store: store.root), plan: try plan(sets)) {
            [weak self] text in self?.printed.withLock { $0.append("warning: " + text) }
        }
        return try Planner(inspector: inspector).forecast(until: until)
    }

    /// Calls of stages in this process since the last run began.
    func calls() -> [String] { Calls.take(root).sorted() }

    /// Every file below a folder with its size and time of change.
    func snapshot(_ folder: String) throws -> [String] {
        guard Files.isDirectory(folder) else { return [] }
        return try Files.list(folder).flatMap { name -> [String] in
            let path = folder + "/" + name
            if Files.isDirectory(path) { return try [path] + snapshot(path) }
            var status = stat()
            _ = stat(path, &status)
            return ["\(path) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"]
        }
    }
}

extension RunOutcome {
    subscript(_ name: String) -> StageOutcome { stages.first { $0.name == name }! }
    var digests: [Digest] { stages.map(\.output) }
    var piecesRun: Int { stages.reduce(0) { $0 + $1.piecesRun } }
}
