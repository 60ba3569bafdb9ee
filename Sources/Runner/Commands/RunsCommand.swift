// `runs`, `runs show ID`: what was run, when, and what came of it.

import ArgumentParser
import Container
import Pipeline

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List the runs of this store, or show one.",
        subcommands: [List.self, Show.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the runs, oldest first.")
        @OptionGroup var storage: StoreArguments
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let history = RunHistory(storage.open())
            let runs = history.ids().compactMap(history.run)
            if json { return try Terminal.print(JSON.array(runs).pretty) }
            if runs.isEmpty { return try Terminal.print("no runs yet") }
            var rows = [["run", "experiment", "status", "seconds", "made", "reused", "file"]]
            rows += runs.map { run in
                let stages = run["stages"]?.array ?? []
                func sum(_ key: String) -> String { "\(stages.reduce(0) { $0 + ($1[key]?.int ?? 0) })" }
                return [
                    run["id"]?.string ?? "?", run["experiment"]?.string ?? "", run["status"]?.string ?? "?",
                    run["seconds"]?.double.map { Figures.fixed($0, 1) } ?? "", sum("run"), sum("reuse"),
                    run["file"]?.string ?? "",
                ]
            }
            try Terminal.print(Terminal.table(rows, right: [3, 4, 5]))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a run.")
        @Argument(help: ArgumentHelp("The run's id, its beginning, or 'last'.", valueName: "id"))
        var id: String
        @OptionGroup var storage: StoreArguments
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let store = storage.open()
            let history = RunHistory(store)
            let found =
                id == "last" ? Array(history.ids().suffix(1)) : history.ids().filter { $0 == id || $0.hasPrefix(id) }
            let exact = found.first { $0 == id }
            guard let name = exact ?? (found.count == 1 ? found[0] : nil), let run = history.run(name) else {
                throw RunnerError(
                    .usage, found.count > 1 ? "\(found.count) runs begin with '\(id)'" : "there is no run '\(id)'",
                    place: store.root,
                    fix: "`linkloom runs` lists them")
            }
            try Terminal.print(json ? run.pretty : text(run, store.path("runs/\(name)")))
        }

        private func text(_ run: JSON, _ directory: String) -> String {
            var lines: [String] = []
            for key in ["id", "file", "experiment", "status", "started", "ended"] {
                if let value = run[key]?.string, !value.isEmpty { lines.append("\(key): \(value)") }
            }
            if let settings = run["settings"]?.array, !settings.isEmpty {
                lines.append("settings: " + settings.compactMap(\.string).joined(separator: " "))
            }
            var rows = [["stage", "use", "run", "reused", "seconds", "output", "reason"]]
            for stage in run["stages"]?.array ?? [] {
                let reasons = (stage["reasons"]?.array ?? []).map { RunReason.text(recorded: $0) }
                rows.append([
                    stage["name"]?.string ?? "", stage["uses"]?.string ?? "", "\(stage["run"]?.int ?? 0)",
                    "\(stage["reuse"]?.int ?? 0)", Figures.fixed(stage["seconds"]?.double ?? 0, 2),
                    String((stage["output"]?.string ?? "").prefix(12)),
                    reasons.isEmpty ? "reused" : reasons.joined(separator: "; "),
                ])
            }
            lines.append(Terminal.table(rows, right: [2, 3, 4]))
            if let error = run["error"]?.string { lines.append(error) }
            lines.append("records: \(directory)")
            return lines.joined(separator: "\n")
        }
    }
}
