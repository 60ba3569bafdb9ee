// For `link_scope: segment`: which links lie in which segment.

import Container

/// Links by (node of the graph, segment ordinal), from link spans, token byte ranges and segment bounds.
/// Memory: 8 bytes a link with a span and 16 a node; while it is built 8 bytes a node more.
package struct SegmentLinks: Sendable {
    /// Segment ordinal in the upper half, target node in the lower. Node i has `rows[begins[i] ..< ends[i]]`, ascending.
    private var rows: [UInt64] = []
    private var begins: [Int] = []
    private var ends: [Int] = []
    /// Links without a span, which no segment can own.
    package private(set) var withoutSpan = 0
    package private(set) var placed = 0
    /// Spans that fall into no segment: anchors in text that gave no token.
    package private(set) var unplaced = 0

    /// - Parameters:
    ///   - graph: only its edges are kept, so its caps and filters hold for linked pairs of any scope.
    ///   - lookup: over the tokens and segments of the graph's documents.
    ///   - visit: hands every part of the links to its argument; called twice.
    package init(
        graph: GraphColumns, lookup: SegmentLookup, visit: ((LinkColumns) throws -> Void) throws -> Void
    ) throws {
        let index = DocumentIndex(sorted: graph.node)
        ends = [Int](repeating: 0, count: graph.node.count)
        try visit { links in
            for i in 0..<links.count where links.begin[i] != LinkColumns.wholeDocument {
                if let node = index[links.source[i]] { ends[node] += 1 }
            }
        }
        var total = 0
        for node in ends.indices {
            let count = ends[node]
            ends[node] = total
            total += count
        }
        begins = ends
        rows = [UInt64](repeating: 0, count: total)
        try visit { links in
            for i in 0..<links.count {
                guard let node = index[links.source[i]] else { continue }
                guard links.begin[i] != LinkColumns.wholeDocument else {
                    withoutSpan += 1
                    continue
                }
                guard let segment = lookup.segment(at: links.begin[i], links.end[i], of: links.source[i]) else {
                    unplaced += 1
                    continue
                }
                placed += 1
                guard let target = index[links.target[i]], graph.hasLink(node, target) else { continue }
                rows[ends[node]] = UInt64(segment) << 32 | UInt64(target)
                ends[node] += 1
            }
        }
        for node in ends.indices {
            rows[begins[node]..<ends[node]].sort()
            var kept = begins[node]
            for i in begins[node]..<ends[node] where i == begins[node] || rows[i] != rows[kept - 1] {
                rows[kept] = rows[i]
                kept += 1
            }
            ends[node] = kept
        }
    }

    /// Nodes that the segment links to, ascending and distinct.
    package func targets(_ node: Int, _ ordinal: Int) -> [UInt32] {
        let low = (begins[node]..<ends[node]).partitionPoint { rows[$0] >> 32 < UInt64(ordinal) }
        return rows[low..<ends[node]].prefix { $0 >> 32 == UInt64(ordinal) }.map { UInt32(truncatingIfNeeded: $0) }
    }
}
