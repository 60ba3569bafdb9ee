// One open file of the operating system, closed with its owner; reads that retry and never return short by accident.

import Glibc

/// An open file. `read(into:)` moves a position and belongs to one thread; `read(into:at:)` may be called by many.
struct FileDescriptor: ~Copyable {
    let number: Int32
    let path: String

    init(reading path: String) throws(ContainerError) {
        number = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        if number < 0 { throw .system("open the file", path) }
    }

    deinit { close(number) }

    /// The size of a regular file; 0 for pipes and devices.
    func size() throws(ContainerError) -> Int {
        var info = stat()
        guard fstat(number, &info) == 0 else { throw .system("look at the file", path) }
        guard info.st_mode & S_IFMT != S_IFDIR else { throw .system("read the file", path, errno: EISDIR) }
        return info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : 0
    }

    /// Bytes from the current position; 0 only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ContainerError) -> Int {
        while true {
            let n = Glibc.read(number, buffer.baseAddress, buffer.count)
            if n >= 0 { return n }
            if errno != EINTR { throw .system("read the file", path) }
        }
    }

    /// Fills the buffer from `offset` on, as far as the file goes. Returns the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ContainerError) -> Int {
        var done = 0
        while done < buffer.count {
            let n = pread(number, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if n == 0 { break }
            if n > 0 {
                done += n
            } else if errno != EINTR {
                throw .system("read the file", path)
            }
        }
        return done
    }
}
