// Communities of linked documents: label propagation with a cap on their size, the same for any order of the input.

/// Groups of documents that link to each other more than to the rest, none larger than a cap.
///
/// Units (documents, or documents of equal text together) take, one after the other, the label of most weight among
/// their neighbours that still has room; an edge weighs 1/√(degree · degree), so hubs do not swallow everything. Then
/// the communities found, grown to half of the cap, are units themselves and merge up to the cap; at last the documents
/// may move once more. In the rounds of documents the first sweep looks at all of them, a later one at those with a
/// neighbour that has since moved elsewhere; communities that merge look at the 32 others that draw them most. The
/// order is by unit size, then by index; nodes are sorted by id, a hash, so the order carries no topic.
/// - Complexity: O(edges) a sweep, at most 2 · `sweeps` + 1 of them. Memory: 16 bytes a node beside the graph and its
///   in-links, 20 while communities merge, and up to 280 bytes a community of the first round.
/// - Source: label propagation after Raghavan, Albert & Kumara 2007 (arXiv 0709.2938); merging as in Blondel et al.
///   2008 (arXiv 0803.0476), with weights of label propagation rather than modularity; who is looked at again as in
///   Traag, Waltman & van Eck 2019 (arXiv 1810.08473).
package struct Communities: Sendable {
    /// Community of each node: the communities are numbered by their smallest node.
    package private(set) var label: [UInt32]
    package private(set) var count: Int

    /// - Parameters:
    ///   - inLinks: of the same graph.
    ///   - leader: of each node, the first node of its unit: its own for a document alone.
    ///   - cap: the most nodes of a community; a unit may be larger by itself, then it stays alone.
    package init(_ graph: GraphColumns, _ inLinks: InLinks, leader: [UInt32], cap: Int, sweeps: Int = 10) {
        var propagation = LabelPropagation(graph, inLinks, labels: leader)
        let documents = CommunityUnits(leader)
        propagation.run(documents, cap: max(1, cap / 2), sweeps: sweeps)
        propagation.merge(cap: max(1, cap), sweeps: sweeps)
        propagation.run(documents, cap: max(1, cap), sweeps: sweeps)
        (label, count) = propagation.numbered()
    }
}

/// A division of the nodes into units: those of one node, and the others as lists of nodes.
///
/// Memory: a bit a node, 4 bytes a node of a unit of several, 8 bytes such a unit.
struct CommunityUnits {
    /// The units of several nodes, smallest first, then by first node: places in `members`.
    private(set) var groups: [Range<UInt32>] = []
    /// Ascending within each unit.
    private(set) var members: [UInt32] = []
    let isGrouped: BitSet
    let nodes: Int

    /// - Parameter label: equal for the nodes of a unit; below the number of nodes.
    init(_ label: [UInt32]) {
        var sizes = [UInt32](repeating: 0, count: label.count)
        for label in label { sizes[Int(label)] += 1 }
        self.init(nodes: label.count, sizes: &sizes) { label[$0] }
    }

    /// - Parameters:
    ///   - sizes: nodes of each label; used while the units are built, and the same again afterwards.
    ///   - label: of a node: equal for the nodes of a unit; below the number of nodes.
    init(nodes: Int, sizes place: inout [UInt32], label: (Int) -> UInt32) {
        self.nodes = nodes
        var isGrouped = BitSet(count: nodes)
        var grouped = 0
        for node in 0..<nodes where place[Int(label(node))] > 1 {
            isGrouped.insert(node)
            grouped += 1
        }
        members = [UInt32](repeating: 0, count: grouped)
        var hasBegun = BitSet(count: nodes)
        var end: UInt32 = 0
        for node in 0..<nodes where isGrouped.contains(node) {
            let label = Int(label(node))
            if !hasBegun.contains(label) {
                hasBegun.insert(label)
                let begin = end
                end += place[label]
                groups.append(begin..<end)
                // From now on the place of the unit's next node.
                place[label] = begin
            }
            members[Int(place[label])] = UInt32(node)
            place[label] += 1
        }
        for group in groups { place[Int(label(Int(members[Int(group.lowerBound)])))] = UInt32(group.count) }
        self.isGrouped = isGrouped
        groups.sort { ($0.count, $0.lowerBound) < ($1.count, $1.lowerBound) }
    }

    var count: Int { nodes - members.count + groups.count }
}

/// A set of small numbers, a bit each.
struct BitSet {
    private var words: [UInt64]

    init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

    @inline(__always)
    func contains(_ i: Int) -> Bool { words[i >> 6] >> UInt64(i & 63) & 1 == 1 }
    @inline(__always)
    mutating func insert(_ i: Int) { words[i >> 6] |= 1 << UInt64(i & 63) }
    @inline(__always)
    mutating func remove(_ i: Int) { words[i >> 6] &= ~(1 << UInt64(i & 63)) }

    mutating func insertAll() { for word in words.indices { words[word] = .max } }
}
