// `stages`, `schema`, `worker`: what this program knows, and its own other end.

import ArgumentParser
import Container
import Pipeline
import Glibc

struct StagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "List the kinds of stages, or show the ports and keys of one.")
    @Argument(help: ArgumentHelp("A kind of stage.", valueName: "name"))
    var name: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let registry = Program.registry
        guard let name else {
            if json { return try Terminal.print(JSON.array(registry.stages.map(describe)).pretty) }
            return try Terminal.print(Terminal.table(registry.stages.map { [$0.name, $0.summary] }))
        }
        guard let stage = registry[name] else {
            throw RunnerError(
                .usage, "there is no kind of stage '\(name)'",
                fix: "there are: " + registry.names.joined(separator: ", "))
        }
        try Terminal.print(json ? describe(stage).pretty : text(stage))
    }

    private func text(_ stage: StageType) -> String {
        var lines = ["\(stage.name) (version \(stage.version)): \(stage.summary)", "makes: \(stage.output.typeName)"]
        lines.append(stage.ports.isEmpty ? "reads no other stage" : "ports:")
        lines += stage.ports.map { port in
            let notes = [
                port.autoWired ? nil : "never filled by itself", port.readByEveryPiece ? "read by every piece" : nil,
            ]
            let facts = [port.typeName, words(port.arity)] + notes.compactMap(\.self)
            return "  \(port.name): \(facts.joined(separator: ", ")). \(port.help)"
        }
        lines.append(stage.keys.isEmpty ? "takes no keys" : "keys:")
        lines += stage.docs.map { "  " + $0 }
        return lines.joined(separator: "\n")
    }

    private func words(_ arity: PortArity) -> String {
        switch arity {
        case .one: "required"
        case .optional: "optional"
        case .many: "one or more"
        case .optionalMany: "any number"
        }
    }

    private func describe(_ stage: StageType) -> JSON {
        let ports = stage.ports.map { port -> JSON in
            [
                "name": .string(port.name), "type": .string(port.typeName), "arity": .string(port.arity.rawValue),
                "auto_wired": .bool(port.autoWired), "read_by_every_piece": .bool(port.readByEveryPiece),
                "help": .string(port.help),
            ]
        }
        let keys = stage.keys.map { key -> JSON in
            [
                "name": .string(key.info.name), "type": .string(key.info.type), "default": key.defaultValue,
                "required": .bool(key.info.required), "operational": .bool(key.info.operational),
                "help": .string(key.info.help),
            ]
        }
        return [
            "name": .string(stage.name), "version": .int(Int64(stage.version)), "summary": .string(stage.summary),
            "makes": .string(stage.output.typeName), "ports": .array(ports), "keys": .array(keys),
        ]
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of the pipeline file, for editors.")

    func run() throws { try Terminal.print(Program.registry.schema.pretty) }
}

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Make one piece that a job file orders; started by `run`.")
    @OptionGroup var storage: StoreArguments
    @Option(help: ArgumentHelp("The job file.", valueName: "file"))
    var job: String
    @Option(help: .hidden)
    var events: Int32 = -1

    func run() throws {
        if events >= 0 { Worker.stopWithParent() }
        let code = Worker.run(
            store: Store.root(storage.store), job: job, registry: Program.registry, events: events)
        if code != 0 { throw ExitCode(code) }
    }
}
