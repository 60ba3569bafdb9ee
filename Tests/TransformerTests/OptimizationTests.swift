// Schedules, AdamW variants, gradient accumulation, exclusions from decay.

import Container
import Kernels
import Testing

import Transformer

/// The golden run of `make_transformer.py` under other settings.
private func goldenRun(_ change: (inout TrainingSettings) -> Void) throws -> (model: BertModel, losses: [Double]) {
    let read = try HuggingFaceModel.read(ModelFiles(directory: goldenFolder()), seed: 0)
    let batches = try golden("batches.safetensors")
    let instances = try (0..<10).flatMap { try goldenBatch($0, batches) }
    var settings = TrainingSettings()
    settings.steps = 10
    settings.batchSize = 6
    settings.drpWeight = 0.7
    settings.learningRate = 1e-2
    settings.warmupSteps = 3
    settings.dropout = false
    change(&settings)
    let trainer = try Trainer(
        model: read.model, settings: settings, masking: toyMasking(vocabulary: 120),
        data: [TrainingData(train: ArraySource(instances))])
    return (read.model, try metrics(trainer.run()).compactMap { $0["loss"]?.double })
}

@Test(arguments: ["bert", "transformers", "all"])
func `ten steps of an AdamW variant give the losses and the head of its published code`(variant: String) throws {
    let expected = try golden("optimizer.safetensors")
    let (model, losses) = try goldenRun { settings in
        settings.weightDecay = 0.1
        switch variant {
        case "bert": settings.adamBiasCorrection = false
        case "transformers": settings.adamVariant = .transformers
        default:
            settings.decayExclusions = []
            settings.schedule = .linearFromStart
        }
    }
    for (step, loss) in try expected.values(variant + ".losses", as: Float.self).enumerated() {
        #expect(abs(losses[step] - Double(loss)) < 2e-4, "step \(step + 1)")
    }
    let head = try #require(model.values("drp.weight"))
    #expect(relativeError(head, try expected.values(variant + ".drp")) < 1e-3)
}

/// The golden model with the head of another objective: the first rows of its own.
private func goldenStart(_ objective: Objective) throws -> BertModel {
    let start = try HuggingFaceModel.read(ModelFiles(directory: goldenFolder()), seed: 0).model
    var config = start.config
    config.relationClasses = objective.relationClasses
    let model = try BertModel(zeros: config)
    for entry in model.layout.entries {
        let values = try #require(start.values(entry.name.replacing("cls.seq_relationship", with: "drp")))
        model.parameters.view(entry.offset, entry.count).write(Array(values.prefix(entry.count)))
    }
    return model
}

@Test(arguments: Objective.allCases)
func `two hundred AdamW steps give the losses of PyTorch`(objective: Objective) throws {
    let curve = try golden("steps.safetensors").values(objective.rawValue, as: Double.self)
    let batches = try golden("batches.safetensors")
    var instances = try (0..<10).flatMap { try goldenBatch($0, batches) }
    if let classes = objective.relationClasses {
        for row in instances.indices { instances[row].relation! %= UInt8(classes) }
    }
    var settings = TrainingSettings()
    settings.steps = 200
    settings.batchSize = 6
    settings.drpWeight = 0.7
    settings.learningRate = 2e-3
    settings.warmupSteps = 20
    settings.maxGradNorm = 3.5
    settings.dropout = false
    let trainer = try Trainer(
        model: goldenStart(objective), settings: settings, masking: toyMasking(vocabulary: 120),
        data: [TrainingData(train: ArraySource(instances))])
    let lines = try metrics(trainer.run())
    #expect(lines.count == 200 && curve.count == 400)
    var worst = (loss: 0.0, norm: 0.0)
    for (step, line) in lines.enumerated() {
        worst.loss = try max(worst.loss, abs(#require(line["loss"]?.double) / curve[2 * step] - 1))
        worst.norm = try max(worst.norm, abs(#require(line["grad_norm"]?.double) / curve[2 * step + 1] - 1))
    }
    // A thousandth would do at the end; what is seen over all steps is 2e-6 of a loss and 1.3e-5 of a norm.
    #expect(worst.loss < 7e-6, "\(worst.loss)")
    #expect(worst.norm < 5e-5, "\(worst.norm)")
}

@Test(arguments: [2, 3, 6]) func `a batch in parts trains as the whole batch does`(parts: Int) throws {
    let whole = try goldenRun { _ in }
    let split = try goldenRun {
        $0.gradientAccumulation = parts
        $0.slices = 1
    }
    for (one, other) in zip(split.losses, whole.losses) { #expect(abs(one - other) < 1e-4) }
    for name in ["bert.embeddings.word_embeddings.weight", "drp.weight", "bert.encoder.layer.0.output.dense.weight"] {
        #expect(relativeError(try #require(split.model.values(name)), try #require(whole.model.values(name))) < 1e-3)
    }
}

@Test func `parts of a batch do not share their dropout, and threads change nothing`() throws {
    func train(_ parts: Int, threads: Int = 1) throws -> [UInt8] {
        var settings = TrainingSettings()
        settings.steps = 4
        settings.warmupSteps = 1
        settings.batchSize = 6
        settings.slices = 2
        settings.gradientAccumulation = parts
        settings.threads = threads
        return try Trainer(
            model: try BertModel(toyConfig(dropout: 0.3), seed: 3), settings: settings, masking: toyMasking(),
            data: [TrainingData(train: ArraySource(toyRows(17)))]
        ).run().metrics
    }
    #expect(try train(3) == train(3, threads: 2))
    #expect(try train(3) != train(1))
    // The same row four times: equal dropout would give equal halves, and so the gradient of one half.
    func norm(_ parts: Int) throws -> Double {
        var settings = TrainingSettings()
        settings.steps = 1
        settings.warmupSteps = 1
        settings.batchSize = 2
        settings.slices = 1
        settings.gradientAccumulation = parts
        let rows = Array(repeating: toyRows(1)[0], count: 2)
        let result = try Trainer(
            model: try BertModel(toyConfig(dropout: 0.5), seed: 3), settings: settings, masking: toyMasking(),
            data: [TrainingData(train: ArraySource(rows))]
        ).run()
        return try #require(try metrics(result)[0]["grad_norm"]?.double)
    }
    #expect(try abs(norm(2) - norm(1)) > 1e-6)
}

@Test func `schedules share the warm-up and end where they should`() {
    var settings = TrainingSettings()
    settings.steps = 10
    settings.warmupSteps = 4
    settings.learningRate = 8
    func rates(_ schedule: LearningRateSchedule) -> [Double] {
        settings.schedule = schedule
        return (1...10).map(settings.learningRate(step:))
    }
    for schedule in LearningRateSchedule.allCases { #expect(Array(rates(schedule)[..<4]) == [2, 4, 6, 8]) }
    #expect(rates(.constant)[4...].allSatisfy { $0 == 8 })
    #expect(rates(.linear)[4] == 8 && abs(rates(.linear)[9] - 8.0 / 6) < 1e-12)
    #expect(abs(rates(.linearFromStart)[4] - 8 * 0.6) < 1e-12 && abs(rates(.linearFromStart)[9] - 0.8) < 1e-12)
    let cosine = rates(.cosine)
    // 4(1 + cos(π·k/6)), k = 0…5.
    let expected = [8, 7.464101615137754, 6, 4, 2, 0.5358983848622454]
    for (one, other) in zip(cosine[4...], expected) { #expect(abs(one - other) < 1e-9) }
}
