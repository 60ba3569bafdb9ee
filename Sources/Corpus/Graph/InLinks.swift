// The other direction of the document graph.

/// The in-links of a graph: `inLinks[i]` are the nodes that link to node i, ascending.
///
/// Memory: 4 bytes an edge and half a byte a node beside the graph's in-degrees, which give the rest of every place;
/// 8 bytes a node more while it is built.
package struct InLinks: Sendable {
    /// Nodes whose rows begin at one stored place: their in-degrees fill a cache line.
    private static let block = 16

    package let sources: [UInt32]
    private let inDegree: [UInt32]
    /// Where the row of every sixteenth node begins.
    private let starts: [Int64]

    /// O(edges).
    /// - Precondition: the in-degrees of the graph are those of its edges.
    package init(_ graph: GraphColumns) {
        inDegree = graph.inDegree
        var next = [Int64](repeating: 0, count: graph.node.count)
        var starts: [Int64] = []
        starts.reserveCapacity(next.count / Self.block + 1)
        var end: Int64 = 0
        for node in next.indices {
            if node % Self.block == 0 { starts.append(end) }
            next[node] = end
            end += Int64(inDegree[node])
        }
        precondition(end == graph.targets.count, "\(graph.targets.count) edges, in-degrees of \(end)")
        self.starts = starts
        sources = [UInt32](unsafeUninitializedCapacity: graph.targets.count) { sources, count in
            next.withUnsafeMutableBufferPointer { next in
                graph.targets.withUnsafeBufferPointer { targets in
                    var begin = 0
                    for node in next.indices {
                        let end = Int(graph.offsets[node + 1])
                        for edge in begin..<end {
                            let target = Int(targets[edge])
                            sources[Int(next[target])] = UInt32(node)
                            next[target] += 1
                        }
                        begin = end
                    }
                }
            }
            count = graph.targets.count
        }
    }

    package subscript(node: Int) -> ArraySlice<UInt32> { sources[range(node)] }

    /// The place of a node's row in `sources`. O(1).
    package func range(_ node: Int) -> Range<Int> {
        let first = node / Self.block
        var begin = Int(starts[first])
        for before in first * Self.block..<node { begin += Int(inDegree[before]) }
        return begin..<begin + Int(inDegree[node])
    }
}
