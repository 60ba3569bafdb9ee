// From links to the document graph: compressed sparse rows over all documents, filtered, each edge once.

/// What the graph leaves out. Every rule says how many edges it took.
package struct GraphFilter: Sendable, Equatable {
    /// Documents with more distinct sources than this lose their in-links: hubs that everything links to.
    package var maxInDegree: Int?
    /// Documents with more distinct targets than this lose their out-links: lists and indexes.
    package var maxOutDegree: Int?
    /// Documents with fewer edges than this, in and out together, lose them; looked at once, after the other rules.
    package var minDegree: Int?
    /// By document: 0, or 1 + the number of the rule by which it stays a node but takes part in no edge. Empty: none.
    package var excludedBy: [UInt8] = []
    /// By document: the first one of its group of (nearly) equal text. Edges inside a group go. Empty: no groups.
    package var leader: [UInt32] = []

    package init() {}
}

/// Two documents artifacts that do not belong together.
package struct UnknownDocument: Error, Sendable {
    package let id: UInt64
}

/// What one rule took.
package struct GraphDrop: Sendable, Equatable {
    package var edges = 0
    /// By `LinkKind` raw value; an edge of several kinds counts for each.
    package var kinds = [Int](repeating: 0, count: LinkKind.allCases.count)
    /// Documents that the rule holds for, where it is about documents.
    package var documents = 0
    /// The first few of them.
    package var samples: [Int] = []

    static let sampleLimit = 5

    package init() {}

    mutating func add(_ kindBits: UInt8) {
        edges += 1
        for kind in kinds.indices where kindBits >> UInt8(kind) & 1 == 1 { kinds[kind] += 1 }
    }

    mutating func add(document: Int) {
        documents += 1
        if samples.count < Self.sampleLimit { samples.append(document) }
    }
}

/// Builds `GraphColumns` from links in any order. The result depends on the set of edges only.
///
/// Memory: 4 bytes a link, 5 if they are of several kinds, and 37 bytes a node.
package struct GraphBuilder: Sendable {
    /// Calls its argument once for each links part.
    package typealias Visit = ((LinkColumns) throws -> Void) throws -> Void

    package struct Counts: Sendable, Equatable {
        /// Rows of all links artifacts, and by `LinkKind` raw value.
        package var links = 0
        package var linkKinds = [Int](repeating: 0, count: LinkKind.allCases.count)
        /// Rows that repeat a (source, target) pair: further spans, or the same edge from another artifact.
        package var merged = 0
        package var duplicates = GraphDrop()
        /// By rule of `excludedBy`.
        package var excluded: [GraphDrop] = []
        package var lists = GraphDrop()
        package var hubs = GraphDrop()
        package var fewLinks = GraphDrop()
        package var edges = 0

        package init() {}
    }

    package private(set) var graph = GraphColumns()
    package private(set) var counts = Counts()
    /// The kinds of every edge, if they are the same for all: then `graph.kinds` stays empty while edges are sorted out.
    private var uniform: UInt8?

    /// - Parameters:
    ///   - nodes: the ids of all documents, ascending, without repeats; fewer than 2^32.
    ///   - forEachSources: visits all link parts, of which only sources and kinds are read, so that edges go straight to
    ///     their places afterwards. Default: `forEachPart`.
    ///   - forEachPart: visits the same parts in the same order, with targets.
    /// - Throws: `UnknownDocument` for a link whose source or target is no node; what the visits throw.
    package init(
        nodes: [UInt64], filter: GraphFilter = GraphFilter(), forEachSources: Visit? = nil, forEachPart: Visit
    ) throws {
        graph.node = nodes
        graph.leader = filter.leader.isEmpty ? Array(0..<UInt32(nodes.count)) : filter.leader
        try place(DocumentIndex(sorted: nodes), forEachSources, forEachPart)
        compact(filter)
        if let limit = filter.maxInDegree { dropHubs(limit) }
        if let limit = filter.minDegree { dropFewLinks(limit) }
        countInDegrees()
        counts.edges = graph.targets.count
    }

    /// `LinkKind` bits of every edge, in the order of `graph.targets`.
    package var kinds: [UInt8] { uniform.map { Array(repeating: $0, count: graph.targets.count) } ?? graph.kinds }

    private mutating func place(_ index: DocumentIndex, _ forEachSources: Visit?, _ forEachPart: Visit) throws {
        func place(_ id: UInt64) throws -> Int {
            guard let place = index[id] else { throw UnknownDocument(id: id) }
            return place
        }
        var offsets = [Int64](repeating: 0, count: graph.node.count + 1)
        var rows = [Int](repeating: 0, count: 256)
        func count(_ part: LinkColumns) throws {
            try part.forEachRun { run in offsets[try place(part.source[run.lowerBound]) + 1] += Int64(run.count) }
            for kind in part.kind { rows[Int(kind)] += 1 }
        }
        if let forEachSources { try forEachSources(count) } else { try forEachPart(count) }
        counts.links = rows.reduce(0, +)
        counts.linkKinds = Array(rows.prefix(LinkKind.allCases.count))
        let present = LinkKind.allCases.filter { rows[Int($0.rawValue)] > 0 }
        uniform = present.count > 1 ? nil : present.first?.bit ?? 0
        for i in graph.node.indices { offsets[i + 1] += offsets[i] }
        var targets = [UInt32](repeating: 0, count: counts.links)
        var kinds = [UInt8](repeating: 0, count: uniform == nil ? counts.links : 0)
        // Every offset moves to the end of its row, which is where the next one begins: shifted back afterwards.
        try forEachPart { part in
            try part.forEachRun { run in
                let source = try place(part.source[run.lowerBound])
                var slot = Int(offsets[source])
                for i in run {
                    targets[slot] = UInt32(try place(part.target[i]))
                    if !kinds.isEmpty { kinds[slot] = 1 << part.kind[i] }
                    slot += 1
                }
                offsets[source] = Int64(slot)
            }
        }
        for i in stride(from: graph.node.count, to: 0, by: -1) { offsets[i] = offsets[i - 1] }
        offsets[0] = 0
        graph.offsets = offsets
        graph.targets = targets
        graph.kinds = kinds
    }

    /// Sorts every row, keeps each target once with all its kinds, and applies the rules that look at one row.
    private mutating func compact(_ filter: GraphFilter) {
        let rules = Int(filter.excludedBy.max() ?? 0)
        counts.excluded = Array(repeating: GraphDrop(), count: rules)
        for (node, rule) in filter.excludedBy.enumerated() where rule > 0 {
            counts.excluded[Int(rule) - 1].add(document: node)
        }
        var row: [UInt64] = []
        var write = 0
        var begin = 0
        for node in graph.node.indices {
            let end = Int(graph.offsets[node + 1])
            row.removeAll(keepingCapacity: true)
            for i in begin..<end { row.append(UInt64(graph.targets[i]) << 8 | UInt64(uniform ?? graph.kinds[i])) }
            begin = end
            row.sort()
            var length = 0
            for packed in row {
                if length > 0, row[length - 1] >> 8 == packed >> 8 {
                    row[length - 1] |= packed & 0xFF
                } else {
                    row[length] = packed
                    length += 1
                }
            }
            counts.merged += row.count - length
            row.removeLast(row.count - length)
            applyRules(filter, node, &row)
            for packed in row {
                graph.targets[write] = UInt32(packed >> 8)
                if uniform == nil { graph.kinds[write] = UInt8(packed & 0xFF) }
                write += 1
            }
            graph.offsets[node + 1] = Int64(write)
        }
        truncate(to: write)
    }

    private mutating func applyRules(_ filter: GraphFilter, _ node: Int, _ row: inout [UInt64]) {
        if !filter.leader.isEmpty {
            row.removeAll { packed in
                guard filter.leader[Int(packed >> 8)] == filter.leader[node] else { return false }
                counts.duplicates.add(UInt8(packed & 0xFF))
                return true
            }
        }
        if !filter.excludedBy.isEmpty {
            row.removeAll { packed in
                let rule = filter.excludedBy[node] > 0 ? filter.excludedBy[node] : filter.excludedBy[Int(packed >> 8)]
                if rule == 0 { return false }
                counts.excluded[Int(rule) - 1].add(UInt8(packed & 0xFF))
                return true
            }
        }
        if let limit = filter.maxOutDegree, row.count > limit {
            counts.lists.add(document: node)
            for packed in row { counts.lists.add(UInt8(packed & 0xFF)) }
            row.removeAll(keepingCapacity: true)
        }
    }

    private mutating func dropHubs(_ limit: Int) {
        countInDegrees()
        let hub = graph.inDegree.map { $0 > limit }
        for node in hub.indices where hub[node] { counts.hubs.add(document: node) }
        if counts.hubs.documents > 0 { drop(into: \.hubs) { hub[$1] } }
    }

    private mutating func dropFewLinks(_ limit: Int) {
        countInDegrees()
        let isFew = graph.node.indices.map { node in
            let degree = Int(graph.inDegree[node]) + graph.outLinks(node).count
            return degree > 0 && degree < limit
        }
        for node in isFew.indices where isFew[node] { counts.fewLinks.add(document: node) }
        if counts.fewLinks.documents > 0 { drop(into: \.fewLinks) { isFew[$0] || isFew[$1] } }
    }

    /// Takes the edges (source, target) for which `isDropped` holds.
    private mutating func drop(into drop: WritableKeyPath<Counts, GraphDrop>, _ isDropped: (Int, Int) -> Bool) {
        var dropped = counts[keyPath: drop]
        var write = 0
        var begin = 0
        for node in graph.node.indices {
            let end = Int(graph.offsets[node + 1])
            for i in begin..<end {
                if isDropped(node, Int(graph.targets[i])) {
                    dropped.add(uniform ?? graph.kinds[i])
                    continue
                }
                graph.targets[write] = graph.targets[i]
                if uniform == nil { graph.kinds[write] = graph.kinds[i] }
                write += 1
            }
            begin = end
            graph.offsets[node + 1] = Int64(write)
        }
        counts[keyPath: drop] = dropped
        truncate(to: write)
    }

    private mutating func truncate(to count: Int) {
        graph.targets.removeLast(graph.targets.count - count)
        if uniform == nil { graph.kinds.removeLast(graph.kinds.count - count) }
    }

    private mutating func countInDegrees() {
        graph.inDegree = Array(repeating: 0, count: graph.node.count)
        for target in graph.targets { graph.inDegree[Int(target)] += 1 }
    }
}

extension LinkColumns {
    /// Visits the runs of rows with one source.
    fileprivate func forEachRun(_ body: (Range<Int>) throws -> Void) rethrows {
        var begin = 0
        while begin < source.count {
            var end = begin + 1
            while end < source.count, source[end] == source[begin] { end += 1 }
            try body(begin..<end)
            begin = end
        }
    }
}
