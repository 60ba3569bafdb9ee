// Start values: truncated normal for weights, ones and zeros for LayerNorm, zeros for biases, each a pure function of
// (seed, parameter name, element), so that a model with another head starts from the same encoder.

import Glibc
package import Kernels

extension ParameterInfo {
    /// The start values of this parameter, row-major.
    ///
    /// `normal` is a normal of standard deviation `range` with draws beyond two deviations redrawn, as BERT's
    /// `truncated_normal_initializer`.
    func startValues(seed: UInt64, range: Double) -> [Float] {
        switch start {
        case .zero: return [Float](repeating: 0, count: count)
        case .one: return [Float](repeating: 1, count: count)
        case .normal:
            let key = RandomKey(seed: seed).adding("initialise").adding(name)
            return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
                for element in 0..<count {
                    buffer[element] = Float(truncatedNormal(key.adding(UInt64(element))) * range)
                }
                filled = count
            }
        }
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
        _ parameters: FloatView, seed: UInt64, range: Double, only names: Set<String>? = nil
    ) {
        for entry in entries where names?.contains(entry.name) ?? true {
            parameters.write(entry.startValues(seed: seed, range: range), at: entry.offset)
        }
    }
}
