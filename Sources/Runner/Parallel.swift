// Bounded fan-out over plain threads: a stage body is synchronous and may take hours, so it gets a thread of its
// own and never one of the runtime's cooperative pool.

import Glibc
import Synchronization

/// Runs `body(index)` for 0..<count on at most `width` threads, indices handed out in order; returns when all
/// have ended. After the first throw no new index is handed out, and that error is thrown.
/// - Parameter onFailure: called once, at the first throw, while the others still run.
package func forEachParallel(
    _ count: Int, width: Int, onFailure: @escaping @Sendable () -> Void = {},
    _ body: @escaping @Sendable (Int) throws -> Void
) throws {
    if count == 0 { return }
    let queue = ParallelQueue(count: count, body: body, onFailure: onFailure)
    let threads = (1..<max(1, min(width, count))).compactMap { _ in Thread(queue.work) }
    queue.work()
    for thread in threads { thread.join() }
    if let error = queue.failure { throw error }
}

private final class ParallelQueue: Sendable {
    private struct State {
        var next = 0
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    private let count: Int
    private let body: @Sendable (Int) throws -> Void
    private let onFailure: @Sendable () -> Void

    init(count: Int, body: @escaping @Sendable (Int) throws -> Void, onFailure: @escaping @Sendable () -> Void) {
        self.count = count
        self.body = body
        self.onFailure = onFailure
    }

    var failure: (any Error)? { state.withLock { $0.failure } }

    @Sendable func work() {
        while let index = take() {
            do {
                try body(index)
            } catch {
                let first = state.withLock { state in
                    defer { if state.failure == nil { state.failure = error } }
                    return state.failure == nil
                }
                if first { onFailure() }
            }
        }
    }

    private func take() -> Int? {
        state.withLock { state in
            guard state.failure == nil, state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}

/// A joinable thread with a stack large enough for a stage.
package struct Thread {
    private let handle: pthread_t

    /// Nil if the system has no thread to give; the caller then does with fewer.
    package init?(_ body: @escaping @Sendable () -> Void) {
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        pthread_attr_init(attributes)
        pthread_attr_setstacksize(attributes, 8 << 20)
        defer {
            pthread_attr_destroy(attributes)
            attributes.deallocate()
        }
        var handle = pthread_t()
        let box = Unmanaged.passRetained(ThreadBody(body))
        let status = pthread_create(
            &handle, attributes,
            { argument in
                Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            box.release()
            return nil
        }
        self.handle = handle
    }

    package func join() { pthread_join(handle, nil) }
    package func detach() { pthread_detach(handle) }
}

private final class ThreadBody {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
