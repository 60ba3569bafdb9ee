// What must hold for any file that a model is loaded from. FuzzTests runs these on inputs of its own for a few seconds;
// Fuzz/run.sh builds them with libFuzzer for as long as one likes.

import Container
import Fuzzing
import Transformer

/// One reader under test.
enum FuzzTarget: String, FuzzedReader {
    /// The pickle of a torch file, whose zip is made around it.
    case pickle
    /// A whole `pytorch_model.bin`.
    case weights
    case safetensors
    /// `config.json`.
    case config
    /// `model.safetensors.index.json`.
    case index

    func brokenPromise(_ input: [UInt8]) -> String? {
        do {
            return try read(input)
        } catch let error {
            return error is ModelError ? nil : "only ModelError is thrown"
        }
    }

    /// Reads a file of these bytes: the promise that was broken, if one was.
    /// - Throws: what the reader throws.
    func read(_ input: [UInt8]) throws -> String? {
        switch self {
        case .pickle: try Self.torch(TorchFile.zip(pickle: input))
        case .weights: try Self.torch(input)
        case .safetensors: try Self.safetensors(input)
        case .config: try Self.config(input)
        case .index: try Self.index(input)
        }
    }

    // MARK: targets

    private static func torch(_ file: [UInt8]) throws -> String? {
        let weights = try PickledWeights(file, place: "f")
        for (name, info) in weights.tensors {
            let (storage, size) = (info.storage, info.element.size)
            if storage.lowerBound < 0 || storage.upperBound > file.count { return "storages lie in the file" }
            if info.shape.count != info.strides.count || info.shape.count > 64 { return "an axis is a size and a step" }
            if product(info.shape) != info.count { return "the shape has as many elements as are counted" }
            if info.count > storage.count / size { return "no more is asked for than the storage has" }
            let places = places(of: info)
            if places.contains(where: { $0 < 0 || $0 >= storage.count / size }) { return "elements lie in the storage" }
            if case .other = info.element {
                if !places.isEmpty, (try? weights.floats(name)) != nil { return "whole numbers are no weights" }
                continue
            }
            let expected = places.map { float(file, storage.lowerBound + $0 * size, info.element) }
            if !same(try weights.floats(name), expected) { return "values are those that the strides point to" }
        }
        return nil
    }

    private static func safetensors(_ input: [UInt8]) throws -> String? {
        let file = try TensorFile(input, place: "f")
        var next = file.header.headerBytes
        for name in file.header.names.sorted(by: { place($0, in: file) < place($1, in: file) }) {
            guard let info = file.header.tensors[name], info.name == name else { return "names are the tensors' own" }
            if info.range.lowerBound != next { return "tensors are disjoint and leave no hole" }
            next = info.range.upperBound
            if product(info.shape) != info.count || info.count * info.dtype.size != info.range.count {
                return "type, shape and size agree"
            }
            let element: PickledWeights.Element? =
                switch info.dtype {
                case .f32: .f32
                case .f16: .f16
                case .bf16: .bf16
                case .f64: .f64
                default: nil
                }
            if let element {
                let expected = (0..<info.count).map {
                    float(input, info.range.lowerBound + $0 * info.dtype.size, element)
                }
                if !same(try file.floats(name), expected) { return "values are those of the file" }
            } else if (try? file.floats(name)) != nil {
                return "whole numbers are no weights"
            }
        }
        return next == input.count ? nil : "tensors fill the file"
    }

    private static func config(_ input: [UInt8]) throws -> String? {
        let json: JSON
        do {
            json = try JSON(parsing: input)
        } catch let error as ContainerError {
            throw ModelError(error.message)
        }
        for written in [try json.encoded(), Array(json.pretty.utf8)] where try JSON(parsing: written) != json {
            return "JSON is written as it was read"
        }
        let config = try BertConfig(parsing: json, place: "f")
        var expected = config
        // Only the tensors say that a head has two classes.
        if config.relationClasses == 2 { expected.relationClasses = nil }
        let written = try JSON(parsing: Array(config.json.pretty.utf8))
        if try BertConfig(parsing: written, place: "f") != expected { return "a config is written as it was read" }
        if config.headSize * config.numAttentionHeads != config.hiddenSize { return "heads share the hidden vector" }
        if config.numHiddenLayers <= 4, ParameterLayout(config).count > 2 * BertConfig.mostParameters {
            return "parameters can be counted"
        }
        return nil
    }

    private static func index(_ input: [UInt8]) throws -> String? {
        let shards = try WeightIndex(parsing: input, place: "f").shards
        for (file, tensors) in shards {
            if file.utf8.contains(UInt8(ascii: "/")) || file.utf8.contains(0) || ["", ".", ".."].contains(file) {
                return "shards lie beside the index"
            }
            if tensors.isEmpty { return "a shard has tensors" }
        }
        let map = try JSON(parsing: input)["weight_map"]?.object ?? [:]
        for (tensor, file) in map where shards[file.string ?? ""]?.contains(tensor) != true {
            return "a tensor lies where the index says"
        }
        return shards.values.map(\.count).reduce(0, +) == map.count ? nil : "every tensor lies in one shard"
    }

    // MARK: the obvious way

    /// The elements of a shape; nil if there are too many to count.
    private static func product(_ shape: [Int]) -> Int? {
        if shape.contains(0) { return 0 }
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            count = product
        }
        return count
    }

    /// Where each element stands in its storage, in row-major order.
    private static func places(of info: PickledWeights.Info) -> [Int] {
        (0..<info.count).map { number in
            var (rest, place) = (number, info.offset)
            for (size, stride) in zip(info.shape, info.strides).reversed() {
                place += rest % size * stride
                rest /= size
            }
            return place
        }
    }

    private static func place(_ name: String, in file: TensorFile) -> (Int, Int) {
        file.header.tensors[name].map { ($0.range.lowerBound, $0.range.upperBound) } ?? (0, 0)
    }

    private static func float(_ file: [UInt8], _ at: Int, _ element: PickledWeights.Element) -> Float {
        let bits = file[at..<at + element.size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return switch element {
        case .f32: Float(bitPattern: UInt32(bits))
        case .f64: Float(Double(bitPattern: bits))
        case .f16: Float(Float16(bitPattern: UInt16(bits)))
        case .bf16: Float(bitPattern: UInt32(bits) << 16)
        case .other: .nan
        }
    }

    private static func same(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }
}
