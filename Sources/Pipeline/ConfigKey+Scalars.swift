// Factories for keys that hold one scalar: numbers, Booleans, strings, choices, each also as an optional.

package import Container

extension ConfigKey {
    package static func int(
        _ name: String, _ path: any KeyOf<C, Int>, in range: ClosedRange<Int> = Int.min...Int.max,
        required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: Node.describe(range), schema: integerSchema(range), required: required,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in try node.readInt(in: range) }, encode: { .int(Int64($0)) })
    }

    package static func number(
        _ name: String, _ path: any KeyOf<C, Double>, in range: ClosedRange<Double> = anyNumber,
        required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: Node.describe(range), schema: numberSchema(range), required: required,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in try node.readDouble(in: range) }, encode: { .number($0) })
    }

    package static func bool(
        _ name: String, _ path: any KeyOf<C, Bool>, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "true or false", schema: ["type": "boolean"], required: false, operational: operational,
            help: help, read: { (node) throws(ConfigProblem) in try node.readBool() }, encode: { .bool($0) })
    }

    package static func string(
        _ name: String, _ path: any KeyOf<C, String>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "a string", schema: ["type": "string"], required: required, operational: operational,
            help: help, read: { (node) throws(ConfigProblem) in try node.readString() }, encode: { .string($0) })
    }

    package static func choice<V: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: any KeyOf<C, V>, required: Bool = false, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "one of " + V.allCases.map(\.rawValue).joined(separator: ", "),
            schema: choiceSchema(V.self), required: required, operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in try node.readChoice(V.self) }, encode: { .string($0.rawValue) })
    }

    // MARK: Optionals: absent or null is nil

    package static func optionalInt(
        _ name: String, _ path: any KeyOf<C, Int?>, in range: ClosedRange<Int> = Int.min...Int.max,
        operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: Node.describe(range) + ", or null", schema: orNull(integerSchema(range)),
            required: false, operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in node.isNull ? nil : try node.readInt(in: range) },
            encode: { $0.map { .int(Int64($0)) } ?? .null })
    }

    package static func optionalNumber(
        _ name: String, _ path: any KeyOf<C, Double?>, in range: ClosedRange<Double> = anyNumber,
        operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: Node.describe(range) + ", or null", schema: orNull(numberSchema(range)),
            required: false, operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in node.isNull ? nil : try node.readDouble(in: range) },
            encode: { $0.map { .number($0) } ?? .null })
    }

    package static func optionalBool(
        _ name: String, _ path: any KeyOf<C, Bool?>, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "true, false or null", schema: orNull(["type": "boolean"]), required: false,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in node.isNull ? nil : try node.readBool() },
            encode: { $0.map { .bool($0) } ?? .null })
    }

    package static func optionalString(
        _ name: String, _ path: any KeyOf<C, String?>, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "a string, or null", schema: orNull(["type": "string"]), required: false,
            operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in node.isNull ? nil : try node.readString() },
            encode: { $0.map { .string($0) } ?? .null })
    }

    package static func optionalChoice<V: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: any KeyOf<C, V?>, operational: Bool = false, help: String
    ) -> ConfigKey {
        row(
            name, path, type: "one of " + V.allCases.map(\.rawValue).joined(separator: ", ") + ", or null",
            schema: orNull(choiceSchema(V.self)), required: false, operational: operational, help: help,
            read: { (node) throws(ConfigProblem) in node.isNull ? nil : try node.readChoice(V.self) },
            encode: { $0.map { .string($0.rawValue) } ?? .null })
    }

    /// A value of the author's own form, such as `90%` or a map that `nested` cannot say. `decode(Node(json: encode(v)))`
    /// must give `v`; `type` is told to people; a problem's `message` follows the name of the key.
    package static func custom<V>(
        _ name: String, _ path: any KeyOf<C, V>, type: String, schema: JSON, required: Bool = false,
        operational: Bool = false, help: String, decode: @escaping @Sendable (Node) throws(ConfigProblem) -> V,
        encode: @escaping @Sendable (V) -> JSON
    ) -> ConfigKey {
        row(
            name, path, type: type, schema: schema, required: required, operational: operational, help: help,
            read: decode, encode: encode)
    }

    // MARK: Schemas

    package static var anyNumber: ClosedRange<Double> {
        -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    }

    static func integerSchema(_ range: ClosedRange<Int>) -> JSON {
        var schema: [String: JSON] = ["type": "integer"]
        if range.lowerBound != Int.min { schema["minimum"] = .int(Int64(range.lowerBound)) }
        if range.upperBound != Int.max { schema["maximum"] = .int(Int64(range.upperBound)) }
        return .object(schema)
    }

    static func numberSchema(_ range: ClosedRange<Double>) -> JSON {
        var schema: [String: JSON] = ["type": "number"]
        if range.lowerBound > anyNumber.lowerBound { schema["minimum"] = .number(range.lowerBound) }
        if range.upperBound < anyNumber.upperBound { schema["maximum"] = .number(range.upperBound) }
        return .object(schema)
    }

    static func choiceSchema<V: RawRepresentable<String> & CaseIterable>(_ type: V.Type) -> JSON {
        ["type": "string", "enum": .array(V.allCases.map { .string($0.rawValue) })]
    }

    static func orNull(_ schema: JSON) -> JSON { ["anyOf": [schema, ["type": "null"]]] }
}
