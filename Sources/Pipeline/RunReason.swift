// Why a stage runs, found by comparing the components of two keys; printed by `plan` and `why`.

package import Container

/// One reason to run a stage.
package enum RunReason: Sendable, Equatable {
    /// A value of a config that changed; a value that is absent stands for its default.
    package struct Change: Sendable, Equatable {
        /// Dotted, e.g. `mix.linked`; `stage` and `output` versions are told by `versionChanged`.
        package var key: String
        package var old: JSON
        package var new: JSON

        package init(key: String, old: JSON, new: JSON) {
            self.key = key
            self.old = old
            self.new = new
        }
    }

    /// What of the inputs changed.
    package enum Input: Sendable, Equatable {
        case port(String)
        /// The config key that names the files.
        case files(String)
    }

    case neverBuilt
    /// Of the stage (`stageVersion`), of the type it makes (`outputVersion`), or another stage or type altogether.
    case versionChanged(Change)
    case configChanged([Change])
    case inputChanged(Input)
    /// These stages run first and may change what this one reads.
    case upstream([String])
    /// The same for what every piece reads through this port (`InputPort.readByEveryPiece`).
    case upstreamOfEveryPiece([String], port: String)
    case outputMissing
    case damaged
    case forced

    package var kind: String {
        switch self {
        case .neverBuilt: "neverBuilt"
        case .versionChanged: "versionChanged"
        case .configChanged: "configChanged"
        case .inputChanged: "inputChanged"
        case .upstream, .upstreamOfEveryPiece: "upstream"
        case .outputMissing: "outputMissing"
        case .damaged: "damaged"
        case .forced: "forced"
        }
    }

    /// What differs between the components of two stage keys, in the order version, config, files, ports.
    /// - Parameter defaults: `BoundStage.defaultConfig`, to tell what an absent key stood for.
    package static func compare(old: JSON, new: JSON, defaults: JSON = [:]) -> [RunReason] {
        var reasons: [RunReason] = []
        for key in ["stage", "stageVersion", "outputType", "outputVersion"] {
            let before = old[key] ?? .null, after = new[key] ?? .null
            if !same(before, after) { reasons.append(.versionChanged(Change(key: key, old: before, new: after))) }
        }
        let changes = changes(old["config"], new["config"], defaults, at: "")
        if !changes.isEmpty { reasons.append(.configChanged(changes)) }
        let oldFiles = old["files"]?.object ?? [:], newFiles = new["files"]?.object ?? [:]
        for key in Set(oldFiles.keys).union(newFiles.keys).sorted() where !same(oldFiles[key], newFiles[key]) {
            reasons.append(.inputChanged(.files(key)))
        }
        let oldPorts = ports(old), newPorts = ports(new)
        for port in Set(oldPorts.keys).union(newPorts.keys).sorted() where oldPorts[port] != newPorts[port] {
            reasons.append(.inputChanged(.port(port)))
        }
        return reasons
    }

    /// Equal as canonical JSON: a record that was read back has 1 where the fresh one has 1.0.
    private static func same(_ a: JSON?, _ b: JSON?) -> Bool { a?.canonical == b?.canonical }

    private static func ports(_ components: JSON) -> [String: [JSON]] {
        var ports: [String: [JSON]] = [:]
        for pair in components["inputs"]?.array ?? [] {
            guard let pair = pair.array, pair.count == 2, let port = pair[0].string else { continue }
            ports[port, default: []].append(pair[1])
        }
        return ports
    }

    private static func changes(_ old: JSON?, _ new: JSON?, _ defaults: JSON?, at path: String) -> [Change] {
        let before = old ?? defaults, after = new ?? defaults
        if same(before, after) { return [] }
        let isMap = (before?.object != nil || before == nil) && (after?.object != nil || after == nil)
        if isMap, before != nil || after != nil {
            let names = Set(before?.object?.keys.map(\.self) ?? []).union(after?.object?.keys.map(\.self) ?? [])
            return names.sorted().flatMap { name in
                changes(before?[name], after?[name], defaults?[name], at: path.isEmpty ? name : "\(path).\(name)")
            }
        }
        return [Change(key: path, old: before ?? .null, new: after ?? .null)]
    }

    // MARK: Printing

    /// A clause for people, e.g. `config changed: mix.linked 1 → 2`.
    package var text: String {
        switch self {
        case .neverBuilt: "never built"
        case .versionChanged(let change): "version changed: \(Self.text(change))"
        case .configChanged(let changes): "config changed: " + changes.map(Self.text).joined(separator: ", ")
        case .inputChanged(.port(let port)): "input changed: port \(port)"
        case .inputChanged(.files(let key)): "input changed: files of '\(key)'"
        case .upstream(let stages): "upstream runs: " + stages.joined(separator: ", ")
        case .upstreamOfEveryPiece(let stages, let port):
            "upstream runs: " + stages.joined(separator: ", ")
                + " (every piece reads port \(port): if it changes, all run again)"
        case .outputMissing: "output missing"
        case .damaged: "output damaged"
        case .forced: "forced"
        }
    }

    private static func text(_ change: Change) -> String {
        "\(change.key) \(short(change.old)) → \(short(change.new))"
    }

    /// The clause of a recorded reason, one of those that `json` gives.
    package static func text(recorded reason: JSON) -> String {
        let key = reason["key"]?.string ?? ""
        func change() -> String {
            text(Change(key: key, old: reason["old"] ?? .null, new: reason["new"] ?? .null))
        }
        switch reason["kind"]?.string {
        case "neverBuilt": return RunReason.neverBuilt.text
        case "versionChanged": return "version changed: " + change()
        case "configChanged": return "config changed: " + change()
        case "inputChanged":
            return RunReason.inputChanged(reason["port"]?.string.map(Input.port) ?? .files(key)).text
        case "upstream":
            let stages = [reason["stage"]?.string ?? "?"]
            guard let port = reason["port"]?.string else { return RunReason.upstream(stages).text }
            return RunReason.upstreamOfEveryPiece(stages, port: port).text
        case "outputMissing": return RunReason.outputMissing.text
        case "damaged": return RunReason.damaged.text
        case "forced": return RunReason.forced.text
        default: return "unknown reason"
        }
    }

    private static func short(_ value: JSON) -> String {
        var text = value.string ?? String(decoding: value.canonical, as: UTF8.self)
        if case .number(let number) = value { text = Node.plain(number) }
        return text.count > 60 ? text.prefix(57) + "…" : text
    }

    /// Objects `{kind, key?, old?, new?, port?, stage?}`: one a changed key or upstream stage, else one.
    package var json: [JSON] {
        func object(_ members: [String: JSON]) -> JSON {
            .object(members.merging(["kind": .string(kind)]) { first, _ in first })
        }
        func object(_ change: Change) -> JSON {
            object(["key": .string(change.key), "old": change.old, "new": change.new])
        }
        switch self {
        case .versionChanged(let change): return [object(change)]
        case .configChanged(let changes): return changes.map(object)
        case .inputChanged(.port(let port)): return [object(["port": .string(port)])]
        case .inputChanged(.files(let key)): return [object(["key": .string(key)])]
        case .upstream(let stages): return stages.map { object(["stage": .string($0)]) }
        case .upstreamOfEveryPiece(let stages, let port):
            return stages.map { object(["stage": .string($0), "port": .string(port)]) }
        case .neverBuilt, .outputMissing, .damaged, .forced: return [object([:])]
        }
    }
}
