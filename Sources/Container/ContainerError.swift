// The one error type of this room: what happened, to which file, why, and what to do about it.

import Glibc

/// A failure while reading or writing stored data.
package struct ContainerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file or member is not there.
        case notFound
        /// The operating system refused or failed a read or write.
        case io
        /// The disk or quota is full.
        case noSpace
        /// Bytes that were once right are not any more: a checksum, size or digest differs.
        case damaged
        /// Bytes that never followed the format.
        case format
        /// The format is followed, but uses something this version does not read.
        case unsupported
        /// The caller asked for something that cannot be, such as a part name that leaves its folder.
        case invalidArgument
    }

    package var code: Code
    package var message: String
    package var path: String?
    package var cause: String?
    package var fix: String?

    package init(_ code: Code, _ message: String, path: String? = nil, cause: String? = nil, fix: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.cause = cause
        self.fix = fix
    }

    package var description: String {
        var lines = [(path.map { "\($0): " } ?? "") + "error: " + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }

    /// The same error with the file it happened in, unless it names one already.
    package func at(_ path: String) -> ContainerError {
        var copy = self
        if copy.path == nil { copy.path = path }
        return copy
    }

    /// The error of the system call that failed last: reads `errno`, so nothing may be called in between.
    static func system(_ action: String, _ path: String) -> ContainerError { system(action, path, errno: errno) }

    /// The error of a system call that left the given `errno`; `action` is a verb with its object ("read the file").
    package static func system(_ action: String, _ path: String, errno code: Int32) -> ContainerError {
        let why = String(cString: strerror(code))
        switch code {
        case ENOENT, ENOTDIR:
            return ContainerError(
                .notFound, "cannot \(action): no such file or folder", path: path, cause: why, fix: "check the path")
        case ENOSPC, EDQUOT:
            return ContainerError(
                .noSpace, "cannot \(action): no space left", path: path, cause: why,
                fix: "free space on this disk, or use a folder on another one")
        case EFBIG:
            return ContainerError(
                .io, "cannot \(action): the file would be too large", path: path, cause: why,
                fix: "raise the limit of file sizes (ulimit -f), or use a folder on a disk that holds larger files")
        case EMFILE, ENFILE:
            return ContainerError(
                .io, "cannot \(action)", path: path, cause: why, fix: "raise the limit of open files (ulimit -n)")
        case EACCES, EPERM, EROFS:
            return ContainerError(
                .io, "cannot \(action)", path: path, cause: why, fix: "check the permissions of the file and its folder"
            )
        case EISDIR:
            return ContainerError(
                .io, "cannot \(action): this is a folder", path: path, cause: why, fix: "name a file inside it")
        default:
            return ContainerError(.io, "cannot \(action)", path: path, cause: why)
        }
    }
}
