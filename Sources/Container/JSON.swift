// JSON values: what manifests, configs, metadata and safetensors headers are made of.

/// A JSON value (RFC 8259). Integers that fit 64 bits stay integers.
///
/// Keys are Swift strings, so two keys that are canonically equivalent in Unicode are one key: parsing refuses such
/// an object rather than losing a member. Data with arbitrary keys (vocabularies) belongs into string columns, or is
/// written with `JSON.quote`.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    /// Always finite when parsed. A non-finite number has no JSON text; see `encoded()`.
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}

extension JSON {
    package init(_ value: Int) { self = .int(Int64(value)) }
    package init(_ value: String) { self = .string(value) }
    package init(_ values: [Int]) { self = .array(values.map { .int(Int64($0)) }) }
    package init(_ values: [String]) { self = .array(values.map { .string($0) }) }
    package init(_ values: [String: Int64]) { self = .object(values.mapValues { .int($0) }) }

    /// A member of an object; nil if absent or if this is no object. Setting nil removes the member.
    /// - Precondition: only an object is set into.
    package subscript(_ key: String) -> JSON? {
        get {
            if case .object(let members) = self { members[key] } else { nil }
        }
        set {
            guard case .object(var members) = self else {
                preconditionFailure("'\(key)' set in a JSON value that is no object")
            }
            self = .null
            members[key] = newValue
            self = .object(members)
        }
    }

    package var isNull: Bool { self == .null }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var int: Int64? { if case .int(let value) = self { value } else { nil } }
    /// The value of a number of either kind.
    package var double: Double? {
        switch self {
        case .number(let value): value
        case .int(let value): Double(value)
        default: nil
        }
    }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }

    /// What a message calls this kind of value.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .int: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, _ in preconditionFailure("a key stands twice") }))
    }
}
