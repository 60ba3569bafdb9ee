// Writing safetensors files of whole models, without a copy of the model in between.

import Container
package import Kernels

/// A tensor on its way into a safetensors file.
package struct TensorToWrite {
    package let name: String
    package let shape: [Int]
    let content: Content

    enum Content {
        case floats(FloatView)
        case bytes([UInt8])
    }

    package init(_ name: String, shape: [Int], _ values: FloatView) {
        precondition(shape.reduce(1, *) == values.count, "\(name): shape \(shape) of \(values.count) floats")
        self.name = name
        self.shape = shape
        content = .floats(values)
    }

    package init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        shape = [bytes.count]
        content = .bytes(bytes)
    }
}

extension TensorFile {
    /// Writes a safetensors file: fp32 tensors by name, then byte tensors by name, so that all are aligned.
    package static func write(
        _ tensors: [TensorToWrite], metadata: [String: String], to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let ordered = tensors.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }
        var header: [String: JSON] = ["__metadata__": .object(metadata.mapValues { .string($0) })]
        var offset = 0
        for tensor in ordered {
            let end = offset + tensor.byteCount
            header[tensor.name] = [
                "dtype": .string(tensor.rank == 0 ? "F32" : "U8"), "shape": JSON(tensor.shape),
                "data_offsets": JSON([offset, end]),
            ]
            offset = end
        }
        var json = JSON.object(header).canonical
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try sink($0) }
        try json.withUnsafeBytes(sink)
        for tensor in ordered {
            switch tensor.content {
            case .floats(let view): try view.withBytes { try sink($0) }
            case .bytes(let bytes): try bytes.withUnsafeBytes { try sink($0) }
            }
        }
    }
}

extension TensorToWrite {
    fileprivate var rank: Int { if case .floats = content { 0 } else { 1 } }
    fileprivate var byteCount: Int {
        switch content {
        case .floats(let view): view.count * 4
        case .bytes(let bytes): bytes.count
        }
    }
}
