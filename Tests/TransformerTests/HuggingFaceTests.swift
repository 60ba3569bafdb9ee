// Models in and out of the Hugging Face layout.

import Container
import Foundation
import Kernels
import Testing

import Transformer

private func save(_ tensors: [TensorToWrite], _ config: JSON, in folder: String) throws {
    try Files.publish(config.canonical, at: folder + "/config.json")
    try Files.publish(at: folder + "/model.safetensors") { file in
        try TensorFile.write(tensors, metadata: ["format": "pt"]) { try file.write($0) }
    }
}

@Test(arguments: [3, 2, nil] as [Int?]) func `a written model reads back identical`(classes: Int?) throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(relationClasses: classes), seed: 3)
    try HuggingFaceModel.write(model, directory: folder.path)
    let read = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 99)
    #expect(read.model.config == model.config)
    #expect(read.model.parameters.view().read() == model.parameters.view().read())
    #expect(read.initialised == [] && read.unused == [])
}

@Test func `a bare encoder gets fresh heads and says so`() throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(relationClasses: 2), seed: 3)
    let bare = HuggingFaceModel.tensors(model).filter { $0.name.hasPrefix("bert.") }.map { tensor in
        TensorToWrite(
            String(tensor.name.dropFirst(5)).replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma"),
            shape: tensor.shape,
            model.parameters.view(model.layout.entry(tensor.name).offset, tensor.shape.reduce(1, *)))
    }
    try save(bare, model.config.json, in: folder.path)
    let wanted = toyConfig(relationClasses: 3)
    let read = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4)
    #expect(read.initialised.allSatisfy { $0.hasPrefix("cls.") || $0.hasPrefix("drp.") })
    #expect(read.initialised.contains("drp.weight") && read.initialised.count == 7)
    #expect(read.model.values("bert.pooler.dense.weight") == model.values("bert.pooler.dense.weight"))
    #expect(read.model.values("drp.weight") == (try BertModel(wanted, seed: 4)).values("drp.weight"))
}

@Test func `other sizes are refused naming both numbers`() throws {
    let folder = try TemporaryFolder()
    try HuggingFaceModel.write(try BertModel(toyConfig(), seed: 3), directory: folder.path)
    var wanted = toyConfig()
    wanted.vocabSize = 98
    let vocabulary = try #require(throws: ModelError.self) {
        _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4)
    }
    #expect(vocabulary.message.contains("vocab_size is 97") && vocabulary.message.contains("98"))
    wanted = toyConfig()
    wanted.maxPositionEmbeddings = 64
    let positions = try #require(throws: ModelError.self) {
        _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4)
    }
    #expect(positions.message.contains("40") && positions.message.contains("64"))
}

@Test func `an untied decoder, a pickle and an incomplete encoder are refused`() throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(), seed: 3)
    var tensors = HuggingFaceModel.tensors(model)
    tensors.append(
        TensorToWrite("cls.predictions.decoder.weight", shape: [97, 32], model.parameters.view(16, 97 * 32)))
    try save(tensors, model.config.json, in: folder.path)
    #expect(throws: ModelError.self) { _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 4) }

    tensors = HuggingFaceModel.tensors(model).filter { !$0.name.contains("layer.1.output.dense.weight") }
    try save(tensors, model.config.json, in: folder.path)
    let missing = try #require(throws: ModelError.self) {
        _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 4)
    }
    #expect(missing.message.contains("bert.encoder.layer.1.output.dense.weight"))

    try Files.remove(folder.path + "/model.safetensors")
    try Files.publish([0x80], at: folder.path + "/pytorch_model.bin")
    let pickle = try #require(throws: ModelError.self) { _ = try ModelFiles(directory: folder.path) }
    #expect(pickle.place?.contains("pytorch_model.bin") == true)
}

@Test func `configs of other models are refused by key`() throws {
    let good = toyConfig().json
    for (key, value) in [
        ("model_type", "roberta"), ("hidden_act", "gelu_new"), ("tie_word_embeddings", false), ("hidden_size", "32"),
        ("num_attention_heads", 5), ("position_embedding_type", "relative_key"), ("vocab_size", .null),
        ("hidden_act", 5), ("is_decoder", true), ("max_position_embeddings", 0), ("layer_norm_eps", "1e-12"),
        ("initializer_range", 1e300), ("initializer_range", -0.5),
    ] as [(String, JSON)] {
        var config = good
        config[key] = value
        let error = try #require(throws: ModelError.self) { _ = try BertConfig(parsing: config, place: "config.json") }
        #expect(error.message.contains(key), "\(error)")
    }
}

@Test func `a config that asks for more than the files hold is refused before memory is taken`() throws {
    let folder = try TemporaryFolder()
    try HuggingFaceModel.write(try BertModel(toyConfig(), seed: 1), directory: folder.path)
    let heads = JSON(toyConfig().numAttentionHeads)
    for (changes, expected) in [
        (["hidden_size": 1 << 24, "intermediate_size": 1 << 24, "num_attention_heads": 1], "billion parameters"),
        (["num_hidden_layers": 1 << 24], "num_hidden_layers is 16777216"),
        (["vocab_size": 1 << 24, "hidden_size": 1008], "has shape"),
        (["num_hidden_layers": 1000], "there is no tensor 'bert.encoder.layer."),
        (["max_position_embeddings": 1 << 24], "has shape"),
    ] as [([String: Int], String)] {
        var config = toyConfig().json
        config["num_attention_heads"] = heads
        for (key, value) in changes { config[key] = JSON(value) }
        try Data(config.canonical).write(to: URL(fileURLWithPath: folder.path + "/config.json"))
        let error = try #require(throws: ModelError.self) {
            _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 1)
        }
        #expect(error.message.contains(expected), "\(changes): \(error)")
    }
}

/// Writes the model in two shards with an index.
private func saveShards(_ model: BertModel, in folder: String) throws -> [String: JSON] {
    try Files.publish(HuggingFaceModel.configFile(model), at: folder + "/config.json")
    let tensors = HuggingFaceModel.tensors(model)
    var map: [String: JSON] = [:]
    for (number, part) in [tensors.prefix(9), tensors.dropFirst(9)].enumerated() {
        let name = "model-0000\(number + 1)-of-00002.safetensors"
        try Files.publish(at: folder + "/" + name) { file in
            try TensorFile.write(Array(part), metadata: ["format": "pt"]) { try file.write($0) }
        }
        for tensor in part { map[tensor.name] = .string(name) }
    }
    return map
}

private func saveIndex(_ map: [String: JSON], in folder: String) throws {
    let index: JSON = ["metadata": ["total_size": 1], "weight_map": .object(map)]
    try Files.publish(index.canonical, at: folder + "/model.safetensors.index.json")
}

@Test func `sharded weights read as one, and an index that lies is refused`() throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(), seed: 3)
    let map = try saveShards(model, in: folder.path)
    try saveIndex(map, in: folder.path)
    let read = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 99)
    #expect(read.model.parameters.view().read() == model.parameters.view().read() && read.initialised == [])

    func refused(_ map: [String: JSON]) throws -> ModelError {
        try saveIndex(map, in: folder.path)
        return try #require(throws: ModelError.self) { _ = try ModelFiles(directory: folder.path) }
    }
    var wrong = map
    wrong["drp.weight"] = "model-00001-of-00002.safetensors"
    #expect(try refused(wrong).message.contains("drp.weight"))
    wrong = map
    wrong["drp.weight"] = nil
    #expect(try refused(wrong).cause?.contains("two models") == true)
    wrong["drp.weight"] = "../model-00002-of-00002.safetensors"
    #expect(try refused(wrong).message.contains("no file of this folder"))
    // A slash under an accent is one character, and no slash for comparisons of characters.
    wrong["drp.weight"] = "../\u{301}.safetensors"
    #expect(try refused(wrong).message.contains("no file of this folder"))
    wrong["drp.weight"] = "gone.safetensors"
    #expect(try refused(wrong).message.contains("gone.safetensors"))
    #expect(try refused([:]).message.contains("weight_map"))

    // The second file holds a tensor of the first once more.
    let second = "model-00002-of-00002.safetensors"
    let tensors = HuggingFaceModel.tensors(model)
    try Files.publish(at: folder.path + "/" + second) { file in
        try TensorFile.write(Array(tensors.dropFirst(8)), metadata: ["format": "pt"]) { try file.write($0) }
    }
    let twice = try refused(map)
    #expect(twice.message == "tensor '\(tensors[8].name)' stands in two files")
    #expect(twice.place?.hasSuffix(second) == true && twice.cause?.contains("model-00001-of-00002") == true)
    #expect(twice.fix != nil)
}

@Test func `a model of other words and positions is extended by the rule`() throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(), seed: 3)
    try HuggingFaceModel.write(model, directory: folder.path)
    var wanted = toyConfig()
    wanted.vocabSize = 99
    wanted.maxPositionEmbeddings = 90
    // Token 5 here is token 7 there; 97 and 98 are new; 200 would lie past the model's rows.
    var tokens: [Int?] = (0..<97).map { $0 }
    tokens[5] = 7
    tokens += [nil, 200]
    let read = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4, tokens: tokens)
    let fresh = try BertModel(wanted, seed: 4)
    func row(_ model: BertModel, _ name: String, _ row: Int, _ width: Int = 32) throws -> [Float] {
        let values = try #require(model.values(name))
        return Array(values[row * width..<(row + 1) * width])
    }
    let words = "bert.embeddings.word_embeddings.weight"
    let positions = "bert.embeddings.position_embeddings.weight"
    #expect(try row(read.model, words, 5) == row(model, words, 7))
    #expect(try row(read.model, words, 96) == row(model, words, 96))
    #expect(try row(read.model, words, 98) == row(fresh, words, 98))
    #expect(try row(read.model, positions, 39) == row(model, positions, 39))
    #expect(try row(read.model, positions, 85) == row(model, positions, 5))
    #expect(read.model.values("cls.predictions.bias")?.count == 99)
    #expect(read.model.values("drp.weight") == model.values("drp.weight"))
    #expect(read.notes.count == 2 && read.notes[0].contains("2 of 99") && read.notes[1].contains("40 to 89"))
    wanted.maxPositionEmbeddings = 20
    let cut = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4, tokens: tokens)
    #expect(try row(cut.model, positions, 19) == row(model, positions, 19))
    wanted.hiddenSize = 64
    #expect(throws: ModelError.self) {
        _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), as: wanted, seed: 4, tokens: tokens)
    }
}

@Test func `hostile safetensors files are refused one by one`() throws {
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(), seed: 3)
    try HuggingFaceModel.write(model, directory: folder.path)
    let path = folder.path + "/model.safetensors"
    let good = try Files.read(path)
    let length = Int(good[0]) | Int(good[1]) << 8
    let header = String(decoding: good[8..<8 + length], as: UTF8.self)
    func refused(_ header: String, cut: Int = 0) throws -> String {
        let bytes = Array(header.utf8)
        let size = withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) }
        try Files.publish(Array((size + bytes + good[(8 + length)...]).dropLast(cut)), at: path)
        let error = try #require(throws: ModelError.self) {
            _ = try HuggingFaceModel.read(ModelFiles(directory: folder.path), seed: 4)
        }
        #expect(error.place?.contains("model.safetensors") == true)
        return error.message
    }
    let word = #""bert.embeddings.word_embeddings.weight":{"data_offsets":"#
    try #require(header.contains(word) && header.contains("[97,32]"))
    #expect(try refused(header, cut: 5).contains("of"))
    #expect(try refused(header.replacingOccurrences(of: "[97,32]", with: "[32,97]")).contains("[32, 97]"))
    #expect(
        try refused(header.replacingOccurrences(of: "[97,32]", with: "[1152921504606846976,32]")).contains("larger"))
    #expect(try refused(header.replacingOccurrences(of: "\"bert.pooler.dense.bias\"", with: "\"drp.bias\"")) != "")
    let integers = header.replacingOccurrences(of: "\"F32\",\"shape\":[97,32]", with: "\"I32\",\"shape\":[97,32]")
    #expect(try refused(integers).contains("I32"))
    // A header longer than the file.
    var long = good
    long[6] = 0x10
    try Files.publish(long, at: path)
    let error = try #require(throws: ModelError.self) { _ = try ModelFiles(directory: folder.path) }
    #expect(error.message.contains("claims"))
}
