// `format: jats`: a document an article, full text, with what it cites.

import Pipeline
import Text

enum JATSFormat: ParseFormat {
    static let help = "full texts in JATS or NLM XML: sections, citations, related articles"
    static let keys: Set = ["captions", "labels", "tables", "until", "pieces"]
    static let cut = ParsePieces.Cut.smallByContent

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        let config = writer.context.config
        let until = PartialDate(config.until)
        let options = JATSOptions(labels: config.labels, captions: config.captions, tables: config.tables)
        let reader = try JATSReader(path: file.path, options: options)
        while let event = try reader.next() {
            writer.rejections.total += 1
            switch event {
            case .article:
                writer.add("articles")
                count(reader.article, &writer)
                if until != nil, reader.article.date == nil { writer.add("undated") }
                if let until, let date = reader.article.date, date.isAfter(until) {
                    writer.add("after_until")
                    writer.addRemoval(sourceID: reader.article.document.sourceID)
                    continue
                }
                writer.add("dropped_paragraphs", Int64(reader.article.document.removeBlocks(matching: writer.drop)))
                if try !writer.addDocument(reader.article.document) {
                    writer.addRemoval(sourceID: reader.article.document.sourceID)
                }
            case .rejected(let reason, let place): writer.rejections.add(reason, place: place)
            }
        }
        writer.add("invalid_utf8", Int64(reader.invalidUTF8))
        writer.add("other_members", Int64(reader.otherMembers))
    }

    private static func count(_ article: JATSArticle, _ writer: inout ParseWriter) {
        writer.add("references", Int64(article.references))
        writer.add("references_without_id", Int64(article.referencesWithoutID))
        writer.add("related_articles", Int64(article.relatedArticles))
        writer.add("sub_articles", Int64(article.subArticles))
    }
}
