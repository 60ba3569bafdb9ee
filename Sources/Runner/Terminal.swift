// Writing to the outside: whole strings to a descriptor, a reader that has gone away noticed, columns aligned.

import Glibc

/// The reader of stdout has gone away (`linkloom cat … | head`): a quiet success.
package struct BrokenPipe: Error, Sendable { package init() {} }

package enum Terminal {
    /// Best effort: for stderr, where a failed write has nobody to tell.
    package static func write(_ text: String, to descriptor: Int32) { try? send(Array(text.utf8), to: descriptor) }

    /// - Throws: `BrokenPipe`; `RunnerError` if the output cannot be written, such as to a full disk.
    package static func send(_ bytes: [UInt8], to descriptor: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
            if count > 0 {
                sent += count
            } else if errno == EPIPE {
                throw BrokenPipe()
            } else if errno != EINTR {
                throw RunnerError(.storage, "the output cannot be written", cause: String(cString: strerror(errno)))
            }
        }
    }

    package static func print(_ text: String) throws { try send(Array(text.utf8) + [10], to: 1) }

    /// Rows as aligned columns, two spaces between; columns listed in `right` are aligned to the right.
    package static func table(_ rows: [[String]], right: Set<Int> = []) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                line += right.contains(column) ? pad + cell : cell + pad
                if column < row.count - 1 { line += "  " }
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// Collects lines for stdout, 64 KiB at a time.
package struct LineOutput: ~Copyable {
    private var buffer: [UInt8] = []
    private let descriptor: Int32
    package init(descriptor: Int32 = 1) { self.descriptor = descriptor }

    package mutating func line(_ bytes: [UInt8]) throws {
        buffer += bytes
        buffer.append(10)
        if buffer.count >= 65536 { try flush() }
    }

    package mutating func flush() throws {
        try Terminal.send(buffer, to: descriptor)
        buffer.removeAll(keepingCapacity: true)
    }
}
