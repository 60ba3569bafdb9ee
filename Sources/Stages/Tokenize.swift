// Stage `tokenize`: documents to WordPiece ids by sentence, with byte offsets. A piece is one documents part.

package import Container
import Corpus
package import Pipeline
import Text

package struct TokenizeConfig: StageConfig {
    package init() {}

    package static var keys: [ConfigKey<Self>] { [] }
}

package enum Tokenize: Stage {
    package typealias Config = TokenizeConfig
    package typealias Output = TokensArtifact

    package static let name = "tokenize", version = 4
    package static let summary = "normalises texts as BERT does and cuts them into WordPiece tokens, by sentence"
    static let documents = InputPort<DocumentsArtifact>("documents", help: "the documents to tokenize")
    static let vocabulary = InputPort<VocabularyArtifact>(
        "vocabulary", readByEveryPiece: true, help: "the vocabulary; it also says how texts are normalised")
    package static var ports: [AnyInputPort] { [documents.erased, vocabulary.erased] }

    /// A piece reads its own documents and the whole vocabulary.
    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let shared = try context.input(vocabulary.name).manifest.parts.map {
            PortPart(port: vocabulary.name, part: $0)
        }
        // The normaliser and the special tokens stand in the metadata, which no part's digest covers.
        let metadata = try context.input(vocabulary.name).manifest.metadata
        var facts = metadata
        for key in ["source", "source_counts"] where metadata[key] != nil { facts[key] = nil }
        return try context.input(documents.name).manifest.parts.map { part in
            Piece(
                name: part.name, parts: [PortPart(port: documents.name, part: part)] + shared,
                projection: facts.canonical)
        }
    }

    /// Memory: one part of documents, its tokens, and the vocabulary.
    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        guard let part = piece.parts.first(where: { $0.port == documents.name }) else {
            throw StageError("piece '\(piece.name)' of tokenize names no part of the documents")
        }
        let reader = try context.columns(part)
        let vocabulary = try WordPieceVocabulary.read(try context.input(Self.vocabulary.name))
        var builder = TokenBuilder(vocabulary)
        let ids = try reader.column("id", as: UInt64.self)
        let (text, title) = (try reader.strings("text"), try reader.strings("title"))
        let blockOffsets = try reader.column("block.offsets", as: Int64.self)
        let blockBegin = try reader.column("block.begin", as: UInt32.self)
        for row in ids.indices {
            let blocks = blockBegin[Int(blockOffsets[row])..<Int(blockOffsets[row + 1])]
            title.withBytes(row) { builder.appendTitle($0) }
            text.withBytes(row) { builder.append(ids[row], $0, blocks) }
            if row & 255 == 0 { try context.environment.checkCancelled() }
        }
        let columns = builder.columns
        let narrow = vocabulary.tokens.count <= 65_536
        return PieceResult(
            parts: [try output.columns(piece.name, rows: columns.count, columns.table(narrow: narrow))],
            counts: [
                "documents": Int64(columns.count), "sentences": Int64(columns.block.count),
                "tokens": Int64(columns.ids.count), "unknown_tokens": builder.unknown,
                "bytes": Int64(text.bytes.count),
            ])
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        func sum(_ name: String) -> Int64 { results.reduce(0) { $0 + ($1.counts[name] ?? 0) } }
        let vocabulary = try TokensMetadata(try context.input(vocabulary.name))
        var metadata = vocabulary.json
        for name in ["documents", "sentences", "tokens", "unknown_tokens", "bytes"] { metadata[name] = .int(sum(name)) }
        return Finished(parts: results.flatMap(\.parts), metadata: metadata)
    }
}

/// Fills the columns of one part. Each text is encoded whole; its tokens then fall to the sentences they begin in.
struct TokenBuilder {
    private(set) var columns = TokenColumns()
    /// Tokens that are `[UNK]`.
    private(set) var unknown: Int64 = 0
    private let encoder: WordPieceEncoder
    private let splitter = SentenceSplitter()
    private var sentences: [Range<Int>] = []

    init(_ vocabulary: WordPieceVocabulary) { encoder = WordPieceEncoder(vocabulary) }

    mutating func appendTitle(_ title: UnsafeBufferPointer<UInt8>) {
        encoder.withTokens(of: title) { columns.titleIDs.append(contentsOf: $0.ids) }
        columns.titleOffsets.append(Int64(columns.titleIDs.count))
    }

    /// - Parameter blocks: byte offsets at which the blocks of the text begin, ascending.
    mutating func append(_ document: UInt64, _ text: UnsafeBufferPointer<UInt8>, _ blocks: ArraySlice<UInt32>) {
        encoder.withTokens(of: text) { append(document, text, blocks, $0) }
    }

    private mutating func append(
        _ document: UInt64, _ text: UnsafeBufferPointer<UInt8>, _ blocks: ArraySlice<UInt32>, _ tokens: TokenSpans
    ) {
        var token = 0
        // Bytes before the first block, if any, belong to it.
        for (ordinal, begin) in (blocks.isEmpty ? [0] : blocks).enumerated() {
            let next = blocks.startIndex + ordinal + 1
            let first = ordinal == 0 ? 0 : min(Int(begin), text.count)
            let end = next < blocks.endIndex ? min(Int(blocks[next]), text.count) : text.count
            sentences.removeAll(keepingCapacity: true)
            splitter.split(text, first..<max(first, end), into: &sentences)
            for sentence in sentences.indices {
                // Up to the next sentence, so that no token falls between two.
                let border = sentence + 1 < sentences.count ? sentences[sentence + 1].lowerBound : end
                let start = token
                while token < tokens.count && Int(tokens.begin[token]) < border { token += 1 }
                close(start..<token, block: ordinal)
            }
        }
        close(token..<tokens.count, block: max(0, blocks.count - 1))
        columns.ids.append(contentsOf: tokens.ids)
        columns.begin.append(contentsOf: tokens.begin)
        columns.end.append(contentsOf: tokens.end)
        columns.document.append(document)
        columns.documentOffsets.append(Int64(columns.block.count))
        let unknownID = encoder.vocabulary.unknownID
        for id in tokens.ids where id == unknownID { unknown += 1 }
    }

    /// Ends a sentence of these tokens of the text; one without tokens is no sentence.
    private mutating func close(_ tokens: Range<Int>, block: Int) {
        if tokens.isEmpty { return }
        columns.block.append(UInt32(block))
        columns.sentenceOffsets.append(Int64(columns.ids.count + tokens.upperBound))
    }
}
