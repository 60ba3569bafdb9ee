// How the learning rate moves over a run.

import Glibc

/// The factor on the peak learning rate, after a linear warm-up that all of them share.
package enum LearningRateSchedule: String, CaseIterable, Sendable {
    /// From the peak to 0 after the last step.
    /// - Source: `get_linear_schedule_with_warmup` of transformers; LinkBERT, appendix B.
    case linear
    /// Half a cosine from the peak to 0 after the last step.
    /// - Source: `get_cosine_schedule_with_warmup` of transformers (Loshchilov & Hutter 2017, arXiv 1608.03983).
    case cosine
    /// The peak.
    case constant
    /// From the peak before the first step to 0 after the last, cut off by the warm-up: right after a warm-up of 1%
    /// the rate is 99% of the peak.
    /// - Source: google-research/bert `optimization.py`, polynomial decay of power 1.
    case linearFromStart = "linear-from-start"

    /// The factor of a step (1, 2, …). The first step already learns.
    package func factor(step: Int, warmup: Int, steps: Int) -> Double {
        if step <= warmup { return Double(step) / Double(warmup) }
        let (done, rest) = (Double(step - warmup - 1), Double(max(1, steps - warmup)))
        switch self {
        case .linear: return Double(steps - step + 1) / rest
        case .cosine: return 0.5 * (1 + cos(.pi * done / rest))
        case .constant: return 1
        case .linearFromStart: return Double(steps - step + 1) / Double(max(1, steps))
        }
    }
}

/// How AdamW's update is put together.
package enum AdamVariant: String, CaseIterable, Sendable {
    /// As `torch.optim.AdamW`: decay first, epsilon beside the corrected root of the second moment.
    case torch
    /// As the AdamW of transformers up to version 4: the bias corrections scale the rate, so epsilon stands beside
    /// the uncorrected root, and decay comes last.
    case transformers
}

/// The numbers that make the one AdamW kernel compute either variant, with or without bias correction.
///
/// The kernel computes `p −= r·d·p; p −= r·(m/c1)/(√(v/c2) + e)`. The variant of transformers computes
/// `p −= r·√c2/c1·m/(√v + e); p −= r·d·p`, which is the same with e / √c2 for e, r·(1 − r·d) for r and
/// d / (1 − r·d) for d.
struct AdamNumbers: Equatable {
    var rate: Double
    var decay: Double
    var epsilon: Double
    var correction1 = 1.0
    var correction2 = 1.0

    init(_ settings: TrainingSettings, rate: Double, step: Int) {
        self.rate = rate
        decay = settings.weightDecay
        epsilon = settings.adamEpsilon
        if settings.adamBiasCorrection {
            correction1 = 1 - power(settings.adamBeta1, step)
            correction2 = 1 - power(settings.adamBeta2, step)
        }
        if settings.adamVariant == .transformers {
            let kept = 1 - rate * settings.weightDecay
            self.rate *= kept
            decay /= kept
            epsilon /= correction2.squareRoot()
        }
    }
}

/// `base` to a whole power, by squaring: the same on every C library.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
