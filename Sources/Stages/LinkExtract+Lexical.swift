// Links of `kind: lexical`: every document to the documents of most similar words (tf-idf), exactly. `gather` reads all
// texts once for the document frequencies, the projection of every piece; a piece finds the neighbours of a few parts.

import Container
import Corpus
import Pipeline
import Text

extension LinkExtract {
    /// Parts of one piece at most: a piece reads the whole corpus, so a large one is cut into few.
    static let lexicalPartsOfPiece = 16
    /// Up to so many pieces, each is one part.
    static let fewLexicalPieces = 32

    /// A piece's own parts are listed first, then all parts: the top neighbours depend on every document.
    static func gatherLexical(
        _ artifact: StoredArtifact, _ context: StageContext<Config>
    ) throws -> [Piece] {
        let parts = artifact.manifest.parts
        var counter = TermCounter(context.config.lexicalOptions)
        var words = WordHashes()
        for (number, part) in parts.enumerated() {
            context.environment.progress.update(
                done: Int64(number), total: Int64(parts.count), unit: "parts", note: "document frequencies")
            try eachDocument(try artifact.columns(part), &words, context) { _, words in counter.add(words) }
        }
        let frequencies = counter.finish().bytes
        let size = min(lexicalPartsOfPiece, (parts.count + fewLexicalPieces - 1) / fewLexicalPieces)
        return stride(from: 0, to: parts.count, by: max(1, size)).map { begin in
            let own = parts[begin..<min(begin + size, parts.count)]
            return Piece(
                name: own[begin].name, parts: (own + parts).map { PortPart(port: documents.name, part: $0) },
                projection: frequencies)
        }
    }

    /// Memory: 8 bytes a bucket, 24 bytes a term of the piece's documents, one part and its vectors.
    static func pieceLexical(
        _ piece: Piece, _ context: StageContext<Config>, _ output: PartSink
    ) throws -> PieceResult {
        let total = try context.input(documents.name).manifest.parts.count
        let own = piece.parts.prefix(piece.parts.count - total)
        let ranks = TermRanks(try TermFrequencies(bytes: piece.projection), context.config.lexicalOptions)
        var words = WordHashes()
        var builder = TermVectorBuilder(ranks)
        var ids: [UInt64] = []
        var vectors = TermVectors()
        for part in own {
            try eachDocument(try context.columns(part), &words, context) { id, words in
                ids.append(id)
                builder.append(words, to: &vectors)
            }
        }
        var search = LexicalSearch(ids, vectors, ranks)
        vectors = TermVectors()
        try search.addBlock(check: context.environment.checkCancelled)
        let others = piece.parts.dropFirst(own.count).filter { part in !own.contains { $0.part == part.part } }
        for (number, part) in others.enumerated() {
            context.environment.progress.update(
                done: Int64(number), total: Int64(others.count), unit: "parts", note: "neighbours")
            try eachDocument(try context.columns(part), &words, context) { id, words in
                vectors.removeAll()
                builder.append(words, to: &vectors)
                search.add([id], vectors)
            }
        }
        var links = LinkColumns()
        var lonely: Int64 = 0
        for (id, neighbours) in zip(ids, search.finish()) {
            if neighbours.isEmpty { lonely += 1 }
            for neighbour in neighbours {
                links.append(id, neighbour.document, .lexical)
                links.score.append(Float(neighbour.score))
            }
        }
        var counts = LinkCounts()
        counts.occurrences = links.count
        counts.resolved = links.count
        counts.distinct = links.count
        return try result(
            links, counts, piece.name, output,
            summary: .object([
                "lexical": .object([
                    "documents": .int(Int64(ids.count)), "without_neighbours": .int(lonely),
                    "terms": .int(Int64(ranks.occurring)), "shared_terms": .int(Int64(ranks.count)),
                ])
            ]))
    }

    /// What `finish` says of lexical links beside their counts.
    static func lexicalReport(_ results: [PieceResult]) -> JSON {
        let reports = results.compactMap { $0.summary["lexical"] }
        func sum(_ name: String) -> JSON { .int(reports.reduce(0) { $0 + ($1[name]?.int ?? 0) }) }
        return .object([
            "documents": sum("documents"), "without_neighbours": sum("without_neighbours"),
            "terms": reports.first?["terms"] ?? .int(0), "shared_terms": reports.first?["shared_terms"] ?? .int(0),
        ])
    }

    /// The words of title and text of every document of a part.
    private static func eachDocument(
        _ reader: PartReader, _ words: inout WordHashes, _ context: StageContext<Config>,
        _ body: (UInt64, [UInt64]) throws -> Void
    ) throws {
        let id: [UInt64] = try reader.column("id")
        let (title, text) = (try reader.strings("title"), try reader.strings("text"))
        for row in id.indices {
            words.removeAll()
            title.withBytes(row) { words.append($0) }
            text.withBytes(row) { words.append($0) }
            try body(id[row], words.hashes)
            if row & 255 == 0 { try context.environment.checkCancelled() }
        }
    }
}
