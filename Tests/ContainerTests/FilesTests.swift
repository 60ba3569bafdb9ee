import Container
import Glibc
import Testing

@Suite struct FilesTests {
    let folder = TemporaryFolder()

    private func mode(_ path: String) -> UInt32 {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode & 0o777 : 0
    }

    @Test func `what is published is read back and its folders are made`() throws {
        for size in [0, 1, 100_000, 300_000, 1_000_000] {
            let bytes = noise(size)
            let path = folder / "a/b/file"
            try Files.publish(bytes, at: path)
            #expect(try Files.read(path) == bytes)
            #expect(try Files.size(path) == size)
        }
        #expect(try Files.list(folder / "a/b") == ["file"])
        #expect(Files.isDirectory(folder / "a") && !Files.isDirectory(folder / "a/b/file"))
    }

    @Test func `streamed pieces of every size arrive in order`() throws {
        var expected: [UInt8] = []
        try Files.publish(at: folder / "file", readOnly: true) { writer in
            for (i, size) in [0, 1, 262_143, 1, 1, 262_144, 5, 600_000, 7].enumerated() {
                let piece = noise(size, seed: UInt64(i))
                try writer.write(piece)
                expected += piece
                #expect(writer.offset == Int64(expected.count))
            }
        }
        #expect(try Files.read(folder / "file") == expected)
        #expect(mode(folder / "file") == 0o444)
    }

    @Test func `a writer that throws leaves the old file and nothing else`() throws {
        struct Stop: Error {}
        try Files.publish([1], at: folder / "file")
        #expect(throws: Stop.self) {
            try Files.publish(at: folder / "file") { writer in
                try writer.write(noise(300_000))
                throw Stop()
            }
        }
        #expect(try Files.list(folder.path) == ["file"])
        #expect(try Files.read(folder / "file") == [1])
    }

    @Test func `a target that cannot be replaced leaves nothing behind`() throws {
        try Files.makeDirectories(folder / "taken/inside")
        #expect(failure { try Files.publish([1], at: folder / "taken") }?.code == .io)
        #expect(try Files.list(folder.path) == ["taken"])
    }

    @Test func `removing takes folders whole, spares what links point to and forgives what is missing`() throws {
        try Files.publish([1], at: folder / "tree/deep/file", readOnly: true)
        try Files.publish([2], at: folder / "kept/file")
        #expect(symlink(folder / "kept", folder / "tree/link") == 0)
        try Files.remove(folder / "tree")
        try Files.remove(folder / "tree")
        try Files.remove(folder / "kept/file/none")
        #expect(try Files.list(folder.path) == ["kept"])
        #expect(try Files.list(folder / "kept") == ["file"])
    }

    @Test func `names are listed in the order of their bytes`() throws {
        for name in ["b", "a", "B", "é", "z", "10", "9", ".hidden"] { try Files.publish([], at: folder / name) }
        #expect(try Files.list(folder.path) == [".hidden", "10", "9", "B", "a", "b", "z", "é"])
    }

    @Test func `errors say what where why and what to do`() throws {
        #expect(
            failure { _ = try Files.read(folder / "none") }?.description == """
                \(folder.path)/none: error: cannot open the file: no such file or folder
                  why: No such file or directory
                  fix: check the path
                """)
        #expect(failure { _ = try Files.read(folder.path) }?.message.contains("this is a folder") == true)
        #expect(failure { _ = try Files.list(folder / "none") }?.code == .notFound)
        try Files.publish([], at: folder / "file")
        #expect(failure { try Files.makeDirectories(folder / "file/sub") }?.path?.hasPrefix(folder.path) == true)
    }

    @Test func `a full disk is told apart from other failures`() {
        for code in [ENOSPC, EDQUOT] {
            let error = ContainerError.system("write the file", "store/blobs/.tmp-1", errno: code)
            #expect(error.code == .noSpace && error.path == "store/blobs/.tmp-1" && error.fix != nil)
        }
        #expect(ContainerError.system("write the file", "f", errno: EIO).code == .io)
        let limited = ContainerError.system("write the file", "f", errno: EFBIG)
        #expect(limited.code == .io && limited.fix?.contains("ulimit -f") == true)
    }

    @Test func `a map shows the file and outlives its name`() throws {
        let bytes = noise(10_000)
        try Files.publish(bytes, at: folder / "file")
        try Files.publish([], at: folder / "empty")
        let map = try MappedFile(path: folder / "file")
        try Files.remove(folder / "file")
        #expect(map.count == 10_000 && map.withBytes { $0.elementsEqual(bytes) })
        #expect(try MappedFile(path: folder / "empty").bytes.isEmpty)
        #expect(failure { _ = try MappedFile(path: folder.path) }?.message.contains("folder") == true)
    }
}
