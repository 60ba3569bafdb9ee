// Start values: truncated normal for weights, ones and zeros for LayerNorm, zeros for biases, each a pure function of
// (seed, parameter name, element), so that a model with another head starts from the same encoder.

import Glibc
package import Kernels

/// How the weights of a fresh model start.
package enum Initializer: String, CaseIterable, Sendable {
    /// All normal, as BERT.
    case normal
    /// Attention that looks from the first step at words nearby, the same word elsewhere and the other segment:
    /// `ParameterInfo.mimeticValues`.
    case mimetic
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
        if initializer == .mimetic, let values = mimeticValues(seed: seed, config: config) { return values }
        return normal(seed, name, deviation: config.initializerRange)
    }

    /// Normal values drawn under `name`, row-major.
    func normal(_ seed: UInt64, _ name: String, deviation: Double) -> [Float] {
        let draw = Self.draws(seed, name)
        return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            for element in 0..<count { buffer[element] = Float(draw(element) * deviation) }
            filled = count
        }
    }

    /// The standard normal draws of a name, by element.
    static func draws(_ seed: UInt64, _ name: String) -> (Int) -> Double {
        let key = RandomKey(seed: seed).adding("initialise").adding(name)
        return { truncatedNormal(key.adding(UInt64($0))) }
    }
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
