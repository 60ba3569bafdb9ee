// Random access to the uncompressed bytes of a stored blob: only the frames that a request touches are decoded.

import CZstd
import Synchronization

/// The uncompressed bytes of one stored blob. Keeps the file open, so the blob stays readable when it is removed from
/// the store meanwhile, and keeps the last frame that was only partly asked for.
///
/// Unchecked Sendable: `file` and `table` never change after `init` and positioned reads may overlap; the decoder is
/// behind a lock, so calls from several threads wait for each other.
package final class FrameReader: @unchecked Sendable {
    /// Uncompressed size.
    package let count: Int
    package let digest: Digest
    package let path: String
    private let file: FileDescriptor
    private let table: SeekTable
    private let decoder: Mutex<FrameDecoder>

    /// - Throws: `.notFound`, `.damaged`.
    init(path: String, digest: Digest) throws {
        let file = try FileDescriptor(reading: path)
        let size = try file.size()
        guard size > 0 else { throw ContainerError.damagedFrame(0, path, "the file is empty") }
        table = try SeekTable.read(file, size: size) ?? SeekTable.walk(file, size: size)
        count = table.contentSize
        self.path = path
        self.digest = digest
        self.file = file
        decoder = Mutex(FrameDecoder())
    }

    /// The bytes of a range.
    /// - Throws: `.damaged` naming file and frame; `.invalidArgument` if the range leaves the blob.
    package func read(_ range: Range<Int>) throws -> [UInt8] {
        // Checked before memory is asked for.
        try check(range.lowerBound, range.count)
        return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, n in
            try read(
                into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count),
                at: range.lowerBound)
            n = range.count
        }
    }

    /// Fills `buffer` with the bytes from `offset` on. Frames that lie wholly in the buffer are decoded right there.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        try check(offset, buffer.count)
        guard !buffer.isEmpty else { return }
        let end = offset + buffer.count
        try decoder.withLock { decoder in
            var position = offset
            while position < end {
                let index = table.frame(holding: position)
                let frame = table.content[index]..<table.content[index + 1]
                let part = position..<min(end, frame.upperBound)
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[part.lowerBound - offset..<part.upperBound - offset])
                if part == frame, decoder.cached != index {
                    try decoder.decode(index, table, file, into: target)
                } else {
                    try decoder.copy(index, table, file, from: part.lowerBound - frame.lowerBound, into: target)
                }
                position = part.upperBound
            }
        }
    }

    /// Hands all bytes to `body`, a frame at a time, in order. Memory: one frame.
    package func forEachFrame(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: SeekTable.frameLimit, alignment: 16)
        defer { buffer.deallocate() }
        for index in 0..<table.count {
            let target = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<(table.content[index + 1] - table.content[index])])
            try decoder.withLock { decoder in try decoder.decode(index, table, file, into: target) }
            try body(UnsafeRawBufferPointer(target))
        }
    }

    /// Decodes everything, which checks every frame's checksum, and compares the digest.
    package func verify() throws {
        let hash = DigestBuilder()
        try forEachFrame { hash.update($0) }
        try compare(hash.finish())
    }

    /// - Throws: `.damaged` if `found`, the digest of all bytes, is not the one the blob is stored under.
    func compare(_ found: Digest) throws {
        guard found == digest else {
            throw ContainerError(
                .damaged,
                "stored data is not what its name says, though every frame is sound (frames 0 to \(table.count - 1))",
                path: path, cause: "its digest is \(found), expected \(digest)", fix: ContainerError.damageFix)
        }
    }

    private func check(_ offset: Int, _ size: Int) throws {
        guard offset >= 0, offset <= count, size <= count - offset else {
            throw ContainerError(
                .invalidArgument, "\(size) bytes from byte \(offset) on were asked for, there are \(count)", path: path)
        }
    }
}

/// zstd's decoder with its buffers: compressed bytes, and the last frame kept.
///
/// Unchecked Sendable: the one owner of its context, and mutated only by whoever holds it exclusively.
private struct FrameDecoder: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer
    private var compressed: [UInt8] = []
    private var keep: [UInt8] = []
    private(set) var cached = -1

    init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("zstd is out of memory") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Fills `target` from the content of frame `index`, beginning at its byte `start`; the frame is kept.
    mutating func copy(
        _ index: Int, _ table: SeekTable, _ file: borrowing FileDescriptor, from start: Int,
        into target: UnsafeMutableRawBufferPointer
    ) throws {
        if cached != index {
            cached = -1
            let size = table.content[index + 1] - table.content[index]
            if keep.count < size { keep = [UInt8](repeating: 0, count: size) }
            // The array leaves `self` for the call, so that decoding may use the rest of `self`.
            var bytes: [UInt8] = []
            swap(&bytes, &keep)
            defer { swap(&bytes, &keep) }
            try bytes.withUnsafeMutableBytes {
                try decode(index, table, file, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<size]))
            }
            cached = index
        }
        keep.withUnsafeBytes {
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + target.count]))
        }
    }

    /// Decodes frame `index` into `target`, which has its size.
    mutating func decode(
        _ index: Int, _ table: SeekTable, _ file: borrowing FileDescriptor, into target: UnsafeMutableRawBufferPointer
    ) throws {
        let path = file.path
        let stored = table.stored[index]..<table.stored[index + 1]
        // A sound frame is never larger; a table that says so is not to be believed.
        guard stored.count <= ZSTD_compressBound(SeekTable.frameLimit) else {
            throw ContainerError.damagedFrame(
                index, path, "the seek table gives it \(stored.count) bytes, more than a frame can have")
        }
        if compressed.count < stored.count { compressed = [UInt8](repeating: 0, count: stored.count) }
        let context = context
        try compressed.withUnsafeMutableBytes { raw in
            let source = UnsafeMutableRawBufferPointer(rebasing: raw[..<stored.count])
            guard try file.read(into: source, at: stored.lowerBound) == stored.count else {
                throw ContainerError.damagedFrame(index, path, "the file is cut off")
            }
            let claimed = try SeekTable.contentSize(UnsafeRawBufferPointer(source), index, path)
            guard claimed == target.count else {
                throw ContainerError.damagedFrame(
                    index, path, "the frame holds \(claimed) bytes, the seek table says \(target.count)")
            }
            let n = ZSTD_decompressDCtx(context, target.baseAddress, target.count, source.baseAddress, source.count)
            guard ZSTD_isError(n) == 0 else { throw ContainerError.damagedFrame(index, path, zstdMessage(n)) }
            guard n == target.count else {
                throw ContainerError.damagedFrame(index, path, "the frame gave \(n) of \(target.count) bytes")
            }
        }
    }
}
