// FrequentLines: what stands in many documents word for word, such as headings and furniture of pages.

import Container
import Text

/// The lines that most documents share, found in one pass with bounded memory.
///
/// Misra and Gries' summary (1982, Science of Computer Programming 2): of n lines seen, a count is low by at most
/// n / 65,536, so any line that stands in 5% of documents of up to 3,000 lines is found. A line counts once a document.
struct FrequentLines {
    struct Shared {
        var text: String
        var documents: Int64
        var share: Double
    }

    static let warningShare = 0.05
    private static let capacity = 1 << 16, kept = 256, reported = 20, longest = 200

    /// Where each line of the summary, by its hash, has its slot.
    private var slots: [UInt64: Int] = [:]
    private var counts: [Int64] = []
    private var hashOfSlot: [UInt64] = []
    /// The first bytes of the line of slot i: `lengths[i]` bytes from `i * longest` on. Slots are used again, so that a
    /// long piece needs no more memory than a short one: 15 MB at most.
    private var texts: [UInt8] = []
    private var lengths: [Int] = []
    private var free: [Int] = []
    private var hashes: [UInt64] = []

    mutating func add(_ document: ParsedDocument) {
        hashes.removeAll(keepingCapacity: true)
        for i in 0..<document.blockCount {
            let range = document.block(i)
            let hash = Self.hash(document.text[range])
            hashes.append(hash)
            if slots[hash] == nil {
                if slots.count >= Self.capacity { decrementAll() }
                if slots.count < Self.capacity { insert(hash, document.text[range]) }
            }
        }
        hashes.sort()
        for i in hashes.indices where i == 0 || hashes[i] != hashes[i - 1] {
            if let slot = slots[hashes[i]] { counts[slot] += 1 }
        }
    }

    /// Every counter loses one, which is the same in any order; those that reach 0 leave.
    private mutating func decrementAll() {
        for slot in counts.indices where slots[hashOfSlot[slot]] == slot {
            counts[slot] -= 1
            if counts[slot] <= 0 {
                slots[hashOfSlot[slot]] = nil
                free.append(slot)
            }
        }
    }

    /// A new counter, at 0.
    private mutating func insert(_ hash: UInt64, _ line: ArraySlice<UInt8>) {
        let slot = free.popLast() ?? counts.count
        if slot == counts.count {
            counts.append(0)
            hashOfSlot.append(0)
            lengths.append(0)
            texts.append(contentsOf: repeatElement(0, count: Self.longest))
        }
        let head = Self.head(line)
        texts.replaceSubrange(slot * Self.longest..<slot * Self.longest + head.count, with: head)
        (counts[slot], hashOfSlot[slot], lengths[slot]) = (0, hash, head.count)
        slots[hash] = slot
    }

    /// FNV-1a.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for b in bytes { hash = (hash ^ UInt64(b)) &* 0x100_0000_01B3 }
        return hash
    }

    /// The first bytes of a line, cut between characters.
    private static func head(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard line.count > longest else { return line }
        var end = line.startIndex + longest
        while line[end] & 0xC0 == 0x80 { end -= 1 }
        return line[..<end]
    }

    private var top: [(text: String, count: Int64)] {
        let sorted = slots.values.filter { counts[$0] > 1 }.sorted { a, b in
            counts[a] != counts[b] ? counts[a] > counts[b] : text(a).lexicographicallyPrecedes(text(b))
        }
        return sorted.prefix(Self.kept).map { (String(decoding: text($0), as: UTF8.self), counts[$0]) }
    }

    private func text(_ slot: Int) -> ArraySlice<UInt8> {
        texts[slot * Self.longest..<slot * Self.longest + lengths[slot]]
    }

    // MARK: joining pieces

    var json: JSON {
        .array(top.map { .object(["line": .string($0.text), "documents": .int($0.count)]) })
    }

    mutating func add(_ json: JSON?) {
        for entry in json?.array ?? [] {
            guard let line = entry["line"]?.string, let count = entry["documents"]?.int else { continue }
            let bytes = Array(line.utf8)
            let hash = Self.hash(bytes[...])
            if slots[hash] == nil { insert(hash, bytes[...]) }
            counts[slots[hash]!] += count
        }
    }

    func report(documents: Int64) -> [Shared] {
        top.prefix(Self.reported).map {
            Shared(text: $0.text, documents: $0.count, share: Double($0.count) / Double(documents))
        }
    }
}
