// Edge lists that users bring: one edge a line, source and target separated by a tab.

/// Reads a tab-separated edge list: two names a line, further columns ignored; lines that are blank or begin with `#`
/// are skipped; line ends may be LF or CRLF; a byte order mark is skipped.
package struct EdgeList {
    package enum Line {
        case edge(source: UnsafeBufferPointer<UInt8>, target: UnsafeBufferPointer<UInt8>)
        /// Not two names; `reason` is the name of a count.
        case malformed(reason: String)
    }

    /// Calls `body` for every line that is neither blank nor a comment, with its number from 1. O(bytes).
    package static func forEachLine(
        _ bytes: UnsafeRawBufferPointer, _ body: (Int, Line) throws -> Void
    ) rethrows {
        let all = bytes.assumingMemoryBound(to: UInt8.self)
        var at = all.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var number = 0
        while at < all.count {
            number += 1
            var end = at
            while end < all.count, all[end] != UInt8(ascii: "\n") { end += 1 }
            let next = end + 1
            if end > at, all[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            let line = UnsafeBufferPointer(rebasing: all[at..<end])
            at = next
            if line.first == UInt8(ascii: "#") || line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            try body(number, parse(line))
        }
    }

    private static func parse(_ line: UnsafeBufferPointer<UInt8>) -> Line {
        guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { return .malformed(reason: "no_tab") }
        let rest = line[(tab + 1)...]
        let source = trimmed(line[..<tab])
        let target = trimmed(rest[..<(rest.firstIndex(of: UInt8(ascii: "\t")) ?? rest.endIndex)])
        if source.isEmpty || target.isEmpty { return .malformed(reason: "empty_name") }
        return .edge(source: source, target: target)
    }

    private static func trimmed(_ slice: Slice<UnsafeBufferPointer<UInt8>>) -> UnsafeBufferPointer<UInt8> {
        var slice = slice
        while slice.first == 0x20 { slice.removeFirst() }
        while slice.last == 0x20 { slice.removeLast() }
        return UnsafeBufferPointer(rebasing: slice)
    }

    /// What the piece reads of the corpus: the resolution of every name in the list.
    package static func projection(
        _ bytes: UnsafeRawBufferPointer, _ index: inout TargetIndex, as kind: TargetIndex.NameKind,
        percentDecoding: Bool
    ) -> TargetTable {
        var table = TargetTable()
        forEachLine(bytes) { _, line in
            guard case .edge(let source, let target) = line else { return }
            for name in [source, target] {
                table.add(name) { index.resolve(name, as: kind, percentDecoding: percentDecoding) }
            }
        }
        return table
    }

    /// Edges sorted by (source, target), each once: every further line with both ends is a duplicate. Holds 16 bytes
    /// for each line with both ends in the corpus.
    package static func resolve(
        _ bytes: UnsafeRawBufferPointer, _ table: TargetTable, onMalformed: (Int, String) -> Void
    ) -> (links: LinkColumns, counts: LinkCounts, lines: Int) {
        var counts = LinkCounts()
        var lines = 0
        var edges: [(source: UInt64, target: UInt64)] = []
        forEachLine(bytes) { number, line in
            lines += 1
            guard case .edge(let source, let target) = line else {
                if case .malformed(let reason) = line { onMalformed(number, reason) }
                return
            }
            counts.occurrences += 1
            switch (table[source], table[target]) {
            case (.dropped, _): counts.drop(.unknownSource)
            case (_, .dropped(let reason)): counts.drop(reason)
            case (.document(let from), .document(let to)) where from == to: counts.drop(.selfLink)
            case (.document(let from), .document(let to)): edges.append((from, to))
            }
        }
        edges.sort { ($0.source, $0.target) < ($1.source, $1.target) }
        var links = LinkColumns()
        for (i, edge) in edges.enumerated() {
            if i > 0, edge == edges[i - 1] {
                counts.drop(.duplicate)
            } else {
                links.append(edge.source, edge.target, .edges)
            }
        }
        counts.resolved = links.count
        counts.distinct = links.count
        return (links, counts, lines)
    }
}
