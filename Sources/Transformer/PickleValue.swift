// What a pickle of tensors is made of: plain data, a short list of names, storages and tensors.

/// What a pickle is made of here. A value has 24 bytes beside what it points to; a byte of a pickle makes at most one.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer past 64 bits, little-endian two's complement.
    case bigInt([UInt8])
    case float(Double)
    case string(String)
    /// Items and how deep they go.
    case tuple([PickleValue], Int)
    case list(PickleList)
    case dict(PickleDict)
    /// A name on the short list below; never called, only recognised.
    case global(PickleGlobal)
    indirect case storage(PickledStorage)
    indirect case tensor(PickledTensor)
}

/// The only names that a pickle of tensors needs.
enum PickleGlobal: String, CaseIterable {
    case orderedDict = "collections.OrderedDict"
    case tensor = "torch._utils._rebuild_tensor"
    case tensorV2 = "torch._utils._rebuild_tensor_v2"
    case parameter = "torch._utils._rebuild_parameter"
    case float = "torch.FloatStorage"
    case double = "torch.DoubleStorage"
    case half = "torch.HalfStorage"
    case bfloat16 = "torch.BFloat16Storage"
    case long = "torch.LongStorage"
    case int = "torch.IntStorage"
    case short = "torch.ShortStorage"
    case char = "torch.CharStorage"
    case byte = "torch.ByteStorage"
    case bool = "torch.BoolStorage"
}

/// A list or dict of a pickle. It may not change once it stands in another value, so values never form a circle and
/// their depth is known.
final class PickleList {
    var items: [PickleValue] = []
    var depth = 0
    var isFrozen = false
}

final class PickleDict {
    var items: [(key: PickleValue, value: PickleValue)] = []
    var depth = 0
    var isFrozen = false

    /// The last value of a string key.
    subscript(_ key: String) -> PickleValue? {
        items.last { if case .string(let name) = $0.key { name == key } else { false } }?.value
    }
}

/// Storage of a tensor: a numbered array elsewhere in the file.
struct PickledStorage: Equatable {
    var kind: PickleGlobal
    var key: String
    /// Elements.
    var count: Int
}

/// A view of a storage.
struct PickledTensor: Equatable {
    var storage: PickledStorage
    var offset: Int
    var shape: [Int]
    /// In elements; 0 along axes that have no second one, whatever the file says there.
    var strides: [Int]
    /// Elements; at most those of the storage.
    var count: Int
}

extension PickleValue {
    /// Opcodes that make objects, or that torch.save never writes.
    static let refused: [UInt8: String] = [
        UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 0x82: "EXT1",
        0x83: "EXT2", 0x84: "EXT4", UInt8(ascii: "P"): "PERSID", UInt8(ascii: "2"): "DUP", 0x8B: "LONG4",
        0x97: "NEXT_BUFFER",
    ]
}
