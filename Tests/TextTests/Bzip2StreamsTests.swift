// A .bz2 of many streams read on several threads: the bytes and the errors of reading it from one end to the other.

import CArchive
import Foundation
import Testing
import Text

@Suite struct Bzip2StreamsTests {
    /// One .bz2 stream.
    private func packed(_ text: [UInt8]) throws -> [UInt8] {
        let handle = try #require(archive_write_new())
        defer { archive_write_free(handle) }
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_write_add_filter_bzip2(handle)
        archive_write_set_format_raw(handle)
        archive_write_set_bytes_in_last_block(handle, 1)
        archive_entry_set_filetype(entry, UInt32(CArchive.S_IFREG))
        var out = [UInt8](repeating: 0, count: text.count + 1 << 16)
        var used = 0
        let status = out.withUnsafeMutableBytes { out in
            archive_write_open_memory(handle, out.baseAddress, out.count, &used)
            archive_write_header(handle, entry)
            archive_write_data(handle, text, text.count)
            return archive_write_close(handle)
        }
        try #require(status == ARCHIVE_OK)
        return Array(out[..<used])
    }

    /// Packs to a little more than half its size.
    private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(0x61 + (state >> 60))
        }
    }

    private struct Reading {
        var bytes: [UInt8] = []
        var error: TextError?
    }

    private func read(_ path: String, threads: Int) throws -> Reading {
        var reading = Reading()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { buffer.deallocate() }
        do {
            let archive = try ArchiveReader(path: path, threads: threads, bombFloor: 1 << 24)
            let member = try #require(try archive.next())
            #expect(member.isWholeFile && member.name == "dump.xml")
            while case let count = try archive.read(into: buffer), count > 0 { reading.bytes += buffer[..<count] }
            #expect(try archive.next() == nil && archive.next() == nil)
        } catch let error as TextError { reading.error = error }
        return reading
    }

    /// Five streams of noise, about 160 KiB each, and small ones between.
    private func streams() throws -> (packed: [[UInt8]], text: [UInt8]) {
        let texts = (0..<5).flatMap { n in
            [noise(300_000, seed: UInt64(n)), Array("A small stream, number \(n).\n".utf8)]
        }
        return (try texts.map(packed), texts.flatMap { $0 })
    }

    @Test(arguments: [1, 2, 7]) func `threads change no byte`(threads: Int) throws {
        let folder = try TemporaryFolder()
        var (streams, text) = try streams()
        // One stream that unpacks to more than a worker may hold before it is read.
        let blank = [UInt8](repeating: 0x20, count: Bzip2Streams.mostUnread + 3_000_000)
        streams.insert(try packed(blank), at: 4)
        let before = (text.count / 5) * 2
        text.insert(contentsOf: blank, at: before)
        let path = try folder.write("dump.xml.bz2", streams.joined())
        let reading = try read(path, threads: threads)
        let isSame = reading.bytes == text
        #expect(reading.error == nil && isSame)
        // It is this way that was taken: cut in front of streams, to the end.
        let parallel = try #require(Bzip2Streams(path: path, threads: threads))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
        defer { buffer.deallocate() }
        var count = 0
        while case .bytes(let n) = parallel.read(into: buffer) { count += n }
        #expect(count == text.count && parallel.read(into: buffer) == .end)
    }

    @Test func `a reader may leave before the end`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("dump.xml.bz2", try streams().packed.joined())
        let archive = try ArchiveReader(path: path, threads: 3)
        _ = try archive.next()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
        defer { buffer.deallocate() }
        #expect(try archive.read(into: buffer) == 100)
    }

    @Test func `one stream, and a few small ones, are read without threads`() throws {
        let folder = try TemporaryFolder()
        let one = try folder.write("one.bz2", try packed(noise(600_000, seed: 1)))
        let small = try folder.write("small.bz2", try (0..<9).flatMap { try packed(noise(100, seed: $0)) })
        for path in [one, small] { #expect(Bzip2Streams(path: path, threads: 4) == nil) }
    }

    @Test func `what is cut off, damaged or followed by something else gives the same error`() throws {
        let folder = try TemporaryFolder()
        let streams = try streams().packed
        let whole = Array(streams.joined())
        let lastStart = streams.dropLast(2).joined().count
        var flipped = whole
        flipped[whole.count / 2] ^= 0x55
        var flippedMagic = whole
        flippedMagic[lastStart + 5] ^= 1
        let bad: [String: [UInt8]] = [
            "cut in the last large stream": Array(whole[..<(lastStart + 80_000)]),
            "cut in a stream's head": Array(whole[..<(lastStart + 7)]),
            "cut in the first piece": Array(whole[..<150_000]), "cut in the checksum": whole.dropLast(),
            "garbage": whole + Array("nonsense".utf8), "zeros": whole + [UInt8](repeating: 0, count: 512),
            "a head and garbage": whole + Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 1, 2, 3],
            "flipped": flipped, "flipped in a magic": flippedMagic,
        ]
        for (name, bytes) in bad {
            let path = try folder.write("dump.xml.bz2", bytes)
            let alone = try read(path, threads: 1), many = try read(path, threads: 4)
            let expected = try #require(alone.error, "\(name)")
            #expect(many.error?.code == expected.code, "\(name)")
            #expect(many.error?.message == expected.message, "\(name)")
            #expect(many.error?.cause == expected.cause, "\(name)")
            // Some bytes of a damaged block may come before its checksum is seen to be wrong: the same either way.
            let isSame = alone.bytes.starts(with: many.bytes) || many.bytes.starts(with: alone.bytes)
            #expect(isSame, "\(name)")
            if expected.code == .truncated { #expect(many.error?.offset == UInt64(bytes.count), "\(name)") }
            #expect(many.error?.offset ?? 0 <= UInt64(bytes.count), "\(name)")
        }
    }

    @Test func `ten bytes inside a stream that look like the start of one change nothing`() throws {
        // A block's head says in bits which byte values occur; chosen so, they spell the start of a stream at byte 20.
        let start = Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
        let values = (0..<256).filter { value in
            let bit = value - 7
            return bit < 0 || bit >= 80 || start[bit / 8] >> (7 - bit % 8) & 1 == 1
        }
        let text = noise(300_000, seed: 3).map { _ in UInt8(0) } + values.map(UInt8.init)
        let false_ = try packed(text)
        try #require(Array(false_[20..<30]) == start)
        // In front of it as many bytes as put the true start before the place where cuts begin, and the false one behind.
        let large = noise(236_000, seed: 4)
        var before = [large]
        var length = try packed(large).count
        let fillers = try (1..<60).map { noise($0, seed: 5) }.map { (text: $0, length: try packed($0).count) }
        let goal = 1 << 17
        while length < goal - 20 {
            let room = goal - 1 - length
            let filler = try #require(
                fillers.last { $0.length <= room && (room - $0.length < 20 || room - $0.length > 60) })
            before.append(filler.text)
            length += filler.length
        }
        try #require((goal - 20..<goal).contains(length))
        let folder = try TemporaryFolder()
        let after = noise(300_000, seed: 6)
        let path = try folder.write("dump.xml.bz2", try before.flatMap(packed) + false_ + packed(after))
        #expect(try read(path, threads: 3).bytes == before.flatMap { $0 } + text + after)
        let parallel = try #require(Bzip2Streams(path: path, threads: 3))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
        defer { buffer.deallocate() }
        var answer = parallel.read(into: buffer)
        var count: UInt64 = 0
        while case .bytes(let n) = answer {
            count += UInt64(n)
            answer = parallel.read(into: buffer)
        }
        #expect(answer == .plain(from: 0, skip: count))
    }

    @Test func `a bomb is refused`() throws {
        let folder = try TemporaryFolder()
        let stream = try packed([UInt8](repeating: 0x20, count: 20_000_000))
        let bytes = [UInt8]((0..<(300_000 / stream.count)).map { _ in stream }.joined())
        let path = try folder.write("dump.xml.bz2", bytes)
        let archive = try ArchiveReader(path: path, threads: 2, bombFloor: 1 << 24)
        _ = try archive.next()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 1)
        defer { buffer.deallocate() }
        var count = 0
        let error = #expect(throws: TextError.self) {
            while case let n = try archive.read(into: buffer), n > 0 { count += n }
        }
        #expect(error?.code == .unsupported, "\(error?.description ?? "")")
        #expect(count <= bytes.count * 1001)
    }
}
