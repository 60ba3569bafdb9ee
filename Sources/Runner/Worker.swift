// The other end of `ProcessBackend`: makes the one piece that a job file orders and publishes it under its key.

package import Pipeline
import Container
import Glibc

package enum Worker {
    /// - Parameters: `events`: descriptor to report to, -1 for none.
    /// - Returns: the exit code. The failure itself is reported over `events`, or printed if there is none.
    package static func run(
        store root: String, job path: String, registry: StageRegistry, events: Int32,
        isCancelled: @escaping @Sendable () -> Bool = { Interrupt.signal != nil }
    ) -> Int32 {
        let channel = WorkerChannel(descriptor: events)
        do {
            let store = Store(root: root)
            let presence = try Presence(store)
            defer { withExtendedLifetime(presence) {} }
            let (job, threads) = try prepare(path, store, registry)
            _ = try PieceMaker.make(job, store: store, threads: threads, progress: channel, isCancelled: isCancelled)
            return ExitStatus.done.rawValue
        } catch {
            if events < 0 { Terminal.write(describe(error) + "\n", to: 2) }
            channel.send(.failure(WorkerFailure(error)))
            return error is Cancelled ? 128 + (Interrupt.signal ?? SIGTERM) : ExitStatus.stageFailed.rawValue
        }
    }

    /// Ends the worker when the process that started it is gone: its end of the pipe on stdin closes.
    package static func stopWithParent() {
        Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(0, &byte, 1)
                if count > 0 || count < 0 && errno == EINTR { continue }
                break
            }
            Interrupt.raise(SIGTERM)
        }?.detach()
    }

    private static func prepare(_ path: String, _ store: Store, _ registry: StageRegistry) throws -> (PieceJob, Int) {
        let order: WorkerJob
        do {
            order = try WorkerJob(try JSON(parsing: try Files.read(path)))
        } catch {
            throw RunnerError(
                .backEnd, "this is no job file that this version reads", place: path, cause: "\(error)",
                fix: "workers and the run that starts them must be the same version of linkloom")
        }
        guard let type = registry[order.stage] else {
            throw RunnerError(.backEnd, "the stage '\(order.stage)' is not known to this worker", place: path)
        }
        let stage = try type.rebind(resolvedConfig: order.config)
        let inputs = try order.inputs.mapValues { digests in
            try digests.map { digest -> StoredArtifact in
                guard case .value(let artifact) = store.artifact(digest) else {
                    throw ContainerError(
                        .notFound, "an input of this piece is missing", path: store.manifestPath(digest))
                }
                return artifact
            }
        }
        let job = PieceJob(
            index: order.index, stageName: order.stageName, stage: stage, inputs: inputs,
            piece: try store.piece(order.piece), key: order.key, components: order.components, run: order.run)
        let key = PieceKey(stage: stage, piece: job.piece)
        guard key.digest == order.key else {
            throw RunnerError(
                .backEnd, "the worker comes to another key for piece '\(order.piece.name)'", place: path,
                cause: "it is \(key.digest.hex.prefix(12)), ordered was \(order.key.hex.prefix(12))",
                fix: "workers and the run that starts them must be the same version of linkloom")
        }
        return (job, order.threads)
    }
}

/// How an error is printed: our own errors know their form.
package func describe(_ error: any Error) -> String {
    switch error {
    case let error as RunnerError: error.description
    case let error as StageError: error.description
    case let error as ContainerError: error.description
    case let error as PipelineErrors: error.description
    case let error as Diagnostic: error.description
    default: "error: \(error)"
    }
}
