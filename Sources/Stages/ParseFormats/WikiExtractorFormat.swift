// `format: wikiextractor`: articles that WikiExtractor took out of a dump.

import Pipeline
import Text

enum WikiExtractorFormat: ParseFormat {
    static let help = "what WikiExtractor writes, as <doc> or with --json; with --links the links, too"
    static let keys: Set = ["pieces"]
    static let cut = ParsePieces.Cut.bucketsByContent

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        var reader = WikiExtractorReader()
        try reader.read(
            path: file.path,
            onDocument: { document in
                writer.rejections.total += 1
                try writer.addOwn(&document)
            },
            onRejection: { line in
                writer.rejections.total += 1
                writer.rejections.add(line.problem.reason.rawValue, place: line.place(file: file.logicalName))
            })
        let summary = reader.summary
        writer.add("invalid_utf8", Int64(summary.invalidUTF8))
        writer.add("external_links", Int64(summary.externalLinks))
        writer.add(summary.links)
    }
}
