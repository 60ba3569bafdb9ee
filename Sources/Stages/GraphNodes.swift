// The documents as nodes of the graph: ids, groups of equal and nearly equal texts, and rules by title.

import Container
import Corpus
import Pipeline
import Text

/// Memory: 25 bytes a node, and 100 more while near duplicates are looked for; 8 bytes a word of those documents that
/// may be one, and the texts of one part.
struct GraphNodes {
    /// Rules by title, at most: a node keeps the number of its rule in a byte.
    static let mostRules = 254
    /// Pairs of near duplicates that the report shows.
    private static let sampleCount = 10

    /// Ascending.
    let ids: [UInt64]
    /// By node: 0, or 1 + the index of the first rule by title that holds; empty without rules.
    private(set) var excludedBy: [UInt8] = []
    private(set) var groups: DuplicateGroups
    /// What was found of equal and nearly equal texts.
    private(set) var duplicates: JSON = .null
    /// A hash of each node's text, equal within a group, 0 for a document without text; kept only where sides go by
    /// text, else empty.
    private(set) var textHash: [UInt64]

    init(_ documents: StoredArtifact, _ context: StageContext<GraphConfig>) throws {
        var ids: [UInt64] = []
        for part in documents.manifest.parts { ids += try documents.columns(part).column("id", as: UInt64.self) }
        ids.sort()
        if let i = ids.indices.dropFirst().first(where: { ids[$0] == ids[$0 - 1] }) {
            throw StageError(
                "two documents have the id \(ids[i])", cause: "ids come from the corpus name and the source id",
                fix: "give the corpora different names, or drop one of the documents")
        }
        guard ids.count < Int(UInt32.max) else {
            throw StageError("a graph holds fewer than 2^32 documents, not \(ids.count)", fix: "split the corpus")
        }
        self.ids = ids
        let index = DocumentIndex(sorted: ids)
        textHash = [UInt64](repeating: 0, count: ids.count)
        groups = DuplicateGroups(textHash: [])
        let sketch = try readTexts(documents, index, context)
        groups = DuplicateGroups(textHash: textHash)
        let equal = groups.counts
        var report: [String: JSON] = ["equal_texts": JSON(equal.repeats)]
        if let sketch, let threshold = context.config.nearDuplicates {
            let found = try findNearDuplicates(sketch, threshold, documents, index, context)
            groups.settle()
            report["near_duplicates"] = JSON(groups.counts.repeats - equal.repeats)
            report["resemblance"] = .number(threshold)
            report["candidate_pairs"] = JSON(found.candidates)
            report["samples"] = .array(found.samples)
        }
        report["groups"] = JSON(groups.counts.groups)
        report["largest_group"] = JSON(groups.counts.largest)
        duplicates = .object(report)
        guard context.config.sides.by == .text else {
            textHash = []
            return
        }
        for node in textHash.indices { textHash[node] = textHash[Int(groups.leader[node])] }
    }

    /// Fills `textHash` and `excludedBy`.
    private mutating func readTexts(
        _ documents: StoredArtifact, _ index: DocumentIndex, _ context: StageContext<GraphConfig>
    ) throws -> NearDuplicateSketch? {
        let rules = try titleRules(context.config)
        if !rules.isEmpty { excludedBy = [UInt8](repeating: 0, count: ids.count) }
        var sketch = context.config.nearDuplicates == nil ? nil : NearDuplicateSketch(documents: ids.count)
        var words = WordHashes()
        for part in documents.manifest.parts {
            let reader = try documents.columns(part)
            let id: [UInt64] = try reader.column("id")
            let text = try reader.strings("text")
            let title = rules.isEmpty ? StringColumn() : try reader.strings("title")
            for row in id.indices {
                guard let node = index[id[row]] else { continue }
                text.withBytes(row) { bytes in
                    if bytes.isEmpty { return }
                    textHash[node] = max(1, Digest.of(UnsafeRawBufferPointer(bytes)).prefix)
                    if sketch == nil { return }
                    words.removeAll()
                    words.append(bytes)
                    sketch?.add(node, words.hashes)
                }
                if !rules.isEmpty, let rule = title.withBytes(row, { title in rules.firstIndex { $0(title) } }) {
                    excludedBy[node] = UInt8(rule + 1)
                }
                if row & 255 == 0 { try context.environment.checkCancelled() }
            }
        }
        return sketch
    }

    private func titleRules(_ config: GraphConfig) throws -> [(UnsafeBufferPointer<UInt8>) -> Bool] {
        let patterns = try config.excludePatterns.map { try DropRules([$0]) }
        return config.excludePrefixes.map { prefix in { $0.starts(with: prefix.utf8) } }
            + config.excludeSuffixes.map { suffix in { $0.reversed().starts(with: suffix.utf8.reversed()) } }
            + patterns.map { pattern in { pattern.matches($0) } }
    }

    /// Unites the groups of candidates that are alike enough, after reading their texts again.
    private mutating func findNearDuplicates(
        _ sketch: NearDuplicateSketch, _ threshold: Double, _ documents: StoredArtifact, _ index: DocumentIndex,
        _ context: StageContext<GraphConfig>
    ) throws -> (candidates: Int, samples: [JSON]) {
        let candidates = sketch.candidates(groups.leader)
        let wanted = Set(candidates.flatMap { [$0.0, $0.1] })
        var shingles: [UInt32: [UInt64]] = [:]
        var words = WordHashes()
        for part in documents.manifest.parts where !wanted.isEmpty {
            let reader = try documents.columns(part)
            let nodes = try reader.column("id", as: UInt64.self).map { index[$0].map(UInt32.init) }
            guard nodes.contains(where: { $0.map(wanted.contains) ?? false }) else { continue }
            let text = try reader.strings("text")
            for (row, node) in nodes.enumerated() {
                guard let node, wanted.contains(node) else { continue }
                words.removeAll()
                text.withBytes(row) { words.append($0) }
                shingles[node] = Shingles.set(words.hashes)
            }
            try context.environment.checkCancelled()
        }
        var found: [(resemblance: Double, a: Int, b: Int)] = []
        for (a, b) in candidates {
            let resemblance = Shingles.resemblance(shingles[a] ?? [], shingles[b] ?? [])
            if resemblance < threshold { continue }
            groups.unite(Int(a), Int(b))
            found.append((resemblance, Int(a), Int(b)))
        }
        // The least alike show best whether the threshold is right.
        found.sort { ($0.resemblance, $0.a, $0.b) < ($1.resemblance, $1.a, $1.b) }
        let shown = found.prefix(Self.sampleCount)
        let titles = try titles(of: Set(shown.flatMap { [$0.a, $0.b] }).sorted(), documents)
        let samples: [JSON] = shown.map { pair in
            .object([
                "titles": .array([.string(titles[pair.a] ?? ""), .string(titles[pair.b] ?? "")]),
                "resemblance": .number(rounded(pair.resemblance)),
            ])
        }
        return (candidates.count, samples)
    }

    /// Titles of a few nodes.
    func titles(of nodes: [Int], _ documents: StoredArtifact) throws -> [Int: String] {
        let wanted = Dictionary(uniqueKeysWithValues: nodes.map { (ids[$0], $0) })
        var titles: [Int: String] = [:]
        for part in documents.manifest.parts where titles.count < wanted.count {
            let reader = try documents.columns(part)
            let id: [UInt64] = try reader.column("id")
            guard id.contains(where: { wanted[$0] != nil }) else { continue }
            let column = try reader.strings("title")
            for (row, id) in id.enumerated() { if let node = wanted[id] { titles[node] = column.string(row) } }
        }
        return titles
    }
}
