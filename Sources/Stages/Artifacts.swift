// The artifact types and how they are shown: one JSON object a row for `cat`, counts for `stats`.
// Their columns are in `Corpus`; the forms printed here are part of the command line's contract (docs/formats.md).

package import Container
import Corpus
package import Pipeline

extension Artifact {
    /// What every artifact can say of itself: type, parts, rows, bytes and its metadata.
    static func summary(_ artifact: StoredArtifact) -> JSON {
        let parts = artifact.manifest.parts
        return .object([
            "type": .string(artifact.manifest.type), "parts": .int(Int64(parts.count)),
            "rows": .int(parts.reduce(0) { $0 + $1.rows }), "bytes": .int(parts.reduce(0) { $0 + $1.bytes }),
            "metadata": artifact.manifest.metadata,
        ])
    }

    package static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON {
        summary(artifact)
    }

    /// Calls `body` for every part in order until it returns false.
    static func eachPart(_ artifact: StoredArtifact, _ body: (PartReader) throws -> Bool) throws {
        for part in artifact.manifest.parts {
            if try !body(try artifact.columns(part)) { return }
        }
    }
}

private func number(_ id: UInt64) -> JSON { .int(Int64(bitPattern: id)) }
private func number(_ value: UInt32) -> JSON { .int(Int64(value)) }

package enum DocumentsArtifact: Artifact {
    package static let typeName = "documents", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let part = try DocumentColumns(reading: reader)
            for i in 0..<part.count {
                let links = (Int(part.linkOffsets[i])..<Int(part.linkOffsets[i + 1])).map { link in
                    let isPlaced = part.linkBegin[link] != LinkColumns.wholeDocument
                    return JSON.object([
                        "begin": isPlaced ? number(part.linkBegin[link]) : .null,
                        "end": isPlaced ? number(part.linkEnd[link]) : .null,
                        "target": .string(part.linkTarget.string(link)),
                    ])
                }
                let row = JSON.object([
                    "id": number(part.id[i]), "source_id": .string(part.sourceID.string(i)),
                    "title": .string(part.title.string(i)), "text": .string(part.text.string(i)),
                    "links": .array(links),
                ])
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

package enum LinksArtifact: Artifact {
    package static let typeName = "links", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let part = try LinkColumns(reading: reader)
            for i in 0..<part.count {
                let spanned = part.begin[i] != LinkColumns.wholeDocument
                var row: [String: JSON] = [
                    "source": number(part.source[i]), "target": number(part.target[i]),
                    "begin": spanned ? number(part.begin[i]) : .null, "end": spanned ? number(part.end[i]) : .null,
                    "kind": .string(LinkKind(rawValue: part.kind[i])?.name ?? "unknown"),
                ]
                if !part.score.isEmpty { row["score"] = .number(rounded(Double(part.score[i]))) }
                if try !emit(.object(row)) { return false }
            }
            return true
        }
    }
}

package enum DocumentGraphArtifact: Artifact {
    package static let typeName = "document-graph", version = 2

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let graph = try GraphColumns(reading: reader)
            for i in graph.node.indices {
                let row = JSON.object([
                    "document": number(graph.node[i]), "in_degree": number(graph.inDegree[i]),
                    "side": .string(Side(rawValue: graph.side[i])?.name ?? "unknown"),
                    "out": .array(graph.outLinks(i).map { number(graph.node[Int($0)]) }),
                ])
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

package enum VocabularyArtifact: Artifact {
    package static let typeName = "vocabulary", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let tokens = try VocabularyColumns(reading: reader).token
            for id in 0..<tokens.count {
                if try !emit(.object(["id": .int(Int64(id)), "token": .string(tokens.string(id))])) { return false }
            }
            return true
        }
    }
}

package enum TokensArtifact: Artifact {
    package static let typeName = "tokens", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let part = try TokenColumns(reading: reader)
            for i in 0..<part.count {
                let sentences = (Int(part.documentOffsets[i])..<Int(part.documentOffsets[i + 1])).map { sentence in
                    let range = Int(part.sentenceOffsets[sentence])..<Int(part.sentenceOffsets[sentence + 1])
                    return JSON.array(part.ids[range].map(number))
                }
                let row = JSON.object(["document": number(part.document[i]), "sentences": .array(sentences)])
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

package enum PairsArtifact: Artifact {
    package static let typeName = "pairs", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let part = try PairColumns(reading: reader)
            for i in 0..<part.count {
                let row = JSON.object([
                    "a": .object(["document": number(part.aDocument[i]), "segment": number(part.aSegment[i])]),
                    "b": .object(["document": number(part.bDocument[i]), "segment": number(part.bSegment[i])]),
                    "relation": .string(Relation(rawValue: part.relation[i])?.name ?? "unknown"),
                    "side": .string(Side(rawValue: part.side[i])?.name ?? "unknown"), "pass": .int(Int64(part.pass[i])),
                ])
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

package enum ShardsArtifact: Artifact {
    package static let typeName = "shards", version = 1

    package static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        try eachPart(artifact) { reader in
            let part = try ShardColumns(reading: reader)
            for i in 0..<part.count {
                let spans = Int(part.spanOffsets[i])..<Int(part.spanOffsets[i + 1])
                let (a, b) = (spans.lowerBound, spans.upperBound - 1)
                let row = JSON.object([
                    "input_ids": .array(part.inputIDs[Int(part.offsets[i])..<Int(part.offsets[i + 1])].map(number)),
                    "b_start": number(part.spanBegin[b]),
                    "relation": .string(Relation(rawValue: part.spanRelation[b])?.name ?? "unknown"),
                    "document_a": number(part.spanDocument[a]), "document_b": number(part.spanDocument[b]),
                ])
                if try !emit(row) { return false }
            }
            return true
        }
    }
}

extension LinkKind {
    var name: String {
        switch self {
        case .hyperlink: "hyperlink"
        case .citation: "citation"
        case .edges: "edges"
        case .lexical: "lexical"
        case .random: "random"
        }
    }
}
