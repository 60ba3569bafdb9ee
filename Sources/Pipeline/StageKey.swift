// Cache keys: the SHA-256 of a canonical record of everything that decides a result, and nothing else.
// No path, time, host or worker count. The record is kept, so that `plan` and `why` can say what changed.

package import Container

/// The key of a stage's whole result.
package struct StageKey: Sendable, Equatable {
    /// `{stage, stageVersion, outputType, outputVersion, config, files: {key: [[name, digest]]}, inputs: [[port, digest]]}`.
    package let components: JSON
    /// Of `components` in canonical JSON.
    package let digest: Digest

    /// - Parameters:
    ///   - stage: with the digests of its files; see `BoundStage.withDigests`.
    ///   - inputs: port → manifest digests in the order wired; used and connected ports only.
    /// - Precondition: every file of the stage has its digest.
    package init(stage: BoundStage, inputs: [String: [Digest]]) {
        var record = stage.keyRecord
        record["files"] = .object(
            Dictionary(
                stage.fileKeys.map { ($0.key, .array($0.files.map { $0.keyRecord(stage.readsFileNames) })) },
                uniquingKeysWith: { $1 }))
        record["inputs"] = .array(
            inputs.keys.sorted().flatMap { port in
                inputs[port]!.map { .array([.string(port), .string($0.hex)]) }
            })
        components = record
        digest = .of(record.canonical)
    }
}

/// The key of one piece of a stage.
package struct PieceKey: Sendable, Equatable {
    /// `{stage, stageVersion, outputType, outputVersion, config, piece, parts: [[port, artifact, digest]],
    /// files: [[name, digest]], projection}`.
    package let components: JSON
    package let digest: Digest

    /// - Precondition: every file of the stage has its digest, and `piece.files` indexes them.
    package init(stage: BoundStage, piece: Piece) {
        self.init(prefix: PieceKeyPrefix(stage), piece: piece)
    }

    /// The same for many pieces of one stage, with what they share computed once.
    package init(prefix: PieceKeyPrefix, piece: Piece) {
        var record = prefix.record
        record["piece"] = .string(piece.name)
        record["parts"] = .array(
            piece.parts.map {
                .array([.string($0.port), .int(Int64($0.artifact)), .string($0.part.digest.hex)])
            })
        record["files"] = .array(piece.files.map { prefix.files[$0] })
        record["projection"] = .string(Digest.of(piece.projection).hex)
        components = record
        digest = .of(record.canonical)
    }
}

/// What the keys of all pieces of a stage share.
package struct PieceKeyPrefix: Sendable {
    let record: JSON
    let files: [JSON]

    package init(_ stage: BoundStage) {
        var record = stage.keyRecord
        record["config"] = stage.pieceConfig
        self.record = record
        files = stage.files.map { $0.keyRecord(stage.readsFileNames) }
    }
}

extension BoundStage {
    fileprivate var keyRecord: JSON {
        let output = output
        return [
            "stage": .string(stageName), "stageVersion": .int(Int64(stageVersion)),
            "outputType": .string(output.typeName), "outputVersion": .int(Int64(output.version)),
            "config": canonicalConfig,
        ]
    }
}

extension InputFile {
    fileprivate func keyRecord(_ readsFileNames: Bool) -> JSON {
        guard let digest else { preconditionFailure("a key needs the digest of \(path)") }
        return .array([.string(readsFileNames ? logicalName : ""), .string(digest.hex)])
    }
}
