// Stage `link-extract`: link targets to documents. A piece is one documents part (or the user's edge list); its
// projection is what the targets that occur in it resolve to. Edge lists are in LinkExtract+Edges, links of
// `kind: lexical` in LinkExtract+Lexical.

package import Container
import Corpus
package import Pipeline
import Text

package enum LinkExtract: Stage {
    package typealias Config = LinkExtractConfig
    package typealias Output = LinksArtifact

    package static let name = "link-extract", version = 2
    package static let summary = "links between documents: titles, redirects, identifiers, edge lists, similar words"
    static let documents = InputPort<DocumentsArtifact>("documents", help: "the documents whose links are resolved")
    package static var ports: [AnyInputPort] { [documents.erased] }

    /// The piece that carries the counts of the corpus's names. It reads no part.
    static let namesPiece = "names"
    /// An edge list's links are written in parts of so many rows: 100 MB.
    static let partRows = 4 << 20

    package static func maxRejected(_ config: Config) -> Double? { config.kind == .edges ? config.maxRejected : nil }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let artifact = try context.input(documents.name)
        switch context.config.kind {
        case .random: return try gatherRandom(artifact, context)
        case .lexical: return try gatherLexical(artifact, context)
        case .hyperlink, .citation, .edges: break
        }
        var index = TargetIndex(form: titleForm(of: artifact))
        for part in artifact.manifest.parts {
            try index.add(reading: try artifact.columns(part))
            try context.environment.checkCancelled()
        }
        index.seal()
        let names = Piece(name: namesPiece, projection: names(index.counts).canonical)
        if context.config.kind == .edges { return [names, try gatherEdges(&index, context)] }
        let linkKind: LinkKind = context.config.kind == .citation ? .citation : .hyperlink
        return try [names]
            + artifact.manifest.parts.map { part in
                try context.environment.checkCancelled()
                let table = try LinkSpans(reading: try artifact.columns(part))
                    .projection(linkKind, &index, percentDecoding: context.config.urlDecode)
                return Piece(
                    name: part.name, parts: [PortPart(port: documents.name, part: part)], projection: table.bytes)
            }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        if piece.name == namesPiece, piece.parts.isEmpty {
            return PieceResult(parts: [], summary: .object(["names": try JSON(parsing: piece.projection)]))
        }
        switch context.config.kind {
        case .random: return try pieceRandom(piece, context, output)
        case .lexical: return try pieceLexical(piece, context, output)
        case .hyperlink, .citation, .edges: break
        }
        guard let table = TargetTable(bytes: piece.projection) else {
            throw StageError(
                "the projection of piece '\(piece.name)' of link-extract is damaged", fix: "run the stage again")
        }
        if context.config.kind == .edges { return try pieceEdges(piece, table, context, output) }
        guard let part = piece.parts.first else {
            throw StageError("piece '\(piece.name)' of link-extract names no part of the documents")
        }
        let spans = try LinkSpans(reading: try context.columns(part))
        let (links, counts) = spans.resolve(context.config.kind == .citation ? .citation : .hyperlink, table)
        return try result(links, counts, piece.name, output)
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        var counts = LinkCounts()
        var metadata: [String: JSON] = ["kind": .string(context.config.kind.rawValue)]
        for result in results {
            counts += LinkCounts(named: result.counts)
            if let names = result.summary["names"] { metadata["names"] = names }
            if let lines = result.summary["lines"] { metadata["lines"] = lines }
        }
        metadata["counts"] = JSON(counts.named)
        if context.config.kind == .lexical {
            metadata["lexical"] = lexicalReport(results)
        } else if counts.resolved == 0 {
            context.environment.progress.warning(
                "link-extract: none of \(counts.occurrences) links resolves to a document; the counts by reason are in its metadata"
            )
        }
        return Finished(parts: results.flatMap(\.parts), metadata: .object(metadata))
    }

    static func result(
        _ links: LinkColumns, _ counts: LinkCounts, _ name: String, _ output: PartSink, summary: JSON = .object([:]),
        rejections: Rejections = Rejections()
    ) throws -> PieceResult {
        var parts: [Part] = []
        if links.count <= partRows {
            parts = [try output.columns(name, rows: links.count, links.table)]
        } else {
            for (number, begin) in stride(from: 0, to: links.count, by: partRows).enumerated() {
                let slice = links[begin..<min(begin + partRows, links.count)]
                parts.append(try output.columns("\(name)-\(padded(number, 5))", rows: slice.count, slice.table))
            }
        }
        return PieceResult(parts: parts, counts: counts.named, summary: summary, rejections: rejections)
    }

    // MARK: Random links

    private static func gatherRandom(_ artifact: StoredArtifact, _ context: StageContext<Config>) throws -> [Piece] {
        let ids: [[UInt64]] = try artifact.manifest.parts.map { try artifact.columns($0).column("id") }
        let targets = RandomTargets(sortedIDs: ids.flatMap(\.self).sorted())
        return zip(artifact.manifest.parts, ids).map { part, ids in
            var projection: [UInt8] = []
            for id in ids {
                let drawn = targets.targets(
                    of: id, count: context.config.perDocument, seed: UInt64(context.config.seed))
                for target in drawn {
                    for value in [id, target] {
                        withUnsafeBytes(of: value.littleEndian) { projection.append(contentsOf: $0) }
                    }
                }
            }
            return Piece(name: part.name, projection: projection)
        }
    }

    private static func pieceRandom(
        _ piece: Piece, _ context: StageContext<Config>, _ output: PartSink
    ) throws -> PieceResult {
        var links = LinkColumns()
        piece.projection.withUnsafeBytes { raw in
            for at in stride(from: 0, to: raw.count, by: 16) {
                links.append(
                    UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)),
                    UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)), .random)
            }
        }
        var counts = LinkCounts()
        counts.occurrences = links.count
        counts.resolved = links.count
        counts.distinct = links.count
        return try result(links, counts, piece.name, output)
    }

    // MARK: Names

    private static func names(_ counts: TargetIndex.Counts) -> JSON {
        .object([
            "documents": .int(Int64(counts.documents)), "redirects": .int(Int64(counts.redirects)),
            "ambiguous_titles": .int(Int64(counts.ambiguousTitles)),
            "shadowed_redirects": .int(Int64(counts.shadowedRedirects)),
            "dangling_redirects": .int(Int64(counts.danglingRedirects)),
            "looping_redirects": .int(Int64(counts.loopingRedirects)),
        ])
    }

    /// The normal form of titles that the documents' `site` asks for; MediaWiki's defaults where it says nothing.
    static func titleForm(of documents: StoredArtifact) -> TitleNormalForm {
        guard let site = documents.manifest.metadata["site"] else { return TitleNormalForm() }
        let namespaces = site["namespaces"]?.array ?? []
        // A namespace may have a rule of its own: on Wiktionary only the articles are case-sensitive.
        let written = namespaces.first { $0["id"]?.int == 0 }?["case"] ?? site["case"]
        let rule = written?.string.flatMap(TitleNormalForm.CaseRule.init(rawValue:)) ?? .firstLetter
        var spellings: [String: [String]] = [:]
        for namespace in namespaces {
            guard let id = namespace["id"]?.int, id != 0, let name = namespace["name"]?.string, !name.isEmpty
            else { continue }
            spellings[name] = SiteInfo.canonicalNames.filter { $0.id == Int(id) }.map(\.name)
        }
        return TitleNormalForm(caseRule: rule, namespaces: spellings)
    }
}

extension LinkColumns {
    /// Rows of a range.
    fileprivate subscript(range: Range<Int>) -> LinkColumns {
        var slice = LinkColumns()
        slice.source = Array(source[range])
        slice.target = Array(target[range])
        slice.begin = Array(begin[range])
        slice.end = Array(end[range])
        slice.kind = Array(kind[range])
        if !score.isEmpty { slice.score = Array(score[range]) }
        return slice
    }
}
