// Files through POSIX calls: whole reads, folders, and publishing, by which a file appears complete or not at all.

import Glibc

package enum Files {
    /// Files being written are named so, followed by a unique ending, in the folder of the final file. What a killed
    /// process leaves under such a name is garbage that anyone may remove once no writer can be alive.
    package static let temporaryPrefix = ".tmp-"

    /// The whole file.
    package static func read(_ path: String) throws -> [UInt8] {
        let file = try FileDescriptor(reading: path)
        let expected = try file.size()
        var bytes = try [UInt8](unsafeUninitializedCapacity: expected) { buffer, count in
            while count < expected {
                let n = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                if n == 0 { break }
                count += n
            }
        }
        // Pipes have no size, and a file may have grown since it was asked for its size.
        let more = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { more.deallocate() }
        while true {
            let n = try file.read(into: more)
            if n == 0 { return bytes }
            bytes.append(contentsOf: more[..<n])
        }
    }

    /// Whether a file or folder is there (links are followed).
    package static func exists(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0
    }

    package static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    package static func size(_ path: String) throws -> Int64 {
        var info = stat()
        guard stat(path, &info) == 0 else { throw ContainerError.system("look at the file", path) }
        return Int64(info.st_size)
    }

    /// Makes a folder and those above it; folders that are there are fine. New entries are synced to disk.
    package static func makeDirectories(_ path: String) throws {
        if isDirectory(path) { return }
        let parent = directory(of: path)
        if parent != path { try makeDirectories(parent) }
        if mkdir(path, 0o777) == 0 {
            try syncDirectory(parent)
        } else {
            let code = errno
            // Another process may have been first.
            if code == EEXIST, isDirectory(path) { return }
            throw ContainerError.system("make the folder", path, errno: code)
        }
    }

    /// Names in a folder, sorted by their bytes, without `.` and `..`.
    package static func list(_ dir: String) throws -> [String] {
        guard let stream = opendir(dir) else { throw ContainerError.system("list the folder", dir) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw ContainerError.system("list the folder", dir) }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes a file, or a folder with all it holds; links are removed, not followed. Missing is fine.
    package static func remove(_ path: String) throws {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw ContainerError.system("look at the file", path)
        }
        if info.st_mode & S_IFMT == S_IFDIR {
            do {
                for name in try list(path) { try remove(path + "/" + name) }
            } catch let error as ContainerError where error.code == .notFound {
                return
            }
            if rmdir(path) != 0, errno != ENOENT { throw ContainerError.system("remove the folder", path) }
        } else if unlink(path) != 0, errno != ENOENT {
            throw ContainerError.system("remove the file", path)
        }
    }

    /// Puts `bytes` at `path`: unique temporary name in the same folder → write → fsync → rename → fsync of the
    /// folder. Readers see the old file or the whole new one. Missing folders are made.
    package static func publish(_ bytes: [UInt8], at path: String, readOnly: Bool = false) throws {
        try publish(at: path, readOnly: readOnly) { try $0.write(bytes) }
    }

    /// The same with bytes that come in pieces. Nothing is left behind if `write` throws.
    package static func publish(at path: String, readOnly: Bool = false, _ write: (FileWriter) throws -> Void) throws {
        let folder = directory(of: path)
        if !isDirectory(folder) { try makeDirectories(folder) }
        let writer = try FileWriter(temporaryIn: folder)
        do {
            try write(writer)
            try writer.publish(at: path, readOnly: readOnly)
        } catch {
            writer.discard()
            throw error
        }
    }

    /// Everything before the last component: `/` and `.` at the ends of the line.
    static func directory(of path: String) -> String {
        var parts = path.utf8[...]
        while parts.count > 1, parts.last == UInt8(ascii: "/") { parts.removeLast() }
        guard let slash = parts.lastIndex(of: UInt8(ascii: "/")) else { return path == "/" ? "/" : "." }
        let head = parts[..<slash]
        return head.isEmpty ? "/" : String(Substring(head))
    }

    static func syncDirectory(_ path: String) throws(ContainerError) {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .system("open the folder", path) }
        defer { close(number) }
        // Some network file systems cannot sync a folder and say EINVAL: then the rename is as durable as they make it.
        if fsync(number) != 0, errno != EINVAL { throw .system("sync the folder", path) }
    }
}
