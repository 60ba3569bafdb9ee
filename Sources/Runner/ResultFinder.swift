// Finding a stored artifact to look at: by pipeline file and stage, or by the beginning of its digest.

package import Container
package import Pipeline
import Synchronization

/// An artifact and what is known of where it comes from.
package struct FoundResult: Sendable {
    package let artifact: StoredArtifact
    package let type: any Artifact.Type
    package let context: PrintContext
    /// Lines that its stage recorded beside it, by stream.
    package let records: @Sendable (String) -> [JSON]
    /// For messages: the stage's name or the digest.
    package let name: String
}

package struct ResultFinder {
    private let store: Store
    private let registry: StageRegistry

    package init(store: Store, registry: StageRegistry) {
        self.store = store
        self.registry = registry
    }

    /// The result of a stage for its present key. Nothing is run.
    /// - Parameter command: the command that would make it, for the error that says it is missing.
    package func find(_ inspector: Inspector, stage name: String, command: String) throws -> FoundResult {
        let plan = inspector.plan
        let stages = try plan.stages(until: name)
        var outputs: [String: StoredArtifact] = [:]
        for planned in stages {
            let stage = try inspector.resolve(planned, outputs: outputs)
            guard case .reuse(_, let output) = inspector.verdict(stage, isForced: false) else {
                let which = planned.name == name ? "" : ": '\(planned.name)', which it reads from, must run first"
                throw RunnerError(
                    .stageFailed, "stage '\(name)' has no result for its present configuration\(which)",
                    place: plan.file,
                    cause: "looking never runs a stage", fix: command)
            }
            outputs[planned.name] = output
            if planned.name == name {
                let (store, key, known) = (store, stage.key, outputs)
                return FoundResult(
                    artifact: output, type: stage.bound.output,
                    context: PrintContext { type in Self.nearest(type, above: name, plan, known) },
                    records: { RunHistory(store).lines($0, key: key) }, name: name)
            }
        }
        preconditionFailure("the plan of '\(name)' ends before it")
    }

    /// Breadth first along the wires, ports by name.
    private static func nearest(
        _ type: String, above name: String, _ plan: Plan, _ outputs: [String: StoredArtifact]
    ) -> StoredArtifact? {
        var front = [name], seen: Set<String> = [name]
        while !front.isEmpty {
            let next = front.flatMap { plan[$0]?.upstream ?? [] }.filter { seen.insert($0).inserted }
            if let found = next.compactMap({ outputs[$0] }).first(where: { $0.manifest.type == type }) { return found }
            front = next
        }
        return nil
    }

    /// The only artifact whose digest begins with `prefix`.
    package func find(digest prefix: String) throws -> FoundResult {
        let isHex =
            prefix.utf8.count >= 4 && prefix.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        let found = isHex ? try store.artifacts(prefix: prefix) : []
        guard let digest = found.first else {
            throw RunnerError(
                .usage,
                isHex
                    ? "no artifact's digest begins with '\(prefix)'"
                    : "'\(prefix)' is neither a pipeline file with a stage nor the beginning of a digest",
                place: store.root,
                fix: "give FILE STAGE, or at least four hexadecimal digits of a digest that `linkloom run --json` shows"
            )
        }
        guard found.count == 1 else {
            throw RunnerError(
                .usage, "\(found.count) artifacts begin with '\(prefix)'", place: store.root,
                fix: "give more digits: "
                    + found.prefix(4).map { String($0.hex.prefix(prefix.utf8.count + 6)) }.joined(separator: ", "))
        }
        let artifact: StoredArtifact
        switch store.artifact(digest) {
        case .value(let whole): artifact = whole
        case .missing: throw damaged(digest, "a part of it is missing")
        case .damaged(let what): throw damaged(digest, what)
        }
        guard let type = type(named: artifact.manifest.type) else {
            throw RunnerError(
                .stageFailed, "no stage of this program makes artifacts of type '\(artifact.manifest.type)'",
                place: store.manifestPath(digest))
        }
        let lineage = Lineage(store)
        let store = store
        return FoundResult(
            artifact: artifact, type: type, context: PrintContext { lineage.nearest($0, above: digest) },
            records: { stream in
                lineage.keys(of: digest).lazy.map { RunHistory(store).lines(stream, key: $0) }.first { !$0.isEmpty }
                    ?? []
            },
            name: String(digest.hex.prefix(12)))
    }

    private func damaged(_ digest: Digest, _ why: String) -> RunnerError {
        RunnerError(
            .storage, "this artifact is damaged", place: store.manifestPath(digest), cause: why,
            fix: "run the pipeline again: what is missing is made again")
    }

    private func type(named name: String) -> (any Artifact.Type)? {
        registry.stages.lazy.map(\.output).first { $0.typeName == name }
    }
}

/// Which keys made an artifact and what they read, from the records of runs. Read at first use.
final class Lineage: Sendable {
    private let store: Store
    private let makers = Mutex<[Digest: [Digest]]?>(nil)

    init(_ store: Store) { self.store = store }

    /// Keys of stages whose output this was, newest run first.
    func keys(of output: Digest) -> [Digest] {
        makers.withLock { makers in
            if makers == nil { makers = load() }
            return makers?[output] ?? []
        }
    }

    private func load() -> [Digest: [Digest]] {
        var makers: [Digest: [Digest]] = [:]
        let history = RunHistory(store)
        for id in history.ids().reversed() {
            for stage in history.run(id)?["stages"]?.array ?? [] {
                guard let output = stage["output"]?.string.flatMap(Digest.init(hex:)),
                    let key = stage["key"]?.string.flatMap(Digest.init(hex:)), makers[output]?.contains(key) != true
                else { continue }
                makers[output, default: []].append(key)
            }
        }
        return makers
    }

    func nearest(_ type: String, above digest: Digest) -> StoredArtifact? {
        var front = [digest], seen: Set<Digest> = [digest]
        while !front.isEmpty {
            let next = front.flatMap(inputs(of:)).filter { seen.insert($0).inserted }
            for candidate in next {
                if case .value(let artifact) = store.artifact(candidate), artifact.manifest.type == type {
                    return artifact
                }
            }
            front = next
        }
        return nil
    }

    private func inputs(of digest: Digest) -> [Digest] {
        guard let key = keys(of: digest).first, case .value(let record) = store.record(key, as: StageRecord.self),
            let inputs = record.components["inputs"]?.array
        else { return [] }
        // Pairs of port and digest, sorted by port.
        return inputs.compactMap { $0.array?.last?.string.flatMap(Digest.init(hex:)) }
    }
}
