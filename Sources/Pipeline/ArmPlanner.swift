// One arm: selects the corpus, applies settings, resolves references, decodes configs, connects ports.
// Order of precedence: defaults < `with` < experiment < `-s`; every value keeps who gave it.

import Container

struct ArmPlanner {
    let file: PipelineFile
    let registry: StageRegistry
    let files: any FileSystem
    var diagnostics = Diagnostics()

    /// `params`, `corpora` and `stages` with the settings applied that do not go into a `with`.
    private var tree: Node
    /// Settings below `stages.NAME.with`, by stage, in order of precedence.
    private var configSettings: [String: [(path: [String], setting: Setting)]] = [:]

    init(file: PipelineFile, registry: StageRegistry, files: any FileSystem) {
        self.file = file
        self.registry = registry
        self.files = files
        func map(_ entries: [Node.Entry]) -> Node { Node(.mapping(entries), at: file.start) }
        let parts = [("params", file.params), ("corpora", file.corpora), ("stages", file.stages)]
        tree = map(parts.map { Node.Entry(key: $0, keyLocation: file.start, value: map($1)) })
    }

    /// - Returns: nil if anything is wrong; `diagnostics` says what.
    mutating func plan(_ experiment: String?, corpus: Node?, settings: [Setting]) -> Plan? {
        let corpusName = selectCorpus(
            ([corpus] + settings.filter { $0.path == "corpus" }.map(\.value)).compactMap(\.self).last)
        for setting in settings where setting.path != "corpus" { apply(setting, corpus: corpusName) }

        var resolver = ReferenceResolver(tree: tree, corpus: corpusName)
        let stages = tree["stages"]?.entries ?? []
        var drafts: [(unwired: UnwiredStage, use: String, values: [ConfigValue])] = []
        for entry in stages {
            if let draft = draft(entry, corpusName, &resolver) { drafts.append(draft) }
        }
        diagnostics.add(contentsOf: resolver.diagnostics)
        if stages.isEmpty {
            diagnostics.add("the pipeline has no stages", at: file.start, fix: "add some under 'stages:'")
        }

        var wiring = Wiring(
            drafts.map(\.unwired), names: stages.map(\.key), isComplete: drafts.count == stages.count)
        let wires = wiring.connect()
        let order = wiring.order(wires)
        diagnostics.add(contentsOf: wiring.diagnostics)
        guard diagnostics.isEmpty else { return nil }
        return Plan(
            file: file.name, experiment: experiment, corpus: corpusName,
            stages: order.map { index in
                let (stage, use, values) = drafts[index]
                return PlannedStage(
                    name: stage.name, use: use, bound: stage.bound, wires: wires[index].ports,
                    autoWired: wires[index].autoWired, values: values, location: stage.location)
            })
    }

    private mutating func selectCorpus(_ node: Node?) -> String? {
        guard let node, !node.isNull else { return nil }
        let names = file.corpora.map(\.key)
        guard let name = node.scalar, names.contains(name) else {
            diagnostics.add(
                "there is no corpus \(node.described)", at: node.location,
                fix: suggestion(for: node.scalar ?? "", among: names, kind: "corpora"))
            return node.scalar
        }
        return name
    }

    // MARK: Settings

    private mutating func apply(_ setting: Setting, corpus: String?) {
        var path = setting.components
        let stageNames = file.stages.map(\.key)
        if path.contains("") {
            diagnostics.add(
                "'\(setting.path)' is not a path", at: setting.location, cause: "a path is names joined by dots",
                fix: "write params.NAME or STAGE.KEY")
            return
        }
        if path[0] == "corpus" {
            guard let corpus else {
                diagnostics.add(
                    "'\(setting.path)' needs a corpus, and none is selected", at: setting.location,
                    fix: "select one with corpus=NAME")
                return
            }
            path.replaceSubrange(0...0, with: ["corpora", corpus])
        } else if stageNames.contains(path[0]) {
            path.replaceSubrange(0...0, with: ["stages", path[0], "with"])
        }
        guard ["params", "corpora", "stages"].contains(path[0]) else {
            let known = ["params", "corpora", "corpus", "stages"] + stageNames
            diagnostics.add(
                "'\(setting.path)' sets nothing: there is no '\(path[0])'", at: setting.location,
                cause: "a path begins with params, corpora, corpus, stages or the name of a stage",
                fix: suggestion(for: path[0], among: known, kind: "beginnings"))
            return
        }
        if path.count == 1 || (path[0] == "stages" && path.count == 2)
            || (path[0] == "stages" && setting.path == path[1])
        {
            diagnostics.add(
                "'\(setting.path)' names a part of the file, not a value", at: setting.location,
                fix: "go on to a name in it, e.g. \(setting.path).\(path[0] == "stages" ? "KEY" : "NAME")")
            return
        }
        if path[0] == "stages", path[2] == "with" {
            guard stageNames.contains(path[1]) else {
                diagnostics.add(
                    "'\(setting.path)' sets nothing: there is no stage '\(path[1])'", at: setting.location,
                    fix: suggestion(for: path[1], among: stageNames, kind: "stages"))
                return
            }
            configSettings[path[1], default: []].append((Array(path.dropFirst(3)), setting))
            return
        }
        if path[0] == "stages", !["use", "in"].contains(path[2]) {
            diagnostics.add(
                "'\(setting.path)' sets nothing: a stage has no '\(path[2])'", at: setting.location,
                fix: suggestion(for: path[2], among: ["use", "in", "with"], kind: "keys")
                    + "; a key of its config is \(path[1]).\(path[2])")
            return
        }
        let strict = path[0] == "params" ? path.count : path[0] == "corpora" ? 3 : 2
        set(path, to: setting, strictDepth: strict)
    }

    private mutating func set(_ path: [String], to setting: Setting, strictDepth: Int) {
        let snapshot = tree
        do throws(Node.PathProblem) {
            try tree.set(
                path[...], to: setting.value, at: setting.location, strictDepth: strictDepth,
                expand: { Self.target(of: $0, in: snapshot) })
        } catch { report(error, setting) }
    }

    /// The value that a whole-value reference names, references inside it left as they are.
    private static func target(of node: Node, in tree: Node) -> Node? {
        var node = node
        for _ in 0..<YAMLReader.depthLimit {
            guard let text = node.scalar, let (path, rest) = ReferenceResolver.parse(text) else { return node }
            guard rest.isEmpty, path[0] != "corpus" else { return nil }
            var current: Node? = tree
            for name in path { current = current?[name] }
            guard let current else { return nil }
            node = current
        }
        return nil
    }

    private mutating func report(_ problem: Node.PathProblem, _ setting: Setting) {
        switch problem {
        case .unknown(let name, let parent, let known):
            diagnostics.add(
                "'\(setting.path)' sets nothing: \(parent) has no '\(name)'", at: setting.location,
                cause: "a path that nothing reads would change nothing",
                fix: suggestion(for: name, among: known, kind: "names"))
        case .notAMap(let parent, let kind):
            diagnostics.add(
                "'\(setting.path)' goes on below \(parent), which is \(kind)", at: setting.location,
                cause: "only maps have names in them", fix: "set \(parent) as a whole")
        }
    }

    // MARK: Stages

    private mutating func draft(
        _ entry: Node.Entry, _ corpus: String?, _ resolver: inout ReferenceResolver
    ) -> (unwired: UnwiredStage, use: String, values: [ConfigValue])? {
        guard let parts = entry.value.entries else {
            diagnostics.add(
                "stage '\(entry.key)' is a map, not \(entry.value.described)", at: entry.value.location,
                fix: "write \(entry.key): {use: STAGE}")
            return nil
        }
        for part in parts where !["use", "in", "with"].contains(part.key) {
            diagnostics.add(
                "unknown key '\(part.key)' in stage '\(entry.key)'", at: part.keyLocation,
                cause: "a stage says what it uses, its inputs and its config",
                fix: suggestion(for: part.key, among: ["use", "in", "with"], kind: "keys")
                    + "; keys of the config stand under 'with:'")
        }
        guard let use = entry.value["use"].flatMap({ resolver.resolve($0) }) else {
            if entry.value["use"] == nil {
                diagnostics.add(
                    "stage '\(entry.key)' does not say what it uses", at: entry.keyLocation,
                    fix: "add use: STAGE with one of: \(registry.names.sorted().joined(separator: ", "))")
            }
            return nil
        }
        guard let name = use.scalar, let type = registry[name] else {
            diagnostics.add(
                "there is no stage type \(use.described)", at: use.location,
                fix: suggestion(for: use.scalar ?? "", among: registry.names, kind: "stage types"))
            return nil
        }
        resolver.failed = false
        var config = config(of: entry, type, &resolver)
        fillCorpus(&config, type, corpus)
        var context = DecodeContext(stage: entry.key, files: files)
        context.isIncomplete = resolver.failed
        let bound = type.decodeLeniently(config, &context)
        diagnostics.add(contentsOf: context.diagnostics)

        var inputs: [Node.Entry] = []
        if let node = entry.value["in"].flatMap({ resolver.resolve($0) }), !node.isNull {
            if let entries = node.entries {
                inputs = entries
            } else {
                diagnostics.add(
                    "'in' of stage '\(entry.key)' takes a map from ports to stages, not \(node.described)",
                    at: node.location, fix: "write in: {PORT: STAGE}")
            }
        }
        var values = ConfigValue.list(bound.resolvedConfig, keys: type.keys.map(\.info), node: config)
        for index in values.indices where values[index].origin == .standard {
            values[index].giver = bound.origin(of: values[index].key)
        }
        return (UnwiredStage(name: entry.key, bound: bound, location: entry.keyLocation, inputs: inputs), name, values)
    }

    /// `with`, references resolved, lists merged, settings applied.
    private mutating func config(
        of entry: Node.Entry, _ type: StageType, _ resolver: inout ReferenceResolver
    ) -> Node {
        var config = Node(.mapping([]), at: entry.keyLocation)
        if let with = entry.value["with"] { config = merged(with, config, entry.key, &resolver) }
        for (path, setting) in configSettings[entry.key] ?? [] {
            if path.isEmpty {
                config = merged(setting.value, Node(.mapping([]), at: setting.location), entry.key, &resolver)
                continue
            }
            guard let value = resolver.resolve(setting.value) else { continue }
            if path.count > 1, config[path[0]] == nil { seed(path[0], of: type, at: setting.location, in: &config) }
            do throws(Node.PathProblem) {
                try config.set(path[...], to: value, at: setting.location, strictDepth: 0)
            } catch { report(error, setting) }
        }
        return config
    }

    private mutating func merged(
        _ with: Node, _ empty: Node, _ stage: String, _ resolver: inout ReferenceResolver
    ) -> Node {
        guard let resolved = resolver.resolve(with), !resolved.isNull else { return empty }
        var config = empty
        for item in resolved.sequence ?? [resolved] where !item.isNull {
            guard item.entries != nil else {
                diagnostics.add(
                    "'with' of stage '\(stage)' takes a map or a list of maps, not \(item.described)",
                    at: item.location, fix: "write with: {KEY: VALUE} or with: [$corpus.NAME, {KEY: VALUE}]")
                continue
            }
            config = config.entries?.isEmpty == true ? item : config.merged(with: item)
        }
        return config
    }

    /// A path into a map that the file does not give changes one value of the default map, not all of them.
    private func seed(_ key: String, of type: StageType, at place: Location, in config: inout Node) {
        guard let doc = type.keys.first(where: { $0.info.name == key }), doc.defaultValue.object != nil else { return }
        var value = Node(json: doc.defaultValue, source: place.source).setBy(.standard)
        value.location = place
        guard case .mapping(var entries) = config.content else { return }
        entries.append(Node.Entry(key: key, keyLocation: place, value: value))
        config.content = .mapping(entries)
    }

    private func fillCorpus(_ config: inout Node, _ type: StageType, _ corpus: String?) {
        guard let corpus, type.keys.contains(where: { $0.info.name == "corpus" }), config["corpus"] == nil,
            case .mapping(var entries) = config.content
        else { return }
        let value = Node(.scalar(corpus, .quoted), at: config.location, origin: .corpus)
        entries.append(Node.Entry(key: "corpus", keyLocation: config.location, value: value))
        config.content = .mapping(entries)
    }
}
