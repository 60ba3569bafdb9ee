// Start values: truncated normal for weights, ones and zeros for LayerNorm, zeros for biases, each a pure function of
// (seed, parameter name, element), so that a model with another head starts from the same encoder.

import Glibc
package import Kernels

/// How the weights of a fresh model start.
package enum Initializer: String, CaseIterable, Sendable {
    /// All normal, as BERT.
    case normal
    /// Attention that looks from the first step at words nearby and at the same word elsewhere.
    ///
    /// After Trockman and Kolter, "Mimetic Initialization of Self-Attention Layers" (ICML 2023, section 3): query and key
    /// of a head start equal, so that their product is near the identity. Here the identity is cut in two. Positions
    /// start as sinusoids (Vaswani et al., "Attention Is All You Need", 2017, section 3.5) in the upper half of the
    /// hidden size and as zeros in the lower one; the upper half of every layer's heads reads the upper half, and so
    /// looks nearby; in the first layer the other heads read the lower half, where words are all there is, and so look
    /// at the same word elsewhere. The two token types start opposite, and what the relation head learns from starts
    /// small, so that chance features of the start do not drown it.
    case mimetic
}

/// The constants of `mimetic`.
private enum Mimetic {
    /// Deviation of a row of query and key, times the root of the dimensions it reads. A token's score with itself is
    /// gain² · √(head size) once LayerNorm has brought it to unit variance: 8 at head size 64 and gain 1.
    static let wordGain = 1.0
    static let placeGain = 0.85
    /// Of the deviation of all other weights.
    static let typeShare = 2.0 / 3
    static let otherHeadShare = 0.5
    /// Deviation of pooler and relation head at most: BERT's.
    static let headLimit = 0.02
}

extension ParameterInfo {
    /// The start values of this parameter, row-major.
    ///
    /// Normal values have standard deviation `config.initializerRange`, with draws beyond two deviations redrawn, as
    /// BERT's `truncated_normal_initializer`.
    func startValues(seed: UInt64, config: BertConfig, initializer: Initializer = .normal) -> [Float] {
        switch start {
        case .zero: return [Float](repeating: 0, count: count)
        case .one: return [Float](repeating: 1, count: count)
        case .normal: break
        }
        let range = config.initializerRange
        guard initializer == .mimetic else { return normal(seed, name, deviation: range) }
        if name.hasSuffix("position_embeddings.weight") {
            return sinusoids(positions: shape[0], size: shape[1], deviation: range)
        }
        if name.hasSuffix("token_type_embeddings.weight") {
            let values = normal(seed, name, deviation: range * Mimetic.typeShare)
            return (0..<count).map { $0 < shape[1] ? values[$0] : -values[$0 % shape[1]] }
        }
        if name.hasPrefix("bert.pooler.") || name.hasPrefix("drp.") || name.hasPrefix("cls.seq_relationship.") {
            return normal(seed, name, deviation: min(range, Mimetic.headLimit))
        }
        for part in ["query", "key"] where name.hasSuffix("attention.self.\(part).weight") {
            return attention(seed, config, shared: name.dropLast("\(part).weight".count) + "query.weight")
        }
        return normal(seed, name, deviation: range)
    }

    /// Query or key of a layer; `shared` names the draws of the heads that are equal in both.
    private func attention(_ seed: UInt64, _ config: BertConfig, shared: String) -> [Float] {
        let size = shape[1]
        let lower = size / 2
        let headSize = shape[0] / config.numAttentionHeads
        let isFirst = name.contains("layer.0.")
        let own = normal(seed, name, deviation: config.initializerRange * Mimetic.otherHeadShare)
        let equal = normal(seed, shared, deviation: 1)
        return (0..<count).map { element in
            let (row, column) = element.quotientAndRemainder(dividingBy: size)
            let readsPlaces = row / headSize >= (config.numAttentionHeads + 1) / 2
            if !readsPlaces && !isFirst { return own[element] }
            guard readsPlaces == (column >= lower) else { return 0 }
            let gain = readsPlaces ? Mimetic.placeGain : Mimetic.wordGain
            return equal[element] * Float(gain / Double(readsPlaces ? size - lower : lower).squareRoot())
        }
    }

    private func normal(_ seed: UInt64, _ name: String, deviation: Double) -> [Float] {
        let key = RandomKey(seed: seed).adding("initialise").adding(name)
        return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            for element in 0..<count {
                buffer[element] = Float(truncatedNormal(key.adding(UInt64(element))) * deviation)
            }
            filled = count
        }
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

/// A standard normal within ±2, by Box–Muller with rejection over the draws of one key.
private func truncatedNormal(_ key: RandomKey) -> Double {
    var draw: UInt64 = 0
    while true {
        let radius = (-2 * log(1 - key.uniform(draw))).squareRoot()
        let angle = 2 * Double.pi * key.uniform(draw + 1)
        for candidate in [radius * cos(angle), radius * sin(angle)] where abs(candidate) <= 2 { return candidate }
        draw += 2
    }
}

extension ParameterLayout {
    /// Writes the start values of the named parameters (all if nil) into `parameters`.
    package func initialise(
        _ parameters: FloatView, seed: UInt64, config: BertConfig, initializer: Initializer = .normal,
        only names: Set<String>? = nil
    ) {
        for entry in entries where names?.contains(entry.name) ?? true {
            let values = entry.startValues(seed: seed, config: config, initializer: initializer)
            parameters.write(values, at: entry.offset)
        }
    }
}
