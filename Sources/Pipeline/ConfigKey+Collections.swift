// Factories for keys that hold several values: lists of scalars, weights by name, nested maps, lists of maps.

import Container

extension ConfigKey {
    /// A list of strings; a single scalar is a list of one.
    package static func strings(
        _ name: String, _ path: any KeyOf<C, [String]>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        list(
            name, path, of: "strings", schema: ["type": "string"], required: required, operational: operational,
            help: help, read: { (node) throws(ConfigProblem) in try node.readString() }, encode: { .string($0) })
    }

    /// A list of whole numbers; a single scalar is a list of one.
    package static func ints(
        _ name: String, _ path: any KeyOf<C, [Int]>, in range: ClosedRange<Int> = Int.min...Int.max,
        required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        list(
            name, path, of: "whole numbers", schema: integerSchema(range), required: required,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in try node.readInt(in: range) }, encode: { .int(Int64($0)) })
    }

    /// A list of numbers; a single scalar is a list of one.
    package static func numbers(
        _ name: String, _ path: any KeyOf<C, [Double]>, in range: ClosedRange<Double> = anyNumber,
        required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        list(
            name, path, of: "numbers", schema: numberSchema(range), required: required, operational: operational,
            help: help, read: { (node) throws(ConfigProblem) in try node.readDouble(in: range) },
            encode: { .number($0) })
    }

    /// A list of names of an enum's cases; a single scalar is a list of one; a name may stand in it once.
    package static func choices<V: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: any KeyOf<C, [V]>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        let names = V.allCases.map(\.rawValue).joined(separator: ", ")
        return row(
            name, path, type: "a list from \(names)", schema: listSchema(choiceSchema(V.self)), required: required,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in
                var values: [V] = []
                for item in try node.readList() {
                    let value = try item.readChoice(V.self)
                    if values.contains(where: { $0.rawValue == value.rawValue }) {
                        throw ConfigProblem("names '\(value.rawValue)' twice", fix: "drop one", at: item.location)
                    }
                    values.append(value)
                }
                return values
            },
            encode: { .array($0.map { .string($0.rawValue) }) })
    }

    private static func list<V>(
        _ name: String, _ path: any KeyOf<C, [V]>, of kind: String, schema: JSON, required: Bool, operational: Bool,
        help: String, read: @escaping @Sendable (Node) throws(ConfigProblem) -> V,
        encode: @escaping @Sendable (V) -> JSON
    ) -> ConfigKey {
        row(
            name, path, type: "a list of \(kind)", schema: listSchema(schema), required: required,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in
                var values: [V] = []
                for item in try node.readList() { values.append(try read(item)) }
                return values
            },
            encode: { .array($0.map(encode)) })
    }

    // MARK: Weights

    /// A map from fixed names to weights of at least 0, not all 0. A name left out has weight 0.
    package static func weights(
        _ name: String, _ path: any KeyOf<C, [String: Double]>, names: [String], operational: Bool = false,
        help: String
    ) -> ConfigKey {
        row(
            name, path, type: weightsType(names), schema: weightsSchema(names), required: false,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in try readWeights(node, names) },
            encode: { values in encodeWeights(names) { values[$0] ?? 0 } })
    }

    /// Weights kept in a struct, one field a name: `.weights("mix", \.mix, fields: [("linked", \.linked), …])`.
    package static func weights<V>(
        _ name: String, _ path: any KeyOf<C, V>, fields: [(name: String, field: any KeyOf<V, Double>)],
        operational: Bool = false, help: String
    ) -> ConfigKey {
        let names = fields.map(\.name)
        return ConfigKey(
            info: KeyInfo(
                name: name, type: weightsType(names), schema: described(weightsSchema(names), help), help: help,
                operational: operational, required: false, children: []),
            decode: { node, config, context in
                do throws(ConfigProblem) {
                    let values = try readWeights(node, names)
                    for (name, field) in fields { config[keyPath: path][keyPath: field] = values[name] ?? 0 }
                } catch {
                    let current = encodeFields(config[keyPath: path], fields)
                    let problem = error.explained(type: weightsType(names), help: help, current: current)
                    context.report(problem, key: name, at: node.location)
                }
            },
            value: { config in encodeFields(config[keyPath: path], fields) },
            canonical: { config, defaults in
                let value = encodeFields(config[keyPath: path], fields)
                return value.canonical == encodeFields(defaults[keyPath: path], fields).canonical ? JSON?.none : value
            },
            mapFiles: { _, _ in })
    }

    private static func encodeFields<V>(_ value: V, _ fields: [(name: String, field: any KeyOf<V, Double>)]) -> JSON {
        .object(Dictionary(fields.map { ($0.name, .number(value[keyPath: $0.field])) }, uniquingKeysWith: { $1 }))
    }

    private static func encodeWeights(_ names: [String], _ value: (String) -> Double) -> JSON {
        .object(Dictionary(names.map { ($0, .number(value($0))) }, uniquingKeysWith: { $1 }))
    }

    private static func weightsType(_ names: [String]) -> String {
        "a map of weights for " + names.joined(separator: ", ") + " (left out: 0)"
    }

    private static func weightsSchema(_ names: [String]) -> JSON {
        let weight: JSON = ["type": "number", "minimum": 0]
        return [
            "type": "object", "additionalProperties": false,
            "properties": .object(Dictionary(names.map { ($0, weight) }, uniquingKeysWith: { $1 })),
        ]
    }

    private static func readWeights(_ node: Node, _ names: [String]) throws(ConfigProblem) -> [String: Double] {
        var values: [String: Double] = [:]
        for entry in try node.readEntries() {
            guard names.contains(entry.key) else {
                throw ConfigProblem(
                    "has no weight '\(entry.key)'", fix: suggestion(for: entry.key, among: names, kind: "names"),
                    at: entry.keyLocation)
            }
            values[entry.key] = try entry.value.readDouble(in: 0...1e9)
        }
        guard values.values.contains(where: { $0 > 0 }) else {
            throw ConfigProblem(
                "gives every name weight 0", fix: "give a weight above 0 to one of: \(names.joined(separator: ", "))")
        }
        return values
    }

    // MARK: Nested maps

    /// A map with keys of its own. Keys left out keep the defaults that `C()` gives them.
    package static func nested<V: StageConfig>(
        _ name: String, _ path: any KeyOf<C, V>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        let keys = V.keys
        return ConfigKey(
            info: KeyInfo(
                name: name, type: "a map", schema: described(schemaObject(keys.map(\.info)), help), help: help,
                operational: operational, required: required, children: keys.map(\.info)),
            decode: { node, config, context in
                context.path.append(name)
                decodeKeys(keys, from: node, into: &config[keyPath: path], &context)
                context.path.removeLast()
                reportProblems(of: config[keyPath: path], in: name, node, &context)
            },
            value: { valueObject(keys, $0[keyPath: path]) },
            canonical: { config, defaults in
                let object = canonicalObject(keys, config[keyPath: path], defaults: defaults[keyPath: path])
                return object == .object([:]) ? JSON?.none : object
            },
            mapFiles: { config, visit in
                for key in keys { try key.mapFiles(&config[keyPath: path]) { try visit("\(name).\($0)", $1) } }
            })
    }

    /// A list of maps with keys of their own; a key left out has the default that `V()` gives it.
    package static func nestedList<V: StageConfig>(
        _ name: String, _ path: any KeyOf<C, [V]>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        let keys = V.keys
        return ConfigKey(
            info: KeyInfo(
                name: name, type: "a list of maps", schema: described(listSchema(schemaObject(keys.map(\.info))), help),
                help: help, operational: operational, required: required, children: keys.map(\.info)),
            decode: { node, config, context in
                guard let items = node.isNull ? [] : node.sequence else {
                    let problem = node.mismatch("a list of maps", fix: "write \(name): [{…}, {…}]")
                    context.report(problem, key: name, at: node.location)
                    return
                }
                var values: [V] = []
                for (index, item) in items.enumerated() {
                    var value = V()
                    context.path.append("\(name)[\(index)]")
                    decodeKeys(keys, from: item, into: &value, &context)
                    context.path.removeLast()
                    reportProblems(of: value, in: "\(name)[\(index)]", item, &context)
                    values.append(value)
                }
                config[keyPath: path] = values
            },
            value: { .array($0[keyPath: path].map { valueObject(keys, $0) }) },
            canonical: { config, defaults in
                func encode(_ list: [V]) -> JSON { .array(list.map { canonicalObject(keys, $0, defaults: V()) }) }
                let list = encode(config[keyPath: path])
                return list.canonical == encode(defaults[keyPath: path]).canonical ? JSON?.none : list
            },
            mapFiles: { config, visit in
                for index in config[keyPath: path].indices {
                    for key in keys {
                        try key.mapFiles(&config[keyPath: path][index]) { try visit("\(name)[\(index)].\($0)", $1) }
                    }
                }
            })
    }

    static func listSchema(_ item: JSON) -> JSON { ["anyOf": [["type": "array", "items": item], item]] }
}

/// Cross-key checks of a config or of a map nested in it, placed at the key that they name.
func reportProblems(of config: some StageConfig, in name: String?, _ node: Node, _ context: inout DecodeContext) {
    for problem in config.problems() {
        let key = [name, problem.key].compactMap(\.self).joined(separator: ".")
        var place = node
        for step in problem.key?.split(separator: ".") ?? [] { place = place[String(step)] ?? place }
        context.report(problem, key: key.isEmpty ? nil : key, at: place.location)
    }
}
