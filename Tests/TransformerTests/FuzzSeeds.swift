// What fuzzing starts from: small files of each kind, and strings that mean something to their readers.

/// Bytes of pickles, as torch.save writes them.
enum Pickle {
    static func string(_ text: String) -> [UInt8] { [0x58] + number(text.utf8.count, 4) + Array(text.utf8) }

    static func int(_ value: Int) -> [UInt8] {
        (0..<256).contains(value) ? [0x4B, UInt8(value)] : wide(value)
    }

    /// The form that has room for any number.
    static func wide(_ value: Int) -> [UInt8] { [0x8A, 8] + number(value, 8) }

    static func tuple(_ items: [[UInt8]]) -> [UInt8] { Array("(".utf8) + items.joined() + Array("t".utf8) }
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    static func storage(_ kind: String, _ key: String, count: Int) -> [UInt8] {
        tuple([string("storage"), global("torch", kind + "Storage"), string(key), string("cpu"), int(count)])
            + Array("Q".utf8)
    }

    static func tensor(
        _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int], by int: (Int) -> [UInt8] = int
    ) -> [UInt8] {
        global("torch._utils", "_rebuild_tensor_v2")
            + tuple([
                storage, int(offset), tuple(shape.map(int)), tuple(strides.map(int)), [0x89],
                global("collections", "OrderedDict") + Array(")R".utf8),
            ]) + Array("R".utf8)
    }

    /// A whole pickle of a dict.
    static func dict(_ items: [(String, [UInt8])]) -> [UInt8] {
        [0x80, 2] + Array("}(".utf8) + items.flatMap { string($0) + $1 } + Array("u.".utf8)
    }

    static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

/// Files of torch.save.
enum TorchFile {
    /// Bytes of storages 0, 1 and 2.
    static let storages: [[UInt8]] = [(0..<24).map { UInt8(0x38 + $0 % 8) }, Array(0xF8...0xFF), []]

    static func zip(pickle: [UInt8], storages: [[UInt8]] = storages, isLarge: Bool = false) -> [UInt8] {
        let parts = [("r/data.pkl", pickle)] + storages.enumerated().map { ("r/data/\($0)", $1) }
        var (file, directory) = ([UInt8](), [UInt8]())
        for (name, content) in parts {
            // In the large form an extra field has the sizes and the place, which are full here.
            let (size, place) = (content.count, file.count)
            let sizes = isLarge ? full(8) : join(number(size, 4), number(size, 4))
            let begin = isLarge ? full(4) : number(place, 4)
            let extra = isLarge ? join([1, 0, 24, 0], number(size, 8), number(size, 8), number(place, 8)) : []
            let (nameSize, extraSize) = (number(name.utf8.count, 2), number(extra.count, 2))
            directory += join([0x50, 0x4B, 1, 2], zeros(16), sizes, nameSize, extraSize, zeros(10), begin)
            directory += join(Array(name.utf8), extra)
            file += join([0x50, 0x4B, 3, 4], zeros(14), sizes, nameSize, [0, 0], Array(name.utf8), content)
        }
        let (begin, size) = (file.count, directory.count)
        file += directory
        if isLarge {
            let end = file.count
            file += join([0x50, 0x4B, 6, 6], zeros(28), number(parts.count, 8), number(size, 8), number(begin, 8))
            file += join([0x50, 0x4B, 6, 7], zeros(4), number(end, 8), [1, 0, 0, 0])
        }
        file += join([0x50, 0x4B, 5, 6], zeros(4), number(parts.count, 2), isLarge ? full(2) : number(parts.count, 2))
        return join(file, number(size, 4), isLarge ? full(4) : number(begin, 4), [0, 0])
    }

    /// The form before 1.6, of storages by key.
    static func old(pickle: [UInt8], keys: [String], data: [[UInt8]]) -> [UInt8] {
        let magic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 3, 0x2E]
        let list = join([0x80, 2], Array("](".utf8), Array(keys.map(Pickle.string).joined()), Array("e.".utf8))
        return join(magic, version, Pickle.dict([("little_endian", [0x88])]), pickle, list, Array(data.joined()))
    }

    private static func join(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }
    private static func number(_ value: Int, _ size: Int) -> [UInt8] { Pickle.number(value, size) }
    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    private static func full(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }
}

extension FuzzTarget {
    var seeds: [[UInt8]] {
        switch self {
        case .pickle: Self.pickles
        case .weights:
            [
                TorchFile.zip(pickle: Self.small, storages: [TorchFile.storages[1]]),
                TorchFile.zip(pickle: Self.small, storages: [TorchFile.storages[1]], isLarge: true),
                TorchFile.old(pickle: Self.small, keys: ["0"], data: [Pickle.number(2, 8), TorchFile.storages[1]]),
            ]
        case .safetensors: Self.headers.map { Pickle.number($0.utf8.count, 8) + Array($0.utf8) + (1...24) }
        case .config: Self.configs.map { Array($0.utf8) }
        case .index:
            [
                "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"m-1-of-2.safetensors\",\"b\":\"m-2-of-2.safetensors\","
                    + "\"c\":\"m-1-of-2.safetensors\"}}",
                "{\"weight_map\":{\"a.b\":\"p.bin\",\"\\u00e9\":\"q.bin\"}}",
            ].map { Array($0.utf8) }
        }
    }

    private static let small = Pickle.dict([
        ("w", Pickle.tensor(Pickle.storage("Float", "0", count: 2), shape: [2], strides: [1]))
    ])

    private static var pickles: [[UInt8]] {
        let float = Pickle.storage("Float", "0", count: 6)
        let doubles = Pickle.storage("Double", "0", count: 3)
        let none = Pickle.storage("Float", "2", count: 0)
        // Protocol 4: FRAME, MEMOIZE, short strings, STACK_GLOBAL; an OrderedDict with notes; items one by one.
        let modern: [[UInt8]] = [
            [0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x8C, 11], Array("collections".utf8), [0x8C, 11],
            Array("OrderedDict".utf8), [0x93, 0x94], Array(")R".utf8), [0x8C, 1], Array("w".utf8),
            Pickle.global("torch._utils", "_rebuild_parameter"), Array("(".utf8),
            Pickle.tensor(float, shape: [], strides: []), [0x88], Array("h\0)Rq\u{1}tRs}".utf8), Pickle.string("n"),
            Array("](".utf8), [0x47, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0x4E, 0x8A, 1, 0xFF], Array("eK\u{2}as(N01b.".utf8),
        ]
        return [
            Pickle.dict([
                ("a", Pickle.tensor(float, shape: [2, 3], strides: [3, 1])),
                ("b", Pickle.tensor(float, shape: [3, 2], strides: [1, 3])),
                ("c", Pickle.tensor(float, offset: 1, shape: [1, 2, 1], strides: [9, 2, 9])),
            ]),
            Pickle.dict([
                ("a", Pickle.tensor(Pickle.storage("Half", "1", count: 4), shape: [2, 2], strides: [2, 1])),
                ("b", Pickle.tensor(Pickle.storage("BFloat16", "0", count: 12), shape: [3], strides: [0])),
            ]),
            // Numbers at the border of what can be counted.
            Pickle.dict([
                ("a", Pickle.tensor(doubles, shape: [2, 1, 1], strides: [1, .max, 1], by: Pickle.wide)),
                ("b", Pickle.tensor(none, shape: [0, 1 << 62, 2], strides: [1, 2, 1], by: Pickle.wide)),
            ]),
            Array(modern.joined()),
        ]
    }

    private static let headers = [
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
            + "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[16,20]},"
            + "\"c\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[20,24]}}  ",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[8,24]},"
            + "\"c\":{\"dtype\":\"U8\",\"shape\":[0,4],\"data_offsets\":[24,24]}}",
    ]

    private static let configs = [
        "{\"model_type\":\"bert\",\"vocab_size\":30522,\"hidden_size\":128,\"num_hidden_layers\":2,\"hidden_act\":\"gelu\","
            + "\"num_attention_heads\":2,\"intermediate_size\":512,\"max_position_embeddings\":512,\"type_vocab_size\":2,"
            + "\"hidden_dropout_prob\":0.1,\"attention_probs_dropout_prob\":0,\"layer_norm_eps\":1e-12,"
            + "\"initializer_range\":0.02,\"pad_token_id\":0,\"drp\":{\"classes\":3,\"labels\":[\"a\"]}}",
        "{\"architectures\":[\"BertModel\"],\"vocab_size\":9,\"hidden_size\":6,\"num_hidden_layers\":1,"
            + "\"num_attention_heads\":3,\"intermediate_size\":1,\"is_decoder\":false,\"layer_norm_eps\":null,"
            + "\"tie_word_embeddings\":true,\"drp\":{\"classes\":2},\"id2label\":{\"0\":\"\\u00e9\\ud83d\\ude00\"}}",
    ]

    var words: [[UInt8]] {
        switch self {
        case .pickle: Self.opcodes
        case .weights:
            Self.opcodes
                + [
                    [0x50, 0x4B, 1, 2], [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 6, 6], [0x50, 0x4B, 6, 7],
                    [0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0, 24, 0], [1, 0, 8, 0], [0, 0, 0, 0],
                    Array("r/data/0".utf8), Array("r/data.pkl".utf8), Array("r/byteorder".utf8), Array("little".utf8),
                    Array("big".utf8),
                ]
        case .safetensors, .config, .index: (Self.texts + Self.ownTexts(self)).map { Array($0.utf8) }
        }
    }

    private static var opcodes: [[UInt8]] {
        let kinds = ["Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"]
        let sizes = [1 << 62, .max, -1, 1 << 31]
        let tensor = Pickle.tensor(Pickle.storage("Float", "0", count: 6), shape: [2], strides: [1])
        let names = [
            ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor"),
            ("torch._utils", "_rebuild_parameter"), ("collections", "OrderedDict"), ("__builtin__", "OrderedDict"),
            ("os", "system"),
        ]
        let bytes: [[UInt8]] = [
            tensor, Pickle.storage("Double", "0", count: 3), Pickle.storage("Half", "1", count: 4), [0x8A, 2],
            [0x80, 2], [0x95], [0x85], [0x86], [0x87], [0x88], [0x89], [0x93], [0x94], [0x8C, 1], [0x8D, 1],
            [0x4B, 0], [0x4B, 1], [0x4B, 3], [0x4D, 0, 1], [0x71, 0], [0x68, 0], [0x68, 1], [0x72, 0, 0, 0, 0],
            [0x6A, 0, 0, 0, 0], [0x7D, 0x71, 0], [0x5D, 0x71, 1],
        ]
        var words = kinds.map { Pickle.global("torch", $0 + "Storage") }
        words += names.map(Pickle.global)
        words += ["storage", "cpu", "0", "1", "2", "w"].map(Pickle.string)
        words += sizes.map(Pickle.wide) + sizes.map { Pickle.number($0, 8) }
        return words + bytes + "(01}])tNJKMGXUTQRsuaeb.".utf8.map { [$0] }
    }

    private static let texts = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "null", "true", "false", "-", "0", "1",
        "2",
        "3", ".5", "e", "e-12", "1e400", "9223372036854775807", "18446744073709551615", " ", "\n", "é", "e\u{301}",
        "\u{0}",
        "\"a\":", "\"b\":",
    ]

    private static func ownTexts(_ target: FuzzTarget) -> [String] {
        switch target {
        case .safetensors:
            [
                "\"__metadata__\":{", "\"dtype\":\"F32\"", "\"dtype\":\"U8\"", "\"shape\":[", "\"data_offsets\":[",
                "F64", "F16",
                "BF16", "I64", "BOOL", "I32", "\"data_offsets\":[0,0]", "4611686018427387904", "\"shape\":[0,2]",
                "[24,24]",
                ",\"d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[24,24]}",
            ]
        case .config:
            [
                "\"hidden_size\":", "\"vocab_size\":", "\"num_hidden_layers\":", "\"num_attention_heads\":",
                "\"intermediate_size\":", "\"max_position_embeddings\":", "\"type_vocab_size\":", "\"pad_token_id\":",
                "\"hidden_dropout_prob\":", "\"layer_norm_eps\":", "\"initializer_range\":", "\"drp\":{\"classes\":",
                "\"model_type\":", "\"hidden_act\":", "\"architectures\":[", "16777216", "-0.0", "1e300", "5e-324",
                "1.0",
            ]
        case .index:
            [
                "\"weight_map\":{", "\"metadata\":{", ".safetensors\"", ".bin\"", "/", "/\u{301}", "..", "\\u0000",
                "\\u0301", "\\/", "\"p.bin\"", ",\"d\":\"q.bin\"",
            ]
        default: []
        }
    }
}
