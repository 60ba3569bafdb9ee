// Randomness as a pure function of its arguments. These functions decide which pairs and masks a seed gives, so a
// change here changes the bytes of artifacts: the tests pin their values.

/// The generator of Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators" (OOPSLA), with the
/// finaliser constants of `java.util.SplittableRandom`.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= KeyedRandom.gamma
        return KeyedRandom.finalise(state)
    }
}

/// Draws that depend on what is drawn for, never on what was drawn before: `key(seed, pass, document, segment)` is
/// the same whichever worker asks, in whatever order.
///
/// Its leaves are public because the compiler carries only public bodies into other modules; a call costs as much again.
public enum KeyedRandom {
    @usableFromInline static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The bijection that SplitMix64 applies to its counter.
    @inlinable @inline(__always)
    static func finalise(_ x: UInt64) -> UInt64 {
        var z = x
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 64 bits from two numbers; not symmetric. For a fixed `a` a bijection of `b`, and the other way round.
    @inlinable public static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 { Mixer(a).mix(b) }

    /// `mix` for many second numbers: half of the work is done once.
    public struct Mixer: Sendable {
        @usableFromInline let first: UInt64

        @inlinable public init(_ a: UInt64) { first = finalise(a &+ gamma) }

        @inlinable @inline(__always)
        public func mix(_ b: UInt64) -> UInt64 { finalise((first ^ b) &+ gamma) }
    }

    /// 64 bits from a seed and one or more parts, by folding `mix` from the left.
    package static func key(_ seed: UInt64, _ a: UInt64) -> UInt64 { mix(seed, a) }
    package static func key(_ seed: UInt64, _ a: UInt64, _ b: UInt64) -> UInt64 { mix(mix(seed, a), b) }
    package static func key(_ seed: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
        mix(mix(mix(seed, a), b), c)
    }
    /// Only this form makes an array, of the parts after the fourth.
    package static func key(
        _ seed: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ rest: UInt64...
    ) -> UInt64 {
        rest.reduce(mix(mix(mix(mix(seed, a), b), c), d), mix)
    }

    /// The upper 53 bits of `x` as a number in [0, 1).
    @inlinable public static func unit(_ x: UInt64) -> Double { Double(x >> 11) * 0x1p-53 }

    /// `x` scaled to 0..<n by the upper half of the product; each result's share is off by less than n / 2^64.
    @inlinable public static func below(_ x: UInt64, _ n: UInt64) -> UInt64 {
        precondition(n > 0, "there is no number below 0")
        return x.multipliedFullWidth(by: n).high
    }
}
