// `export`: a result as files for other tools. The folder appears whole or not at all.

import ArgumentParser
import Container
import Pipeline
import Glibc

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a result into a folder, for other tools.",
        discussion: "A checkpoint becomes a Hugging Face model directory; other results their manifest and parts.")
    @OptionGroup var result: ResultArguments
    @Option(help: ArgumentHelp("The folder to write; it must be empty or not be there.", valueName: "dir"))
    var to: String
    @Option(name: .customLong("part"), help: ArgumentHelp("Only this part; may be repeated.", valueName: "name"))
    var parts: [String] = []
    @Flag(help: "Replace the folder if it is there.")
    var overwrite = false

    func run() throws { try result.read(export) }

    private func export(_ found: FoundResult) throws {
        let known = Set(found.artifact.manifest.parts.map(\.name))
        if let unknown = parts.first(where: { !known.contains($0) }) {
            throw RunnerError(
                .usage, "\(found.name) has no part '\(unknown)'",
                fix: "its parts are: " + found.artifact.manifest.parts.prefix(20).map(\.name).joined(separator: ", "))
        }
        try Exporter(directory: to, overwrite: overwrite).write { folder in
            try found.type.export(
                found.artifact, ExportContext(directory: folder, partNames: parts, records: found.records))
        }
        try Terminal.print("\(found.name): exported to \(to)")
    }
}

/// Fills a folder beside the wanted one and then renames it.
package struct Exporter {
    private let directory: String
    private let overwrite: Bool

    package init(directory: String, overwrite: Bool) {
        var path = directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.directory = path
        self.overwrite = overwrite
    }

    package func write(_ body: (String) throws -> Void) throws {
        let isThere = Files.exists(directory)
        if isThere {
            guard Files.isDirectory(directory) else {
                throw RunnerError(
                    .usage, "this is not a folder", place: directory, fix: "choose another folder with --to")
            }
            guard try overwrite || Files.list(directory).isEmpty else {
                throw RunnerError(
                    .usage, "this folder is not empty", place: directory,
                    cause: "an export never mixes with other files",
                    fix: "choose another folder with --to, or replace it with --overwrite")
            }
            // --overwrite replaces what an export wrote, never a folder of other things.
            let names = try Files.list(directory)
            guard names.isEmpty || names.contains("manifest.json") || names.contains("config.json") else {
                throw RunnerError(
                    .usage, "this folder holds no export that could be replaced", place: directory,
                    cause: "it has neither a manifest.json nor a config.json", fix: "choose another folder with --to")
            }
        }
        let temporary = directory + ".partial-\(getpid())"
        try Files.remove(temporary)
        try Files.makeDirectories(temporary)
        do {
            try body(temporary)
            if isThere { try replace(with: temporary) } else { try rename(temporary, directory) }
        } catch {
            try? Files.remove(temporary)
            throw error
        }
    }

    private func replace(with temporary: String) throws {
        let old = directory + ".replaced-\(getpid())"
        try rename(directory, old)
        do {
            try rename(temporary, directory)
        } catch {
            try rename(old, directory)
            throw error
        }
        try Files.remove(old)
    }

    private func rename(_ from: String, _ to: String) throws {
        guard Glibc.rename(from, to) == 0 else {
            throw RunnerError(
                .storage, "the export cannot be put in place", place: to, cause: String(cString: strerror(errno)),
                fix: "check the permissions of the folder above it")
        }
    }
}
