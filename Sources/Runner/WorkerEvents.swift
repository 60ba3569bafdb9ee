// What a worker tells the process that started it: JSON lines on a descriptor of their own, so that nothing a
// library prints can be taken for one. Errors cross with their parts, so that they read the same as in-process.

import Container
import Pipeline
import Glibc
import Synchronization

enum WorkerEvent {
    case progress(done: Int64, total: Int64, unit: String, note: String)
    case message(String)
    case warning(String)
    case record(stream: String, line: JSON)
    case failure(WorkerFailure)

    var json: JSON {
        switch self {
        case .progress(let done, let total, let unit, let note):
            ["progress": [.int(done), .int(total), .string(unit), .string(note)]]
        case .message(let text): ["message": .string(text)]
        case .warning(let text): ["warning": .string(text)]
        case .record(let stream, let line): ["record": .string(stream), "line": line]
        case .failure(let failure): ["failure": failure.json]
        }
    }

    /// Nil for a line of no known form; the reader skips it.
    init?(_ json: JSON) {
        if let fields = json["progress"]?.array, fields.count == 4, let done = fields[0].int, let total = fields[1].int
        {
            self = .progress(done: done, total: total, unit: fields[2].string ?? "", note: fields[3].string ?? "")
        } else if let text = json["message"]?.string {
            self = .message(text)
        } else if let text = json["warning"]?.string {
            self = .warning(text)
        } else if let stream = json["record"]?.string, let line = json["line"] {
            self = .record(stream: stream, line: line)
        } else if let failure = json["failure"].flatMap(WorkerFailure.init) {
            self = .failure(failure)
        } else {
            return nil
        }
    }
}

/// An error of a worker, in parts.
struct WorkerFailure {
    enum Kind: String { case cancelled, stage, container, runner, other }
    var kind: Kind
    var message: String
    var place: String?
    var cause: String?
    var fix: String?
    var code: String?

    init(_ error: any Error) {
        switch error {
        case is Cancelled:
            (kind, message) = (.cancelled, "stopped")
        case let error as StageError:
            (kind, message, place, cause, fix) = (.stage, error.message, error.place, error.cause, error.fix)
        case let error as ContainerError:
            (kind, message, place, cause, fix) = (.container, error.message, error.path, error.cause, error.fix)
            code = error.code.rawValue
        case let error as RunnerError:
            (kind, message, place, cause, fix) = (.runner, error.message, error.place, error.cause, error.fix)
            code = String(error.status.rawValue)
        default:
            (kind, message) = (.other, String(describing: error))
        }
    }

    var json: JSON {
        var members: [String: JSON] = ["kind": .string(kind.rawValue), "message": .string(message)]
        members["place"] = place.map { .string($0) }
        members["cause"] = cause.map { .string($0) }
        members["fix"] = fix.map { .string($0) }
        members["code"] = code.map { .string($0) }
        return .object(members)
    }

    init?(_ json: JSON) {
        guard let kind = json["kind"]?.string.flatMap(Kind.init), let message = json["message"]?.string else {
            return nil
        }
        (self.kind, self.message) = (kind, message)
        place = json["place"]?.string
        cause = json["cause"]?.string
        fix = json["fix"]?.string
        code = json["code"]?.string
    }

    var error: any Error {
        switch kind {
        case .cancelled: Cancelled()
        case .stage, .other: StageError(message, place: place, cause: cause, fix: fix)
        case .container:
            ContainerError(
                code.flatMap(ContainerError.Code.init) ?? .io, message, path: place, cause: cause, fix: fix)
        case .runner:
            RunnerError(
                code.flatMap { Int32($0) }.flatMap(ExitStatus.init) ?? .stageFailed, message, place: place,
                cause: cause,
                fix: fix)
        }
    }
}

/// The worker's end. Progress is thinned to ten lines a second; everything else is sent at once.
final class WorkerChannel: ProgressSink, Sendable {
    private let descriptor: Int32
    private let lastProgress = Mutex(0.0)

    /// - Parameter descriptor: -1 to say nothing, for a worker started by hand.
    init(descriptor: Int32) { self.descriptor = descriptor }

    func send(_ event: WorkerEvent) {
        guard descriptor >= 0 else { return }
        let bytes = event.json.finite.canonical + [10]
        lastProgress.withLock { _ in try? Terminal.send(bytes, to: descriptor) }
    }

    func update(done: Int64, total: Int64, unit: String, note: String) {
        let now = Clock.monotonic
        let due = lastProgress.withLock { last in
            guard now - last >= 0.1 else { return false }
            last = now
            return true
        }
        if due { send(.progress(done: done, total: total, unit: unit, note: note)) }
    }
    func message(_ text: String) { send(.message(text)) }
    func warning(_ text: String) { send(.warning(text)) }
    func record(_ stream: String, _ line: JSON) { send(.record(stream: stream, line: line)) }
}

/// Lines from a descriptor until its end.
struct LineReader {
    let descriptor: Int32

    func forEach(_ body: ([UInt8]) -> Void) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            var start = 0
            for index in 0..<count where chunk[index] == 10 {
                pending += chunk[start..<index]
                body(pending)
                pending.removeAll(keepingCapacity: true)
                start = index + 1
            }
            pending += chunk[start..<count]
        }
        if !pending.isEmpty { body(pending) }
    }
}
