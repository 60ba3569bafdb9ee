// What a command can end with, and the one error type of this room: place, message, why, fix, exit status.

package import Container

/// The exit codes of every command.
package enum ExitStatus: Int32, Sendable {
    case done = 0
    case stageFailed = 1
    case planHasWork = 2
    case pipelineFileWrong = 3
    case storage = 4
    case backEnd = 5
    case usage = 64
}

/// A failure in running, with the exit status that it means.
package struct RunnerError: Error, Sendable, CustomStringConvertible {
    package var status: ExitStatus
    package var message: String
    package var place: String?
    package var cause: String?
    package var fix: String?

    package init(
        _ status: ExitStatus, _ message: String, place: String? = nil, cause: String? = nil, fix: String? = nil
    ) {
        self.status = status
        self.message = message
        self.place = place
        self.cause = cause
        self.fix = fix
    }

    /// What the container said, seen from the store: anything but a full disk is damage or a missing file.
    package init(storage error: ContainerError) {
        self.init(.storage, error.message, place: error.path, cause: error.cause, fix: error.fix)
    }

    package var description: String {
        var lines = [(place.map { "\($0): " } ?? "") + "error: " + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }
}

/// The run was asked to stop by a signal; what was finished is kept.
package struct Stopped: Error, Sendable {
    /// SIGINT or SIGTERM.
    package let signal: Int32
    package init(signal: Int32) { self.signal = signal }
    package var exitCode: Int32 { 128 + signal }
}
