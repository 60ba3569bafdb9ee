// The store: blobs by content, manifests by digest, records by key. Files are the truth and everything appears by
// rename, so any number of runs and readers may share one store, and a run that dies leaves nothing half-written.
//
//     blobs/ab/<digest>.zst      parts, compressed; expanded/<digest>: mapped copies, may be deleted at any time
//     artifacts/<digest>.json    manifests: canonical JSON whose SHA-256 is the name
//     results/ab/<key>.json      records of gathers, pieces and stages (Records.swift)
//     scratch/<key>/             resumable work of a piece; removed when the piece is done
//     runs/<id>/                 run.json, events.jsonl, rejected.jsonl and record streams such as training.jsonl
//     jobs/                      orders to worker processes
//     files.json                 memo of the digests of input files

package import Container
package import Pipeline
import Glibc

/// What was found under a key.
package enum Found<Value> {
    case value(Value)
    case missing
    /// Something is there that cannot be used; the text says what.
    case damaged(String)
}

/// A folder of results, shared by runs. Thread-safe: all state is in files.
package final class Store: Sendable {
    package let root: String
    package let blobs: BlobDirectory

    /// Touches nothing: folders appear with the first write.
    package init(root: String) {
        self.root = root
        blobs = BlobDirectory(root: root)
    }

    /// `--store`, else `LINKLOOM_STORE`, else `.linkloom` in the working folder.
    package static func root(_ option: String?) -> String {
        if let option { return option }
        if let value = getenv("LINKLOOM_STORE").map({ String(cString: $0) }), !value.isEmpty { return value }
        return ".linkloom"
    }

    package var exists: Bool { Files.isDirectory(root) }
    package func path(_ relative: String) -> String { root + "/" + relative }

    /// The file of this store that an error found damaged or missing and that making its result again repairs; nil for
    /// any other error, also for damage in files that are not the store's.
    package func damagedFile(_ error: ContainerError) -> String? {
        guard [.damaged, .notFound, .format].contains(error.code), let found = error.path,
            ["blobs/", "expanded/", "artifacts/"].contains(where: { found.hasPrefix(path($0)) })
        else { return nil }
        return found
    }

    // MARK: Artifacts

    package func manifestPath(_ digest: Digest) -> String { path("artifacts/\(digest.hex).json") }

    /// - Returns: the manifest's digest, the artifact's name from now on.
    package func publish(_ manifest: Manifest) throws -> Digest {
        let bytes = manifest.canonical
        let digest = Digest.of(bytes)
        let path = manifestPath(digest)
        if case .value = self.manifest(digest) { return digest }
        try Files.publish(bytes, at: path, readOnly: true)
        return digest
    }

    private func manifest(_ digest: Digest) -> Found<Manifest> {
        let path = manifestPath(digest)
        let bytes: [UInt8]
        do {
            bytes = try Files.read(path)
        } catch let error as ContainerError where error.code == .notFound {
            return .missing
        } catch {
            return .damaged("\(error)")
        }
        guard Digest.of(bytes) == digest else { return .damaged("\(path) does not hold what its name says") }
        do {
            return .value(try Manifest(parsing: bytes))
        } catch {
            return .damaged("\(error)")
        }
    }

    /// The artifact with its parts present and of plausible size. No blob is read.
    package func artifact(_ digest: Digest) -> Found<StoredArtifact> {
        switch manifest(digest) {
        case .missing: return .missing
        case .damaged(let what): return .damaged(what)
        case .value(let manifest):
            switch check(manifest.parts) {
            case .missing: return .missing
            case .damaged(let what): return .damaged(what)
            case .value: return .value(StoredArtifact(manifest: manifest, blobs: blobs))
            }
        }
    }

    /// Whether every part is there; a file too short for what it claims to hold counts as damaged.
    package func check(_ parts: [Part]) -> Found<Void> {
        for part in parts {
            let path = blobs.storedPath(part.digest)
            switch BlobCheck.look(path, bytes: part.bytes) {
            case .value: continue
            case .missing: return .missing
            case .damaged(let what): return .damaged("part '\(part.name)': \(what)")
            }
        }
        return .value(())
    }

    /// All artifacts whose digest begins with `prefix`, sorted.
    package func artifacts(prefix: String) throws -> [Digest] {
        guard Files.isDirectory(path("artifacts")) else { return [] }
        return try Files.list(path("artifacts")).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }
            .compactMap { Digest(hex: String($0.dropLast(5))) }
    }

    // MARK: Records

    package func recordPath(_ key: Digest) -> String { path("results/\(key.hex.prefix(2))/\(key.hex).json") }

    package func record<R: StoredRecord>(_ key: Digest, as: R.Type = R.self) -> Found<R> {
        let path = recordPath(key)
        do {
            let json = try JSON(parsing: try Files.read(path))
            let fields = try RecordFields(json)
            guard try fields.int("format") == recordFormat else { throw RecordError("another format version") }
            guard try fields.string("kind") == R.kind else { throw RecordError("not a record of a \(R.kind)") }
            return .value(try R(fields))
        } catch let error as ContainerError where error.code == .notFound {
            return .missing
        } catch let error as ContainerError {
            return .damaged("\(path): \(error.message)")
        } catch {
            return .damaged("\(path): \(error)")
        }
    }

    /// Publishes a record and returns it as a later run will read it.
    @discardableResult
    package func publish<R: StoredRecord>(_ record: R, under key: Digest) throws -> R {
        var members = record.fields
        members["format"] = .int(recordFormat)
        members["kind"] = .string(R.kind)
        let bytes = try JSON.object(members).encoded()
        try Files.publish(bytes, at: recordPath(key))
        return try R(try RecordFields(try JSON(parsing: bytes)))
    }

    /// A finished stage whose output is whole.
    package func stage(_ key: Digest) -> Found<(record: StageRecord, output: StoredArtifact)> {
        switch record(key, as: StageRecord.self) {
        case .missing: return .missing
        case .damaged(let what): return .damaged(what)
        case .value(let record):
            switch artifact(record.output) {
            case .value(let output): return .value((record, output))
            case .missing: return .damaged("its output \(record.output.hex.prefix(12)) is not in the store")
            case .damaged(let what): return .damaged(what)
            }
        }
    }

    /// A finished piece whose parts are whole.
    package func piece(_ key: Digest) -> Found<PieceRecord> {
        switch record(key, as: PieceRecord.self) {
        case .missing: return .missing
        case .damaged(let what): return .damaged(what)
        case .value(let record):
            switch check(record.result.parts) {
            case .value: return .value(record)
            case .missing: return .damaged("a part of piece record \(key.hex.prefix(12)) is not in the store")
            case .damaged(let what): return .damaged(what)
            }
        }
    }

    // MARK: Gathers

    package func publish(gather pieces: [Piece], under key: Digest) throws {
        let entries = try pieces.map { piece in
            var projection: Digest?
            if !piece.projection.isEmpty { projection = try blobs.put { try $0.write(piece.projection) }.digest }
            return GatherRecord.Entry(
                name: piece.name, parts: piece.parts, files: piece.files, projection: projection,
                projectionBytes: Int64(piece.projection.count))
        }
        try publish(GatherRecord(entries: entries), under: key)
    }

    /// The pieces of an earlier gather, projections checked by digest.
    package func gather(_ key: Digest) -> Found<[Piece]> {
        switch record(key, as: GatherRecord.self) {
        case .missing: return .missing
        case .damaged(let what): return .damaged(what)
        case .value(let record):
            do {
                // Pieces with one projection (the passes of a bucket) share its bytes.
                var read: [Digest: [UInt8]] = [:]
                return .value(try record.entries.map { try piece($0, &read) })
            } catch {
                return .damaged("a projection cannot be read: \(error)")
            }
        }
    }

    func piece(_ entry: GatherRecord.Entry) throws -> Piece {
        var read: [Digest: [UInt8]] = [:]
        return try piece(entry, &read)
    }

    /// - Parameter read: projections read before, and this one afterwards.
    private func piece(_ entry: GatherRecord.Entry, _ read: inout [Digest: [UInt8]]) throws -> Piece {
        var projection: [UInt8] = []
        if let digest = entry.projection, let known = read[digest] {
            projection = known
        } else if let digest = entry.projection {
            let reader = try blobs.reader(digest)
            projection = try reader.read(0..<reader.count)
            guard Digest.of(projection) == digest else {
                try Files.remove(blobs.storedPath(digest))
                throw RecordError("its bytes have another digest")
            }
            read[digest] = projection
        }
        return Piece(name: entry.name, parts: entry.parts, files: entry.files, projection: projection)
    }
}
