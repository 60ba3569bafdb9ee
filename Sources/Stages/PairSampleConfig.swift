// The keys of `pair-sample`.

import Corpus
package import Pipeline

/// `negatives: {hard: share, from: …}`.
package struct NegativesConfig: StageConfig {
    package enum Source: String, CaseIterable, Sendable {
        case twoHop = "two_hop"
        case lexical
    }

    package var hard = 0.0
    package var from = Source.twoHop

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .number("hard", \.hard, in: 0...1, help: "share of the random pairs whose B is from a document near A's"),
            .choice(
                "from", \.from,
                help:
                    "two_hop: documents that are two links away; lexical: links of the port `neighbours`; never one that is linked with A's"
            ),
        ]
    }

    package func problems() -> [ConfigProblem] {
        from == .lexical && hard == 0
            ? [ConfigProblem("has no effect while `hard` is 0", key: "from", fix: "set `hard`, or remove it")] : []
    }
}

package struct PairSampleConfig: StageConfig {
    package enum LinkScope: String, CaseIterable, Sendable { case document, segment }
    package enum Anchor: String, CaseIterable, Sendable { case segment }
    package enum Fallback: String, CaseIterable, Sendable { case redraw }
    package enum TargetSegment: String, CaseIterable, Sendable { case uniform, first }
    package enum Exclusion: String, CaseIterable, Sendable {
        case sameDocument = "same_document"
        case outLink = "out_link"
        case inLink = "in_link"
        case equalText = "equal_text"
    }
    package enum DrawnSide: String, CaseIterable, Sendable {
        case train, validation, test
        var side: Side {
            switch self {
            case .train: .train
            case .validation: .validation
            case .test: .test
            }
        }
    }

    package var mix: [String: Double] = ["contiguous": 1, "random": 1, "linked": 1]
    package var passes = 10
    package var seed = 0
    package var draw: [DrawnSide] = [.train, .validation]
    package var linkScope = LinkScope.document
    package var targetSegment = TargetSegment.uniform
    package var anchor = Anchor.segment
    package var noLink = Fallback.redraw
    package var noNext = Fallback.redraw
    package var diversity = 1.0
    package var negatives = NegativesConfig()
    package var negativesExclude = Exclusion.allCases
    package var randomBuckets = 1

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .weights(
                "mix", \.mix, names: Relation.allCases.map(\.name),
                help: "shares of the relations; each pass and side realises them as a quota"),
            .int("passes", \.passes, in: 1...65_535, help: "times that every segment is an anchor"),
            .int("seed", \.seed, in: 0...Int.max, help: "every draw is a function of (seed, pass, document, segment)"),
            .choices("draw", \.draw, help: "the sides that pairs are drawn for"),
            .choice(
                "link_scope", \.linkScope,
                help: "document: B's document is linked from A's; segment: from a link whose anchor lies in A"),
            .choice("target_segment", \.targetSegment, help: "which segment of the target document becomes B"),
            .choice("anchor", \.anchor, help: "segment: every segment is an anchor once a pass"),
            .choice("no_link", \.noLink, help: "an anchor without a link draws another relation within the quota"),
            .choice(
                "no_next", \.noNext, help: "an anchor without a next segment draws another relation within the quota"),
            .number(
                "diversity", \.diversity, in: 0...4,
                help: "linked targets are weighted 1/in-degree^d: 1 as in the article, 0 its ablation"),
            .nested("negatives", \.negatives, help: "a share of random pairs whose B is near A's document"),
            .choices(
                "negatives_exclude", \.negativesExclude,
                help: "documents that a random draw refuses; equal_text: of nearly equal text too, by the graph"),
            .int(
                "random_buckets", \.randomBuckets, in: 1...65_536,
                help: "random segments come from the anchor's bucket; more buckets, less recomputation per added file"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        draw.isEmpty ? [ConfigProblem("names no side", key: "draw", fix: "write e.g. [train, validation]")] : []
    }

    var relationMix: RelationMix {
        RelationMix(contiguous: mix["contiguous"] ?? 0, random: mix["random"] ?? 0, linked: mix["linked"] ?? 0)
    }

    var options: PairSampler.Options {
        var options = PairSampler.Options()
        options.mix = relationMix
        options.seed = UInt64(seed)
        options.diversity = diversity
        options.draw = Set(draw.map(\.side))
        options.excludeOwnDocument = negativesExclude.contains(.sameDocument)
        options.excludeOutLinks = negativesExclude.contains(.outLink)
        options.excludeInLinks = negativesExclude.contains(.inLink)
        options.excludeEqualText = negativesExclude.contains(.equalText)
        options.firstTargetSegment = targetSegment == .first
        options.hardShare = negatives.hard
        return options
    }
}
