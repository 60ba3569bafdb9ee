// What training computes its matrix products in.

import Kernels

/// The precision of the factors of matrix products. Sums, parameters, gradients, moments, softmax, LayerNorm and losses are
/// fp32 in every case.
/// - Source: Kalamkar et al. 2019, A Study of BFLOAT16 for Deep Learning Training (arXiv 1905.12322).
package enum TrainingPrecision: String, CaseIterable, Sendable {
    case fp32
    case bf16

    var device: Device.Precision {
        switch self {
        case .fp32: .fp32
        case .bf16: .bf16
        }
    }

    /// Why this machine cannot train in it, and what to do; nil where it can.
    package var obstacle: (cause: String, fix: String)? {
        obstacle(canBF16: Device.cpu(.bf16) != nil, namesLibrary: Device.cpu.cblas != nil)
    }

    package func obstacle(canBF16: Bool, namesLibrary: Bool) -> (cause: String, fix: String)? {
        guard self == .bf16 else { return nil }
        guard canBF16 else {
            return (
                "this CPU (\(Device.cpu.cpuKind)) has no AVX-512 BF16",
                "use fp32, or a machine that has it: AMD Zen 4, Intel Cooper Lake or Sapphire Rapids, for example"
            )
        }
        return namesLibrary
            ? ("\(Numerics.libraryVariable) names a library of fp32 products", "use fp32, or unset the variable") : nil
    }
}
