// The other direction of the document graph.

/// The in-links of a graph: node i is linked from `sources[offsets[i] ..< offsets[i + 1]]`, ascending. 4 bytes an edge
/// and 8 a node.
package struct InLinks: Sendable {
    package let offsets: [Int64]
    package let sources: [UInt32]

    package init(_ graph: GraphColumns) {
        var offsets = [Int64](repeating: 0, count: graph.node.count + 1)
        for target in graph.targets { offsets[Int(target) + 1] += 1 }
        for i in graph.node.indices { offsets[i + 1] += offsets[i] }
        var sources = [UInt32](repeating: 0, count: graph.targets.count)
        // Every offset moves to the end of its row, which is where the next one begins: shifted back afterwards.
        for node in graph.node.indices {
            for target in graph.outLinks(node) {
                sources[Int(offsets[Int(target)])] = UInt32(node)
                offsets[Int(target)] += 1
            }
        }
        for i in stride(from: graph.node.count, to: 0, by: -1) { offsets[i] = offsets[i - 1] }
        offsets[0] = 0
        self.offsets = offsets
        self.sources = sources
    }

    package subscript(node: Int) -> ArraySlice<UInt32> { sources[Int(offsets[node])..<Int(offsets[node + 1])] }
}
