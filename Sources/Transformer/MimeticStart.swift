// Start values that give attention, before the first step, what training would have to find first.

import Glibc

/// The constants of the mimetic start. Scores are those of tokens that LayerNorm has brought to unit variance.
private enum Mimetic {
    /// Of the identity that query and key of a head for words are. A word's score with itself is gain² · √(head size) · ½
    /// (the half of the variance that is in the lower half), 16 at head size 64, with a deviation of 2 for other words.
    static let wordGain: Float = 2
    /// Deviation of a row of query and key of a head for places, times the root of the dimensions it reads.
    static let placeGain: Float = 0.85
    /// Score of a token with one of the other segment in a head for types, and less its score with one of its own.
    static let typeScore = 3.0
    /// Of the deviation of all other weights: the rest of query and key of a head for types.
    static let otherShare = 0.5
    /// Deviation of pooler and relation head at most. As large as the rest, chance features of the start drown what
    /// tells relations apart; as small as BERT's 0.02, too little gradient comes through them for thousands of steps.
    static let headLimit = 0.06
}

extension ParameterInfo {
    /// The mimetic start values of this parameter, row-major; nil where they are the normal ones.
    ///
    /// After Trockman and Kolter, "Mimetic Initialization of Self-Attention Layers" (ICML 2023, section 3): query and
    /// key of a head start equal, so that their product is near the identity. Here the identity is cut in two. Positions
    /// start as sinusoids (Vaswani et al., "Attention Is All You Need", 2017, section 3.5) and token types as opposite
    /// normal rows, both in the upper half of the hidden size and as zeros in the lower one, where words are alone.
    /// - The upper half of every layer's heads reads the upper half, and so looks nearby.
    /// - The other heads of the first layer read words, a slice of the lower half each, and so look at the same word
    ///   wherever it stands. What they carry back holds the types of these places: it says whether the other segment
    ///   has the word.
    /// - The other heads of later layers read types, query and key with opposite signs, and so look at the other
    ///   segment: `[CLS]` reads there how many words the segments share.
    /// - Pooler and relation head start smaller than the rest.
    func mimeticValues(seed: UInt64, config: BertConfig) -> [Float]? {
        let range = config.initializerRange
        if name.hasSuffix("position_embeddings.weight") {
            return sinusoids(positions: shape[0], size: shape[1], deviation: range)
        }
        if name == Self.types {
            let type = typeValues(seed: seed, config: config)
            return (0..<count).map { $0 < shape[1] ? type[$0] : -type[$0 % shape[1]] }
        }
        if name.hasPrefix("bert.pooler.") || name.hasPrefix("drp.") || name.hasPrefix("cls.seq_relationship.") {
            return normal(seed, name, deviation: min(range, Mimetic.headLimit))
        }
        for part in ["query", "key"] where name.hasSuffix("attention.self.\(part).weight") {
            return attention(seed, config, isKey: part == "key")
        }
        return nil
    }

    private static var types: String { "bert.embeddings.token_type_embeddings.weight" }

    /// The first token type: zeros in the lower half, normal values in the upper one.
    private func typeValues(seed: UInt64, config: BertConfig) -> [Float] {
        let draw = Self.draws(seed, Self.types)
        return (0..<config.hiddenSize).map {
            $0 < config.hiddenSize / 2 ? 0 : Float(draw($0) * config.initializerRange)
        }
    }

    /// Query or key of a layer.
    private func attention(_ seed: UInt64, _ config: BertConfig, isKey: Bool) -> [Float] {
        let size = shape[1]
        let lower = size / 2
        let headSize = shape[0] / config.numAttentionHeads
        let firstPlaceRow = config.numAttentionHeads / 2 * headSize
        let readsWords = name.contains("layer.0.")
        let ownDraw = Self.draws(seed, name)
        let sharedDraw = Self.draws(seed, isKey ? name.dropLast("key.weight".count) + "query.weight" : name)
        let type = readsWords ? [] : typeReader(seed, config, headSize: headSize, sign: isKey ? -1 : 1)
        let placeDeviation = Mimetic.placeGain / Float(size - lower).squareRoot()
        return (0..<count).map { element in
            let (row, column) = element.quotientAndRemainder(dividingBy: size)
            if row >= firstPlaceRow { return column < lower ? 0 : Float(sharedDraw(element)) * placeDeviation }
            if readsWords { return row == column ? Mimetic.wordGain : 0 }
            let other = Float(ownDraw(element) * config.initializerRange * Mimetic.otherShare)
            return row % headSize == 0 ? other + type[column] : other
        }
    }

    /// The row that reads the type of a token, so long that query and key of opposite sign give `typeScore`.
    private func typeReader(_ seed: UInt64, _ config: BertConfig, headSize: Int, sign: Float) -> [Float] {
        let type = typeValues(seed: seed, config: config)
        let norm = type.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // After LayerNorm a quarter of a token's squared length, which is the hidden size, is its type.
        let length = (Mimetic.typeScore * Double(headSize).squareRoot() * 4 / Double(config.hiddenSize)).squareRoot()
        return type.map { sign * Float(length) * $0 / max(norm, .leastNormalMagnitude) }
    }
}

/// Zeros in the lower half of a row, then sines, then cosines; these have the root mean square `deviation`.
/// Row-major (positions, size).
private func sinusoids(positions: Int, size: Int, deviation: Double) -> [Float] {
    let lower = size / 2
    let sines = (size - lower + 1) / 2
    let amplitude = deviation * 2.0.squareRoot()
    var values: [Float] = []
    values.reserveCapacity(positions * size)
    for position in 0..<positions {
        values.append(contentsOf: repeatElement(0, count: lower))
        for column in 0..<size - lower {
            let angle = Double(position) * pow(10_000, -Double(column % sines) / Double(sines))
            values.append(Float(amplitude * (column < sines ? sin(angle) : cos(angle))))
        }
    }
    return values
}
