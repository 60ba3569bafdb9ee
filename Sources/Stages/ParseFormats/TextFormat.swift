// `format: text`: a document a file or archive member.

import Pipeline
import Text

enum TextFormat: ParseFormat {
    static let help = "a document a file or archive member, titled by its name"
    static let keys: Set = ["comment_prefix", "pieces"]
    static let namesAreData = true
    static let cut = ParsePieces.Cut.bucketsByName

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        let options = TextReaderOptions(commentPrefix: writer.context.config.commentPrefix)
        var reader = TextReader(options: options, drop: writer.drop)
        let summary = try reader.read(
            path: file.path, name: file.logicalName,
            onDocument: { document in
                writer.rejections.total += 1
                try writer.addDocument(document)
            },
            onEmpty: { name in
                writer.rejections.total += 1
                writer.rejections.add("no_text", place: "\(file.logicalName): \(name)")
            })
        writer.add("invalid_utf8", Int64(summary.invalidUTF8))
        writer.add("dropped_paragraphs", Int64(summary.dropped))
        writer.add("repeated_paragraphs", Int64(summary.repeated))
    }
}
