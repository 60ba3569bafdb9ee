// Where the frames of a stored blob lie: the seek table of zstd's seekable format, and how to do without it.

import CZstd

/// A stored blob is: independent zstd frames, each of at most 4 MiB uncompressed, with its content size and a content
/// checksum; then one skippable frame that holds the seek table (all numbers little-endian):
///
///     u32 0x184D2A5E · u32 size of what follows
///     per frame: u32 compressed size · u32 uncompressed size (· u32 checksum, if bit 7 of the descriptor is set)
///     u32 number of frames · u8 descriptor · u32 0x8F92EAB1
///
/// Source: zstd, contrib/seekable_format/zstd_seekable_compression_format.md, version 0.1.0. Any zstd tool that reads
/// several frames reads the file; the skippable frame is passed over.
struct SeekTable: Sendable {
    static let frameLimit = 4 << 20
    static let skippableMagic: UInt32 = 0x184D_2A5E
    static let footerMagic: UInt32 = 0x8F92_EAB1
    static let footerSize = 9

    /// Frame `i` is stored at `stored[i]..<stored[i + 1]` of the file and holds `content[i]..<content[i + 1]` of the blob.
    private(set) var stored = [0]
    private(set) var content = [0]

    init() {}

    var count: Int { stored.count - 1 }
    var contentSize: Int { content[count] }

    mutating func append(stored storedSize: Int, content contentSize: Int) {
        stored.append(stored[count] + storedSize)
        content.append(content[content.count - 1] + contentSize)
    }

    /// The frame that holds a byte of the content; frames without content are never named.
    func frame(holding offset: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if content[middle + 1] <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The skippable frame.
    var encoded: [UInt8] {
        var out: [UInt8] = []
        func put(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) } }
        put(Self.skippableMagic)
        put(UInt32(8 * count + Self.footerSize))
        for i in 0..<count {
            put(UInt32(stored[i + 1] - stored[i]))
            put(UInt32(content[i + 1] - content[i]))
        }
        put(UInt32(count))
        out.append(0)
        put(Self.footerMagic)
        return out
    }

    /// The table at the end of a file of `size` bytes; nil if there is none or it does not add up.
    static func read(_ file: borrowing FileDescriptor, size: Int) throws -> SeekTable? {
        guard size >= 8 + footerSize else { return nil }
        var footer = [UInt8](repeating: 0, count: footerSize)
        guard try fill(&footer, file, at: size - footerSize), number(footer, 5) == footerMagic else { return nil }
        // Bits 2 to 6 are reserved, so a file that sets them follows a later version.
        guard footer[4] & 0x7C == 0 else { return nil }
        let frames = Int(number(footer, 0))
        let entrySize = footer[4] & 0x80 != 0 ? 12 : 8
        let (entries, overflow) = frames.multipliedReportingOverflow(by: entrySize)
        guard !overflow, entries <= size - 8 - footerSize else { return nil }
        var bytes = [UInt8](repeating: 0, count: 8 + entries)
        let start = size - 8 - entries - footerSize
        guard try fill(&bytes, file, at: start), number(bytes, 0) == skippableMagic,
            Int(number(bytes, 4)) == entries + footerSize
        else { return nil }

        var table = SeekTable()
        for i in 0..<frames {
            let (stored, content) = (Int(number(bytes, 8 + i * entrySize)), Int(number(bytes, 12 + i * entrySize)))
            guard content <= frameLimit else { return nil }
            table.append(stored: stored, content: content)
        }
        return table.stored[frames] == start ? table : nil
    }

    /// The table by walking over the frames from the beginning: reads the whole file.
    /// - Throws: `.damaged` with the number of the frame where the file stops making sense.
    static func walk(_ file: borrowing FileDescriptor, size: Int) throws -> SeekTable {
        var table = SeekTable()
        var buffer = [UInt8](repeating: 0, count: min(size, ZSTD_compressBound(frameLimit)))
        var position = 0
        while position < size {
            let n = try buffer.withUnsafeMutableBytes { raw in
                try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: raw[..<min(raw.count, size - position)]), at: position
                )
            }
            if n >= 8, number(buffer, 0) & 0xFFFF_FFF0 == 0x184D_2A50 {
                position += 8 + Int(number(buffer, 4))
                guard position <= size else {
                    throw ContainerError.damagedFrame(table.count, file.path, "the file is cut off in its seek table")
                }
                // Only the end of a file is skippable: frames must be adjacent for the table to describe them.
                guard position == size else {
                    throw ContainerError.damagedFrame(table.count, file.path, "bytes follow the seek table")
                }
                break
            }
            let (stored, content) = try buffer.withUnsafeBytes { raw in
                let frame = UnsafeRawBufferPointer(rebasing: raw[..<n])
                let stored = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
                guard ZSTD_isError(stored) == 0 else {
                    throw ContainerError.damagedFrame(table.count, file.path, zstdMessage(stored))
                }
                return (stored, try contentSize(frame, table.count, file.path))
            }
            table.append(stored: stored, content: content)
            position += stored
        }
        return table
    }

    /// The content size that a frame's own header states.
    /// - Throws: `.damaged` for no frame, a frame without content size or checksum, or one of more than 4 MiB: a
    ///   reader never allocates more than that on a file's word.
    static func contentSize(_ frame: UnsafeRawBufferPointer, _ index: Int, _ path: String) throws -> Int {
        let size = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
        if size == UInt64.max { throw ContainerError.damagedFrame(index, path, "the frame states no content size") }
        if size == UInt64.max - 1 { throw ContainerError.damagedFrame(index, path, "no zstd frame begins here") }
        guard size <= UInt64(frameLimit) else {
            throw ContainerError.damagedFrame(index, path, "the frame claims \(size) bytes, more than \(frameLimit)")
        }
        // Bit 2 of the frame header descriptor, RFC 8878 section 3.1.1.1.1.
        guard frame.count > 4, frame[4] & 4 != 0 else {
            throw ContainerError.damagedFrame(index, path, "the frame has no checksum")
        }
        return Int(size)
    }

    private static func fill(_ bytes: inout [UInt8], _ file: borrowing FileDescriptor, at offset: Int) throws -> Bool {
        let wanted = bytes.count
        return try bytes.withUnsafeMutableBytes { raw in
            try file.read(into: raw, at: offset) == wanted
        }
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }
}

func zstdMessage(_ code: Int) -> String { String(cString: ZSTD_getErrorName(code)) }

extension ContainerError {
    static let damageFix = "remove this file and run again: what made it will make it anew"

    static func damagedFrame(_ frame: Int, _ path: String, _ cause: String) -> ContainerError {
        ContainerError(.damaged, "stored data is damaged in frame \(frame)", path: path, cause: cause, fix: damageFix)
    }
}
