// Columns in memory: element types, strings as bytes and offsets, and the table that becomes one safetensors file.

#if _endian(big)
    #error("stored columns are little-endian and read in place")
#endif

/// The element types of safetensors that this package reads or at least recognises.
package enum DType: String, Sendable, CaseIterable {
    case bool = "BOOL", u8 = "U8", i8 = "I8"
    case u16 = "U16", i16 = "I16", f16 = "F16", bf16 = "BF16"
    case u32 = "U32", i32 = "I32", f32 = "F32"
    case u64 = "U64", i64 = "I64", f64 = "F64"

    /// Bytes per element.
    package var size: Int {
        switch self {
        case .bool, .u8, .i8: 1
        case .u16, .i16, .f16, .bf16: 2
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        }
    }
}

/// A fixed-width little-endian element of a column.
package protocol ColumnElement: BitwiseCopyable, Sendable {
    static var dtype: DType { get }
}

extension UInt8: ColumnElement { package static var dtype: DType { .u8 } }
extension UInt16: ColumnElement { package static var dtype: DType { .u16 } }
extension UInt32: ColumnElement { package static var dtype: DType { .u32 } }
extension UInt64: ColumnElement { package static var dtype: DType { .u64 } }
extension Int32: ColumnElement { package static var dtype: DType { .i32 } }
extension Int64: ColumnElement { package static var dtype: DType { .i64 } }
extension Float: ColumnElement { package static var dtype: DType { .f32 } }
extension Double: ColumnElement { package static var dtype: DType { .f64 } }

/// Many byte strings in two flat arrays. String `i` is `bytes[offsets[i]..<offsets[i + 1]]`.
package struct StringColumn: Sendable, Equatable {
    package var bytes: [UInt8] = []
    /// One more than there are strings; begins with 0, never falls, ends with `bytes.count`.
    package var offsets: [Int64] = [0]

    package init() {}
    package init(_ strings: some Sequence<String>) {
        for s in strings { append(s) }
    }

    package var count: Int { offsets.count - 1 }

    package mutating func append(_ s: String) {
        bytes.append(contentsOf: s.utf8)
        offsets.append(Int64(bytes.count))
    }
    package mutating func append(utf8: some Collection<UInt8>) {
        bytes.append(contentsOf: utf8)
        offsets.append(Int64(bytes.count))
    }

    /// Invalid UTF-8 comes back repaired with U+FFFD; the bytes themselves are in `bytes`.
    package func string(_ i: Int) -> String { withBytes(i) { String(decoding: $0, as: UTF8.self) } }
    package func range(_ i: Int) -> Range<Int> { Int(offsets[i])..<Int(offsets[i + 1]) }

    package func withBytes<R>(_ i: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        let range = range(i)
        return try bytes.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[range])) }
    }
}

/// The content of one columns part, in memory, on its way out. Copying shares the arrays.
package struct ColumnTable: Sendable {
    private var columns: [String: any AnyColumn] = [:]
    /// The `__metadata__` of the file; only for files that other tools read (`{"format": "pt"}`).
    package var metadata: [String: String] = [:]

    package init() {}

    /// Adds or replaces a column.
    /// - Precondition: the product of `shape` (default: one axis) is the number of values.
    package mutating func set<T: ColumnElement>(_ name: String, _ values: [T], shape: [Int]? = nil) {
        let shape = shape ?? [values.count]
        precondition(!name.isEmpty && name != "__metadata__", "'\(name)' is no column name")
        precondition(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
            "column '\(name)' has \(values.count) values, its shape is \(shape)")
        columns[name] = Column(values: values, shape: shape)
    }

    /// Adds or replaces the two columns `<name>.bytes` and `<name>.offsets`.
    package mutating func set(_ name: String, _ strings: StringColumn) {
        set(name + ".bytes", strings.bytes)
        set(name + ".offsets", strings.offsets)
    }

    /// Column names in the order of the file: wide elements first, then by the bytes of the name, so that every
    /// tensor stands at a multiple of its element size.
    private var layout: [(name: String, column: any AnyColumn)] {
        columns.map { (name: $0.key, column: $0.value) }.sorted { a, b in
            let (x, y) = (a.column.dtype.size, b.column.dtype.size)
            return x != y ? x > y : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
    }

    /// 8 bytes of little-endian header length, then the header: JSON padded with spaces to a multiple of 8.
    private func header(_ layout: [(name: String, column: any AnyColumn)]) -> [UInt8] {
        var json: [UInt8] = [UInt8](repeating: 0, count: 8)
        var separator = "{"
        if !metadata.isEmpty {
            json.append(contentsOf: "{\"__metadata__\":".utf8)
            json.append(contentsOf: JSON.object(metadata.mapValues { .string($0) }).canonical)
            separator = ","
        }
        var begin = 0
        for (name, column) in layout {
            let end = begin + column.byteCount
            json.append(contentsOf: separator.utf8)
            json.append(contentsOf: JSON.quote(name))
            let shape = column.shape.map(String.init).joined(separator: ",")
            json.append(
                contentsOf:
                    ":{\"dtype\":\"\(column.dtype.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}"
                    .utf8)
            separator = ","
            begin = end
        }
        json.append(contentsOf: (separator == "{" ? "{}" : "}").utf8)
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        let length = UInt64(json.count - 8)
        for i in 0..<8 { json[i] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(i))) }
        return json
    }

    /// The safetensors file, in a few large pieces. The same columns give the same bytes.
    package func write(_ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let layout = layout
        try header(layout).withUnsafeBytes(sink)
        for (_, column) in layout { try column.withBytes(sink) }
    }

    /// What `write` will give in all.
    package var byteCount: Int {
        let layout = layout
        return layout.reduce(header(layout).count) { $0 + $1.column.byteCount }
    }
}

/// A column whose element type only matters as bytes.
private protocol AnyColumn: Sendable {
    var dtype: DType { get }
    var shape: [Int] { get }
    var byteCount: Int { get }
    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

private struct Column<T: ColumnElement>: AnyColumn {
    let values: [T]
    let shape: [Int]
    var dtype: DType { T.dtype }
    var byteCount: Int { values.count * T.dtype.size }
    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try values.withUnsafeBytes(body) }
}
