// A file for readers that want a path.

import Glibc

/// A file without a name. Used by one target, which one thread runs.
package final class FuzzFile: Sendable {
    private let descriptor: CInt

    package init() {
        var template = Array(
            "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/linkloom-fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        precondition(descriptor >= 0, "no temporary file")
        unlink(template)
    }

    /// The path of the file, which now holds just these bytes.
    package func refill(with bytes: [UInt8]) -> String {
        let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        precondition(ftruncate(descriptor, bytes.count) == 0 && written == bytes.count, "the temporary file is full")
        return "/proc/self/fd/\(descriptor)"
    }
}
