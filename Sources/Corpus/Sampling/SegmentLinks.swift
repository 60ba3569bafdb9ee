// For `link_scope: segment`: which links lie in which segment.

import Container

/// Links by (document, segment ordinal), built from link spans, token byte ranges and segment bounds.
package struct SegmentLinks: Sendable {
    /// Ascending distinct target ids by document and ordinal.
    private var targets: [UInt64: [UInt32: [UInt64]]] = [:]
    /// Links without a span, which no segment can own.
    package private(set) var withoutSpan = 0
    package private(set) var placed = 0
    /// Spans that fall into no segment: anchors in text that gave no token.
    package private(set) var unplaced = 0

    package init() {}

    /// Adds the links of documents whose tokens and segments are in these parts.
    ///
    /// - Parameters: `links`: rows in any order; rows of documents not in `tokens` are skipped.
    package mutating func add(links: LinkColumns, tokens: TokenColumns, segments: SegmentColumns) {
        var tokenRow: [UInt64: Int] = [:]
        for (row, id) in tokens.document.enumerated() { tokenRow[id] = row }
        var segmentRows: [UInt64: Range<Int>] = [:]
        for row in 0..<segments.count {
            let id = segments.document[row]
            segmentRows[id] = (segmentRows[id]?.lowerBound ?? row)..<row + 1
        }
        for i in 0..<links.count {
            guard let row = tokenRow[links.source[i]], let owned = segmentRows[links.source[i]] else { continue }
            if links.begin[i] == LinkColumns.wholeDocument {
                withoutSpan += 1
                continue
            }
            let range = tokens.tokens(row)
            guard let token = Self.token(at: links.begin[i], links.end[i], tokens, range),
                let segment = owned.first(where: { segments.first[$0] <= token && token < segments.end[$0] })
            else {
                unplaced += 1
                continue
            }
            placed += 1
            targets[links.source[i], default: [:]][segments.ordinal[segment], default: []].append(links.target[i])
        }
    }

    package func targets(_ document: UInt64, _ ordinal: UInt32) -> [UInt64] {
        Set(targets[document]?[ordinal] ?? []).sorted()
    }

    /// First token, counted from the document's first, that ends after `begin`, if it begins before `end`.
    private static func token(
        at begin: UInt32, _ end: UInt32, _ tokens: TokenColumns, _ range: Range<Int>
    ) -> UInt32? {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = (low + high) / 2
            if tokens.end[middle] <= begin { low = middle + 1 } else { high = middle }
        }
        guard low < range.upperBound, tokens.begin[low] < end else { return nil }
        return UInt32(low - range.lowerBound)
    }
}
