// Stage `parse`: files of any supported format to documents. A piece is one input file, or one bucket of many small
// ones; it writes parts closed at document borders. `finish` removes what a later file replaces and reports boilerplate.

package import Container
package import Pipeline
import Text

package struct ParseConfig: StageConfig {
    package enum Format: String, CaseIterable, Sendable { case mediawiki, text }

    package var format = Format.mediawiki
    package var files: [InputFile] = []
    package var corpus = ""
    package var commentPrefix = ""
    package var drop: [String] = []
    package var namespaces = [0]
    package var tables = false
    package var minWords = 0
    package var maxRejected = 0.01
    package var pieces = 16

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice(
                "format", \.format,
                help: "mediawiki: pages-articles XML; text: a document a file or archive member, titled by its name"),
            .files(
                "files", \.files, required: true,
                help: "plain, .gz, .bz2, .xz, .zst, or archives (.tar of any of these, .zip) of such files"),
            .string(
                "corpus", \.corpus, help: "enters the documents' ids: give corpora that meet in a graph different names"
            ),
            .string("comment_prefix", \.commentPrefix, help: "text: lines that begin so are dropped; empty for none"),
            .strings("drop", \.drop, help: "regular expressions: a paragraph that one matches is dropped"),
            .ints("namespaces", \.namespaces, help: "mediawiki: whose pages are documents; 0 holds the articles"),
            .bool("tables", \.tables, help: "mediawiki: keep tables, a block a row"),
            .int("min_words", \.minWords, in: 0...1_000_000, help: "shorter documents are left out"),
            .number(
                "max_rejected", \.maxRejected, in: 0...1, help: "share of broken documents past which the stage fails"),
            .int("pieces", \.pieces, in: 1...4096, help: "text: into how many buckets more than 64 files are put"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        do { _ = try DropRules(drop) } catch let error as TextError {
            problems.append(
                ConfigProblem("is wrong: \(error.message)", key: "drop", cause: error.cause, fix: error.fix))
        } catch {}
        func useless(_ key: String, _ isSet: Bool, for format: Format) {
            guard isSet, self.format == format else { return }
            problems.append(
                ConfigProblem("has no effect with `format: \(format.rawValue)`", key: key, fix: "remove it"))
        }
        useless("comment_prefix", !commentPrefix.isEmpty, for: .mediawiki)
        useless("namespaces", namespaces != [0], for: .text)
        useless("tables", tables, for: .text)
        return problems
    }
}

package enum Parse: Stage {
    package typealias Config = ParseConfig
    package typealias Output = DocumentsArtifact

    package static let name = "parse", version = 1
    package static let summary = "reads dumps and texts: plain text with blocks, titles, redirects and link spans"
    package static var ports: [AnyInputPort] { [] }

    package static func readsFileNames(_ config: Config) -> Bool { config.format == .text }
    package static func maxRejected(_ config: Config) -> Double? { config.maxRejected }

    /// Up to here each file is a piece.
    static let mostFilePieces = 64

    /// Pieces are named after what the files are, never after where or how many they are, so that a file added or moved
    /// leaves the others' results alone.
    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let identities = context.files.map { identity($0, context.config.format) }
        // Dumps are large and their order says which version of a page is the later one: each is a piece of its own.
        if context.config.format == .text, context.files.count > mostFilePieces {
            let count = UInt64(context.config.pieces)
            var buckets = [[Int]](repeating: [], count: context.config.pieces)
            for (i, identity) in identities.enumerated() {
                let hash = identity.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                buckets[Int(hash % count)].append(i)
            }
            return buckets.indices.filter { !buckets[$0].isEmpty }.map {
                Piece(name: "bucket-\(padded($0, 4))", files: buckets[$0])
            }
        }
        var seen: [Digest: Int] = [:]
        return identities.enumerated().map { i, identity in
            seen[identity, default: 0] += 1
            let copy = seen[identity]! > 1 ? "-\(seen[identity]!)" : ""
            return Piece(name: "\(context.config.format.rawValue)-\(identity.hex.prefix(12))\(copy)", files: [i])
        }
    }

    /// What makes a file this file: the name of a text, so that a changed text stays in its bucket; the content of a dump.
    private static func identity(_ file: InputFile, _ format: ParseConfig.Format) -> Digest {
        switch format {
        case .text: Digest.of("name:" + file.logicalName)
        case .mediawiki: file.digest ?? Digest.of("name:" + file.logicalName)
        }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        do {
            var writer = try ParseWriter(piece: piece.name, context: context, sink: output)
            for index in piece.files {
                switch context.config.format {
                case .mediawiki: try mediaWiki(context.files[index], &writer)
                case .text: try text(context.files[index], &writer)
                }
            }
            return try writer.finish()
        } catch let error as TextError {
            throw StageError(error.message, place: error.place, cause: error.cause, fix: error.fix)
        }
    }

    // MARK: formats

    private static func mediaWiki(_ file: InputFile, _ writer: inout ParseWriter) throws {
        let config = writer.context.config
        let namespaces = Set(config.namespaces)
        var converter: Wikitext?
        var document = ParsedDocument()
        let summaries = try MediaWikiReader.read(path: file.path) { page, site in
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

    private static func text(_ file: InputFile, _ writer: inout ParseWriter) throws {
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
