// The artifact types whose rows are made of text found elsewhere, or of files: segments, checkpoint, scores.

package import Container
import Corpus
package import Pipeline
import Transformer

package enum SegmentsArtifact: Artifact {
    package static let typeName = "segments", version = 1

    /// Rows carry their text where the documents and tokens they were cut from are known.
    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        var texts = SegmentTexts(
            tokens: context.upstream(TokensArtifact.typeName), documents: context.upstream(DocumentsArtifact.typeName))
        try eachPart(artifact) { reader in
            let part = try SegmentColumns(reading: reader)
            for i in 0..<part.count {
                var row = JSON.object([
                    "document": .int(Int64(bitPattern: part.document[i])), "ordinal": .int(Int64(part.ordinal[i])),
                    "first": .int(Int64(part.first[i])), "end": .int(Int64(part.end[i])),
                ])
                if let text = try texts.text(part.document[i], Int(part.first[i])..<Int(part.end[i])) {
                    row["text"] = .string(text)
                }
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

/// From token ranges to text. Parts of documents, tokens and segments follow one another in the same order, so one part
/// of each is kept.
private struct SegmentTexts {
    let tokens: StoredArtifact?
    let documents: StoredArtifact?
    private var tokenPart: (index: Int, columns: TokenColumns, rows: [UInt64: Int])?
    private var documentPart: (index: Int, columns: DocumentColumns, rows: [UInt64: Int])?

    init(tokens: StoredArtifact?, documents: StoredArtifact?) {
        self.tokens = tokens
        self.documents = documents
    }

    mutating func text(_ document: UInt64, _ range: Range<Int>) throws -> String? {
        guard !range.isEmpty, try findTokens(document), try findDocument(document),
            let (_, tokens, tokenRows) = tokenPart, let row = tokenRows[document],
            let (_, documents, documentRows) = documentPart, let textRow = documentRows[document]
        else { return nil }
        let first = tokens.tokens(row).lowerBound
        let begin = Int(tokens.begin[first + range.lowerBound])
        let end = Int(tokens.end[first + range.upperBound - 1])
        return documents.text.withBytes(textRow) { String(decoding: $0[begin..<end], as: UTF8.self) }
    }

    private mutating func findTokens(_ document: UInt64) throws -> Bool {
        if tokenPart?.rows[document] != nil { return true }
        guard let tokens else { return false }
        for index in Self.searchOrder(tokens, after: tokenPart?.index) {
            let ids = try tokens.columns(index).column("document", as: UInt64.self)
            if !ids.contains(document) { continue }
            let columns = try TokenColumns(reading: try tokens.columns(index))
            tokenPart = (index, columns, Self.rows(ids))
            return true
        }
        return false
    }

    private mutating func findDocument(_ document: UInt64) throws -> Bool {
        if documentPart?.rows[document] != nil { return true }
        guard let documents else { return false }
        for index in Self.searchOrder(documents, after: documentPart?.index) {
            let ids = try documents.columns(index).column("id", as: UInt64.self)
            if !ids.contains(document) { continue }
            let columns = try DocumentColumns(reading: try documents.columns(index))
            documentPart = (index, columns, Self.rows(ids))
            return true
        }
        return false
    }

    private static func searchOrder(_ artifact: StoredArtifact, after index: Int?) -> [Int] {
        let all = artifact.manifest.parts.indices
        guard let index else { return Array(all) }
        return Array(all.filter { $0 > index }) + all.filter { $0 <= index }
    }

    private static func rows(_ ids: [UInt64]) -> [UInt64: Int] {
        Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

package enum CheckpointArtifact: Artifact {
    package static let typeName = "checkpoint", version = 1

    /// One row a line of `metrics.jsonl`.
    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        guard let part = artifact.manifest.parts.first(where: { $0.name == "metrics.jsonl" }) else { return }
        for line in try artifact.bytes(part).split(separator: UInt8(ascii: "\n")) {
            if try !emit(try JSON(parsing: Array(line))) { return }
        }
    }

    /// The Hugging Face layout and `training.jsonl`: metrics joined with the rates of the run that made them. The
    /// same curves, without rates, as a TensorBoard event file.
    package static func export(_ artifact: StoredArtifact, _ context: ExportContext) throws {
        for part in artifact.manifest.parts where context.wants(part) && part.name != "metrics.jsonl" {
            try Files.publish(try artifact.bytes(part), at: context.directory + "/" + part.name)
        }
        guard let metrics = artifact.manifest.parts.first(where: { $0.name == "metrics.jsonl" }), context.wants(metrics)
        else { return }
        let rates = Rates(context.records("training"))
        var lines: [UInt8] = []
        let bytes = try artifact.bytes(metrics)
        try Files.publish(try EventFile.file(metrics: bytes), at: context.directory + "/" + EventFile.name)
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            var row = try JSON(parsing: Array(line))
            // Steps of training have a rate, validations have none.
            if row["tokens"] != nil { row["tokens_per_second"] = row["step"]?.int.flatMap { rates[$0] } ?? .null }
            lines += row.canonical + [UInt8(ascii: "\n")]
        }
        try Files.publish(lines, at: context.directory + "/training.jsonl")
    }
}

/// Rates were measured over runs of steps; a step has the rate of the run that it fell into.
private struct Rates {
    private let measured: [(step: Int64, rate: JSON)]

    /// - Parameter records: of the steps at which a rate was taken; where a step was repeated, the later one counts.
    init(_ records: [JSON]) {
        var byStep: [Int64: JSON] = [:]
        for record in records {
            if let step = record["step"]?.int, let rate = record["tokens_per_second"] { byStep[step] = rate }
        }
        measured = byStep.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    subscript(step: Int64) -> JSON? {
        var low = 0
        var high = measured.count
        while low < high {
            let middle = (low + high) / 2
            if measured[middle].step < step { low = middle + 1 } else { high = middle }
        }
        return low < measured.count ? measured[low].rate : nil
    }
}

package enum ScoresArtifact: Artifact {
    package static let typeName = "scores", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        _ = try emit(try scores(artifact))
    }

    package static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON {
        try scores(artifact)
    }

    static func scores(_ artifact: StoredArtifact) throws -> JSON {
        guard let part = artifact.manifest.parts.first(where: { $0.name == "scores.json" }) else {
            throw StageError("the artifact holds no scores.json", fix: "run the evaluate stage again")
        }
        return try JSON(parsing: try artifact.bytes(part))
    }
}
