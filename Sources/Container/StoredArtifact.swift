// An artifact in a blob store: its parts as columns, bytes or maps, and the sink through which stages write parts.

/// A manifest together with where its parts are.
package struct StoredArtifact: Sendable {
    package let manifest: Manifest
    package let blobs: any BlobStore

    package init(manifest: Manifest, blobs: any BlobStore) {
        self.manifest = manifest
        self.blobs = blobs
    }

    package func columns(_ part: Part) throws -> PartReader { try PartReader(part, blobs.reader(part.digest)) }

    /// The columns of the part at an index of the manifest.
    package func columns(_ index: Int) throws -> PartReader {
        guard manifest.parts.indices.contains(index) else {
            throw ContainerError(
                .notFound,
                "part \(index) of an artifact '\(manifest.type)' was asked for, it has \(manifest.parts.count)")
        }
        return try columns(manifest.parts[index])
    }

    /// The whole part, uncompressed, in memory.
    package func bytes(_ part: Part) throws -> [UInt8] { try blobs.bytes(of: part) }

    package func part(named name: String) -> Part? { manifest.parts.first { $0.name == name } }

    /// A columns part as a map of its expanded copy.
    package func mapped(_ part: Part) throws -> MappedPart { try MappedPart(part, blobs.expanded(part.digest)) }
}

extension BlobStore {
    /// The whole part, uncompressed, in memory.
    package func bytes(of part: Part) throws -> [UInt8] {
        let reader = try reader(part.digest)
        try reader.expect(part)
        return try reader.read(0..<reader.count)
    }
}

/// An expanded columns part, read in place.
///
/// Unchecked Sendable: all properties are constant, and the map is never written.
package final class MappedPart: @unchecked Sendable {
    package let part: Part
    package let header: SafetensorsHeader
    private let file: MappedFile

    package init(_ part: Part, _ file: MappedFile) throws {
        guard Int64(file.count) == part.bytes else {
            throw ContainerError(
                .damaged, "part '\(part.name)' has \(file.count) bytes, its manifest says \(part.bytes)",
                path: file.path,
                fix: ContainerError.damageFix)
        }
        self.part = part
        self.file = file
        do {
            header = try SafetensorsHeader(parsing: file.bytes, fileSize: file.count)
        } catch let error as ContainerError {
            throw error.at(file.path)
        }
    }

    package var rows: Int64 { part.rows }
    package var names: [String] { header.names }
    package func has(_ name: String) -> Bool { header.tensors[name] != nil }
    package func info(_ name: String) throws -> TensorInfo { try header.info(name, part) }

    /// A column, flattened row-major, without a copy: valid while this object lives. A local object may end right
    /// after its last mention: keep it in a property of what uses the column, or use `withColumn`.
    /// - Throws: `.notFound`; `.format` for another type; `.unsupported` if a foreign file placed it unaligned.
    package func column<T: ColumnElement>(_ name: String, as: T.Type = T.self) throws -> UnsafeBufferPointer<T> {
        let info = try header.info(name, part, T.dtype)
        guard info.range.lowerBound % MemoryLayout<T>.alignment == 0 else {
            throw ContainerError(
                .unsupported, "column '\(name)' begins at byte \(info.range.lowerBound), which is not aligned",
                path: file.path, fix: "read it as a column instead of a map")
        }
        return UnsafeRawBufferPointer(rebasing: file.bytes[info.range]).bindMemory(to: T.self)
    }

    /// Lends a column; the map lives at least until `body` returns.
    package func withColumn<T: ColumnElement, R>(
        _ name: String, as: T.Type = T.self, _ body: (UnsafeBufferPointer<T>) throws -> R
    ) throws -> R {
        try withExtendedLifetime(self) { try body(column(name)) }
    }
}

/// Where a stage leaves parts. Parts are stored at once; what no manifest names later is garbage for the store.
package final class PartSink: Sendable {
    private let blobs: any BlobStore

    package init(blobs: any BlobStore) { self.blobs = blobs }

    /// Stores a table as one safetensors file.
    /// - Throws: `.invalidArgument` for an unsafe name; `.noSpace`, `.io`.
    package func columns(
        _ name: String, rows: Int, _ table: ColumnTable, compression: Compression = .balanced
    ) throws -> Part {
        try file(name, rows: rows) { writer in
            writer.use(compression)
            try table.write { try writer.write($0) }
        }
    }

    package func file(_ name: String, _ bytes: [UInt8]) throws -> Part {
        try file(name) { try $0.write(bytes) }
    }

    /// Stores bytes that come in pieces.
    package func file(_ name: String, rows: Int = 0, _ write: (BlobWriter) throws -> Void) throws -> Part {
        try Part.checkName(name)
        precondition(rows >= 0, "a part has no negative number of rows")
        let (digest, bytes) = try blobs.put(write)
        return Part(name: name, digest: digest, bytes: bytes, rows: Int64(rows))
    }

    /// Reads back a columns part, such as one that a piece wrote for `finish`.
    package func read(_ part: Part) throws -> PartReader { try PartReader(part, blobs.reader(part.digest)) }

    /// Reads back a whole part.
    package func bytes(of part: Part) throws -> [UInt8] { try blobs.bytes(of: part) }
}
