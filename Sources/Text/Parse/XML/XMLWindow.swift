// XMLWindow: the part of an XML stream that is in memory, for readers that take one element after another out of it.

/// A growing buffer over a source. Memory: the longest element asked for and one chunk, at most twice the limit.
final class XMLWindow {
    private let source: XMLSource
    private let chunk: Int, limit: Int
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    /// Where the buffer begins in the stream; in the converted one, if it is not UTF-8.
    private(set) var base: UInt64 = 0
    private var isStarted = false
    private(set) var isAtEnd = false

    init(_ source: XMLSource, chunk: Int, limit: Int) {
        self.source = source
        self.chunk = chunk
        self.limit = limit
        buffer = .allocate(capacity: chunk * 4)
    }

    deinit { buffer.deallocate() }

    /// Valid until the next `refill`.
    var bytes: Bytes { Bytes(rebasing: buffer[..<count]) }
    var replaced: Int { source.replaced }

    /// Forgets what stands before `position`, which becomes 0, and reads on.
    /// - Returns: false if more than the limit would be held.
    func refill(from position: Int) throws -> Bool {
        let kept = count - position
        if kept > limit { return false }
        if kept > 0, position > 0 {
            UnsafeMutableRawPointer(buffer.baseAddress!).copyMemory(
                from: buffer.baseAddress! + position, byteCount: kept)
        }
        base += UInt64(position)
        count = kept
        if buffer.count - count < chunk {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: buffer.count * 2)
            _ = larger.update(fromContentsOf: buffer[..<count])
            buffer.deallocate()
            buffer = larger
        }
        // What is kept is scanned again from its begin, so an element longer than the chunk is read in growing steps.
        let wanted = min(count + max(chunk, count), buffer.count - XMLSource.leastRoom)
        while count <= wanted, !isAtEnd {
            let got = try source.read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
            count += got
            if got == 0 { isAtEnd = true }
        }
        if !isStarted { base += UInt64(source.markLength) }
        isStarted = true
        return true
    }
}
