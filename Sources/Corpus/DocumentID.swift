// The identity of a document: stable across files, parts and runs.

import Container

package enum DocumentID {
    /// First 8 bytes (big-endian, top bit cleared) of SHA-256(`corpus` NUL `sourceID`), so that it fits a signed integer.
    package static func make(corpus: String, sourceID: some Collection<UInt8>) -> UInt64 {
        var bytes = Array(corpus.utf8)
        bytes.append(0)
        bytes.append(contentsOf: sourceID)
        let digest = Digest.of(bytes).bytes
        return digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } & 0x7FFF_FFFF_FFFF_FFFF
    }
}
