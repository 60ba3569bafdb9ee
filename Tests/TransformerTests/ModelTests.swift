// Gradients by finite differences where PyTorch's goldens do not reach (dropout, DRP weight), start values, layout,
// slices.

import Kernels
import Testing

import Transformer

@Test func `the layout holds the parameters of BERT-tiny and base, and query, key and value back to back`() throws {
    // Published counts without heads: 4.39M and 109.48M; heads added: transform H² + 3H, bias V, relation 3H + 3.
    for (architecture, encoder) in [(Architecture.tiny, 4_385_920), (.base, 109_482_240)] {
        let config = BertConfig(architecture, vocabSize: 30522)
        let h = config.hiddenSize
        let layout = ParameterLayout(config)
        #expect(layout.parameterCount == encoder + h * h + 3 * h + 30522 + 3 * h + 3)
        for layer in 0..<config.numHiddenLayers {
            let prefix = "bert.encoder.layer.\(layer).attention.self."
            for kind in ["weight", "bias"] {
                let query = layout.entry(prefix + "query." + kind)
                let key = layout.entry(prefix + "key." + kind)
                #expect(query.range.upperBound == key.offset)
                #expect(key.range.upperBound == layout.entry(prefix + "value." + kind).offset)
            }
        }
        for (left, right) in zip(layout.entries, layout.entries.dropFirst()) {
            #expect(left.range.upperBound <= right.offset)
        }
    }
    #expect(ParameterLayout(toyConfig(relationClasses: 2))["cls.seq_relationship.weight"]?.shape == [2, 32])
    #expect(ParameterLayout(toyConfig(relationClasses: nil))["drp.weight"] == nil)
}

@Test func `decay reaches matrices and embeddings, not biases and LayerNorm`() {
    let layout = ParameterLayout(toyConfig())
    for entry in layout.entries {
        let isPlain = entry.name.hasSuffix(".bias") || entry.name.contains("LayerNorm")
        #expect(entry.isDecayed == !isPlain, "\(entry.name)")
    }
    let ranges = ParameterRange.ranges(layout)
    #expect(ranges.reduce(0) { $0 + $1.count } == layout.count)
    for entry in layout.entries {
        let covering = ranges.filter { $0.offset < entry.range.upperBound && entry.offset < $0.offset + $0.count }
        #expect(covering.allSatisfy { $0.isDecayed == entry.isDecayed }, "\(entry.name)")
    }
}

@Test func `start values depend on seed and name alone and are truncated at two deviations`() throws {
    let linkbert = try BertModel(toyConfig(relationClasses: 3), seed: 5)
    let bert = try BertModel(toyConfig(relationClasses: 2), seed: 5)
    let other = try BertModel(toyConfig(relationClasses: 3), seed: 6)
    for entry in linkbert.layout.entries where !entry.name.hasPrefix("drp") {
        #expect(linkbert.values(entry.name) == bert.values(entry.name))
        if entry.start == .normal { #expect(linkbert.values(entry.name) != other.values(entry.name)) }
    }
    let values = try #require(linkbert.values("bert.embeddings.word_embeddings.weight"))
    let deviation = (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
    #expect(values.allSatisfy { abs($0) <= 0.04 })
    #expect(abs(deviation - 0.02 * 0.8796) < 0.001)
}

@Test func `mimetic start values change embeddings, query and key alone`() throws {
    let config = toyConfig()
    let normal = try BertModel(config, seed: 5)
    let mimetic = try BertModel(config, seed: 5, initializer: .mimetic)
    let changed = Set(normal.layout.entries.map(\.name).filter { normal.values($0) != mimetic.values($0) })
    var expected: Set<String> = [
        "bert.embeddings.position_embeddings.weight", "bert.embeddings.token_type_embeddings.weight",
    ]
    for layer in 0..<config.numHiddenLayers {
        for part in ["query", "key"] { expected.insert("bert.encoder.layer.\(layer).attention.self.\(part).weight") }
    }
    // Pooler and relation head: small enough at this range already.
    #expect(changed == expected)
}

@Test func `mimetic positions and types lie in the upper half, near by distance and opposite`() throws {
    let config = toyConfig()
    let h = config.hiddenSize
    let mimetic = try BertModel(config, seed: 5, initializer: .mimetic)
    let types = try #require(mimetic.values("bert.embeddings.token_type_embeddings.weight"))
    #expect((0..<h).allSatisfy { types[$0] == -types[h + $0] && (types[$0] == 0) == ($0 < h / 2) })

    let positions = try #require(mimetic.values("bert.embeddings.position_embeddings.weight"))
    func dot(_ a: Int, _ b: Int) -> Double {
        (0..<h).reduce(0) { $0 + Double(positions[a * h + $1]) * Double(positions[b * h + $1]) }
    }
    #expect(
        (0..<config.maxPositionEmbeddings).allSatisfy { position in
            positions[position * h..<position * h + h / 2].allSatisfy { $0 == 0 }
        })
    let unit = config.initializerRange * config.initializerRange * Double(h) / 2
    #expect(abs(dot(0, 0) / unit - 1) < 1e-3 && abs(dot(7, 7) / unit - 1) < 1e-3)
    #expect(abs(dot(1, 2) - dot(5, 6)) < 1e-3 * unit, "near depends on the distance alone")
    #expect(dot(4, 5) > dot(4, 6))
}

@Test func `mimetic heads read places everywhere, words in the first layer, the other type after it`() throws {
    let config = toyConfig()
    let h = config.hiddenSize
    let headSize = h / config.numAttentionHeads
    let mimetic = try BertModel(config, seed: 5, initializer: .mimetic)
    let type = try #require(mimetic.values("bert.embeddings.token_type_embeddings.weight"))[..<h]
    let norm = type.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for layer in 0..<config.numHiddenLayers {
        let own = "bert.encoder.layer.\(layer).attention.self."
        let query = try #require(mimetic.values(own + "query.weight"))
        let key = try #require(mimetic.values(own + "key.weight"))
        let places = config.numAttentionHeads / 2 * headSize
        for row in 0..<h {
            let (q, k) = (query[row * h..<row * h + h], key[row * h..<row * h + h])
            if row >= places {
                #expect(q == k && q.prefix(h / 2).allSatisfy { $0 == 0 } && q.suffix(h / 2).contains { $0 != 0 })
            } else if layer == 0 {
                #expect(q == k && q.indices.allSatisfy { q[$0] == ($0 - q.startIndex == row ? 2 : 0) })
            } else {
                // The part along the type, against the deviation of the rest.
                let along = [q, k].map { zip($0, type).reduce(0) { $0 + $1.0 * $1.1 } / norm }
                let isReader = row % headSize == 0
                #expect(isReader ? along[0] > 0.5 && along[1] < -0.5 : along.allSatisfy { abs($0) < 0.1 })
                #expect(q != k)
            }
        }
    }
}

/// The loss of a batch, by the same code path as the gradients.
private func loss(_ engine: BatchEngine, _ rows: [BatchRow], step: Int?, weight: Double) throws -> Double {
    let losses = try engine.gradients(step: step, rows: rows)
    return losses.mlm + weight * (losses.drp ?? 0)
}

@Test(arguments: [3, 2, nil] as [Int?]) func `gradients agree with finite differences under dropout`(classes: Int?)
    throws
{
    let config = toyConfig(relationClasses: classes, dropout: 0.2)
    let model = try BertModel(config, seed: 3)
    // Larger weights than at the start of training, so that second derivatives are seen.
    Device.cpu.scale(model.parameters.view(), by: 4)
    var instances = toyRows(5)
    for index in instances.indices where classes == 2 { instances[index].relation! %= 2 }
    let source = ArraySource(instances)
    let rules = BatchRules(drpWeight: 0.5, slices: 2, seed: 9, masking: toyMasking())
    let engine = try BatchEngine(
        model: model, rules: rules, limits: source.limits, batchSize: 5, pool: WorkerPool(threads: 2))
    let rows = instances.indices.map { BatchRow(source: source, row: $0, epoch: 0) }
    _ = try loss(engine, rows, step: 4, weight: 0.5)
    let gradients = engine.gradients.read()
    let parameters = model.parameters.view()
    // Along random directions within each tensor: the change of the loss against the gradient's projection.
    for entry in model.layout.entries where entry.isTrained {
        let key = RandomKey(seed: 77).adding(entry.name)
        let start = parameters.read(entry.range)
        let own = Array(gradients[entry.range])
        let norm = own.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        if norm < 1e-5 { continue }
        // Half the gradient's own direction, half random.
        let direction = own.indices.map {
            Float(Double(own[$0]) / norm + 0.3 * (key.uniform(UInt64($0)) - 0.5) / Double(own.count).squareRoot())
        }
        let projection = zip(own, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        let epsilon: Float = 4e-3
        parameters.write(zip(start, direction).map { $0 + epsilon * $1 }, at: entry.offset)
        let above = try loss(engine, rows, step: 4, weight: 0.5)
        parameters.write(zip(start, direction).map { $0 - epsilon * $1 }, at: entry.offset)
        let below = try loss(engine, rows, step: 4, weight: 0.5)
        parameters.write(start, at: entry.offset)
        let slope = (above - below) / (2 * Double(epsilon))
        #expect(abs(slope - projection) < 0.02 * abs(projection) + 3e-4, "\(entry.name): \(slope) and \(projection)")
    }
}

@Test func `slices share a batch's rows evenly and by a fixed rule`() {
    let lengths = [10, 90, 20, 80, 30, 70, 40, 60, 50]
    let dealt = BatchEngine.deal(lengths, slices: 3)
    #expect(dealt.flatMap { $0 }.sorted() == Array(0..<9))
    #expect(dealt.allSatisfy { $0.count == 3 && $0 == $0.sorted() })
    let tokens = dealt.map { $0.reduce(0) { $0 + lengths[$1] } }
    #expect(tokens.max()! - tokens.min()! <= 30)
    #expect(BatchEngine.deal([5, 5], slices: 4).map(\.count) == [1, 1, 0, 0])
}

@Test func `the number of slices changes rounding only`() throws {
    let model = try BertModel(toyConfig(dropout: 0), seed: 3)
    let source = ArraySource(toyRows(7))
    let rows = (0..<7).map { BatchRow(source: source, row: $0, epoch: 0) }
    var reference: [Float] = []
    for slices in [1, 2, 3, 5, 7] {
        let rules = BatchRules(drpWeight: 1, slices: slices, seed: 9, masking: toyMasking())
        let engine = try BatchEngine(
            model: model, rules: rules, limits: source.limits, batchSize: 7, pool: WorkerPool(threads: 2))
        _ = try engine.gradients(step: nil, rows: rows)
        let found = engine.gradients.read()
        if slices == 1 { reference = found }
        #expect(relativeError(found, reference) < 1e-5)
    }
}
