// Plain threads, kept for a whole run, that take numbered tasks. What a task computes depends on its number alone,
// so results do not depend on how many threads there are or who took what.

import Glibc

/// A fixed set of threads that run `count` tasks at a time; the calling thread works too.
///
/// Threading: `run` is called from one thread at a time; tasks of one call run concurrently and end before it
/// returns. The threads sleep between calls and end with the pool.
package final class WorkerPool: @unchecked Sendable {
    // `@unchecked`: all mutable state is in `shared`, guarded by its mutex.
    private let shared: Shared
    private let threads: [pthread_t]

    package var threadCount: Int { threads.count + 1 }

    /// - Parameter threads: at least 1; `threads − 1` are started.
    package init(threads: Int) {
        precondition(threads >= 1, "a pool has at least one thread")
        let shared = Shared()
        self.shared = shared
        self.threads = (1..<threads).compactMap { _ in WorkerPool.start(shared) }
    }

    deinit {
        shared.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs tasks `0..<count`, each exactly once.
    package func run(_ count: Int, _ task: @escaping @Sendable (Int) -> Void) {
        if threads.isEmpty || count <= 1 {
            for index in 0..<count { task(index) }
            return
        }
        shared.begin(count, task)
        shared.takeTasks()
        shared.waitUntilDone()
    }

    private static func start(_ shared: Shared) -> pthread_t? {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shared)
        let result = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let shared = Unmanaged<Shared>.fromOpaque(raw).takeRetainedValue()
                while shared.waitForWork() { shared.takeTasks() }
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            return nil
        }
        return thread
    }

    /// The tasks of the current call. Every access is under `mutex`.
    private final class Shared: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var task: (@Sendable (Int) -> Void)?
        private var next = 0
        private var count = 0
        private var unfinished = 0
        private var isStopped = false

        init() {
            mutex.initialize(to: pthread_mutex_t())
            changed.initialize(to: pthread_cond_t())
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(changed, nil)
        }

        deinit {
            pthread_cond_destroy(changed)
            pthread_mutex_destroy(mutex)
            changed.deallocate()
            mutex.deallocate()
        }

        private func locked<R>(_ body: () -> R) -> R {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }

        func begin(_ count: Int, _ task: @escaping @Sendable (Int) -> Void) {
            locked {
                self.task = task
                self.count = count
                next = 0
                unfinished = count
                pthread_cond_broadcast(changed)
            }
        }

        func stop() {
            locked {
                isStopped = true
                pthread_cond_broadcast(changed)
            }
        }

        /// Sleeps until there is a task to take; false once the pool ends.
        func waitForWork() -> Bool {
            locked {
                while next >= count && !isStopped { pthread_cond_wait(changed, mutex) }
                return !isStopped
            }
        }

        func takeTasks() {
            while let (index, task) = takeOne() {
                task(index)
                locked {
                    unfinished -= 1
                    if unfinished == 0 { pthread_cond_broadcast(changed) }
                }
            }
        }

        private func takeOne() -> (Int, @Sendable (Int) -> Void)? {
            locked {
                guard next < count, let task else { return nil }
                next += 1
                return (next - 1, task)
            }
        }

        func waitUntilDone() {
            locked {
                while unfinished > 0 { pthread_cond_wait(changed, mutex) }
                task = nil
                count = 0
                next = 0
            }
        }
    }
}
