// A checked pipeline: stages with configs, wired, in an order in which they can run. What the runner executes.

package import Container

/// One arm of an experiment, ready to run.
package struct Plan: Sendable {
    /// The pipeline file as the user named it.
    package let file: String
    /// The experiment, for an arm of a matrix with the values of its axes, e.g. `mix-sweep[params.seed=13]`; nil if
    /// the file has no experiments.
    package let experiment: String?
    /// The selected corpus, if any.
    package let corpus: String?
    /// Every stage after those it reads from; otherwise in the order of the file.
    package let stages: [PlannedStage]

    package subscript(_ name: String) -> PlannedStage? { stages.first { $0.name == name } }

    /// The stages that read a stage's output, directly or through others, in plan order.
    package func downstream(of name: String) -> [String] {
        var reached: Set<String> = [name]
        var found: [String] = []
        for stage in stages where stage.upstream.contains(where: reached.contains) {
            reached.insert(stage.name)
            found.append(stage.name)
        }
        return found
    }

    /// The stages that a stage reads from, directly or through others, in plan order; itself not included.
    package func upstream(of name: String) -> [String] {
        var needed: Set<String> = [name]
        var found: [String] = []
        for stage in stages.reversed() where needed.contains(stage.name) {
            needed.formUnion(stage.upstream)
            if stage.name != name { found.append(stage.name) }
        }
        return found.reversed()
    }

    /// The plan with only the stages that `keep` holds for.
    package func filtered(_ keep: (PlannedStage) -> Bool) -> Plan {
        Plan(file: file, experiment: experiment, corpus: corpus, stages: stages.filter(keep))
    }
}

/// One stage of a plan.
package struct PlannedStage: Sendable {
    /// As in the file, e.g. `probe-pairs`.
    package let name: String
    /// The stage type, e.g. `pair-sample`.
    package let use: String
    package let bound: BoundStage
    /// Port → stages, only ports that the config uses and that are connected.
    package let wires: [String: [String]]
    /// The ports among `wires` that nobody named: filled by the only stage that makes the type.
    package let autoWired: Set<String>
    /// Every value of the config and who gave it, in the order of the table of keys.
    package let values: [ConfigValue]
    package let location: Location

    /// The stages it reads from, each once, by port name.
    package var upstream: [String] {
        var seen: Set<String> = []
        return wires.keys.sorted().flatMap { wires[$0]! }.filter { seen.insert($0).inserted }
    }
}

/// A value of a resolved config, for `plan --resolved`.
package struct ConfigValue: Sendable, Equatable {
    /// Dotted, e.g. `mix.linked`.
    package var key: String
    package var value: JSON
    package var origin: Origin
    /// Where the value is written; nil for defaults.
    package var location: Location?
    /// The reference it came through, as written.
    package var reference: String?
    /// Who gave the value where the file does not: a recipe that it names.
    package var giver: String?

    /// `default`, `experiment bert (pipelines/linkbert.yaml:24:60)`, `-s`, `pipelines/linkbert.yaml:18:40 via $params.seed`.
    package var source: String {
        let place = location.map { "\($0)" } ?? ""
        let base =
            switch origin {
            case .standard: giver ?? "default"
            case .file: place
            case .experiment: "\(origin) (\(place))"
            case .commandLine: "-s"
            case .corpus: "the selected corpus"
            }
        return reference.map { "\(base) via \($0)" } ?? base
    }

    package var json: JSON {
        var members: [String: JSON] = ["key": .string(key), "value": value, "origin": .string(origin.description)]
        if origin != .standard, let location { members["place"] = .string(location.description) }
        if let reference { members["reference"] = .string(reference) }
        if let giver { members["giver"] = .string(giver) }
        return .object(members)
    }

    /// Pairs every leaf of a resolved config with the node that gave it.
    static func list(_ config: JSON, keys: [KeyInfo], node: Node?, prefix: String = "") -> [ConfigValue] {
        guard case .object(let members) = config else { return [] }
        let order = keys.isEmpty ? members.keys.sorted() : keys.map(\.name)
        return order.flatMap { name -> [ConfigValue] in
            guard let value = members[name] else { return [] }
            let given = node?[name]
            let key = prefix + name
            if case .object(let inner) = value, !inner.isEmpty, given == nil || given?.entries != nil {
                let children = keys.first { $0.name == name }?.children ?? []
                return list(value, keys: children, node: given, prefix: key + ".")
            }
            guard let given, given.origin != .standard else {
                return [ConfigValue(key: key, value: value, origin: .standard)]
            }
            return [
                ConfigValue(
                    key: key, value: value, origin: given.origin, location: given.location, reference: given.reference)
            ]
        }
    }
}
