// config.json as Hugging Face reads and writes it, plus Linkloom's facts about the relation head under `drp`.

package import Container

extension BertConfig {
    /// The config as `config.json`. `AutoModel` and its kin read it as a plain BERT; `drp` names the classes of a
    /// 3-way relation head, which lies in `drp.weight` and `drp.bias`.
    package var json: JSON {
        var object: [String: JSON] = [
            "architectures": [.string(relationClasses == nil ? "BertForMaskedLM" : "BertForPreTraining")],
            "attention_probs_dropout_prob": .number(attentionProbsDropoutProb),
            "hidden_act": "gelu",
            "hidden_dropout_prob": .number(hiddenDropoutProb),
            "hidden_size": JSON(hiddenSize),
            "initializer_range": .number(initializerRange),
            "intermediate_size": JSON(intermediateSize),
            "layer_norm_eps": .number(layerNormEps),
            "max_position_embeddings": JSON(maxPositionEmbeddings),
            "model_type": "bert",
            "num_attention_heads": JSON(numAttentionHeads),
            "num_hidden_layers": JSON(numHiddenLayers),
            "pad_token_id": JSON(padTokenID),
            "tie_word_embeddings": true,
            "torch_dtype": "float32",
            "type_vocab_size": JSON(typeVocabSize),
            "vocab_size": JSON(vocabSize),
        ]
        if relationClasses == 3 {
            object["drp"] = ["classes": 3, "labels": JSON(Self.relationNames(3))]
        }
        return .object(object)
    }

    /// Reads `config.json`. The relation head is what `drp` says; callers that see the tensors know better.
    /// - Throws: `ModelError` naming the key for another kind of model, a missing size or a feature this encoder
    ///   does not have.
    package init(parsing json: JSON, place: String) throws(ModelError) {
        func fail(
            _ message: String, cause: String? = nil, fix: String = "take the config.json that the weights came with"
        ) -> ModelError {
            ModelError(message, place: place, cause: cause, fix: fix)
        }
        let encoders = "name the folder of a BERT encoder with absolute positions"
        func size(_ key: String, default fallback: Int? = nil) throws(ModelError) -> Int {
            guard let value = json[key], value != .null else {
                if let fallback { return fallback }
                throw fail("'\(key)' is missing", cause: "the weights alone do not tell it")
            }
            guard let number = value.int, let size = Int(exactly: number) else {
                throw fail("'\(key)' is not a whole number")
            }
            return size
        }
        func rate(_ key: String, default fallback: Double) throws(ModelError) -> Double {
            guard let value = json[key], value != .null else { return fallback }
            guard let number = value.double else { throw fail("'\(key)' is not a number") }
            return number
        }
        func expect(_ key: String, _ allowed: [String]) throws(ModelError) {
            guard let value = json[key], value != .null else { return }
            guard let name = value.string, allowed.contains(name) else {
                let shown = value.string ?? String(decoding: value.canonical, as: UTF8.self)
                throw fail(
                    "'\(key)' is '\(shown)'; this encoder has \(allowed.joined(separator: ", "))",
                    cause: "the same weights would compute something else", fix: encoders)
            }
        }
        guard json.object != nil else { throw fail("the config is not a JSON object") }
        try expect("model_type", ["bert"])
        try expect("hidden_act", ["gelu"])
        try expect("position_embedding_type", ["absolute"])
        if json["model_type"]?.string == nil, let names = json["architectures"]?.array?.compactMap(\.string),
            let name = names.first, !name.hasPrefix("Bert")
        {
            throw fail(
                "'architectures' names '\(name)', which is no BERT",
                cause: "the same weights would compute something else", fix: encoders)
        }
        for key in ["is_decoder", "add_cross_attention"] where json[key]?.bool == true {
            throw fail(
                "'\(key)' is true", cause: "a decoder reads its words in another way than this encoder", fix: encoders)
        }
        if json["tie_word_embeddings"]?.bool == false {
            throw fail(
                "'tie_word_embeddings' is false", cause: "the MLM decoder is the word embedding itself", fix: encoders)
        }
        self.init(
            vocabSize: try size("vocab_size"), hiddenSize: try size("hidden_size"),
            numHiddenLayers: try size("num_hidden_layers"), numAttentionHeads: try size("num_attention_heads"),
            intermediateSize: try size("intermediate_size"), relationClasses: nil)
        maxPositionEmbeddings = try size("max_position_embeddings", default: 512)
        typeVocabSize = try size("type_vocab_size", default: 2)
        padTokenID = try size("pad_token_id", default: 0)
        hiddenDropoutProb = try rate("hidden_dropout_prob", default: 0.1)
        attentionProbsDropoutProb = try rate("attention_probs_dropout_prob", default: 0.1)
        layerNormEps = try rate("layer_norm_eps", default: 1e-12)
        initializerRange = try rate("initializer_range", default: 0.02)
        relationClasses = json["drp"]?["classes"]?.int.flatMap { Int(exactly: $0) }
        try validate()
    }
}
