// Reading our own JSON records: every field checked, so a damaged record is noticed and costs a recomputation.

package import Container
import Pipeline

/// A record does not have the form it should have; the store treats it as missing and warns.
package struct RecordError: Error, CustomStringConvertible, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Typed access to the members of one JSON object.
package struct RecordFields {
    private let members: [String: JSON]

    package init(_ json: JSON) throws(RecordError) {
        guard let members = json.object else { throw RecordError("an object is missing") }
        self.members = members
    }

    package func json(_ name: String) throws(RecordError) -> JSON {
        guard let value = members[name] else { throw RecordError("'\(name)' is missing") }
        return value
    }

    package func optional(_ name: String) -> JSON? {
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    package func string(_ name: String) throws(RecordError) -> String {
        guard let value = try json(name).string else { throw RecordError("'\(name)' is not a string") }
        return value
    }

    package func int(_ name: String) throws(RecordError) -> Int64 {
        guard let value = try json(name).int else { throw RecordError("'\(name)' is not a whole number") }
        return value
    }

    package func double(_ name: String) throws(RecordError) -> Double {
        guard let value = try json(name).double else { throw RecordError("'\(name)' is not a number") }
        return value
    }

    package func array(_ name: String) throws(RecordError) -> [JSON] {
        guard let value = try json(name).array else { throw RecordError("'\(name)' is not a list") }
        return value
    }

    package func digest(_ name: String) throws(RecordError) -> Digest {
        guard let value = Digest(hex: try string(name)) else { throw RecordError("'\(name)' is not a digest") }
        return value
    }

    package func counts(_ name: String) throws(RecordError) -> [String: Int64] {
        guard let object = try json(name).object else { throw RecordError("'\(name)' is not an object") }
        var counts: [String: Int64] = [:]
        for (key, value) in object {
            guard let count = value.int else { throw RecordError("'\(name).\(key)' is not a whole number") }
            counts[key] = count
        }
        return counts
    }
}

extension JSON {
    /// With null for numbers that have no JSON text: a loss that is not a number must not lose the line it stands in.
    package var finite: JSON {
        switch self {
        case .number(let value): value.isFinite ? self : .null
        case .array(let values): .array(values.map(\.finite))
        case .object(let members): .object(members.mapValues(\.finite))
        default: self
        }
    }

    init(counts: [String: Int64]) { self = .object(counts.mapValues { .int($0) }) }
}

extension Part {
    var record: JSON {
        .object([
            "name": .string(name), "digest": .string(digest.hex), "bytes": .int(bytes), "rows": .int(rows),
        ])
    }

    init(record: JSON) throws {
        let fields = try RecordFields(record)
        self.init(
            name: try fields.string("name"), digest: try fields.digest("digest"), bytes: try fields.int("bytes"),
            rows: try fields.int("rows"))
    }
}

extension Rejections {
    var record: JSON {
        .object([
            "counts": JSON(counts: counts), "total": .int(total),
            "samples": .array(samples.map { .object(["reason": .string($0.reason), "place": .string($0.place)]) }),
        ])
    }

    init(record: JSON) throws {
        let fields = try RecordFields(record)
        let samples = try fields.array("samples").map { sample in
            let fields = try RecordFields(sample)
            return Sample(reason: try fields.string("reason"), place: try fields.string("place"))
        }
        self.init(counts: try fields.counts("counts"), samples: samples, total: try fields.int("total"))
    }
}
