// One stored columns part: typed columns, each decoded straight into the array that is returned.

/// Reads columns of one stored part, decoding only the frames that hold them.
///
/// Holds an open file and up to 8 MiB while it lives: work through many parts one after another, opening each when its
/// turn comes. A range read in ascending order decodes each frame once.
///
/// Unchecked Sendable: all properties are constant, and the frame reader is safe to share.
package final class PartReader: @unchecked Sendable {
    package let part: Part
    package let header: SafetensorsHeader
    private let frames: FrameReader

    /// - Throws: `.damaged` if the blob is not of the part's size; `.format` if it is no safetensors file.
    package init(_ part: Part, _ frames: FrameReader) throws {
        self.part = part
        self.frames = frames
        try frames.expect(part)
        do {
            let first = try frames.read(0..<min(8, frames.count))
            let length = try first.withUnsafeBytes { try SafetensorsHeader.headerBytes($0, fileSize: frames.count) }
            let prefix = try frames.read(0..<length)
            header = try prefix.withUnsafeBytes { try SafetensorsHeader(parsing: $0, fileSize: frames.count) }
        } catch let error as ContainerError {
            throw error.at("part '\(part.name)' (\(frames.path))")
        }
    }

    package var rows: Int64 { part.rows }
    /// Column names sorted by their bytes.
    package var names: [String] { header.names }
    package func has(_ name: String) -> Bool { header.tensors[name] != nil }

    /// - Throws: `.notFound` naming part and column.
    package func info(_ name: String) throws -> TensorInfo { try header.info(name, part) }

    /// A whole column, flattened row-major.
    /// - Throws: `.notFound`; `.format` if the column has another type; `.damaged`.
    package func column<T: ColumnElement>(_ name: String, as: T.Type = T.self) throws -> [T] {
        let info = try header.info(name, part, T.dtype)
        return try read(info, 0..<info.count)
    }

    /// The elements of a range, counted in elements.
    package func column<T: ColumnElement>(_ name: String, as: T.Type = T.self, range: Range<Int>) throws -> [T] {
        let info = try header.info(name, part, T.dtype)
        guard range.lowerBound >= 0, range.upperBound <= info.count else {
            throw ContainerError(
                .invalidArgument,
                "elements \(range.lowerBound) to \(range.upperBound) of column '\(name)' were asked for, it has \(info.count)",
                path: "part '\(part.name)'")
        }
        return try read(info, range)
    }

    /// A column of ids, stored in 16 or 32 bits as the vocabulary needs.
    package func ids(_ name: String) throws -> [UInt32] {
        if try info(name).dtype == .u16 { return try column(name, as: UInt16.self).map(UInt32.init) }
        return try column(name, as: UInt32.self)
    }

    /// A range of such a column.
    package func ids(_ name: String, range: Range<Int>) throws -> [UInt32] {
        if try info(name).dtype == .u16 { return try column(name, as: UInt16.self, range: range).map(UInt32.init) }
        return try column(name, as: UInt32.self, range: range)
    }

    /// A string column from `<name>.bytes` and `<name>.offsets`.
    /// - Throws: `.format` unless offsets begin with 0, never fall, and end with the number of bytes.
    package func strings(_ name: String) throws -> StringColumn {
        var strings = StringColumn()
        strings.offsets = try column(name + ".offsets", as: Int64.self)
        strings.bytes = try column(name + ".bytes", as: UInt8.self)
        guard strings.offsets.first == 0, strings.offsets.last == Int64(strings.bytes.count),
            zip(strings.offsets, strings.offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw ContainerError(
                .format, "the offsets of the strings '\(name)' do not divide their bytes", path: "part '\(part.name)'")
        }
        return strings
    }

    private func read<T: ColumnElement>(_ info: TensorInfo, _ range: Range<Int>) throws -> [T] {
        try [T](unsafeUninitializedCapacity: range.count) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count * T.dtype.size)
            try frames.read(into: target, at: info.range.lowerBound + range.lowerBound * T.dtype.size)
            count = range.count
        }
    }
}

extension FrameReader {
    /// - Throws: `.damaged` if the blob has not the size that the manifest gives the part.
    func expect(_ part: Part) throws {
        guard Int64(count) == part.bytes else {
            throw ContainerError(
                .damaged, "part '\(part.name)' has \(count) bytes, its manifest says \(part.bytes)", path: path,
                cause: "the file lost or gained whole frames, or the manifest is of another part",
                fix: ContainerError.damageFix)
        }
    }
}

extension SafetensorsHeader {
    /// The tensor of that name and, if given, of that type.
    func info(_ name: String, _ part: Part, _ dtype: DType? = nil) throws -> TensorInfo {
        guard let info = tensors[name] else {
            throw ContainerError(
                .notFound, "there is no column '\(name)'", path: "part '\(part.name)'",
                cause: "it has: " + names.joined(separator: ", "))
        }
        if let dtype, info.dtype != dtype {
            throw ContainerError(
                .format, "column '\(name)' is \(info.dtype.rawValue), read as \(dtype.rawValue)",
                path: "part '\(part.name)'")
        }
        return info
    }
}
