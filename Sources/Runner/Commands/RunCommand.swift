// `linkloom run`: makes what is missing, prints the table of stages.

import ArgumentParser
import Container
import Pipeline
import Glibc

extension RunOptions.BackendChoice: ExpressibleByArgument {}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a pipeline; only what is missing is made.")

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file"))
    var file: String
    @OptionGroup var selection: SelectionArguments
    @OptionGroup var storage: StoreArguments
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Pieces, or threads of a lone piece, at once (else all cores).", valueName: "n"))
    var jobs: Int?
    @Option(help: ArgumentHelp("Make this stage again, whatever is stored; may be repeated.", valueName: "stage"))
    var force: [String] = []
    @Option(help: ArgumentHelp("Run only this stage and what it reads from.", valueName: "stage"))
    var until: String?
    @Option(help: "Where pieces are made: processes if there are several, threads, or auto.")
    var backend = RunOptions.BackendChoice.auto
    @Flag(help: "Go on with the other arms of a matrix when one fails.")
    var keepGoing = false
    @Flag(help: "Print the table as JSON.")
    var json = false

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("-j takes a number from 1, not \(jobs)") }
    }

    func run() throws {
        let plans = try selection.load(file)
        let reporter = Reporter.standardError()
        let store = storage.open()
        let memo = FileMemo(store: store.root)
        defer { memo.save() }
        var options = RunOptions(width: jobs ?? Cores.count)
        options.force = Set(force)
        options.until = until
        options.backend = backend
        for plan in plans {
            try force.forEach { _ = try plan.check(stage: $0) }
            _ = try plan.stages(until: until)
        }
        var outcomes: [RunOutcome] = []
        var firstError: (any Error)?
        for plan in plans {
            if plans.count > 1 { reporter.line("== \(plan.experimentName)") }
            do {
                let outcome = try Executor(
                    store: store, memo: memo, plan: plan, options: options, reporter: reporter,
                    header: ["settings": .array(selection.settings.map { .string($0) })]
                ).run()
                outcomes.append(outcome)
                if !json { try Terminal.print((plans.count > 1 ? "\(plan.experimentName)\n" : "") + outcome.table) }
            } catch let error where keepGoing && !(error is Stopped) && plans.count > 1 {
                reporter.line(describe(error))
                firstError = firstError ?? error
            }
        }
        if json {
            let list = outcomes.map(\.json)
            try Terminal.print((plans.count == 1 && list.count == 1 ? list[0] : .array(list)).pretty)
        }
        if let firstError { throw firstError }
    }
}

/// Cores that this process may use: its affinity, not the machine's size.
package enum Cores {
    package static var count: Int {
        let online = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        guard let status = try? Files.read("/proc/self/status") else { return online }
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        guard let mask = lines.first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return online }
        let allowed = mask.dropFirst(13).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return max(1, min(allowed, online))
    }
}
