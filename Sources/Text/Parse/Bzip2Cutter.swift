// Bzip2Cutter: where a .bz2 file of many streams may be cut, so that the pieces can be unpacked side by side.

import Glibc

/// Cuts a .bz2 file in front of its streams, reading it once from its first byte to its last.
///
/// A stream begins at a byte, with `BZh`, its block size `1`…`9` and its first block's magic, 31 41 59 26 53 59. Ten
/// bytes inside a stream may look the same (by chance once in 2^76 places): then the piece before them does not end
/// with its stream, which whoever unpacks it must check.
/// Memory: one piece and what is read ahead. Not safe to share between threads.
struct Bzip2Cutter: ~Copyable {
    enum Cut {
        /// One or more whole streams, if every cut was at a stream.
        case piece(offset: UInt64, bytes: [UInt8])
        /// From `offset` on there is no place to cut for `mostBytes`, or the file cannot be read.
        case rest(offset: UInt64)
        case end
    }

    /// Smaller streams are put together: opening one costs as much as unpacking some kilobytes.
    static let leastBytes = 1 << 17
    /// The largest streams of bzip2's parallel relatives have 9 MB of unpacked text.
    static let mostBytes = 1 << 23
    private static let step = 1 << 19
    private static let startLength = 10

    private let descriptor: Int32
    /// Read and not yet given away, from `begin`; the first `searched` bytes after it hold no further stream's start.
    private var pending: [UInt8] = []
    private var begin = 0
    private var searched = 0
    private var isAtEnd = false
    /// Of the next piece.
    private var offset: UInt64 = 0

    /// - Returns: nil if the file cannot be opened.
    init?(path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    mutating func next() -> Cut {
        searched = Self.leastBytes
        while true {
            if let length = nextStart() { return take(length) }
            if isAtEnd { return pending.count > begin ? take(pending.count - begin) : .end }
            guard pending.count - begin < Self.mostBytes, fill() else { return .rest(offset: offset) }
        }
    }

    private mutating func take(_ length: Int) -> Cut {
        let bytes = Array(pending[begin..<(begin + length)])
        defer { offset += UInt64(length) }
        begin += length
        return .piece(offset: offset, bytes: bytes)
    }

    /// Distance from `begin` to the first stream's start at `searched` or behind it.
    private mutating func nextStart() -> Int? {
        let begin = self.begin
        var place = searched
        defer { searched = place }
        return pending.withUnsafeBytes { all in
            let bytes = UnsafeRawBufferPointer(rebasing: all[begin...])
            // A start that the end of what was read cuts off is found with what follows.
            while place + Self.startLength <= bytes.count {
                let last = bytes.count - Self.startLength
                guard let hit = memchr(bytes.baseAddress! + place, 0x42, last + 1 - place) else {
                    place = last + 1
                    return nil
                }
                let start = UnsafeRawPointer(hit) - bytes.baseAddress!
                if Self.isStart(bytes[start..<(start + Self.startLength)]) { return start }
                place = start + 1
            }
            return nil
        }
    }

    private static func isStart(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let i = bytes.startIndex
        return bytes[i] == 0x42 && bytes[i + 1] == 0x5A && bytes[i + 2] == 0x68 && (0x31...0x39).contains(bytes[i + 3])
            && bytes[i + 4] == 0x31 && bytes[i + 5] == 0x41 && bytes[i + 6] == 0x59 && bytes[i + 7] == 0x26
            && bytes[i + 8] == 0x53 && bytes[i + 9] == 0x59
    }

    /// Reads on. Returns false if that fails.
    private mutating func fill() -> Bool {
        pending.removeFirst(begin)
        begin = 0
        let old = pending.count
        pending.append(contentsOf: repeatElement(0, count: Self.step))
        let descriptor = self.descriptor
        var count = 0
        repeat {
            count = pending.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + old, Self.step) }
        } while count < 0 && errno == EINTR
        pending.removeLast(Self.step - max(0, count))
        isAtEnd = count == 0
        return count >= 0
    }
}
