// The columns of a `documents` part: texts with blocks, link spans, aliases, and the redirects seen beside them.
// Layout on disk: docs/formats.md, section documents.

package import Container

/// One part of a `documents` artifact in memory, a struct of arrays. Row i is document i; redirects are rows of their own.
package struct DocumentColumns: Sendable {
    /// First 8 bytes, top bit cleared, of SHA-256(corpus NUL source id): `DocumentID.make`.
    package var id: [UInt64] = []
    /// Page id, PMID, DOI or file name.
    package var sourceID = StringColumn()
    package var title = StringColumn()
    package var text = StringColumn()
    /// Document i has aliases `aliasOffsets[i] ..< aliasOffsets[i + 1]`, each `scheme:value`.
    package var aliasOffsets: [Int64] = [0]
    package var alias = StringColumn()
    package var blockOffsets: [Int64] = [0]
    /// Byte offset of each block in its document's text; a block ends before the newline that precedes the next one.
    package var blockBegin: [UInt32] = []
    /// `BlockKind` raw values.
    package var blockKind: [UInt8] = []
    package var linkOffsets: [Int64] = [0]
    /// Byte range of the anchor in the text, ascending; both ends are `LinkColumns.wholeDocument` for a link without a
    /// place, and those come last.
    package var linkBegin: [UInt32] = []
    package var linkEnd: [UInt32] = []
    /// The target as written.
    package var linkTarget = StringColumn()
    /// Where the document starts in its (uncompressed) input.
    package var sourceOffset: [UInt64] = []
    package var redirectFrom = StringColumn()
    package var redirectTo = StringColumn()

    package init() {}

    package init(reading part: PartReader) throws {
        id = try part.column("id")
        sourceID = try part.strings("source.id")
        title = try part.strings("title")
        text = try part.strings("text")
        aliasOffsets = try part.column("aliases.offsets")
        alias = try part.strings("alias")
        blockOffsets = try part.column("block.offsets")
        blockBegin = try part.column("block.begin")
        blockKind = try part.column("block.kind")
        linkOffsets = try part.column("links.offsets")
        linkBegin = try part.column("link.begin")
        linkEnd = try part.column("link.end")
        linkTarget = try part.strings("link.target")
        sourceOffset = try part.column("source.offset")
        redirectFrom = try part.strings("redirect.from")
        redirectTo = try part.strings("redirect.to")
    }

    package var count: Int { id.count }

    package var table: ColumnTable {
        var table = ColumnTable()
        table.set("id", id)
        table.set("source.id", sourceID)
        table.set("title", title)
        table.set("text", text)
        table.set("aliases.offsets", aliasOffsets)
        table.set("alias", alias)
        table.set("block.offsets", blockOffsets)
        table.set("block.begin", blockBegin)
        table.set("block.kind", blockKind)
        table.set("links.offsets", linkOffsets)
        table.set("link.begin", linkBegin)
        table.set("link.end", linkEnd)
        table.set("link.target", linkTarget)
        table.set("source.offset", sourceOffset)
        table.set("redirect.from", redirectFrom)
        table.set("redirect.to", redirectTo)
        return table
    }
}

/// What a block of text is. Raw values are stored.
package enum BlockKind: UInt8, Sendable, CaseIterable {
    case paragraph = 0, heading = 1, listItem = 2, table = 3, caption = 4, code = 5
}
