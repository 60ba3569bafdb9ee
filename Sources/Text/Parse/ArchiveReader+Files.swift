// ArchiveReader+Files: what is known of an input file beside the stream of its members.

internal import CArchive
import Glibc

extension ArchiveReader {
    static func checkedSize(_ path: String) throws -> Int64 {
        var info = stat()
        guard stat(path, &info) == 0 else {
            let reason = String(cString: strerror(errno))
            if errno == ENOENT || errno == ENOTDIR {
                throw TextError(.notFound, "no such file", file: path, fix: "check the path and `params.data`")
            }
            throw TextError(.io, "the file cannot be looked at", file: path, cause: reason)
        }
        switch info.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR:
            throw TextError(
                .notAFile, "this is a folder, a file is expected", file: path,
                fix: "name the files in it with a pattern, such as \(path)/*")
        default: throw TextError(.notAFile, "this is no regular file", file: path, fix: "copy its content to a file")
        }
        guard info.st_size > 0 else {
            throw TextError(
                .empty, "the file is empty", file: path, offset: 0, cause: "a download or copy may have failed",
                fix: "fetch it again, or leave it out of `files`")
        }
        return Int64(info.st_size)
    }

    static let filters: [(suffix: String, code: Int32, name: String)] = [
        (".gz", ARCHIVE_FILTER_GZIP, "gzip"), (".tgz", ARCHIVE_FILTER_GZIP, "gzip"),
        (".bz2", ARCHIVE_FILTER_BZIP2, "bzip2"), (".tbz2", ARCHIVE_FILTER_BZIP2, "bzip2"),
        (".xz", ARCHIVE_FILTER_XZ, "xz"), (".txz", ARCHIVE_FILTER_XZ, "xz"),
        (".zst", ARCHIVE_FILTER_ZSTD, "zstd"), (".tzst", ARCHIVE_FILTER_ZSTD, "zstd"),
    ]

    /// `dump.xml.bz2` → `dump.xml`.
    package static func withoutCompressionSuffix(_ name: String) -> String {
        let lower = name.lowercased()
        for filter in filters where lower.hasSuffix(filter.suffix) && name.utf8.count > filter.suffix.utf8.count {
            return String(name.dropLast(filter.suffix.count))
        }
        return name
    }

    /// Whether `PK\5\6`, the mark of the directory's end, stands where it must: before a comment of up to 65,535 bytes.
    static func hasZipDirectory(_ path: String, size: Int64) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let begin = max(0, size - 22 - 65_535)
        var tail = [UInt8](repeating: 0, count: Int(size - begin))
        var count = 0
        while count < tail.count {
            let step = tail.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + count, $0.count - count, off_t(begin) + off_t(count))
            }
            guard step > 0 else { return false }
            count += step
        }
        return tail.firstRange(of: [0x50, 0x4B, 5, 6]) != nil
    }
}
