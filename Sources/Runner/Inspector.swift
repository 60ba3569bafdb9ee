// What a run and a plan both ask: with these inputs, what is a stage's key, is its result there, and if not, why.

package import Container
package import Pipeline
import Synchronization

/// A stage whose inputs are known.
package struct ResolvedStage: Sendable {
    package let planned: PlannedStage
    /// With the digests of its input files.
    package let bound: BoundStage
    package let inputs: [String: [StoredArtifact]]
    package let key: Digest
    package let components: JSON

    package var gatherKey: Digest {
        Digest.of(JSON.object(["gather": .string(key.hex)]).canonical)
    }

    /// The keys of its pieces, in their order.
    package func keys(of pieces: [Piece]) -> [PieceKey] {
        let prefix = PieceKeyPrefix(bound)
        return pieces.map { PieceKey(prefix: prefix, piece: $0) }
    }
}

/// Looks at the store for one plan. Reads only.
package final class Inspector: Sendable {
    package let store: Store
    package let plan: Plan
    private let memo: FileMemo
    private let warn: @Sendable (String) -> Void
    private let last = Mutex<(run: String, keys: [String: Digest])??>(nil)
    private let warned = Mutex<Set<String>>([])

    package init(store: Store, memo: FileMemo, plan: Plan, warn: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.memo = memo
        self.plan = plan
        self.warn = warn
    }

    /// - Parameter outputs: of all stages that this one is wired to, by name.
    package func resolve(_ planned: PlannedStage, outputs: [String: StoredArtifact]) throws -> ResolvedStage {
        let bound = try planned.bound.withDigests(memo.digest)
        let inputs = planned.wires.mapValues { names in
            names.map { name in
                guard let output = outputs[name] else { preconditionFailure("'\(name)' comes after '\(planned.name)'") }
                return output
            }
        }
        let key = StageKey(stage: bound, inputs: inputs.mapValues { $0.map(\.manifest.digest) })
        return ResolvedStage(
            planned: planned, bound: bound, inputs: inputs, key: key.digest, components: key.components)
    }

    /// What changed since the last time in a stage of which some inputs are not made yet: all but those.
    /// - Parameter outputs: of the stages that are made, by name.
    package func partialReasons(
        _ planned: PlannedStage, outputs: [String: StoredArtifact]
    ) throws -> [RunReason] {
        guard let record = previousRecord(planned.name) else { return [] }
        let bound = try planned.bound.withDigests(memo.digest)
        let known = planned.wires.filter { $0.value.allSatisfy { outputs[$0] != nil } }
        let inputs = known.mapValues { names in names.compactMap { outputs[$0]?.manifest.digest } }
        let components = StageKey(stage: bound, inputs: inputs).components
        return RunReason.compare(old: record.components, new: components, defaults: bound.defaultConfig).filter {
            guard case .inputChanged(.port(let port)) = $0 else { return true }
            return planned.wires[port] == nil || known[port] != nil
        }
    }

    /// The run that old values are taken from, and its keys.
    package var previous: (run: String, keys: [String: Digest])? {
        last.withLock { last in
            if let known = last { return known }
            let found = RunHistory(store).lastKeys(
                file: plan.identity, experiment: plan.experimentName, stages: plan.stages.map(\.name))
            last = .some(found)
            return found
        }
    }

    /// What the stage's record looked like when it was last finished.
    package func previousRecord(_ name: String) -> StageRecord? {
        guard let key = previous?.keys[name], case .value(let record) = store.record(key, as: StageRecord.self) else {
            return nil
        }
        return record
    }

    /// The finished stage, or the reasons why it must run.
    package enum Verdict {
        case reuse(StageRecord, StoredArtifact)
        case run([RunReason])
    }

    package func verdict(_ stage: ResolvedStage, isForced: Bool) -> Verdict {
        if isForced { return .run([.forced]) }
        switch store.stage(stage.key) {
        case .value(let found): return .reuse(found.record, found.output)
        case .damaged(let what):
            warnOnce("stage '\(stage.planned.name)' must be made again: \(what)")
            return .run([what.contains("is not in the store") ? .outputMissing : .damaged])
        case .missing:
            return .run(reasons(stage))
        }
    }

    /// What differs from the last time, as far as the components tell.
    private func reasons(_ stage: ResolvedStage) -> [RunReason] {
        let name = stage.planned.name
        guard let previous = previous?.keys[name] else { return [.neverBuilt] }
        if previous == stage.key { return [.outputMissing] }
        guard let record = previousRecord(name) else { return [.neverBuilt] }
        let reasons = RunReason.compare(
            old: record.components, new: stage.components, defaults: stage.bound.defaultConfig)
        return reasons.isEmpty ? [.neverBuilt] : reasons
    }

    /// The piece's record if it can be used; damage is told once.
    package func piece(_ key: Digest, named name: String, of stage: String) -> PieceRecord? {
        switch store.piece(key) {
        case .value(let record): return record
        case .missing: return nil
        case .damaged(let what):
            warnOnce("piece '\(name)' of stage '\(stage)' must be made again: \(what)")
            return nil
        }
    }

    /// The pieces of an earlier gather of this stage.
    package func gathered(_ stage: ResolvedStage) -> [Piece]? {
        switch store.gather(stage.gatherKey) {
        case .value(let pieces): return pieces
        case .missing: return nil
        case .damaged(let what):
            warnOnce("the pieces of stage '\(stage.planned.name)' must be gathered again: \(what)")
            return nil
        }
    }

    private func warnOnce(_ text: String) {
        if warned.withLock({ $0.insert(text).inserted }) { warn(text) }
    }
}
