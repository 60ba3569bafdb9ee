// The columns of `pairs` parts.

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
