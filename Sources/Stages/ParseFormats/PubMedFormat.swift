// `format: pubmed`: a document an abstract, with what it cites.

import Pipeline
import Text

enum PubMedFormat: ParseFormat {
    static let help = "PubMed XML (PubmedArticleSet, MedlineCitationSet): abstracts and citations"
    static let keys: Set = ["labels", "until", "pieces"]
    static let cut = ParsePieces.Cut.smallByContent

    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws {
        let config = writer.context.config
        let until = PartialDate(config.until)
        let reader = try PubMedReader(path: file.path, labels: config.labels)
        while let event = try reader.next() {
            switch event {
            case .record:
                writer.add("records")
                writer.rejections.total += 1
                if let until { try addDated(reader, until, &writer) } else { try add(reader, &writer) }
            case .deleted(let pmids):
                writer.add("deletions", Int64(pmids.count))
                for pmid in pmids { writer.addRemoval(sourceID: pmid) }
            case .rejected(let reason, let place):
                writer.add("records")
                writer.rejections.total += 1
                writer.rejections.add(reason, place: place)
            }
        }
        writer.add("invalid_utf8", Int64(reader.invalidUTF8))
    }

    private static func addDated(_ reader: PubMedReader, _ until: PartialDate, _ writer: inout ParseWriter) throws {
        guard let date = reader.record.date else {
            writer.add("undated")
            return try add(reader, &writer)
        }
        guard date.isAfter(until) else { return try add(reader, &writer) }
        writer.add("after_until")
        writer.addRemoval(sourceID: reader.record.document.sourceID)
    }

    private static func add(_ reader: PubMedReader, _ writer: inout ParseWriter) throws {
        writer.add("dropped_paragraphs", Int64(reader.record.document.removeBlocks(matching: writer.drop)))
        if try !writer.addDocument(reader.record.document) {
            writer.addRemoval(sourceID: reader.record.document.sourceID)
        }
    }
}
