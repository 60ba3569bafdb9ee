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
    #expect(pickle.cause?.contains("pickle") == true && pickle.fix?.contains("save_pretrained") == true)
}

@Test func `configs of other models are refused by key`() throws {
    let good = toyConfig().json
    for (key, value) in [
        ("model_type", "roberta"), ("hidden_act", "gelu_new"), ("tie_word_embeddings", false), ("hidden_size", "32"),
        ("num_attention_heads", 5), ("position_embedding_type", "relative_key"),
    ] as [(String, JSON)] {
        var config = good
        config[key] = value
        let error = try #require(throws: ModelError.self) { _ = try BertConfig(parsing: config, place: "config.json") }
        #expect(error.message.contains(key), "\(error)")
    }
}
