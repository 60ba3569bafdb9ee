// The sweeps of `Communities`: units move to the label that their neighbours draw them to most.

/// Labels of all nodes while they spread.
///
/// Memory: 12 bytes and a bit a node, and the table of labels that one unit meets.
struct LabelPropagation: ~Copyable {
    /// What an edge asks of its other end, in one cache line.
    private struct Node {
        var label: UInt32
        /// 1/√(degree · size of the node's unit); negative while the node's own unit is looked at.
        var weight: Float
    }

    private let graph: GraphColumns
    private let inLinks: InLinks
    private var state: [Node]
    /// Nodes of each label.
    private var size: [UInt32]
    /// Nodes with a neighbour that has moved to another label than theirs since they were looked at.
    private var isOpen: BitSet
    private var found = LabelWeights()

    /// - Parameter labels: to begin with, below the number of nodes.
    init(_ graph: GraphColumns, _ inLinks: InLinks, labels: [UInt32]) {
        self.graph = graph
        self.inLinks = inLinks
        state = labels.map { Node(label: $0, weight: 0) }
        size = [UInt32](repeating: 0, count: labels.count)
        for label in labels { size[Int(label)] += 1 }
        isOpen = BitSet(count: labels.count)
    }

    var labels: [UInt32] { state.map(\.label) }

    /// Labels numbered from 0 in order of first appearance, and how many there are.
    consuming func numbered() -> (label: [UInt32], count: Int) {
        var count: UInt32 = 0
        for label in size.indices { size[label] = .max }
        let label = state.map { node in
            let old = Int(node.label)
            if size[old] == .max {
                size[old] = count
                count += 1
            }
            return size[old]
        }
        return (label, Int(count))
    }

    /// Moves units between labels until at most one of a thousand moves in a sweep, or the sweeps are over. Sums run in
    /// a fixed order.
    /// - Parameters:
    ///   - units: of nodes that have one label.
    ///   - cap: the most nodes of a label.
    mutating func run(_ units: borrowing CommunityUnits, cap: Int, sweeps: Int) {
        weigh(units)
        isOpen.insertAll()
        for _ in 0..<sweeps {
            var moves = 0
            for node in 0..<units.nodes where isOpen.contains(node) && !units.isGrouped.contains(node) {
                if move(CollectionOfOne(UInt32(node)), cap) { moves += 1 }
            }
            units.members.withUnsafeBufferPointer { members in
                for group in units.groups where group.count <= cap {
                    let unit = members[Int(group.lowerBound)..<Int(group.upperBound)]
                    guard unit.contains(where: { isOpen.contains(Int($0)) }) else { continue }
                    if move(unit, cap) { moves += 1 }
                }
            }
            if moves * 1000 <= units.count { break }
        }
    }

    private mutating func weigh(_ units: borrowing CommunityUnits) {
        for node in state.indices { state[node].weight = weight(node, unitSize: 1) }
        for group in units.groups {
            for i in group {
                let node = Int(units.members[Int(i)])
                state[node].weight = weight(node, unitSize: group.count)
            }
        }
    }

    private func weight(_ node: Int, unitSize: Int) -> Float {
        let degree = graph.offsets[node + 1] - graph.offsets[node] + Int64(graph.inDegree[node])
        return degree == 0 ? 0 : 1 / (Float(degree) * Float(unitSize)).squareRoot()
    }

    /// Lets one unit choose; says whether it moved.
    private mutating func move(_ unit: some RandomAccessCollection<UInt32>, _ cap: Int) -> Bool {
        for node in unit {
            isOpen.remove(Int(node))
            state[Int(node)].weight.negate()
        }
        for node in unit {
            let own = -state[Int(node)].weight
            for other in graph.outLinks(Int(node)) { weigh(Int(other), own) }
            for other in inLinks[Int(node)] { weigh(Int(other), own) }
        }
        for node in unit { state[Int(node)].weight.negate() }
        let current = state[Int(unit[unit.startIndex])].label
        let best = best(current, room: cap - unit.count)
        found.removeAll()
        if best == current { return false }
        size[Int(current)] -= UInt32(unit.count)
        size[Int(best)] += UInt32(unit.count)
        for node in unit { state[Int(node)].label = best }
        for node in unit {
            for other in graph.outLinks(Int(node)) where state[Int(other)].label != best { isOpen.insert(Int(other)) }
            for other in inLinks[Int(node)] where state[Int(other)].label != best { isOpen.insert(Int(other)) }
        }
        return true
    }

    @inline(__always)
    private mutating func weigh(_ other: Int, _ own: Float) {
        let end = state[other]
        if end.weight > 0 { found.add(own * end.weight, to: end.label) }
    }

    /// The label of most weight among those with at most `room` nodes; of equal ones the current, else the lowest.
    private func best(_ current: UInt32, room: Int) -> UInt32 {
        var best = current
        var most = found[current]
        for i in 0..<found.count {
            let (label, weight) = found.entry(i)
            guard weight > most || (weight == most && best != current && label < best), label != current,
                Int(size[Int(label)]) <= room
            else { continue }
            (best, most) = (label, weight)
        }
        return best
    }
}
