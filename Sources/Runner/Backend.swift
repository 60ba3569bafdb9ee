// Where pieces are made. A back end only makes pieces: which ones are missing, and what becomes of them, is the
// executor's business. Whoever makes a piece publishes it under its key, so a piece is absent or complete.

package import Container
package import Pipeline
import Synchronization

/// One piece to be made.
package struct PieceJob: Sendable {
    /// Position among the stage's pieces.
    package let index: Int
    /// The stage's name in the pipeline file, for messages.
    package let stageName: String
    package let stage: BoundStage
    package let inputs: [String: [StoredArtifact]]
    package let piece: Piece
    package let key: Digest
    package let components: JSON
    package let run: String
}

/// What a back end needs beside the jobs.
package struct BackendContext: Sendable {
    package let store: Store
    package let reporter: Reporter
    /// How many pieces may be made at once, and how many threads a lone piece may use.
    package let width: Int
    package let isCancelled: @Sendable () -> Bool
    /// A warning of a stage, also to be printed.
    package let warning: @Sendable (String) -> Void
    package let record: @Sendable (String, JSON) -> Void
}

package protocol Backend: Sendable {
    /// For run records: `in-process`, `processes`.
    var name: String { get }
    /// Makes all jobs, or throws the first failure after every job has ended; finished ones stay published.
    /// - Parameter done: called for each finished piece, on any thread.
    func run(
        _ jobs: [PieceJob], _ context: BackendContext, done: @escaping @Sendable (PieceJob, PieceRecord) -> Void) throws
}

/// Threads of this process.
package struct InProcessBackend: Backend {
    package let name = "in-process"
    package init() {}

    package func run(
        _ jobs: [PieceJob], _ context: BackendContext, done: @escaping @Sendable (PieceJob, PieceRecord) -> Void
    ) throws {
        let failed = StopFlag()
        let threads = jobs.count == 1 ? context.width : 1
        try forEachParallel(jobs.count, width: context.width, onFailure: failed.raise) { index in
            let job = jobs[index]
            let progress = PieceProgress(
                reporter: context.reporter, piece: job.index, onWarning: context.warning, onRecord: context.record)
            let record = try PieceMaker.make(
                job, store: context.store, threads: threads, progress: progress,
                isCancelled: { failed.isRaised || context.isCancelled() })
            context.reporter.finished(piece: job.index)
            done(job, record)
        }
    }
}

/// A flag that is only ever raised.
package final class StopFlag: Sendable {
    private let value = Atomic<Bool>(false)
    package init() {}
    package var isRaised: Bool { value.load(ordering: .relaxed) }
    @Sendable package func raise() { value.store(true, ordering: .relaxed) }
}

/// The one way to make a piece, here or in a worker.
package enum PieceMaker {
    package static func make(
        _ job: PieceJob, store: Store, threads: Int, progress: any ProgressSink,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> PieceRecord {
        if isCancelled() { throw Cancelled() }
        let scratch = Scratch(store: store, key: job.key, warn: progress.warning)
        let environment = StageEnvironment(
            threads: threads, scratch: { try scratch.folder() }, progress: progress, isCancelled: isCancelled)
        let started = Clock.monotonic
        let result = try job.stage.piece(
            job.piece, inputs: job.inputs, environment: environment, into: PartSink(blobs: store.blobs))
        try checkUnchanged(job)
        let record = PieceRecord(
            result: result, components: job.components, seconds: Clock.monotonic - started,
            numerics: job.stage.numerics(), run: job.run)
        let published = try store.publish(record, under: job.key)
        scratch.remove()
        return published
    }

    /// The key was made from what the files held before; what the piece read must be the same. Reading them again costs
    /// little beside what a piece does with them.
    private static func checkUnchanged(_ job: PieceJob) throws {
        let files = job.stage.files
        for file in job.piece.files.map({ files[$0] }) {
            let now = try? digestOfFile(file.path)
            guard let now, now.digest == file.digest else {
                throw StageError(
                    "this input file changed while it was read", place: file.path,
                    cause: "its content is no longer what the key of the result says",
                    fix: "run again once nothing writes to it")
            }
        }
    }
}
