// Stage `segment`: tokens to segments. A piece is one tokens part; it reads nothing else.

package import Container
import Corpus
package import Pipeline

package struct SegmentConfig: StageConfig {
    package var maxSeqLength = 512
    package var minTokens = 64

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .int(
                "max_seq_length", \.maxSeqLength, in: 16...65_535,
                help: "longest row that two segments and three special tokens must fit"),
            .int(
                "min_tokens", \.minTokens, in: 1...65_535,
                help: "a document of at least twice as many tokens gives at least two segments"),
        ]
    }
}

package enum Segment: Stage {
    package typealias Config = SegmentConfig
    package typealias Output = SegmentsArtifact

    package static let name = "segment", version = 1
    package static let summary = "cuts documents into segments at sentence and block ends, balanced in length"
    static let tokens = InputPort<TokensArtifact>("tokens", help: "the tokens to cut")
    package static var ports: [AnyInputPort] { [tokens.erased] }

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        try context.input(tokens.name).manifest.parts.map { part in
            Piece(name: part.name, parts: [PortPart(port: tokens.name, part: part)])
        }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        guard let part = piece.parts.first else {
            throw StageError("piece '\(piece.name)' of segment names no part of the tokens")
        }
        // Read in place, as the stages behind do: of the bytes of tokens only those around a cut inside a sentence are touched.
        let tokens = try TokenView(try context.mapped(part))
        let config = context.config
        var segmenter = Segmenter(SegmentRule(maxSeqLength: config.maxSeqLength, minTokens: config.minTokens))
        var segments = SegmentColumns()
        for row in 0..<tokens.count { segmenter.append(row, of: tokens, to: &segments) }
        let counts = segmenter.counts
        return PieceResult(
            parts: [try output.columns(piece.name, rows: segments.count, segments.table)],
            counts: [
                "documents": Int64(counts.documents), "segments": Int64(counts.segments),
                "tokens": Int64(counts.tokens), "empty_documents": Int64(counts.empty),
                "short_documents": Int64(counts.short), "hard_cuts": Int64(counts.hardCuts),
            ],
            summary: .object(["lengths": JSON(counts.lengths)]))
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        var all = SegmentCounts()
        for result in results { all += SegmentCounts(result) }
        let quantiles = [
            ("min", 0), ("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95), ("max", 1),
        ]
        let share = all.segments == 0 ? 0 : Double(all.hardCuts) / Double(all.segments)
        let rule = SegmentRule(maxSeqLength: context.config.maxSeqLength, minTokens: context.config.minTokens)
        return Finished(
            parts: results.flatMap(\.parts),
            metadata: .object([
                "max_seq_length": JSON(context.config.maxSeqLength), "budget": JSON(rule.budget),
                "min_tokens": JSON(rule.minTokens), "documents": JSON(all.documents), "segments": JSON(all.segments),
                "tokens": JSON(all.tokens), "empty_documents": JSON(all.empty), "short_documents": JSON(all.short),
                "hard_cuts": JSON(all.hardCuts), "hard_cut_share": .number(share),
                "length": .object(
                    Dictionary(uniqueKeysWithValues: quantiles.map { ($0.0, JSON(all.quantile($0.1))) })),
            ]))
    }
}

extension SegmentCounts {
    /// Reads what a piece left.
    fileprivate init(_ result: PieceResult) {
        self.init()
        func count(_ name: String) -> Int { Int(result.counts[name] ?? 0) }
        documents = count("documents")
        segments = count("segments")
        tokens = count("tokens")
        empty = count("empty_documents")
        short = count("short_documents")
        hardCuts = count("hard_cuts")
        lengths = result.summary["lengths"]?.array?.map { Int($0.int ?? 0) } ?? []
    }
}
