// Runs a plan: stage by stage in topological order, each reused if its key has a whole result, else gathered into
// pieces, of which only the missing ones are made. What is finished is published at once, so stopping, crashing and
// running again never costs more than the pieces that were under way.

package import Container
package import Pipeline
import Synchronization

/// How a run is to go.
package struct RunOptions: Sendable {
    package enum BackendChoice: String, Sendable, CaseIterable { case auto, threads, processes }

    /// Pieces at once, and threads of a stage that has one piece.
    package var width: Int
    package var force: Set<String> = []
    package var until: String?
    package var backend = BackendChoice.auto
    package var spawner: any WorkerSpawner = ProcessSpawner()
    package var isCancelled: @Sendable () -> Bool = { Interrupt.signal != nil }

    package init(width: Int) { self.width = max(1, width) }

    /// Processes when there is something to do at once, else this process.
    func backend(pieces: Int) -> any Backend {
        switch backend {
        case .threads: InProcessBackend()
        case .processes: ProcessBackend(spawner: spawner)
        case .auto: pieces > 1 && width > 1 ? ProcessBackend(spawner: spawner) : InProcessBackend()
        }
    }
}

/// Executes one plan. Used by one thread; the work itself is spread by the back end.
package final class Executor {
    let store: Store
    let plan: Plan
    let options: RunOptions
    let reporter: Reporter
    let inspector: Inspector
    let log: RunLog
    private var outputs: [String: StoredArtifact] = [:]
    private var outcomes: [String: StageOutcome] = [:]
    private var forced: Set<String>
    private let presence: Presence
    private var isClean = false

    /// Damaged blobs that one run is willing to make again before it gives up on the disk.
    private static let healLimit = 64

    package init(
        store: Store, memo: FileMemo, plan: Plan, options: RunOptions, reporter: Reporter, header: [String: JSON] = [:]
    ) throws {
        self.store = store
        self.plan = plan
        self.options = options
        self.reporter = reporter
        forced = options.force
        presence = try Presence(store)
        var header = header
        header["file"] = .string(plan.identity)
        header["experiment"] = .string(plan.experimentName)
        let log = try RunLog(store: store, header: header) { reporter.warning($0) }
        self.log = log
        inspector = Inspector(store: store, memo: memo, plan: plan) { text in
            reporter.warning(text)
            log.event("warning", ["text": .string(text)])
        }
    }

    /// - Throws: `Stopped` after a signal; else what went wrong first. Everything finished until then is kept.
    package func run() throws -> RunOutcome {
        let started = Clock.monotonic
        do {
            let wanted = try plan.stages(until: options.until)
            for stage in wanted {
                guard let obstacle = stage.bound.obstacle else { continue }
                warn("\(stage.location): unless it is made already, '\(stage.name)' will fail here", obstacle)
            }
            var healed = 0
            while true {
                do {
                    for stage in wanted { try run(stage) }
                    break
                } catch let error as ContainerError where healed < Self.healLimit {
                    guard try heal(error) else { throw error }
                    healed += 1
                }
            }
            let outcome = RunOutcome(
                experiment: plan.experiment, run: log.id, stages: wanted.compactMap { outcomes[$0.name] },
                seconds: Clock.monotonic - started, warnings: reporter.warnings)
            finish("done", wanted, outcome.seconds)
            return outcome
        } catch {
            reporter.end()
            let failure: any Error = error is Cancelled ? Stopped(signal: Interrupt.signal ?? 2) : error
            finish(failure is Stopped ? "stopped" : "failed", plan.stages, Clock.monotonic - started, failure)
            throw failure
        }
    }

    private func finish(_ status: String, _ stages: [PlannedStage], _ seconds: Double, _ error: (any Error)? = nil) {
        var members: [String: JSON] = [
            "status": .string(status), "ended": .string(Clock.stamp(Clock.wall)), "seconds": .number(seconds),
            "stages": .array(stages.compactMap { outcomes[$0.name]?.json }),
        ]
        if let error, !(error is Stopped) { members["error"] = .string(describe(error)) }
        log.update(members)
    }

    /// Whether an error is damage inside the store that making a result again repairs; if so the damaged file is
    /// out of the way and the plan can be walked again.
    private func heal(_ error: ContainerError) throws -> Bool {
        guard let path = store.damagedFile(error) else { return false }
        reporter.warning("a damaged or missing part of the store is made again: \(path): \(error.message)")
        log.event("damaged", ["path": .string(path), "error": .string(error.message)])
        try Files.remove(path)
        return true
    }

    // MARK: One stage

    private func run(_ planned: PlannedStage) throws {
        if options.isCancelled() { throw Cancelled() }
        let stage = try inspector.resolve(planned, outputs: outputs)
        switch inspector.verdict(stage, isForced: forced.contains(planned.name)) {
        case .reuse(let record, let output):
            outputs[planned.name] = output
            // A stage made before some later damage was healed keeps its line of the table.
            if let made = outcomes[planned.name], made.key == stage.key { return }
            outcomes[planned.name] = StageOutcome(
                name: planned.name, use: planned.use, key: stage.key, output: record.output, piecesRun: 0,
                piecesReused: record.pieces, counts: record.counts, rejections: record.rejections, seconds: 0,
                reasons: [])
            log.event(
                "reused",
                ["stage": .string(planned.name), "key": .string(stage.key.hex), "made_by": .string(record.run)])
        case .run(let reasons):
            do {
                try make(stage, reasons)
            } catch var error as StageError where error.place == nil {
                error.place = planned.location.description
                throw error
            }
            forced.remove(planned.name)
        }
    }

    private func make(_ stage: ResolvedStage, _ reasons: [RunReason]) throws {
        if !isClean { presence.clean() }
        isClean = true
        let name = stage.planned.name
        let isForced = forced.contains(name)
        let started = Clock.monotonic
        log.event(
            "started",
            [
                "stage": .string(name), "key": .string(stage.key.hex), "components": stage.components,
                "reasons": .array(reasons.flatMap(\.json)),
            ])
        reporter.begin(stage: name, pieces: 1)
        let scratch = Scratch(store: store, key: stage.gatherKey) { [reporter] in reporter.warning($0) }
        let environment = environment(stage, scratch)
        let pieces = try gather(stage, environment, isForced: isForced)
        let made = try makePieces(stage, pieces, isForced: isForced)
        let results = made.records.map(\.result)
        let rejections = results.reduce(into: Rejections()) { $0.merge($1.rejections) }
        for sample in rejections.samples {
            log.append(
                "rejected", ["stage": .string(name), "reason": .string(sample.reason), "place": .string(sample.place)])
        }
        try checkRejected(stage, rejections)
        let finished = try stage.bound.finish(
            results, inputs: stage.inputs, environment: environment, into: PartSink(blobs: store.blobs))
        if let (place, value) = finished.metadata.firstNonFinite {
            throw StageError(
                "stage '\(name)' has \(value) at '\(place)' of its result",
                cause: "an artifact holds finite numbers only")
        }
        let type = stage.bound.output
        let manifest = Manifest(
            type: type.typeName, version: type.version, metadata: finished.metadata, parts: finished.parts)
        let digest = try store.publish(manifest)
        let numerics = stage.bound.numerics()
        if isForced, case .value(let before) = store.record(stage.key, as: StageRecord.self), before.output != digest {
            warn(
                "stage '\(name)' gave other bytes than before for the same key",
                before.numerics == numerics ? "it is not deterministic" : "it ran on another kind of machine")
        }
        var counts = results.reduce(into: [String: Int64]()) { $0.merge($1.counts, uniquingKeysWith: +) }
        counts.merge(finished.counts) { $1 }
        let seconds = Clock.monotonic - started
        let record = StageRecord(
            output: digest, components: stage.components, counts: counts, rejections: rejections,
            reasons: .array(reasons.flatMap(\.json)), pieces: pieces.count, seconds: seconds,
            numerics: numerics, run: log.id)
        try store.publish(record, under: stage.key)
        scratch.remove()
        outputs[name] = StoredArtifact(manifest: manifest, blobs: store.blobs)
        let outcome = StageOutcome(
            name: name, use: stage.planned.use, key: stage.key, output: digest, piecesRun: made.run,
            piecesReused: pieces.count - made.run, counts: counts, rejections: rejections, seconds: seconds,
            reasons: reasons)
        outcomes[name] = outcome
        log.event("finished", ["stage": .string(name), "outcome": outcome.json])
        log.update(["stages": .array(plan.stages.compactMap { outcomes[$0.name]?.json })])
        reporter.end()
        reporter.line(
            "\(name): \(made.run) of \(pieces.count) pieces in \(Figures.fixed(seconds, 1)) s (\(outcome.reasonText))")
    }

    private func warn(_ text: String, _ why: String) {
        reporter.warning("\(text): \(why)")
        log.event("warning", ["text": .string("\(text): \(why)")])
    }

    private func gather(_ stage: ResolvedStage, _ environment: StageEnvironment, isForced: Bool) throws -> [Piece] {
        if !isForced, let known = inspector.gathered(stage) { return known }
        let pieces = try stage.bound.gather(inputs: stage.inputs, environment: environment)
        var names: Set<String> = []
        for piece in pieces where !names.insert(piece.name).inserted {
            throw StageError(
                "stage '\(stage.planned.name)' cut two pieces called '\(piece.name)'",
                cause: "the name of a piece is part of its key")
        }
        try store.publish(gather: pieces, under: stage.gatherKey)
        return pieces
    }

    /// For gather and finish, which run here and alone.
    private func environment(_ stage: ResolvedStage, _ scratch: Scratch) -> StageEnvironment {
        StageEnvironment(
            threads: options.width, scratch: { try scratch.folder() },
            progress: PieceProgress(reporter: reporter, piece: -1, onWarning: warningSink, onRecord: recordSink(stage)),
            isCancelled: options.isCancelled)
    }

    private var warningSink: @Sendable (String) -> Void {
        { [log] text in log.event("warning", ["text": .string(text)]) }
    }

    private func recordSink(_ stage: ResolvedStage) -> @Sendable (String, JSON) -> Void {
        { [log, name = stage.planned.name, key = stage.key.hex] stream, line in
            log.append(stream, ["stage": .string(name), "key": .string(key), "line": line])
        }
    }

    private func makePieces(
        _ stage: ResolvedStage, _ pieces: [Piece], isForced: Bool
    ) throws -> (records: [PieceRecord], run: Int) {
        let name = stage.planned.name
        let keys = stage.keys(of: pieces)
        var records: [PieceRecord?] = zip(pieces, keys).map { piece, key in
            isForced ? nil : inspector.piece(key.digest, named: piece.name, of: name)
        }
        let jobs = pieces.indices.filter { records[$0] == nil }.map { index in
            PieceJob(
                index: index, stageName: name, stage: stage.bound, inputs: stage.inputs, piece: pieces[index],
                key: keys[index].digest, components: keys[index].components, run: log.id)
        }
        reporter.begin(stage: name, pieces: jobs.count)
        let context = BackendContext(
            store: store, reporter: reporter, width: options.width, isCancelled: options.isCancelled,
            warning: warningSink, record: recordSink(stage))
        let made = Mutex<[Int: PieceRecord]>([:])
        let backend = options.backend(pieces: jobs.count)
        try backend.run(jobs, context) { [log] job, record in
            made.withLock { $0[job.index] = record }
            log.event(
                "piece",
                [
                    "stage": .string(name), "piece": .string(job.piece.name), "key": .string(job.key.hex),
                    "seconds": .number(record.seconds), "back_end": .string(backend.name),
                ])
        }
        made.withLock { made in for (index, record) in made { records[index] = record } }
        return (records.map { $0! }, jobs.count)
    }

    private func checkRejected(_ stage: ResolvedStage, _ rejections: Rejections) throws {
        guard let limit = stage.bound.maxRejected, rejections.rejected > 0 else { return }
        let share = Double(rejections.rejected) / Double(max(rejections.total, rejections.rejected))
        guard share > limit else { return }
        let byReason = rejections.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) \(Figures.grouped($0.value))" }.joined(separator: ", ")
        let samples = rejections.samples.prefix(10).map { "\n       \($0.place): \($0.reason)" }.joined()
        throw StageError(
            "stage '\(stage.planned.name)' rejected \(Figures.grouped(rejections.rejected)) of "
                + "\(Figures.grouped(rejections.total)) items (\(Figures.fixed(share * 100, 2))%), "
                + "max_rejected allows \(Figures.fixed(limit * 100, 2))%",
            cause: "\(byReason); the first of them:\(samples)",
            fix: "repair the data, or raise max_rejected of '\(stage.planned.name)' if they may be lost; "
                + "more samples are in \(log.directory)/rejected.jsonl")
    }
}
