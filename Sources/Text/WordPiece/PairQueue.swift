// The two structures that vocabulary training turns on: a queue of pairs to merge, and a table of pair counts.

/// Two symbols side by side, as one comparable number: left id << 32 | right id.
struct SymbolPair: Hashable {
    var bits: UInt64

    init(_ left: UInt32, _ right: UInt32) { bits = UInt64(left) << 32 | UInt64(right) }

    var left: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
    var right: UInt32 { UInt32(truncatingIfNeeded: bits) }
}

/// A pair waiting to be merged in the words of one list.
struct PairEntry {
    var pair: SymbolPair
    /// The pair's count when this was last looked at.
    var count: UInt64
    /// Range in the corpus's `positions`.
    var words: Range<Int>
    /// Order of birth.
    var age: Int

    /// Whether it is merged before another: the more frequent, then the smaller pair of ids, then the older.
    func precedes(_ other: PairEntry) -> Bool {
        if count != other.count { return count > other.count }
        if pair != other.pair { return pair.bits < other.pair.bits }
        return age < other.age
    }
}

/// A binary heap of entries.
struct PairQueue {
    private var heap: [PairEntry]

    init(_ entries: [PairEntry]) {
        heap = entries
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    var first: PairEntry? { heap.first }

    mutating func replaceFirst(count: UInt64) {
        heap[0].count = count
        sink(0)
    }

    mutating func removeFirst() {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        sink(0)
    }

    mutating func insert(_ entry: PairEntry) {
        heap.append(entry)
        var at = heap.count - 1
        while at > 0 {
            let parent = (at - 1) / 2
            if !entry.precedes(heap[parent]) { break }
            heap[at] = heap[parent]
            at = parent
        }
        heap[at] = entry
    }

    private mutating func sink(_ start: Int) {
        let entry = heap[start]
        var at = start
        while true {
            var child = at * 2 + 1
            if child >= heap.count { break }
            if child + 1 < heap.count && heap[child + 1].precedes(heap[child]) { child += 1 }
            if !heap[child].precedes(entry) { break }
            heap[at] = heap[child]
            at = child
        }
        heap[at] = entry
    }
}

/// Pairs → columns, by open addressing.
struct PairTable {
    /// Index + 1 into the columns, 0 if empty.
    private var slots = [UInt32](repeating: 0, count: 1 << 12)
    private(set) var pairs: [SymbolPair] = []
    var counts: [UInt64] = []
    /// Words in which the pair arose since entries were last taken, and the last of them.
    var newWords: [UInt32] = []
    var lastWord: [UInt32] = []
    var cursor: [Int] = []

    @inline(__always)
    private func slot(_ pair: SymbolPair) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: (pair.bits &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while slots[index] != 0 && pairs[Int(slots[index]) - 1] != pair { index = (index + 1) & mask }
        return index
    }

    func find(_ pair: SymbolPair) -> Int? {
        let found = slots[slot(pair)]
        return found == 0 ? nil : Int(found) - 1
    }

    mutating func findOrAdd(_ pair: SymbolPair) -> Int {
        let place = slot(pair)
        if slots[place] != 0 { return Int(slots[place]) - 1 }
        pairs.append(pair)
        counts.append(0)
        newWords.append(0)
        lastWord.append(0)
        cursor.append(0)
        slots[place] = UInt32(pairs.count)
        if pairs.count * 2 > slots.count {
            slots = [UInt32](repeating: 0, count: slots.count * 2)
            for index in pairs.indices { slots[slot(pairs[index])] = UInt32(index + 1) }
        }
        return pairs.count - 1
    }
}
