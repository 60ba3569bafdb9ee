// Digests of input files, remembered by what the file system says of them, so that a run with nothing to do does
// not read gigabytes. A memo may only save reading: it never enters a key, and losing it loses nothing.

package import Container
import Glibc
import Synchronization

/// Thread-safe. Several runs may save the same memo: the last one wins, entries of the others are read again.
package final class FileMemo: Sendable {
    private struct Entry: Equatable {
        var size: Int64
        var mtime: Int64
        var ctime: Int64
        /// When the file had been read. A file changed less than two seconds before may change again without its
        /// times showing it, so such an entry is not believed.
        var read: Int64
        var digest: Digest
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var loaded = false
        var changed = false
    }

    private static let distrust: Int64 = 2_000_000_000
    private let memoPath: String
    private let state = Mutex(State())

    /// - Parameter store: the store's folder; read at first use.
    package init(store: String) { memoPath = store + "/files.json" }

    /// Size and digest of a file, from the memo where it can be believed.
    /// - Throws: `RunnerError` naming the file if it is missing, no plain file, or unreadable.
    package func digest(_ path: String) throws -> (digest: Digest, bytes: Int64) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw RunnerError(
                .stageFailed, "this is no plain file", place: path,
                cause: status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is a device, pipe or socket",
                fix: "name a file, or a glob such as '\(path)/*'")
        }
        let id = "\(status.st_dev):\(status.st_ino)"
        let (size, mtime, ctime) = (
            Int64(status.st_size), Self.nanoseconds(status.st_mtim), Self.nanoseconds(status.st_ctim)
        )
        let entry = state.withLock { state in
            load(&state)
            return state.entries[id]
        }
        if let entry, entry.size == size, entry.mtime == mtime, entry.ctime == ctime,
            entry.read - max(mtime, ctime) >= Self.distrust
        {
            return (entry.digest, size)
        }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let found: (digest: Digest, bytes: Int64)
        do {
            found = try digestOfFile(path)
        } catch let error as ContainerError {
            throw Self.unreadable(path, error.cause ?? error.message)
        }
        let fresh = Entry(
            size: found.bytes, mtime: mtime, ctime: ctime, read: Self.nanoseconds(now), digest: found.digest)
        state.withLock { state in
            state.entries[id] = fresh
            state.changed = true
        }
        return found
    }

    /// Writes the memo if it learned something. A failure to write is no failure of a run.
    package func save() {
        let entries = state.withLock { state -> [String: Entry]? in
            defer { state.changed = false }
            return state.changed ? state.entries : nil
        }
        guard let entries else { return }
        let json = JSON.object(
            entries.mapValues { entry in
                .array([
                    .int(entry.size), .int(entry.mtime), .int(entry.ctime), .int(entry.read), .string(entry.digest.hex),
                ])
            })
        try? Files.publish(json.canonical, at: memoPath)
    }

    private func load(_ state: inout State) {
        if state.loaded { return }
        state.loaded = true
        guard let bytes = try? Files.read(memoPath), let members = (try? JSON(parsing: bytes))?.object else { return }
        for (id, value) in members {
            guard let fields = value.array, fields.count == 5, let size = fields[0].int, let mtime = fields[1].int,
                let ctime = fields[2].int, let read = fields[3].int, let hex = fields[4].string,
                let digest = Digest(hex: hex)
            else { continue }
            state.entries[id] = Entry(size: size, mtime: mtime, ctime: ctime, read: read, digest: digest)
        }
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func unreadable(_ path: String, _ why: String) -> RunnerError {
        RunnerError(
            .stageFailed, "this input file cannot be read", place: path, cause: why,
            fix: "check the path and its permissions")
    }
}
