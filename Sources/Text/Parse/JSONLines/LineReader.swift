// LineReader: a byte stream as lines of any length up to a limit, each a view of one buffer.

import Glibc

/// One line, without its line feed. `bytes` lives only during the callback.
package struct InputLine {
    package var bytes: Bytes
    /// From 1, blank lines counted.
    package var number: Int
    /// Of its first byte in the stream.
    package var offset: UInt64
    /// The line is longer than the limit; `bytes` is empty then.
    package var isTooLong: Bool
}

/// Cuts a stream at line feeds. Memory: the longest line up to the limit, rounded up to a power of two, and one chunk.
package enum LineReader {
    package static let chunkSize = 1 << 18
    /// A document is held in memory as a whole.
    package static let defaultLimit = 1 << 27

    /// Calls `onLine` for every line in order; a last line without a line feed counts, an empty one does not.
    /// - Parameters: `source`: fills the buffer, 0 at the end. `limit`: longer lines are passed over, in bounded memory.
    /// - Returns: how many lines there were. Complexity: O(bytes), each byte is looked at once.
    @discardableResult
    package static func read(
        from source: (UnsafeMutableRawBufferPointer) throws -> Int, limit: Int = defaultLimit,
        onLine: (InputLine) throws -> Void
    ) throws -> Int {
        var buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * chunkSize)
        var capacity = 2 * chunkSize
        defer { buffer.deallocate() }
        /// The bytes in hand are `buffer[..<filled]`, the line in hand begins at 0 of them and is searched up to `seen`.
        var (filled, seen, number) = (0, 0, 0)
        var offset: UInt64 = 0
        /// Length of what was thrown away of a line that is too long.
        var skipped: UInt64?

        func emit(_ range: Range<Int>) throws {
            number += 1
            let bytes =
                skipped == nil
                ? Bytes(start: buffer + range.lowerBound, count: range.count) : Bytes(start: nil, count: 0)
            let length = UInt64(range.count) + (skipped ?? 0)
            try onLine(InputLine(bytes: bytes, number: number, offset: offset, isTooLong: skipped != nil))
            offset += length + 1
            skipped = nil
        }

        while true {
            if capacity - filled < chunkSize {
                let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity)
                larger.update(from: buffer, count: filled)
                buffer.deallocate()
                (buffer, capacity) = (larger, 2 * capacity)
            }
            let count = try source(UnsafeMutableRawBufferPointer(start: buffer + filled, count: chunkSize))
            if count == 0 { break }
            filled += count
            var start = 0
            while let found = memchr(buffer + seen, 0x0A, filled - seen) {
                let end = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - UnsafePointer(buffer)
                if end - start > limit { (skipped, start) = ((skipped ?? 0) + UInt64(end - start), end) }
                try emit(start..<end)
                start = end + 1
                seen = start
            }
            if filled - start > limit || skipped != nil {
                skipped = (skipped ?? 0) + UInt64(filled - start)
                start = filled
            }
            memmove(buffer, buffer + start, filled - start)
            filled -= start
            seen = filled
        }
        if filled > 0 || skipped != nil { try emit(0..<filled) }
        return number
    }
}
