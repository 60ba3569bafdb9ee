// Edge lists that users bring: one edge a line, source and target separated by a tab or a comma.

/// Reads the lines of an edge list: two names, separated by a tab; further columns are ignored. A line without a tab
/// takes its only comma, and there a name loses the quotation marks around it. Blank lines, those that begin with `#`,
/// and the first `skipLines` are passed over; a carriage return at the end and a byte order mark at the start go.
package struct EdgeList: Sendable {
    package enum Line {
        case edge(source: UnsafeBufferPointer<UInt8>, target: UnsafeBufferPointer<UInt8>)
        case passedOver
        /// Not two names; `reason` is the name of a count.
        case malformed(reason: String)
    }

    package var skipLines: Int

    package init(skipLines: Int = 0) { self.skipLines = skipLines }

    /// - Parameters: `line`: without its line feed; the names of an edge are parts of it. `number`: from 1 in each file.
    /// - Complexity: O(bytes).
    package func read(_ line: UnsafeBufferPointer<UInt8>, number: Int) -> Line {
        if number <= skipLines { return .passedOver }
        var line = line[...]
        if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if line.first == UInt8(ascii: "#") || line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return .passedOver }
        let (source, target): (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>)
        if let tab = line.firstIndex(of: UInt8(ascii: "\t")) {
            let rest = line[(tab + 1)...]
            source = Self.trimmed(line[..<tab])
            target = Self.trimmed(rest[..<(rest.firstIndex(of: UInt8(ascii: "\t")) ?? rest.endIndex)])
        } else if let comma = line.firstIndex(of: UInt8(ascii: ",")) {
            let rest = line[(comma + 1)...]
            if rest.contains(UInt8(ascii: ",")) { return .malformed(reason: "several_commas") }
            source = Self.unquoted(Self.trimmed(line[..<comma]))
            target = Self.unquoted(Self.trimmed(rest))
        } else {
            return .malformed(reason: "no_separator")
        }
        if source.isEmpty || target.isEmpty { return .malformed(reason: "empty_name") }
        return .edge(source: source, target: target)
    }

    private static func trimmed(_ slice: Slice<UnsafeBufferPointer<UInt8>>) -> UnsafeBufferPointer<UInt8> {
        var slice = slice
        while slice.first == 0x20 { slice.removeFirst() }
        while slice.last == 0x20 { slice.removeLast() }
        return UnsafeBufferPointer(rebasing: slice)
    }

    private static func unquoted(_ name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        let mark = UInt8(ascii: "\"")
        guard name.count >= 2, name.first == mark, name.last == mark else { return name }
        return UnsafeBufferPointer(rebasing: name[1..<(name.count - 1)])
    }
}

/// Puts the edges of a list together. Holds 16 bytes for each line with both ends in the corpus.
package struct EdgeCollector: Sendable {
    private let table: TargetTable
    private var counts = LinkCounts()
    private var edges: [(source: UInt64, target: UInt64)] = []

    /// - Parameter table: what every name in the list resolves to.
    package init(_ table: TargetTable) { self.table = table }

    package mutating func add(source: UnsafeBufferPointer<UInt8>, target: UnsafeBufferPointer<UInt8>) {
        counts.occurrences += 1
        switch (table[source], table[target]) {
        case (.dropped, _): counts.drop(.unknownSource)
        case (_, .dropped(let reason)): counts.drop(reason)
        case (.document(let from), .document(let to)) where from == to: counts.drop(.selfLink)
        case (.document(let from), .document(let to)): edges.append((from, to))
        }
    }

    /// Edges sorted by (source, target), each once: every further line with both ends is a duplicate.
    package consuming func finish() -> (links: LinkColumns, counts: LinkCounts) {
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
        return (links, counts)
    }
}
