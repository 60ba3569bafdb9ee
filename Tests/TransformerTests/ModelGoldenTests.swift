// Tiny and mini at their published sizes against PyTorch and transformers: the gradients of every objective, cased and
// uncased. Generator: Tests/Goldens/make_models.py, which draws the same start values and rows as this file does.

import Container
import Kernels
import Testing

import Transformer

struct ModelCase: Sendable, CustomTestStringConvertible {
    let architecture: Architecture
    let isCased: Bool
    let objective: Objective

    var testDescription: String { "\(architecture)-\(isCased ? "cased" : "uncased")-\(objective)" }
    var config: BertConfig {
        BertConfig(architecture, vocabSize: isCased ? 28996 : 30522, relationClasses: objective.relationClasses)
    }

    static let all = [Architecture.tiny, .mini].flatMap { architecture in
        [true, false].flatMap { isCased in
            Objective.allCases.map { ModelCase(architecture: architecture, isCased: isCased, objective: $0) }
        }
    }
}

/// The seeds of what is drawn.
private enum Drawn: UInt64 {
    case values = 41, signs, rows

    func key(_ name: String) -> RandomKey { RandomKey(seed: rawValue).adding(name) }
}

/// 1/8 times 20 bits of a draw as a number in -1 ..< 1, which fp32 holds exactly; around 1 for the weights of LayerNorm.
private func drawnModel(_ config: BertConfig) throws -> BertModel {
    let model = try BertModel(zeros: config)
    for entry in model.layout.entries {
        let draws = Drawn.values.key(entry.name).draws
        let middle: Float = entry.name.hasSuffix("LayerNorm.weight") ? 1 : 0
        let values = (0..<entry.count).map { element in
            Float(Int(draws.mix(UInt64(element)) >> 44) - 1 << 19) * 0x1p-22 + middle
        }
        model.parameters.view(entry.offset, entry.count).write(values)
    }
    return model
}

/// Pairs of five lengths, with about 15% of their text masked.
private func drawnRows(_ config: BertConfig) -> [Instance] {
    let (vocabulary, firstWord) = (UInt64(config.vocabSize), UInt64(999))
    return [61, 7, 33, 18, 45].enumerated().map { row, length in
        let key = RandomKey(seed: Drawn.rows.rawValue).adding(UInt64(row))
        var instance = Instance()
        instance.ids = (0..<length).map { UInt32(firstWord + key.draw(UInt64($0), below: vocabulary - firstWord)) }
        instance.secondBegin = 2 + Int(key.draw(1000, below: UInt64(length - 3)))
        instance.relation = UInt8(key.draw(1001, below: UInt64(config.relationClasses ?? 1)))
        for (position, id) in [(0, 101), (instance.secondBegin - 1, 102), (length - 1, 102)] as [(Int, UInt32)] {
            instance.ids[position] = id
        }
        let masked = (0..<length).filter { instance.ids[$0] >= firstWord && key.draw(UInt64(2000 + $0), below: 20) < 3 }
        instance.staticMasks = (masked.map { UInt32($0) }, masked.map { instance.ids[$0] })
        for position in masked {
            switch key.draw(UInt64(3000 + position), below: 10) {
            case 8: instance.ids[position] = UInt32(key.draw(UInt64(4000 + position), below: vocabulary))
            case 9: break
            default: instance.ids[position] = 103
            }
        }
        return instance
    }
}

/// By the low eight bits of a draw: -1 where a bit is set.
private let signs = (0..<256).map { bits in
    var lanes = SIMD8<Double>(repeating: 1)
    for lane in 0..<8 where bits >> lane & 1 == 1 { lanes[lane] = -1 }
    return lanes
}

/// The norm of a gradient, and its products with eight vectors of +1 and -1.
private func summary(_ gradient: [Float], _ name: String) -> [Double] {
    let (draws, lanes) = (Drawn.signs.key(name).draws, signs)
    var squares = 0.0
    var products = SIMD8<Double>()
    for (element, value) in gradient.enumerated() {
        squares += Double(value) * Double(value)
        products += lanes[Int(draws.mix(UInt64(element)) & 255)] * Double(value)
    }
    return [squares.squareRoot()] + (0..<8).map { products[$0] }
}

private struct ModelGolden {
    let model: BertModel
    let rows: [Instance]
    let losses, gradients: [Double]

    init(_ wanted: ModelCase) throws {
        model = try drawnModel(wanted.config)
        rows = drawnRows(wanted.config)
        let file = try golden("models.safetensors")
        losses = try file.values(wanted.testDescription + ".losses")
        gradients = try file.values(wanted.testDescription + ".gradients")
    }

    /// How far losses and gradients, as a share of their norm, may be off.
    struct Bounds {
        var mlm = 1e-7
        var drp = 1e-6
        var gradient = 5e-5
        /// Of a key's bias, as a share of the query's.
        var zero = 2e-5
    }

    /// Compares losses and gradients as training computes them.
    func expect(slices: Int, device: Device, within bounds: Bounds = Bounds()) throws {
        let source = ArraySource(rows)
        let masking = Masking(maskID: 103, vocabularySize: model.config.vocabSize)
        let engine = try BatchEngine(
            model: model, rules: BatchRules(drpWeight: 1, slices: slices, seed: 0, masking: masking),
            limits: source.limits, batchSize: rows.count, pool: WorkerPool(threads: 1), device: device)
        let found = try engine.gradients(
            step: nil, rows: rows.indices.map { BatchRow(source: source, row: $0, epoch: 0) })
        #expect(abs(found.mlm / losses[0] - 1) < bounds.mlm)
        #expect(abs((found.drp ?? 0) - losses[1]) < bounds.drp)

        let trained = model.layout.entries.filter(\.isTrained).sorted { $0.name < $1.name }
        try #require(gradients.count == 9 * trained.count)
        for entry in model.layout.entries where !entry.isTrained {
            #expect(engine.gradients.read(entry.range).allSatisfy { $0 == 0 }, "\(entry.name)")
        }
        var norms: [String: Double] = [:]
        for (row, entry) in trained.enumerated() {
            let expected = gradients[9 * row..<9 * row + 9]
            let found = summary(engine.gradients.read(entry.range), entry.name)
            norms[entry.name] = found[0]
            // A key bias shifts all scores of a query alike: its gradient is zero but for rounding.
            if entry.name.hasSuffix("key.bias") { continue }
            let error = zip(found, expected).map { abs($0 - $1) }.max()! / expected.first!
            #expect(error < bounds.gradient, "\(entry.name): \(error)")
        }
        for (name, norm) in norms where name.hasSuffix("key.bias") {
            let query = norms[name.replacing("key.bias", with: "query.bias")]!
            #expect(norm < bounds.zero * query, "\(name): \(norm) and \(query)")
        }
    }
}

@Test(arguments: ModelCase.all)
func `losses and gradients at published sizes equal those of PyTorch`(wanted: ModelCase) throws {
    let golden = try ModelGolden(wanted)
    for slices in [1, 2] { try golden.expect(slices: slices, device: .cpu) }
}

@Test(arguments: variants, [Architecture.tiny, .mini])
func `every kernel variant has the gradients of PyTorch`(variant: Device.Variant, architecture: Architecture) throws {
    let golden = try ModelGolden(ModelCase(architecture: architecture, isCased: false, objective: .linkbert))
    try golden.expect(slices: 2, device: #require(Device.cpu(variant: variant)))
}

@Test(.enabled(if: Device.cpu(.bf16) != nil), arguments: [Architecture.tiny, .mini])
func `in bf16 losses keep three digits and gradients one or two`(architecture: Architecture) throws {
    let golden = try ModelGolden(ModelCase(architecture: architecture, isCased: false, objective: .linkbert))
    try golden.expect(
        slices: 2, device: #require(Device.cpu(.bf16)),
        within: .init(mlm: 1e-3, drp: 5e-3, gradient: architecture == .tiny ? 3e-2 : 0.1, zero: 0.1))
}
