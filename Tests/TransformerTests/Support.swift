// Shared by the tests of this room: goldens, temporary folders, small models and rows.

import Container
import Foundation
import Kernels

import Transformer

/// The committed goldens of this room.
func golden(_ name: String, file: String = #filePath) throws -> TensorFile {
    try TensorFile(try MappedFile(path: goldenFolder(file) + "/" + name), place: name)
}

func goldenFolder(_ file: String = #filePath) -> String {
    URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Goldens/transformer").path
}

/// Every kernel variant that this machine can run.
let variants: [Device.Variant] = Device.Variant.allCases.filter {
    $0.precision == .fp32 && Device.cpu(variant: $0) != nil
}

/// What this machine can train in.
let precisions: [TrainingPrecision] = TrainingPrecision.allCases.filter { $0.obstacle == nil }

/// An empty folder, removed with the returned object unless SAVE_TEMPS is set.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "linkloom-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        if ProcessInfo.processInfo.environment["SAVE_TEMPS"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count)
    var difference = 0.0
    var norm = 0.0
    for (x, y) in zip(a, b) {
        difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
        norm += Double(y) * Double(y)
    }
    return (difference / max(norm, 1e-30)).squareRoot()
}

/// The golden batches as rows with static masks.
func goldenBatch(_ step: Int, _ file: TensorFile) throws -> [Instance] {
    let ids = try file.values("\(step).ids", as: UInt32.self)
    let offsets = try file.values("\(step).offsets", as: Int64.self)
    let second = try file.values("\(step).second", as: UInt32.self)
    let relation = try file.values("\(step).relation", as: UInt8.self)
    let maskOffsets = try file.values("\(step).masked.offsets", as: Int64.self)
    let positions = try file.values("\(step).masked.positions", as: UInt32.self)
    let labels = try file.values("\(step).masked.labels", as: UInt32.self)
    return (0..<relation.count).map { row in
        var instance = Instance()
        instance.ids = Array(ids[Int(offsets[row])..<Int(offsets[row + 1])])
        instance.spans = [Instance.Span(range: 1..<instance.ids.count, document: UInt64(row), segment: 0)]
        instance.secondBegin = Int(second[row])
        instance.relation = relation[row]
        let masked = Int(maskOffsets[row])..<Int(maskOffsets[row + 1])
        instance.staticMasks = (Array(positions[masked]), Array(labels[masked]))
        return instance
    }
}

/// A model small enough for finite differences and for many steps in a second.
func toyConfig(relationClasses: Int? = 3, dropout: Double = 0.1) -> BertConfig {
    var config = BertConfig(
        vocabSize: 97, hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 48,
        relationClasses: relationClasses)
    config.maxPositionEmbeddings = 40
    config.hiddenDropoutProb = dropout
    config.attentionProbsDropoutProb = dropout
    return config
}

/// Pairs of made-up text with lengths that differ; ids 1, 2, 3, 4 are `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`.
func toyRows(_ count: Int, vocabulary: Int = 97, seed: UInt64 = 7) -> [Instance] {
    (0..<count).map { row in
        let key = RandomKey(seed: seed).adding(UInt64(row))
        let a = 3 + Int(key.draw(0, below: 14))
        let b = 3 + Int(key.draw(1, below: 14))
        var instance = Instance()
        instance.ids = [2] + (0..<a).map { UInt32(5 + key.draw(UInt64(10 + $0), below: UInt64(vocabulary - 5))) } + [3]
        instance.ids += (0..<b).map { UInt32(5 + key.draw(UInt64(50 + $0), below: UInt64(vocabulary - 5))) } + [3]
        instance.spans = [
            Instance.Span(range: 1..<1 + a, document: UInt64(row), segment: 0),
            Instance.Span(range: 2 + a..<2 + a + b, document: UInt64(row + 1), segment: 1),
        ]
        instance.secondBegin = a + 2
        instance.relation = UInt8(key.draw(2, below: 3))
        return instance
    }
}

func toyMasking(vocabulary: Int = 97) -> Masking {
    Masking(maskID: 4, vocabularySize: vocabulary, neverMasked: [0, 2, 3, 4])
}
