// Blobs by digest: the protocol that stages and the store meet at, and its form as a folder.

/// Immutable byte strings, found by the SHA-256 of their (uncompressed) bytes. All calls may come from any thread and
/// from several processes at once.
package protocol BlobStore: AnyObject, Sendable {
    /// Stores what `write` writes, compressing and hashing on the way. A blob that is there already and sound stays
    /// as it is; a damaged one is replaced. Nothing is left behind if `write` throws.
    func put(_ write: (BlobWriter) throws -> Void) throws -> (digest: Digest, bytes: Int64)
    /// Whether the blob's file is there; says nothing about its soundness.
    func contains(_ digest: Digest) -> Bool
    /// Random access to the uncompressed bytes.
    func reader(_ digest: Digest) throws -> FrameReader
    /// An uncompressed copy, mapped; made on first demand, checked against the digest while it is made, and trusted
    /// afterwards if its size is right. The copy may be removed at any time: maps that exist stay valid.
    func expanded(_ digest: Digest) throws -> MappedFile
    /// Where the blob is or would be stored.
    func storedPath(_ digest: Digest) -> String
}

/// Blobs in a folder: `<root>/blobs/<first two digits>/<digest>.zst`, read-only, and `<root>/expanded/<digest>`.
/// The layout of a blob's file is at `SeekTable`. Folders are made when first needed.
package final class BlobDirectory: BlobStore {
    package let root: String

    package init(root: String) { self.root = root }

    package func storedPath(_ digest: Digest) -> String {
        let hex = digest.hex
        return "\(root)/blobs/\(hex.prefix(2))/\(hex).zst"
    }

    package func expandedPath(_ digest: Digest) -> String { "\(root)/expanded/\(digest.hex)" }

    package func contains(_ digest: Digest) -> Bool { Files.exists(storedPath(digest)) }

    package func reader(_ digest: Digest) throws -> FrameReader {
        try FrameReader(path: storedPath(digest), digest: digest)
    }

    package func put(_ write: (BlobWriter) throws -> Void) throws -> (digest: Digest, bytes: Int64) {
        let folder = root + "/blobs"
        try Files.makeDirectories(folder)
        let file = try FileWriter(temporaryIn: folder)
        do {
            let writer = BlobWriter(file)
            try write(writer)
            let result = try writer.finish()
            if isSound(result.digest) {
                file.discard()
            } else {
                let path = storedPath(result.digest)
                try Files.makeDirectories(Files.directory(of: path))
                try file.publish(at: path, readOnly: true)
            }
            return result
        } catch {
            file.discard()
            throw error
        }
    }

    /// Whether the blob is stored and every byte of it is right. Decoding costs a fraction of the compressing that
    /// has just been done, and a damaged blob must not survive its own recomputation.
    private func isSound(_ digest: Digest) -> Bool {
        guard contains(digest) else { return false }
        return (try? reader(digest).verify()) != nil
    }

    package func expanded(_ digest: Digest) throws -> MappedFile {
        let path = expandedPath(digest)
        let reader = try reader(digest)
        if let mapped = try? MappedFile(path: path), mapped.count == reader.count { return mapped }
        try Files.publish(at: path, readOnly: true) { file in
            let hash = DigestBuilder()
            try reader.forEachFrame { bytes in
                hash.update(bytes)
                try file.write(bytes)
            }
            try reader.compare(hash.finish())
        }
        return try MappedFile(path: path)
    }
}
