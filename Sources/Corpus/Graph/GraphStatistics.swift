// What a document graph is like: degrees, hubs, orphans, and how many links the sides keep.

package struct GraphStatistics: Sendable, Equatable {
    /// One side's documents and the links that leave them.
    package struct SideCounts: Sendable, Equatable {
        package var documents = 0
        /// Links whose source is on the side, and those of them whose target is too.
        package var links = 0
        package var inside = 0
        /// Documents with at least one link inside the side.
        package var linking = 0

        package init(documents: Int = 0, links: Int = 0, inside: Int = 0, linking: Int = 0) {
            self.documents = documents
            self.links = links
            self.inside = inside
            self.linking = linking
        }
    }

    package private(set) var documents: Int
    package private(set) var edges: Int
    /// Documents without out-links and without in-links.
    package private(set) var orphans = 0
    package private(set) var withoutOutLinks = 0
    package private(set) var withoutInLinks = 0
    /// Documents by degree: entry 0 for none, entry k for 2^(k-1) ..< 2^k.
    package private(set) var inDegrees: [Int] = []
    package private(set) var outDegrees: [Int] = []
    package private(set) var maxOutDegree = 0
    /// Indexed by `Side` raw values.
    package private(set) var sides: [SideCounts]
    /// Edges by `LinkKind` raw value; an edge of several kinds counts for each.
    package private(set) var kinds: [Int]
    package private(set) var ofSeveralKinds = 0
    /// Indices of the nodes of highest in-degree, highest first, then by index.
    package private(set) var hubs: [Int] = []

    package init(_ graph: GraphColumns, hubCount: Int = 20) {
        documents = graph.node.count
        edges = graph.targets.count
        sides = Array(repeating: SideCounts(), count: Side.allCases.count)
        kinds = Array(repeating: 0, count: LinkKind.allCases.count)
        var bits = [Int](repeating: 0, count: 256)
        for kind in graph.kinds { bits[Int(kind)] += 1 }
        for (set, count) in bits.enumerated() where count > 0 {
            for kind in LinkKind.allCases where UInt8(set) & kind.bit != 0 { kinds[Int(kind.rawValue)] += count }
            if set.nonzeroBitCount > 1 { ofSeveralKinds += count }
        }
        for node in graph.node.indices {
            let out = graph.outLinks(node)
            let incoming = Int(graph.inDegree[node])
            if out.isEmpty { withoutOutLinks += 1 }
            if incoming == 0 { withoutInLinks += 1 }
            if out.isEmpty, incoming == 0 { orphans += 1 }
            maxOutDegree = max(maxOutDegree, out.count)
            Self.count(out.count, in: &outDegrees)
            Self.count(incoming, in: &inDegrees)
            let inside = out.count { graph.side[Int($0)] == graph.side[node] }
            let side = Int(graph.side[node])
            sides[side].documents += 1
            sides[side].links += out.count
            sides[side].inside += inside
            if inside > 0 { sides[side].linking += 1 }
        }
        keepHubs(graph, hubCount)
    }

    /// One pass with a short sorted list. O(nodes + hubs²).
    private mutating func keepHubs(_ graph: GraphColumns, _ limit: Int) {
        for node in graph.node.indices where graph.inDegree[node] > 0 {
            if hubs.count == limit, let last = hubs.last, graph.inDegree[last] >= graph.inDegree[node] { continue }
            let place = hubs.firstIndex { graph.inDegree[$0] < graph.inDegree[node] } ?? hubs.count
            hubs.insert(node, at: place)
            if hubs.count > limit { hubs.removeLast() }
        }
    }

    private static func count(_ degree: Int, in histogram: inout [Int]) {
        let bin = degree == 0 ? 0 : Int.bitWidth - degree.leadingZeroBitCount
        while histogram.count <= bin { histogram.append(0) }
        histogram[bin] += 1
    }
}
