// Dropout as a pure function of (seed, element): nothing is stored between forward and backward.

internal import CKernels

/// Which elements a dropout call keeps, and what it multiplies them by.
///
/// Element (row, column) is kept when a 32-bit hash of (seed, row, column) is at least rate · 2³²; kept values are
/// multiplied by 1 / (1 − rate), others are 0. Backward is given the same stream and makes the same mask again.
/// The masks are equal to the bit in every kernel variant. Two calls that must be independent need two seeds.
package struct DropoutStream: Sendable, Equatable {
    package let seed: UInt64
    /// Share dropped, 0 ..< 1; 0 turns dropout off.
    package let rate: Float

    package static let off = DropoutStream(seed: 0, rate: 0)

    package init(seed: UInt64, rate: Float) {
        precondition(rate >= 0 && rate < 1, "dropout rate \(rate) is not in 0 ..< 1")
        self.seed = seed
        self.rate = rate
    }

    internal var settings: ck_dropout {
        let threshold = UInt32(clamping: Int64((Double(rate) * 4_294_967_296).rounded()))
        return ck_dropout(seed: seed, threshold: threshold, scale: Float(1 / (1 - Double(rate))))
    }
}
