// What a run does when training goes wrong or stops getting better.

import Container
import Foundation
import Kernels
import Synchronization
import Testing

import Transformer

private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

private func settings(steps: Int = 30) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.steps = steps
    settings.batchSize = 4
    settings.warmupSteps = 2
    settings.learningRate = 3e-3
    settings.checkpointSteps = 1
    return settings
}

private func train(
    _ settings: TrainingSettings, scratch: String? = nil, log: Log = Log(), stopAfter: Int = .max,
    model: BertModel? = nil
) throws -> (parameters: [Float], result: TrainingResult) {
    let model = try model ?? BertModel(toyConfig(dropout: 0), seed: 3)
    var observer = TrainingObserver()
    let asked = Mutex(0)
    observer.isCancelled = {
        asked.withLock {
            $0 += 1
            return $0 > stopAfter
        }
    }
    observer.warning = { log.add($0) }
    observer.message = { log.add($0) }
    let data = TrainingData(train: ArraySource(toyRows(17)), validation: ArraySource(toyRows(6, seed: 8)))
    let trainer = try Trainer(
        model: model, settings: settings, masking: toyMasking(), data: [data], scratch: scratch, observer: observer)
    let result = try trainer.run()
    return (model.parameters.view().read(), result)
}

@Test func `steps that are not finite are skipped, counted and named before the run gives up`() throws {
    let folder = try TemporaryFolder()
    var wild = settings()
    wild.batchSize = 12
    wild.learningRate = 1e30
    wild.maxGradNorm = 0
    wild.maxSkippedSteps = 4
    let log = Log()
    let error = try #require(throws: ModelError.self) { _ = try train(wild, scratch: folder.path, log: log) }
    #expect(error.message.contains("4 steps in a row") && error.cause?.contains("documents") == true)
    let skipped = log.all.filter { $0.contains("is skipped") }
    #expect(skipped.count == 3 && skipped.allSatisfy { $0.contains("part 0 row") })
    // Eight rows with their documents, then four by number alone.
    let named = try #require(error.cause?.split(separator: "batch of ").last).split(separator: ", ")
    #expect(named.count == 12 && named.prefix(8).allSatisfy { $0.hasSuffix(")") })
    #expect(named[8].hasPrefix("part 0 row ") && Int(named[11]) != nil)
    // The states left behind are from before the first bad step, and the message says which is newest.
    let firstBad = try #require(skipped[0].split(separator: " ").dropFirst().first.flatMap { Int($0) })
    let kept = try Files.list(folder.path + "/states").filter { $0.hasSuffix(".json") }
        .compactMap { Int($0.dropFirst(6).dropLast(5)) }
    #expect(kept.max() == firstBad - 1)
    #expect(error.fix?.contains("the state after step \(firstBad - 1) is kept") == true)
}

@Test func `a batch that is not finite changes neither parameters nor moments`() throws {
    // One position embedding that only rows of 33 tokens reach is not a number.
    let model = try BertModel(toyConfig(dropout: 0), seed: 3)
    let positions = model.layout.entry("bert.embeddings.position_embeddings.weight")
    model.parameters.view().write([.nan], at: positions.offset + 33 * 32)
    var long = toyRows(1)[0]
    while long.ids.count < 36 { long.ids.insert(9, at: 1) }
    long.spans = [Instance.Span(range: 1..<35, document: 77, segment: 0)]
    long.secondBegin = 36
    var rows = toyRows(11)
    rows[5] = long
    var settings = settings(steps: 5)
    settings.batchSize = 2
    settings.checkpointSteps = 0
    let log = Log()
    var observer = TrainingObserver()
    observer.warning = { log.add($0) }
    let result = try Trainer(
        model: model, settings: settings, masking: toyMasking(), data: [TrainingData(train: ArraySource(rows))],
        observer: observer
    ).run()
    let lines = try metrics(result)
    #expect(result.skipped == 1 && lines[2]["skipped"]?.int == 1 && lines[2]["loss"] == nil)
    #expect(lines.filter { $0["loss"] != nil }.count == 4)
    #expect(log.all.count == 1 && log.all[0].contains("step 3") && log.all[0].contains("documents 77"))
    let others = model.layout.entries.filter { $0.name != positions.name }
    #expect(others.allSatisfy { entry in model.values(entry.name)?.allSatisfy(\.isFinite) == true })
}

@Test func `a loss far above guessing ends the run with the rate as the cause`() throws {
    var wild = settings(steps: 400)
    wild.learningRate = 30
    wild.warmupSteps = 0
    wild.schedule = .constant
    wild.weightDecay = 0
    wild.checkpointSteps = 0
    let error = try #require(throws: ModelError.self) { _ = try train(wild) }
    #expect(error.fix?.contains("lower learning_rate") == true)
    #expect(error.cause?.contains("diverged") == true)
}

@Test func `early stopping ends at the same step again, keeps the best model, and resumes`() throws {
    var stopping = settings(steps: 200)
    stopping.learningRate = 2e-2
    stopping.validationSteps = 2
    stopping.earlyStoppingPatience = 3
    stopping.saveBest = true
    let whole = try TemporaryFolder()
    let log = Log()
    let first = try train(stopping, scratch: whole.path, log: log)
    #expect(first.result.stoppedEarly && first.result.steps < 200)
    let best = try #require(first.result.best)
    #expect(first.result.steps == best.step + 6)
    #expect(log.all.contains { $0.contains("stopped early") && $0.contains("step \(best.step)") })
    let lines = try metrics(first.result)
    let losses = lines.compactMap { line in line["validation_loss"]?.double.map { ($0, line["step"]?.int) } }
    #expect(losses.min { $0.0 < $1.0 }?.1 == Int64(best.step))
    #expect(lines.last?["stopped_early"] == true)
    let saved = try #require(first.result.savedBest)
    let reread = try HuggingFaceModel.read(ModelFiles(directory: saved.directory), seed: 0).model
    #expect(reread.parameters.view().read() != first.parameters)

    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) {
        _ = try train(stopping, scratch: folder.path, stopAfter: best.step + 3)
    }
    let resumed = try train(stopping, scratch: folder.path)
    #expect(resumed.parameters == first.parameters && resumed.result.metrics == first.result.metrics)
    #expect(resumed.result.best == first.result.best && resumed.result.stoppedEarly)
    // A third time nothing is left to do, and the result is the same.
    let again = try train(stopping, scratch: folder.path)
    #expect(again.parameters == first.parameters && again.result.losses == first.result.losses)
    #expect(again.result.validation == first.result.validation)
}

@Test func `only the last checkpoints stay, in the result and on disk`() throws {
    var saving = settings(steps: 10)
    saving.saveSteps = 2
    saving.saveTotalLimit = 2
    saving.checkpointLimit = 3
    let folder = try TemporaryFolder()
    let result = try train(saving, scratch: folder.path).result
    #expect(result.saved.map(\.step) == [8, 10])
    #expect(try Files.list(folder.path + "/saved").sorted() == ["checkpoint-10", "checkpoint-8"])
    #expect(try Files.list(folder.path + "/states").count == 6)
}

@Test func `early stopping without validation rows is refused`() throws {
    var stopping = settings()
    stopping.earlyStoppingPatience = 1
    let error = try #require(throws: ModelError.self) { _ = try train(stopping) }
    #expect(error.cause?.contains("validation_steps is 0") == true)
    stopping.validationSteps = 2
    let none = try #require(throws: ModelError.self) {
        _ = try Trainer(
            model: try BertModel(toyConfig(), seed: 3), settings: stopping, masking: toyMasking(),
            data: [TrainingData(train: ArraySource(toyRows(9)))])
    }
    #expect(none.fix?.contains("graph") == true)
}
