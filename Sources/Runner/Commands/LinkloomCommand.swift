// The command line: the root command, what all commands share, and how an error becomes an exit code.

package import ArgumentParser
package import Pipeline
import CMalloc
import Container
import Glibc
import Synchronization

/// `linkloom`. The executable hands in the stages it knows and commands of its own.
package struct LinkloomCommand: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "linkloom", abstract: "From linked text to a pretrained language model, incrementally.",
            version: "0.1.0",
            groupedSubcommands: [
                CommandGroup(
                    name: "Running:",
                    subcommands: [
                        RunCommand.self, PlanCommand.self, CheckCommand.self, WhyCommand.self, GraphCommand.self,
                    ]),
                CommandGroup(
                    name: "Looking at results:",
                    subcommands: [
                        HeadCommand.self, CatCommand.self, StatsCommand.self, ExportCommand.self, RunsCommand.self,
                    ]),
                CommandGroup(name: "Models:", subcommands: Program.extraCommands),
                CommandGroup(
                    name: "Reference:", subcommands: [StagesCommand.self, SchemaCommand.self, WorkerCommand.self]),
            ].filter { !$0.subcommands.isEmpty })
    }

    package init() {}

    /// Runs the command that the arguments name, and exits.
    /// - Parameters:
    ///   - arguments: without the program's name; nil for those of the process.
    ///   - prepare: called before the command runs, in worker processes too.
    package static func main(
        registry: StageRegistry, extraCommands: [any ParsableCommand.Type], arguments: [String]? = nil,
        prepare: () throws -> Void = {}
    ) -> Never {
        // glibc would raise the size from which arrays go back to the system with every large one that is freed, and
        // parts of 32 MiB would then add up in the heap, piece after piece.
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        Program.set(registry, extraCommands)
        Interrupt.install()
        do {
            var command = try parseAsRoot(arguments)
            try prepare()
            try command.run()
        } catch {
            exit(with: error)
        }
        Glibc.exit(ExitStatus.done.rawValue)
    }

    private static func exit(with error: any Error) -> Never {
        switch error {
        case is BrokenPipe: Glibc.exit(0)
        // Of a command that only looks: there is nothing to continue.
        case is Cancelled: Glibc.exit(128 + (Interrupt.signal ?? SIGINT))
        case let stopped as Stopped:
            Terminal.write("stopped; run the same command to continue\n", to: 2)
            Glibc.exit(stopped.exitCode)
        default: break
        }
        guard let status = status(of: error) else { exit(withError: error) }
        Terminal.write(describe(error) + "\n", to: 2)
        Glibc.exit(status.rawValue)
    }

    /// Nil for errors that are ArgumentParser's own: usage, help, explicit exit codes.
    static func status(of error: any Error) -> ExitStatus? {
        switch error {
        case let error as RunnerError: error.status
        case is PipelineErrors, is Diagnostic: .pipelineFileWrong
        case let error as ContainerError:
            [.noSpace, .io, .damaged, .notFound].contains(error.code) ? .storage : .stageFailed
        case is StageError, is RecordError: .stageFailed
        default: nil
        }
    }
}

/// What the executable handed in. Set once, before any command is parsed.
package enum Program {
    private struct Setup: @unchecked Sendable {
        var registry = StageRegistry([])
        // Metatypes: immutable, only ever read.
        var commands: [any ParsableCommand.Type] = []
    }

    private static let setup = Mutex(Setup())

    package static func set(_ registry: StageRegistry, _ commands: [any ParsableCommand.Type]) {
        setup.withLock { $0 = Setup(registry: registry, commands: commands) }
    }

    private static let held = Mutex<[Presence]>([])

    /// Keeps a presence until the process ends.
    static func hold(_ presence: Presence) { held.withLock { $0.append(presence) } }

    package static var registry: StageRegistry { setup.withLock { $0.registry } }
    package static var extraCommands: [any ParsableCommand.Type] { setup.withLock { $0 }.commands }
}

/// `--store`.
package struct StoreArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Folder of the store (else LINKLOOM_STORE, else .linkloom).", valueName: "dir"))
    package var store: String?

    package init() {}

    package func open() -> Store { Store(root: Store.root(store)) }

    /// As typed, for messages that tell which command to run.
    package var typed: String { store.map { " --store \($0)" } ?? "" }
}

/// `-e` and `-s`.
package struct SelectionArguments: ParsableArguments {
    @Option(name: [.short, .long], help: ArgumentHelp("The experiment of the file.", valueName: "name"))
    package var experiment: String?

    @Option(
        name: [.short, .customLong("set")],
        help: ArgumentHelp(
            "Set a value, e.g. params.seed=14 or model.steps=100; may be repeated.", valueName: "path=value"))
    package var settings: [String] = []

    package init() {}

    /// The plans of a file: one, or one an arm of the experiment's matrix.
    package func load(_ file: String) throws -> [Plan] {
        try PipelineLoader(registry: Program.registry).load(
            path: file, experiment: experiment, sets: settings, workingDirectory: workingDirectory())
    }

    /// The one plan of a file; commands that look at one result need one.
    package func loadOne(_ file: String) throws -> Plan {
        let plans = try load(file)
        guard plans.count == 1 else {
            throw RunnerError(
                .usage, "experiment '\(experiment ?? "")' has \(plans.count) arms", place: file,
                cause: "this command looks at one of them: "
                    + plans.prefix(5).map(\.experimentName).joined(separator: ", "),
                fix: "name one of them with -e")
        }
        return plans[0]
    }

    /// As typed, for messages that tell which command to run.
    package var typed: String {
        (experiment.map { " -e \($0)" } ?? "") + settings.map { " -s '\($0)'" }.joined()
    }
}

package func workingDirectory() throws -> String {
    guard let path = getcwd(nil, 0) else {
        throw RunnerError(
            .usage, "the working folder does not exist", cause: String(cString: strerror(errno)), fix: "cd to another")
    }
    defer { free(path) }
    return String(cString: path)
}
