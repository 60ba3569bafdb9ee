// What `stats graph` tells: edges by kind, what each rule took, degrees, hubs, and how many links the sides keep.

import Container
import Corpus

struct GraphReport {
    let statistics: GraphStatistics
    private let counts: GraphBuilder.Counts
    private let inDegree: [UInt32]

    init(_ graph: GraphColumns, _ counts: GraphBuilder.Counts, hubCount: Int) {
        statistics = GraphStatistics(graph, hubCount: hubCount)
        inDegree = graph.inDegree
        self.counts = counts
    }

    /// Indices of the documents that the report names, each once.
    var named: [Int] {
        let samples = (counts.excluded + [counts.lists, counts.hubs, counts.fewLinks]).flatMap(\.samples)
        return Set(samples + statistics.hubs).sorted()
    }

    /// - Parameter titles: of the documents in `named`.
    func metadata(_ config: GraphConfig, titles: [Int: String]) -> [String: JSON] {
        [
            "documents": JSON(statistics.documents), "edges": JSON(statistics.edges),
            "edges_by_kind": kinds(statistics.kinds), "edges_of_several_kinds": JSON(statistics.ofSeveralKinds),
            "link_rows": JSON(counts.links), "link_rows_by_kind": kinds(counts.linkKinds),
            "dropped": dropped(config, titles),
            "orphans": JSON(statistics.orphans), "without_in_links": JSON(statistics.withoutInLinks),
            "without_out_links": JSON(statistics.withoutOutLinks), "max_out_degree": JSON(statistics.maxOutDegree),
            "in_degree_histogram": histogram(statistics.inDegrees),
            "out_degree_histogram": histogram(statistics.outDegrees),
            "hubs": .array(
                statistics.hubs.map {
                    .object(["title": .string(titles[$0] ?? ""), "in_degree": .int(Int64(inDegree[$0]))])
                }),
        ]
    }

    /// By rule: rows that repeat an edge, then edges in the order in which the rules look at them.
    private func dropped(_ config: GraphConfig, _ titles: [Int: String]) -> JSON {
        var rules: [String: JSON] = [
            "merged": JSON(counts.merged), "duplicates": drop(counts.duplicates, titles, ofDocuments: false),
            "excluded_titles": .array(
                zip(config.titleRules, counts.excluded).map { rule, taken in
                    guard case .object(var entry) = drop(taken, titles) else { return .null }
                    entry["rule"] = .string(rule.key)
                    entry["value"] = .string(rule.value)
                    return .object(entry)
                }),
        ]
        if config.maxOutDegree != nil { rules["lists"] = drop(counts.lists, titles) }
        if config.maxInDegree != nil { rules["hubs"] = drop(counts.hubs, titles) }
        if config.minDegree != nil { rules["few_links"] = drop(counts.fewLinks, titles) }
        return .object(rules)
    }

    private func drop(_ drop: GraphDrop, _ titles: [Int: String], ofDocuments: Bool = true) -> JSON {
        var entry: [String: JSON] = ["edges": JSON(drop.edges)]
        if drop.edges > 0 { entry["edges_by_kind"] = kinds(drop.kinds) }
        if ofDocuments {
            entry["documents"] = JSON(drop.documents)
            entry["samples"] = .array(drop.samples.map { .string(titles[$0] ?? "") })
        }
        return .object(entry)
    }

    private func kinds(_ counts: [Int]) -> JSON {
        var named: [String: JSON] = [:]
        for kind in LinkKind.allCases where counts[Int(kind.rawValue)] > 0 {
            named[kind.name] = JSON(counts[Int(kind.rawValue)])
        }
        return .object(named)
    }

    /// `[{from: 0, documents: n}, {from: 1, …}, {from: 2, …}, {from: 4, …}]`: degrees from each bound to below the next.
    private func histogram(_ bins: [Int]) -> JSON {
        .array(
            bins.enumerated().map { bin, documents in
                .object(["from": JSON(bin == 0 ? 0 : 1 << (bin - 1)), "documents": JSON(documents)])
            })
    }

    func sides(_ sides: SideAssignment, _ config: SidesConfig) -> JSON {
        func share(_ part: Int, _ whole: Int) -> JSON { .number(whole == 0 ? 0 : Double(part) / Double(whole)) }
        var report: [String: JSON] = ["by": .string(config.by.rawValue)]
        for side in Side.allCases {
            let counts = statistics.sides[Int(side.rawValue)]
            report[side.name] = .object([
                "documents": JSON(counts.documents), "links": JSON(counts.links), "links_inside": JSON(counts.inside),
                "inside_share": share(counts.inside, counts.links), "documents_with_links_inside": JSON(counts.linking),
            ])
        }
        report["links_inside_share"] = share(statistics.sides.reduce(0) { $0 + $1.inside }, statistics.edges)
        if let groups = sides.groups { report["communities"] = JSON(groups) }
        if let largest = sides.largestGroup { report["largest_community"] = JSON(largest) }
        return .object(report)
    }
}
