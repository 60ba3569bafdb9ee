// Memory that kernels work on: a buffer owns it, views lend ranges of it. Above this room nobody sees a pointer.

import Glibc

/// A fixed run of fp32 on the device, zero at first, 64-byte aligned, in huge pages where the system grants them.
///
/// - Threading: any thread may read; writers must touch disjoint ranges, which the caller arranges (one slice of the
///   batch, one range of parameters a thread). That is what makes `@unchecked Sendable` right: the storage itself
///   never moves and is freed once, by the last view or owner to let go.
@safe package final class DeviceBuffer: @unchecked Sendable {
    package let count: Int
    // Valid for `count` floats while self lives; views hold self.
    fileprivate let base: UnsafeMutablePointer<Float>

    /// - Precondition: `floats` ≥ 0 and the memory is there (the caller has checked the size of the model).
    package init(floats: Int) {
        precondition(floats >= 0, "DeviceBuffer(floats: \(floats)): negative size")
        count = floats
        unsafe base = allocateZeroed(Float.self, floats)
    }

    deinit { unsafe free(base) }

    /// The floats `offset ..< offset + count` (to the end if `count` is nil).
    package func view(_ offset: Int = 0, _ count: Int? = nil) -> FloatView {
        FloatView(buffer: self, offset: 0, count: self.count).slice(offset, count ?? self.count - offset)
    }
}

/// A range of a `DeviceBuffer`, which it keeps alive. Copies are cheap and name the same memory.
package struct FloatView: Sendable {
    private let buffer: DeviceBuffer
    private let offset: Int
    package let count: Int

    fileprivate init(buffer: DeviceBuffer, offset: Int, count: Int) {
        self.buffer = buffer
        self.offset = offset
        self.count = count
    }

    // Valid for `count` floats while a view or the buffer lives: `slice` has checked the range.
    @unsafe internal var pointer: UnsafeMutablePointer<Float> { unsafe buffer.base + offset }

    package func slice(_ offset: Int, _ count: Int) -> FloatView {
        precondition(
            offset >= 0 && count >= 0 && offset <= self.count - count,
            "slice \(offset) ..< \(offset + count) of a view of \(self.count) floats")
        return FloatView(buffer: buffer, offset: self.offset + offset, count: count)
    }

    package func read() -> [Float] { read(0..<count) }

    package func read(_ range: Range<Int>) -> [Float] {
        let part = slice(range.lowerBound, range.count)
        return unsafe [Float](UnsafeBufferPointer(start: part.pointer, count: part.count))
    }

    package func write(_ values: [Float], at start: Int = 0) {
        let part = slice(start, values.count)
        unsafe values.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { unsafe part.pointer.update(from: first, count: source.count) }
        }
    }

    /// The bytes of the view, little-endian fp32, valid during `body` only.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(UnsafeRawBufferPointer(start: pointer, count: count * MemoryLayout<Float>.stride))
    }

    /// Copies all of `source`, which must have the same count; the two may overlap.
    package func copy(from source: FloatView) {
        precondition(source.count == count, "copy of \(source.count) floats into a view of \(count)")
        if count > 0 { unsafe pointer.update(from: source.pointer, count: count) }
    }

    package subscript(_ index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "index \(index) in a view of \(count) floats")
            return unsafe pointer[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "index \(index) in a view of \(count) floats")
            unsafe pointer[index] = newValue
        }
    }
}

/// A fixed run of Int32 on the device, zero at first: ids, positions, labels, row numbers.
///
/// - Threading: as `DeviceBuffer`.
@safe package final class IndexBuffer: @unchecked Sendable {
    package let count: Int
    // Valid for `count` values while self lives; views hold self.
    fileprivate let base: UnsafeMutablePointer<Int32>

    package init(count: Int) {
        precondition(count >= 0, "IndexBuffer(count: \(count)): negative size")
        self.count = count
        unsafe base = allocateZeroed(Int32.self, count)
    }

    deinit { unsafe free(base) }

    package func view(_ offset: Int = 0, _ count: Int? = nil) -> IndexView {
        IndexView(buffer: self, offset: 0, count: self.count).slice(offset, count ?? self.count - offset)
    }
}

/// A range of an `IndexBuffer`, which it keeps alive.
package struct IndexView: Sendable {
    private let buffer: IndexBuffer
    private let offset: Int
    package let count: Int

    fileprivate init(buffer: IndexBuffer, offset: Int, count: Int) {
        self.buffer = buffer
        self.offset = offset
        self.count = count
    }

    // Valid for `count` values while a view or the buffer lives: `slice` has checked the range.
    @unsafe internal var pointer: UnsafeMutablePointer<Int32> { unsafe buffer.base + offset }

    package func slice(_ offset: Int, _ count: Int) -> IndexView {
        precondition(
            offset >= 0 && count >= 0 && offset <= self.count - count,
            "slice \(offset) ..< \(offset + count) of a view of \(self.count) indices")
        return IndexView(buffer: buffer, offset: self.offset + offset, count: count)
    }

    package func read() -> [Int32] { unsafe [Int32](UnsafeBufferPointer(start: pointer, count: count)) }

    package func write(_ values: [Int32], at start: Int = 0) {
        let part = slice(start, values.count)
        unsafe values.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { unsafe part.pointer.update(from: first, count: source.count) }
        }
    }

    package subscript(_ index: Int) -> Int32 {
        get {
            precondition(index >= 0 && index < count, "index \(index) in a view of \(count) indices")
            return unsafe pointer[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "index \(index) in a view of \(count) indices")
            unsafe pointer[index] = newValue
        }
    }

    /// Whether the first `n` values all lie in 0 ..< bound. O(n), one comparison a value.
    internal func isBelow(_ bound: Int, first n: Int) -> Bool {
        let values = unsafe UnsafeBufferPointer(start: pointer, count: n)
        let limit = UInt32(clamping: bound)
        var good = true
        for i in 0..<n { unsafe good = good && UInt32(bitPattern: values[i]) < limit }
        return good
    }
}

// Zeroed memory for `count` values; 2 MiB aligned and advised to be huge pages from 2 MiB on, else 64-byte aligned.
private func allocateZeroed<T: BitwiseCopyable>(_: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
    let hugePage = 2 << 20
    let bytes = max(count, 1) * MemoryLayout<T>.stride
    let alignment = bytes >= hugePage ? hugePage : 64
    var raw: UnsafeMutableRawPointer? = nil
    let code = unsafe posix_memalign(&raw, alignment, bytes)
    guard code == 0, let memory = unsafe raw else { preconditionFailure("no memory for a buffer of \(bytes) bytes") }
    // Only advice: where it is refused the pages stay small, nothing else changes.
    if bytes >= hugePage { _ = unsafe madvise(memory, bytes, MADV_HUGEPAGE) }
    unsafe memset(memory, 0, bytes)
    return unsafe memory.bindMemory(to: T.self, capacity: max(count, 1))
}
