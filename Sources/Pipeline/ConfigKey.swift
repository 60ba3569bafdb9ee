// One row of a stage's table of keys: how a key is read, checked, made canonical, described. The factories that
// stages call are in ConfigKey+Scalars, ConfigKey+Collections and ConfigKey+Files.

package import Container

/// A key path that a `@Sendable` closure may keep.
package typealias KeyOf<C, V> = WritableKeyPath<C, V> & Sendable

/// A key of the config `C`.
package struct ConfigKey<C>: Sendable {
    package let info: KeyInfo
    /// Reads a node into the config; problems go to the context, the field then keeps its value.
    let decode: @Sendable (Node, inout C, inout DecodeContext) -> Void
    /// The value in full: operational or not, files with absolute paths. `decode` reads it back while restoring.
    let value: @Sendable (C) -> JSON
    /// The value in a key record, nil when equal to the value in the second config, which holds the defaults.
    let canonical: @Sendable (C, C) -> JSON?
    /// Visits the files of this key and of keys nested in it, and stores what the visitor returns.
    let mapFiles: @Sendable (inout C, FileVisitor) throws -> Void

    package var name: String { info.name }
    package var help: String { info.help }
    package var operational: Bool { info.operational }

    /// Whether the key has another value than its default.
    package func isSet(in config: C) -> Bool where C: StageConfig { canonical(config, C()) != nil }

    /// Gets the dotted name of a file key and its files.
    typealias FileVisitor = (_ key: String, _ files: [InputFile]) throws -> [InputFile]
}

/// What is told about a key: docs, schema, suggestions.
package struct KeyInfo: Sendable, Equatable {
    package var name: String
    /// For people: `a whole number from 1 to 12`, `one of dynamic, static`.
    package var type: String
    /// The JSON Schema of the value, with its description.
    package var schema: JSON
    package var help: String
    package var operational: Bool
    package var required: Bool
    /// Keys of a nested map, or of each item of a list of maps.
    package var children: [KeyInfo]
}

/// A key with its default, for `linkloom stages NAME` and the docs.
package struct KeyDoc: Sendable, Equatable {
    package var info: KeyInfo
    package var defaultValue: JSON

    /// `masking: dynamic`, the type and the help in one line of Markdown-free text.
    package var line: String {
        let shown = info.required ? "required" : "default " + String(decoding: defaultValue.canonical, as: UTF8.self)
        return
            "\(info.name): \(info.type), \(shown)\(info.operational ? ", not part of the cache key" : ""). \(info.help)"
    }
}

/// What decoding needs beside the node, and where problems go.
package struct DecodeContext {
    let stage: String
    let files: any FileSystem
    /// Reading back `resolvedConfig`: file keys hold records, and files are not looked for.
    let restoring: Bool
    /// A part of the config could not be resolved: absent keys are no news then.
    var isIncomplete = false
    var path: [String] = []
    var diagnostics = Diagnostics()

    init(stage: String, files: any FileSystem, restoring: Bool = false) {
        self.stage = stage
        self.files = files
        self.restoring = restoring
    }

    mutating func report(_ problem: ConfigProblem, key: String?, at location: Location) {
        let name = (path + [key].compactMap(\.self)).joined(separator: ".")
        let subject = name.isEmpty ? "stage '\(stage)'" : "key '\(name)' of stage '\(stage)'"
        diagnostics.add(
            "\(subject) \(problem.message)", at: problem.location ?? location, cause: problem.cause, fix: problem.fix)
    }
}

// MARK: - The table as a whole

/// Reads a map into `config` by a table of keys: unknown keys, wrong types and absent required keys are reported,
/// what could be read is kept.
func decodeKeys<C>(_ keys: [ConfigKey<C>], from node: Node, into config: inout C, _ context: inout DecodeContext) {
    let entries: [Node.Entry]
    do throws(ConfigProblem) { entries = try node.readEntries() } catch {
        context.report(error, key: nil, at: node.location)
        return
    }
    let names = keys.map(\.name)
    for entry in entries {
        guard let key = keys.first(where: { $0.name == entry.key }) else {
            let inside = context.path.isEmpty ? "" : "'\(context.path.joined(separator: "."))' in "
            context.diagnostics.add(
                "unknown key '\(entry.key)' in \(inside)the config of stage '\(context.stage)'", at: entry.keyLocation,
                cause: "unknown keys are never ignored, a typo would train another model",
                fix: suggestion(for: entry.key, among: names, kind: "keys"))
            continue
        }
        key.decode(entry.value, &config, &context)
    }
    for key in keys where key.info.required && node[key.name] == nil && !context.isIncomplete {
        let problem = ConfigProblem("is missing", cause: "it has no default: \(key.help)", fix: "add \(key.name): …")
        context.report(problem, key: key.name, at: node.location)
    }
}

/// The canonical form of a config: operational keys and keys equal to their default are absent, files as well.
func canonicalObject<C>(_ keys: [ConfigKey<C>], _ config: C, defaults: C) -> JSON {
    var members: [String: JSON] = [:]
    for key in keys where !key.operational { members[key.name] = key.canonical(config, defaults) }
    return .object(members)
}

func valueObject<C>(_ keys: [ConfigKey<C>], _ config: C) -> JSON {
    .object(Dictionary(keys.map { ($0.name, $0.value(config)) }, uniquingKeysWith: { $1 }))
}

func schemaObject(_ infos: [KeyInfo]) -> JSON {
    var properties: [String: JSON] = [:]
    for info in infos { properties[info.name] = info.schema }
    var schema: [String: JSON] = [
        "type": .string("object"), "additionalProperties": .bool(false), "properties": .object(properties),
    ]
    let required = infos.filter(\.required).map { JSON.string($0.name) }
    if !required.isEmpty { schema["required"] = .array(required) }
    return .object(schema)
}

// MARK: - Building rows

extension ConfigKey {
    /// A row that holds no files. `read` and `encode` are inverse: `read(Node(json: encode(v)))` gives `v`.
    static func row<V>(
        _ name: String, _ path: any KeyOf<C, V>, type: String, schema: JSON, required: Bool, operational: Bool,
        help: String, children: [KeyInfo] = [],
        read: @escaping @Sendable (Node) throws(ConfigProblem) -> V, encode: @escaping @Sendable (V) -> JSON
    ) -> ConfigKey {
        ConfigKey(
            info: KeyInfo(
                name: name, type: type, schema: described(schema, help), help: help, operational: operational,
                required: required, children: children),
            decode: { node, config, context in
                do throws(ConfigProblem) { config[keyPath: path] = try read(node) } catch {
                    let problem = error.explained(type: type, help: help, current: encode(config[keyPath: path]))
                    context.report(problem, key: name, at: node.location)
                }
            },
            value: { encode($0[keyPath: path]) },
            canonical: { config, defaults in
                let value = encode(config[keyPath: path])
                return value.canonical == encode(defaults[keyPath: path]).canonical ? JSON?.none : value
            },
            mapFiles: { _, _ in })
    }

    static func described(_ schema: JSON, _ help: String) -> JSON {
        guard case .object(var members) = schema else { return schema }
        if !help.isEmpty { members["description"] = .string(help) }
        return .object(members)
    }
}

extension ConfigProblem {
    /// With a cause and a fix from the table where the problem has none. `current` is the default.
    func explained(type: String, help: String, current: JSON) -> ConfigProblem {
        var problem = self
        if cause == nil, !help.isEmpty { problem.cause = "it means: \(help)" }
        if fix == nil {
            let shown = String(decoding: current.canonical, as: UTF8.self)
            problem.fix = "give \(type)" + (shown.utf8.count > 60 ? "" : "; left out it is \(shown)")
        }
        return problem
    }
}
