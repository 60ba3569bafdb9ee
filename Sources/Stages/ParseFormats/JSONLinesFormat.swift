// `format: jsonl`: a document a line, by the schema in docs/formats.md.

import Corpus
import Pipeline
import Text

enum JSONLinesFormat: ParseFormat {
    static let help = "JSON Lines, a document a line: id, title, text, links, aliases"
    static let keys: Set<String> = []
    static let cut = ParsePieces.Cut.everyFile

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        var reader = JSONLinesReader()
        try reader.read(
            path: file.path,
            onDocument: { document in
                writer.rejections.total += 1
                for title in takeNames(&document) { try writer.addRedirect(from: title, to: document.title) }
                try writer.addOwn(&document)
            },
            onRejection: { line in
                writer.rejections.total += 1
                writer.rejections.add(line.problem.reason.rawValue, place: line.place(file: file.logicalName))
            })
        let summary = reader.summary
        for (name, count) in summary.unknownFields.sorted { writer.unknownFields[name, default: 0] += count }
        writer.add("lines", Int64(summary.lines))
        writer.add("unknown_fields", summary.unknownFields.total)
        writer.add(summary.links)
    }

    /// Leaves `aliases` with what is written `scheme:value` and the document's own id among them, which is written so
    /// behind `id:` unless it has a scheme itself. Returns the others: further titles.
    private static func takeNames(_ document: inout ParsedDocument) -> [String] {
        func hasScheme(_ name: String) -> Bool {
            var name = name
            return name.withUTF8 { AliasForm.scheme(of: $0) } != nil
        }
        let id = document.sourceID
        let own = hasScheme(id) ? id : "id:" + id
        let titles = document.aliases.filter { !hasScheme($0) }
        document.aliases.removeAll { !hasScheme($0) || $0 == own }
        document.aliases.insert(own, at: 0)
        return titles
    }
}

extension ParseWriter {
    /// Adds a document of a format without markup: all that is left to do are the `drop` rules.
    mutating func addOwn(_ document: inout ParsedDocument) throws {
        add("dropped_paragraphs", Int64(document.removeBlocks(matching: drop)))
        try addDocument(document)
    }

    /// Counts links that were put in order or lost their place.
    mutating func add(_ changes: SpannedText.Changes) {
        add("links_reordered", Int64(changes.reordered))
        add("links_overlapping", Int64(changes.overlapping))
        add("links_across_blocks", Int64(changes.acrossBlocks))
    }
}
