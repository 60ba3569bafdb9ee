// Where a piece keeps work that a later attempt can go on with, and how two runs of one store stay apart there.

package import Container
import Glibc
import Synchronization

/// The scratch folder of a piece, made at first use. It outlives a failed or killed attempt and is held by a lock
/// that ends with the process: whoever comes to the same piece meanwhile works in a folder of its own.
package final class Scratch: Sendable {
    private struct State {
        var folder: String?
        /// Held on the usual folder, -1 without.
        var lock: Int32 = -1
    }

    private let state = Mutex(State())
    private let parent: String
    private let usual: String
    private let warn: @Sendable (String) -> Void

    package init(store: Store, key: Digest, warn: @escaping @Sendable (String) -> Void) {
        parent = store.path("scratch")
        usual = parent + "/" + key.hex
        self.warn = warn
    }

    deinit { state.withLock { if $0.lock >= 0 { close($0.lock) } } }

    package func folder() throws -> String {
        try state.withLock { state in
            if let folder = state.folder { return folder }
            try Files.makeDirectories(parent)
            if let lock = lockUsual() {
                state.lock = lock
                try Files.makeDirectories(usual)
                state.folder = usual
                return usual
            }
            warn("another run is making the same piece; both go on, one of them for nothing")
            let own = try Self.makeUnique(usual + ".")
            state.folder = own
            return own
        }
    }

    /// After the piece was published: resumable work is of no use any more. What another run works in stays.
    package func remove() {
        state.withLock { state in
            defer { state.folder = nil }
            if let own = state.folder, state.lock < 0 {
                try? Files.remove(own)
                return
            }
            if state.lock < 0 {
                guard Files.exists(usual), let lock = lockUsual() else { return }
                state.lock = lock
            }
            try? Files.remove(usual)
            try? Files.remove(usual + ".lock")
            close(state.lock)
            state.lock = -1
        }
    }

    /// The lock of the usual folder; nil while another run has it, or where the file system knows no locks.
    private func lockUsual() -> Int32? {
        let path = usual + ".lock"
        while true {
            let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard lock >= 0 else { return nil }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                close(lock)
                return nil
            }
            // Whoever had it before may have removed the file since it was opened here, and the lock of a file
            // without a name keeps nobody out.
            var held = stat()
            var named = stat()
            if fstat(lock, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino,
                held.st_dev == named.st_dev
            {
                return lock
            }
            close(lock)
        }
    }

    /// Makes a folder that nobody else has: not another run of this process, nor one of another host on this store.
    private static func makeUnique(_ prefix: String) throws -> String {
        var template = Array((prefix + "XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw RunnerError(
                .storage, "cannot make a scratch folder", place: prefix + "XXXXXX",
                cause: String(cString: strerror(errno)), fix: "check the permissions and the space of the store")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
