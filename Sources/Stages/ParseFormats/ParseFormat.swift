// The formats that `parse` reads: what each says of itself, and the table from `format` to its reader. A new format is a
// case of `ParseConfig.Format`, a line of the table below and a file beside this one.

import Pipeline

/// How files of one format become documents.
protocol ParseFormat: Sendable {
    /// One clause for the help of `format`.
    static var help: String { get }
    /// The keys of the config that this format reads beside those of every format: `format`, `files`, `corpus`, `drop`,
    /// `min_words`, `max_rejected`. Any other key has no effect with it, and setting one is an error.
    static var keys: Set<String> { get }
    /// File names are data: ids and titles are taken from them.
    static var namesAreData: Bool { get }
    /// How files are put into pieces.
    static var cut: ParsePieces.Cut { get }
    /// Reads one file, which may be an archive of many.
    /// - Throws: `TextError` for a bad file. Bad data in a good one goes to the writer's `rejections`.
    static func read(_ file: InputFile, _ writer: inout ParseWriter) throws
}

extension ParseFormat {
    static var namesAreData: Bool { false }
}

extension ParseConfig.Format {
    var reader: any ParseFormat.Type {
        switch self {
        case .mediawiki: MediaWikiFormat.self
        case .text: TextFormat.self
        case .jsonl: JSONLinesFormat.self
        case .wikiextractor: WikiExtractorFormat.self
        case .pubmed: PubMedFormat.self
        case .jats: JATSFormat.self
        }
    }
}
