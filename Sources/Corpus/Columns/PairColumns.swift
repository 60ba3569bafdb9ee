// The columns of `pairs` and `shards` parts.

package import Container

/// How segment B was chosen. Ids 0 and 1 keep the meaning of BERT's "next" and "random". Raw values are stored.
package enum Relation: UInt8, Sendable, CaseIterable {
    case contiguous = 0, random = 1, linked = 2

    package var name: String {
        switch self {
        case .contiguous: "contiguous"
        case .random: "random"
        case .linked: "linked"
        }
    }
}

/// One part of a `pairs` artifact. Segments are named by document id and ordinal, so that added files shift nothing.
package struct PairColumns: Sendable, Equatable {
    package var aDocument: [UInt64] = []
    package var bDocument: [UInt64] = []
    package var aSegment: [UInt32] = []
    package var bSegment: [UInt32] = []
    package var relation: [UInt8] = []
    package var pass: [UInt16] = []
    package var side: [UInt8] = []

    package init() {}

    package init(reading part: PartReader) throws {
        aDocument = try part.column("a.document")
        bDocument = try part.column("b.document")
        aSegment = try part.column("a.segment")
        bSegment = try part.column("b.segment")
        relation = try part.column("relation")
        pass = try part.column("pass")
        side = try part.column("side")
    }

    package var count: Int { aDocument.count }

    package mutating func append(_ other: PairColumns) {
        aDocument += other.aDocument
        bDocument += other.bDocument
        aSegment += other.aSegment
        bSegment += other.bSegment
        relation += other.relation
        pass += other.pass
        side += other.side
    }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("a.document", aDocument)
        table.set("b.document", bDocument)
        table.set("a.segment", aSegment)
        table.set("b.segment", bSegment)
        table.set("relation", relation)
        table.set("pass", pass)
        table.set("side", side)
        return table
    }
}

/// One part of a `shards` artifact: training rows `[CLS] A [SEP] B [SEP]`, flat. The form admits contexts of more than
/// two documents: spans begin where their document's tokens begin, and end before the `[SEP]` that closes them.
package struct ShardColumns: Sendable, Equatable {
    /// U16 on disk if the vocabulary has at most 65,536 entries, else U32.
    package var inputIDs: [UInt32] = []
    /// Row i is `inputIDs[offsets[i] ..< offsets[i + 1]]`.
    package var offsets: [Int64] = [0]
    /// Row i has spans `spanOffsets[i] ..< spanOffsets[i + 1]`.
    package var spanOffsets: [Int64] = [0]
    /// Position of the span's first token within its row.
    package var spanBegin: [UInt32] = []
    package var spanDocument: [UInt64] = []
    /// Ordinal of the segment within its document.
    package var spanSegment: [UInt32] = []
    /// Relation to the row's first span; for the first span itself `contiguous` (0).
    package var spanRelation: [UInt8] = []
    /// The sampling pass the row belongs to.
    package var pass: [UInt16] = []
    /// Static masks, absent (nil) with `masking: dynamic`: row i has masks `masked.offsets[i] ..< [i + 1]`.
    package var masks: Masks?

    package struct Masks: Sendable, Equatable {
        package var offsets: [Int64] = [0]
        /// Position within the row.
        package var positions: [UInt32] = []
        /// The original ids; `inputIDs` holds the corrupted ones.
        package var labels: [UInt32] = []

        package init() {}

        fileprivate mutating func removeAll() {
            offsets.removeLast(offsets.count - 1)
            positions.removeAll(keepingCapacity: true)
            labels.removeAll(keepingCapacity: true)
        }
    }

    package init() {}

    package init(reading part: PartReader) throws {
        inputIDs = try part.ids("input_ids")
        offsets = try part.column("offsets")
        spanOffsets = try part.column("span.offsets")
        spanBegin = try part.column("span.begin")
        spanDocument = try part.column("span.document")
        spanSegment = try part.column("span.segment")
        spanRelation = try part.column("span.relation")
        pass = try part.column("pass")
        if part.has("masked.offsets") {
            var masks = Masks()
            masks.offsets = try part.column("masked.offsets")
            masks.positions = try part.column("masked.positions")
            masks.labels = try part.ids("masked.labels")
            self.masks = masks
        }
    }

    package var count: Int { offsets.count - 1 }

    /// Empties the columns and keeps their memory for the next part.
    package mutating func removeAll() {
        inputIDs.removeAll(keepingCapacity: true)
        // The first offset, 0, stays.
        offsets.removeLast(offsets.count - 1)
        spanOffsets.removeLast(spanOffsets.count - 1)
        spanBegin.removeAll(keepingCapacity: true)
        spanSegment.removeAll(keepingCapacity: true)
        spanDocument.removeAll(keepingCapacity: true)
        spanRelation.removeAll(keepingCapacity: true)
        pass.removeAll(keepingCapacity: true)
        masks?.removeAll()
    }

    /// - Parameter narrow: whether ids fit 16 bits, a fact of the vocabulary, not of this part.
    package func table(narrow: Bool) -> ColumnTable {
        var table = ColumnTable()
        table.set("offsets", offsets)
        table.set("span.offsets", spanOffsets)
        table.set("span.begin", spanBegin)
        table.set("span.document", spanDocument)
        table.set("span.segment", spanSegment)
        table.set("span.relation", spanRelation)
        table.set("pass", pass)
        setIDs("input_ids", inputIDs, narrow, &table)
        if let masks {
            table.set("masked.offsets", masks.offsets)
            table.set("masked.positions", masks.positions)
            setIDs("masked.labels", masks.labels, narrow, &table)
        }
        return table
    }

    private func setIDs(_ name: String, _ ids: [UInt32], _ narrow: Bool, _ table: inout ColumnTable) {
        if narrow { table.set(name, ids.map { UInt16(truncatingIfNeeded: $0) }) } else { table.set(name, ids) }
    }
}
