// What the store keeps under a key: the outcome of a gather, of a piece, of a whole stage.
// A record holds the components of its key, so that later plans can say which of them changed.

package import Container
package import Pipeline

/// What makes a value storable as `results/<ab>/<key>.json`.
package protocol StoredRecord: Sendable {
    /// Written into the record, so that one kind is never read as another.
    static var kind: String { get }
    var fields: [String: JSON] { get }
    init(_ fields: RecordFields) throws
}

/// The version of all records. Records of another version are recomputed.
let recordFormat: Int64 = 1

/// The pieces that `gather` cut a stage into; projections are blobs.
package struct GatherRecord: StoredRecord, Equatable {
    package static let kind = "gather"
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var parts: [PortPart]
        package var files: [Int]
        /// Digest of the projection's bytes; nil for an empty one.
        package var projection: Digest?
        package var projectionBytes: Int64
    }

    package var entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    package var fields: [String: JSON] { ["pieces": .array(entries.map(\.record))] }

    package init(_ fields: RecordFields) throws { entries = try fields.array("pieces").map(Entry.init(record:)) }
}

extension GatherRecord.Entry {
    var record: JSON {
        .object([
            "name": .string(name),
            "parts": .array(
                parts.map {
                    .object(["port": .string($0.port), "artifact": .int(Int64($0.artifact)), "part": $0.part.record])
                }),
            "files": .array(files.map { .int(Int64($0)) }),
            "projection": projection.map { .string($0.hex) } ?? .null, "projection_bytes": .int(projectionBytes),
        ])
    }

    init(record: JSON) throws {
        let fields = try RecordFields(record)
        name = try fields.string("name")
        parts = try fields.array("parts").map { part in
            let fields = try RecordFields(part)
            return PortPart(
                port: try fields.string("port"), artifact: Int(try fields.int("artifact")),
                part: try Part(record: try fields.json("part")))
        }
        files = try fields.array("files").map { file in
            guard let index = file.int, index >= 0 else {
                throw RecordError("'files' holds something else than indices")
            }
            return Int(index)
        }
        projection = fields.optional("projection") == nil ? nil : try fields.digest("projection")
        projectionBytes = try fields.int("projection_bytes")
    }
}

/// One finished piece.
package struct PieceRecord: StoredRecord, Equatable {
    package static let kind = "piece"
    package var result: PieceResult
    package var components: JSON
    package var seconds: Double
    package var numerics: JSON?
    /// The run that made it.
    package var run: String

    package init(result: PieceResult, components: JSON, seconds: Double, numerics: JSON?, run: String) {
        self.result = result
        self.components = components
        self.seconds = seconds
        self.numerics = numerics
        self.run = run
    }

    package var fields: [String: JSON] {
        [
            "parts": .array(result.parts.map(\.record)), "counts": JSON(counts: result.counts),
            "summary": result.summary, "rejections": result.rejections.record, "components": components,
            "seconds": .number(seconds), "numerics": numerics ?? .null, "run": .string(run),
        ]
    }

    package init(_ fields: RecordFields) throws {
        result = PieceResult(
            parts: try fields.array("parts").map(Part.init(record:)), counts: try fields.counts("counts"),
            summary: try fields.json("summary"), rejections: try Rejections(record: try fields.json("rejections")))
        components = try fields.json("components")
        seconds = try fields.double("seconds")
        numerics = fields.optional("numerics")
        run = try fields.string("run")
    }
}

/// One finished stage: the digest of its output and what the table of stages shows.
package struct StageRecord: StoredRecord, Equatable {
    package static let kind = "stage"
    package var output: Digest
    package var components: JSON
    package var counts: [String: Int64]
    package var rejections: Rejections
    /// Why it ran when it was made.
    package var reasons: JSON
    package var pieces: Int
    package var seconds: Double
    package var numerics: JSON?
    package var run: String

    package init(
        output: Digest, components: JSON, counts: [String: Int64], rejections: Rejections, reasons: JSON, pieces: Int,
        seconds: Double, numerics: JSON?, run: String
    ) {
        self.output = output
        self.components = components
        self.counts = counts
        self.rejections = rejections
        self.reasons = reasons
        self.pieces = pieces
        self.seconds = seconds
        self.numerics = numerics
        self.run = run
    }

    package var fields: [String: JSON] {
        [
            "output": .string(output.hex), "components": components, "counts": JSON(counts: counts),
            "rejections": rejections.record, "reasons": reasons, "pieces": .int(Int64(pieces)),
            "seconds": .number(seconds), "numerics": numerics ?? .null, "run": .string(run),
        ]
    }

    package init(_ fields: RecordFields) throws {
        output = try fields.digest("output")
        components = try fields.json("components")
        counts = try fields.counts("counts")
        rejections = try Rejections(record: try fields.json("rejections"))
        reasons = try fields.json("reasons")
        pieces = Int(try fields.int("pieces"))
        seconds = try fields.double("seconds")
        numerics = fields.optional("numerics")
        run = try fields.string("run")
    }
}
