// Reading safetensors files of whole models: a tensor is copied when it is asked for.

package import Container

/// A safetensors file in memory or mapped. The header is checked once; tensors are read from it on demand.
package struct TensorFile: Sendable {
    private enum Storage: Sendable { case mapped(MappedFile), bytes([UInt8]) }
    private let storage: Storage
    package let header: SafetensorsHeader
    /// For messages.
    package let place: String

    /// - Throws: `ModelError` if the file is no valid safetensors file.
    package init(_ file: MappedFile, place: String) throws {
        storage = .mapped(file)
        header = try Self.parse(file.bytes, place)
        self.place = place
    }

    package init(_ bytes: [UInt8], place: String) throws {
        storage = .bytes(bytes)
        header = try bytes.withUnsafeBytes { try Self.parse($0, place) }
        self.place = place
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, _ place: String) throws -> SafetensorsHeader {
        do {
            return try SafetensorsHeader(parsing: bytes, fileSize: bytes.count)
        } catch let error as ContainerError {
            throw ModelError(error.message, place: place, cause: error.cause, fix: error.fix)
        }
    }

    /// Runs `body` on the bytes of a tensor; nil if there is none of that name.
    private func withBytes<R>(_ name: String, _ body: (TensorInfo, UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
        guard let info = header.tensors[name] else { return nil }
        switch storage {
        case .mapped(let file): return try body(info, UnsafeRawBufferPointer(rebasing: file.bytes[info.range]))
        case .bytes(let bytes):
            return try bytes.withUnsafeBytes { try body(info, UnsafeRawBufferPointer(rebasing: $0[info.range])) }
        }
    }

    package func has(_ name: String) -> Bool { header.tensors[name] != nil }

    /// A tensor's values, row-major.
    /// - Throws: `ModelError` if it is missing or of another element type.
    package func values<T: ColumnElement>(_ name: String, as type: T.Type = T.self) throws -> [T] {
        let values = try withBytes(name) { info, bytes in
            guard info.dtype == T.dtype else {
                throw ModelError(
                    "tensor '\(name)' is \(info.dtype.rawValue), not \(T.dtype.rawValue)", place: place,
                    fix: T.dtype == .f32 ? "save the model in fp32: `model.float().save_pretrained(…)`" : nil)
            }
            return [T](unsafeUninitializedCapacity: info.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = info.count
            }
        }
        guard let values else {
            throw ModelError("there is no tensor '\(name)'", place: place)
        }
        return values
    }
}

extension TensorFile {
    /// A tensor's values as floats, row-major, whatever floating-point type they are stored in.
    /// - Throws: `ModelError` if it is missing or holds whole numbers.
    package func floats(_ name: String) throws -> [Float] {
        let values: [Float]?? = try withBytes(name) { info, bytes in
            switch info.dtype {
            case .f32: return nil
            case .f16: return bytes.integers(UInt16.self).map(halfToFloat)
            case .bf16: return bytes.integers(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
            case .f64: return bytes.integers(UInt64.self).map { Float(Double(bitPattern: $0)) }
            default:
                throw ModelError("tensor '\(name)' is \(info.dtype.rawValue), not floating point", place: place)
            }
        }
        if let values, let values { return values }
        return try self.values(name, as: Float.self)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func integers<T: FixedWidthInteger>(_ type: T.Type) -> [T] {
        stride(from: 0, to: count, by: MemoryLayout<T>.size).map {
            T(littleEndian: loadUnaligned(fromByteOffset: $0, as: T.self))
        }
    }
}
