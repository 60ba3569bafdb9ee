// Pieces in processes of their own: one `linkloom worker` a piece, as many at once as the run may use cores.
// A crash then costs a piece and names it, and memory goes back to the system with the process.

import Container
import Pipeline
import Glibc
import Synchronization

/// How a worker ended.
package enum WorkerEnd: Sendable, Equatable {
    case exited(Int32)
    case killed(signal: Int32)
}

/// A running worker.
package protocol WorkerHandle: Sendable {
    /// The read end of its events; owned by the handle, closed by `wait`.
    var events: Int32 { get }
    func stop()
    func wait() -> WorkerEnd
    /// What it printed beside its events, the end of it: the last words of a crash.
    func lastWords() -> String
}

/// Starts workers. A protocol, so that tests and other back ends can start them their own way.
package protocol WorkerSpawner: Sendable {
    /// - Parameter job: path of the job file (`WorkerJob`).
    func spawn(store: String, job: String) throws -> any WorkerHandle
}

package struct ProcessBackend: Backend {
    package let name = "processes"
    private let spawner: any WorkerSpawner

    package init(spawner: any WorkerSpawner = ProcessSpawner()) { self.spawner = spawner }

    package func run(
        _ jobs: [PieceJob], _ context: BackendContext, done: @escaping @Sendable (PieceJob, PieceRecord) -> Void
    ) throws {
        let living = Mutex<[Int: any WorkerHandle]>([:])
        let failed = StopFlag()
        let threads = jobs.count == 1 ? context.width : 1
        let stopAll: @Sendable () -> Void = {
            failed.raise()
            living.withLock { for handle in $0.values { handle.stop() } }
        }
        try forEachParallel(jobs.count, width: context.width, onFailure: stopAll) { index in
            let job = jobs[index]
            if failed.isRaised || context.isCancelled() { throw Cancelled() }
            let path = try WorkerJob(job, threads: threads).publish(in: context.store)
            defer { try? Files.remove(path) }
            let handle = try spawner.spawn(store: context.store.root, job: path)
            living.withLock { $0[index] = handle }
            // A failure between the look at `failed` and here has not seen this worker.
            if failed.isRaised { handle.stop() }
            let failure = Self.listen(to: handle, job, context)
            living.withLock { $0[index] = nil }
            try Self.check(handle.wait(), failure, handle, job, context)
            switch context.store.piece(job.key) {
            case .value(let record):
                context.reporter.finished(piece: job.index)
                done(job, record)
            case .missing, .damaged:
                throw RunnerError(
                    .backEnd,
                    "the worker of piece '\(job.piece.name)' of stage '\(job.stageName)' ended well but left no result",
                    fix: "check that the store is one and the same folder for all workers")
            }
        }
    }

    /// Passes events on until the worker closes its end.
    private static func listen(to handle: any WorkerHandle, _ job: PieceJob, _ context: BackendContext)
        -> WorkerFailure?
    {
        var failure: WorkerFailure?
        LineReader(descriptor: handle.events).forEach { line in
            guard let event = (try? JSON(parsing: line)).flatMap(WorkerEvent.init) else { return }
            switch event {
            case .progress(let done, let total, let unit, let note):
                context.reporter.update(piece: job.index, done: done, total: total, unit: unit, note: note)
            case .message(let text): context.reporter.line(text)
            case .warning(let text):
                context.reporter.warning(text)
                context.warning(text)
            case .record(let stream, let line): context.record(stream, line)
            case .failure(let reported): failure = reported
            }
        }
        return failure
    }

    private static func check(
        _ end: WorkerEnd, _ failure: WorkerFailure?, _ handle: any WorkerHandle, _ job: PieceJob,
        _ context: BackendContext
    ) throws {
        if end == .exited(0) { return }
        if let failure { throw failure.error }
        if context.isCancelled() { throw Cancelled() }
        let words = handle.lastWords()
        let cause = words.isEmpty ? nil : "it last said: " + words
        let piece = "the worker of piece '\(job.piece.name)' of stage '\(job.stageName)'"
        switch end {
        case .exited(let code):
            throw RunnerError(.backEnd, "\(piece) ended with exit code \(code) and no message", cause: cause)
        case .killed(let signal):
            throw RunnerError(
                .backEnd, "\(piece) was killed by signal \(signal) (\(String(cString: strsignal(signal))))",
                cause: cause,
                fix: signal == SIGKILL
                    ? "if memory ran out, use fewer workers (-j 1); finished pieces are kept, run the same command to continue"
                    : "finished pieces are kept; run the same command to continue")
        }
    }
}

/// Starts this same executable as `worker`.
package struct ProcessSpawner: WorkerSpawner {
    private let executable: String
    private let arguments: [String]

    /// - Parameters: `executable` and `arguments` of the worker command, to which `--store S --job FILE --events 3` is added.
    package init(executable: String = "/proc/self/exe", arguments: [String] = ["linkloom", "worker"]) {
        self.executable = executable
        self.arguments = arguments
    }

    package func spawn(store: String, job: String) throws -> any WorkerHandle {
        try SpawnedWorker.start(
            executable: executable, arguments: arguments + ["--store", store, "--job", job, "--events", "3"],
            log: job + ".log")
    }
}

/// A child process: events on descriptor 3, a pipe on stdin whose end tells it that its parent is gone, everything
/// printed into a log that is read if it crashes. Own process group: see `Interrupt`.
private final class SpawnedWorker: WorkerHandle, Sendable {
    let events: Int32
    private let lifeline: Int32
    private let process: pid_t
    private let log: String

    /// One spawn at a time: a child started between the making of a pipe and its closing mark would inherit it, and
    /// its reader would wait for that child as well.
    private static let spawning = Mutex(())

    static func start(executable: String, arguments: [String], log: String) throws -> SpawnedWorker {
        try spawning.withLock { _ in try SpawnedWorker(executable: executable, arguments: arguments, log: log) }
    }

    private init(executable: String, arguments: [String], log: String) throws {
        let eventPipe = try Self.pipe(), lifePipe = try Self.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, lifePipe.read, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o666)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, eventPipe.write, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, executable, &actions, &attributes, argv, environ)
        close(eventPipe.write)
        close(lifePipe.read)
        guard status == 0 else {
            close(eventPipe.read)
            close(lifePipe.write)
            throw RunnerError(
                .backEnd, "a worker cannot be started", place: executable, cause: String(cString: strerror(status)),
                fix: "use fewer workers (-j), or --backend threads")
        }
        (events, lifeline, self.process, self.log) = (eventPipe.read, lifePipe.write, process, log)
        Interrupt.adopt(process)
    }

    func stop() { _ = kill(process, SIGTERM) }

    func wait() -> WorkerEnd {
        close(events)
        // Out of the table before the process id can be given to somebody else.
        var information = siginfo_t()
        while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        Interrupt.release(process)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        close(lifeline)
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
    }

    func lastWords() -> String {
        guard let bytes = try? Files.read(log) else { return "" }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        // After a trap comes a long backtrace; what matters stands before it.
        if let fatal = lines.first(where: { $0.contains("Fatal error") }) { return String(fatal.prefix(500)) }
        return lines.suffix(4).joined(separator: " | ")
    }

    deinit { try? Files.remove(log) }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else {
            throw RunnerError(
                .backEnd, "a pipe to a worker cannot be made", cause: String(cString: strerror(errno)),
                fix: "raise the limit of open files (ulimit -n), or use fewer workers (-j)")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
