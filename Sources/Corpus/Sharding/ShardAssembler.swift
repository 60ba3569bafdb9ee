// Builds training rows `[CLS] A [SEP] B [SEP]` from pairs.

import Container

/// Ids of the special tokens, facts of the vocabulary.
package struct SpecialTokenIDs: Sendable, Equatable {
    package var pad: UInt32
    package var unknown: UInt32
    package var classify: UInt32
    package var separator: UInt32
    package var mask: UInt32

    package init(pad: UInt32, unknown: UInt32, classify: UInt32, separator: UInt32, mask: UInt32) {
        self.pad = pad
        self.unknown = unknown
        self.classify = classify
        self.separator = separator
        self.mask = mask
    }
}

package struct ShardAssembler {
    package let special: SpecialTokenIDs
    package let maxSeqLength: Int
    /// Puts each document's title before its segment. Off by default: a title names the link and gives the relation away.
    package let titleInSegment: Bool
    private let lookup: SegmentLookup
    private var titleA: [UInt32] = []
    private var titleB: [UInt32] = []
    /// Rows that lost tokens to `maxSeqLength`.
    package private(set) var truncated = 0

    package init(lookup: SegmentLookup, special: SpecialTokenIDs, maxSeqLength: Int, titleInSegment: Bool) {
        self.lookup = lookup
        self.special = special
        self.maxSeqLength = maxSeqLength
        self.titleInSegment = titleInSegment
    }

    /// Writes the ids of one row to the front of `ids` and appends its spans and pass to `out`, whose ids and offsets are
    /// the caller's to append. Rows longer than `maxSeqLength` lose tokens of A at its beginning and of B at its end, the
    /// longer one first, whatever the relation: only the outer ends of a contiguous pair are cut, and the cut does not
    /// tell the relations apart.
    /// - Parameter ids: room for `maxSeqLength`.
    /// - Returns: the part of `ids` that was written.
    package mutating func assemble(
        _ pair: SegmentPair, ids: UnsafeMutableBufferPointer<UInt32>, spans out: inout ShardColumns
    ) throws -> UnsafeMutableBufferPointer<UInt32> {
        let a = try lookup.text(pair.aDocument, pair.aSegment)
        let b = try lookup.text(pair.bDocument, pair.bSegment)
        if titleInSegment {
            lookup.title(pair.aDocument, into: &titleA)
            lookup.title(pair.bDocument, into: &titleB)
        }
        let budget = maxSeqLength - 3
        var (keepA, keepB) = (titleA.count + a.count, titleB.count + b.count)
        if keepA + keepB > budget {
            truncated += 1
            let half = budget / 2
            if keepB <= half {
                keepA = budget - keepB
            } else if keepA <= budget - half {
                keepB = budget - keepA
            } else {
                (keepA, keepB) = (budget - half, half)
            }
        }
        appendSpan(pair.aDocument, pair.aSegment, Relation.contiguous.rawValue, at: 1, &out)
        appendSpan(pair.bDocument, pair.bSegment, pair.relation, at: keepA + 2, &out)
        out.spanOffsets.append(Int64(out.spanBegin.count))
        out.pass.append(pair.pass)

        let (endOfA, end) = (1 + keepA, keepA + keepB + 3)
        ids[0] = special.classify
        write(titleA.suffix(max(0, keepA - a.count)), a.suffix(keepA), to: ids, 1..<endOfA)
        ids[endOfA] = special.separator
        write(titleB.prefix(keepB), b.prefix(max(0, keepB - titleB.count)), to: ids, endOfA + 1..<end - 1)
        ids[end - 1] = special.separator
        return UnsafeMutableBufferPointer(rebasing: ids[..<end])
    }

    private func write(
        _ title: ArraySlice<UInt32>, _ text: SegmentLookup.Text, to ids: UnsafeMutableBufferPointer<UInt32>,
        _ range: Range<Int>
    ) {
        precondition(title.count + text.count == range.count, "title and text fill their place")
        for (i, id) in title.enumerated() { ids[range.lowerBound + i] = id }
        let rest = range.lowerBound + title.count..<range.upperBound
        lookup.copy(text, to: UnsafeMutableBufferPointer(rebasing: ids[rest]))
    }

    private func appendSpan(
        _ document: UInt64, _ segment: UInt32, _ relation: UInt8, at begin: Int, _ out: inout ShardColumns
    ) {
        out.spanBegin.append(UInt32(begin))
        out.spanDocument.append(document)
        out.spanSegment.append(segment)
        out.spanRelation.append(relation)
    }
}
