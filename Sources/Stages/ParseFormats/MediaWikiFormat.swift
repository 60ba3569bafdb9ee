// `format: mediawiki`: pages of a dump; redirects are rows of their own.

import Pipeline
import Text

enum MediaWikiFormat: ParseFormat {
    static let help = "pages-articles XML"
    static let keys: Set = ["namespaces", "tables"]
    static let cut = ParsePieces.Cut.everyFile

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        let config = writer.context.config
        let namespaces = Set(config.namespaces)
        var converter: Wikitext?
        var document = ParsedDocument()
        let threads = writer.context.environment.threads
        let summaries = try MediaWikiReader.read(path: file.path, threads: threads) { page, site in
            writer.add("pages")
            if !namespaces.contains(page.namespace) { return writer.add("outside_namespaces") }
            if let target = page.redirect {
                writer.rejections.total += 1
                return try writer.addRedirect(from: page.title, to: target)
            }
            if page.model != "wikitext" { return writer.add("other_models") }
            writer.add("articles")
            writer.rejections.total += 1
            func place() -> String { "\(file.logicalName): byte \(page.offset): page '\(page.title)'" }
            if page.id.isEmpty || page.title.isEmpty { return writer.rejections.add("no_id_or_title", place: place()) }
            if page.isTooLong { return writer.rejections.add("too_long", place: place()) }
            if page.isDeleted { return writer.rejections.add("deleted_revision", place: place()) }
            if converter == nil {
                // The site's description precedes the first page.
                converter = Wikitext(site: site, options: WikitextOptions(tables: config.tables))
            }
            document.removeAll()
            document.sourceID = page.id
            document.title = page.title
            document.sourceOffset = page.offset
            converter!.convert(page.text, into: &document)
            let isDropped = (0..<document.blockCount).map { writer.drop.matches(document.text[document.block($0)]) }
            let dropped = document.removeBlocks { isDropped[$0] }
            writer.add("dropped_paragraphs", Int64(dropped))
            try writer.addDocument(document)
        }
        for summary in summaries {
            writer.add("invalid_utf8", Int64(summary.invalidUTF8))
            summary.warnings.forEach(writer.context.environment.progress.warning)
            writer.add("cut_off_dumps", summary.isCutOff ? 1 : 0)
            try writer.addSite(summary.site, schema: summary.schema, file: file.logicalName)
        }
    }
}
