// Standard input as lines, read as they come.

import Glibc
import Pipeline

/// Lines of stdin, without their line feeds; a last one needs none. Memory: the longest line and 64 KiB.
package final class LineInput {
    /// A longer line is refused.
    package static let longestLine = 128 << 20

    private var buffer: [UInt8] = []
    /// Where the next line begins, and up to where no line feed was found.
    private var begin = 0
    private var searched = 0
    private var atEnd = false
    private var number = 0

    package init() {}

    /// The next line; nil at the end.
    /// - Throws: `Cancelled` after a signal; `StageError` with the line's number if it is no UTF-8 or too long, and if
    ///   stdin cannot be read.
    package func next() throws -> String? {
        while true {
            if Interrupt.signal != nil { throw Cancelled() }
            if let end = buffer[searched...].firstIndex(of: 10) { return try take(begin..<end, next: end + 1) }
            searched = buffer.count
            if atEnd { return begin == buffer.count ? nil : try take(begin..<buffer.count, next: buffer.count) }
            guard buffer.count - begin <= Self.longestLine else {
                throw StageError(
                    "the line is longer than 128 MiB", place: place(number + 1),
                    fix: "put every text on a line of its own")
            }
            buffer.removeSubrange(..<begin)
            searched -= begin
            begin = 0
            try fill()
        }
    }

    private func place(_ line: Int) -> String { "standard input:\(line)" }

    private func take(_ range: Range<Int>, next: Int) throws -> String {
        number += 1
        guard let line = String(validating: buffer[range], as: UTF8.self) else {
            throw StageError("the line is not UTF-8", place: place(number), fix: "convert the text, e.g. with iconv")
        }
        begin = next
        searched = next
        return line
    }

    private func fill() throws {
        let size = 64 << 10
        let before = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: size))
        let count = buffer.withUnsafeMutableBytes { bytes in
            while true {
                let count = Glibc.read(0, bytes.baseAddress! + before, size)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        guard count >= 0 else {
            throw StageError("standard input cannot be read", cause: String(cString: strerror(errno)))
        }
        buffer.removeLast(size - count)
        atEnd = count == 0
    }
}
