// The stage protocol: a config with one table of keys, typed ports, one typed output, and three synchronous
// steps (gather, piece, finish). A stage knows nothing of the store, of workers or of the plan it stands in.

package import Container

/// One kind of step in a pipeline.
///
/// `gather` is global and cheap: it reads summary columns and cuts the work into pieces, giving each piece its
/// *projection*, only the facts that this piece reads. `piece` does the work. `finish` joins the results.
/// All three are pure functions of config, files and inputs: no clock, path or worker count may reach an output.
package protocol Stage: Sendable {
    associatedtype Config: StageConfig
    associatedtype Output: Artifact

    static var name: String { get }
    /// Bumped when the same inputs would give other bytes.
    static var version: Int { get }
    /// One line for `linkloom stages`.
    static var summary: String { get }
    static var ports: [AnyInputPort] { get }
    /// The artifact type that this config makes; `Output` for all stages but `import`.
    static func output(_ config: Config) -> any Artifact.Type
    /// Whether this config reads the port. A port that it does not use enters neither plan nor key.
    static func uses(_ port: String, _ config: Config) -> Bool
    /// The config as it enters the keys of pieces; keys that only say how many pieces there are, such as `passes`, are
    /// set to their default here, so that more of them only add pieces. The stage's own key has the whole config.
    static func pieceConfig(_ config: Config) -> Config
    /// Whether the stage reads file names as data (`text` takes titles from them): then logical names enter keys.
    static func readsFileNames(_ config: Config) -> Bool
    /// CPU kind, BLAS and the like, for stages whose bits depend on them; recorded with the result, never in a key.
    static func numerics(_ config: Config) -> JSON?
    /// Why this machine cannot run the stage, and what to do; nil where it can. A run says so before it begins; the stage
    /// itself refuses once it comes to that.
    static func obstacle(_ config: Config) -> String?
    /// The share of rejected items past which the stage fails; nil for stages that reject nothing.
    static func maxRejected(_ config: Config) -> Double?
    /// What running would cost, for `plan`; nil for stages whose cost nobody asks about.
    /// - Parameters:
    ///   - inputs: the artifacts that are made already; ports whose stage has yet to run are absent.
    ///   - waiting: by port among the absent, the resolved configs of the stages that make it.
    static func estimate(
        _ config: Config, inputs: [String: [StoredArtifact]], waiting: [String: [JSON]]
    ) throws -> StageEstimate?

    static func gather(_ context: StageContext<Config>) throws -> [Piece]
    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult
    static func finish(_ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink) throws
        -> Finished
}

extension Stage {
    package static func output(_ config: Config) -> any Artifact.Type { Output.self }
    package static func uses(_ port: String, _ config: Config) -> Bool { true }
    package static func pieceConfig(_ config: Config) -> Config { config }
    package static func readsFileNames(_ config: Config) -> Bool { false }
    package static func numerics(_ config: Config) -> JSON? { nil }
    package static func obstacle(_ config: Config) -> String? { nil }
    package static func maxRejected(_ config: Config) -> Double? { nil }
    package static func estimate(
        _ config: Config, inputs: [String: [StoredArtifact]], waiting: [String: [JSON]]
    ) throws -> StageEstimate? { nil }

    /// One piece that reads everything: right for stages whose work is global.
    package static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        [Piece(name: "all", parts: context.allParts, files: Array(context.files.indices))]
    }

    /// Parts in piece order, no metadata beyond the summed counts.
    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        Finished(parts: results.flatMap(\.parts), metadata: .object([:]))
    }
}

/// A part of an input artifact, by port.
package struct PortPart: Sendable, Equatable {
    package var port: String
    /// Index in the port's list of artifacts (0 for a single one).
    package var artifact: Int
    package var part: Part

    package init(port: String, artifact: Int = 0, part: Part) {
        self.port = port
        self.artifact = artifact
        self.part = part
    }
}

/// One unit of work. Its key holds the stage, the config, the digests of `parts` and `files`, and of `projection`.
package struct Piece: Sendable, Equatable {
    /// Stable within the stage; names the parts it writes. Enters the key.
    package var name: String
    package var parts: [PortPart]
    /// Indices into the context's `files`.
    package var files: [Int]
    /// The facts beyond `parts` that the piece reads, in any encoding the stage likes; empty if none.
    package var projection: [UInt8]

    package init(name: String, parts: [PortPart] = [], files: [Int] = [], projection: [UInt8] = []) {
        self.name = name
        self.parts = parts
        self.files = files
        self.projection = projection
    }
}

/// What a piece leaves: parts, counts for the table of stages, and a summary for `finish`.
package struct PieceResult: Sendable, Equatable {
    package var parts: [Part]
    /// Shown in the table of stages and summed over pieces, e.g. `documents`, `tokens`.
    package var counts: [String: Int64]
    /// Anything `finish` needs; recorded with the piece.
    package var summary: JSON
    package var rejections: Rejections

    package init(
        parts: [Part], counts: [String: Int64] = [:], summary: JSON = .object([:]),
        rejections: Rejections = Rejections()
    ) {
        self.parts = parts
        self.counts = counts
        self.summary = summary
        self.rejections = rejections
    }
}

/// What `finish` leaves: the manifest's metadata and all parts in order.
package struct Finished: Sendable, Equatable {
    package var parts: [Part]
    package var metadata: JSON
    /// Added to the summed counts of the pieces (same name replaces).
    package var counts: [String: Int64]

    package init(parts: [Part], metadata: JSON, counts: [String: Int64] = [:]) {
        self.parts = parts
        self.metadata = metadata
        self.counts = counts
    }
}

/// Bad data of one piece: counted by reason, the first few sampled with their place.
package struct Rejections: Sendable, Equatable {
    package struct Sample: Sendable, Equatable {
        package var reason: String
        /// File and offset, page title, line: whatever leads a person to it.
        package var place: String

        package init(reason: String, place: String) {
            self.reason = reason
            self.place = place
        }
    }

    package static let sampleLimit = 100
    package private(set) var counts: [String: Int64] = [:]
    package private(set) var samples: [Sample] = []
    /// Items looked at, rejected ones included: the denominator of `max_rejected`.
    package var total: Int64 = 0

    package init() {}
    package init(counts: [String: Int64], samples: [Sample], total: Int64) {
        self.counts = counts
        self.samples = samples
        self.total = total
    }

    package var rejected: Int64 { counts.values.reduce(0, +) }

    package mutating func add(_ reason: String, place: @autoclosure () -> String) {
        counts[reason, default: 0] += 1
        if samples.count < Self.sampleLimit { samples.append(Sample(reason: reason, place: place())) }
    }

    package mutating func merge(_ other: Rejections) {
        counts.merge(other.counts, uniquingKeysWith: +)
        samples.append(contentsOf: other.samples.prefix(Self.sampleLimit - samples.count))
        total += other.total
    }
}

/// Everything a stage may touch while it runs.
package struct StageContext<Config: StageConfig>: Sendable {
    package let config: Config
    /// The config's input files in the order of its keys; digests are known.
    package let files: [InputFile]
    /// Port name → artifacts, in the order wired. Unused and unwired ports are absent.
    package let inputs: [String: [StoredArtifact]]
    package let environment: StageEnvironment

    package init(config: Config, files: [InputFile], inputs: [String: [StoredArtifact]], environment: StageEnvironment)
    {
        self.config = config
        self.files = files
        self.inputs = inputs
        self.environment = environment
    }

    /// The artifact of a required port.
    package func input(_ port: String) throws -> StoredArtifact {
        guard let found = inputs[port]?.first else {
            throw StageError("input port '\(port)' is not connected", fix: "name a stage for it under `in:`")
        }
        return found
    }

    package func optional(_ port: String) -> StoredArtifact? { inputs[port]?.first }
    package func list(_ port: String) -> [StoredArtifact] { inputs[port] ?? [] }

    /// Every part of every input, ports sorted by name.
    package var allParts: [PortPart] {
        inputs.keys.sorted().flatMap { port in
            inputs[port]!.enumerated().flatMap { index, artifact in
                artifact.manifest.parts.map { PortPart(port: port, artifact: index, part: $0) }
            }
        }
    }

    /// The stored part behind a piece's part, as columns.
    package func columns(_ part: PortPart) throws -> PartReader { try artifact(of: part).columns(part.part) }

    /// The stored part behind a piece's part, as a map of its expanded copy.
    package func mapped(_ part: PortPart) throws -> MappedPart { try artifact(of: part).mapped(part.part) }

    private func artifact(of part: PortPart) throws -> StoredArtifact {
        guard let list = inputs[part.port], list.indices.contains(part.artifact) else {
            throw StageError("a piece names a part of port '\(part.port)' that is not connected")
        }
        return list[part.artifact]
    }
}

/// The run facts a stage may use but never write: threads, scratch, progress, cancellation.
package struct StageEnvironment: Sendable {
    /// Cores this call may use.
    package let threads: Int
    /// A folder by key, kept between attempts, for resumable work such as checkpoints during training.
    package let scratch: @Sendable () throws -> String
    package let progress: any ProgressSink
    package let isCancelled: @Sendable () -> Bool

    package init(
        threads: Int, scratch: @escaping @Sendable () throws -> String, progress: any ProgressSink,
        isCancelled: @escaping @Sendable () -> Bool
    ) {
        self.threads = threads
        self.scratch = scratch
        self.progress = progress
        self.isCancelled = isCancelled
    }

    /// - Throws: `Cancelled` once the run has been asked to stop. Call it between items, not per token.
    package func checkCancelled() throws { if isCancelled() { throw Cancelled() } }
}

/// Where a stage reports what it is doing. Safe to call from any thread.
package protocol ProgressSink: Sendable {
    /// `unit` such as `documents`, `steps`; `total` 0 if unknown. `note` is a short tail, e.g. `loss 7.21`.
    func update(done: Int64, total: Int64, unit: String, note: String)
    /// A line that stays: what training is going to do, a report.
    func message(_ text: String)
    func warning(_ text: String)
    /// A line of a run record that belongs beside, not in, the artifact (rates, clocks), e.g. `training`.
    func record(_ stream: String, _ line: JSON)
}

/// The run was asked to stop; state is saved.
package struct Cancelled: Error, Sendable { package init() {} }

/// A stage failed for a reason its user can act on.
package struct StageError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    package var place: String?
    package var cause: String?
    package var fix: String?

    package init(_ message: String, place: String? = nil, cause: String? = nil, fix: String? = nil) {
        self.message = message
        self.place = place
        self.cause = cause
        self.fix = fix
    }

    package var description: String {
        var lines = [(place.map { "\($0): " } ?? "") + "error: " + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }
}

/// What a stage is going to cost.
package struct StageEstimate: Sendable, Equatable {
    /// The name under which a finished stage counts its floating-point operations, in units of 10^9: the rate of the
    /// last time tells how long the next will take.
    package static let countName = "gflop"
    package var operations: Double
    /// In words, e.g. `4.4 M parameters, 18.8 M tokens`.
    package var summary: String

    package init(operations: Double, summary: String) {
        self.operations = operations
        self.summary = summary
    }
}
