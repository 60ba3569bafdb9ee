// Runs the built `linkloom` as a user would, in folders of its own.

import Container
import Foundation
import Testing

let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The executable that was built beside these tests.
let linkloomPath: String = {
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    return tests.appending(path: "linkloom").path
}()

struct Finished {
    var status: Int32
    var output: String
    var errors: String

    var json: JSON { get throws { try JSON(parsing: Array(output.utf8)) } }
}

/// A folder that is removed with its owner, unless SAVE_TEMPS is set.
final class Workshop {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "linkloom-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        if ProcessInfo.processInfo.environment["SAVE_TEMPS"] == nil { try? FileManager.default.removeItem(at: folder) }
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        let url = folder.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    func start(_ arguments: [String], executable: String = linkloomPath) throws -> (Process, Pipe, URL) {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let output = Pipe()
        let errors = folder.appending(path: "stderr-\(UUID().uuidString)")
        try Data().write(to: errors)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output, errors)
    }

    func run(_ arguments: String..., executable: String = linkloomPath) throws -> Finished {
        try run(arguments, executable: executable)
    }

    func run(_ arguments: [String], executable: String = linkloomPath) throws -> Finished {
        let (process, output, errors) = try start(arguments, executable: executable)
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Finished(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// The sample pipeline, with as little training as shows every stage.
let quickstart = packageRoot.appending(path: "pipelines/quickstart.yaml").path
let brief = ["-s", "params.steps=12", "-s", "model.batch_size=4", "-s", "pairs.passes=2"]

/// Output digest of every stage of `run --json`.
func digests(_ run: JSON) -> [String: String] {
    Dictionary(
        uniqueKeysWithValues: (run["stages"]?.array ?? []).map {
            ($0["name"]?.string ?? "?", $0["output"]?.string ?? "?")
        })
}
