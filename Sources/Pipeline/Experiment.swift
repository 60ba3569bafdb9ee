// Experiments: named choices over a pipeline. `extends` is followed, `matrix` becomes one arm a combination.

import Container

/// A path and the value it is set to, by an experiment or by `-s`.
struct Setting {
    /// Words that begin a path; any other beginning is the name of a stage.
    static let roots = ["params", "corpora", "corpus", "stages", "experiments"]

    var path: String
    var location: Location
    var value: Node

    var components: [String] { path.split(separator: ".", omittingEmptySubsequences: false).map(String.init) }

    /// The short spelling of a path: `model.steps` for `stages.model.with.steps`.
    static func canonical(_ path: String) -> String {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 3, parts[0] == "stages", parts[2] == "with" else { return path }
        return ([parts[1]] + parts[3...]).joined(separator: ".")
    }
}

/// An experiment with everything it inherits.
struct Experiment {
    static let keys = ["extends", "corpus", "set", "matrix"]
    static let armLimit = 1000

    struct Axis {
        var path: String
        var location: Location
        var values: [Node]
    }

    /// One combination of the axes.
    struct Arm {
        var name: String
        var settings: [Setting]
    }

    var name: String
    var location: Location
    var corpus: Node?
    var settings: [Setting] = []
    var axes: [Axis] = []

    /// Every combination, the first axis slowest; without axes one arm with the experiment's own name.
    /// - Parameter replaced: canonical paths of axes to leave out.
    func arms(without replaced: Set<String> = []) -> [Arm] {
        let axes = axes.filter { !replaced.contains(Setting.canonical($0.path)) }
        var arms = [Arm(name: "", settings: settings)]
        for axis in axes {
            arms = arms.flatMap { arm in
                axis.values.map { value in
                    let label = "\(axis.path)=\(Self.label(value))"
                    return Arm(
                        name: arm.name.isEmpty ? label : arm.name + "," + label,
                        settings: arm.settings + [Setting(path: axis.path, location: axis.location, value: value)])
                }
            }
        }
        return arms.map { Arm(name: $0.name.isEmpty ? name : "\(name)[\($0.name)]", settings: $0.settings) }
    }

    private static func label(_ value: Node) -> String {
        value.scalar ?? String(decoding: value.json.canonical, as: UTF8.self)
    }
}

/// Reads the experiments of a file. Every experiment is checked, selected or not.
struct ExperimentReader {
    let entries: [Node.Entry]
    var diagnostics = Diagnostics()

    init(_ entries: [Node.Entry]) { self.entries = entries }

    mutating func readAll() -> [Experiment] {
        entries.compactMap { entry in
            var chain: [Node.Entry] = [entry]
            while let parent = chain.last?.value["extends"] {
                guard let name = parent.scalar, !parent.isNull else {
                    diagnostics.add(
                        "'extends' takes the name of one experiment, not \(parent.described)", at: parent.location,
                        cause: "with two parents the order would decide", fix: "extend one experiment and set the rest")
                    return nil
                }
                guard let next = entries.first(where: { $0.key == name }) else {
                    diagnostics.add(
                        "experiment '\(chain.last!.key)' extends '\(name)', which does not exist", at: parent.location,
                        fix: suggestion(for: name, among: entries.map(\.key), kind: "experiments"))
                    return nil
                }
                if chain.contains(where: { $0.key == name }) {
                    let names = (chain.map(\.key) + [name]).joined(separator: " → ")
                    diagnostics.add(
                        "experiments extend each other: \(names)", at: parent.location,
                        fix: "let one of them stand on its own")
                    return nil
                }
                chain.append(next)
            }
            var experiment = Experiment(name: entry.key, location: entry.keyLocation)
            for link in chain.reversed() { apply(link, to: &experiment) }
            let count = experiment.axes.reduce(1) { min($0, Experiment.armLimit + 1) * $1.values.count }
            if count > Experiment.armLimit {
                diagnostics.add(
                    "the matrix of '\(entry.key)' has more than \(Experiment.armLimit) arms", at: entry.keyLocation,
                    fix: "cut it into several experiments")
                return nil
            }
            return experiment
        }
    }

    private mutating func apply(_ entry: Node.Entry, to experiment: inout Experiment) {
        let body = entry.value.setBy(.experiment(entry.key))
        if body.isNull { return }
        guard let parts = body.entries else {
            diagnostics.add(
                "experiment '\(entry.key)' is a map, not \(body.described)", at: body.location,
                fix: "write \(entry.key): {corpus: NAME, set: {PATH: VALUE}}")
            return
        }
        for part in parts {
            switch part.key {
            case "extends": break
            case "corpus": experiment.corpus = part.value
            case "set":
                for setting in pairs(part) {
                    experiment.settings.removeAll { $0.path == setting.key }
                    experiment.axes.removeAll { $0.path == setting.key }
                    experiment.settings.append(
                        Setting(path: setting.key, location: setting.keyLocation, value: setting.value))
                }
            case "matrix":
                for axis in pairs(part) { add(axis, to: &experiment) }
            default:
                diagnostics.add(
                    "unknown key '\(part.key)' in experiment '\(entry.key)'", at: part.keyLocation,
                    cause: "unknown keys are never ignored",
                    fix: suggestion(for: part.key, among: Experiment.keys, kind: "keys"))
            }
        }
    }

    private mutating func pairs(_ part: Node.Entry) -> [Node.Entry] {
        if part.value.isNull { return [] }
        if let entries = part.value.entries { return entries }
        diagnostics.add(
            "'\(part.key)' takes a map from paths, not \(part.value.described)", at: part.value.location,
            fix: "write \(part.key): {params.seed: 14}")
        return []
    }

    private mutating func add(_ axis: Node.Entry, to experiment: inout Experiment) {
        guard let values = axis.value.sequence, !values.isEmpty else {
            diagnostics.add(
                "an axis of a matrix takes a list of values, not \(axis.value.sequence == nil ? axis.value.described : "an empty one")",
                at: axis.value.location, fix: "write \(axis.key): [1, 2, 3]")
            return
        }
        let made = Experiment.Axis(path: axis.key, location: axis.keyLocation, values: values)
        if let index = experiment.axes.firstIndex(where: { $0.path == axis.key }) {
            experiment.axes[index] = made
        } else {
            experiment.axes.append(made)
        }
    }
}
