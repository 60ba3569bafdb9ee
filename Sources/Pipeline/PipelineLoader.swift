// From a pipeline file, an experiment and `-s` arguments to plans: the entry point of this room.

/// Loads pipeline files against a registry of stage types.
package struct PipelineLoader: Sendable {
    let registry: StageRegistry
    let files: any FileSystem

    package init(registry: StageRegistry, files: any FileSystem = RealFiles()) {
        self.registry = registry
        self.files = files
    }

    /// One plan an arm: one for most experiments, several for one with a matrix.
    /// - Parameters:
    ///   - path: the pipeline file, relative to the working folder or absolute.
    ///   - experiment: its name, or the full name of one arm (`mix-sweep[params.seed=13]`). May be nil if the file has
    ///     one experiment or none.
    ///   - sets: `path=value` arguments in the order given.
    ///   - workingDirectory: absolute; relative paths in `sets` start here.
    /// - Throws: every error found, in the order of their places.
    package func load(
        path: String, experiment: String?, sets: [String], workingDirectory: String
    ) throws(PipelineErrors) -> [Plan] {
        var diagnostics = Diagnostics()
        let settings = commandLineSettings(sets, workingDirectory: workingDirectory, &diagnostics)
        guard
            let file = PipelineFile.read(
                path, workingDirectory: workingDirectory, files: files, diagnostics: &diagnostics)
        else { throw PipelineErrors(diagnostics.sorted) }
        var reader = ExperimentReader(file.experiments)
        let experiments = reader.readAll()
        diagnostics.add(contentsOf: reader.diagnostics)

        var plans: [Plan] = []
        if let arms = arms(of: file, experiments, named: experiment, settings, &diagnostics) {
            for (chosen, arm) in arms {
                var planner = ArmPlanner(file: file, registry: registry, files: files)
                let all = (arm?.settings ?? []) + settings
                let plan = planner.plan(arm?.name, corpus: chosen?.corpus ?? file.corpus, settings: all)
                diagnostics.add(contentsOf: planner.diagnostics)
                if let plan { plans.append(plan) }
            }
        }
        try diagnostics.check()
        return plans
    }

    /// The names of the experiments of a file, in its order.
    package func experimentNames(
        _ path: String, workingDirectory: String
    ) throws(PipelineErrors) -> [String] {
        var diagnostics = Diagnostics()
        let file = PipelineFile.read(path, workingDirectory: workingDirectory, files: files, diagnostics: &diagnostics)
        try diagnostics.check()
        return file?.experiments.map(\.key) ?? []
    }

    private typealias Chosen = (experiment: Experiment?, arm: Experiment.Arm?)

    /// What to plan; nil if the choice itself is wrong.
    private func arms(
        of file: PipelineFile, _ experiments: [Experiment], named name: String?, _ settings: [Setting],
        _ diagnostics: inout Diagnostics
    ) -> [Chosen]? {
        let names = file.experiments.map(\.key)
        guard let name else {
            if names.isEmpty { return [(nil, nil)] }
            guard names.count == 1 else {
                diagnostics.add(
                    "the file has \(names.count) experiments, and none was chosen",
                    at: file.experiments[0].keyLocation, cause: "they would train different models",
                    fix: "choose one: " + names.map { "-e \($0)" }.joined(separator: ", "))
                return nil
            }
            return all(experiments.first, settings, &diagnostics)
        }
        let base = name.firstIndex(of: "[").map { String(name[..<$0]) } ?? name
        guard names.contains(base) else {
            diagnostics.add(
                "there is no experiment '\(base)'", at: file.experiments.first?.keyLocation ?? file.start,
                fix: names.isEmpty
                    ? "the file has no experiments, leave -e out"
                    : suggestion(for: base, among: names, kind: "experiments"))
            return nil
        }
        guard let experiment = experiments.first(where: { $0.name == base }) else { return nil }
        if base == name { return all(experiment, settings, &diagnostics) }
        let arms = experiment.arms()
        guard let arm = arms.first(where: { $0.name == name }) else {
            diagnostics.add(
                "experiment '\(base)' has no arm '\(name)'", at: experiment.location,
                fix: suggestion(for: name, among: arms.map(\.name), kind: "arms"))
            return nil
        }
        return [(experiment, arm)]
    }

    /// Every arm. An axis that `-s` sets is no axis any more: it has the value of `-s`, and leaves the arms' names.
    private func all(
        _ experiment: Experiment?, _ settings: [Setting], _ diagnostics: inout Diagnostics
    ) -> [Chosen]? {
        guard let experiment else { return nil }
        let paths = Set(settings.map { Setting.canonical($0.path) })
        for setting in settings {
            let prefix = Setting.canonical(setting.path) + "."
            guard let axis = experiment.axes.first(where: { Setting.canonical($0.path).hasPrefix(prefix) }) else {
                continue
            }
            diagnostics.add(
                "'\(setting.path)' covers '\(axis.path)', an axis of the matrix of '\(experiment.name)'",
                at: setting.location, cause: "its arms would be equal but for their names",
                fix: "set \(axis.path) itself, which takes it out of the matrix, or choose one arm with -e")
        }
        return experiment.arms(without: paths).map { (experiment, $0) }
    }
}
