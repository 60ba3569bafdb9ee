// `graph`: the wiring of a pipeline as text, dot or mermaid.

import ArgumentParser
import Container
import Pipeline

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "graph", abstract: "Show how the stages are wired.")

    enum Format: String, CaseIterable, ExpressibleByArgument { case text, dot, mermaid, json }

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file"))
    var file: String
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments
    @Option(help: "text, dot, mermaid or json.")
    var format = Format.text
    @Flag(help: "The same as --format json.")
    var json = false

    func run() throws {
        guard let plan = try selection.load(file).first else { return }
        let graph = GraphText(plan: plan)
        switch json ? .json : format {
        case .text: try Terminal.print(graph.text)
        case .dot: try Terminal.print(graph.dot)
        case .mermaid: try Terminal.print(graph.mermaid)
        case .json: try Terminal.print(graph.json.pretty)
        }
    }
}

/// A plan's wiring in several forms. Arms of a matrix are wired alike, so one of them shows all.
struct GraphText {
    let plan: Plan

    /// A line a stage: what it is, what it makes, where its ports come from; `*` marks ports filled by themselves.
    var text: String {
        let rows = plan.stages.map { stage in
            [stage.name, stage.use, "→ " + stage.bound.output.typeName, wiring(stage)]
        }
        let isAutomatic = plan.stages.contains { !$0.autoWired.isEmpty }
        return Terminal.table(rows) + (isAutomatic ? "\n* filled by the only stage that makes the type" : "")
    }

    private func wiring(_ stage: PlannedStage) -> String {
        stage.wires.sorted { $0.key < $1.key }.map { port, names in
            "\(port)\(stage.autoWired.contains(port) ? "*" : ""): " + names.joined(separator: ", ")
        }.joined(separator: "; ")
    }

    var dot: String {
        var lines = ["digraph pipeline {", "  rankdir=LR;", "  node [shape=box];"]
        lines += plan.stages.map { "  \(quoted($0.name)) [label=\(quoted($0.name + "\\n" + $0.use))];" }
        lines += edges.map { "  \(quoted($0.from)) -> \(quoted($0.to)) [label=\(quoted($0.port))];" }
        return (lines + ["}"]).joined(separator: "\n")
    }

    var mermaid: String {
        let ids = Dictionary(uniqueKeysWithValues: plan.stages.enumerated().map { ($1.name, "s\($0)") })
        var lines = ["flowchart LR"]
        lines += plan.stages.map { "  \(ids[$0.name]!)[\"\($0.name)<br/>\($0.use)\"]" }
        lines += edges.map { "  \(ids[$0.from]!) -->|\($0.port)| \(ids[$0.to]!)" }
        return lines.joined(separator: "\n")
    }

    var json: JSON {
        let stages = plan.stages.map { stage -> JSON in
            [
                "name": .string(stage.name), "uses": .string(stage.use), "makes": .string(stage.bound.output.typeName),
                "in": .object(stage.wires.mapValues { .array($0.map { .string($0) }) }),
                "auto_wired": .array(stage.autoWired.sorted().map { .string($0) }),
            ]
        }
        return ["experiment": plan.experiment.map { .string($0) } ?? .null, "stages": .array(stages)]
    }

    private var edges: [(from: String, to: String, port: String)] {
        plan.stages.flatMap { stage in
            stage.wires.sorted { $0.key < $1.key }.flatMap { port, names in names.map { ($0, stage.name, port) } }
        }
    }

    private func quoted(_ text: String) -> String { "\"" + text + "\"" }
}
