// Candidates for hard negatives: documents near a document that it does not link to.

import Container

/// Documents that are two links away.
package enum TwoHopNeighbours {
    /// Walks tried from each document.
    static let walks = 64

    /// Documents reached from `node` by two links, ascending, each once: those that 64 walks end at, a function of the
    /// graph and the document's id. Links of `node` itself may be among them. O(walks).
    package static func of(_ node: Int, _ graph: GraphColumns) -> [UInt32] {
        let first = graph.outLinks(node)
        if first.isEmpty { return [] }
        var found: [UInt32] = []
        for walk in 0..<UInt64(walks) {
            let key = KeyedRandom.key(seed, graph.node[node], walk)
            let between = first[first.startIndex + Int(KeyedRandom.below(key, UInt64(first.count)))]
            let second = graph.outLinks(Int(between))
            if second.isEmpty { continue }
            let end = second[second.startIndex + Int(KeyedRandom.below(KeyedRandom.mix(key, 1), UInt64(second.count)))]
            if Int(end) != node { found.append(end) }
        }
        found.sort()
        var distinct: [UInt32] = []
        for node in found where distinct.last != node { distinct.append(node) }
        return distinct
    }

    private static let seed: UInt64 = 0x7477_6F68_6F70
}
