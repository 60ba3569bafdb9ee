// Named views into a flat buffer over the parameter layout: the same struct reads parameters and writes gradients.

import Kernels

/// A dense layer or a LayerNorm: weight and bias.
struct Affine {
    let weight: FloatView
    let bias: FloatView
}

/// Parameters or gradients of one encoder layer. H hidden, I intermediate size.
struct LayerWeights {
    /// (3H, H) and (3H): query, key, value back to back.
    let qkv: Affine
    /// (H, H).
    let attentionOutput: Affine
    let attentionNorm: Affine
    /// (I, H).
    let intermediate: Affine
    /// (H, I).
    let output: Affine
    let outputNorm: Affine

    /// (H, H) and (H): the query's share of `qkv`; (2H, H) and (2H): key and value.
    var query: Affine { share(0, 1) }
    var keyValue: Affine { share(1, 2) }

    private func share(_ first: Int, _ count: Int) -> Affine {
        let h = qkv.bias.count / 3
        return Affine(
            weight: qkv.weight.slice(first * h * h, count * h * h), bias: qkv.bias.slice(first * h, count * h))
    }
}

/// Parameters or gradients of the whole model; the views keep the buffer alive no longer than its owner does.
struct Weights {
    /// (V, H); also the decoder of the MLM head.
    let word: FloatView
    let position: FloatView
    let type: FloatView
    let embeddingNorm: Affine
    let layers: [LayerWeights]
    let pooler: Affine
    let transform: Affine
    let transformNorm: Affine
    /// (V).
    let decoderBias: FloatView
    /// (classes, H); nil without a relation head.
    let relation: Affine?

    /// - Parameters:
    ///   - buffer: the floats of the layout from `base` on.
    ///   - shared: the word embeddings where `buffer` does not hold them.
    init(
        _ buffer: FloatView, _ layout: ParameterLayout, _ config: BertConfig, from base: Int = 0,
        word shared: FloatView? = nil
    ) {
        precondition(buffer.count == layout.count - base, "a buffer of \(buffer.count) floats for \(layout.count)")
        func view(_ name: String) -> FloatView {
            let entry = layout.entry(name)
            return buffer.slice(entry.offset - base, entry.count)
        }
        func affine(_ name: String) -> Affine { Affine(weight: view(name + ".weight"), bias: view(name + ".bias")) }
        word = shared ?? view("bert.embeddings.word_embeddings.weight")
        position = view("bert.embeddings.position_embeddings.weight")
        type = view("bert.embeddings.token_type_embeddings.weight")
        embeddingNorm = affine("bert.embeddings.LayerNorm")
        layers = (0..<config.numHiddenLayers).map { layer in
            let prefix = "bert.encoder.layer.\(layer)."
            let query = prefix + "attention.self.query"
            let h = config.hiddenSize
            return LayerWeights(
                qkv: Affine(
                    weight: buffer.slice(layout.entry(query + ".weight").offset - base, 3 * h * h),
                    bias: buffer.slice(layout.entry(query + ".bias").offset - base, 3 * h)),
                attentionOutput: affine(prefix + "attention.output.dense"),
                attentionNorm: affine(prefix + "attention.output.LayerNorm"),
                intermediate: affine(prefix + "intermediate.dense"),
                output: affine(prefix + "output.dense"),
                outputNorm: affine(prefix + "output.LayerNorm"))
        }
        pooler = affine("bert.pooler.dense")
        transform = affine("cls.predictions.transform.dense")
        transformNorm = affine("cls.predictions.transform.LayerNorm")
        decoderBias = view("cls.predictions.bias")
        relation = config.relationClasses.map { affine(ParameterLayout.relationName($0)) }
    }
}
