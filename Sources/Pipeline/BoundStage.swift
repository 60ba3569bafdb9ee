// A stage with its config: everything the planner and the runner may ask of it, its Swift types erased.

package import Container

/// Hashes one file: its path → its digest and size. The runner passes one with a memo.
package typealias FileDigester = (_ path: String) throws -> (digest: Digest, bytes: Int64)

/// A stage type with a decoded config. A value; crossing to a worker process is `resolvedConfig` and
/// `StageType.rebind`.
package struct BoundStage: Sendable {
    private let box: any StageBox

    init(_ box: any StageBox) { self.box = box }

    /// The stage type's name, e.g. `pair-sample`.
    package var stageName: String { box.stageName }
    package var stageVersion: Int { box.stageVersion }
    package var ports: [AnyInputPort] { box.ports }
    /// The artifact type that this config makes.
    package var output: any Artifact.Type { box.output }
    package var readsFileNames: Bool { box.readsFileNames }
    package var maxRejected: Double? { box.maxRejected }
    /// What the bits of the output depend on beside the inputs; nil for most stages. May be slow the first time.
    package func numerics() -> JSON? { box.numerics() }
    /// Why this machine cannot run the stage, and what to do.
    package var obstacle: String? { box.obstacle }
    package func uses(_ port: String) -> Bool { box.uses(port) }
    /// What running would cost; inputs that are not made yet are absent, and the configs of what makes them are in
    /// `waiting`.
    package func estimate(
        inputs: [String: [StoredArtifact]], waiting: [String: [JSON]] = [:]
    ) throws -> StageEstimate? { try box.estimate(inputs, waiting) }

    /// The config as it enters keys: operational keys, files, and keys equal to their default are absent.
    package var canonicalConfig: JSON { box.canonicalConfig }
    /// The same as it enters the keys of pieces.
    package var pieceConfig: JSON { box.pieceConfig }
    /// All values, operational ones and absolute file paths (with digests once known) included.
    package var resolvedConfig: JSON { box.resolvedConfig }
    /// The non-operational defaults in the form of `canonicalConfig`, for telling what an absent key stood for.
    package var defaultConfig: JSON { box.defaultConfig }

    /// Who gave a key that the file leaves out, where it is not the default.
    package func origin(of key: String) -> String? { box.origin(of: key) }

    /// The input files by (dotted) key, keys in the order of the table; keys without files are absent.
    package var fileKeys: [(key: String, files: [InputFile])] { box.fileKeys }
    /// All input files in the order of the keys: what `Piece.files` indexes.
    package var files: [InputFile] { fileKeys.flatMap(\.files) }

    /// The same stage with the digest and size of every input file filled in.
    package func withDigests(_ digest: FileDigester) throws -> BoundStage { BoundStage(try box.withDigests(digest)) }

    package func gather(inputs: [String: [StoredArtifact]], environment: StageEnvironment) throws -> [Piece] {
        try box.gather(inputs, environment)
    }

    package func piece(
        _ piece: Piece, inputs: [String: [StoredArtifact]], environment: StageEnvironment, into output: PartSink
    ) throws -> PieceResult {
        try box.piece(piece, inputs, environment, output)
    }

    package func finish(
        _ results: [PieceResult], inputs: [String: [StoredArtifact]], environment: StageEnvironment,
        into output: PartSink
    ) throws -> Finished {
        try box.finish(results, inputs, environment, output)
    }
}

protocol StageBox: Sendable {
    var stageName: String { get }
    var stageVersion: Int { get }
    var ports: [AnyInputPort] { get }
    var output: any Artifact.Type { get }
    var readsFileNames: Bool { get }
    var maxRejected: Double? { get }
    func numerics() -> JSON?
    var obstacle: String? { get }
    func uses(_ port: String) -> Bool
    func estimate(_ inputs: [String: [StoredArtifact]], _ waiting: [String: [JSON]]) throws -> StageEstimate?
    var canonicalConfig: JSON { get }
    var pieceConfig: JSON { get }
    var resolvedConfig: JSON { get }
    var defaultConfig: JSON { get }
    func origin(of key: String) -> String?
    var fileKeys: [(key: String, files: [InputFile])] { get }
    func withDigests(_ digest: FileDigester) throws -> any StageBox
    func gather(_ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment) throws -> [Piece]
    func piece(
        _ piece: Piece, _ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment, _ output: PartSink
    ) throws -> PieceResult
    func finish(
        _ results: [PieceResult], _ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment,
        _ output: PartSink
    ) throws -> Finished
}

struct Bound<S: Stage>: StageBox {
    var config: S.Config

    var stageName: String { S.name }
    var stageVersion: Int { S.version }
    var ports: [AnyInputPort] { S.ports }
    var output: any Artifact.Type { S.output(config) }
    var readsFileNames: Bool { S.readsFileNames(config) }
    var maxRejected: Double? { S.maxRejected(config) }
    func numerics() -> JSON? { S.numerics(config) }
    var obstacle: String? { S.obstacle(config) }
    func uses(_ port: String) -> Bool { S.uses(port, config) }
    func estimate(_ inputs: [String: [StoredArtifact]], _ waiting: [String: [JSON]]) throws -> StageEstimate? {
        try S.estimate(config, inputs: inputs, waiting: waiting)
    }

    var canonicalConfig: JSON { canonicalObject(S.Config.keys, config, defaults: S.Config()) }
    var pieceConfig: JSON { canonicalObject(S.Config.keys, S.pieceConfig(config), defaults: S.Config()) }
    var resolvedConfig: JSON { valueObject(S.Config.keys, config) }
    var defaultConfig: JSON {
        valueObject(S.Config.keys.filter { !$0.operational }, S.Config())
    }

    func origin(of key: String) -> String? { config.origin(of: key) }

    var fileKeys: [(key: String, files: [InputFile])] {
        var found: [(key: String, files: [InputFile])] = []
        var copy = config
        for key in S.Config.keys {
            try? key.mapFiles(&copy) { name, files in
                if !files.isEmpty { found.append((name, files)) }
                return files
            }
        }
        return found
    }

    func withDigests(_ digest: FileDigester) throws -> any StageBox {
        var copy = self
        for key in S.Config.keys {
            try key.mapFiles(&copy.config) { _, files in
                try files.map { file in
                    var file = file
                    (file.digest, file.bytes) = try digest(file.path)
                    return file
                }
            }
        }
        return copy
    }

    private func context(
        _ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment
    ) -> StageContext<S.Config> {
        StageContext(config: config, files: fileKeys.flatMap(\.files), inputs: inputs, environment: environment)
    }

    func gather(_ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment) throws -> [Piece] {
        try S.gather(context(inputs, environment))
    }

    func piece(
        _ piece: Piece, _ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment, _ output: PartSink
    ) throws -> PieceResult {
        try S.piece(piece, context(inputs, environment), into: output)
    }

    func finish(
        _ results: [PieceResult], _ inputs: [String: [StoredArtifact]], _ environment: StageEnvironment,
        _ output: PartSink
    ) throws -> Finished {
        try S.finish(results, context(inputs, environment), into: output)
    }
}
