// A store in a temporary folder, artifacts written by hand, and an executor that runs one stage on them.

import Container
import Corpus
import Foundation
import Pipeline
import Stages

/// Runs stages on a store of its own, which goes when the value's owner does.
final class ToyRun {
    let folder: String
    let blobs: BlobDirectory
    let progress = ToyProgress()

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/linkloom-stages-\(UUID().uuidString)"
        try Files.makeDirectories(folder)
        blobs = BlobDirectory(root: folder)
    }

    deinit { try? Files.remove(folder) }

    func artifact(_ type: String, _ tables: [(rows: Int, table: ColumnTable)], metadata: JSON = .object([:])) throws
        -> StoredArtifact
    {
        let sink = PartSink(blobs: blobs)
        let parts = try tables.enumerated().map { try sink.columns("part-\($0)", rows: $1.rows, $1.table) }
        return StoredArtifact(
            manifest: Manifest(type: type, version: 1, metadata: metadata, parts: parts), blobs: blobs)
    }

    /// Each inner list is one part.
    func documents(_ parts: [[ToyDocument]], redirects: [(String, String)] = [], metadata: JSON = .object([:])) throws
        -> StoredArtifact
    {
        let tables = parts.enumerated().map { number, documents in
            var columns = DocumentColumns()
            for document in documents { document.append(to: &columns) }
            if number == 0 {
                for (from, to) in redirects {
                    columns.redirectFrom.append(from)
                    columns.redirectTo.append(to)
                }
            }
            return (rows: columns.count, table: columns.table)
        }
        return try artifact("documents", tables, metadata: metadata)
    }

    func file(_ name: String, _ text: String) throws -> InputFile {
        let path = folder + "/" + name
        try Files.publish(Array(text.utf8), at: path)
        return InputFile(path: path, logicalName: name)
    }

    func context<S: Stage>(
        _ stage: S.Type, _ config: S.Config, _ inputs: [String: [StoredArtifact]], files: [InputFile] = []
    ) -> StageContext<S.Config> {
        StageContext(
            config: config, files: files, inputs: inputs,
            environment: StageEnvironment(threads: 1, scratch: { "" }, progress: progress, isCancelled: { false }))
    }

    /// - Parameter backwards: pieces run last to first, as other workers might; results are joined in piece order.
    func run<S: Stage>(
        _ stage: S.Type, _ config: S.Config, _ inputs: [String: [StoredArtifact]], files: [InputFile] = [],
        backwards: Bool = false
    ) throws -> (artifact: StoredArtifact, results: [PieceResult]) {
        let context = context(stage, config, inputs, files: files)
        let sink = PartSink(blobs: blobs)
        let pieces = try S.gather(context)
        var results = try (backwards ? pieces.reversed() : pieces).map { try S.piece($0, context, into: sink) }
        if backwards { results.reverse() }
        let finished = try S.finish(results, context, into: sink)
        let manifest = Manifest(
            type: S.Output.typeName, version: S.Output.version, metadata: finished.metadata, parts: finished.parts)
        return (StoredArtifact(manifest: manifest, blobs: blobs), results)
    }
}

/// A document by hand: its links cover no text, which no stage here minds.
struct ToyDocument {
    var title: String
    var text = ""
    var links: [String] = []
    var aliases: [String] = []

    var id: UInt64 { DocumentID.make(corpus: "toy", sourceID: title.utf8) }

    func append(to columns: inout DocumentColumns) {
        columns.id.append(id)
        columns.sourceID.append(title)
        columns.title.append(title)
        columns.text.append(text)
        for alias in aliases { columns.alias.append(alias) }
        columns.aliasOffsets.append(Int64(columns.alias.count))
        columns.blockOffsets.append(0)
        for (i, link) in links.enumerated() {
            columns.linkBegin.append(UInt32(10 * i))
            columns.linkEnd.append(UInt32(10 * i + 5))
            columns.linkTarget.append(link)
        }
        columns.linkOffsets.append(Int64(columns.linkTarget.count))
        columns.sourceOffset.append(0)
    }
}

final class ToyProgress: ProgressSink {
    func update(done: Int64, total: Int64, unit: String, note: String) {}
    func message(_ text: String) {}
    func warning(_ text: String) {}
    func record(_ stream: String, _ line: JSON) {}
}
