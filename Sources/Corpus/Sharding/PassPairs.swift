// The pairs of one pass, read in place and given out in the order of training rows.

package import Container

/// One pair of segments, named by document id and ordinal.
package struct SegmentPair: Sendable, Equatable {
    package var aDocument: UInt64, bDocument: UInt64
    package var aSegment: UInt32, bSegment: UInt32
    package var relation: UInt8
    package var pass: UInt16

    package init(
        aDocument: UInt64, bDocument: UInt64, aSegment: UInt32, bSegment: UInt32, relation: UInt8, pass: UInt16
    ) {
        (self.aDocument, self.aSegment) = (aDocument, aSegment)
        (self.bDocument, self.bSegment) = (bDocument, bSegment)
        (self.relation, self.pass) = (relation, pass)
    }
}

/// The pairs of one pass over mapped parts. Memory: a byte a pair, and 2 MiB; the columns are read in place from expanded,
/// evictable parts.
package final class PassPairs: Sendable {
    /// Rows of a mapped part.
    private struct Columns: @unchecked Sendable {
        // Safe to share: read-only memory that `parts` keeps mapped.
        let aDocument: UnsafeBufferPointer<UInt64>, bDocument: UnsafeBufferPointer<UInt64>
        let aSegment: UnsafeBufferPointer<UInt32>, bSegment: UnsafeBufferPointer<UInt32>
        let relation: UnsafeBufferPointer<UInt8>, side: UnsafeBufferPointer<UInt8>
        let pass: UnsafeBufferPointer<UInt16>
    }

    private let parts: [MappedPart]
    private let columns: [Columns]
    /// Part i has rows `starts[i] ..< starts[i + 1]`.
    private let starts: [Int]

    package init(_ pairs: StoredArtifact, parts: [Part]) throws {
        var (mapped, columns, starts): ([MappedPart], [Columns], [Int]) = ([], [], [0])
        for part in parts {
            let map = try pairs.mapped(part)
            let read = Columns(
                aDocument: try map.column("a.document"), bDocument: try map.column("b.document"),
                aSegment: try map.column("a.segment"), bSegment: try map.column("b.segment"),
                relation: try map.column("relation"), side: try map.column("side"), pass: try map.column("pass"))
            let rows = read.aDocument.count
            guard [read.bDocument.count, read.aSegment.count, read.bSegment.count].allSatisfy({ $0 == rows }),
                [read.relation.count, read.side.count, read.pass.count].allSatisfy({ $0 == rows })
            else {
                throw ContainerError(
                    .damaged, "the columns of part '\(part.name)' have different lengths",
                    fix: "make the artifact again")
            }
            mapped.append(map)
            columns.append(read)
            starts.append(starts[starts.count - 1] + rows)
        }
        precondition(starts[starts.count - 1] < Int(UInt32.max), "a pass has fewer than 2^32 pairs")
        (self.parts, self.columns, self.starts) = (mapped, columns, starts)
    }

    package var count: Int { starts[starts.count - 1] }

    package subscript(_ row: Int) -> SegmentPair {
        let part = columns.indices.partitionPoint { starts[$0 + 1] <= row }
        let (columns, i) = (columns[part], row - starts[part])
        return SegmentPair(
            aDocument: columns.aDocument[i], bDocument: columns.bDocument[i], aSegment: columns.aSegment[i],
            bSegment: columns.bSegment[i], relation: columns.relation[i], pass: columns.pass[i])
    }

    // MARK: order

    /// Calls `body` with the pairs of one side in the order of a pass: pseudo-random by (seed, pass), the same for every
    /// mix, so that arms of an experiment meet their anchors in the same order.
    ///
    /// The keys that decide are drawn again for one range of keys after another, so that a sixteenth of them is in memory.
    package func forEach(of side: Side, seed: UInt64, _ body: (SegmentPair) throws -> Void) throws {
        var histogram = [Int](repeating: 0, count: 1 << Self.histogramBits)
        forEachKey(side, seed) { key, _ in histogram[Int(key >> Self.histogramShift)] += 1 }
        let limit = max(Self.leastInMemory, count / 16)
        var begin = 0
        while begin < histogram.count {
            var (end, rows) = (begin + 1, histogram[begin])
            while end < histogram.count, rows + histogram[end] <= limit {
                rows += histogram[end]
                end += 1
            }
            if rows > 0 {
                for row in order(side, seed, buckets: begin..<end, count: rows) { try body(self[Int(row)]) }
            }
            begin = end
        }
    }

    private static let histogramBits = 12
    private static let histogramShift = UInt64(64 - histogramBits)
    /// Fewer rows than this are ordered at once.
    private static let leastInMemory = 1 << 17

    /// The rows whose keys lie in some buckets of the histogram, by key, anchor document and anchor segment.
    private func order(_ side: Side, _ seed: UInt64, buckets: Range<Int>, count: Int) -> [UInt32] {
        var (keys, rows): ([UInt64], [UInt32]) = ([], [])
        keys.reserveCapacity(count)
        rows.reserveCapacity(count)
        // Spread over 64 bits again, as `KeyOrder` likes them.
        let first = UInt64(buckets.lowerBound) << Self.histogramShift
        let spread = UInt64(UInt64(buckets.count - 1).leadingZeroBitCount - (64 - Self.histogramBits))
        forEachKey(side, seed) { key, row in
            guard buckets.contains(Int(key >> Self.histogramShift)) else { return }
            keys.append((key - first) << spread)
            rows.append(UInt32(row))
        }
        var order = KeyOrder.ascending(keys)
        var begin = 0
        while begin < order.count {
            var end = begin + 1
            while end < order.count, keys[Int(order[end])] == keys[Int(order[begin])] { end += 1 }
            if end - begin > 1 {
                order[begin..<end].sort { x, y in
                    let (p, q) = (self[Int(rows[Int(x)])], self[Int(rows[Int(y)])])
                    return (p.aDocument, p.aSegment) < (q.aDocument, q.aSegment)
                }
            }
            begin = end
        }
        for i in order.indices { order[i] = rows[Int(order[i])] }
        return order
    }

    @inline(__always)
    private func forEachKey(_ side: Side, _ seed: UInt64, _ body: (UInt64, Int) -> Void) {
        let base = KeyedRandom.mix(seed, 0x0DE2)
        for (part, columns) in columns.enumerated() {
            var (pass, ofPass) = (UInt16(0), KeyedRandom.Mixer(KeyedRandom.mix(base, 0)))
            for i in 0..<columns.aDocument.count where columns.side[i] == side.rawValue {
                if columns.pass[i] != pass {
                    pass = columns.pass[i]
                    ofPass = KeyedRandom.Mixer(KeyedRandom.mix(base, UInt64(pass)))
                }
                body(KeyedRandom.mix(ofPass.mix(columns.aDocument[i]), UInt64(columns.aSegment[i])), starts[part] + i)
            }
        }
    }
}
