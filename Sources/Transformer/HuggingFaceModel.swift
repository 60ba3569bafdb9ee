// Models in the Hugging Face layout: config.json and weights, read leniently and written one way.

package import Container
import Kernels

/// A model's files, from a directory or an artifact.
package struct ModelFiles: Sendable {
    package let config: JSON
    package let weights: WeightFiles
    /// The directory, or the artifact's name.
    package let place: String

    /// - Throws: `ModelError` if config.json or weights are missing or malformed. Weights are model.safetensors, its
    ///   shards, or pytorch_model.bin, which is read without running anything in it.
    package init(directory: String) throws {
        place = directory
        let path = directory + "/config.json"
        guard Files.exists(path) else {
            throw ModelError(
                "there is no config.json", place: directory, fix: "name a folder that `save_pretrained` wrote")
        }
        config = try JSON(ofModel: try Files.read(path), place: path)
        weights = try WeightFiles(directory: directory)
    }

    /// - Parameter prefix: `""`, or that of an intermediate checkpoint such as `checkpoint-1000/`.
    package init(artifact: StoredArtifact, prefix: String = "", place: String = "checkpoint") throws {
        self.place = place
        func part(_ name: String) throws -> Part {
            guard let part = artifact.part(named: prefix + name) else {
                throw ModelError("the artifact has no part '\(prefix + name)'", place: place)
            }
            return part
        }
        config = try JSON(ofModel: try artifact.bytes(try part("config.json")), place: place + "/config.json")
        let file = try artifact.blobs.expanded(try part("model.safetensors").digest)
        weights = try WeightFiles(TensorFile(file, place: place + "/model.safetensors"))
    }
}

/// A model read from files, and what its reader had to supply.
package struct HuggingFaceModel: Sendable {
    package let model: BertModel
    /// Parameters the files lack, started afresh, in layout order.
    package let initialised: [String]
    /// Tensors of the files that the model has no use for, sorted.
    package let unused: [String]
    /// What was extended, in words; empty where every size fitted.
    package let notes: [String]

    /// Reads a model.
    ///
    /// Accepted: names with or without `bert.`, `LayerNorm.gamma/beta`, a decoder stored beside its tied embedding,
    /// a bare encoder (heads are started afresh and listed), either relation head.
    /// - Parameters:
    ///   - wanted: the shape asked for; nil takes the files' own, relation head included. Dropout rates come from here.
    ///   - seed: for what has to be started afresh.
    ///   - tokens: by token id of `wanted`, the token's id in the files, nil for one they do not know; then vocabulary
    ///     and positions may differ in size. New tokens start afresh; positions beyond the files' repeat theirs from the
    ///     first; fewer are a cut.
    /// - Throws: `ModelError` for other sizes than wanted, naming both, and for tensors of another shape or type.
    package static func read(
        _ files: ModelFiles, as wanted: BertConfig? = nil, seed: UInt64, tokens map: [Int?]? = nil
    ) throws -> HuggingFaceModel {
        var found = try BertConfig(parsing: files.config, place: files.place + "/config.json")
        let tensors = try TensorNames(files.weights)
        if tensors["drp.weight"] != nil {
            found.relationClasses = 3
        } else if let head = tensors["cls.seq_relationship.weight"],
            let classes = files.weights.shape(head)?.first
        {
            found.relationClasses = classes
        } else {
            found.relationClasses = nil
        }
        if let wanted { try compare(found, wanted, files.place, mayExtend: map != nil) }
        let known = found.vocabSize
        let map = map?.map { $0.flatMap { $0 < known ? $0 : nil } }
        let config = wanted ?? found
        try config.validate()
        // Every shape is compared before memory is taken, so that a config cannot ask for more than the files hold.
        let (taken, fresh) = try match(ParameterLayout(config), tensors, files.weights) { entry in
            map.flatMap { RowRule(entry, from: found, to: config, tokens: $0) }
        }
        try checkDecoder(tensors, files.weights)
        let model = try BertModel(zeros: config)
        for (entry, name, rows) in taken {
            var values = try files.weights.floats(name)
            if let rows {
                values = rows.extended(values, entry.startValues(seed: seed, config: config))
            }
            model.parameters.view().write(values, at: entry.offset)
        }
        let used = Set(taken.map(\.name))
        model.layout.initialise(model.parameters.view(), seed: seed, config: config, only: Set(fresh))
        let ignored = ["position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]
        let unused = files.weights.names.filter { name in
            !used.contains(name) && !ignored.contains { name.hasSuffix($0) }
        }
        return HuggingFaceModel(
            model: model, initialised: fresh, unused: unused,
            notes: map.map { RowRule.notes(from: found, to: config, tokens: $0) } ?? [])
    }

    /// The tensors of `model.safetensors`, without the decoder, which is tied to the word embeddings.
    package static func tensors(_ model: BertModel) -> [TensorToWrite] {
        tensors(model, without: [])
    }

    /// The same without some parameters, such as those that the model's files lacked.
    package static func tensors(_ model: BertModel, without names: Set<String>) -> [TensorToWrite] {
        model.layout.entries.filter { !names.contains($0.name) }.map {
            TensorToWrite($0.name, shape: $0.shape, model.parameters.view($0.offset, $0.count))
        }
    }

    /// Which tensor each parameter is read from, and by which rule its rows are; and the parameters that have none.
    private static func match(
        _ layout: ParameterLayout, _ tensors: TensorNames, _ weights: WeightFiles, rule: (ParameterInfo) -> RowRule?
    ) throws(ModelError) -> (taken: [(entry: ParameterInfo, name: String, rows: RowRule?)], fresh: [String]) {
        var fresh: [String] = []
        var taken: [(entry: ParameterInfo, name: String, rows: RowRule?)] = []
        for entry in layout.entries {
            guard let name = tensors[entry.name], !isOtherHead(entry, weights, name) else {
                fresh.append(entry.name)
                continue
            }
            let shape = weights.shape(name) ?? []
            var expected = entry.shape
            let rows = rule(entry)
            if let rows { expected[0] = rows.count }
            guard shape == expected else {
                throw ModelError(
                    "tensor '\(name)' has shape \(shape), the config asks for \(expected)",
                    place: weights.place(of: name), cause: "config.json and the weights are of two models",
                    fix: "take both from one")
            }
            taken.append((entry, name, rows))
        }
        if let lost = fresh.first(where: { $0.hasPrefix("bert.") && !$0.hasPrefix("bert.pooler.") }) {
            throw ModelError(
                "there is no tensor '\(lost)'", place: weights.place,
                cause: "config.json describes a BERT that has it, and only heads are started afresh",
                fix: "take config.json and all weights from one model")
        }
        return (taken, fresh)
    }

    /// Writes `model.safetensors`. The same parameters give the same bytes.
    package static func writeWeights(_ model: BertModel, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        try TensorFile.write(tensors(model), metadata: ["format": "pt"], to: sink)
    }

    /// `config.json`.
    package static func configFile(_ model: BertModel) -> [UInt8] { Array((model.config.json.pretty + "\n").utf8) }

    /// Writes both files into an existing folder.
    package static func write(_ model: BertModel, directory: String) throws {
        try Files.publish(configFile(model), at: directory + "/config.json")
        try Files.publish(at: directory + "/model.safetensors") { file in
            try writeWeights(model) { try file.write($0) }
        }
    }

    private static func compare(
        _ found: BertConfig, _ wanted: BertConfig, _ place: String, mayExtend: Bool
    ) throws(ModelError) {
        let extensible = ["vocab_size", "max_position_embeddings"]
        let sizes = [
            ("vocab_size", found.vocabSize, wanted.vocabSize),
            ("hidden_size", found.hiddenSize, wanted.hiddenSize),
            ("num_hidden_layers", found.numHiddenLayers, wanted.numHiddenLayers),
            ("num_attention_heads", found.numAttentionHeads, wanted.numAttentionHeads),
            ("intermediate_size", found.intermediateSize, wanted.intermediateSize),
            ("max_position_embeddings", found.maxPositionEmbeddings, wanted.maxPositionEmbeddings),
            ("type_vocab_size", found.typeVocabSize, wanted.typeVocabSize),
        ]
        for (name, there, here) in sizes where there != here && !(mayExtend && extensible.contains(name)) {
            let fix =
                switch name {
                case "vocab_size": "import the model's own vocabulary in the `vocabulary` stage, or "
                case "max_position_embeddings": "set max_position_embeddings to \(there), or "
                default: "choose the `architecture` that the model has, or `architecture: init`"
                }
            throw ModelError(
                "\(name) is \(there) in the model, \(here) here", place: place,
                fix: extensible.contains(name) ? fix + "`init_mismatch: extend`" : fix)
        }
    }

    /// A relation head of another number of classes is not this head, whatever its name.
    private static func isOtherHead(_ entry: ParameterInfo, _ file: WeightFiles, _ name: String) -> Bool {
        guard entry.name.hasPrefix("drp.") || entry.name.hasPrefix("cls.seq_relationship.") else { return false }
        return file.shape(name)?.first != entry.shape[0]
    }

    private static func checkDecoder(_ tensors: TensorNames, _ file: WeightFiles) throws {
        guard let decoder = tensors["cls.predictions.decoder.weight"],
            let word = tensors["bert.embeddings.word_embeddings.weight"]
        else { return }
        guard try file.floats(decoder) == file.floats(word) else {
            throw ModelError(
                "the MLM decoder differs from the word embeddings", place: file.place,
                cause: "this model ties them; a decoder of its own would be lost")
        }
    }
}

/// The names a file uses for the layout's names.
private struct TensorNames {
    private var names: [String: String] = [:]

    init(_ file: WeightFiles) throws(ModelError) {
        let isBare = !file.names.contains { $0.hasPrefix("bert.") }
        for name in file.names {
            var own = name
            if isBare, ["embeddings.", "encoder.", "pooler."].contains(where: { name.hasPrefix($0) }) {
                own = "bert." + own
            }
            if own.hasSuffix("LayerNorm.gamma") { own = own.dropLast(5) + "weight" }
            if own.hasSuffix("LayerNorm.beta") { own = own.dropLast(4) + "bias" }
            if own == "cls.predictions.decoder.bias", file.has("cls.predictions.bias") { continue }
            if own == "cls.predictions.decoder.bias" { own = "cls.predictions.bias" }
            if let other = names[own] {
                throw ModelError("tensors '\(other)' and '\(name)' are the same parameter", place: file.place)
            }
            names[own] = name
        }
    }

    subscript(_ name: String) -> String? { names[name] }
}
