// From the link spans of documents to edges between them, with a reason for every link that became none.

package import Container

/// How many links were seen and what became of them.
package struct LinkCounts: Sendable, Equatable {
    /// Links looked at: spans, or lines of an edge list.
    package var occurrences = 0
    /// Those that became a row.
    package var resolved = 0
    /// Distinct (source, target) pairs among the rows.
    package var distinct = 0
    package private(set) var dropped: [LinkDrop: Int] = [:]

    package init() {}

    package mutating func drop(_ reason: LinkDrop, _ count: Int = 1) { dropped[reason, default: 0] += count }

    package static func += (a: inout LinkCounts, b: LinkCounts) {
        a.occurrences += b.occurrences
        a.resolved += b.resolved
        a.distinct += b.distinct
        for reason in LinkDrop.allCases { if let count = b.dropped[reason] { a.drop(reason, count) } }
    }

    /// Names of counts, as in metadata: `occurrences`, `resolved`, `distinct_edges`, and one a reason that occurred.
    package var named: [String: Int64] {
        var all = ["occurrences": Int64(occurrences), "resolved": Int64(resolved), "distinct_edges": Int64(distinct)]
        for (reason, count) in dropped { all[reason.rawValue] = Int64(count) }
        return all
    }

    /// Reads what `named` gave.
    package init(named: [String: Int64]) {
        occurrences = Int(named["occurrences"] ?? 0)
        resolved = Int(named["resolved"] ?? 0)
        distinct = Int(named["distinct_edges"] ?? 0)
        for reason in LinkDrop.allCases { if let count = named[reason.rawValue] { drop(reason, Int(count)) } }
    }
}

/// The link columns of one documents part, without its texts.
package struct LinkSpans: Sendable {
    package var id: [UInt64] = []
    package var offsets: [Int64] = [0]
    package var begin: [UInt32] = []
    package var end: [UInt32] = []
    package var target = StringColumn()

    package init() {}

    package init(reading part: PartReader) throws {
        id = try part.column("id")
        offsets = try part.column("links.offsets")
        begin = try part.column("link.begin")
        end = try part.column("link.end")
        target = try part.strings("link.target")
    }

    /// What the piece of this part reads of the corpus: the resolution of each target. Identifiers (`doi:…`) are
    /// citations, all other targets hyperlinks; those of the kind that was not asked for resolve to `otherKind`.
    package func projection(_ kind: LinkKind, _ index: inout TargetIndex, percentDecoding: Bool) -> TargetTable {
        var table = TargetTable()
        for i in 0..<target.count {
            target.withBytes(i) { raw in
                table.add(raw) {
                    let isIdentifier = index.isIdentifier(raw)
                    guard isIdentifier == (kind == .citation) else { return .dropped(.otherKind) }
                    return index.resolve(raw, as: isIdentifier ? .alias : .title, percentDecoding: percentDecoding)
                }
            }
        }
        return table
    }

    /// One row an occurrence, in order of document and span: links of segments need every span. The same
    /// (source, target, span) a second time is dropped as a duplicate. O(links).
    package func resolve(_ kind: LinkKind, _ table: TargetTable) -> (links: LinkColumns, counts: LinkCounts) {
        var links = LinkColumns()
        var counts = LinkCounts()
        var targets: Set<UInt64> = []
        var spans: Set<Row> = []
        for document in id.indices {
            targets.removeAll(keepingCapacity: true)
            spans.removeAll(keepingCapacity: true)
            for i in Int(offsets[document])..<Int(offsets[document + 1]) {
                counts.occurrences += 1
                switch target.withBytes(i, { table[$0] }) {
                case .dropped(let reason):
                    counts.drop(reason)
                case .document(let found) where found == id[document]:
                    counts.drop(.selfLink)
                case .document(let found):
                    guard spans.insert(Row(target: found, begin: begin[i], end: end[i])).inserted else {
                        counts.drop(.duplicate)
                        continue
                    }
                    counts.resolved += 1
                    if targets.insert(found).inserted { counts.distinct += 1 }
                    links.append(id[document], found, begin[i], end[i], kind)
                }
            }
        }
        return (links, counts)
    }

    private struct Row: Hashable {
        var target: UInt64
        var begin, end: UInt32
    }
}

extension LinkColumns {
    package mutating func append(_ from: UInt64, _ to: UInt64, _ first: UInt32, _ last: UInt32, _ linkKind: LinkKind) {
        source.append(from)
        target.append(to)
        begin.append(first)
        end.append(last)
        kind.append(linkKind.rawValue)
    }

    /// A link of the whole document.
    package mutating func append(_ from: UInt64, _ to: UInt64, _ linkKind: LinkKind) {
        append(from, to, Self.wholeDocument, Self.wholeDocument, linkKind)
    }
}
