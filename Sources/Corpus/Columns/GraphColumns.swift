// The columns of `links` and `document-graph` parts.

package import Container

/// Where an edge comes from. Raw values are stored.
package enum LinkKind: UInt8, Sendable, CaseIterable {
    case hyperlink = 0, citation = 1, edges = 2, lexical = 3, random = 4

    /// The kind's place in a set of kinds.
    package var bit: UInt8 { 1 << rawValue }
}

/// Which side of the split a document is on. Raw values are stored.
package enum Side: UInt8, Sendable, CaseIterable {
    case train = 0, validation = 1, test = 2

    package var name: String {
        switch self {
        case .train: "train"
        case .validation: "validation"
        case .test: "test"
        }
    }
}

/// One part of a `links` artifact: row i is a link from `source[i]` to `target[i]`.
package struct LinkColumns: Sendable, Equatable {
    /// In `begin` and `end`: a link of the whole document, without a span.
    package static let wholeDocument: UInt32 = 0xFFFF_FFFF

    package var source: [UInt64] = []
    package var target: [UInt64] = []
    /// Byte range of the anchor in the source document's text.
    package var begin: [UInt32] = []
    package var end: [UInt32] = []
    /// `LinkKind` raw values.
    package var kind: [UInt8] = []
    /// Similarity of each link's documents, for lexical links; else empty, and no column.
    package var score: [Float] = []

    package init() {}

    package init(reading part: PartReader) throws {
        source = try part.column("source")
        target = try part.column("target")
        begin = try part.column("begin")
        end = try part.column("end")
        kind = try part.column("kind")
        if part.has("score") { score = try part.column("score") }
    }

    /// Sources, targets and kinds only: what a graph is built from.
    package init(readingEndsOf part: PartReader) throws {
        source = try part.column("source")
        target = try part.column("target")
        kind = try part.column("kind")
    }

    /// Sources and kinds only.
    package init(readingSourcesOf part: PartReader) throws {
        source = try part.column("source")
        kind = try part.column("kind")
    }

    package var count: Int { source.count }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("source", source)
        table.set("target", target)
        table.set("begin", begin)
        table.set("end", end)
        table.set("kind", kind)
        if !score.isEmpty { table.set("score", score) }
        return table
    }
}

/// The one part of a `document-graph`: nodes sorted by id, out-links in compressed sparse rows.
package struct GraphColumns: Sendable, Equatable {
    package var node: [UInt64] = []
    /// Node i links to `targets[offsets[i] ..< offsets[i + 1]]` (indices into `node`, ascending).
    package var offsets: [Int64] = [0]
    package var targets: [UInt32] = []
    /// The kinds of each edge: bit k for `LinkKind` raw value k.
    package var kinds: [UInt8] = []
    /// Distinct sources that link to the node.
    package var inDegree: [UInt32] = []
    /// `Side` raw values.
    package var side: [UInt8] = []
    /// Index of the first document of each one's group of equal or nearly equal text; its own for a document alone.
    package var leader: [UInt32] = []

    package init() {}

    package init(reading part: PartReader) throws {
        node = try part.column("node")
        offsets = try part.column("offsets")
        targets = try part.column("targets")
        kinds = try part.column("kinds")
        inDegree = try part.column("in_degree")
        side = try part.column("side")
        leader = try part.column("leader")
    }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("node", node)
        table.set("offsets", offsets)
        table.set("targets", targets)
        table.set("kinds", kinds)
        table.set("in_degree", inDegree)
        table.set("side", side)
        table.set("leader", leader)
        return table
    }

    package func outLinks(_ index: Int) -> ArraySlice<UInt32> { targets[Int(offsets[index])..<Int(offsets[index + 1])] }

    /// Whether node `from` links to node `to`. O(log out-degree).
    package func hasLink(_ from: Int, _ to: Int) -> Bool {
        let links = Int(offsets[from])..<Int(offsets[from + 1])
        let place = links.partitionPoint { targets[$0] < UInt32(to) }
        return place < links.upperBound && targets[place] == UInt32(to)
    }

    /// Index of a document id, by binary search. O(log n).
    package func index(of id: UInt64) -> Int? {
        let place = node.indices.partitionPoint { node[$0] < id }
        return place < node.count && node[place] == id ? place : nil
    }
}
