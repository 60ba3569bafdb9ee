// From links to the document graph: compressed sparse rows over all documents, filtered, each edge once.

/// What the graph leaves out. Every rule says how many edges it took.
package struct GraphFilter: Sendable, Equatable {
    /// Documents with more distinct sources than this lose their in-links: hubs that everything links to.
    package var maxInDegree: Int?
    /// Documents with more distinct targets than this lose their out-links: lists and indexes.
    package var maxOutDegree: Int?
    /// Indices of documents that stay as nodes but take part in no edge.
    package var excluded: Set<UInt32> = []

    package init() {}
}

/// Two documents artifacts that do not belong together.
package struct UnknownDocument: Error, Sendable {
    package let id: UInt64
}

/// Builds `GraphColumns` from links in any order. The result depends on the set of edges only.
///
/// Memory: 5 bytes a link and 34 a node.
package struct GraphBuilder: Sendable {
    package struct Counts: Sendable, Equatable {
        /// Rows of all links artifacts.
        package var links = 0
        /// Rows that repeat a (source, target) pair: further spans, or the same edge from another artifact.
        package var merged = 0
        package var excluded = 0
        package var hubs = 0
        package var lists = 0
        package var edges = 0

        package init() {}
    }

    package private(set) var graph = GraphColumns()
    package private(set) var counts = Counts()

    /// - Parameters:
    ///   - nodes: the ids of all documents, ascending, without repeats; fewer than 2^32.
    ///   - forEachPart: visits all link parts. It is called twice, so that edges go straight to their places.
    /// - Throws: `UnknownDocument` for a link whose source or target is no node; what `forEachPart` throws.
    package init(
        nodes: [UInt64], filter: GraphFilter = GraphFilter(), forEachPart: ((LinkColumns) throws -> Void) throws -> Void
    ) throws {
        graph.node = nodes
        let index = DocumentIndex(sorted: nodes)
        func place(_ id: UInt64) throws -> Int {
            guard let place = index[id] else { throw UnknownDocument(id: id) }
            return place
        }
        var offsets = [Int64](repeating: 0, count: nodes.count + 1)
        var links = 0
        try forEachPart { part in
            links += part.count
            for source in part.source { offsets[try place(source) + 1] += 1 }
        }
        counts.links = links
        for i in nodes.indices { offsets[i + 1] += offsets[i] }
        var targets = [UInt32](repeating: 0, count: links)
        var kinds = [UInt8](repeating: 0, count: links)
        var next = offsets
        try forEachPart { part in
            for i in 0..<part.count {
                let source = try place(part.source[i])
                let slot = Int(next[source])
                targets[slot] = UInt32(try place(part.target[i]))
                kinds[slot] = part.kind[i]
                next[source] += 1
            }
        }
        graph.offsets = offsets
        graph.targets = targets
        graph.kind = kinds
        compact(filter)
        dropHubs(filter.maxInDegree)
        counts.edges = graph.targets.count
    }

    /// Sorts every row, keeps each target once with its lowest kind, and applies the filters that look at one row.
    private mutating func compact(_ filter: GraphFilter) {
        var row: [UInt64] = []
        var write = 0
        var begin = 0
        for node in graph.node.indices {
            let end = Int(graph.offsets[node + 1])
            row.removeAll(keepingCapacity: true)
            for i in begin..<end { row.append(UInt64(graph.targets[i]) << 8 | UInt64(graph.kind[i])) }
            begin = end
            row.sort()
            var length = 0
            for packed in row where length == 0 || row[length - 1] >> 8 != packed >> 8 {
                row[length] = packed
                length += 1
            }
            counts.merged += row.count - length
            row.removeLast(row.count - length)
            if !filter.excluded.isEmpty {
                let before = row.count
                if filter.excluded.contains(UInt32(node)) { row.removeAll(keepingCapacity: true) }
                row.removeAll { filter.excluded.contains(UInt32($0 >> 8)) }
                counts.excluded += before - row.count
            }
            if let limit = filter.maxOutDegree, row.count > limit {
                counts.lists += row.count
                row.removeAll(keepingCapacity: true)
            }
            for packed in row {
                graph.targets[write] = UInt32(packed >> 8)
                graph.kind[write] = UInt8(packed & 0xFF)
                write += 1
            }
            graph.offsets[node + 1] = Int64(write)
        }
        truncate(to: write)
    }

    private mutating func dropHubs(_ limit: Int?) {
        countInDegrees()
        guard let limit else { return }
        let hub = graph.inDegree.map { $0 > limit }
        var write = 0
        var begin = 0
        for node in graph.node.indices {
            let end = Int(graph.offsets[node + 1])
            for i in begin..<end where !hub[Int(graph.targets[i])] {
                graph.targets[write] = graph.targets[i]
                graph.kind[write] = graph.kind[i]
                write += 1
            }
            begin = end
            graph.offsets[node + 1] = Int64(write)
        }
        counts.hubs = graph.targets.count - write
        truncate(to: write)
        countInDegrees()
    }

    private mutating func truncate(to count: Int) {
        graph.targets.removeLast(graph.targets.count - count)
        graph.kind.removeLast(graph.kind.count - count)
    }

    private mutating func countInDegrees() {
        graph.inDegree = Array(repeating: 0, count: graph.node.count)
        for target in graph.targets { graph.inDegree[Int(target)] += 1 }
    }
}

/// The in-links of a graph: node i is linked from `sources[offsets[i] ..< offsets[i + 1]]`, ascending. 4 bytes an edge.
package struct InLinks: Sendable {
    package let offsets: [Int64]
    package let sources: [UInt32]

    package init(_ graph: GraphColumns) {
        var offsets = [Int64](repeating: 0, count: graph.node.count + 1)
        for target in graph.targets { offsets[Int(target) + 1] += 1 }
        for i in graph.node.indices { offsets[i + 1] += offsets[i] }
        var next = offsets
        var sources = [UInt32](repeating: 0, count: graph.targets.count)
        for node in graph.node.indices {
            for target in graph.outLinks(node) {
                sources[Int(next[Int(target)])] = UInt32(node)
                next[Int(target)] += 1
            }
        }
        self.offsets = offsets
        self.sources = sources
    }

    package subscript(node: Int) -> ArraySlice<UInt32> { sources[Int(offsets[node])..<Int(offsets[node + 1])] }
}
