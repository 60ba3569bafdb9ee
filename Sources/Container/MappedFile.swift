// A whole file in memory without reading it: pages come when touched and go when memory is short.

import Glibc

/// A read-only map of a file as it was when opened.
///
/// `bytes` is valid while this object lives, and a local object may end right after its last mention: keep it in a
/// property of what uses the bytes, or look at them through `withBytes`.
///
/// Unchecked Sendable: immutable after `init`, and the mapped pages are never written through it.
package final class MappedFile: @unchecked Sendable {
    package let path: String
    package let count: Int
    package let bytes: UnsafeRawBufferPointer

    /// Maps the file; an empty one gives no bytes.
    package init(path: String) throws {
        let file = try FileDescriptor(reading: path)
        let count = try file.size()
        self.path = path
        self.count = count
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, file.number, 0), base != MAP_FAILED else {
            throw ContainerError.system("map the file into memory", path)
        }
        bytes = UnsafeRawBufferPointer(start: base, count: count)
    }

    /// Lends the bytes; the map lives at least until `body` returns.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(self) { try body(bytes) }
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }
}
