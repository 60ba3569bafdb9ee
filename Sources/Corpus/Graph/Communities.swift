// Communities of linked documents: label propagation with a cap on their size, the same for any order of the input.

/// Groups of documents that link to each other more than to the rest, none larger than a cap.
///
/// Units (documents, or documents of equal text together) take, one after the other, the label of most weight among
/// their neighbours that still has room; an edge weighs 1/√(degree · degree), so hubs do not swallow everything. Then
/// the communities found, grown to half of the cap, are units themselves and merge up to the cap; at last the documents
/// may move once more. The order is by unit size, then by index; nodes are sorted by id, a hash, so the order carries
/// no topic.
/// - Complexity: O(edges) a sweep, at most 3 · `sweeps` of them. Memory: 40 bytes a node and 4 an edge beside the graph.
/// - Source: label propagation after Raghavan, Albert & Kumara 2007 (arXiv 0709.2938); merging as in Blondel et al.
///   2008 (arXiv 0803.0476), with weights of label propagation rather than modularity.
package struct Communities: Sendable {
    /// Community of each node: the communities are numbered by their smallest node.
    package private(set) var label: [UInt32]
    package private(set) var count: Int

    private let graph: GraphColumns
    private let inLinks: InLinks
    private let scale: [Float]

    /// - Parameters:
    ///   - unit: equal numbers for nodes that must stay together; numbered from 0 without gaps.
    ///   - cap: the most nodes of a community; a unit may be larger by itself, then it stays alone.
    package init(_ graph: GraphColumns, _ inLinks: InLinks, units unit: [UInt32], cap: Int, sweeps: Int = 10) {
        self.graph = graph
        self.inLinks = inLinks
        scale = graph.node.indices.map { node in
            let degree =
                graph.offsets[node + 1] - graph.offsets[node] + inLinks.offsets[node + 1] - inLinks.offsets[node]
            return degree == 0 ? 0 : 1 / Float(degree).squareRoot()
        }
        (label, count) = (unit, 0)
        let base = Units(unit)
        var ofUnit = Array(0..<UInt32(base.count))
        propagate(base, &ofUnit, cap: max(1, cap / 2), sweeps)

        (label, count) = Self.renumbered(unit.map { ofUnit[Int($0)] })
        let merged = Units(label)
        var ofCommunity = Array(0..<UInt32(merged.count))
        propagate(merged, &ofCommunity, cap: max(1, cap), sweeps)

        (label, count) = Self.renumbered(label.map { ofCommunity[Int($0)] })
        for node in unit.indices { ofUnit[Int(unit[node])] = label[node] }
        propagate(base, &ofUnit, cap: max(1, cap), sweeps)
        (label, count) = Self.renumbered(unit.map { ofUnit[Int($0)] })
    }

    /// Nodes by unit.
    private struct Units {
        let ofNode: [UInt32]
        let offsets: [UInt32]
        let nodes: [UInt32]
        let count: Int

        init(_ ofNode: [UInt32]) {
            self.ofNode = ofNode
            count = Int(ofNode.max().map { $0 + 1 } ?? 0)
            var offsets = [UInt32](repeating: 0, count: count + 1)
            for unit in ofNode { offsets[Int(unit) + 1] += 1 }
            for i in 0..<count { offsets[i + 1] += offsets[i] }
            var next = offsets
            var nodes = [UInt32](repeating: 0, count: ofNode.count)
            for (node, unit) in ofNode.enumerated() {
                nodes[Int(next[Int(unit)])] = UInt32(node)
                next[Int(unit)] += 1
            }
            self.offsets = offsets
            self.nodes = nodes
        }

        /// By size, then by index: a counting sort.
        var smallestFirst: [UInt32] {
            var starts = [UInt32](repeating: 0, count: ((0..<count).lazy.map(size).max() ?? 0) + 2)
            for unit in 0..<count { starts[size(unit) + 1] += 1 }
            for i in 1..<starts.count { starts[i] += starts[i - 1] }
            var order = [UInt32](repeating: 0, count: count)
            for unit in 0..<count {
                order[Int(starts[size(unit)])] = UInt32(unit)
                starts[size(unit)] += 1
            }
            return order
        }

        func size(_ unit: Int) -> Int { Int(offsets[unit + 1] - offsets[unit]) }
        func members(_ unit: Int) -> ArraySlice<UInt32> { nodes[Int(offsets[unit])..<Int(offsets[unit + 1])] }
    }

    /// Moves units between labels until nothing moves or the sweeps are over. Sums run in a fixed order.
    private func propagate(_ units: Units, _ label: inout [UInt32], cap: Int, _ sweeps: Int) {
        var size = [UInt32](repeating: 0, count: units.count)
        for unit in 0..<units.count { size[Int(label[unit])] += UInt32(units.size(unit)) }
        let order = units.smallestFirst
        var weight = [Float](repeating: 0, count: units.count)
        var touched: [UInt32] = []
        func weigh(_ other: Int, _ own: Float, from unit: Int) {
            let otherUnit = Int(units.ofNode[other])
            if otherUnit == unit { return }
            let to = label[otherUnit]
            if weight[Int(to)] == 0 { touched.append(to) }
            weight[Int(to)] += own * scale[other] / Float(units.size(otherUnit)).squareRoot()
        }
        for _ in 0..<sweeps {
            var moves = 0
            for unit in order.lazy.map(Int.init) where units.size(unit) <= cap {
                touched.removeAll(keepingCapacity: true)
                for node in units.members(unit) {
                    let own = scale[Int(node)]
                    for other in graph.outLinks(Int(node)) { weigh(Int(other), own, from: unit) }
                    for other in inLinks[Int(node)] { weigh(Int(other), own, from: unit) }
                }
                let current = label[unit]
                var best = current
                for to in touched where to != current && Int(size[Int(to)]) + units.size(unit) <= cap {
                    let (a, b) = (weight[Int(to)], weight[Int(best)])
                    if a > b || (a == b && best != current && to < best) { best = to }
                }
                for to in touched { weight[Int(to)] = 0 }
                if best != current {
                    size[Int(current)] -= UInt32(units.size(unit))
                    size[Int(best)] += UInt32(units.size(unit))
                    label[unit] = best
                    moves += 1
                }
            }
            if moves * 1000 <= units.count { break }
        }
    }

    /// Numbers from 0 in order of first appearance.
    private static func renumbered(_ labels: [UInt32]) -> (label: [UInt32], count: Int) {
        var number = [UInt32](repeating: .max, count: Int(labels.max().map { $0 + 1 } ?? 0))
        var count: UInt32 = 0
        let label = labels.map { old in
            if number[Int(old)] == .max {
                number[Int(old)] = count
                count += 1
            }
            return number[Int(old)]
        }
        return (label, Int(count))
    }
}
