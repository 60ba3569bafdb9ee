// SHA-256 by libcrypto: of bytes in memory, of a stream, of a file.

import CCrypto
import Glibc

/// A SHA-256 digest. Ordered as its 32 bytes are.
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The digest as four big-endian words, so that comparing words compares bytes.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    init(rawBytes: UnsafeRawBufferPointer) {
        precondition(rawBytes.count == 32, "a SHA-256 digest has 32 bytes")
        func word(_ i: Int) -> UInt64 {
            UInt64(bigEndian: rawBytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// Nil unless `hex` is exactly 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for c in hex.utf8 {
            let value: UInt8
            switch c {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = c - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = c - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        guard high == nil, bytes.count == 32 else { return nil }
        self = bytes.withUnsafeBytes { Digest(rawBytes: $0) }
    }

    /// 32 bytes.
    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// The first 8 bytes as a big-endian number.
    package var prefix: UInt64 { words.0 }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 64) { out in
            for (i, byte) in bytes.enumerated() {
                out[2 * i] = digits[Int(byte >> 4)]
                out[2 * i + 1] = digits[Int(byte & 15)]
            }
            return 64
        }
    }

    package var description: String { hex }

    package static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }
    package static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    package static func of(_ raw: UnsafeRawBufferPointer) -> Digest {
        let builder = DigestBuilder()
        builder.update(raw)
        return builder.finish()
    }
    package static func of(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { of($0) } }
    package static func of(_ s: String) -> Digest {
        var s = s
        return s.withUTF8 { of(UnsafeRawBufferPointer($0)) }
    }
}

/// SHA-256 of bytes that come in pieces. Used by one thread at a time.
package final class DigestBuilder {
    /// Fetched once for the process: fetching by name costs more than hashing a title. Immutable after `fetch`,
    /// and libcrypto allows any number of threads to use it.
    private nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let md = EVP_MD_fetch(nil, "SHA2-256", nil) else { preconditionFailure("libcrypto has no SHA-256") }
        return md
    }()

    private let context: OpaquePointer
    private var finished = false

    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto is out of memory") }
        self.context = context
        let ok = EVP_DigestInit_ex2(context, Self.algorithm, nil)
        precondition(ok == 1, "libcrypto cannot start SHA-256")
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ raw: UnsafeRawBufferPointer) {
        precondition(!finished, "a finished digest takes no more bytes")
        guard let base = raw.baseAddress, raw.count > 0 else { return }
        let ok = EVP_DigestUpdate(context, base, raw.count)
        precondition(ok == 1, "libcrypto failed to hash")
    }
    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of everything given. Called once.
    package func finish() -> Digest {
        precondition(!finished, "a digest is finished once")
        finished = true
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let ok = EVP_DigestFinal_ex(context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
            precondition(ok == 1, "libcrypto failed to hash")
            return Digest(rawBytes: UnsafeRawBufferPointer(out))
        }
    }
}

/// Digest and size of a file, read once in steps of 1 MiB.
package func digestOfFile(_ path: String) throws -> (digest: Digest, bytes: Int64) {
    let file = try FileDescriptor(reading: path)
    let builder = DigestBuilder()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var total: Int64 = 0
    while true {
        let n = try file.read(into: buffer)
        if n == 0 { return (builder.finish(), total) }
        builder.update(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
        total += Int64(n)
    }
}
