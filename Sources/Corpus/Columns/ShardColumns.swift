// ShardColumns: training rows as a part of a `shards` artifact holds them.

package import Container

/// Token ids as they are stored: U16 if the vocabulary has at most 65,536 entries, else U32.
package struct TokenIDColumn: Sendable, Equatable {
    package let isNarrow: Bool
    private var narrow: [UInt16] = []
    private var wide: [UInt32] = []

    package init(isNarrow: Bool) { self.isNarrow = isNarrow }

    package init(reading part: PartReader, _ name: String) throws {
        isNarrow = try part.info(name).dtype == .u16
        if isNarrow { narrow = try part.column(name) } else { wide = try part.column(name) }
    }

    package var count: Int { isNarrow ? narrow.count : wide.count }

    package subscript(_ i: Int) -> UInt32 { isNarrow ? UInt32(narrow[i]) : wide[i] }
    package subscript(_ range: Range<Int>) -> [UInt32] {
        isNarrow ? narrow[range].map(UInt32.init) : Array(wide[range])
    }

    /// - Precondition: the ids fit the column, which the vocabulary's size has decided.
    package mutating func append(_ ids: UnsafeBufferPointer<UInt32>) {
        guard isNarrow else { return wide.append(contentsOf: ids) }
        let old = narrow.count
        narrow.append(contentsOf: repeatElement(0, count: ids.count))
        narrow.withUnsafeMutableBufferPointer { narrow in
            for i in 0..<ids.count { narrow[old + i] = UInt16(truncatingIfNeeded: ids[i]) }
        }
    }

    /// Makes room for so many ids, so that none of those before them is moved.
    package mutating func reserveCapacity(_ count: Int) {
        if isNarrow { narrow.reserveCapacity(count) } else { wide.reserveCapacity(count) }
    }

    package mutating func append(_ ids: [UInt32]) { ids.withUnsafeBufferPointer { append($0) } }

    /// Empties it and keeps its memory.
    package mutating func removeAll() {
        narrow.removeAll(keepingCapacity: true)
        wide.removeAll(keepingCapacity: true)
    }

    fileprivate func set(_ name: String, in table: inout ColumnTable) {
        if isNarrow { table.set(name, narrow) } else { table.set(name, wide) }
    }
}

/// One part of a `shards` artifact: training rows `[CLS] A [SEP] B [SEP]`, flat. The form admits contexts of more than
/// two documents: spans begin where their document's tokens begin, and end before the `[SEP]` that closes them.
package struct ShardColumns: Sendable, Equatable {
    package var inputIDs: TokenIDColumn
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
        package var labels: TokenIDColumn

        package init(isNarrow: Bool) { labels = TokenIDColumn(isNarrow: isNarrow) }

        /// The masks appended since the last row are those of one more.
        package mutating func endRow() { offsets.append(Int64(positions.count)) }

        fileprivate mutating func removeAll() {
            offsets.removeLast(offsets.count - 1)
            positions.removeAll(keepingCapacity: true)
            labels.removeAll()
        }
    }

    /// - Parameter isNarrow: whether ids fit 16 bits, a fact of the vocabulary, not of the part.
    package init(isNarrow: Bool) { inputIDs = TokenIDColumn(isNarrow: isNarrow) }

    package init(reading part: PartReader) throws {
        inputIDs = try TokenIDColumn(reading: part, "input_ids")
        offsets = try part.column("offsets")
        spanOffsets = try part.column("span.offsets")
        spanBegin = try part.column("span.begin")
        spanDocument = try part.column("span.document")
        spanSegment = try part.column("span.segment")
        spanRelation = try part.column("span.relation")
        pass = try part.column("pass")
        if part.has("masked.offsets") {
            var masks = Masks(isNarrow: inputIDs.isNarrow)
            masks.offsets = try part.column("masked.offsets")
            masks.positions = try part.column("masked.positions")
            masks.labels = try TokenIDColumn(reading: part, "masked.labels")
            self.masks = masks
        }
    }

    package var count: Int { offsets.count - 1 }

    /// Makes room for so many tokens, and masks if it has some, so that a part does not move while it grows. Room that is not
    /// used takes no memory.
    package mutating func reserveCapacity(tokens: Int, masks count: Int) {
        inputIDs.reserveCapacity(tokens)
        masks?.positions.reserveCapacity(count)
        masks?.labels.reserveCapacity(count)
    }

    /// Empties the columns and keeps their memory for the next part.
    package mutating func removeAll() {
        inputIDs.removeAll()
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

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("offsets", offsets)
        table.set("span.offsets", spanOffsets)
        table.set("span.begin", spanBegin)
        table.set("span.document", spanDocument)
        table.set("span.segment", spanSegment)
        table.set("span.relation", spanRelation)
        table.set("pass", pass)
        inputIDs.set("input_ids", in: &table)
        if let masks {
            table.set("masked.offsets", masks.offsets)
            table.set("masked.positions", masks.positions)
            masks.labels.set("masked.labels", in: &table)
        }
        return table
    }
}
