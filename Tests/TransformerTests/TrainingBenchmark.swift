// Training speed, for Benchmarks/training/compare.py: runs only where LINKLOOM_BENCHMARK is set, and only in a release
// build. Prints `{"tokens_per_second": …}` for STEPS steps after as many of warm-up, and `{"peak_rss_mb": …}`.

import Container
import Foundation
import Kernels
import Testing
import Transformer

private let environment = ProcessInfo.processInfo.environment

private func number(_ name: String, _ fallback: Int) -> Int { environment[name].flatMap { Int($0) } ?? fallback }

/// Lengths of rows and where their second texts begin: those of the file ROWS, a line each, or all of full length.
private func shapes(_ count: Int, length: Int) throws -> [(length: Int, second: Int)] {
    guard let file = environment["ROWS"] else {
        return Array(repeating: (length, length / 2 + 1), count: count)
    }
    return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
        let numbers = $0.split(separator: " ").compactMap { Int($0) }
        return (numbers[0], numbers[1])
    }
}

/// Random text of these shapes, as in the peer: 15% masked by the trainer itself.
private func rows(_ shapes: [(length: Int, second: Int)], vocabulary: Int) -> [Instance] {
    shapes.enumerated().map { row, shape in
        let (length, second) = shape
        let key = RandomKey(seed: 1).adding(UInt64(row))
        var instance = Instance()
        instance.ids = (0..<length).map { UInt32(1000 + key.draw(UInt64($0), below: UInt64(vocabulary - 1000))) }
        instance.spans = [
            Instance.Span(range: 1..<second - 1, document: UInt64(row), segment: 0),
            Instance.Span(range: second..<length - 1, document: UInt64(row), segment: 1),
        ]
        instance.secondBegin = second
        instance.relation = UInt8(row % 3)
        return instance
    }
}

@Test(.enabled(if: environment["LINKLOOM_BENCHMARK"] != nil)) func `training speed`() throws {
    #if DEBUG
        Issue.record("a debug build says nothing about speed: use -c release")
    #else
        let architecture = Architecture(rawValue: environment["ARCHITECTURE"] ?? "tiny") ?? .tiny
        let length = number("LENGTH", 512)
        let batch = number("BATCH", 8)
        let steps = number("STEPS", 8)
        var config = BertConfig(architecture, vocabSize: 30522)
        let dropout = Double(environment["DROPOUT"] ?? "0.1") ?? 0.1
        config.hiddenDropoutProb = dropout
        config.attentionProbsDropoutProb = dropout
        let model = try BertModel(config, seed: 1)
        var settings = TrainingSettings()
        settings.steps = 2 * steps
        settings.batchSize = batch
        settings.slices = number("SLICES", 2)
        settings.threads = number("THREADS", 2)
        settings.warmupSteps = 1
        settings.learningRate = 1e-4
        settings.logSteps = steps
        settings.precision = try #require(TrainingPrecision(rawValue: environment["PRECISION"] ?? "fp32"))
        let masking = Masking(maskID: 103, vocabularySize: 30522, neverMasked: [0, 101, 102, 103])
        let data = TrainingData(train: ArraySource(rows(try shapes(batch * 4, length: length), vocabulary: 30522)))
        var observer = TrainingObserver()
        observer.record = {
            if $0["step"]?.int == Int64(2 * steps) { print(String(decoding: $0.canonical, as: UTF8.self)) }
        }
        let trainer = try Trainer(
            model: model, settings: settings, masking: masking, data: [data], observer: observer)
        let result = try trainer.run()
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(separator: " ").compactMap {
            Double($0)
        }
        print(#"{"peak_rss_mb": \#((try #require(peak?.first)) / 1024)}"#)
        // A benchmark checks its answer: the untrained loss is near ln V + ln 3.
        let line = try #require(result.metrics.split(separator: UInt8(ascii: "\n")).first)
        let loss = try #require(try JSON(parsing: Array(line))["loss"]?.double)
        #expect(abs(loss - 11.42) < 0.3)
    #endif
}
