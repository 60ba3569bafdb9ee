// The facts that pair sampling reads: sides, segment counts, same-side links. It is the projection of a piece of
// `pair-sample`: small, canonical, and unchanged by anything that cannot change a draw.

import Container

/// Documents that one bucket's anchors can meet: its own, and those they link to.
///
/// Rows are sorted by document id. Links are kept only inside a side and only to documents that have segments, since no
/// other link can be drawn. Memory: about 40 bytes a document and 4 bytes a link.
package struct SamplingIndex: Sendable, Equatable {
    package var id: [UInt64] = []
    /// `Side` raw values.
    package var side: [UInt8] = []
    package var segmentCount: [UInt32] = []
    /// Equal for documents of equal text; 0 outside the bucket, where no random draw asks.
    package var textHash: [UInt64] = []
    /// floor(16 · log2(in-degree within the side)), 0 for in-degree 0 or 1: coarse, so that a new link to a popular
    /// document disturbs no draw. 0 where no document of the bucket links to it.
    package var degreeClass: [UInt16] = []
    /// 1 for documents whose segments are anchors and candidates for random draws here.
    package var inBucket: [UInt8] = []
    /// Row i links to rows `targets[offsets[i] ..< offsets[i + 1]]`; empty outside the bucket.
    package var offsets: [Int64] = [0]
    package var targets: [UInt32] = []
    /// With `link_scope: segment` only: the links of each anchor segment, anchors numbered row by row; else empty.
    package var segmentOffsets: [Int64] = []
    package var segmentTargets: [UInt32] = []
    /// With hard negatives only: row i's candidates, as `offsets` and `targets`; else empty.
    package var hardOffsets: [Int64] = []
    package var hardTargets: [UInt32] = []

    package init() {}

    package var count: Int { id.count }
    package var hasSegmentLinks: Bool { !segmentOffsets.isEmpty }

    package func links(_ row: Int) -> ArraySlice<UInt32> { targets[Int(offsets[row])..<Int(offsets[row + 1])] }

    package func links(segment anchor: Int) -> ArraySlice<UInt32> {
        segmentTargets[Int(segmentOffsets[anchor])..<Int(segmentOffsets[anchor + 1])]
    }

    /// Candidates for hard negatives: near the document, and not linked with it in either direction.
    package func hardNegatives(_ row: Int) -> ArraySlice<UInt32> {
        hardOffsets.isEmpty ? [] : hardTargets[Int(hardOffsets[row])..<Int(hardOffsets[row + 1])]
    }

    /// Whether row `from` links to row `to`. O(log out-degree).
    package func hasLink(_ from: Int, _ to: Int) -> Bool {
        let slice = links(from)
        let place = slice.indices.partitionPoint { slice[$0] < UInt32(to) }
        return place < slice.endIndex && slice[place] == UInt32(to)
    }

    /// The bucket of a document, a function of its id alone.
    package static func bucket(of id: UInt64, buckets: Int) -> Int {
        buckets == 1 ? 0 : Int(KeyedRandom.below(KeyedRandom.mix(0xB0C7, id), UInt64(buckets)))
    }

    package static func degreeClass(_ inDegree: Int) -> UInt16 {
        inDegree <= 1 ? 0 : UInt16((16 * log2OfCount(inDegree)).rounded(.down))
    }

    /// log2 without the C library: exact on powers of two and the same on every machine.
    private static func log2OfCount(_ n: Int) -> Double {
        let whole = Int.bitWidth - 1 - n.leadingZeroBitCount
        // The fraction in 1/16 steps is all that is asked for: square repeatedly.
        var x = Double(n) / Double(1 << whole)
        var fraction = 0.0
        var bit = 0.5
        for _ in 0..<5 {
            x *= x
            if x >= 2 {
                x /= 2
                fraction += bit
            }
            bit /= 2
        }
        return Double(whole) + fraction
    }
}

// MARK: - Bytes

extension SamplingIndex {
    /// Canonical little-endian bytes: each array as a U64 count and its elements, in declaration order.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        let pairs = targets.count + segmentTargets.count + hardTargets.count
        out.reserveCapacity(
            80 + id.count * 24 + 4 * pairs + 8 * (offsets.count + segmentOffsets.count + hardOffsets.count))
        func put<T: FixedWidthInteger>(_ values: [T]) {
            withUnsafeBytes(of: UInt64(values.count).littleEndian) { out.append(contentsOf: $0) }
            values.withUnsafeBytes { out.append(contentsOf: $0) }
        }
        put(id)
        put(side)
        put(segmentCount)
        put(textHash)
        put(degreeClass)
        put(inBucket)
        put(offsets)
        put(targets)
        put(segmentOffsets)
        put(segmentTargets)
        put(hardOffsets)
        put(hardTargets)
        return out
    }

    /// - Throws: `ContainerError.format` if the bytes are not what `bytes` wrote.
    package init(bytes: [UInt8]) throws {
        var position = 0
        func take<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws -> [T] {
            guard position + 8 <= bytes.count else { throw Self.malformed }
            let count = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
            position += 8
            let size = MemoryLayout<T>.size
            guard count <= UInt64(bytes.count - position) / UInt64(size) else { throw Self.malformed }
            let values = [T](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
                bytes.withUnsafeBytes { raw in
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: raw[position..<position + Int(count) * size]))
                }
                initialized = Int(count)
            }
            position += Int(count) * size
            return values
        }
        id = try take(UInt64.self)
        side = try take(UInt8.self)
        segmentCount = try take(UInt32.self)
        textHash = try take(UInt64.self)
        degreeClass = try take(UInt16.self)
        inBucket = try take(UInt8.self)
        offsets = try take(Int64.self)
        targets = try take(UInt32.self)
        segmentOffsets = try take(Int64.self)
        segmentTargets = try take(UInt32.self)
        hardOffsets = try take(Int64.self)
        hardTargets = try take(UInt32.self)
        guard position == bytes.count, offsets.count == id.count + 1 else { throw Self.malformed }
    }

    private static var malformed: ContainerError {
        ContainerError(.format, "the projection of a pair-sample piece is malformed")
    }
}
