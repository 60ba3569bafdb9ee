// The shape of a BERT encoder and its heads, under BERT's published names, with the published sizes as presets.

/// What training asks of the model.
package enum Objective: String, CaseIterable, Sendable {
    /// Masked language modelling plus 3-way document relation prediction (LinkBERT).
    case linkbert
    /// Masked language modelling plus 2-way next sentence prediction (BERT).
    case bert
    /// Masked language modelling alone.
    case mlm

    /// Classes of the relation head; nil without one.
    package var relationClasses: Int? {
        switch self {
        case .linkbert: 3
        case .bert: 2
        case .mlm: nil
        }
    }
}

/// The published BERT sizes.
/// - Source: google-research/bert README (Tiny to Medium: Turc et al. 2019, arXiv 1908.08962).
package enum Architecture: String, CaseIterable, Sendable {
    case tiny, mini, small, medium, base, large

    /// (layers, hidden size, heads, intermediate size).
    package var shape: (layers: Int, hidden: Int, heads: Int, intermediate: Int) {
        switch self {
        case .tiny: (2, 128, 2, 512)
        case .mini: (4, 256, 4, 1024)
        case .small: (4, 512, 8, 2048)
        case .medium: (8, 512, 8, 2048)
        case .base: (12, 768, 12, 3072)
        case .large: (24, 1024, 16, 4096)
        }
    }

    /// The peak learning rate used where the config gives none: high for small models and falling with size, as in
    /// published recipes, and below those of large-batch runs because batches on a CPU are small.
    package var defaultLearningRate: Double {
        switch self {
        case .tiny, .mini: 1e-3
        case .small, .medium: 5e-4
        case .base: 2e-4
        case .large: 1e-4
        }
    }
}

/// Sizes and rates of a BERT model. Legend for shapes: V vocabulary, H hidden, NH heads, HS = H / NH, L layers.
package struct BertConfig: Sendable, Equatable {
    package var vocabSize: Int
    package var hiddenSize: Int
    package var numHiddenLayers: Int
    package var numAttentionHeads: Int
    package var intermediateSize: Int
    package var maxPositionEmbeddings = 512
    package var typeVocabSize = 2
    package var hiddenDropoutProb = 0.1
    package var attentionProbsDropoutProb = 0.1
    package var layerNormEps = 1e-12
    package var initializerRange = 0.02
    package var padTokenID = 0
    /// Classes of the relation head on the pooled `[CLS]`: 3 (`drp`), 2 (`cls.seq_relationship`) or nil (no head).
    package var relationClasses: Int?

    package init(
        vocabSize: Int, hiddenSize: Int, numHiddenLayers: Int, numAttentionHeads: Int, intermediateSize: Int,
        relationClasses: Int? = 3
    ) {
        self.vocabSize = vocabSize
        self.hiddenSize = hiddenSize
        self.numHiddenLayers = numHiddenLayers
        self.numAttentionHeads = numAttentionHeads
        self.intermediateSize = intermediateSize
        self.relationClasses = relationClasses
    }

    package init(_ architecture: Architecture, vocabSize: Int, relationClasses: Int? = 3) {
        let shape = architecture.shape
        self.init(
            vocabSize: vocabSize, hiddenSize: shape.hidden, numHiddenLayers: shape.layers,
            numAttentionHeads: shape.heads, intermediateSize: shape.intermediate, relationClasses: relationClasses)
    }

    package var headSize: Int { hiddenSize / numAttentionHeads }

    /// Most layers, and most parameters, that a config may ask for: several times the largest BERT, and few enough that no
    /// arithmetic on sizes overflows.
    package static let mostLayers = 1024
    package static let mostParameters = 1 << 34

    /// The names of the relation head's classes, in id order; BERT's ids 0 and 1 keep their meaning.
    package static func relationNames(_ classes: Int) -> [String] {
        Array(["contiguous", "random", "linked"].prefix(classes))
    }

    /// - Throws: `ModelError` for sizes that no model can have.
    package func validate() throws(ModelError) {
        let sizes = [
            ("vocab_size", vocabSize), ("hidden_size", hiddenSize), ("num_hidden_layers", numHiddenLayers),
            ("num_attention_heads", numAttentionHeads), ("intermediate_size", intermediateSize),
            ("max_position_embeddings", maxPositionEmbeddings), ("type_vocab_size", typeVocabSize),
        ]
        for (name, size) in sizes {
            let most = name == "num_hidden_layers" ? Self.mostLayers : 1 << 24
            guard size >= 1, size <= most else {
                throw ModelError("\(name) is \(size); it must lie in 1...\(most)")
            }
        }
        let h = Double(hiddenSize)
        let words = Double(vocabSize) + Double(maxPositionEmbeddings) + Double(typeVocabSize)
        let parameters = h * words + Double(numHiddenLayers) * h * (4 * h + 2 * Double(intermediateSize))
        guard parameters <= Double(Self.mostParameters) else {
            throw ModelError(
                "a model of these sizes would have \(Int(parameters / 1e9)) billion parameters; the most is "
                    + "\(Self.mostParameters / 1_000_000_000) billion",
                cause: "hidden_size \(hiddenSize), num_hidden_layers \(numHiddenLayers), intermediate_size "
                    + "\(intermediateSize), vocab_size \(vocabSize), max_position_embeddings \(maxPositionEmbeddings)")
        }
        guard hiddenSize % numAttentionHeads == 0 else {
            throw ModelError(
                "hidden_size \(hiddenSize) is not a multiple of num_attention_heads \(numAttentionHeads)",
                cause: "every head takes an equal share of the hidden vector")
        }
        for (name, rate) in [
            ("hidden_dropout_prob", hiddenDropoutProb), ("attention_probs_dropout_prob", attentionProbsDropoutProb),
        ] where !(rate >= 0 && rate < 1) {
            throw ModelError("\(name) is \(rate); it must lie in 0..<1")
        }
        guard layerNormEps > 0, layerNormEps < 1 else {
            throw ModelError("layer_norm_eps is \(layerNormEps); it must lie between 0 and 1")
        }
        guard initializerRange >= 0, initializerRange <= 1 else {
            throw ModelError("initializer_range is \(initializerRange); it must lie in 0...1")
        }
        if let classes = relationClasses, classes != 2, classes != 3 {
            throw ModelError("a relation head has 2 or 3 classes, not \(classes)")
        }
    }
}
