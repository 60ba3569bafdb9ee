// Stage `parse`: files of any supported format to documents. A piece is one input file, or one bucket of many small
// ones (ParsePieces); a format of its own reads it (ParseFormats/); it writes parts closed at document borders
// (ParseWriter). `finish` (ParseFinish) removes what a later file replaces and reports boilerplate.

package import Container
package import Pipeline
package import Text

package struct ParseConfig: StageConfig {
    /// What `format` says; `ParseFormats/ParseFormat.swift` has the table of their readers.
    package enum Format: String, CaseIterable, Sendable { case mediawiki, text, jsonl, wikiextractor, pubmed, jats }

    package var format = Format.mediawiki
    package var files: [InputFile] = []
    package var corpus = ""
    package var commentPrefix = ""
    package var drop: [String] = []
    package var namespaces = [0]
    package var tables = false
    package var captions = true
    package var labels = AbstractLabels.inline
    package var until = ""
    package var minWords = 0
    package var maxRejected = 0.01
    package var pieces = 16

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice(
                "format", \.format,
                help: Format.allCases.map { "\($0.rawValue): \($0.reader.help)" }.joined(separator: "; ")),
            .files(
                "files", \.files, required: true,
                help: "plain, .gz, .bz2, .xz, .zst, or archives (.tar of any of these, .zip) of such files"),
            .string(
                "corpus", \.corpus, help: "enters the documents' ids: give corpora that meet in a graph different names"
            ),
            .string(
                "comment_prefix", \.commentPrefix,
                help: help("comment_prefix", "lines that begin so are dropped; empty for none")),
            .strings("drop", \.drop, help: "regular expressions: a paragraph that one matches is dropped"),
            .ints(
                "namespaces", \.namespaces, help: help("namespaces", "whose pages are documents; 0 holds the articles")),
            .bool("tables", \.tables, help: help("tables", "keep tables, a block a row")),
            .bool("captions", \.captions, help: help("captions", "keep those of figures, tables and supplements")),
            .choice(
                "labels", \.labels,
                help: help("labels", "labels of an abstract's sections: `BACKGROUND: …`, a heading of its own, or none")
            ),
            .string(
                "until", \.until,
                help: help("until", "records that came later are left out: 2020, 2020-02 or 2020-02-29")),
            .int("min_words", \.minWords, in: 0...1_000_000, help: "shorter documents are left out"),
            .number(
                "max_rejected", \.maxRejected, in: 0...1, help: "share of broken documents past which the stage fails"),
            .int(
                "pieces", \.pieces, in: 1...4096,
                help: help("pieces", "into how many buckets more than \(ParsePieces.mostFilePieces) files are put")),
        ]
    }

    /// The help of a key that not every format reads names those that do.
    private static func help(_ key: String, _ text: String) -> String {
        Format.allCases.filter { $0.reader.keys.contains(key) }.map(\.rawValue).joined(separator: ", ") + ": " + text
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        do { _ = try DropRules(drop) } catch let error as TextError {
            problems.append(
                ConfigProblem("is wrong: \(error.message)", key: "drop", cause: error.cause, fix: error.fix))
        } catch {}
        if !until.isEmpty, PartialDate(until) == nil {
            problems.append(
                ConfigProblem("takes a date, not '\(until)'", key: "until", fix: "write 2020, 2020-02 or 2020-02-29"))
        }
        let ofSome = Set(Format.allCases.flatMap { $0.reader.keys })
        for key in Self.keys where ofSome.contains(key.name) && !format.reader.keys.contains(key.name) {
            guard key.isSet(in: self) else { continue }
            problems.append(
                ConfigProblem("has no effect with `format: \(format.rawValue)`", key: key.name, fix: "remove it"))
        }
        return problems
    }
}

package enum Parse: Stage {
    package typealias Config = ParseConfig
    package typealias Output = DocumentsArtifact

    package static let name = "parse", version = 5
    package static let summary = "reads dumps and texts: plain text with blocks, titles, redirects and link spans"
    package static var ports: [AnyInputPort] { [] }

    package static func readsFileNames(_ config: Config) -> Bool { config.format.reader.namesAreData }
    package static func maxRejected(_ config: Config) -> Double? { config.maxRejected }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] { ParsePieces.gather(context) }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        do {
            var writer = try ParseWriter(piece: piece.name, context: context, sink: output)
            for index in piece.files {
                try context.config.format.reader.read(context.files[index], &writer)
                writer.endFile()
            }
            return try writer.finish()
        } catch let error as TextError {
            throw StageError(error)
        }
    }
}
