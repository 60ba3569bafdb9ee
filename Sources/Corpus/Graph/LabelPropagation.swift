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
        for node in unit { isOpen.remove(Int(node)) }
        lookAround(unit)
        let current = state[Int(unit[unit.startIndex])].label
        let best = best(current, room: cap - unit.count)
        found.removeAll()
        if best == current { return false }
        change(current, best, count: unit.count)
        for node in unit { state[Int(node)].label = best }
        for node in unit {
            for other in graph.outLinks(Int(node)) where state[Int(other)].label != best { isOpen.insert(Int(other)) }
            for other in inLinks[Int(node)] where state[Int(other)].label != best { isOpen.insert(Int(other)) }
        }
        return true
    }

    private mutating func change(_ old: UInt32, _ new: UInt32, count: Int) {
        size[Int(old)] -= UInt32(count)
        size[Int(new)] += UInt32(count)
    }

    /// Fills `found` with the labels of a unit's neighbours outside of it. O(edges of the unit).
    private mutating func lookAround(_ unit: some RandomAccessCollection<UInt32>) {
        for node in unit { state[Int(node)].weight.negate() }
        for node in unit {
            let own = -state[Int(node)].weight
            for other in graph.outLinks(Int(node)) { weigh(Int(other), own) }
            for other in inLinks[Int(node)] { weigh(Int(other), own) }
        }
        for node in unit { state[Int(node)].weight.negate() }
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

    // MARK: Merging

    /// Makes every label a unit and lets these move as `run` does, each drawn by the nearest others only, so that the
    /// edges are looked at once. O(edges + labels · sweeps).
    mutating func merge(cap: Int, sweeps: Int) {
        var near = NearestLabels()
        list(units(), into: &near)
        var label = Array(0..<UInt32(state.count))
        for _ in 0..<sweeps {
            var moves = 0
            for unit in 0..<near.count where near.size[unit] <= cap {
                for i in near.range(unit) { found.add(near.weight[i], to: label[Int(near.label[i])]) }
                let current = label[Int(near.own[unit])]
                let best = best(current, room: cap - Int(near.size[unit]))
                found.removeAll()
                if best == current { continue }
                change(current, best, count: Int(near.size[unit]))
                label[Int(near.own[unit])] = best
                moves += 1
            }
            if moves * 1000 <= near.count { break }
        }
        for node in state.indices { state[node].label = label[Int(state[node].label)] }
    }

    /// The nodes of each label as a unit.
    private mutating func units() -> CommunityUnits {
        let state = state
        return CommunityUnits(nodes: state.count, sizes: &size) { state[$0].label }
    }

    private mutating func list(_ units: borrowing CommunityUnits, into near: inout NearestLabels) {
        weigh(units)
        for node in 0..<units.nodes where !units.isGrouped.contains(node) {
            lookAround(CollectionOfOne(UInt32(node)))
            near.append(state[node].label, size: 1, found)
            found.removeAll()
        }
        units.members.withUnsafeBufferPointer { members in
            for group in units.groups {
                let unit = members[Int(group.lowerBound)..<Int(group.upperBound)]
                lookAround(unit)
                near.append(state[Int(members[Int(group.lowerBound)])].label, size: group.count, found)
                found.removeAll()
            }
        }
    }
}

/// Of each label, the others that its nodes are drawn to most. Labels that are drawn to none are left out.
/// Memory: up to 8 · `limit` + 16 bytes a label, and no more than the edges between labels.
private struct NearestLabels {
    static let limit = 32

    private(set) var own: [UInt32] = []
    private(set) var size: [UInt32] = []
    private(set) var label: [UInt32] = []
    private(set) var weight: [Float] = []
    private var ends: [Int] = []

    var count: Int { own.count }

    func range(_ unit: Int) -> Range<Int> { (unit == 0 ? 0 : ends[unit - 1])..<ends[unit] }

    mutating func append(_ own: UInt32, size: Int, _ found: borrowing LabelWeights) {
        if found.count == 0 { return }
        let first = label.count
        for i in 0..<found.count {
            let (other, weight) = found.entry(i)
            var place = label.count
            // Kept in order: the strongest first, the lower label before an equal one.
            while place > first,
                weight > self.weight[place - 1] || (weight == self.weight[place - 1] && other < label[place - 1])
            { place -= 1 }
            if place - first == Self.limit { continue }
            if label.count - first == Self.limit {
                label.removeLast()
                self.weight.removeLast()
            }
            label.insert(other, at: place)
            self.weight.insert(weight, at: place)
        }
        self.own.append(own)
        self.size.append(UInt32(size))
        ends.append(label.count)
    }
}
