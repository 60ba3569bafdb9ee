// The record of one run: what was asked, what each stage did and why, and the streams that stages record.
// Clocks, paths and rates live here and nowhere else.

package import Container
import Glibc
import Synchronization

/// `runs/<id>/`: `run.json` is republished at every change of state; streams are appended line by line.
/// Thread-safe. A failure to write a record is reported once and never fails a run.
package final class RunLog: Sendable {
    package let id: String
    package let directory: String

    private struct State {
        var header: [String: JSON]
        var streams: [String: Int32] = [:]
        var complained = false
    }

    private let state: Mutex<State>
    private let complain: @Sendable (String) -> Void

    /// Makes the folder of a new run; its name sorts by time.
    package init(store: Store, header: [String: JSON], complain: @escaping @Sendable (String) -> Void) throws {
        let started = Clock.wall
        let runs = store.path("runs")
        try Files.makeDirectories(runs)
        var attempt = 0
        var name = ""
        while true {
            let suffix = attempt == 0 ? "" : ".\(attempt)"
            name = Clock.format(started, "%Y%m%d-%H%M%S") + "-\(getpid())" + suffix
            if mkdir(runs + "/" + name, 0o777) == 0 { break }
            guard errno == EEXIST, attempt < 1000 else {
                throw RunnerError(
                    .storage, "cannot make the folder of this run", place: runs + "/" + name,
                    cause: String(cString: strerror(errno)), fix: "check the permissions and the space of the store")
            }
            attempt += 1
        }
        id = name
        directory = runs + "/" + name
        self.complain = complain
        var header = header
        header["id"] = .string(name)
        header["started"] = .string(Clock.stamp(started))
        header["process"] = .int(Int64(getpid()))
        header["status"] = .string("running")
        state = Mutex(State(header: header))
        publish()
    }

    deinit { state.withLock { for descriptor in $0.streams.values { close(descriptor) } } }

    /// Sets members of `run.json` and publishes it.
    package func update(_ members: [String: JSON]) {
        state.withLock { state in state.header.merge(members) { $1 } }
        publish()
    }

    package func event(_ kind: String, _ members: [String: JSON]) {
        var members = members
        members["event"] = .string(kind)
        members["time"] = .string(Clock.stamp(Clock.wall))
        append("events", .object(members))
    }

    /// One line of `<stream>.jsonl`.
    package func append(_ stream: String, _ line: JSON) {
        let bytes = line.finite.canonical + [10]
        let name = stream.filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        let ok = state.withLock { state -> Bool in
            let descriptor: Int32
            if let known = state.streams[name] {
                descriptor = known
            } else {
                descriptor = openForAppend(directory + "/\(name).jsonl")
                guard descriptor >= 0 else { return false }
                state.streams[name] = descriptor
            }
            return bytes.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) } == bytes.count
        }
        if !ok { complainOnce("cannot write \(directory)/\(name).jsonl") }
    }

    private func publish() {
        let json = state.withLock { JSON.object($0.header) }
        do {
            try Files.publish(Array(json.pretty.utf8) + [10], at: directory + "/run.json")
        } catch {
            complainOnce("\(error)")
        }
    }

    private func complainOnce(_ text: String) {
        let first = state.withLock { state in
            defer { state.complained = true }
            return !state.complained
        }
        if first { complain("the record of this run is incomplete: \(text)") }
    }
}

private func openForAppend(_ path: String) -> Int32 { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) }

/// Looking at the records of earlier runs.
package struct RunHistory: Sendable {
    private let store: Store
    package init(_ store: Store) { self.store = store }

    /// Ids, oldest first.
    package func ids() -> [String] {
        guard Files.isDirectory(store.path("runs")) else { return [] }
        return (try? Files.list(store.path("runs"))) ?? []
    }

    /// `run.json`; nil if missing or unreadable. A run that says it is running, but whose process is gone, was killed.
    package func run(_ id: String) -> JSON? {
        guard !id.contains("/"), let bytes = try? Files.read(store.path("runs/\(id)/run.json")),
            var json = try? JSON(parsing: bytes), json.object != nil
        else { return nil }
        if json["status"]?.string == "running", let process = json["process"]?.int, kill(pid_t(process), 0) != 0,
            errno == ESRCH
        {
            json["status"] = .string("killed")
        }
        return json
    }

    /// The key of each stage when it was last finished: by this experiment if it ever was, else by the newest run of
    /// the file. Reads runs from the newest back until every stage was met.
    package func lastKeys(file: String, experiment: String, stages: [String]) -> (run: String, keys: [String: Digest])?
    {
        var own: [String: Digest] = [:], others: [String: Digest] = [:]
        var ownRun: String?, otherRun: String?
        for id in ids().reversed() where !stages.allSatisfy({ own[$0] != nil }) {
            guard let run = run(id), run["file"]?.string == file else { continue }
            let isOwn = run["experiment"]?.string == experiment
            for stage in run["stages"]?.array ?? [] {
                guard let name = stage["name"]?.string, let key = stage["key"]?.string.flatMap(Digest.init(hex:))
                else { continue }
                if isOwn {
                    own[name] = own[name] ?? key
                    ownRun = ownRun ?? id
                } else {
                    others[name] = others[name] ?? key
                    otherRun = otherRun ?? id
                }
            }
        }
        guard let run = ownRun ?? otherRun else { return nil }
        return (run, own.merging(others) { own, _ in own })
    }

    /// Lines of a stream that were recorded for a stage's key, in order of time, as the stage wrote them.
    package func lines(_ stream: String, key: Digest) -> [JSON] {
        var lines: [JSON] = []
        let wanted = Array(key.hex.utf8)
        for id in ids() {
            guard let bytes = try? Files.read(store.path("runs/\(id)/\(stream).jsonl")) else { continue }
            for line in bytes.split(separator: 10) where line.firstRange(of: wanted) != nil {
                guard let json = try? JSON(parsing: Array(line)), json["key"]?.string == key.hex,
                    let written = json["line"]
                else { continue }
                lines.append(written)
            }
        }
        return lines
    }
}
