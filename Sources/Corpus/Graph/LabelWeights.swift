// How strongly a unit of documents is drawn to each label: a small hash table that is filled and emptied for each.

/// Sums of weights by label. It grows with the labels that one unit meets, so for nearly all units it stays in the
/// nearest cache, where an array over all labels would miss at every edge.
struct LabelWeights: ~Copyable {
    private struct Slot {
        var label: UInt32
        var weight: Float
    }
    private static let free = UInt32.max

    private var slots: UnsafeMutableBufferPointer<Slot>
    /// Slots in use, in the order in which their labels came.
    private var used: UnsafeMutableBufferPointer<UInt32>
    private var bits: UInt32
    private(set) var count = 0

    init() { (slots, used, bits) = Self.allocate(bits: 8) }

    deinit {
        slots.deallocate()
        used.deallocate()
    }

    private static func allocate(
        bits: UInt32
    ) -> (UnsafeMutableBufferPointer<Slot>, UnsafeMutableBufferPointer<UInt32>, UInt32) {
        let slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: 1 << Int(bits))
        slots.initialize(repeating: Slot(label: free, weight: 0))
        let used = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: slots.count / 2 + 1)
        used.initialize(repeating: 0)
        return (slots, used, bits)
    }

    /// Adds to the sum of a label, which is not `UInt32.max`.
    @inline(__always)
    mutating func add(_ weight: Float, to label: UInt32) {
        let slot = slot(of: label)
        if slots[slot].label == label {
            slots[slot].weight += weight
            return
        }
        slots[slot] = Slot(label: label, weight: weight)
        used[count] = UInt32(slot)
        count += 1
        if 2 * count > slots.count { grow() }
    }

    /// 0 for a label that got none.
    subscript(label: UInt32) -> Float {
        let slot = slots[slot(of: label)]
        return slot.label == label ? slot.weight : 0
    }

    /// The i-th label that came, and its sum.
    func entry(_ i: Int) -> (label: UInt32, weight: Float) {
        let slot = slots[Int(used[i])]
        return (slot.label, slot.weight)
    }

    mutating func removeAll() {
        for i in 0..<count { slots[Int(used[i])].label = Self.free }
        count = 0
    }

    /// Where the label is, or belongs.
    @inline(__always)
    private func slot(of label: UInt32) -> Int {
        var slot = Int((label &* 0x9E37_79B1) >> (32 - bits))
        while slots[slot].label != label, slots[slot].label != Self.free { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private mutating func grow() {
        let (oldSlots, oldUsed) = (slots, used)
        (slots, used, bits) = Self.allocate(bits: bits + 1)
        for i in 0..<count {
            let entry = oldSlots[Int(oldUsed[i])]
            let slot = slot(of: entry.label)
            slots[slot] = entry
            used[i] = UInt32(slot)
        }
        oldSlots.deallocate()
        oldUsed.deallocate()
    }
}
