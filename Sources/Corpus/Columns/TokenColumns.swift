// The columns of `vocabulary`, `tokens` and `segments` parts.

package import Container

/// The one columns part of a `vocabulary`: tokens in id order. Normaliser and special tokens are metadata.
package struct VocabularyColumns: Sendable, Equatable {
    package var token = StringColumn()

    package init() {}
    package init(reading part: PartReader) throws { token = try part.strings("token") }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("token", token)
        return table
    }
}

/// One part of a `tokens` artifact: documents → sentences → token ids with byte offsets.
package struct TokenColumns: Sendable, Equatable {
    package var document: [UInt64] = []
    /// Document i has sentences `documentOffsets[i] ..< documentOffsets[i + 1]`.
    package var documentOffsets: [Int64] = [0]
    /// Sentence s has tokens `sentenceOffsets[s] ..< sentenceOffsets[s + 1]`.
    package var sentenceOffsets: [Int64] = [0]
    /// Block ordinal (within the document) of each sentence.
    package var block: [UInt32] = []
    /// U16 on disk if the vocabulary has at most 65,536 entries, else U32.
    package var ids: [UInt32] = []
    /// Byte range of each token in the document's text.
    package var begin: [UInt32] = []
    package var end: [UInt32] = []
    package var titleOffsets: [Int64] = [0]
    package var titleIDs: [UInt32] = []

    package init() {}

    package init(reading part: PartReader) throws {
        document = try part.column("document")
        documentOffsets = try part.column("document.offsets")
        sentenceOffsets = try part.column("sentence.offsets")
        block = try part.column("block")
        ids = try part.ids("ids")
        begin = try part.column("begin")
        end = try part.column("end")
        titleOffsets = try part.column("title.offsets")
        titleIDs = try part.ids("title.ids")
    }

    package var count: Int { document.count }

    /// Tokens of document i, as a range of `ids`.
    package func tokens(_ i: Int) -> Range<Int> {
        Int(sentenceOffsets[Int(documentOffsets[i])])..<Int(sentenceOffsets[Int(documentOffsets[i + 1])])
    }

    /// - Parameter narrow: whether ids fit 16 bits, a fact of the vocabulary, not of this part.
    package func table(narrow: Bool) -> ColumnTable {
        var table = ColumnTable()
        table.set("document", document)
        table.set("document.offsets", documentOffsets)
        table.set("sentence.offsets", sentenceOffsets)
        table.set("block", block)
        table.set("begin", begin)
        table.set("end", end)
        table.set("title.offsets", titleOffsets)
        if narrow {
            table.set("ids", ids.map { UInt16(truncatingIfNeeded: $0) })
            table.set("title.ids", titleIDs.map { UInt16(truncatingIfNeeded: $0) })
        } else {
            table.set("ids", ids)
            table.set("title.ids", titleIDs)
        }
        return table
    }
}

/// One part of a `segments` artifact: half-open token ranges within a document, in order.
package struct SegmentColumns: Sendable, Equatable {
    package var document: [UInt64] = []
    /// 0, 1, … within the document.
    package var ordinal: [UInt32] = []
    package var first: [UInt32] = []
    package var end: [UInt32] = []
    /// `TokenIDs.hash` of the segment: lets `pair-sample` tell equal texts apart without tokens.
    package var hash: [UInt64] = []

    package init() {}

    package init(reading part: PartReader) throws {
        document = try part.column("document")
        ordinal = try part.column("ordinal")
        first = try part.column("first")
        end = try part.column("end")
        hash = try part.column("hash")
    }

    package var count: Int { document.count }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("document", document)
        table.set("ordinal", ordinal)
        table.set("first", first)
        table.set("end", end)
        table.set("hash", hash)
        return table
    }
}
