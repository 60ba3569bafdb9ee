// `pytorch_model.bin`: the weights that torch.save wrote, in its zip form or the older one, read without running them.

package import Container

/// Tensors of a file of torch.save, by name.
///
/// - zip form: entries `<root>/data.pkl` (the pickle), `<root>/data/<key>` (one storage each), perhaps
///   `<root>/byteorder`.
/// - older form: pickles of a magic number, the version 1001, facts about the system, the value, the list of storage
///   keys; then for every key 8 bytes, the number of elements, and the elements.
///
/// All little-endian. Only a dict from names to tensors is a value here.
package struct PickledWeights: Sendable {
    package struct Info: Sendable, Equatable {
        package let shape: [Int]
        package let element: Element
        /// Bytes of the storage in the file.
        package let storage: Range<Int>
        /// The first element within the storage, and steps along each axis, in elements.
        package let offset: Int
        package let strides: [Int]
        package let count: Int

        /// Whether the elements lie in row-major order, one after the other.
        var isContiguous: Bool {
            if count == 0 { return true }
            var step = 1
            for axis in shape.indices.reversed() {
                if shape[axis] != 1, strides[axis] != step { return false }
                step *= shape[axis]
            }
            return true
        }
    }

    /// Element types of storages.
    package enum Element: Sendable, Equatable {
        case f32, f64, f16, bf16, other(Int)

        /// Bytes.
        package var size: Int {
            switch self {
            case .f32: 4
            case .f64: 8
            case .f16, .bf16: 2
            case .other(let size): size
            }
        }
    }

    private enum Storage: Sendable { case mapped(MappedFile), bytes([UInt8]) }
    private let storage: Storage
    package let tensors: [String: Info]
    package let place: String

    package init(_ file: MappedFile, place: String) throws {
        storage = .mapped(file)
        self.place = place
        tensors = try file.withBytes { try Self.read($0, place) }
    }

    package init(_ bytes: [UInt8], place: String) throws {
        storage = .bytes(bytes)
        self.place = place
        tensors = try bytes.withUnsafeBytes { try Self.read($0, place) }
    }

    /// A tensor's values, row-major, as floats.
    /// - Throws: `ModelError` if there is none of that name or it holds whole numbers.
    package func floats(_ name: String) throws -> [Float] {
        guard let info = tensors[name] else { throw ModelError("there is no tensor '\(name)'", place: place) }
        switch storage {
        case .mapped(let file): return try file.withBytes { try read(info, name, $0) }
        case .bytes(let bytes): return try bytes.withUnsafeBytes { try read(info, name, $0) }
        }
    }

    private func read(_ info: Info, _ name: String, _ bytes: UnsafeRawBufferPointer) throws -> [Float] {
        let storage = UnsafeRawBufferPointer(rebasing: bytes[info.storage])
        if info.element == .f32, info.isContiguous {
            return [Float](unsafeUninitializedCapacity: info.count) { buffer, count in
                let own = UnsafeRawBufferPointer(rebasing: storage[info.offset * 4..<(info.offset + info.count) * 4])
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: own)
                count = info.count
            }
        }
        var values: [Float] = []
        values.reserveCapacity(info.count)
        var index = [Int](repeating: 0, count: info.shape.count)
        var element = info.offset
        for _ in 0..<info.count {
            values.append(try floatValue(storage, element, info.element, name))
            // The next index in row-major order, and its element by the strides.
            var axis = info.shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                element += info.strides[axis]
                if index[axis] < info.shape[axis] { break }
                element -= info.strides[axis] * info.shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return values
    }

    @inline(__always)
    private func floatValue(
        _ bytes: UnsafeRawBufferPointer, _ index: Int, _ element: Element, _ name: String
    ) throws(ModelError) -> Float {
        switch element {
        case .f32: return Float(bitPattern: load(bytes, index * 4, UInt32.self))
        case .f64: return Float(Double(bitPattern: load(bytes, index * 8, UInt64.self)))
        case .f16: return halfToFloat(load(bytes, index * 2, UInt16.self))
        case .bf16: return Float(bitPattern: UInt32(load(bytes, index * 2, UInt16.self)) << 16)
        case .other:
            throw ModelError("tensor '\(name)' holds whole numbers, not weights", place: place)
        }
    }
}

private func load<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _: T.Type) -> T {
    T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
}

/// An IEEE half as a float: exact.
func halfToFloat(_ half: UInt16) -> Float {
    let sign: Float = half & 0x8000 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(half >> 10 & 0x1F), Float(half & 0x3FF))
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
}

// MARK: - Both forms

extension PickledWeights {
    /// The first pickle of the older form: LONG1 of 0x1950a86a20f9469cfc6c.
    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    private static func read(_ bytes: UnsafeRawBufferPointer, _ place: String) throws -> [String: Info] {
        if bytes.count >= 4, bytes[0] == UInt8(ascii: "P"), bytes[1] == UInt8(ascii: "K") {
            return try readZip(bytes, place)
        }
        return try readOld(bytes, place)
    }

    private static func readZip(_ bytes: UnsafeRawBufferPointer, _ place: String) throws -> [String: Info] {
        let zip = try ZipArchive(bytes, place: place)
        guard let pickle = zip.entries.keys.filter({ $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }).min() else {
            throw ModelError("the zip file has no data.pkl: torch.save did not write it", place: place)
        }
        let root = pickle.dropLast("data.pkl".count)
        if let order = zip.entries[root + "byteorder"], String(decoding: bytes[order], as: UTF8.self) != "little" {
            throw ModelError("the tensors are not little-endian", place: place)
        }
        let range = zip.entries[pickle] ?? 0..<0
        var unpickler = Unpickler(UnsafeRawBufferPointer(rebasing: bytes[range]), place: "\(place) \(pickle)")
        return try tensors(try unpickler.next(), place) { storage in zip.entries[root + "data/" + storage.key] }
    }

    private static func readOld(_ bytes: UnsafeRawBufferPointer, _ place: String) throws -> [String: Info] {
        var unpickler = Unpickler(bytes, place: place)
        guard case .bigInt(magic) = try unpickler.next() else {
            throw ModelError(
                "this is no file of torch.save", place: place,
                cause: "it is neither a zip file nor does it begin with torch's magic number")
        }
        guard case .int(1001) = try unpickler.next() else {
            throw ModelError("torch's file version is not 1001", place: place)
        }
        guard case .dict(let system) = try unpickler.next(), case .bool(true)? = system["little_endian"] else {
            throw ModelError("the tensors are not little-endian", place: place)
        }
        let value = try unpickler.next()
        guard case .list(let keys) = try unpickler.next() else {
            throw ModelError("the list of storages is missing", place: place)
        }
        // A storage's element size is known from the tensors that use it.
        var sizes: [String: Int] = [:]
        if case .dict(let dict) = value {
            for case (_, .tensor(let tensor)) in dict.items {
                sizes[tensor.storage.key] = tensor.storage.kind.element?.size
            }
        }
        var found: [String: Range<Int>] = [:]
        var position = unpickler.position
        for key in keys.items {
            guard case .string(let name) = key, let size = sizes[name], bytes.count - position >= 8 else {
                throw ModelError("a storage that no tensor uses, or that is cut off", place: place)
            }
            let count = load(bytes, position, UInt64.self)
            position += 8
            guard count <= UInt64((bytes.count - position) / size) else {
                throw ModelError("storage '\(name)' claims \(count) elements and is cut off", place: place)
            }
            found[name] = position..<position + Int(count) * size
            position += Int(count) * size
        }
        return try tensors(value, place) { found[$0.key] }
    }

    /// The tensors of a dict, each within its storage.
    private static func tensors(
        _ value: PickleValue, _ place: String, _ storage: (PickledStorage) -> Range<Int>?
    ) throws(ModelError) -> [String: Info] {
        guard case .dict(let dict) = value else {
            throw ModelError("the file holds no dict of tensors", place: place)
        }
        var infos: [String: Info] = [:]
        for (key, value) in dict.items {
            guard case .string(let name) = key, case .tensor(let tensor) = value else {
                throw ModelError(
                    "the dict holds something that is no tensor", place: place,
                    cause: "a training checkpoint has more than weights",
                    fix: "save the model alone: `torch.save(model.state_dict(), …)` or `model.save_pretrained(DIR)`")
            }
            guard infos[name] == nil else { throw ModelError("tensor '\(name)' stands twice", place: place) }
            guard let element = tensor.storage.kind.element, let range = storage(tensor.storage) else {
                throw ModelError("the storage '\(tensor.storage.key)' of '\(name)' is missing", place: place)
            }
            let (size, overflow) = tensor.storage.count.multipliedReportingOverflow(by: element.size)
            guard !overflow, size == range.count else {
                throw ModelError(
                    "the storage of '\(name)' has \(range.count) bytes, \(tensor.storage.count) elements of "
                        + "\(element.size) are claimed", place: place)
            }
            infos[name] = Info(
                shape: tensor.shape, element: element, storage: range, offset: tensor.offset, strides: tensor.strides,
                count: tensor.count)
        }
        return infos
    }
}

extension PickleGlobal {
    /// The element type, for storages.
    var element: PickledWeights.Element? {
        switch self {
        case .float: .f32
        case .double: .f64
        case .half: .f16
        case .bfloat16: .bf16
        case .long: .other(8)
        case .int: .other(4)
        case .short: .other(2)
        case .char, .byte, .bool: .other(1)
        case .orderedDict, .tensor, .tensorV2, .parameter: nil
        }
    }
}
