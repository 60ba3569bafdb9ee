// ParseWriter: where a piece of `parse` leaves its documents: columns, parts of bounded size, counts, frequent lines.

import Container
import Corpus
import Pipeline
import Text

/// One piece being written. Memory: one part (32 MiB of text and its columns) and the counters of frequent lines.
struct ParseWriter {
    let context: StageContext<ParseConfig>
    let drop: DropRules
    var rejections = Rejections()
    /// Fields of records that their format does not know, by name.
    var unknownFields: [String: Int64] = [:]

    private let piece: String
    private let sink: PartSink
    private var columns = Self.emptyColumns()
    private var parts: [Part] = []
    private var counts: [String: Int64] = [:]
    private var lines = FrequentLines()
    private var debris = DebrisReport()
    private var removals = ParseRemovals()
    /// How many documents there were after each file.
    private var fileEnds: [Int64] = []
    private var site: (info: SiteInfo, schema: String, file: String)?

    /// A part is closed after the document that reaches this much text.
    static let partBytes = 32 << 20

    init(piece: String, context: StageContext<ParseConfig>, sink: PartSink) throws {
        self.piece = piece
        self.context = context
        self.sink = sink
        drop = try DropRules(context.config.drop)
    }

    mutating func add(_ count: String, _ n: Int64 = 1) { counts[count, default: 0] += n }

    // MARK: rows

    mutating func addRedirect(from: String, to: String) throws {
        add("redirects")
        columns.redirectFrom.append(from)
        columns.redirectTo.append(to)
        try closePart(ifAtLeast: Self.partBytes)
    }

    /// Adds the document, unless it is empty or shorter than `min_words`: then it is only counted.
    /// - Returns: whether it was added.
    @discardableResult
    mutating func addDocument(_ document: ParsedDocument) throws -> Bool {
        if let reason = reasonToLeaveOut(document) {
            add(reason)
            return false
        }
        columns.append(document, corpus: context.config.corpus)
        add("documents")
        add("blocks", Int64(document.blockCount))
        add("links", Int64(document.linkCount))
        add("text_bytes", Int64(document.text.count))
        lines.add(document)
        debris.add(document)
        if counts["documents"]! % 256 == 0 {
            try context.environment.checkCancelled()
            context.environment.progress.update(done: counts["documents"]!, total: 0, unit: "documents", note: piece)
        }
        try closePart(ifAtLeast: Self.partBytes)
        return true
    }

    /// What came of this document in earlier files is no more: it was deleted, or its last version is left out.
    mutating func addRemoval(sourceID: String) {
        let id = DocumentID.make(corpus: context.config.corpus, sourceID: sourceID.utf8)
        removals.append(id, after: counts["documents"] ?? 0, file: fileEnds.count)
    }

    mutating func endFile() { fileEnds.append(counts["documents"] ?? 0) }

    private func reasonToLeaveOut(_ document: ParsedDocument) -> String? {
        if document.text.isEmpty { return "without_text" }
        return context.config.minWords > 0 && words(document.text) < context.config.minWords ? "too_short" : nil
    }

    private func words(_ text: [UInt8]) -> Int {
        var count = 0
        var isInWord = false
        for b in text {
            let isSpace = Byte.isSpace(b)
            if !isSpace, !isInWord { count += 1 }
            isInWord = !isSpace
        }
        return count
    }

    private mutating func closePart(ifAtLeast bytes: Int) throws {
        guard columns.text.bytes.count + columns.redirectFrom.bytes.count + columns.redirectTo.bytes.count >= bytes
        else {
            return
        }
        guard columns.count + columns.redirectFrom.count > 0 else { return }
        parts.append(try sink.columns("\(piece)-\(padded(parts.count, 5))", rows: columns.count, columns.table))
        columns = Self.emptyColumns()
    }

    /// With room for the text of a part, taken from the system as it fills: growing would hold the text twice.
    private static func emptyColumns() -> DocumentColumns {
        var columns = DocumentColumns()
        columns.text.bytes.reserveCapacity(partBytes + (1 << 20))
        return columns
    }

    // MARK: summary

    /// - Throws: `StageError` if the file is a dump of another wiki than the one before: their page ids would collide.
    mutating func addSite(_ info: SiteInfo, schema: String, file: String) throws {
        if let first = site {
            try ParseSite.check(ParseSite.json(first.info, schema: first.schema), ParseSite.json(info, schema: schema))
        } else {
            site = (info, schema, file)
        }
    }

    mutating func finish() throws -> PieceResult {
        try closePart(ifAtLeast: 0)
        var summary: [String: JSON] = ["lines": lines.json, "debris": debris.json]
        if fileEnds.count > 1 { summary["files"] = .array(fileEnds.map { .int($0) }) }
        if removals.count > 0 {
            parts.append(try sink.columns(ParseRemovals.partName(piece), rows: removals.count, removals.table))
        }
        if !unknownFields.isEmpty { summary["unknown_fields"] = JSON(unknownFields) }
        if let site { summary["site"] = ParseSite.json(site.info, schema: site.schema) }
        return PieceResult(parts: parts, counts: counts, summary: .object(summary), rejections: rejections)
    }
}

/// The `site` of a documents artifact's metadata.
enum ParseSite {
    static func json(_ site: SiteInfo, schema: String) -> JSON {
        .object([
            "language": .string(site.language), "name": .string(site.name), "database": .string(site.database),
            "case": .string(site.caseRule.rawValue), "schema": .string(schema),
            "namespaces": .array(
                site.namespaces.map {
                    .object([
                        "id": .int(Int64($0.id)), "name": .string($0.name),
                        "case": .string(($0.caseRule ?? site.caseRule).rawValue),
                    ])
                }),
        ])
    }

    static func check(_ first: JSON, _ second: JSON) throws {
        for key in ["language", "name", "database"] {
            guard let a = first[key]?.string, let b = second[key]?.string, !a.isEmpty, !b.isEmpty, a != b else {
                continue
            }
            throw StageError(
                "the files are dumps of two wikis: \(key) is '\(a)' and '\(b)'",
                cause: "page ids of different wikis collide, and their namespaces have different names",
                fix: "parse each wiki in a stage of its own, with its own `corpus`")
        }
    }
}

extension DocumentColumns {
    mutating func append(_ document: ParsedDocument, corpus: String) {
        id.append(DocumentID.make(corpus: corpus, sourceID: document.sourceID.utf8))
        sourceID.append(document.sourceID)
        title.append(document.title)
        text.append(utf8: document.text)
        for alias in document.aliases { self.alias.append(alias) }
        aliasOffsets.append(Int64(alias.count))
        blockBegin.append(contentsOf: document.blockBegin)
        blockKind.append(contentsOf: document.blockKind)
        blockOffsets.append(Int64(blockBegin.count))
        linkBegin.append(contentsOf: document.linkBegin)
        linkEnd.append(contentsOf: document.linkEnd)
        for i in 0..<document.linkCount { linkTarget.append(utf8: document.linkTarget[i]) }
        linkOffsets.append(Int64(linkBegin.count))
        sourceOffset.append(document.sourceOffset)
    }

    /// The same part without some documents; redirects stay.
    func removing(rows: Set<Int>) -> DocumentColumns {
        var kept = DocumentColumns()
        for i in 0..<count where !rows.contains(i) {
            kept.id.append(id[i])
            kept.sourceID.append(utf8: sourceID.bytes[sourceID.range(i)])
            kept.title.append(utf8: title.bytes[title.range(i)])
            kept.text.append(utf8: text.bytes[text.range(i)])
            for k in Int(aliasOffsets[i])..<Int(aliasOffsets[i + 1]) {
                kept.alias.append(utf8: alias.bytes[alias.range(k)])
            }
            kept.aliasOffsets.append(Int64(kept.alias.count))
            let blocks = Int(blockOffsets[i])..<Int(blockOffsets[i + 1])
            kept.blockBegin.append(contentsOf: blockBegin[blocks])
            kept.blockKind.append(contentsOf: blockKind[blocks])
            kept.blockOffsets.append(Int64(kept.blockBegin.count))
            let links = Int(linkOffsets[i])..<Int(linkOffsets[i + 1])
            kept.linkBegin.append(contentsOf: linkBegin[links])
            kept.linkEnd.append(contentsOf: linkEnd[links])
            for k in links { kept.linkTarget.append(utf8: linkTarget.bytes[linkTarget.range(k)]) }
            kept.linkOffsets.append(Int64(kept.linkBegin.count))
            kept.sourceOffset.append(sourceOffset[i])
        }
        kept.redirectFrom = redirectFrom
        kept.redirectTo = redirectTo
        return kept
    }
}
