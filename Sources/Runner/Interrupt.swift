// SIGINT and SIGTERM: the first asks the run to stop and keeps what is finished, the second ends it at once.
// Workers live in their own process groups, so a terminal's Ctrl-C reaches them once, through this table.

import Glibc
import Synchronization

package enum Interrupt {
    private static let received = Atomic<Int32>(0)
    private static let childLimit = 1024
    /// Process ids of living workers, 0 for a free place. Never freed: the handler may read it at any time.
    /// Shared between spawning threads and the handler; each place is an atomic, so no lock is needed.
    nonisolated(unsafe) private static let children: UnsafeMutablePointer<Atomic<Int32>> = {
        let table = UnsafeMutablePointer<Atomic<Int32>>.allocate(capacity: childLimit)
        for index in 0..<childLimit { (table + index).initialize(to: Atomic(0)) }
        return table
    }()

    /// The signal that asked to stop, or nil.
    package static var signal: Int32? {
        let value = received.load(ordering: .relaxed)
        return value == 0 ? nil : value
    }

    /// Installs the handlers; to be called once, before any thread starts.
    package static func install() {
        _ = children
        _ = received.load(ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in Interrupt.handle(number) }
        action.sa_flags = SA_RESTART
        sigemptyset(&action.sa_mask)
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
        // Whoever started this process may have left the signals blocked: some thread pools do.
        sigaddset(&action.sa_mask, SIGINT)
        sigaddset(&action.sa_mask, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &action.sa_mask, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
        // A file past the limit of file sizes is then an error of `write`, with a place, and not the end of the process.
        Glibc.signal(SIGXFSZ, SIG_IGN)
    }

    /// Asks this process to stop as a signal would; used by a worker whose parent is gone.
    package static func raise(_ number: Int32) {
        _ = received.compareExchange(expected: 0, desired: number, ordering: .relaxed)
    }

    /// Only async-signal-safe calls: atomics, kill, write, _exit.
    private static func handle(_ number: Int32) {
        let first = received.exchange(number, ordering: .relaxed) == 0
        for index in 0..<childLimit {
            let child = children[index].load(ordering: .relaxed)
            if child > 0 { _ = kill(child, first ? number : SIGKILL) }
        }
        if first { return say("\nstopping: what is finished is kept; once more to stop at once\n") }
        _exit(128 + number)
    }

    private static func say(_ text: StaticString) { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }

    static func adopt(_ child: Int32) {
        for index in 0..<childLimit
        where children[index].compareExchange(expected: 0, desired: child, ordering: .relaxed).exchanged {
            // A signal between spawn and this line would have missed the child.
            if let number = signal { _ = kill(child, number) }
            return
        }
    }

    static func release(_ child: Int32) {
        for index in 0..<childLimit
        where children[index].compareExchange(expected: child, desired: 0, ordering: .relaxed).exchanged { return }
    }
}
