// ArchiveReader: one input file as a stream of members, whatever it is packed in.
// Plain, .gz, .bz2, .xz, .zst (concatenated streams too), .tar in any of these, .zip. Nothing is ever written to disk.

internal import CArchive
import Glibc

/// Reads the members of a file one after another.
///
/// A plain or singly compressed file is one member, named after the file without its compression suffix. Folders, links
/// and devices in an archive are passed over. Member names are data: `/etc/passwd` and `../x` are only names here.
/// Memory: O(1), libarchive's buffers, and what `Bzip2Streams` says of its own. Not safe to share between threads.
package final class ArchiveReader {
    package struct Member: Sendable, Equatable {
        /// As stored; ill-formed UTF-8 replaced.
        package var name: String
        /// Position in the archive, from 0.
        package var index: Int
        /// Where the member begins in the unpacked archive; 0 for a file that is no archive.
        package var offset: UInt64
        /// The file is no archive: this is all of it.
        package var isWholeFile: Bool
    }

    package let path: String
    private var handle: OpaquePointer
    private let fileSize: Int64
    private let bombFloor: UInt64
    private let threads: Int
    /// Unpacks the one member of a .bz2 file of many streams.
    private var streams: Bzip2Streams?
    /// Where in the file `handle` began to read.
    private var base: UInt64 = 0
    /// What `handle` reads, unless it opened the file itself.
    private var descriptor: Int32 = -1
    private var index = 0
    private var unpacked: UInt64 = 0
    private var isFinished = false

    /// Text packs to a hundredth at best. A file that unpacks to more than this many times its size was made to fill
    /// memory or time, and is refused once more than `bombFloor` bytes came out of it.
    package static let mostUnpacked: UInt64 = 1000

    /// - Parameter threads: unpack a .bz2 file of many streams, where there are more than one.
    /// - Throws: `TextError` for a missing, empty or unreadable file, a folder, or a suffix that the content belies.
    package init(path: String, threads: Int = 1, bombFloor: UInt64 = 1 << 28) throws {
        self.path = path
        self.threads = threads
        self.bombFloor = bombFloor
        fileSize = try Self.checkedSize(path)
        handle = try Self.newHandle(path)
        guard archive_read_open_filename(handle, path, Self.blockSize) == ARCHIVE_OK else {
            throw failure("cannot be opened")
        }
        try checkSuffix()
    }

    private static let blockSize = 1 << 18

    private static func newHandle(_ path: String) throws -> OpaquePointer {
        guard let handle = archive_read_new() else {
            throw TextError(.io, "libarchive has no memory for a reader", file: path)
        }
        archive_read_support_filter_gzip(handle)
        archive_read_support_filter_bzip2(handle)
        archive_read_support_filter_xz(handle)
        archive_read_support_filter_zstd(handle)
        archive_read_support_format_tar(handle)
        archive_read_support_format_zip(handle)
        archive_read_support_format_raw(handle)
        archive_read_support_format_empty(handle)
        return handle
    }

    deinit {
        archive_read_free(handle)
        if descriptor >= 0 { close(descriptor) }
    }

    /// The next file member, or nil after the last.
    package func next() throws -> Member? {
        if isFinished { return nil }
        if let streams, streams.isAtEnd {
            isFinished = true
            return nil
        }
        streams = nil
        // libarchive converts names to the thread's locale; UTF-8 keeps them whole whatever the user's is.
        let locale = uselocale(Self.utf8Locale)
        defer { uselocale(locale) }
        var entry: OpaquePointer?
        while true {
            let before = archive_filter_bytes(handle, 0)
            let status = archive_read_next_header(handle, &entry)
            if status == ARCHIVE_EOF {
                isFinished = true
                try checkEnd(before: before)
                return nil
            }
            // A warning here says that a name does not fit the locale; names are taken as bytes below.
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else { throw failure("cannot be read") }
            if archive_format(handle) == ARCHIVE_FORMAT_RAW {
                let name = Self.withoutCompressionSuffix(String(path.split(separator: "/").last ?? "data"))
                if threads > 1, isBzip2 { streams = Bzip2Streams(path: path, threads: threads) }
                return Member(name: name, index: 0, offset: 0, isWholeFile: true)
            }
            if archive_entry_is_encrypted(entry) != 0 {
                throw TextError(
                    .unsupported, "a member of the archive is encrypted", file: path, offset: offset,
                    fix: "unpack it with its password and pack it again without one")
            }
            guard archive_entry_filetype(entry) == mode_t(Glibc.S_IFREG) else { continue }
            defer { index += 1 }
            let start = UInt64(max(0, archive_read_header_position(handle)))
            return Member(name: name(of: entry), index: index, offset: start, isWholeFile: false)
        }
    }

    /// Fills `buffer` from the current member. Returns 0 only at the member's end.
    /// - Throws: `TextError` for damage, and for a file that unpacks to more than `mostUnpacked` times its size.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !buffer.isEmpty else { return 0 }
        let count = try unpack(into: buffer)
        unpacked += UInt64(count)
        if unpacked > bombFloor, unpacked / Self.mostUnpacked >= UInt64(fileSize) { throw bomb() }
        return count
    }

    /// The file is bzip2, and not within another compression.
    private var isBzip2: Bool {
        archive_filter_code(handle, 0) == ARCHIVE_FILTER_BZIP2 && archive_filter_count(handle) == 2
    }

    private func unpack(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if let streams {
            switch streams.read(into: buffer) {
            case .bytes(let count): return count
            case .end: return 0
            case .plain(let start, let skip): try goOnWithoutThreads(from: start, skip: skip)
            }
        }
        let count = archive_read_data(handle, buffer.baseAddress!, buffer.count)
        guard count >= 0 else { throw failure("cannot be unpacked") }
        return count
    }

    /// Continues at the stream that begins at byte `start`, after the first `skip` bytes that it gives.
    private func goOnWithoutThreads(from start: UInt64, skip: UInt64) throws {
        streams = nil
        let old = handle
        handle = try Self.newHandle(path)
        archive_read_free(old)
        base = start
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var entry: OpaquePointer?
        guard descriptor >= 0, lseek(descriptor, off_t(start), SEEK_SET) == off_t(start),
            archive_read_open_fd(handle, descriptor, Self.blockSize) == ARCHIVE_OK,
            archive_read_next_header(handle, &entry) == ARCHIVE_OK
        else { throw failure("cannot be read") }
        var left = skip
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 1)
        defer { scratch.deallocate() }
        while left > 0 {
            let count = archive_read_data(handle, scratch.baseAddress!, min(scratch.count, Int(left)))
            guard count > 0 else { throw failure("cannot be unpacked") }
            left -= UInt64(count)
        }
    }

    private func bomb() -> TextError {
        TextError(
            .unsupported, "the file unpacks to more than \(Self.mostUnpacked) times its size", file: path,
            offset: offset,
            cause: "its \(fileSize) bytes gave \(unpacked) so far; no text packs so well",
            fix: "if it is no mistake, unpack it yourself and name the unpacked file")
    }

    /// The rest of the current member.
    /// - Throws: `TextError.unsupported` past `limit` bytes: a guard against archives that unpack to far more than their size.
    package func readAll(into out: inout [UInt8], limit: Int = 1 << 28) throws {
        out.removeAll(keepingCapacity: true)
        let step = 1 << 16
        while true {
            let old = out.count
            guard old <= limit else {
                throw TextError(
                    .unsupported, "a document unpacks to more than \(limit) bytes", file: path, offset: offset,
                    cause: "a whole document is held in memory", fix: "split it, or leave it out")
            }
            out.append(contentsOf: repeatElement(0, count: step))
            let count = try out.withUnsafeMutableBytes {
                try read(into: UnsafeMutableRawBufferPointer(rebasing: $0[old...]))
            }
            out.removeLast(step - count)
            if count == 0 { return }
        }
    }

    /// Bytes of the stored file read so far.
    package var offset: UInt64 { streams?.offset ?? base + UInt64(max(0, archive_filter_bytes(handle, -1))) }

    // MARK: checks

    /// Read-only after creation; nil where the system has no such locale, then names outside ASCII may be numbers.
    private nonisolated(unsafe) static let utf8Locale = newlocale(Int32(LC_CTYPE_MASK), "C.UTF-8", nil)

    private func checkSuffix() throws {
        let lower = path.lowercased()
        for filter in Self.filters where lower.hasSuffix(filter.suffix) {
            guard archive_filter_code(handle, 0) == filter.code else {
                throw TextError(
                    .damaged, "the name says \(filter.name), the content does not", file: path, offset: 0,
                    cause: "the file does not begin with the \(filter.name) signature",
                    fix: "fetch it again, or rename it if it is not compressed")
            }
        }
    }

    /// At the end everything stored must have been used: bytes left over are a damaged second stream, and a tar
    /// without its end mark was cut between two members.
    private func checkEnd(before: Int64) throws {
        let used = Int64(base) + archive_filter_bytes(handle, -1)
        let format = archive_format(handle) & ARCHIVE_FORMAT_BASE_MASK
        let isCompressed = archive_filter_code(handle, 0) != ARCHIVE_FILTER_NONE
        if isCompressed, format == ARCHIVE_FORMAT_RAW || format == ARCHIVE_FORMAT_EMPTY, used < fileSize {
            throw TextError(
                .damaged, "\(fileSize - used) bytes after the end of the compressed stream cannot be unpacked",
                file: path, offset: UInt64(used), cause: "they begin no further stream of the same kind",
                fix: "fetch the file again")
        }
        if format == ARCHIVE_FORMAT_TAR {
            let padded = (before + 511) / 512 * 512
            if archive_filter_bytes(handle, 0) < padded + 512 {
                throw TextError(
                    .truncated, "the tar archive has no end mark", file: path, offset: UInt64(max(0, used)),
                    cause: "it was cut off between two members", fix: "fetch or pack it again")
            }
        }
        if format == ARCHIVE_FORMAT_ZIP, !Self.hasZipDirectory(path, size: fileSize) {
            throw TextError(
                .truncated, "the zip archive has no directory at its end", file: path, offset: UInt64(fileSize),
                cause: "it was cut off behind its first members", fix: "fetch or pack it again")
        }
        if format == ARCHIVE_FORMAT_EMPTY {
            throw TextError(.empty, "the file unpacks to nothing", file: path, offset: 0, fix: "fetch it again")
        }
    }

    private func failure(_ what: String) -> TextError {
        let cause = archive_error_string(handle).map { String(cString: $0) }
        let text = cause?.lowercased() ?? ""
        // The last is what liblzma says when it wants more bytes than there are.
        let cut = ["truncated", "unexpected end", "premature", "no progress is possible"]
        let isCut = cut.contains { text.contains($0) }
        return TextError(
            isCut ? .truncated : .damaged, isCut ? "the file is cut off" : "the file \(what)", file: path,
            offset: isCut ? UInt64(fileSize) : offset, cause: cause,
            fix: "fetch the file again and compare its size or checksum with the source's"
        )
    }

    // MARK: names

    private func name(of entry: OpaquePointer) -> String {
        if let utf8 = archive_entry_pathname_utf8(entry) { return String(cString: utf8) }
        return archive_entry_pathname(entry).map { String(cString: $0) } ?? "member \(index)"
    }
}
