// The whole model against PyTorch and transformers: logits, every gradient, ten AdamW steps.
// Generator: Tests/Goldens/make_transformer.py.

import Container
import Kernels
import Testing

import Transformer

private func goldenModel() throws -> HuggingFaceModel {
    try HuggingFaceModel.read(try ModelFiles(directory: goldenFolder()), seed: 0)
}

private func rows(_ instances: [Instance]) -> [BatchRow] {
    let source = ArraySource(instances)
    return instances.indices.map { BatchRow(source: source, row: $0, epoch: 0) }
}

@Test func `the golden weights fill every parameter of the model`() throws {
    let read = try goldenModel()
    #expect(read.initialised == [])
    #expect(read.unused == [])
    #expect(read.model.config.relationClasses == 3)
}

@Test(arguments: variants) func `logits equal those of transformers`(variant: Device.Variant) throws {
    let model = try goldenModel().model
    let values = try golden("values.safetensors")
    let batch = try goldenBatch(0, try golden("batches.safetensors"))
    let predictor = Predictor(model, device: try #require(Device.cpu(variant: variant)))
    let outputs = predictor.predict(
        batch.map {
            PredictorInput(ids: $0.ids, secondBegin: $0.secondBegin, positions: $0.staticMasks!.positions.map(Int.init))
        },
        wanting: [.vocabularyLogits, .relationLogits])
    let logits = outputs.flatMap { $0.vocabularyLogits.flatMap { $0 } }
    #expect(relativeError(logits, try values.values("mlm_logits")) < 1e-5)
    #expect(relativeError(outputs.flatMap { $0.relationLogits ?? [] }, try values.values("drp_logits")) < 1e-5)
}

@Test(arguments: variants, [1, 2, 3])
func `every gradient equals that of PyTorch`(variant: Device.Variant, slices: Int) throws {
    let model = try goldenModel().model
    let values = try golden("values.safetensors")
    let batch = try goldenBatch(0, try golden("batches.safetensors"))
    let source = ArraySource(batch)
    let rules = BatchRules(drpWeight: 0.7, slices: slices, seed: 0, masking: toyMasking(vocabulary: 120))
    let engine = try BatchEngine(
        model: model, rules: rules, limits: source.limits, batchSize: batch.count, pool: WorkerPool(threads: 1),
        device: try #require(Device.cpu(variant: variant)))
    _ = try engine.gradients(step: nil, rows: rows(batch))
    for entry in model.layout.entries {
        let expected: [Float] = try values.values("gradient." + entry.name)
        let found = engine.gradients.read(entry.range)
        // A key bias shifts all scores of a query alike: its gradient is zero but for rounding.
        if entry.name.hasSuffix("key.bias") {
            #expect(found.allSatisfy { abs($0) < 1e-6 }, "\(entry.name)")
        } else {
            #expect(relativeError(found, expected) < 1e-4, "\(entry.name)")
        }
    }
}

@Test func `ten AdamW steps give the losses, norms and weights of PyTorch`() throws {
    let model = try goldenModel().model
    let values = try golden("values.safetensors")
    let batches = try golden("batches.safetensors")
    let instances = try (0..<10).flatMap { try goldenBatch($0, batches) }
    var settings = TrainingSettings()
    settings.steps = 10
    settings.batchSize = 6
    settings.drpWeight = 0.7
    settings.learningRate = 1e-2
    settings.warmupSteps = 3
    let trainer = try Trainer(
        model: model, settings: settings, masking: toyMasking(vocabulary: 120),
        data: [TrainingData(train: ArraySource(instances))])
    let result = try trainer.run()

    let losses: [Float] = try values.values("losses")
    let norms: [Float] = try values.values("norms")
    let lines = try metrics(result)
    #expect(lines.count == 10)
    for (step, line) in lines.enumerated() {
        for (column, name) in ["loss", "mlm_loss", "drp_loss"].enumerated() {
            let found = try #require(line[name]?.double)
            #expect(abs(found - Double(losses[step * 3 + column])) < 1e-4, "step \(step + 1) \(name)")
        }
        let norm = try #require(line["grad_norm"]?.double)
        #expect(abs(norm / Double(norms[step]) - 1) < 1e-3, "step \(step + 1)")
    }
    for name in ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.output.dense.bias", "drp.weight"] {
        let found = try #require(model.values(name))
        #expect(relativeError(found, try values.values("final." + name)) < 1e-3, "\(name)")
    }
}

func metrics(_ result: TrainingResult) throws -> [JSON] {
    try result.metrics.split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) }
}
