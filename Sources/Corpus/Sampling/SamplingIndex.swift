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
    /// Equal for documents of equal text.
    package var textHash: [UInt64] = []
    /// floor(16 · log2(in-degree within the side)), 0 for in-degree 0 or 1: coarse, so that a new link to a popular
    /// document disturbs no draw.
    package var degreeClass: [UInt16] = []
    /// 1 for documents whose segments are anchors and candidates for random draws here.
    package var inBucket: [UInt8] = []
    /// Row i links to rows `targets[offsets[i] ..< offsets[i + 1]]`; empty outside the bucket.
    package var offsets: [Int64] = [0]
    package var targets: [UInt32] = []
    /// With `link_scope: segment` only: the links of each anchor segment, anchors numbered row by row; else empty.
    package var segmentOffsets: [Int64] = []
    package var segmentTargets: [UInt32] = []

    package init() {}

    package var count: Int { id.count }
    package var hasSegmentLinks: Bool { !segmentOffsets.isEmpty }

    package func links(_ row: Int) -> ArraySlice<UInt32> { targets[Int(offsets[row])..<Int(offsets[row + 1])] }

    package func links(segment anchor: Int) -> ArraySlice<UInt32> {
        segmentTargets[Int(segmentOffsets[anchor])..<Int(segmentOffsets[anchor + 1])]
    }

    /// Whether row `from` links to row `to`. O(log out-degree).
    package func hasLink(_ from: Int, _ to: Int) -> Bool {
        let slice = links(from)
        var low = slice.startIndex
        var high = slice.endIndex
        while low < high {
            let middle = (low + high) / 2
            if slice[middle] < UInt32(to) { low = middle + 1 } else { high = middle }
        }
        return low < slice.endIndex && slice[low] == UInt32(to)
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
        guard position == bytes.count, offsets.count == id.count + 1 else { throw Self.malformed }
    }

    private static var malformed: ContainerError {
        ContainerError(.format, "the projection of a pair-sample piece is malformed")
    }
}

// MARK: - Building

extension SamplingIndex {
    /// What building needs to know of each document of the corpus, aligned with `graph.node`.
    package struct Documents: Sendable {
        /// Segments of each node; 0 for documents without text.
        package var segmentCount: [UInt32]
        package var textHash: [UInt64]

        /// From the summary columns of `segments`: rows of one document are consecutive and ordered.
        package init(nodes: [UInt64], segments: [SegmentColumns]) {
            segmentCount = [UInt32](repeating: 0, count: nodes.count)
            textHash = [UInt64](repeating: 0, count: nodes.count)
            var row: [UInt64: Int] = [:]
            row.reserveCapacity(nodes.count)
            for (index, id) in nodes.enumerated() { row[id] = index }
            for part in segments {
                for i in 0..<part.count {
                    guard let node = row[part.document[i]] else { continue }
                    segmentCount[node] += 1
                    textHash[node] = KeyedRandom.mix(textHash[node], part.hash[i])
                }
            }
        }
    }

    /// Links of one anchor segment, for `link_scope: segment`: (node, ordinal) → target nodes, ascending and distinct.
    package typealias SegmentLinks = (_ node: Int, _ ordinal: Int) -> [UInt32]

    /// The index of one bucket.
    ///
    /// - Parameters:
    ///   - graph: the candidate links. Its own sides are not read.
    ///   - sides: side of each node of `graph`, from the graph wired as `sides`.
    ///   - segmentLinks: nil for `link_scope: document`.
    package init(
        graph: GraphColumns, sides: [UInt8], documents: Documents, bucket: Int, buckets: Int,
        segmentLinks: SegmentLinks? = nil
    ) {
        let nodes = graph.node.count
        let usable = { (node: Int) in documents.segmentCount[node] > 0 }
        var inDegree = [Int](repeating: 0, count: nodes)
        for node in 0..<nodes where usable(node) {
            for target in graph.outLinks(node) where sides[Int(target)] == sides[node] { inDegree[Int(target)] += 1 }
        }
        let isIn = { (node: Int) in Self.bucket(of: graph.node[node], buckets: buckets) == bucket }
        let drawable = { (node: Int, target: Int) in
            target != node && sides[target] == sides[node] && usable(target)
        }
        var kept = [Bool](repeating: false, count: nodes)
        for node in 0..<nodes where usable(node) && isIn(node) {
            kept[node] = true
            for target in graph.outLinks(node) where drawable(node, Int(target)) { kept[Int(target)] = true }
        }
        var row = [UInt32](repeating: 0, count: nodes)
        for node in 0..<nodes where kept[node] {
            row[node] = UInt32(id.count)
            id.append(graph.node[node])
            side.append(sides[node])
            segmentCount.append(documents.segmentCount[node])
            textHash.append(documents.textHash[node])
            degreeClass.append(Self.degreeClass(inDegree[node]))
            inBucket.append(isIn(node) ? 1 : 0)
        }
        if segmentLinks != nil { segmentOffsets = [0] }
        for node in 0..<nodes where kept[node] {
            if isIn(node) {
                for target in graph.outLinks(node) where drawable(node, Int(target)) {
                    targets.append(row[Int(target)])
                }
                if let segmentLinks {
                    for ordinal in 0..<Int(documents.segmentCount[node]) {
                        for target in segmentLinks(node, ordinal) where drawable(node, Int(target)) {
                            segmentTargets.append(row[Int(target)])
                        }
                        segmentOffsets.append(Int64(segmentTargets.count))
                    }
                }
            }
            offsets.append(Int64(targets.count))
        }
    }
}
