// `plan`, `check`, `why`: what a run would do, and why. None of them writes anything.

import ArgumentParser
import Container
import Pipeline
import Glibc

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what a run would make, and why; writes nothing.")

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file"))
    var file: String
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments
    @Option(help: ArgumentHelp("As if this stage had to be made again; may be repeated.", valueName: "stage"))
    var force: [String] = []
    @Option(help: ArgumentHelp("Only this stage and what it reads from.", valueName: "stage"))
    var until: String?
    @Flag(help: "Show every value of every stage and where it comes from.")
    var resolved = false
    @Flag(help: "Exit with 2 if anything would run.")
    var exitCode = false
    @Flag(help: "Print JSON.")
    var json = false
    @Option(name: [.short, .long], help: .hidden)
    var jobs: Int?

    func run() throws {
        let plans = try selection.load(file)
        let store = storage.open()
        let memo = FileMemo(store: store.root)
        var hasWork = false
        var list: [JSON] = []
        for plan in plans {
            try force.forEach { _ = try plan.check(stage: $0) }
            let forecast = try Planner(inspector: inspector(store, memo, plan), force: Set(force)).forecast(
                until: until)
            hasWork = hasWork || forecast.hasWork
            if json {
                var members = forecast.json
                if resolved { members["resolved"] = resolvedJSON(plan) }
                list.append(members)
            } else {
                if plans.count > 1 { try Terminal.print("experiment \(plan.experimentName)") }
                if resolved { try Terminal.print(resolvedText(plan)) }
                try Terminal.print(forecast.text)
            }
        }
        if json { try Terminal.print((list.count == 1 ? list[0] : .array(list)).pretty) }
        if exitCode && hasWork { throw ExitCode(ExitStatus.planHasWork.rawValue) }
    }

    private func resolvedJSON(_ plan: Plan) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: plan.stages.map { ($0.name, .array($0.values.map(\.json))) }))
    }

    private func resolvedText(_ plan: Plan) -> String {
        plan.stages.map { stage in
            let rows = stage.values.map { value in
                ["  \(value.key)", String(decoding: value.value.canonical, as: UTF8.self), value.source]
            }
            return "\(stage.name): \(stage.use)" + (rows.isEmpty ? "" : "\n" + Terminal.table(rows))
        }.joined(separator: "\n") + "\n"
    }
}

/// Warnings of a look at the store go to stderr.
func inspector(_ store: Store, _ memo: FileMemo, _ plan: Plan) -> Inspector {
    Inspector(store: store, memo: memo, plan: plan) { Terminal.write("warning: \($0)\n", to: 2) }
}

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a pipeline file and show its wiring.",
        discussion: "All errors of the file are printed at once. Input files must exist; they are not read.")

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file"))
    var file: String
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let plans = try selection.load(file)
        if json { return try Terminal.print(JSON.array(plans.map { GraphText(plan: $0).json }).pretty) }
        for plan in plans.prefix(1) { try Terminal.print(GraphText(plan: plan).text) }
        let arms = plans.count > 1 ? ", \(plans.count) arms" : ""
        try Terminal.print("\(file): no errors (\(plans.first?.stages.count ?? 0) stages\(arms))")
    }
}

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say why a stage would run or be reused, and what made its last result.")

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("The stage.", valueName: "stage"))
    var stage: String
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let plan = try selection.loadOne(file)
        try plan.check(stage: stage)
        let store = storage.open()
        let inspector = inspector(store, FileMemo(store: store.root), plan)
        let forecast = try Planner(inspector: inspector).forecast(until: stage)
        guard let found = forecast.stages.last(where: { $0.name == stage }) else { return }
        let record = found.runs ? inspector.previousRecord(stage) : found.resolved.flatMap { current(store, $0.key) }
        let report = WhyReport(stage: found, record: record, previousRun: inspector.previous?.run)
        try Terminal.print(json ? report.json.pretty : report.text)
    }

    private func current(_ store: Store, _ key: Digest) -> StageRecord? {
        guard case .value(let record) = store.record(key, as: StageRecord.self) else { return nil }
        return record
    }
}

/// What `why` prints.
struct WhyReport {
    let stage: StageForecast
    /// Of the result that is reused, or of the last one there was.
    let record: StageRecord?
    let previousRun: String?

    var json: JSON {
        var members = stage.json
        members["key"] = stage.resolved.map { .string($0.key.hex) } ?? .null
        members["components"] = stage.resolved?.components ?? .null
        if let record {
            members["last"] = [
                "run": .string(record.run), "components": record.components, "reasons": record.reasons,
                "output": .string(record.output.hex), "pieces": .int(Int64(record.pieces)),
                "seconds": .number(record.seconds), "numerics": record.numerics ?? .null,
            ]
        }
        return members
    }

    var text: String {
        var lines: [String] = []
        if stage.runs {
            lines.append("\(stage.name) would run (pieces: \(stage.runText) made, \(stage.reuse) reused):")
            lines += stage.reasonTexts.map { "  \($0)" }
            if let previousRun { lines.append("  compared with run \(previousRun)") }
        } else {
            lines.append("\(stage.name) is reused (pieces: \(stage.reuse)): the store has a result for its key")
        }
        if let resolved = stage.resolved {
            lines.append("key \(resolved.key.hex) is made of")
            lines += resolved.components.pretty.split(separator: "\n").map { "  " + $0 }
        }
        if let record {
            let reasons = (record.reasons.array ?? []).map { RunReason.text(recorded: $0) }
            lines.append(
                "last made by run \(record.run) in \(Figures.fixed(record.seconds, 1)) s (pieces: \(record.pieces))"
                    + (reasons.isEmpty ? "" : ", because: " + reasons.joined(separator: "; ")))
            lines.append("  output \(record.output.hex)")
            if let numerics = record.numerics {
                lines.append("  numerics \(String(decoding: numerics.canonical, as: UTF8.self))")
            }
        } else {
            lines.append("no earlier result of this stage is known")
        }
        return lines.joined(separator: "\n")
    }
}
