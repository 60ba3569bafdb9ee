// Draws segment B for every anchor: the next segment, a random one, or one of a linked document (LinkBERT, ACL 2022,
// section 4.1). Every draw is a pure function of (seed, pass, document, segment).

import Container

/// What the pairs of one (bucket, pass) look like, in numbers that add up over buckets and passes.
package struct PairCounts: Sendable, Equatable {
    /// By side, then relation.
    package var relation = [[Int]](repeating: [0, 0, 0], count: 3)
    package var anchors = [0, 0, 0]
    package var leftOut = [0, 0, 0]
    package var redraws = [0, 0, 0]
    /// Random draws refused because the document was the anchor's own, linked to it, or of equal text.
    package var refusedNegatives = 0
    /// Random pairs whose B is a hard negative, and those that were to have one where the document has none.
    package var hardNegatives = [0, 0, 0]
    package var withoutHardNegative = [0, 0, 0]

    package init() {}

    package mutating func add(_ other: PairCounts) {
        for side in 0..<3 {
            for r in 0..<3 { relation[side][r] += other.relation[side][r] }
            anchors[side] += other.anchors[side]
            leftOut[side] += other.leftOut[side]
            redraws[side] += other.redraws[side]
            hardNegatives[side] += other.hardNegatives[side]
            withoutHardNegative[side] += other.withoutHardNegative[side]
        }
        refusedNegatives += other.refusedNegatives
    }
}

/// A relation that no anchor of a side can fill.
package struct PairSamplingError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    package var cause: String
    package var fix: String
    package var description: String { message }
}

package struct PairSampler: Sendable {
    package struct Options: Sendable, Equatable {
        package var mix = RelationMix()
        package var seed: UInt64 = 0
        /// Exponent d of the weight 1 / in-degree^d; 1 is the article's rule, 0 its "no diversity" ablation.
        package var diversity = 1.0
        package var draw: Set<Side> = [.train, .validation]
        package var excludeOwnDocument = true
        /// Documents the anchor's document links to.
        package var excludeOutLinks = true
        /// Documents that link to the anchor's document.
        package var excludeInLinks = true
        package var excludeEqualText = true
        /// `target_segment: first` instead of uniform.
        package var firstTargetSegment = false
        /// Share of the random pairs whose B is drawn from the document's hard negatives.
        package var hardShare = 0.0
        /// Names the bucket in errors, e.g. ` in bucket 3 of 8`; empty if there is one.
        package var bucketName = ""

        package init() {}
    }

    package let index: SamplingIndex
    package let options: Options
    /// Rows of each side that random draws choose from.
    private let candidates: [[UInt32]]
    /// First anchor number of each row, for segment links.
    private let firstAnchor: [Int]
    private let weightOfClass: [Double]

    package init(index: SamplingIndex, options: Options) {
        self.index = index
        self.options = options
        var candidates: [[UInt32]] = [[], [], []]
        var firstAnchor: [Int] = []
        var anchors = 0
        for row in 0..<index.count {
            firstAnchor.append(anchors)
            guard index.inBucket[row] == 1 else { continue }
            anchors += Int(index.segmentCount[row])
            candidates[Int(index.side[row])].append(UInt32(row))
        }
        self.candidates = candidates
        self.firstAnchor = firstAnchor
        let classes = Int(index.degreeClass.max() ?? 0) + 1
        weightOfClass = (0..<classes).map { Self.power2(-options.diversity * Double($0) / 16) }
    }

    /// All pairs of one pass, anchors in (document id, ordinal) order.
    ///
    /// - Throws: `PairSamplingError` naming the relation if one that the mix asks for cannot be filled by any anchor of the
    ///   training side. Validation and test go without it then.
    package func pairs(pass: Int) throws -> (pairs: PairColumns, counts: PairCounts) {
        var out = PairColumns()
        var counts = PairCounts()
        var relation = [UInt8?](repeating: nil, count: (firstAnchor.last ?? 0) + Int(index.segmentCount.last ?? 0))
        for side in Side.allCases where options.draw.contains(side) {
            try assign(side, pass, &relation, &counts)
        }
        for row in 0..<index.count where index.inBucket[row] == 1 {
            for ordinal in 0..<Int(index.segmentCount[row]) {
                guard let chosen = relation[firstAnchor[row] + ordinal].flatMap(Relation.init) else { continue }
                guard let (bRow, bSegment) = target(chosen, row, ordinal, pass, &counts) else {
                    counts.leftOut[Int(index.side[row])] += 1
                    continue
                }
                out.aDocument.append(index.id[row])
                out.aSegment.append(UInt32(ordinal))
                out.bDocument.append(index.id[bRow])
                out.bSegment.append(UInt32(bSegment))
                out.relation.append(chosen.rawValue)
                out.pass.append(UInt16(pass))
                out.side.append(index.side[row])
                counts.relation[Int(index.side[row])][Int(chosen.rawValue)] += 1
            }
        }
        return (out, counts)
    }

    /// One key per anchor and purpose; `purpose` keeps the draws of one anchor apart.
    private func key(_ row: Int, _ ordinal: Int, _ pass: Int, _ purpose: UInt64) -> UInt64 {
        var key = KeyedRandom.mix(options.seed, UInt64(pass))
        key = KeyedRandom.mix(key, index.id[row])
        return KeyedRandom.mix(key, UInt64(ordinal) << 8 | purpose)
    }

    private func assign(_ side: Side, _ pass: Int, _ relation: inout [UInt8?], _ counts: inout PairCounts) throws {
        var anchors: [(row: UInt32, ordinal: UInt32)] = []
        var anchorOptions: [AnchorOptions] = []
        for row in candidates[Int(side.rawValue)].map(Int.init) {
            let segments = Int(index.segmentCount[row])
            let documentHasLinks = !index.links(row).isEmpty
            for ordinal in 0..<segments {
                anchors.append((UInt32(row), UInt32(ordinal)))
                let linked =
                    index.hasSegmentLinks ? !index.links(segment: firstAnchor[row] + ordinal).isEmpty : documentHasLinks
                anchorOptions.append(AnchorOptions(contiguous: ordinal + 1 < segments, linked: linked))
            }
        }
        guard !anchors.isEmpty else { return }
        counts.anchors[Int(side.rawValue)] += anchors.count
        let mix = try possibleMix(side, anchorOptions)
        guard mix.total > 0 else {
            counts.leftOut[Int(side.rawValue)] += anchors.count
            return
        }
        let quota = RelationQuota(options: anchorOptions, mix: mix, turn: pass) { anchor in
            key(Int(anchors[anchor].row), Int(anchors[anchor].ordinal), pass, 1)
        }
        for (number, anchor) in anchors.enumerated() {
            relation[firstAnchor[Int(anchor.row)] + Int(anchor.ordinal)] = quota.relation[number]
        }
        counts.redraws[Int(side.rawValue)] += quota.redraws
        counts.leftOut[Int(side.rawValue)] += quota.leftOut
    }

    /// The mix asked for, as far as the side can give it. What to train on must be as asked; what a model is measured on may
    /// lack a relation, since an error after the training would cost more than a warning (`PairCounts` tells).
    /// - Throws: `PairSamplingError` for the training side.
    private func possibleMix(_ side: Side, _ anchors: [AnchorOptions]) throws -> RelationMix {
        var mix = options.mix
        let place = "the \(side.name) side\(options.bucketName)"
        if mix.linked > 0, !anchors.contains(where: \.linked) {
            mix.linked = 0
            try refuse(
                side, "linked pairs", "no document of \(place) links to another one of it",
                cause: index.targets.isEmpty
                    ? "the document graph holds no usable link at all"
                    : "links are drawn inside a side only, and this side keeps none",
                fix: "check `linkloom stats FILE links`, enlarge the side (`sides` of stage graph)\(fewerBuckets), or "
                    + "set the linked share of `mix` to 0")
        }
        if mix.contiguous > 0, !anchors.contains(where: \.contiguous) {
            mix.contiguous = 0
            try refuse(
                side, "contiguous pairs", "no document of \(place) has two segments",
                cause: "documents shorter than 2 × min_tokens give one segment",
                fix: "lower `min_tokens` of stage segment, enlarge the side\(fewerBuckets), or set the contiguous "
                    + "share of `mix` to 0")
        }
        if mix.random > 0, candidates[Int(side.rawValue)].count < 2 {
            mix.random = 0
            try refuse(
                side, "random pairs", "\(place) has only one document to draw from",
                cause: "a random segment B must come from another document of the same side and bucket",
                fix: "enlarge the side (`sides` of stage graph)\(fewerBuckets), or set the random share of `mix` to 0")
        }
        return mix
    }

    private func refuse(_ side: Side, _ pairs: String, _ reason: String, cause: String, fix: String) throws {
        guard side == .train else { return }
        throw PairSamplingError(message: "the mix asks for \(pairs), but \(reason)", cause: cause, fix: fix)
    }

    private var fewerBuckets: String { options.bucketName.isEmpty ? "" : ", lower `random_buckets`" }

    /// Nil if a random document is asked for and every other one is excluded: the anchor sits the pass out.
    private func target(
        _ relation: Relation, _ row: Int, _ ordinal: Int, _ pass: Int, _ counts: inout PairCounts
    ) -> (row: Int, segment: Int)? {
        switch relation {
        case .contiguous:
            return (row, ordinal + 1)
        case .random:
            guard let drawn = hardRow(row, ordinal, pass, &counts) ?? randomRow(row, ordinal, pass, &counts)
            else { return nil }
            return (drawn, segment(of: drawn, row, ordinal, pass))
        case .linked:
            let links = index.hasSegmentLinks ? index.links(segment: firstAnchor[row] + ordinal) : index.links(row)
            let drawn = linkedRow(links, key(row, ordinal, pass, 3))
            return (drawn, segment(of: drawn, row, ordinal, pass))
        }
    }

    private func segment(of target: Int, _ row: Int, _ ordinal: Int, _ pass: Int) -> Int {
        if options.firstTargetSegment { return 0 }
        return Int(KeyedRandom.below(key(row, ordinal, pass, 4), UInt64(index.segmentCount[target])))
    }

    private func isExcluded(_ candidate: Int, for row: Int) -> Bool {
        if candidate == row { return options.excludeOwnDocument }
        if options.excludeOutLinks, index.hasLink(row, candidate) { return true }
        if options.excludeInLinks, index.hasLink(candidate, row) { return true }
        return options.excludeEqualText && index.textHash[candidate] == index.textHash[row]
    }

    /// One of the document's hard negatives, for the share of random pairs that asks for them; nil for the others, and
    /// where the document has none.
    private func hardRow(_ row: Int, _ ordinal: Int, _ pass: Int, _ counts: inout PairCounts) -> Int? {
        guard options.hardShare > 0, KeyedRandom.unit(key(row, ordinal, pass, 6)) < options.hardShare else {
            return nil
        }
        let hard = index.hardNegatives(row)
        guard !hard.isEmpty else {
            counts.withoutHardNegative[Int(index.side[row])] += 1
            return nil
        }
        counts.hardNegatives[Int(index.side[row])] += 1
        return Int(hard[hard.startIndex + Int(KeyedRandom.below(key(row, ordinal, pass, 7), UInt64(hard.count)))])
    }

    /// Uniform over the side's other documents; refused draws are drawn again, and after 64 of them the candidates are
    /// walked from the last draw on, so that it ends. Nil if all of them are excluded.
    private func randomRow(_ row: Int, _ ordinal: Int, _ pass: Int, _ counts: inout PairCounts) -> Int? {
        let pool = candidates[Int(index.side[row])]
        var key = key(row, ordinal, pass, 2)
        var position = 0
        for _ in 0..<64 {
            position = Int(KeyedRandom.below(key, UInt64(pool.count)))
            if !isExcluded(Int(pool[position]), for: row) { return Int(pool[position]) }
            if Int(pool[position]) != row { counts.refusedNegatives += 1 }
            key = KeyedRandom.mix(key, 5)
        }
        for step in 0..<pool.count {
            let candidate = Int(pool[(position + step) % pool.count])
            if !isExcluded(candidate, for: row) { return candidate }
        }
        return nil
    }

    /// P(j | i) ∝ 1 / in-degree(j)^d over i's links (LinkBERT, section 4.3, "diversity").
    private func linkedRow(_ links: ArraySlice<UInt32>, _ key: UInt64) -> Int {
        var sum = 0.0
        for target in links { sum += weightOfClass[Int(index.degreeClass[Int(target)])] }
        var position = KeyedRandom.unit(key) * sum
        for target in links {
            position -= weightOfClass[Int(index.degreeClass[Int(target)])]
            if position < 0 { return Int(target) }
        }
        return Int(links[links.endIndex - 1])
    }

    /// 2^x in plain arithmetic, so that no C library's last bit can move a draw: x = whole + f, 2^f by its series.
    private static func power2(_ x: Double) -> Double {
        let whole = x.rounded(.down)
        let t = (x - whole) * 0.693147180559945309417
        var term = 1.0
        var sum = 1.0
        for k in 1...24 {
            term *= t / Double(k)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(whole), significand: sum)
    }
}
