// Stage `shard`: training rows from pairs, in one pseudo-random order per pass. A piece is one pass; it reads the
// pairs of that pass and the token and segment parts that they touch.

package import Container
import Corpus
package import Pipeline
import Transformer

package struct ShardConfig: StageConfig {
    package enum MaskingMode: String, CaseIterable, Sendable { case dynamic, `static` }

    package var maxSeqLength = 512
    package var masking = MaskingMode.dynamic
    package var maskedLMProb = 0.15
    package var seed = 0
    package var titleInSegment = false

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .int("max_seq_length", \.maxSeqLength, in: 16...65_535, help: "longest row, special tokens included"),
            .choice(
                "masking", \.masking,
                help: "dynamic: masks are drawn while training, anew at every pass; static: stored in the shards"),
            .number("masked_lm_prob", \.maskedLMProb, in: 0.01...0.9, help: "share of tokens that static masks hide"),
            .int("seed", \.seed, in: 0...Int.max, help: "order of the rows, and static masks"),
            .bool(
                "title_in_segment", \.titleInSegment,
                help: "begin each segment with its document's title (a shortcut for relation prediction)"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        masking == .dynamic && maskedLMProb != ShardConfig().maskedLMProb
            ? [
                ConfigProblem(
                    "has no effect with `masking: dynamic`", key: "masked_lm_prob",
                    cause: "dynamic masks are drawn by stage pretrain", fix: "set masked_lm_prob of stage pretrain")
            ] : []
    }
}

package enum Shard: Stage {
    package typealias Config = ShardConfig
    package typealias Output = ShardsArtifact

    package static let name = "shard", version = 2
    package static let summary = "writes training rows [CLS] A [SEP] B [SEP] in a pseudo-random order per pass"
    static let pairs = InputPort<PairsArtifact>("pairs", help: "the pairs to write")
    static let segments = InputPort<SegmentsArtifact>("segments", help: "bounds of the segments that pairs name")
    static let tokens = InputPort<TokensArtifact>("tokens", help: "token ids of the documents")
    package static var ports: [AnyInputPort] { [pairs.erased, segments.erased, tokens.erased] }

    /// A part is closed after this many tokens: 32 MiB with 16-bit ids.
    static let partTokens = 16 << 20

    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let pairs = try context.input(Self.pairs.name)
        let tokens = try PartIndex(try context.input(Self.tokens.name))
        let segments = try PartIndex(try context.input(Self.segments.name))
        let facts = try TokensMetadata(try context.input(Self.tokens.name))
        var pieces: [String: (parts: [PortPart], tokens: Set<Int>, segments: Set<Int>)] = [:]
        for part in pairs.manifest.parts {
            var piece = pieces[passName(part.name)] ?? ([], [], [])
            piece.parts.append(PortPart(port: Self.pairs.name, part: part))
            let mapped = try pairs.mapped(part)
            for column in ["a.document", "b.document"] {
                try mapped.withColumn(column, as: UInt64.self) { documents in
                    for document in documents {
                        // Random pairs soon touch all there is.
                        if piece.tokens.count == tokens.parts.count, piece.segments.count == segments.parts.count {
                            break
                        }
                        if let index = tokens.part(of: document) { piece.tokens.insert(index) }
                        if let index = segments.part(of: document) { piece.segments.insert(index) }
                    }
                }
            }
            pieces[passName(part.name)] = piece
        }
        return pieces.keys.sorted().map { name in
            let piece = pieces[name]!
            return Piece(
                name: name,
                parts: piece.parts
                    + piece.segments.sorted().map { PortPart(port: Self.segments.name, part: segments.parts[$0]) }
                    + piece.tokens.sorted().map { PortPart(port: Self.tokens.name, part: tokens.parts[$0]) },
                // Read from the manifest's metadata, which no part's digest covers.
                projection: facts.json.canonical)
        }
    }

    /// `pass-0003-bucket-00001` belongs to the piece `pass-0003`.
    private static func passName(_ part: String) -> String {
        part.split(separator: "-").prefix(2).joined(separator: "-")
    }

    /// Which part each document stands in. Memory: 24 bytes a document.
    private struct PartIndex {
        let parts: [Part]
        private let numbers: DocumentNumbers
        private let partOf: [UInt32]

        init(_ artifact: StoredArtifact) throws {
            parts = artifact.manifest.parts
            var (documents, partOf): ([UInt64], [UInt32]) = ([], [])
            for (number, part) in parts.enumerated() {
                var last: UInt64?
                // A segments part names a document once a segment.
                for document in try artifact.columns(part).column("document", as: UInt64.self) where document != last {
                    documents.append(document)
                    partOf.append(UInt32(number))
                    last = document
                }
            }
            numbers = DocumentNumbers(documents)
            self.partOf = partOf
        }

        func part(of document: UInt64) -> Int? { numbers[document].map { Int(partOf[$0]) } }
    }

    package static func piece(
        _ piece: Piece, _ context: StageContext<Config>, into output: PartSink
    ) throws -> PieceResult {
        let config = context.config
        let tokens = try context.input(Self.tokens.name)
        let facts = try TokensMetadata(tokens)
        let lookup = try SegmentLookup(
            tokens: tokens, tokenParts: piece.parts.filter { $0.port == Self.tokens.name }.map(\.part),
            segments: try context.input(Self.segments.name),
            segmentParts: piece.parts.filter { $0.port == Self.segments.name }.map(\.part))
        let pairs = try PassPairs(
            try context.input(Self.pairs.name),
            parts: piece.parts.filter { $0.port == Self.pairs.name }.map(\.part))
        var writer = ShardWriter(
            assembler: ShardAssembler(
                lookup: lookup, special: facts.special, maxSeqLength: config.maxSeqLength,
                titleInSegment: config.titleInSegment),
            masking: config.masking == .static
                ? Masking(
                    probability: config.maskedLMProb, maskID: facts.special.mask, vocabularySize: facts.vocabularySize,
                    neverMasked: facts.special.all) : nil,
            seed: UInt64(config.seed), narrow: facts.narrow, output: output)
        for side in Side.allCases {
            let prefix = "\(side.name)-\(piece.name)"
            try pairs.forEach(of: side, seed: UInt64(config.seed)) { try writer.append($0, side, prefix: prefix) }
            try writer.close(prefix: prefix)
            try context.environment.checkCancelled()
        }
        return PieceResult(
            parts: writer.parts,
            counts: ["rows": Int64(pairs.count), "tokens": writer.tokens],
            summary: .object([
                "truncated": .int(Int64(writer.truncated)), "tokens": .int(writer.tokens),
                "masked": .int(writer.masked), "rows": writer.rows,
            ]))
    }

    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        let facts = try TokensMetadata(try context.input(tokens.name))
        var rows: [String: JSON] = [:]
        for side in Side.allCases {
            var relations: [String: JSON] = [:]
            for relation in Relation.allCases {
                let count = results.reduce(0) { $0 + ($1.summary["rows"]?[side.name]?[relation.name]?.int ?? 0) }
                if count > 0 { relations[relation.name] = .int(count) }
            }
            if !relations.isEmpty { rows[side.name] = .object(relations) }
        }
        func sum(_ key: String) -> JSON { .int(results.reduce(0) { $0 + ($1.summary[key]?.int ?? 0) }) }
        let config = context.config
        var metadata: JSON = [
            "max_seq_length": .int(Int64(config.maxSeqLength)), "masking": .string(config.masking.rawValue),
            "rows": .object(rows), "tokens": sum("tokens"), "masked": sum("masked"),
            "truncated_rows": sum("truncated"), "passes": .int(Int64(results.count)),
        ]
        for (key, value) in facts.json.object ?? [:] { metadata[key] = value }
        return Finished(
            // All training parts first, then validation and test: each in pass order.
            parts: Side.allCases.flatMap { side in
                results.flatMap(\.parts).filter { $0.name.hasPrefix(side.name + "-") }
            },
            metadata: metadata)
    }
}

/// Fills parts with rows and closes them by size.
private struct ShardWriter {
    var assembler: ShardAssembler
    let masking: Masking?
    let seed: UInt64
    let output: PartSink
    private(set) var parts: [Part] = []
    private(set) var tokens: Int64 = 0
    private(set) var masked: Int64 = 0
    private var columns: ShardColumns
    private var changes = MaskedTokens()
    private var number = 0
    private var relations = [[Int64]](repeating: [0, 0, 0], count: 3)

    init(assembler: ShardAssembler, masking: Masking?, seed: UInt64, narrow: Bool, output: PartSink) {
        self.assembler = assembler
        self.masking = masking
        self.seed = seed
        self.output = output
        columns = ShardColumns(isNarrow: narrow)
        if masking != nil { columns.masks = ShardColumns.Masks(isNarrow: narrow) }
        let room = Shard.partTokens + assembler.maxSeqLength
        columns.reserveCapacity(tokens: room, masks: Int(Double(room) * (masking?.probability ?? 0) * 1.02))
    }

    var truncated: Int { assembler.truncated }

    /// Rows by side and relation.
    var rows: JSON { .bySide { side in .byRelation { .int(relations[side][$0]) } } }

    mutating func append(_ pair: SegmentPair, _ side: Side, prefix: String) throws {
        try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: assembler.maxSeqLength) { buffer in
            let ids = try assembler.assemble(pair, ids: buffer, spans: &columns)
            mask(ids, pass: Int(pair.pass))
            columns.inputIDs.append(UnsafeBufferPointer(ids))
        }
        columns.offsets.append(Int64(columns.inputIDs.count))
        relations[Int(side.rawValue)][Int(pair.relation)] += 1
        if columns.inputIDs.count >= Shard.partTokens { try flush(prefix) }
    }

    /// Closes the last part of a side.
    mutating func close(prefix: String) throws {
        if columns.count > 0 { try flush(prefix) }
        number = 0
    }

    private mutating func flush(_ prefix: String) throws {
        tokens += Int64(columns.inputIDs.count)
        parts.append(
            try output.columns(
                "\(prefix)-\(padded(number, 3))", rows: columns.count, columns.table, compression: .fast))
        number += 1
        columns.removeAll()
    }

    /// Masks the row whose spans were appended last, span by span, in place.
    private mutating func mask(_ ids: UnsafeMutableBufferPointer<UInt32>, pass: Int) {
        guard let masking else { return }
        let row = columns.spanOffsets.count - 2
        let spans = Int(columns.spanOffsets[row])..<Int(columns.spanOffsets[row + 1])
        for span in spans {
            let first = Int(columns.spanBegin[span])
            let last = span + 1 < spans.upperBound ? Int(columns.spanBegin[span + 1]) - 1 : ids.count - 1
            let key = Masking.key(
                seed: seed, epoch: 0, pass: pass, document: columns.spanDocument[span],
                segment: columns.spanSegment[span])
            changes.removeAll()
            masking.mask(UnsafeBufferPointer(rebasing: ids[first..<last]), key: key, into: &changes)
            for choice in 0..<changes.count {
                let position = first + Int(changes.positions[choice])
                ids[position] = changes.replacements[choice]
                columns.masks?.positions.append(UInt32(position))
            }
            columns.masks?.labels.append(changes.labels)
            masked += Int64(changes.count)
        }
        columns.masks?.endRow()
    }
}
