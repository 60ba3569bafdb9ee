// The projection of a piece of links: what each target that occurs in it resolves to, and nothing else.

/// Targets as written → what they resolve to, for the targets of one piece. Dangling ones are left out, so a document
/// added elsewhere changes the table only if this piece links to it.
///
/// Bytes: pairs of little-endian U64, (hash of the target as written, `Resolution.bits`), sorted by hash.
package struct TargetTable: Sendable {
    private var table: IDTable
    private var sortedKeys: [UInt64] = []

    package init() { table = IDTable() }

    /// Adds a target once. `resolve` is asked only for a target not seen before.
    package mutating func add(_ raw: UnsafeBufferPointer<UInt8>, resolve: () -> Resolution) {
        let key = ByteHash.of(raw, as: .asWritten)
        guard table[key] == nil else { return }
        table.insert(key, resolve().bits)
        sortedKeys.append(key)
    }

    /// Adds a target that resolves; one that dangles takes no room, and `resolve` is asked again when it comes again.
    package mutating func addKnown(_ raw: UnsafeBufferPointer<UInt8>, resolve: () -> Resolution) {
        let key = ByteHash.of(raw, as: .asWritten)
        guard table[key] == nil else { return }
        let resolution = resolve()
        if resolution == .dropped(.dangling) { return }
        table.insert(key, resolution.bits)
        sortedKeys.append(key)
    }

    package subscript(raw: UnsafeBufferPointer<UInt8>) -> Resolution {
        table[ByteHash.of(raw, as: .asWritten)].map { Resolution(bits: $0) } ?? .dropped(.dangling)
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        for key in sortedKeys.sorted() {
            let bits = table[key]!
            guard Resolution(bits: bits) != .dropped(.dangling) else { continue }
            append(key, to: &out)
            append(bits, to: &out)
        }
        return out
    }

    /// Nil if the bytes are no such table.
    package init?(bytes: [UInt8]) {
        guard bytes.count % 16 == 0 else { return nil }
        table = IDTable(minimumCapacity: bytes.count / 16)
        let complete = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: 16).allSatisfy { at in
                let key = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                guard key != 0 else { return false }
                table.insert(key, UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)))
                sortedKeys.append(key)
                return true
            }
        }
        if !complete { return nil }
    }

    private func append(_ value: UInt64, to out: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
    }
}
