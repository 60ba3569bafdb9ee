import Container
import Glibc
import Testing

@Suite struct BlobTests {
    let folder = TemporaryFolder()
    let blobs: BlobDirectory
    static let frame = 4 << 20

    init() { blobs = BlobDirectory(root: folder / "store") }

    private func put(_ bytes: [UInt8]) throws -> Digest { try blobs.put { try $0.write(bytes) }.digest }

    /// Everything under the store that is not a finished blob.
    private func leftovers() throws -> [String] {
        try Files.list(blobs.root + "/blobs").filter { $0.hasPrefix(Files.temporaryPrefix) }
    }

    @Test(arguments: [0, 1, 1000, frame - 1, frame, frame + 1, 2 * frame + 12345])
    func `a blob of any size comes back whole and in part`(size: Int) throws {
        let bytes = noise(size)
        let (digest, count) = try blobs.put { writer in
            // Pieces that straddle the frames in every way.
            var rest = bytes[...]
            for piece in [0, 1, 4095, Self.frame + 7] + [Int.max] {
                try writer.write(Array(rest.prefix(piece)))
                rest = rest.dropFirst(piece)
            }
        }
        #expect(digest == Digest.of(bytes) && count == size && blobs.contains(digest))
        let reader = try blobs.reader(digest)
        #expect(reader.count == size)
        #expect(try reader.read(0..<size) == bytes)
        var generator = SplitMix64(seed: 7)
        let edges = [0, 1, Self.frame - 1, Self.frame, Self.frame + 1, 2 * Self.frame, size].filter { $0 <= size }
        for _ in 0..<40 {
            let a = edges.randomElement(using: &generator)!, b = Int.random(in: 0...size, using: &generator)
            let range = min(a, b)..<min(max(a, b), min(a, b) + 100_000)
            #expect(try reader.read(range).elementsEqual(bytes[range]), "\(range)")
        }
        try reader.verify()
        #expect(try leftovers().isEmpty)
    }

    @Test func `a range outside the blob is refused before memory is asked for`() throws {
        let reader = try blobs.reader(put(noise(100)))
        #expect(failure { _ = try reader.read(50..<101) }?.code == .invalidArgument)
        #expect(failure { _ = try reader.read(-1..<4) }?.code == .invalidArgument)
        #expect(failure { _ = try reader.read(0..<Int.max) }?.code == .invalidArgument)
    }

    @Test func `the same bytes are stored once and stay as they are`() throws {
        let digest = try put(noise(5000))
        var before = stat(), after = stat()
        #expect(stat(blobs.storedPath(digest), &before) == 0)
        #expect(try put(noise(5000)) == digest)
        #expect(stat(blobs.storedPath(digest), &after) == 0)
        #expect(before.st_ino == after.st_ino && after.st_mode & 0o777 == 0o444)
        #expect(try leftovers().isEmpty)
    }

    @Test func `storing a damaged blob again heals it`() throws {
        let digest = try put(noise(5000))
        try blobs.tamper(digest) { $0[1000] ^= 1 }
        #expect(throws: ContainerError.self) { try blobs.reader(digest).verify() }
        #expect(try put(noise(5000)) == digest)
        try blobs.reader(digest).verify()
    }

    @Test func `a writer that throws leaves nothing behind`() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try blobs.put { writer in
                try writer.write(noise(Self.frame + 1))
                throw Stop()
            }
        }
        #expect(try Files.list(blobs.root + "/blobs").isEmpty)
    }

    @Test func `a blob that is not there is not found`() {
        #expect(failure { _ = try blobs.reader(Digest.of("nothing")) }?.code == .notFound)
        #expect(failure { _ = try blobs.expanded(Digest.of("nothing")) }?.code == .notFound)
    }

    @Test func `a blob without its seek table is read by walking over the frames`() throws {
        let bytes = noise(Self.frame + 1000)
        let digest = try put(bytes)
        try blobs.tamper(digest) { $0.removeLast(8 + 2 * 8 + 9) }
        #expect(
            try blobs.reader(digest).read(Self.frame - 5..<Self.frame + 5).elementsEqual(
                bytes[Self.frame - 5..<Self.frame + 5]))
        try blobs.reader(digest).verify()
    }

    @Test func `frames written by another program are read`() throws {
        let tensors = try golden("tensors.safetensors")
        let content =
            (0..<3).flatMap { _ in 0...255 as ClosedRange<UInt8> }
            + (0..<5000).flatMap { _ in Array("link".utf8) } + tensors
        let digest = Digest.of(content)
        try Files.publish(golden("frames.zst"), at: blobs.storedPath(digest))
        let reader = try blobs.reader(digest)
        #expect(try reader.read(0..<reader.count) == content)
        #expect(try reader.read(20_767..<20_777).elementsEqual(content[20_767..<20_777]))
        try reader.verify()
    }

    @Test func `every flipped bit of a stored blob is noticed or harmless`() throws {
        let bytes = Array(String(repeating: "linked documents ", count: 40).utf8) + noise(60)
        let digest = try put(bytes)
        let stored = try Files.read(blobs.storedPath(digest))
        for i in stored.indices {
            for bit in 0..<8 as Range<UInt8> {
                try blobs.tamper(digest) {
                    $0 = stored; $0[i] ^= 1 << bit
                }
                do {
                    let reader = try blobs.reader(digest)
                    try reader.verify()
                    #expect(try reader.read(0..<reader.count) == bytes, "byte \(i), bit \(bit)")
                } catch let error as ContainerError {
                    #expect(error.code == .damaged && error.path == blobs.storedPath(digest) && error.fix != nil)
                    #expect(error.message.contains("frame"), "byte \(i), bit \(bit): \(error)")
                }
            }
        }
    }

    @Test func `a blob cut off anywhere is damaged`() throws {
        let digest = try put(noise(3000))
        let stored = try Files.read(blobs.storedPath(digest))
        // All but the cuts inside or right before the seek table, which is 25 bytes and can be done without.
        for length in stride(from: 0, to: stored.count - 25, by: 97) {
            try blobs.tamper(digest) { $0 = Array(stored.prefix(length)) }
            #expect(failure { try blobs.reader(digest).verify() }?.code == .damaged, "\(length) bytes")
        }
    }

    @Test func `damage names the file and the frame`() throws {
        let digest = try put(noise(2 * Self.frame + 10))
        try blobs.tamper(digest) { $0[Self.frame + 5000] ^= 0x10 }
        let reader = try blobs.reader(digest)
        #expect(try reader.read(0..<10) == noise(10))
        let error = failure { _ = try reader.read(Self.frame..<Self.frame + 10) }
        #expect(error?.code == .damaged && error?.message == "stored data is damaged in frame 1")
        #expect(error?.path == blobs.storedPath(digest) && error?.fix != nil)
        // The frame that failed is not taken for a kept one, nor its remains for the one kept before.
        #expect(try reader.read(1..<10) == Array(noise(10)[1...]))
        #expect(throws: ContainerError.self) { try reader.read(Self.frame + 1..<Self.frame + 10) }
        #expect(try reader.read(2 * Self.frame..<2 * Self.frame + 10) == Array(noise(2 * Self.frame + 10).suffix(10)))
    }

    @Test(arguments: [5 << 20, 1 << 60] as [UInt64])
    func `a frame that claims more than 4 MiB is refused`(claim: UInt64) throws {
        // Magic, a descriptor with an 8-byte content size and a checksum, a window of 4 MiB, the claim, an empty block.
        let header: [UInt8] =
            [0x28, 0xB5, 0x2F, 0xFD, 0xC4, 0x60] + withUnsafeBytes(of: claim.littleEndian, Array.init)
        let digest = Digest.of("bomb")
        try Files.publish(header + [1, 0, 0, 0, 0, 0, 0], at: blobs.storedPath(digest))
        let error = failure { _ = try blobs.reader(digest) }
        #expect(error?.code == .damaged && error?.cause?.contains("more than 4194304") == true, "\(error?.cause ?? "")")
    }

    @Test func `many threads read one reader`() async throws {
        let bytes = noise(3 * Self.frame)
        let reader = try blobs.reader(put(bytes))
        await withTaskGroup(of: Bool.self) { group in
            for seed in 0..<8 as Range<UInt64> {
                group.addTask {
                    var generator = SplitMix64(seed: seed)
                    return (0..<10).allSatisfy { _ in
                        let start = Int.random(in: 0..<bytes.count - 1000, using: &generator)
                        return (try? reader.read(start..<start + 1000))?.elementsEqual(bytes[start..<start + 1000])
                            == true
                    }
                }
            }
            for await right in group { #expect(right) }
        }
    }

    @Test func `many writers of one blob agree`() async throws {
        let bytes = noise(100_000)
        let blobs = blobs
        await withTaskGroup(of: Digest?.self) { group in
            for _ in 0..<8 { group.addTask { try? blobs.put { try $0.write(bytes) }.digest } }
            for await digest in group { #expect(digest == Digest.of(bytes)) }
        }
        try blobs.reader(Digest.of(bytes)).verify()
        #expect(try leftovers().isEmpty)
    }

    @Test func `an expanded copy is made once, checked, and made anew after its removal`() throws {
        let bytes = noise(Self.frame + 3)
        let digest = try put(bytes)
        let map = try blobs.expanded(digest)
        #expect(map.withBytes { $0.elementsEqual(bytes) })
        var first = stat(), second = stat()
        stat(blobs.expandedPath(digest), &first)
        _ = try blobs.expanded(digest)
        stat(blobs.expandedPath(digest), &second)
        #expect(first.st_ino == second.st_ino)
        try Files.publish([1, 2, 3], at: blobs.expandedPath(digest))
        #expect(try blobs.expanded(digest).withBytes { $0.elementsEqual(bytes) })
        try Files.remove(blobs.root + "/expanded")
        #expect(try blobs.expanded(digest).withBytes { $0.elementsEqual(bytes) })
        #expect(map.withBytes { $0.last } == bytes.last)

        let other = Digest.of("another blob")
        try Files.publish(Files.read(blobs.storedPath(digest)), at: blobs.storedPath(other))
        #expect(failure { _ = try blobs.expanded(other) }?.code == .damaged)
        #expect(try Files.list(blobs.root + "/expanded") == [digest.hex])
    }
}
