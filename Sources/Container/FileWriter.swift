// A file under a temporary name that is renamed into its place when complete, or removed.

import Glibc

/// Bytes on their way into a file that is not yet visible. Used by one thread at a time; made by `Files.publish`.
package final class FileWriter {
    private static let bufferSize = 256 << 10

    /// Bytes given so far.
    package private(set) var offset: Int64 = 0
    let temporaryPath: String
    private var number: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 16)
    private var buffered = 0

    init(temporaryIn folder: String) throws(ContainerError) {
        var generator = SystemRandomNumberGenerator()
        var path = ""
        var number: Int32 = -1
        repeat {
            path = folder + "/" + Files.temporaryPrefix + String(generator.next() as UInt64, radix: 16)
            number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        } while number < 0 && (errno == EEXIST || errno == EINTR)
        temporaryPath = path
        self.number = number
        if number < 0 { throw .system("make a file", path) }
    }

    deinit {
        discard()
        buffer.deallocate()
    }

    package func write(_ raw: UnsafeRawBufferPointer) throws {
        guard !raw.isEmpty else { return }
        precondition(number >= 0, "written after the end")
        if buffered + raw.count > buffer.count { try flush() }
        if raw.count >= buffer.count {
            try writeAll(raw)
        } else {
            UnsafeMutableRawBufferPointer(rebasing: buffer[buffered...]).copyMemory(from: raw)
            buffered += raw.count
        }
        offset += Int64(raw.count)
    }
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    private func flush() throws(ContainerError) {
        try writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<buffered]))
        buffered = 0
    }

    private func writeAll(_ raw: UnsafeRawBufferPointer) throws(ContainerError) {
        var done = 0
        while done < raw.count {
            let n = Glibc.write(number, raw.baseAddress! + done, raw.count - done)
            if n >= 0 {
                done += n
            } else if errno != EINTR {
                throw .system("write the file", temporaryPath)
            }
        }
    }

    /// Writes out, syncs, renames and syncs the folder. After a throw the caller discards.
    func publish(at path: String, readOnly: Bool) throws(ContainerError) {
        try flush()
        if readOnly, fchmod(number, 0o444) != 0 { throw .system("make the file read-only", temporaryPath) }
        // A failed fsync may have dropped the bytes, so it is never tried again.
        if fsync(number) != 0 { throw .system("sync the file", temporaryPath) }
        let closed = close(number)
        number = -1
        if closed != 0, errno != EINTR { throw .system("close the file", temporaryPath) }
        if rename(temporaryPath, path) != 0 {
            let error = ContainerError.system("rename the finished file", path)
            unlink(temporaryPath)
            throw error
        }
        try Files.syncDirectory(Files.directory(of: path))
    }

    /// Closes and removes an unpublished file; does nothing after `publish` or a second time.
    func discard() {
        guard number >= 0 else { return }
        close(number)
        number = -1
        unlink(temporaryPath)
    }
}
