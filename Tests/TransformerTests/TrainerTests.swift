// Training runs: the same bits for any number of threads and after any interruption, damaged states, schedules, errors.

import Container
import Foundation
import Kernels
import Synchronization
import Testing

import Transformer

private func toySettings(steps: Int = 12) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.steps = steps
    settings.batchSize = 4
    settings.slices = 2
    settings.warmupSteps = 2
    settings.learningRate = 3e-3
    settings.seed = 11
    settings.validationSteps = 5
    settings.validationRows = 6
    settings.saveSteps = 5
    settings.checkpointSteps = 1
    return settings
}

private func toyData() -> [TrainingData] {
    [TrainingData(train: ArraySource(toyRows(17)), validation: ArraySource(toyRows(6, seed: 8)))]
}

private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// Trains the toy model; `stopAfter` cancels once that many steps are done.
private func train(
    _ settings: TrainingSettings, scratch: String, stopAfter: Int? = nil, warnings: Log = Log(), messages: Log = Log()
) throws -> (parameters: [Float], result: TrainingResult) {
    let model = try BertModel(toyConfig(), seed: 3)
    var observer = TrainingObserver()
    let done = Mutex(0)
    if let stopAfter {
        observer.isCancelled = {
            done.withLock {
                $0 += 1
                return $0 > stopAfter
            }
        }
    }
    observer.warning = { warnings.add($0) }
    observer.message = { messages.add($0) }
    let trainer = try Trainer(
        model: model, settings: settings, masking: toyMasking(), data: toyData(), scratch: scratch, observer: observer)
    let result = try trainer.run()
    return (model.parameters.view().read(), result)
}

private func optimizer(_ result: TrainingResult) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try result.optimizer.write { bytes.append(contentsOf: $0) }
    return bytes
}

@Test(arguments: precisions) func `one and two threads give the same bits`(precision: TrainingPrecision) throws {
    var runs: [(parameters: [Float], result: TrainingResult)] = []
    for threads in [1, 2, 3] {
        let folder = try TemporaryFolder()
        var settings = toySettings()
        settings.slices = 3
        settings.threads = threads
        settings.precision = precision
        runs.append(try train(settings, scratch: folder.path))
    }
    for run in runs.dropFirst() {
        #expect(run.parameters == runs[0].parameters)
        #expect(run.result.metrics == runs[0].result.metrics)
        #expect(try optimizer(run.result) == optimizer(runs[0].result))
    }
}

@Test(arguments: [1, 5, 11]) func `a run stopped after any step ends in the same bits`(stop: Int) throws {
    let whole = try TemporaryFolder()
    let reference = try train(toySettings(), scratch: whole.path)
    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) { _ = try train(toySettings(), scratch: folder.path, stopAfter: stop) }
    let resumed = try train(toySettings(), scratch: folder.path)
    #expect(resumed.parameters == reference.parameters)
    #expect(resumed.result.metrics == reference.result.metrics)
    #expect(try optimizer(resumed.result) == optimizer(reference.result))
    #expect(resumed.result.saved.map(\.step) == [5, 10])
    for (one, other) in zip(resumed.result.saved, reference.result.saved) {
        #expect(
            try Files.read(one.directory + "/model.safetensors") == Files.read(other.directory + "/model.safetensors"))
    }
}

@Test(arguments: ["cut", "flipped", "record"])
func `a damaged newest state falls back to the one before`(damage: String) throws {
    let whole = try TemporaryFolder()
    let reference = try train(toySettings(), scratch: whole.path)
    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) { _ = try train(toySettings(), scratch: folder.path, stopAfter: 7) }
    let states = folder.path + "/states"
    #expect(try Files.list(states).count == 4)
    let data = states + "/state-0000000007.safetensors"
    switch damage {
    case "cut":
        let handle = try #require(FileHandle(forWritingAtPath: data))
        try handle.truncate(atOffset: UInt64(try Files.size(data) / 2))
    case "flipped":
        var bytes = try Files.read(data)
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: data))
    default:
        try Data("{\"step\":7".utf8).write(to: URL(fileURLWithPath: states + "/state-0000000007.json"))
    }
    let warnings = Log()
    let resumed = try train(toySettings(), scratch: folder.path, warnings: warnings)
    #expect(warnings.all.count == 1 && warnings.all[0].contains("step 7"))
    #expect(resumed.parameters == reference.parameters)
    #expect(resumed.result.metrics == reference.result.metrics)
}

@Test(arguments: ["safetensors", "json"])
func `a state that cannot be written ends the run, and the one before it is gone on from`(ending: String) throws {
    let whole = try TemporaryFolder()
    let reference = try train(toySettings(), scratch: whole.path)
    let folder = try TemporaryFolder()
    // A folder lies where a file of the state after step 7 belongs, and nothing can be renamed onto it.
    let states = folder.path + "/states"
    let obstacle = states + "/state-0000000007." + ending
    try Files.makeDirectories(obstacle)
    let error = try #require(throws: ContainerError.self) { _ = try train(toySettings(), scratch: folder.path) }
    #expect(error.path == obstacle && error.cause != nil && error.fix != nil)
    let left = try Files.list(states)
    #expect(left.contains("state-0000000006.json") && !left.contains { $0.hasPrefix(Files.temporaryPrefix) })
    // Without its record, a state of which the rest was written does not count.
    #expect(left.contains("state-0000000007.safetensors"))
    try Files.remove(obstacle)
    let (warnings, messages) = (Log(), Log())
    let resumed = try train(toySettings(), scratch: folder.path, warnings: warnings, messages: messages)
    #expect(warnings.all == [] && messages.all.contains { $0.contains("going on after step 6 of 12") })
    #expect(resumed.parameters == reference.parameters)
    #expect(resumed.result.metrics == reference.result.metrics)
    #expect(try optimizer(resumed.result) == optimizer(reference.result))
}

@Test(arguments: precisions)
func `a run stopped under three threads ends under one in the same bits`(precision: TrainingPrecision) throws {
    var many = toySettings()
    many.precision = precision
    many.slices = 3
    many.threads = 3
    var one = many
    one.threads = 1
    let whole = try TemporaryFolder()
    let reference = try train(many, scratch: whole.path)
    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) { _ = try train(many, scratch: folder.path, stopAfter: 6) }
    let resumed = try train(one, scratch: folder.path)
    #expect(resumed.parameters == reference.parameters)
    #expect(try optimizer(resumed.result) == optimizer(reference.result))
}

@Test func `a run that began with other arithmetic is refused, and keeps its states`() throws {
    let whole = try TemporaryFolder()
    let reference = try train(toySettings(), scratch: whole.path)
    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) { _ = try train(toySettings(), scratch: folder.path, stopAfter: 7) }
    let states = folder.path + "/states"
    let files = try Files.list(states).sorted()
    let record = states + "/state-0000000007.json"
    let own = try Files.read(record)
    var json = try JSON(parsing: own)
    #expect(json["numerics"] == Numerics.json)
    json["numerics"]?["blas"] = "another library"
    try Data(json.canonical).write(to: URL(fileURLWithPath: record))
    let error = try #require(throws: ModelError.self) { _ = try train(toySettings(), scratch: folder.path) }
    #expect(error.message.contains("after step 7") && error.message.contains("blas another library → "))
    #expect(error.place == states && error.fix?.contains("LINKLOOM_CBLAS") == true)
    #expect(try Files.list(states).sorted() == files)
    try Data(own).write(to: URL(fileURLWithPath: record))
    #expect(try train(toySettings(), scratch: folder.path).parameters == reference.parameters)
}

@Test func `bf16 needs the CPU's instructions and our own products`() {
    let half = TrainingPrecision.bf16
    #expect(half.obstacle(canBF16: false, namesLibrary: false)?.cause.contains("AVX-512 BF16") == true)
    #expect(half.obstacle(canBF16: true, namesLibrary: true)?.cause.contains("LINKLOOM_CBLAS") == true)
    #expect(half.obstacle(canBF16: true, namesLibrary: false) == nil)
    #expect(TrainingPrecision.fp32.obstacle(canBF16: false, namesLibrary: true) == nil)
}

@Test(.enabled(if: TrainingPrecision.bf16.obstacle != nil))
func `training in bf16 on a machine that cannot is an error with cause and fix`() throws {
    var settings = toySettings()
    settings.precision = .bf16
    let error = try #require(throws: ModelError.self) {
        _ = try Trainer(
            model: BertModel(toyConfig(), seed: 3), settings: settings, masking: toyMasking(), data: toyData())
    }
    #expect(error.cause?.contains("AVX-512 BF16") == true && error.fix != nil)
}

@Test func `a state of other settings is not gone on from`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TrainingCancelled.self) { _ = try train(toySettings(), scratch: folder.path, stopAfter: 3) }
    var other = toySettings()
    other.learningRate = 1e-3
    let warnings = Log()
    _ = try train(other, scratch: folder.path, warnings: warnings)
    #expect(warnings.all.count == 2 && warnings.all.allSatisfy { $0.contains("other settings") })
}

@Test func `training learns a corpus by heart`() throws {
    let model = try BertModel(toyConfig(dropout: 0), seed: 3)
    var settings = toySettings(steps: 150)
    settings.validationSteps = 0
    settings.saveSteps = 0
    settings.warmupSteps = 10
    let rows = Array(toyRows(4))
    let result = try Trainer(
        model: model, settings: settings, masking: toyMasking(), data: [TrainingData(train: ArraySource(rows))]
    ).run()
    let lines = try metrics(result)
    let first = try #require(lines.first?["loss"]?.double)
    let last = try #require(lines.last?["loss"]?.double)
    #expect(first > 5 && last < first * 0.6, "\(first) to \(last)")
}

@Test func `phases read their own data, and repeated rows get new masks`() throws {
    var settings = toySettings(steps: 6)
    settings.saveSteps = 0
    settings.phases = [
        TrainingPhase(data: 1, steps: 2), TrainingPhase(data: 0, steps: 2), TrainingPhase(data: 1, steps: 2),
    ]
    let folder = try TemporaryFolder()
    let model = try BertModel(toyConfig(), seed: 3)
    let data = [
        TrainingData(train: ArraySource(toyRows(9))), TrainingData(train: ArraySource(toyRows(5, seed: 8))),
    ]
    let trainer = try Trainer(model: model, settings: settings, masking: toyMasking(), data: data, scratch: folder.path)
    let passes = trainer.estimate.passes
    #expect(passes.map(\.needed) == [8, 16] && passes.map(\.rows) == [9, 5])
    #expect(trainer.estimate.warnings.count == 1)
    _ = try trainer.run()
    let state = try JSON(parsing: Files.read(folder.path + "/states/state-0000000006.json"))
    // 16 rows of 5: three passes and one row; 8 rows of 9: none and eight.
    #expect(state["positions"] == [["epoch": 0, "part": 0, "offset": 8], ["epoch": 3, "part": 0, "offset": 1]])
}

@Test func `a mixture gives every data set its share at every step, and a phase begins its own`() throws {
    let phase = TrainingPhase(weights: [5, 0, 2, 1], steps: 803)
    var seen = [0, 0, 0, 0]
    for step in 0..<phase.steps {
        seen[phase.data(at: step)] += 1
        for (data, weight) in phase.weights.enumerated() {
            #expect(abs(Double(seen[data]) - Double((step + 1) * weight) / 8) < 1)
        }
    }
    #expect(seen == (0..<4).map(phase.steps(of:)) && phase.data == [0, 2, 3])
    #expect((0..<4).map { TrainingPhase(data: 2, steps: 9).steps(of: $0) } == [0, 0, 9, 0])

    var settings = toySettings(steps: 7)
    settings.saveSteps = 0
    settings.phases = [TrainingPhase(weights: [2, 1], steps: 5), TrainingPhase(data: 1, steps: 2)]
    let folder = try TemporaryFolder()
    let data = [TrainingData(train: ArraySource(toyRows(50))), TrainingData(train: ArraySource(toyRows(40, seed: 8)))]
    let trainer = try Trainer(
        model: try BertModel(toyConfig(), seed: 3), settings: settings, masking: toyMasking(), data: data,
        scratch: folder.path)
    // Turns 0, 1, 0, 0, 1: three and two batches of four, and then two of the second.
    #expect(trainer.estimate.passes.map(\.needed) == [12, 16])
    _ = try trainer.run()
    let state = try JSON(parsing: Files.read(folder.path + "/states/state-0000000007.json"))
    #expect(state["positions"] == [["epoch": 0, "part": 0, "offset": 12], ["epoch": 0, "part": 0, "offset": 16]])
}

@Test func `the learning rate rises over the warm-up and falls to the last step`() {
    var settings = TrainingSettings()
    settings.steps = 10
    settings.warmupSteps = 4
    settings.learningRate = 8
    let falling: [Double] = [6, 5, 4, 3, 2, 1].map { 8 * $0 / 6 }
    let rates: [Double] = [2, 4, 6, 8] + falling
    #expect((1...10).map(settings.learningRate(step:)) == rates)
    settings.warmupSteps = 0
    #expect(settings.learningRate(step: 1) == 8)
}

@Test func `a loss that is not a number stops the run and names step and rows`() throws {
    var settings = toySettings(steps: 40)
    settings.learningRate = 1e30
    settings.maxGradNorm = 0
    settings.validationSteps = 0
    settings.saveSteps = 0
    let folder = try TemporaryFolder()
    let error = try #require(throws: ModelError.self) { _ = try train(settings, scratch: folder.path) }
    #expect(error.place?.hasPrefix("step ") == true)
    #expect(error.cause?.contains("part 0 row") == true && error.fix?.contains("learning_rate") == true)
}

@Test func `linked pairs are refused by a two-way head`() throws {
    let model = try BertModel(toyConfig(relationClasses: 2), seed: 3)
    let trainer = try Trainer(model: model, settings: toySettings(), masking: toyMasking(), data: toyData())
    let error = try #require(throws: ModelError.self) { _ = try trainer.run() }
    #expect(error.message.contains("linked") && error.fix?.contains("linked: 0") == true)
}

@Test func `rows longer than the model's positions are refused with both numbers`() throws {
    var config = toyConfig()
    config.maxPositionEmbeddings = 16
    let model = try BertModel(config, seed: 3)
    let error = try #require(throws: ModelError.self) {
        _ = try Trainer(model: model, settings: toySettings(), masking: toyMasking(), data: toyData())
    }
    #expect(error.message.contains("16") && error.message.contains("tokens"))
}
