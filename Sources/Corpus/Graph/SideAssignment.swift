// Which side of the split each document is on: train, validation or test.

import Container

/// How documents are divided. Shares are of the documents.
package struct SideRule: Sendable, Equatable {
    package enum Unit: String, Sendable, CaseIterable {
        /// Communities of linked or equal-text documents stay together.
        case group
        /// Equal-text documents stay together; nothing else is looked at, so no document moves another.
        case text
        /// All documents train.
        case none
    }

    package var unit = Unit.group
    package var validation = 0.05
    package var test = 0.05
    /// The largest share of the documents that one community may hold.
    package var maxGroup = 0.02

    package init() {}
}

/// Sides of all nodes of a graph.
package struct SideAssignment: Sendable {
    package private(set) var side: [UInt8]
    /// Communities, for `by: group`.
    package private(set) var groups: Int?
    package private(set) var largestGroup: Int?

    /// - Parameters:
    ///   - graph: its groups of one text (`leader`) stay on one side.
    ///   - textHash: of each node, equal within a group of one text, 0 for a document without text; read for `.text`.
    package init(_ graph: GraphColumns, textHash: [UInt64], rule: SideRule) {
        side = Array(repeating: Side.train.rawValue, count: graph.node.count)
        switch rule.unit {
        case .none: break
        case .text: assignByText(graph, textHash, rule)
        case .group: assignByGroup(graph, rule)
        }
    }

    /// Every document decides for itself: a number in [0, 1) drawn from its text, or from its id if it has none.
    private mutating func assignByText(_ graph: GraphColumns, _ textHash: [UInt64], _ rule: SideRule) {
        for node in graph.node.indices {
            let key = textHash[node] != 0 ? textHash[node] : graph.node[node]
            let draw = KeyedRandom.unit(KeyedRandom.key(Self.seed, key))
            if draw < rule.test {
                side[node] = Side.test.rawValue
            } else if draw < rule.test + rule.validation {
                side[node] = Side.validation.rawValue
            }
        }
    }

    /// Communities in hash order go to the test side, then to validation, each if that brings the side closer to its
    /// share; so a side is off by at most half of a community, and by less the more small ones there are.
    private mutating func assignByGroup(_ graph: GraphColumns, _ rule: SideRule) {
        let nodes = graph.node.count
        let wanted = [(Side.test, rule.test), (.validation, rule.validation)].map { side, share in
            (side: side, size: share == 0 ? 0 : max(1, Int((share * Double(nodes)).rounded())))
        }
        let communities = Communities(
            graph, InLinks(graph), leader: graph.leader,
            cap: Self.cap(nodes: nodes, share: rule.maxGroup, smallestSide: wanted.map(\.size).filter { $0 > 0 }.min()))
        var members = [Int](repeating: 0, count: communities.count)
        var key = [UInt64](repeating: 0, count: communities.count)
        for node in graph.node.indices {
            let group = Int(communities.label[node])
            // Nodes ascend, so the first member has the smallest id: the name of the community.
            if members[group] == 0 { key[group] = KeyedRandom.key(Self.seed, graph.node[node]) }
            members[group] += 1
        }
        var chosen = [UInt8](repeating: Side.train.rawValue, count: communities.count)
        var open = KeyOrder.ascending(key).map(Int.init)
        for (side, size) in wanted where size > 0 {
            var total = 0
            open.removeAll { group in
                let after = abs(total + members[group] - size)
                guard after < abs(total - size) else { return false }
                total += members[group]
                chosen[group] = side.rawValue
                return true
            }
        }
        for node in graph.node.indices { side[node] = chosen[Int(communities.label[node])] }
        groups = communities.count
        largestGroup = members.max() ?? 0
    }

    /// A share of the documents; in small corpora up to 8, so that linked documents can be together at all, but never
    /// more than the smallest side holds.
    static func cap(nodes: Int, share: Double, smallestSide: Int?) -> Int {
        let wanted = max(Int(share * Double(nodes)), 8)
        return max(1, min(wanted, smallestSide ?? wanted))
    }

    private static let seed: UInt64 = 0x7369_6465_73
}
