// Which version of a document stays when several files have it: that of the last file, whatever pieces the files are in.

import Container
import Corpus
import Pipeline

/// What a piece of `parse` takes back: documents that were deleted, or whose last version was left out. A part of its own
/// that `finish` reads and no artifact keeps; columns `id` U64, `after` I64 (documents of the piece before it), `file` U32
/// (of the piece).
struct ParseRemovals {
    private var id: [UInt64] = []
    private var after: [Int64] = []
    private var file: [UInt32] = []

    init() {}

    var count: Int { id.count }

    mutating func append(_ id: UInt64, after: Int64, file: Int) {
        self.id.append(id)
        self.after.append(after)
        self.file.append(UInt32(file))
    }

    var table: ColumnTable {
        var table = ColumnTable()
        table.set("id", id)
        table.set("after", after)
        table.set("file", file)
        return table
    }

    static func partName(_ piece: String) -> String { piece + "-removed" }
}

/// Joins the parts of all pieces. Memory: 24 bytes a document or removal, and one part where a document goes.
struct ParseVersions {
    private struct Entry {
        var id: UInt64
        /// Of the config.
        var file: UInt32
        /// Documents of the piece before it.
        var position: UInt32
        /// `removal`, or where the document stands.
        var part: UInt32
        var row: UInt32

        static let removal = UInt32.max
        var isRemoval: Bool { part == Self.removal }
        /// A document stands behind the removal that was written before it.
        var order: (UInt64, UInt32, UInt32, Int) { (id, file, position, isRemoval ? 0 : 1) }
    }

    private let output: PartSink
    private var parts: [Part] = []
    private var entries: [Entry] = []

    init(_ output: PartSink) { self.output = output }

    mutating func add(_ result: PieceResult, of piece: Piece) throws {
        let ends = result.summary["files"]?.array?.compactMap(\.int) ?? []
        var file = 0
        var position: Int64 = 0
        for part in result.parts where part.name != ParseRemovals.partName(piece.name) {
            let ids = try part.rows > 0 ? output.read(part).column("id", as: UInt64.self) : []
            for (row, id) in ids.enumerated() {
                while file < ends.count, ends[file] <= position { file += 1 }
                entries.append(
                    Entry(
                        id: id, file: UInt32(piece.files[file]), position: UInt32(position), part: UInt32(parts.count),
                        row: UInt32(row)))
                position += 1
            }
            parts.append(part)
        }
        guard let removals = result.parts.first(where: { $0.name == ParseRemovals.partName(piece.name) }) else {
            return
        }
        let reader = try output.read(removals)
        let (id, after) = (try reader.column("id", as: UInt64.self), try reader.column("after", as: Int64.self))
        for (i, file) in try reader.column("file", as: UInt32.self).enumerated() {
            entries.append(
                Entry(
                    id: id[i], file: UInt32(piece.files[Int(file)]), position: UInt32(after[i]), part: Entry.removal,
                    row: 0))
        }
    }

    /// All parts without the documents that occur again later or are taken back, and what went with them, by the names of
    /// the counts.
    /// - Throws: `StageError` naming both sources if two documents share an id.
    consuming func resolved() throws -> (parts: [Part], gone: [String: Int64]) {
        entries.sort { $0.order < $1.order }
        var gone: [Int: Set<Int>] = [:]
        for i in entries.indices where !entries[i].isRemoval {
            guard i + 1 < entries.count, entries[i + 1].id == entries[i].id else { continue }
            if !entries[i + 1].isRemoval { try checkSource(entries[i], entries[i + 1]) }
            gone[Int(entries[i].part), default: []].insert(Int(entries[i].row))
        }
        var kept: [Part] = []
        var lost: [String: Int64] = [:]
        for (number, part) in parts.enumerated() {
            guard let rows = gone[number] else {
                kept.append(part)
                continue
            }
            let all = try DocumentColumns(reading: output.read(part))
            let columns = all.removing(rows: rows)
            for (name, count) in all.sizes { lost[name, default: 0] += count - (columns.sizes[name] ?? 0) }
            guard columns.count + columns.redirectFrom.count > 0 else { continue }
            kept.append(try output.columns(part.name, rows: columns.count, columns.table))
        }
        return (kept, lost)
    }

    private func checkSource(_ first: Entry, _ second: Entry) throws {
        let names = try [first, second].map {
            try output.read(parts[Int($0.part)]).strings("source.id").string(Int($0.row))
        }
        guard names[0] != names[1] else { return }
        throw StageError(
            "the documents '\(names[0])' and '\(names[1])' have the same id \(first.id)",
            cause: "ids are 63 bits of a hash of corpus and source id",
            fix: "give the corpus another name with `corpus:`; all ids change with it")
    }
}

extension DocumentColumns {
    /// What `ParseWriter` counts of every document.
    fileprivate var sizes: [String: Int64] {
        [
            "documents": Int64(count), "blocks": Int64(blockBegin.count), "links": Int64(linkBegin.count),
            "text_bytes": Int64(text.bytes.count),
        ]
    }
}
