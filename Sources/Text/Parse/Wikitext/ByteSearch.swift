// ByteSearch: the next place of a byte, by the C library's vector search.

import Glibc

extension UnsafeBufferPointer<UInt8> {
    /// The index of the first `byte` in `from ..< to`, or `to`.
    @inline(__always)
    func next(_ byte: UInt8, _ from: Int, _ to: Int) -> Int {
        guard from < to, let base = baseAddress, let found = memchr(base + from, Int32(byte), to - from) else {
            return to
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}
