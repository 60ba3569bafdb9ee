// What a run would do, without doing it: reads the store, writes nothing at all.

package import Container
package import Pipeline

/// One stage of a plan report.
package struct StageForecast: Sendable {
    package var name: String
    package var use: String
    /// Pieces whose results are there, pieces that would be made.
    package var reuse: Int
    package var run: Int
    /// Whether `reuse` and `run` are certain; downstream of a stage that runs they are the most it can cost, because
    /// a stage whose result comes out as before stops the rest from running.
    package var isExact: Bool
    /// Of the last time, where `run` is not certain.
    package var lastPieces: Int?
    /// Empty for a stage that is reused whole.
    package var reasons: [RunReason]
    /// Ports that every piece reads and that bring what they brought last time, where the rest is not made yet: pieces
    /// whose own parts come out as before are reused.
    package var unchangedPorts: [String] = []
    /// Nil where an input is not made yet.
    package var resolved: ResolvedStage?
    package var output: StoredArtifact?
    /// Of a stage that would run; nil where it offers none.
    package var cost: CostForecast?

    package var runs: Bool { !reasons.isEmpty }

    /// `run` for people: how many pieces an input that is not made yet will give, nobody knows.
    package var runText: String {
        if isExact { return "\(run)" }
        return "at most all" + (lastPieces.map { " (last time \($0))" } ?? "")
    }

    /// `reasons` for people, and what stays.
    package var reasonTexts: [String] {
        reasons.map(\.text) + unchangedPorts.map { "port \($0) stays: pieces of unchanged parts are reused" }
    }

    package var json: JSON {
        var json: JSON = [
            "name": .string(name), "uses": .string(use), "reuse": .int(Int64(reuse)), "run": .int(Int64(run)),
            "exact": .bool(isExact), "reasons": .array(reasons.flatMap(\.json)),
        ]
        if let cost { json["estimate"] = cost.json }
        return json
    }
}

/// What a stage says it costs, and how long that took per operation when it was last made.
package struct CostForecast: Sendable, Equatable {
    package var estimate: StageEstimate
    package var seconds: Double?

    /// - Parameter record: the stage as it was last finished; its counts give the rate.
    init(_ estimate: StageEstimate, last record: StageRecord?) {
        self.estimate = estimate
        let done = Double(record?.counts[StageEstimate.countName] ?? 0) * 1e9
        if let record, done > 0, record.seconds > 0 { seconds = estimate.operations / (done / record.seconds) }
    }

    var json: JSON {
        [
            "operations": .number(estimate.operations), "summary": .string(estimate.summary),
            "seconds": seconds.map { .number($0) } ?? .null,
        ]
    }

    var text: String {
        let tera = Figures.fixed(estimate.operations / 1e12, 2)
        let time = seconds.map { "about \(Figures.fixed($0 / 60, 1)) min at the rate of the last time" }
        return "\(estimate.summary), \(tera) TFLOP, \(time ?? "time unknown until it has run here once")"
    }
}

package struct Forecast: Sendable {
    package var file: String
    package var experiment: String?
    package var stages: [StageForecast]
    /// The run that old values are from.
    package var comparedWith: String?

    package var hasWork: Bool { stages.contains { $0.runs } }
    package var json: JSON {
        ["experiment": experiment.map { .string($0) } ?? .null, "stages": .array(stages.map(\.json))]
    }

    package var text: String {
        var rows = [["stage", "use", "reuse", "run", "why"]]
        for stage in stages {
            rows.append([
                stage.name, stage.use, "\(stage.reuse)", stage.runText,
                stage.runs ? stage.reasonTexts.joined(separator: "; ") : "reused",
            ])
        }
        let count = stages.count { $0.runs }
        let total = count == 0 ? "nothing to run" : "\(count) of \(stages.count) stages would run"
        let compared = comparedWith.map { "; compared with run \($0)" } ?? ""
        let costs = stages.compactMap { stage in stage.cost.map { "\(stage.name): \($0.text)\n" } }.joined()
        return Terminal.table(rows, right: [2, 3]) + "\n" + costs + total + (count > 0 ? compared : "")
    }
}

package struct Planner {
    private let inspector: Inspector
    private let force: Set<String>

    package init(inspector: Inspector, force: Set<String> = []) {
        self.inspector = inspector
        self.force = force
    }

    package func forecast(until: String? = nil) throws -> Forecast {
        var outputs: [String: StoredArtifact] = [:]
        var stages: [StageForecast] = []
        for planned in try inspector.plan.stages(until: until) {
            let missing = planned.upstream.filter { outputs[$0] == nil }
            var forecast =
                missing.isEmpty ? try known(planned, outputs) : try unknown(planned, outputs, waitingFor: missing)
            if forecast.runs { forecast.cost = try cost(planned, outputs) }
            outputs[planned.name] = forecast.output
            stages.append(forecast)
        }
        let compared = stages.contains { $0.runs } ? inspector.previous?.run : nil
        return Forecast(
            file: inspector.plan.file, experiment: inspector.plan.experiment, stages: stages, comparedWith: compared)
    }

    private func cost(_ planned: PlannedStage, _ outputs: [String: StoredArtifact]) throws -> CostForecast? {
        let made = planned.wires.compactMapValues { names in
            let artifacts = names.compactMap { outputs[$0] }
            return artifacts.count == names.count && !artifacts.isEmpty ? artifacts : nil
        }
        let waiting = planned.wires.filter { made[$0.key] == nil }.mapValues { names in
            names.compactMap { inspector.plan[$0]?.bound.resolvedConfig }
        }
        return try planned.bound.estimate(inputs: made, waiting: waiting).map {
            CostForecast($0, last: inspector.previousRecord(planned.name))
        }
    }

    private func known(_ planned: PlannedStage, _ outputs: [String: StoredArtifact]) throws -> StageForecast {
        let stage = try inspector.resolve(planned, outputs: outputs)
        let isForced = force.contains(planned.name)
        switch inspector.verdict(stage, isForced: isForced) {
        case .reuse(let record, let output):
            return StageForecast(
                name: planned.name, use: planned.use, reuse: record.pieces, run: 0, isExact: true, reasons: [],
                resolved: stage, output: output)
        case .run(let reasons):
            let pieces = try inspector.gathered(stage) ?? gatherInMemory(stage)
            let reuse =
                isForced
                ? 0
                : zip(pieces, stage.keys(of: pieces)).count { piece, key in
                    inspector.piece(key.digest, named: piece.name, of: planned.name) != nil
                }
            return StageForecast(
                name: planned.name, use: planned.use, reuse: reuse, run: pieces.count - reuse, isExact: true,
                reasons: reasons, resolved: stage, output: nil)
        }
    }

    /// An input is not made yet: what is known of the rest is compared, and the number of pieces is that of last time.
    private func unknown(
        _ planned: PlannedStage, _ outputs: [String: StoredArtifact], waitingFor missing: [String]
    ) throws -> StageForecast {
        let record = inspector.previousRecord(planned.name)
        var reasons: [RunReason] = force.contains(planned.name) ? [.forced] : []
        reasons += try inspector.partialReasons(planned, outputs: outputs)
        let shared = planned.bound.ports.filter(\.readByEveryPiece).map(\.name).filter { planned.wires[$0] != nil }
        let waiting = shared.filter { planned.wires[$0]!.contains(where: missing.contains) }
        let isPartial = record != nil && reasons.isEmpty && waiting.isEmpty
        let others = missing.filter { name in
            planned.wires.contains { !shared.contains($0.key) && $0.value.contains(name) }
        }
        if !others.isEmpty { reasons.append(.upstream(others)) }
        for port in waiting {
            reasons.append(.upstreamOfEveryPiece(planned.wires[port]!.filter(missing.contains), port: port))
        }
        return StageForecast(
            name: planned.name, use: planned.use, reuse: 0, run: max(1, record?.pieces ?? 1), isExact: false,
            lastPieces: record?.pieces, reasons: reasons, unchangedPorts: isPartial ? shared : [], resolved: nil,
            output: nil)
    }

    private func gatherInMemory(_ stage: ResolvedStage) throws -> [Piece] {
        let environment = StageEnvironment(
            threads: 1,
            scratch: {
                throw StageError(
                    "stage '\(stage.planned.name)' wants a scratch folder to count its pieces",
                    cause: "looking at a plan writes nothing", fix: "run the pipeline; the plan is exact afterwards")
            }, progress: QuietProgress(), isCancelled: { Interrupt.signal != nil })
        return try stage.bound.gather(inputs: stage.inputs, environment: environment)
    }
}

/// For looking: nothing is shown, nothing recorded.
struct QuietProgress: ProgressSink {
    func update(done: Int64, total: Int64, unit: String, note: String) {}
    func message(_ text: String) {}
    func warning(_ text: String) {}
    func record(_ stream: String, _ line: JSON) {}
}
