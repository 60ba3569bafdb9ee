// `head`, `cat`, `stats`: looking at a result. Nothing is run; a reader that goes away is a quiet success.

import ArgumentParser
import Container
import Pipeline
import Glibc

/// FILE STAGE, or the beginning of a digest in place of both.
struct ResultArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("The pipeline file, or the beginning of an artifact's digest.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("The stage; none after a digest.", valueName: "stage"))
    var stage: String?
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments

    /// Finds the result and reads it. Damage that is met on the way is taken out of the store, so that the next run makes
    /// it again.
    func read<R>(_ body: (FoundResult) throws -> R) throws -> R {
        do {
            return try body(try find())
        } catch let error as ContainerError {
            if let path = storage.open().damagedFile(error) {
                try Files.remove(path)
                Terminal.write("the damaged file was removed: `linkloom run` makes it again\n", to: 2)
            }
            throw error
        }
    }

    private func find() throws -> FoundResult {
        let store = storage.open()
        // Looking may write expanded copies of parts; a store that cannot be written can still be read.
        if store.exists, let presence = try? Presence(store) { Program.hold(presence) }
        let finder = ResultFinder(store: store, registry: Program.registry)
        guard let stage else {
            if Files.exists(file) {
                throw RunnerError(
                    .usage, "which stage of it?", place: file, cause: "a pipeline file has a result a stage",
                    fix: "name a stage; `linkloom graph \(file)` lists them")
            }
            return try finder.find(digest: file)
        }
        let plan = try selection.loadOne(file)
        let command = "linkloom run \(file)\(selection.typed)\(storage.typed) --until \(stage)"
        return try finder.find(inspector(store, FileMemo(store: store.root), plan), stage: stage, command: command)
    }
}

struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print a result, one JSON object a line.")
    @OptionGroup var result: ResultArguments

    func run() throws { try result.read { try printRows($0, limit: nil) } }
}

struct HeadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Print the first rows of a result, one JSON object a line.")
    @OptionGroup var result: ResultArguments
    @Option(name: [.customShort("n"), .customLong("lines")], help: ArgumentHelp("How many rows.", valueName: "n"))
    var lines = 10

    func validate() throws {
        if lines < 0 { throw ValidationError("-n takes a number from 0, not \(lines)") }
    }

    func run() throws { try result.read { try printRows($0, limit: lines) } }
}

private func printRows(_ found: FoundResult, limit: Int?) throws {
    if limit == 0 { return }
    var output = LineOutput()
    var count = 0
    try found.type.rows(found.artifact, found.context) { row in
        try output.line(row.canonical)
        count += 1
        return count != limit && Interrupt.signal == nil
    }
    try output.flush()
    if let signal = Interrupt.signal { throw Stopped(signal: signal) }
}

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stats", abstract: "Show figures of a result.")
    @OptionGroup var result: ResultArguments
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws { try result.read(show) }

    private func show(_ found: FoundResult) throws {
        let manifest = found.artifact.manifest
        let statistics = try found.type.statistics(found.artifact, found.context)
        let report: JSON = [
            "name": .string(found.name), "type": .string(manifest.type), "version": .int(Int64(manifest.version)),
            "digest": .string(manifest.digest.hex), "parts": .int(Int64(manifest.parts.count)),
            "bytes": .int(manifest.parts.reduce(0) { $0 + $1.bytes }),
            "rows": .int(manifest.parts.reduce(0) { $0 + $1.rows }),
            "statistics": statistics,
        ]
        try Terminal.print(json ? report.pretty : Outline.text(report))
    }
}

/// JSON for people: nested names by indentation, numbers grouped, short lists on one line.
enum Outline {
    static func text(_ json: JSON, indent: Int = 0) -> String {
        guard case .object(let members) = json else { return scalar(json) }
        let pad = String(repeating: " ", count: indent)
        return members.sorted { $0.key < $1.key }.map { name, value in
            if let inner = value.object, !inner.isEmpty { return "\(pad)\(name):\n" + text(value, indent: indent + 2) }
            if let list = value.array, list.contains(where: { $0.object != nil }) {
                return "\(pad)\(name):\n"
                    + list.map { item in
                        pad + "  - " + (item.object.map { _ in inline(item) } ?? scalar(item))
                    }.joined(separator: "\n")
            }
            return "\(pad)\(name): \(scalar(value))"
        }.joined(separator: "\n")
    }

    private static func inline(_ json: JSON) -> String {
        (json.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) \(scalar($0.value))" }.joined(separator: ", ")
    }

    private static func scalar(_ json: JSON) -> String {
        switch json {
        case .int(let value): Figures.grouped(value)
        case .number(let value): value.magnitude < 1e-3 && value != 0 ? "\(value)" : Figures.fixed(value, 4)
        case .string(let text): text
        case .array(let items): items.isEmpty ? "none" : items.map(scalar).joined(separator: ", ")
        default: String(decoding: json.canonical, as: UTF8.self)
        }
    }
}
