// Uncompressed bytes → the digest and the frames of a stored blob, in one pass.

import CZstd

/// How hard a blob is compressed: a matter of time and space alone, since blobs are named by what they unpack to.
package enum Compression: Sendable {
    /// Level 3 makes shards 6% and texts 4% smaller, for half as much time again.
    case balanced
    /// For what is large and made fast: training rows take 0.6 of the time and 7% more space.
    case fast

    fileprivate var parameters: [(ZSTD_cParameter, Int32)] {
        switch self {
        case .balanced: [(ZSTD_c_compressionLevel, 2), (ZSTD_c_targetLength, 0)]
        // Level 1, looking for a match at every fourth byte only: token ids have few to find.
        case .fast: [(ZSTD_c_compressionLevel, 1), (ZSTD_c_targetLength, 4)]
        }
    }
}

/// Takes the bytes of one blob. Used by one thread at a time; made by `BlobStore.put`.
/// Memory: two buffers of about 4 MiB and zstd's own state, whatever the blob's size.
package final class BlobWriter {
    private let out: FileWriter
    private let hash = DigestBuilder()
    private let context: OpaquePointer
    private let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: SeekTable.frameLimit, alignment: 16)
    private var filled = 0
    private let compressed: UnsafeMutableRawBufferPointer
    private var table = SeekTable()

    init(_ out: FileWriter) {
        self.out = out
        guard let context = ZSTD_createCCtx() else { preconditionFailure("zstd is out of memory") }
        self.context = context
        compressed = .allocate(byteCount: ZSTD_compressBound(SeekTable.frameLimit), alignment: 16)
        set([(ZSTD_c_contentSizeFlag, 1), (ZSTD_c_checksumFlag, 1)])
        use(.balanced)
    }

    /// Compresses the frames that follow as said; balanced where nothing is said.
    package func use(_ compression: Compression) { set(compression.parameters) }

    private func set(_ parameters: [(ZSTD_cParameter, Int32)]) {
        for (parameter, value) in parameters {
            let code = ZSTD_CCtx_setParameter(context, parameter, value)
            precondition(ZSTD_isError(code) == 0, "zstd refuses a parameter")
        }
    }

    deinit {
        ZSTD_freeCCtx(context)
        frame.deallocate()
        compressed.deallocate()
    }

    package func write(_ raw: UnsafeRawBufferPointer) throws {
        var rest = raw[...]
        while !rest.isEmpty {
            if filled == 0, rest.count >= frame.count {
                // A whole frame is compressed from where it stands.
                try append(frame: UnsafeRawBufferPointer(rebasing: rest.prefix(frame.count)))
                rest = rest.dropFirst(frame.count)
            } else {
                let n = min(rest.count, frame.count - filled)
                UnsafeMutableRawBufferPointer(rebasing: frame[filled..<filled + n])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(n)))
                filled += n
                rest = rest.dropFirst(n)
                if filled == frame.count { try flush() }
            }
        }
    }
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    private func flush() throws {
        try append(frame: UnsafeRawBufferPointer(rebasing: frame[..<filled]))
        filled = 0
    }

    private func append(frame: UnsafeRawBufferPointer) throws {
        hash.update(frame)
        let n = ZSTD_compress2(context, compressed.baseAddress, compressed.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(n) == 0 else {
            throw ContainerError(.io, "cannot compress", path: out.temporaryPath, cause: zstdMessage(n))
        }
        try out.write(UnsafeRawBufferPointer(rebasing: compressed[..<n]))
        table.append(stored: n, content: frame.count)
    }

    /// Writes what is left and the seek table. An empty blob is one empty frame, so that every tool reads it.
    func finish() throws -> (digest: Digest, bytes: Int64) {
        if filled > 0 || table.count == 0 { try flush() }
        try out.write(table.encoded)
        return (hash.finish(), Int64(table.contentSize))
    }
}
