// From document ids to indices of sorted nodes, for look-ups by the hundred million.

/// Ids are uniform hashes of 63 bits, so their upper bits say almost where they are: a table of bucket starts leaves a
/// search among one or two. Any other ids are found too, by binary search within their bucket. 4 to 8 bytes a node.
package struct DocumentIndex: Sendable {
    private let nodes: [UInt64]
    private let shift: UInt64
    private let starts: [UInt32]

    /// - Parameter nodes: ascending, without repeats, fewer than 2^32.
    package init(sorted nodes: [UInt64]) {
        var bits: UInt64 = 1
        while bits < 32, nodes.count > 1 << bits { bits += 1 }
        let shift = 63 - bits
        var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
        for node in nodes { starts[Int(min(node >> shift, (1 << bits) - 1)) + 1] += 1 }
        for i in 1..<starts.count { starts[i] += starts[i - 1] }
        self.nodes = nodes
        self.shift = shift
        self.starts = starts
    }

    package subscript(id: UInt64) -> Int? {
        let bucket = min(Int(id >> shift), starts.count - 2)
        var low = Int(starts[bucket])
        var high = Int(starts[bucket + 1])
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < Int(starts[bucket + 1]) && nodes[low] == id ? low : nil
    }
}
