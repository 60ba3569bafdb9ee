// Keys for random draws: every draw is a pure function of a key, never of a stream shared by workers.

package import Container

/// A key built by mixing in one fact after another. Order matters; equal facts give equal keys in every process.
package struct RandomKey: Sendable, Hashable {
    package private(set) var value: UInt64

    package init(seed: UInt64) { value = seed }

    package func adding(_ fact: UInt64) -> RandomKey {
        RandomKey(seed: KeyedRandom.mix(value, fact))
    }

    /// Mixes a name by its UTF-8 bytes (FNV-1a).
    package func adding(_ name: String) -> RandomKey {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return adding(hash)
    }

    /// Draw number `index` of this key, uniform over 64 bits.
    package func draw(_ index: UInt64) -> UInt64 { KeyedRandom.mix(value, index) }

    /// Makes many draws: `draws.mix(index)` is `draw(index)`.
    package var draws: KeyedRandom.Mixer { KeyedRandom.Mixer(value) }

    /// Draw number `index`, uniform in [0, 1) with 53 bits.
    package func uniform(_ index: UInt64) -> Double { KeyedRandom.unit(draw(index)) }

    /// Draw number `index`, uniform over `0..<bound`.
    package func draw(_ index: UInt64, below bound: UInt64) -> UInt64 { KeyedRandom.below(draw(index), bound) }
}
