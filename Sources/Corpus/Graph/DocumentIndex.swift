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
        let range = Int(starts[bucket])..<Int(starts[bucket + 1])
        let place = range.partitionPoint { nodes[$0] < id }
        return place < range.upperBound && nodes[place] == id ? place : nil
    }
}

/// From document ids, in any order, to their numbers in that order. About 20 bytes a document.
package struct DocumentNumbers: Sendable {
    private let index: DocumentIndex
    private let numbers: [UInt32]
    /// The lowest id that occurs more than once; its number is that of its first place.
    package let firstRepeated: UInt64?

    package init(_ documents: [UInt64]) {
        numbers = KeyOrder.ascending(documents)
        let sorted = numbers.map { documents[Int($0)] }
        firstRepeated = zip(sorted, sorted.dropFirst()).first { $0 == $1 }?.0
        index = DocumentIndex(sorted: sorted)
    }

    package subscript(id: UInt64) -> Int? { index[id].map { Int(numbers[$0]) } }
}
