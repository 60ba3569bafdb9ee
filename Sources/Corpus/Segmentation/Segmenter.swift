// Cuts a document's tokens into segments: within the budget, at sentence and block ends, balanced in length.

package struct SegmentRule: Sendable, Equatable {
    /// The most tokens of a segment: two of them and `[CLS]`, `[SEP]`, `[SEP]` fill a sequence.
    package var budget: Int
    /// A document of at least twice as many tokens gives at least two segments.
    package var minTokens: Int

    package init(maxSeqLength: Int, minTokens: Int = 64) {
        budget = (maxSeqLength - 3) / 2
        self.minTokens = minTokens
    }
}

package struct SegmentCounts: Sendable, Equatable {
    package var documents = 0
    package var segments = 0
    package var tokens = 0
    /// Documents without tokens: they give no segment.
    package var empty = 0
    /// Documents of fewer than `minTokens` tokens: they give one segment, or as many as the budget demands.
    package var short = 0
    /// Segments that end inside a sentence.
    package var hardCuts = 0
    /// Segments by length: `lengths[n]` have n tokens.
    package var lengths: [Int] = []

    package init() {}

    package static func += (a: inout SegmentCounts, b: SegmentCounts) {
        a.documents += b.documents
        a.segments += b.segments
        a.tokens += b.tokens
        a.empty += b.empty
        a.short += b.short
        a.hardCuts += b.hardCuts
        if a.lengths.count < b.lengths.count {
            a.lengths += Array(repeating: 0, count: b.lengths.count - a.lengths.count)
        }
        for (length, count) in b.lengths.enumerated() { a.lengths[length] += count }
    }

    /// The length that a share `q` of the segments does not exceed; 0 if there are none.
    package func quantile(_ q: Double) -> Int {
        let wanted = max(1, Int((q * Double(segments)).rounded(.up)))
        var seen = 0
        for (length, count) in lengths.enumerated() {
            seen += count
            if seen >= wanted { return length }
        }
        return 0
    }
}

/// Chooses, for one document after the other, the cuts of least cost.
///
/// The target length is n / k, where k is the least number of segments that the budget allows, and at least 2 for a
/// document of 2 · `minTokens`. A segment costs the square of its distance from the target; one that ends inside a
/// block costs a little more, so a block end wins over a sentence end nearby; one that ends right after a heading costs
/// so much that it happens only where the budget leaves no choice. A heading is known by its form: a block of one
/// sentence of at most 12 tokens with another block after it.
/// A sentence longer than the budget may be cut into the fewest parts that fit, of about equal length, so that no
/// crumb is left over; each cut is moved back by up to 16 tokens to a gap between words. If the whole of a document that
/// must give two segments is one sentence, it is cut in the middle.
/// - Complexity: O(sentences · sentences in a budget) a document; buffers are reused.
package struct Segmenter: Sendable {
    package static let headingTokens = 12
    package static let gapSearch = 16

    package let rule: SegmentRule
    package private(set) var counts = SegmentCounts()
    /// Possible cuts: token positions within the document, beginning with 0, ending with its length.
    private var cuts: [Int] = []
    private var kinds: [CutKind] = []
    private var cost: [Int] = []
    private var previous: [Int] = []

    private enum CutKind { case insideSentence, sentenceEnd, blockEnd, headingEnd }

    package init(_ rule: SegmentRule) {
        precondition(rule.budget > 0, "a sequence must leave room for tokens")
        self.rule = rule
        counts.lengths = Array(repeating: 0, count: rule.budget + 1)
    }

    /// Appends the segments of document `row`.
    package mutating func append(_ row: Int, of tokens: TokenView, to segments: inout SegmentColumns) {
        counts.documents += 1
        let range = tokens.tokens(row)
        guard !range.isEmpty else {
            counts.empty += 1
            return
        }
        counts.tokens += range.count
        if range.count < rule.minTokens { counts.short += 1 }
        let mustSplit = range.count >= 2 * rule.minTokens && range.count > 1
        let least = max((range.count + rule.budget - 1) / rule.budget, mustSplit ? 2 : 1)
        findCuts(row, tokens, mustSplit)
        choose(target: range.count / least, mustSplit)

        var ends: [Int] = []
        var at = cuts.count - 1
        while at > 0 {
            ends.append(at)
            at = previous[at]
        }
        var first = 0
        for (ordinal, cut) in ends.reversed().enumerated() {
            let end = cuts[cut]
            segments.document.append(tokens.document[row])
            segments.ordinal.append(UInt32(ordinal))
            segments.first.append(UInt32(first))
            segments.end.append(UInt32(end))
            segments.hash.append(tokens.ids.hash(range.lowerBound + first..<range.lowerBound + end))
            counts.segments += 1
            counts.lengths[end - first] += 1
            if kinds[cut] == .insideSentence { counts.hardCuts += 1 }
            first = end
        }
    }

    /// Fills `cuts` and `kinds`: every sentence end, and places inside sentences where there must be some.
    private mutating func findCuts(_ row: Int, _ tokens: TokenView, _ mustSplit: Bool) {
        cuts.removeAll(keepingCapacity: true)
        kinds.removeAll(keepingCapacity: true)
        cuts.append(0)
        kinds.append(.blockEnd)
        let sentences = Int(tokens.documentOffsets[row])..<Int(tokens.documentOffsets[row + 1])
        let origin = tokens.tokens(row).lowerBound
        let length = tokens.tokens(row).count
        for sentence in sentences {
            let begin = Int(tokens.sentenceOffsets[sentence]) - origin
            let end = Int(tokens.sentenceOffsets[sentence + 1]) - origin
            if begin == end { continue }
            if mustSplit, end - begin == length, length <= rule.budget {
                appendCut(gap(before: (length + 1) / 2, after: 0, origin, tokens), .insideSentence)
            }
            var from = begin
            while end - from > rule.budget {
                let parts = (end - from + rule.budget - 1) / rule.budget
                from = gap(before: from + (end - from + parts - 1) / parts, after: from, origin, tokens)
                appendCut(from, .insideSentence)
            }
            appendCut(end, kind(sentence, sentences, tokens))
        }
    }

    private mutating func appendCut(_ position: Int, _ kind: CutKind) {
        cuts.append(position)
        kinds.append(kind)
    }

    private func kind(_ sentence: Int, _ sentences: Range<Int>, _ tokens: TokenView) -> CutKind {
        guard sentence + 1 < sentences.upperBound else { return .blockEnd }
        if tokens.block[sentence + 1] == tokens.block[sentence] { return .sentenceEnd }
        let isAlone = sentence == sentences.lowerBound || tokens.block[sentence - 1] != tokens.block[sentence]
        let length = tokens.sentenceOffsets[sentence + 1] - tokens.sentenceOffsets[sentence]
        return isAlone && length <= Self.headingTokens ? .headingEnd : .blockEnd
    }

    /// The last position in the 16 up to `limit`, but after `from`, where the text has a gap before the token.
    private func gap(before limit: Int, after from: Int, _ origin: Int, _ tokens: TokenView) -> Int {
        var position = limit
        while position > from + 1, limit - position < Self.gapSearch {
            if tokens.begin[origin + position] > tokens.end[origin + position - 1] { return position }
            position -= 1
        }
        return limit
    }

    /// The cheapest chain of cuts from the first to the last, in `previous`. Among equal costs the earlier cut wins.
    private mutating func choose(target: Int, _ mustSplit: Bool) {
        cost.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        cost.append(0)
        previous.append(0)
        for end in 1..<cuts.count {
            var best = Int.max
            var from = end - 1
            var begin = end - 1
            while begin >= 0, cuts[end] - cuts[begin] <= rule.budget {
                let isWhole = begin == 0 && end == cuts.count - 1 && cuts.count > 2
                if !(mustSplit && isWhole) {
                    let distance = cuts[end] - cuts[begin] - target
                    let total = cost[begin] + distance * distance
                    if total <= best {
                        best = total
                        from = begin
                    }
                }
                begin -= 1
            }
            cost.append(best + penalty(kinds[end], target))
            previous.append(from)
        }
    }

    private func penalty(_ kind: CutKind, _ target: Int) -> Int {
        switch kind {
        case .blockEnd: 0
        case .sentenceEnd: target * target / 64
        case .insideSentence: target * target
        case .headingEnd: 4 * target * target
        }
    }
}
