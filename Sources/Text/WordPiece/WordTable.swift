// An open-addressing hash table keyed by the bytes of a word, made for words of a few letters.
// The encoder's cache and the word counter are built on it.

import Glibc

/// Words → a 64-bit payload. Words of up to 16 bytes live in the slot itself; longer ones in an arena.
///
/// Iteration order is slot order, which depends on insertion: sort before anything of it is written.
/// Threading: for one thread at a time.
package struct WordTable: ~Copyable {
    /// The key of a word: its first 16 bytes, little-endian, zero-padded. Longer words put the hash of all their bytes
    /// into `high`.
    package struct Key {
        package var low: UInt64
        package var high: UInt64
        package var count: Int

        @inline(__always) var hash: UInt64 {
            // Wyhash's folded multiplication: all bits of both halves reach all bits of the result.
            let (top, bottom) = (low ^ 0xA076_1D64_78BD_642F ^ UInt64(count)).multipliedFullWidth(
                by: high ^ 0xE703_7ED1_A0B4_28DB)
            return top ^ bottom
        }
    }

    struct Slot {
        var low: UInt64
        var high: UInt64
        /// 0: the slot is empty.
        var count: UInt32
        /// Where the word begins in the arena, if longer than 16 bytes.
        var arena: UInt32
        var payload: UInt64
    }

    private(set) var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: Int
    private(set) var count = 0
    /// The bytes of words longer than 16.
    private(set) var arena: [UInt8] = []

    static let inlineBytes = 16

    init(capacity: Int = 4096) {
        precondition(capacity & (capacity - 1) == 0 && capacity >= 2, "capacity must be a power of two")
        self.capacity = capacity
        slots = Self.emptySlots(capacity)
    }

    deinit { UnsafeMutableRawPointer(slots).deallocate() }

    private static let hugePage = 2 << 20

    /// Large tables lie on huge pages where the system grants them: look-ups at random otherwise wait for translations.
    private static func emptySlots(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
        let bytes = capacity * MemoryLayout<Slot>.stride
        let isLarge = bytes >= hugePage
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? hugePage : 64)
        // Advice: a system that refuses it only makes this slower.
        if isLarge { _ = madvise(raw, bytes, MADV_HUGEPAGE) }
        let slots = raw.bindMemory(to: Slot.self, capacity: capacity)
        slots.initialize(repeating: Slot(low: 0, high: 0, count: 0, arena: 0, payload: 0), count: capacity)
        return slots
    }

    /// The key of word bytes that are already normalised. `word.count` must be at least 1.
    @inline(__always)
    static func key(_ word: UnsafeBufferPointer<UInt8>) -> Key {
        let base = word.baseAddress!
        let count = word.count
        if count <= 8 { return Key(low: load(base, count), high: 0, count: count) }
        let low = load(base, 8)
        if count <= 16 { return Key(low: low, high: load(base + 8, count - 8), count: count) }
        var hash: UInt64 = 0x8EBC_6AF0_9C88_C6E3
        var at = 8
        while at < count {
            let take = min(8, count - at)
            let (top, bottom) = (hash ^ load(base + at, take)).multipliedFullWidth(by: 0x5899_65CC_7537_4CC3)
            hash = top ^ bottom ^ UInt64(take)
            at += take
        }
        return Key(low: low, high: hash, count: count)
    }

    /// The first 1…8 bytes, little-endian, zero-padded.
    @inline(__always)
    private static func load(_ base: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(base)
        if count == 8 { return UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)) }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(base[index]) << UInt64(index * 8) }
        return value
    }

    /// The slot of a word: its own if present, else the empty one where it belongs.
    /// `word` is read only if longer than 16 bytes.
    @inline(__always)
    func find(_ key: Key, _ word: @autoclosure () -> UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<Slot> {
        let mask = capacity - 1
        var index = Int(truncatingIfNeeded: key.hash) & mask
        while true {
            let slot = slots + index
            if slot.pointee.low == key.low && slot.pointee.high == key.high && slot.pointee.count == UInt32(key.count) {
                if key.count <= Self.inlineBytes || equals(slot.pointee, word()) { return slot }
            } else if slot.pointee.count == 0 {
                return slot
            }
            index = (index + 1) & mask
        }
    }

    /// For the short words that `numbers` names, writes their payloads to the same places of `found`; none where the
    /// first slot looked at is not the word's own.
    ///
    /// Free of branches, so that the loads for all words are under way at once: one wrong guess would wait for memory.
    @inline(__always)
    func probe(
        _ words: UnsafePointer<PendingWord>, _ numbers: UnsafeBufferPointer<Int32>,
        into found: UnsafeMutablePointer<WordPieces>
    ) {
        let mask = capacity - 1
        for number in numbers {
            let index = Int(number)
            let word = words[index]
            let slot = slots + Int(truncatingIfNeeded: word.key.hash) & mask
            let difference =
                (slot.pointee.low ^ word.low) | (slot.pointee.high ^ word.high)
                | UInt64(slot.pointee.count ^ word.count)
            let isDifferent = (difference | (0 &- difference)) >> 63
            found[index] = WordPieces(bits: slot.pointee.payload & (isDifferent &- 1))
        }
    }

    private func equals(_ slot: Slot, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
        arena.withUnsafeBufferPointer { arena in
            arena[Int(slot.arena)..<Int(slot.arena) + word.count].elementsEqual(word)
        }
    }

    /// Fills an empty slot that `find` returned. The slot pointer is invalid afterwards, as the table may grow.
    mutating func insert(
        _ key: Key, _ word: UnsafeBufferPointer<UInt8>, payload: UInt64, at slot: UnsafeMutablePointer<Slot>
    ) {
        var offset = 0
        if key.count > Self.inlineBytes {
            offset = arena.count
            arena.append(contentsOf: word)
        }
        slot.pointee = Slot(
            low: key.low, high: key.high, count: UInt32(key.count), arena: UInt32(offset), payload: payload)
        count += 1
        if count * 2 > capacity { grow() }
    }

    private mutating func grow() {
        let old = slots
        let oldCapacity = capacity
        capacity *= 2
        slots = Self.emptySlots(capacity)
        let mask = capacity - 1
        for at in 0..<oldCapacity where old[at].count != 0 {
            let key = Key(low: old[at].low, high: old[at].high, count: Int(old[at].count))
            var index = Int(truncatingIfNeeded: key.hash) & mask
            while slots[index].count != 0 { index = (index + 1) & mask }
            slots[index] = old[at]
        }
        UnsafeMutableRawPointer(old).deallocate()
    }

    mutating func removeAll() {
        slots.update(repeating: Slot(low: 0, high: 0, count: 0, arena: 0, payload: 0), count: capacity)
        count = 0
        arena.removeAll(keepingCapacity: true)
    }

    /// Appends the bytes of a filled slot's word to `bytes`.
    func appendWord(of slot: Slot, to bytes: inout [UInt8]) {
        let count = Int(slot.count)
        if count > Self.inlineBytes {
            bytes.append(contentsOf: arena[Int(slot.arena)..<Int(slot.arena) + count])
            return
        }
        for index in 0..<count {
            let half = index < 8 ? slot.low : slot.high
            bytes.append(UInt8(truncatingIfNeeded: half >> UInt64((index & 7) * 8)))
        }
    }
}

/// A short word that waits to be looked up.
struct PendingWord {
    var low: UInt64
    var high: UInt64
    var count: UInt32
    /// Where it stands in the text.
    var begin: UInt32

    @inline(__always) var key: WordTable.Key { WordTable.Key(low: low, high: high, count: Int(count)) }
}
