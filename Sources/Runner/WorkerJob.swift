// An order to a worker: one piece of one stage, all by digest but the paths of input files,
// which stand in the config beside their digests.

package import Container
import Pipeline

/// The content of a job file.
package struct WorkerJob: Sendable {
    package var stage: String
    package var stageName: String
    /// `BoundStage.resolvedConfig` with the digests of files.
    package var config: JSON
    package var inputs: [String: [Digest]]
    package var piece: GatherRecord.Entry
    package var index: Int
    package var key: Digest
    package var components: JSON
    package var threads: Int
    package var run: String

    package init(_ job: PieceJob, threads: Int) {
        stage = job.stage.stageName
        stageName = job.stageName
        config = job.stage.resolvedConfig
        inputs = job.inputs.mapValues { $0.map(\.manifest.digest) }
        piece = GatherRecord.Entry(
            name: job.piece.name, parts: job.piece.parts, files: job.piece.files,
            projection: job.piece.projection.isEmpty ? nil : Digest.of(job.piece.projection),
            projectionBytes: Int64(job.piece.projection.count))
        index = job.index
        key = job.key
        components = job.components
        self.threads = threads
        run = job.run
    }

    /// - Returns: the path of the job file.
    func publish(in store: Store) throws -> String {
        let path = store.path("jobs/\(run)-\(key.hex.prefix(16)).json")
        try Files.publish(json.canonical, at: path)
        return path
    }

    package var json: JSON {
        [
            "format": .int(recordFormat), "stage": .string(stage), "stage_name": .string(stageName), "config": config,
            "inputs": .object(inputs.mapValues { .array($0.map { .string($0.hex) }) }), "piece": piece.record,
            "index": .int(Int64(index)), "key": .string(key.hex), "components": components,
            "threads": .int(Int64(threads)), "run": .string(run),
        ]
    }

    package init(_ json: JSON) throws {
        let fields = try RecordFields(json)
        guard try fields.int("format") == recordFormat else { throw RecordError("another format version") }
        stage = try fields.string("stage")
        stageName = try fields.string("stage_name")
        config = try fields.json("config")
        inputs = try (try fields.json("inputs").object ?? [:]).mapValues { list in
            try (list.array ?? []).map { item in
                guard let digest = item.string.flatMap(Digest.init(hex:)) else {
                    throw RecordError("'inputs' holds no digests")
                }
                return digest
            }
        }
        piece = try GatherRecord.Entry(record: try fields.json("piece"))
        index = Int(try fields.int("index"))
        key = try fields.digest("key")
        components = try fields.json("components")
        threads = Int(try fields.int("threads"))
        run = try fields.string("run")
    }
}
