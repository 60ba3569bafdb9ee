// The one table of the model's parameters: name, shape, place in the flat buffers, start value, decayed or not.
// Parameters, gradients and both Adam moments are four buffers over this table, so they cannot drift apart.

/// One parameter tensor inside the flat buffers.
package struct ParameterInfo: Sendable, Equatable {
    package enum Start: Sendable, Equatable { case normal, zero, one }

    /// As in the state dict of Hugging Face's `BertForPreTraining`; the 3-way head is `drp`.
    package let name: String
    package let shape: [Int]
    /// First float in the flat buffers.
    package let offset: Int
    /// Whether AdamW's weight decay touches it: no biases, no LayerNorm.
    package let isDecayed: Bool
    /// Whether the objective reaches it; the pooler without a relation head is kept but never updated.
    package let isTrained: Bool
    package let start: Start

    package var count: Int { shape.reduce(1, *) }
    package var range: Range<Int> { offset..<offset + count }
}

/// Where every parameter of a config lies.
///
/// Tensors begin on 64-byte borders, but query, key and value lie back to back, weights then biases, so that one
/// (3H, H) product computes all three. Gaps hold zeros for ever: their gradients are zero. The decoder of the MLM
/// head is the word embedding itself and is stored once.
package struct ParameterLayout: Sendable, Equatable {
    package let entries: [ParameterInfo]
    /// Floats of one flat buffer, gaps included.
    package let count: Int
    private let index: [String: Int]

    package init(_ config: BertConfig) {
        let h = config.hiddenSize
        let i = config.intermediateSize
        var builder = Builder()
        let embeddings = "bert.embeddings."
        builder.add(embeddings + "word_embeddings.weight", [config.vocabSize, h])
        builder.add(embeddings + "position_embeddings.weight", [config.maxPositionEmbeddings, h])
        builder.add(embeddings + "token_type_embeddings.weight", [config.typeVocabSize, h])
        builder.addNorm(embeddings + "LayerNorm", h)
        for layer in 0..<config.numHiddenLayers {
            let prefix = "bert.encoder.layer.\(layer)."
            let own = prefix + "attention.self."
            builder.align()
            for name in ["query", "key", "value"] { builder.add(own + name + ".weight", [h, h], aligned: false) }
            builder.align()
            for name in ["query", "key", "value"] {
                builder.add(own + name + ".bias", [h], start: .zero, aligned: false)
            }
            builder.addDense(prefix + "attention.output.dense", [h, h])
            builder.addNorm(prefix + "attention.output.LayerNorm", h)
            builder.addDense(prefix + "intermediate.dense", [i, h])
            builder.addDense(prefix + "output.dense", [h, i])
            builder.addNorm(prefix + "output.LayerNorm", h)
        }
        let hasRelation = config.relationClasses != nil
        builder.addDense("bert.pooler.dense", [h, h], isTrained: hasRelation)
        builder.addDense("cls.predictions.transform.dense", [h, h])
        builder.addNorm("cls.predictions.transform.LayerNorm", h)
        builder.add("cls.predictions.bias", [config.vocabSize], start: .zero)
        if let classes = config.relationClasses {
            builder.addDense(ParameterLayout.relationName(classes), [classes, h])
        }
        builder.align()
        entries = builder.entries
        count = builder.offset
        index = Dictionary(uniqueKeysWithValues: builder.entries.enumerated().map { ($1.name, $0) })
    }

    /// The relation head's name: BERT's for two classes, Linkloom's own for three.
    package static func relationName(_ classes: Int) -> String { classes == 2 ? "cls.seq_relationship" : "drp" }

    /// Parameters of the model, gaps not counted.
    package var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

    /// Where the word embeddings, which come first, have ended.
    var wordEnd: Int { entries[1].offset }

    package subscript(_ name: String) -> ParameterInfo? { index[name].map { entries[$0] } }

    /// The entry of a name that the layout surely has.
    package func entry(_ name: String) -> ParameterInfo {
        guard let found = self[name] else { preconditionFailure("the layout has no parameter \(name)") }
        return found
    }

    private struct Builder {
        var entries: [ParameterInfo] = []
        var offset = 0

        mutating func align() { offset = (offset + 15) & ~15 }

        mutating func add(
            _ name: String, _ shape: [Int], start: ParameterInfo.Start = .normal, aligned: Bool = true,
            isTrained: Bool = true
        ) {
            if aligned { align() }
            let entry = ParameterInfo(
                name: name, shape: shape, offset: offset, isDecayed: start == .normal, isTrained: isTrained,
                start: start)
            entries.append(entry)
            offset += entry.count
        }

        mutating func addDense(_ name: String, _ shape: [Int], isTrained: Bool = true) {
            add(name + ".weight", shape, isTrained: isTrained)
            add(name + ".bias", [shape[0]], start: .zero, isTrained: isTrained)
        }

        mutating func addNorm(_ name: String, _ size: Int) {
            add(name + ".weight", [size], start: .one)
            add(name + ".bias", [size], start: .zero)
        }
    }
}
