// Start values: truncated normal for weights, ones and zeros for LayerNorm, zeros for biases, each a pure function of
// (seed, parameter name, element), so that a model with another head starts from the same encoder.

import Glibc
package import Kernels

/// How the weights of a fresh model start.
package enum Initializer: String, CaseIterable, Sendable {
    /// All normal, as BERT.
    case normal
    /// Attention that looks from the first step at the same word elsewhere and at words nearby: query and key of a
    /// layer start equal, so that their product is near the identity, and positions start as sinusoids (Trockman and
    /// Kolter, "Mimetic Initialization of Self-Attention Layers", ICML 2023, section 3; the sinusoids are those of
    /// Vaswani et al., "Attention Is All You Need", 2017, section 3.5). The values' and outputs' products stay random.
    case mimetic

    /// A token's score with itself is about `8 · gain² · √(head size / 64)` once LayerNorm has brought it to unit
    /// variance: here 5, the weight of 150 unrelated tokens, about as many as a short row has.
    static let attentionGain = 0.8
}

extension ParameterInfo {
    /// The start values of this parameter, row-major.
    ///
    /// Normal values have standard deviation `range`, with draws beyond two deviations redrawn, as BERT's
    /// `truncated_normal_initializer`.
    func startValues(seed: UInt64, range: Double, initializer: Initializer = .normal) -> [Float] {
        switch start {
        case .zero: return [Float](repeating: 0, count: count)
        case .one: return [Float](repeating: 1, count: count)
        case .normal: break
        }
        guard initializer == .mimetic else { return normal(seed: seed, drawsOf: name, deviation: range) }
        if name.hasSuffix("position_embeddings.weight") {
            return sinusoids(positions: shape[0], size: shape[1], deviation: range)
        }
        for part in ["query", "key"] where name.hasSuffix("attention.self.\(part).weight") {
            let layer = String(name.dropLast("\(part).weight".count))
            let deviation = Initializer.attentionGain / Double(shape[1]).squareRoot()
            return normal(seed: seed, drawsOf: layer + "query.weight", deviation: deviation)
        }
        return normal(seed: seed, drawsOf: name, deviation: range)
    }

    private func normal(seed: UInt64, drawsOf name: String, deviation: Double) -> [Float] {
        let key = RandomKey(seed: seed).adding("initialise").adding(name)
        return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            for element in 0..<count {
                buffer[element] = Float(truncatedNormal(key.adding(UInt64(element))) * deviation)
            }
            filled = count
        }
    }
}

/// Sines in the first half of a row, cosines in the second, with the root mean square `deviation`; (positions, size).
private func sinusoids(positions: Int, size: Int, deviation: Double) -> [Float] {
    let half = (size + 1) / 2
    let amplitude = deviation * 2.0.squareRoot()
    var values: [Float] = []
    values.reserveCapacity(positions * size)
    for position in 0..<positions {
        for column in 0..<size {
            let frequency = pow(10_000, -Double(column % half) / Double(half))
            let angle = Double(position) * frequency
            values.append(Float(amplitude * (column < half ? sin(angle) : cos(angle))))
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
        _ parameters: FloatView, seed: UInt64, range: Double, initializer: Initializer = .normal,
        only names: Set<String>? = nil
    ) {
        for entry in entries where names?.contains(entry.name) ?? true {
            let values = entry.startValues(seed: seed, range: range, initializer: initializer)
            parameters.write(values, at: entry.offset)
        }
    }
}
