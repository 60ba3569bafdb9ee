// The weights of a model, wherever they lie: one safetensors file, several with an index, or torch.save's files.

import Container

/// Tensors by name over one file or several.
package struct WeightFiles: Sendable {
    private enum File: Sendable {
        case safetensors(TensorFile), torch(PickledWeights)

        func shapes() -> [(name: String, shape: [Int])] {
            switch self {
            case .safetensors(let file): file.header.tensors.map { ($0.key, $0.value.shape) }
            case .torch(let file): file.tensors.map { ($0.key, $0.value.shape) }
            }
        }

        var place: String {
            switch self {
            case .safetensors(let file): file.place
            case .torch(let file): file.place
            }
        }

        func floats(_ name: String) throws -> [Float] {
            switch self {
            case .safetensors(let file): try file.floats(name)
            case .torch(let file): try file.floats(name)
            }
        }
    }

    private let files: [File]
    private let index: [String: (file: Int, shape: [Int])]
    /// The file, or the folder of several.
    package let place: String
    /// What they are called in messages and which files of a folder hold them.
    package let fileNames: [String]
    /// Whether all of it is one safetensors file.
    package var isSafetensors: Bool {
        if case .safetensors = files[0], files.count == 1 { true } else { false }
    }

    /// - Precondition: no two files hold a tensor of one name.
    private init(_ files: [File], names: [String], place: String) {
        var index: [String: (file: Int, shape: [Int])] = [:]
        for (number, file) in files.enumerated() {
            for (name, shape) in file.shapes() { index[name] = (number, shape) }
        }
        self.files = files
        self.index = index
        self.place = place
        fileNames = names
    }

    package init(_ file: TensorFile) {
        self.init([.safetensors(file)], names: [], place: file.place)
    }

    /// Names, sorted by their bytes.
    package var names: [String] { index.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    package func has(_ name: String) -> Bool { index[name] != nil }
    package func shape(_ name: String) -> [Int]? { index[name]?.shape }
    /// The file that a tensor lies in.
    package func place(of name: String) -> String { index[name].map { files[$0.file].place } ?? place }

    /// A tensor's values, row-major.
    /// - Throws: `ModelError` if it is missing or no floating-point tensor.
    package func floats(_ name: String) throws -> [Float] {
        guard let found = index[name] else { throw ModelError("there is no tensor '\(name)'", place: place) }
        return try files[found.file].floats(name)
    }
}

extension WeightFiles {
    private static let one = "model.safetensors"
    private static let several = "model.safetensors.index.json"
    private static let pickled = "pytorch_model.bin"
    private static let severalPickled = "pytorch_model.bin.index.json"

    /// The weights of a model folder: `model.safetensors`, else its shards, else `pytorch_model.bin`, else its shards.
    /// - Throws: `ModelError` if there are none, or if an index and its files contradict each other.
    package init(directory: String) throws {
        func path(_ name: String) -> String { directory + "/" + name }
        if Files.exists(path(Self.one)) {
            self.init([try Self.open(path(Self.one))], names: [Self.one], place: path(Self.one))
        } else if Files.exists(path(Self.several)) {
            try self.init(directory: directory, indexed: Self.several)
        } else if Files.exists(path(Self.pickled)) {
            self.init([try Self.open(path(Self.pickled))], names: [Self.pickled], place: path(Self.pickled))
        } else if Files.exists(path(Self.severalPickled)) {
            try self.init(directory: directory, indexed: Self.severalPickled)
        } else {
            throw ModelError(
                "there is no model.safetensors", place: directory,
                cause: "nor its index, nor pytorch_model.bin: weights of other frameworks are not read",
                fix: "convert it once: `BertForPreTraining.from_pretrained(DIR, from_tf=True).save_pretrained(OTHER)`")
        }
    }

    private static func open(_ path: String) throws -> File {
        let mapped = try MappedFile(path: path)
        return path.hasSuffix(".bin")
            ? .torch(try PickledWeights(mapped, place: path)) : .safetensors(try TensorFile(mapped, place: path))
    }

    /// Shards as `weight_map` of the index names them.
    private init(directory: String, indexed name: String) throws {
        let path = directory + "/" + name
        let shards = try WeightIndex(parsing: try Files.read(path), place: path).shards
        let names = shards.keys.sorted()
        let files = try names.map { file -> File in
            guard Files.exists(directory + "/" + file) else {
                throw ModelError(
                    "the shard '\(file)' is missing", place: directory, cause: "\(name) names it",
                    fix: "download the whole model")
            }
            let opened = try Self.open(directory + "/" + file)
            let held = Set(opened.shapes().map(\.name))
            let expected = Set(shards[file] ?? [])
            if let lost = expected.subtracting(held).min() {
                throw ModelError(
                    "there is no tensor '\(lost)'", place: opened.place, cause: "\(name) says it is here",
                    fix: "download the whole model")
            }
            if let extra = held.subtracting(expected).min() {
                if let other = names.first(where: { shards[$0]?.contains(extra) == true }) {
                    throw ModelError(
                        "tensor '\(extra)' stands in two files", place: opened.place,
                        cause: "\(name) says it is in \(other)", fix: "download or save the model again")
                }
                throw ModelError(
                    "tensor '\(extra)' is not in \(name)", place: opened.place,
                    cause: "shards of two models may have been mixed", fix: "download the whole model")
            }
            return opened
        }
        self.init(files, names: names + [name], place: directory)
    }
}
