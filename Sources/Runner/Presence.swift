// Who is using a store: every process that writes holds a shared lock on `<store>/in-use`, which ends with the
// process however it ends. Whoever can have the lock alone knows that temporary files have no living writer.

import Container
import Glibc

/// Held for as long as the value lives. Nobody ever waits for long: the lock is held alone only while cleaning.
package final class Presence: Sendable {
    private let descriptor: Int32

    private let store: Store

    package init(_ store: Store) throws {
        self.store = store
        try Files.makeDirectories(store.root)
        let path = store.path("in-use")
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw RunnerError(
                .storage, "the store cannot be written", place: path, cause: String(cString: strerror(errno)),
                fix: "check its permissions, or choose another with --store or LINKLOOM_STORE")
        }
        share()
    }

    /// Where the file system has no locks nothing is ever cleaned, and everything else works.
    private func share() { while flock(descriptor, LOCK_SH) != 0, errno == EINTR {} }

    /// Removes what dead processes left, if nobody else is here. The caller is writing nothing at this moment.
    package func clean() {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { Self.sweep(store) }
        share()
    }

    deinit { close(descriptor) }

    /// Temporary files everywhere, orders to dead workers, scratch folders of second attempts.
    private static func sweep(_ store: Store) {
        sweep(store.root, depth: 3)
        for name in (try? Files.list(store.path("jobs"))) ?? [] { try? Files.remove(store.path("jobs/" + name)) }
        for name in (try? Files.list(store.path("scratch"))) ?? [] where name.contains(".") {
            try? Files.remove(store.path("scratch/" + name))
        }
    }

    private static func sweep(_ folder: String, depth: Int) {
        for name in (try? Files.list(folder)) ?? [] {
            let path = folder + "/" + name
            if name.hasPrefix(Files.temporaryPrefix) {
                try? Files.remove(path)
            } else if depth > 0, !name.contains("."), Files.isDirectory(path) {
                sweep(path, depth: depth - 1)
            }
        }
    }
}
