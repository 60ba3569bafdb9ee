// Builds the facts of one bucket from the graph, the sides and the summary columns of the segments.

import Container

extension SamplingIndex {
    /// What building needs to know of each document of the corpus, aligned with `graph.node`.
    package struct Documents: Sendable {
        /// Segments of each node; 0 for documents without text.
        package var segmentCount: [UInt32]
        package var textHash: [UInt64]

        private let index: DocumentIndex

        /// Documents without segments; those come by `add`.
        /// - Parameter nodes: ascending.
        package init(nodes: [UInt64]) {
            segmentCount = [UInt32](repeating: 0, count: nodes.count)
            textHash = [UInt64](repeating: 0, count: nodes.count)
            index = DocumentIndex(sorted: nodes)
        }

        /// From whole parts.
        package init(nodes: [UInt64], segments: [SegmentColumns]) {
            self.init(nodes: nodes)
            for part in segments { add(document: part.document, hash: part.hash) }
        }

        /// Adds segments, given by two columns of `segments`: rows of one document are consecutive and ordered.
        package mutating func add(document: [UInt64], hash: [UInt64]) {
            var node: Int?
            for i in document.indices {
                if i == 0 || document[i] != document[i - 1] { node = index[document[i]] }
                guard let node else { continue }
                segmentCount[node] += 1
                textHash[node] = KeyedRandom.mix(textHash[node], hash[i])
            }
        }

        /// Gives the documents of a group of nearly equal texts one hash, so that none is drawn as another's negative.
        /// - Parameter leader: index of the first node of each one's group.
        package mutating func join(_ leader: [UInt32], of nodes: [UInt64]) {
            for (node, first) in leader.enumerated() where Int(first) != node {
                textHash[Int(first)] = KeyedRandom.mix(Self.group, nodes[Int(first)])
                textHash[node] = textHash[Int(first)]
            }
        }

        private static let group: UInt64 = 0x6772_6F75_70
    }

    /// Links of one anchor segment, for `link_scope: segment`: (node, ordinal) → target nodes, ascending and distinct.
    package typealias SegmentLinks = (_ node: Int, _ ordinal: Int) -> [UInt32]

    /// Documents near a node, ascending and distinct, for hard negatives; those that cannot be drawn are taken out here.
    package typealias Neighbours = (_ node: Int) -> [UInt32]

    /// No side.
    private static let unusable = UInt8.max

    /// The index of one bucket.
    ///
    /// - Parameters:
    ///   - graph: the candidate links. Its own sides are not read.
    ///   - sides: side of each node of `graph`, from the graph wired as `sides`.
    ///   - segmentLinks: nil for `link_scope: document`.
    ///   - neighbours: nil without hard negatives.
    package init(
        graph: GraphColumns, sides: [UInt8], documents: Documents, bucket: Int, buckets: Int,
        segmentLinks: SegmentLinks? = nil, neighbours: Neighbours? = nil
    ) {
        let nodes = graph.node.count
        // What an edge asks of its other end, in one byte: its side, or that it has no segments.
        let pool = (0..<nodes).map { documents.segmentCount[$0] > 0 ? sides[$0] : Self.unusable }
        let usable = { (node: Int) in pool[node] != Self.unusable }
        var inDegree = [UInt32](repeating: 0, count: nodes)
        for node in 0..<nodes where usable(node) {
            for target in graph.outLinks(node) where pool[Int(target)] == pool[node] { inDegree[Int(target)] += 1 }
        }
        let isIn = { (node: Int) in Self.bucket(of: graph.node[node], buckets: buckets) == bucket }
        let drawable = { (node: Int, target: Int) in target != node && pool[target] == pool[node] }
        var kept = [Bool](repeating: false, count: nodes)
        var isTarget = kept
        // Candidates for hard negatives as nodes, in the order of the bucket's nodes; rows are known later.
        var hard: [UInt32] = []
        var hardCounts: [UInt32] = []
        var links = 0
        for node in 0..<nodes where usable(node) && isIn(node) {
            kept[node] = true
            for target in graph.outLinks(node) where drawable(node, Int(target)) {
                kept[Int(target)] = true
                isTarget[Int(target)] = true
                links += 1
            }
            guard let neighbours else { continue }
            let before = hard.count
            for other in neighbours(node)
            where drawable(node, Int(other)) && documents.textHash[Int(other)] != documents.textHash[node]
                && !graph.hasLink(node, Int(other)) && !graph.hasLink(Int(other), node)
            {
                kept[Int(other)] = true
                hard.append(other)
            }
            hardCounts.append(UInt32(hard.count - before))
        }
        var row = [UInt32](repeating: 0, count: nodes)
        for node in 0..<nodes where kept[node] {
            row[node] = UInt32(id.count)
            id.append(graph.node[node])
            side.append(sides[node])
            segmentCount.append(documents.segmentCount[node])
            textHash.append(isIn(node) ? documents.textHash[node] : 0)
            degreeClass.append(isTarget[node] ? Self.degreeClass(Int(inDegree[node])) : 0)
            inBucket.append(isIn(node) ? 1 : 0)
        }
        targets.reserveCapacity(links)
        if segmentLinks != nil { segmentOffsets = [0] }
        if neighbours != nil { hardOffsets = [0] }
        hardTargets = hard.map { row[Int($0)] }
        var inOrder = 0
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
            if neighbours != nil {
                let own = isIn(node) ? Int64(hardCounts[inOrder]) : 0
                hardOffsets.append(hardOffsets[hardOffsets.count - 1] + own)
                if isIn(node) { inOrder += 1 }
            }
        }
    }
}
