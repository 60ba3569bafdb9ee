// The model that `pretrain` begins with: fresh, or that of port `init`.

import Container
import Corpus
import Pipeline
import Text
import Transformer

enum PretrainStart {
    /// - Throws: `StageError` or `ModelError` if the model of port `init` does not fit vocabulary, sizes or positions.
    static func model(_ context: StageContext<PretrainConfig>, _ facts: PretrainFacts) throws -> BertModel {
        let config = context.config
        let progress = context.environment.progress
        let size = facts.vocabulary.tokens.count
        let pad = facts.tokens.special.pad
        let seed = UInt64(config.seed)
        guard let start = context.optional(Pretrain.start.name) else {
            guard config.architecture != .initial else {
                throw StageError(
                    "`architecture: init` takes the sizes of the model of port 'init', but none is connected",
                    fix: "connect an `import` of a model: `in: {init: NAME}`, or name a size")
            }
            if let recipe = config.recipe, let name = Recipe.named(recipe).start {
                progress.warning(
                    "recipe \(recipe.rawValue) continues from \(name), but port 'init' is not connected: started at random"
                )
            }
            let shape = config.model(vocabularySize: size, padID: pad)
            return try BertModel(shape, seed: seed, initializer: config.initializer)
        }
        let files = try ModelFiles(artifact: start, place: "init")
        let found = try BertConfig(parsing: files.config, place: "init/config.json")
        let shape = config.model(vocabularySize: size, padID: pad, start: found)
        var tokens: [Int?]?
        switch config.initMismatch {
        case .refuse: try facts.checkVocabulary(of: start)
        case .extend: tokens = try facts.tokenMap(of: start)
        }
        let read = try HuggingFaceModel.read(files, as: shape, seed: seed, tokens: tokens)
        if !read.initialised.isEmpty {
            progress.warning(
                "the model of port 'init' has no \(read.initialised.joined(separator: ", ")): started at random")
        }
        for note in read.notes { progress.message("init: " + note) }
        return read.model
    }
}
