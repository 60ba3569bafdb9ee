// A fast 64-bit hash of byte strings, and the table keyed by it: names of documents become numbers once, early.

import Container

/// The hash under which names are looked up. The same in every process and on every machine of the same byte order.
///
/// 64 bits: with n names and m look-ups a wrong hit has probability n·m / 2^64, about 2e-4 for all the links of the
/// English Wikipedia. Such a hit is one wrong edge, never an error.
package enum ByteHash {
    /// What a name is. Equal bytes of different roles have different hashes.
    package enum Role: UInt64, Sendable {
        case title = 0x7469_746C, alias = 0x616C_6961, sourceID = 0x736F_7572, asWritten = 0x7772_6974
    }

    /// Never 0, which marks a free slot of `IDTable`. O(n), 8 bytes a step.
    package static func of(_ bytes: UnsafeBufferPointer<UInt8>, as role: Role) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        var state = KeyedRandom.mix(role.rawValue, UInt64(raw.count))
        var at = 0
        while at + 8 <= raw.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            state = fold(state ^ word)
            at += 8
        }
        var tail: UInt64 = 0
        var shift: UInt64 = 0
        while at < raw.count {
            tail |= UInt64(raw[at]) << shift
            shift += 8
            at += 1
        }
        return max(1, KeyedRandom.mix(state, tail))
    }

    package static func of(_ bytes: [UInt8], as role: Role) -> UInt64 {
        bytes.withUnsafeBufferPointer { of($0, as: role) }
    }

    /// Both halves of a 128-bit product, added: every input bit reaches every output bit. The addend keeps a state of
    /// zero from staying zero.
    private static func fold(_ x: UInt64) -> UInt64 {
        let product = (x ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return (product.high ^ product.low) &+ 0xA076_1D64_78BD_642F
    }
}

/// A map from non-zero 64-bit hashes to 64-bit values: open addressing, linear probing, 16 bytes a slot, at most
/// two thirds full. Iteration order is not offered, so none can reach an output.
package struct IDTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    package private(set) var count = 0

    package init(minimumCapacity: Int = 16) {
        var slots = 16
        while slots * 2 < minimumCapacity * 3 { slots *= 2 }
        keys = Array(repeating: 0, count: slots)
        values = Array(repeating: 0, count: slots)
    }

    package subscript(key: UInt64) -> UInt64? {
        let slot = find(key)
        return keys[slot] == key ? values[slot] : nil
    }

    /// Adds `value` unless the key is present.
    /// - Returns: the value that was there before, nil if the key is new.
    @discardableResult
    package mutating func insert(_ key: UInt64, _ value: UInt64) -> UInt64? {
        precondition(key != 0, "0 marks a free slot")
        var slot = find(key)
        if keys[slot] == key { return values[slot] }
        if (count + 1) * 3 > keys.count * 2 {
            grow()
            slot = find(key)
        }
        keys[slot] = key
        values[slot] = value
        count += 1
        return nil
    }

    /// Adds or overwrites.
    package mutating func set(_ key: UInt64, _ value: UInt64) {
        if insert(key, value) != nil { values[find(key)] = value }
    }

    /// The slot of the key, or the free slot where it would go.
    private func find(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: key &* 0x9E37_79B9_7F4A_7C15 >> 20) & mask
        while keys[slot] != 0, keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = Array(repeating: 0, count: oldKeys.count * 2)
        values = Array(repeating: 0, count: oldKeys.count * 2)
        for (key, value) in zip(oldKeys, oldValues) where key != 0 {
            let slot = find(key)
            keys[slot] = key
            values[slot] = value
        }
    }
}
