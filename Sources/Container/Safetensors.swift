// The header of a safetensors file, checked so thoroughly that reading a tensor afterwards needs no checks.

/// One tensor of a safetensors file.
package struct TensorInfo: Sendable, Equatable {
    package let name: String
    package let dtype: DType
    package let shape: [Int]
    /// Where its bytes stand, counted from the beginning of the file.
    package let range: Range<Int>

    /// Number of elements.
    package var count: Int { range.count / dtype.size }
}

/// A safetensors file is: 8 bytes, little-endian, the header's length n; n bytes of JSON, an object of
/// name → `{"dtype", "shape", "data_offsets": [begin, end]}` and perhaps `__metadata__` (string → string), padded
/// with spaces; then the tensors' bytes, little-endian and row-major, to which `data_offsets` are relative.
package struct SafetensorsHeader: Sendable {
    /// As in the reference implementation: a header of 100 MB is an attack, not a model.
    package static let lengthLimit = 100_000_000

    package let tensors: [String: TensorInfo]
    package let metadata: [String: String]
    /// Bytes before the first tensor, the 8 of the length included.
    package let headerBytes: Int

    /// Bytes before the first tensor, from the first 8 bytes of a file.
    package static func headerBytes(_ prefix: UnsafeRawBufferPointer, fileSize: Int) throws -> Int {
        guard fileSize >= 8, prefix.count >= 8 else {
            throw malformed("the file has \(fileSize) bytes, less than the 8 of the header's length")
        }
        let length = UInt64(littleEndian: prefix.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(fileSize - 8) else {
            throw malformed("the header claims \(length) bytes, the file has \(fileSize - 8) after the length")
        }
        guard length <= UInt64(lengthLimit) else {
            throw malformed("the header claims \(length) bytes, more than \(lengthLimit)")
        }
        return 8 + Int(length)
    }

    /// - Parameters: `prefix`: the beginning of the file, at least the whole header. `fileSize`: of the whole file.
    /// - Throws: `.format` saying which tensor breaks which rule: header within the file; sizes are shape times
    ///   element size; tensors fill the rest of the file with neither overlap nor hole; names stand once.
    ///   `.unsupported` for an unknown element type.
    package init(parsing prefix: UnsafeRawBufferPointer, fileSize: Int) throws {
        let headerBytes = try Self.headerBytes(prefix, fileSize: fileSize)
        guard prefix.count >= headerBytes else {
            throw ContainerError(
                .invalidArgument, "the header has \(headerBytes) bytes, only \(prefix.count) were given")
        }
        let json: JSON
        do {
            json = try JSON(parsing: Array(prefix[8..<headerBytes]))
        } catch let error as ContainerError {
            throw Self.malformed("its header is " + error.message)
        }
        guard case .object(let members) = json else {
            throw Self.malformed("its header is \(json.kind), not an object")
        }

        var tensors: [String: TensorInfo] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in members {
            if name == "__metadata__" {
                guard case .object(let pairs) = value else {
                    throw Self.malformed("__metadata__ is \(value.kind), not an object")
                }
                for (key, value) in pairs {
                    guard case .string(let text) = value else {
                        throw Self.malformed("__metadata__ '\(key)' is \(value.kind), not a string")
                    }
                    metadata[key] = text
                }
            } else {
                tensors[name] = try Self.tensor(name, value, base: headerBytes, end: fileSize)
            }
        }

        // Sorted by place, tensors must follow each other without overlap or hole up to the end of the file.
        var next = headerBytes
        let sorted = tensors.values.sorted {
            let (a, b) = ($0.range, $1.range)
            if a.lowerBound != b.lowerBound { return a.lowerBound < b.lowerBound }
            return a.upperBound != b.upperBound ? a.upperBound < b.upperBound : $0.name < $1.name
        }
        for tensor in sorted {
            guard tensor.range.lowerBound == next else {
                let what = tensor.range.lowerBound < next ? "overlaps the tensor before it" : "follows a hole"
                throw Self.malformed(
                    "tensor '\(tensor.name)' \(what): it begins at byte \(tensor.range.lowerBound) of the file, not at \(next)"
                )
            }
            next = tensor.range.upperBound
        }
        guard next == fileSize else {
            throw Self.malformed("\(fileSize - next) bytes after the last tensor belong to none")
        }
        self.tensors = tensors
        self.metadata = metadata
        self.headerBytes = headerBytes
    }

    /// Tensor names sorted by their bytes.
    package var names: [String] { tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    private static func tensor(_ name: String, _ value: JSON, base: Int, end: Int) throws -> TensorInfo {
        guard let typeName = value["dtype"]?.string else { throw malformed("tensor '\(name)' has no dtype") }
        guard let dtype = DType(rawValue: typeName) else {
            throw ContainerError(
                .unsupported, "tensor '\(name)' has the element type '\(typeName)'",
                fix: "known types: " + DType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        func numbers(_ key: String) throws -> [Int] {
            guard let list = value[key]?.array else { throw malformed("tensor '\(name)' has no list '\(key)'") }
            return try list.map {
                guard let n = $0.int, n >= 0 else {
                    throw malformed("'\(key)' of tensor '\(name)' holds something that is no size of 63 bits")
                }
                return Int(n)
            }
        }
        let shape = try numbers("shape")
        let offsets = try numbers("data_offsets")
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= end - base else {
            throw malformed("tensor '\(name)' lies at \(offsets) of \(end - base) bytes of data")
        }
        var size = dtype.size
        for axis in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: axis)
            guard !overflow else { throw malformed("tensor '\(name)' of shape \(shape) is larger than any file") }
            size = product
        }
        guard size == offsets[1] - offsets[0] else {
            throw malformed(
                "tensor '\(name)' of shape \(shape) and type \(typeName) needs \(size) bytes, has \(offsets[1] - offsets[0])"
            )
        }
        return TensorInfo(name: name, dtype: dtype, shape: shape, range: base + offsets[0]..<base + offsets[1])
    }

    private static func malformed(_ what: String) -> ContainerError {
        ContainerError(.format, "not a valid safetensors file: " + what)
    }
}
