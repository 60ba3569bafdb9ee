// Where `pretrain` starts: models of other sizes and words, recipes that want one; and what it publishes on its way.

import Container
import Foundation
import Pipeline
import Testing
import Transformer

import Stages

@Suite struct PretrainStartTests {
    /// A model folder imported as a checkpoint; `config` as it should be, heads left out.
    private func imported(_ run: PretrainRun, _ config: BertConfig, tokens: [String]) throws -> StoredArtifact {
        let folder = run.toy.folder + "/start"
        try Files.makeDirectories(folder)
        let model = try BertModel(config, seed: 5)
        try Files.publish(HuggingFaceModel.configFile(model), at: folder + "/config.json")
        let bare = HuggingFaceModel.tensors(model).filter { $0.name.hasPrefix("bert.") }
        try Files.publish(at: folder + "/model.safetensors") { file in
            try TensorFile.write(bare, metadata: ["format": "pt"]) { try file.write($0) }
        }
        try Files.publish(Array((tokens.joined(separator: "\n") + "\n").utf8), at: folder + "/vocab.txt")
        let files = try Files.list(folder).map { InputFile(path: folder + "/" + $0, logicalName: $0) }
        return try run.toy.run(Import.self, ImportConfig(), [:], files: files).artifact
    }

    private func tokens(_ count: Int) -> [String] {
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (5..<count).map { ($0 % 3 == 0 ? "##" : "") + "w\($0)" }
    }

    private func odd(vocabulary: Int, positions: Int = 32) -> BertConfig {
        var config = BertConfig(
            vocabSize: vocabulary, hiddenSize: 24, numHiddenLayers: 3, numAttentionHeads: 3, intermediateSize: 40,
            relationClasses: nil)
        config.maxPositionEmbeddings = positions
        config.layerNormEps = 1e-5
        return config
    }

    @Test(
        arguments: [
            (Initializer.normal, nil, 0.02), (.mimetic, nil, 1 / 128.0.squareRoot()), (.mimetic, 0.1, 0.1),
        ] as [(Initializer, Double?, Double)])
    func `start values have the deviation of their kind unless one is given`(
        initializer: Initializer, given: Double?, expected: Double
    ) throws {
        let run = try PretrainRun()
        var config = PretrainRun.config(steps: 1)
        config.warmupSteps = .steps(0)
        config.learningRate = 0
        config.initializer = initializer
        config.initializerRange = given
        let inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        let made = try run.train(config, inputs, scratch: run.scratch("a"))
        let model = try HuggingFaceModel.read(ModelFiles(artifact: made), seed: 0).model
        #expect(model.config.initializerRange == expected)
        let weights = try #require(model.values("bert.encoder.layer.1.intermediate.dense.weight"))
        let deviation = (weights.reduce(0) { $0 + Double($1) * Double($1) } / Double(weights.count)).squareRoot()
        // A normal cut at two deviations has 0.8796 of its deviation left.
        #expect(abs(deviation / expected - 0.8796) < 0.01)
    }

    @Test func `a model of unpublished size is trained on with architecture init`() throws {
        let run = try PretrainRun()
        var inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        inputs["init"] = [try imported(run, odd(vocabulary: PretrainRun.size), tokens: tokens(PretrainRun.size))]
        var config = PretrainRun.config(steps: 3)
        config.warmupSteps = .steps(1)
        config.architecture = .initial
        let made = try run.train(config, inputs, scratch: run.scratch("a"))
        let model = try HuggingFaceModel.read(ModelFiles(artifact: made), seed: 0).model
        #expect(model.config.hiddenSize == 24 && model.config.numHiddenLayers == 3)
        #expect(model.config.layerNormEps == 1e-5 && model.config.relationClasses == 3)
        #expect(run.watch.warnings.contains { $0.contains("cls.predictions.bias") && $0.contains("drp.weight") })
        inputs["init"] = nil
        let missing = try #require(throws: StageError.self) {
            _ = try run.train(config, inputs, scratch: run.scratch("b"))
        }
        #expect(missing.message.contains("architecture: init"))
    }

    @Test func `other words and positions are refused, or extended when asked`() throws {
        let run = try PretrainRun()
        var inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        // The model knows all but the last ten tokens, in another order, and has half the positions.
        var theirs = tokens(50)
        theirs.swapAt(10, 20)
        inputs["init"] = [try imported(run, odd(vocabulary: 50, positions: 16), tokens: theirs)]
        var config = PretrainRun.config(steps: 3)
        config.warmupSteps = .steps(1)
        config.architecture = .initial
        let refused = try #require(throws: StageError.self) {
            _ = try run.train(config, inputs, scratch: run.scratch("a"))
        }
        #expect(refused.message.contains("50 tokens") && refused.fix?.contains("init_mismatch: extend") == true)
        config.initMismatch = .extend
        _ = try run.train(config, inputs, scratch: run.scratch("b"))
        #expect(run.watch.messages.contains { $0.contains("50 of the model's 50 tokens") && $0.contains("10 of 60") })
        #expect(run.watch.messages.contains { $0.contains("positions 16 to 31") })
    }

    @Test func `a recipe that continues from a model says so when none is connected`() throws {
        let run = try PretrainRun()
        var config = Recipe.named(.linkbertBase).config
        config.architecture = .tiny
        config.steps = 2
        config.batchSize = 2
        config.warmupSteps = .steps(1)
        config.maxPositionEmbeddings = 32
        _ = try run.train(
            config, ["shards": [run.shards()], "vocabulary": [run.vocabulary()]], scratch: run.scratch("a"))
        #expect(run.watch.warnings.contains { $0.contains("bert-base-cased") && $0.contains("random") })
    }

    @Test func `the best checkpoint and the last ones are parts of the result`() throws {
        let run = try PretrainRun()
        var config = PretrainRun.config(steps: 12)
        config.validationSteps = 2
        config.saveSteps = 2
        config.saveTotalLimit = 2
        config.saveBest = true
        let made = try run.train(
            config, ["shards": [run.shards()], "vocabulary": [run.vocabulary()]], scratch: run.scratch("a"))
        let names = made.manifest.parts.map(\.name)
        #expect(names.contains("best/model.safetensors") && names.contains("best/tokenizer.json"))
        #expect(
            names.filter { $0.hasSuffix("config.json") && $0.hasPrefix("checkpoint-") && !$0.contains("token") }
                == ["checkpoint-10/config.json", "checkpoint-12/config.json"])
        let best = try #require(made.manifest.metadata["best_step"]?.int)
        #expect(best % 2 == 0 && made.manifest.metadata["stopped_early"] == false)
        _ = try HuggingFaceModel.read(ModelFiles(artifact: made, prefix: "best/"), seed: 0)
        let live = try Files.read(run.scratch("a") + "/tensorboard/" + EventFile.name)
        let metrics = try made.bytes(try #require(made.part(named: "metrics.jsonl")))
        #expect(try live == EventFile.file(metrics: metrics))
    }

    @Test func `shards without training rows and rows longer than the positions are refused by name`() throws {
        let run = try PretrainRun()
        let vocabulary = try run.vocabulary()
        let none = try #require(throws: StageError.self) {
            _ = try run.train(
                PretrainRun.config(), ["shards": [run.shards(rows: 0)], "vocabulary": [vocabulary]],
                scratch: run.scratch("a"))
        }
        #expect(none.message.contains("no training rows") && none.fix?.contains("pair-sample") == true)
        var config = PretrainRun.config()
        config.maxPositionEmbeddings = 16
        let long = try #require(throws: StageError.self) {
            _ = try run.train(
                config, ["shards": [run.shards()], "vocabulary": [vocabulary]], scratch: run.scratch("b"))
        }
        #expect(long.message.contains("16 positions") && long.fix?.contains("max_seq_length") == true)
    }
}
