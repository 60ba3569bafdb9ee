// A look at a stored blob without reading it: does the file end with a seek table that accounts for every byte?
// Catches truncation and files left empty by a power loss; damage inside frames is found by their checksums.

import Glibc

enum BlobCheck {
    /// - Parameter bytes: the uncompressed size that the part's record claims.
    static func look(_ path: String, bytes: Int64) -> Found<Void> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == ENOENT ? .missing : .damaged("\(path) cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .damaged("\(path) cannot be examined") }
        let size = Int(status.st_size)
        // Seek table: header 8, entries, footer (frame count 4, descriptor 1, magic 4).
        guard let footer = tail(descriptor, size, 9), word(footer, 5) == 0x8F92_EAB1 else {
            return .damaged("\(path) is cut off: its seek table is missing")
        }
        let frames = Int(word(footer, 0))
        let entry = footer[4] & 0x80 == 0 ? 8 : 12
        let tableBytes = 8 + frames * entry + 9
        guard let table = tail(descriptor, size, tableBytes) else {
            return .damaged("\(path) is shorter than its seek table")
        }
        var compressed = 0, uncompressed = 0
        for frame in 0..<frames {
            compressed += Int(word(table, 8 + frame * entry))
            uncompressed += Int(word(table, 8 + frame * entry + 4))
        }
        guard compressed + tableBytes == size, Int64(uncompressed) == bytes else {
            return .damaged("\(path) holds \(uncompressed) bytes in a file of \(size), \(bytes) were recorded")
        }
        return .value(())
    }

    private static func tail(_ descriptor: Int32, _ size: Int, _ count: Int) -> [UInt8]? {
        guard count <= size else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &bytes, count, off_t(size - count))
        return got == count ? bytes : nil
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    }
}
