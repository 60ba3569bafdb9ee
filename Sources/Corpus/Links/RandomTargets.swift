// Random links: the ablation in which edges mean nothing.

import Container

/// Draws targets for a document as a pure function of (seed, document, ids of the corpus), so that no piece depends on
/// another, and that a document added to the corpus changes few draws.
///
/// Document ids are uniform 63-bit hashes. A draw is a point of that space; it hits the first id at or above it if that
/// lies within a fixed window, else the next point is tried. Windows are so short (an eighth to a sixteenth of the mean
/// distance) that all but about a tenth of the documents have a whole one, so targets are close to uniform; choosing
/// the next id without a window would favour documents that follow a gap.
package struct RandomTargets: Sendable {
    private let ids: [UInt64]
    private let window: UInt64
    private static let space: UInt64 = 1 << 63

    /// - Parameter ids: of all documents, ascending, without repeats.
    package init(sortedIDs ids: [UInt64]) {
        self.ids = ids
        var shift = 3
        while shift < 63, ids.count > 1 << (shift - 3) { shift += 1 }
        window = max(1, Self.space >> UInt64(shift))
    }

    /// `count` distinct targets other than the document itself, ascending; all others if the corpus has no more.
    /// O(count · log n) on average.
    package func targets(of document: UInt64, count: Int, seed: UInt64) -> [UInt64] {
        if ids.count - 1 <= count { return ids.filter { $0 != document } }
        var found: [UInt64] = []
        var attempt: UInt64 = 0
        while found.count < count {
            let draw = KeyedRandom.key(seed, document, attempt)
            // Ids that are not spread like hashes (a corpus of a few documents with chosen ids) may leave the windows
            // without a hit; then, after many misses, plain indices decide.
            let target = attempt < 4096 ? hit(draw >> 1) : ids[Int(KeyedRandom.below(draw, UInt64(ids.count)))]
            attempt += 1
            guard let target, target != document, !found.contains(target) else { continue }
            found.append(target)
        }
        return found.sorted()
    }

    private func hit(_ point: UInt64) -> UInt64? {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < point { low = middle + 1 } else { high = middle }
        }
        return low < ids.count && ids[low] - point < window ? ids[low] : nil
    }
}
