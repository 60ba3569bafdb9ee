// The keys of `link-extract`, and which of them each kind of link reads.

import Corpus
package import Pipeline

package struct LinkExtractConfig: StageConfig {
    package enum Kind: String, CaseIterable, Sendable {
        case hyperlink, citation, edges, lexical, random

        /// The keys beside `kind` that this kind reads.
        var keys: [String] {
            switch self {
            case .hyperlink, .citation: ["url_decode"]
            case .edges: ["edges", "edges_by", "skip_lines", "url_decode", "max_rejected"]
            case .lexical: ["per_document", "similarity", "hash_bits", "stop_share", "min_score"]
            case .random: ["per_document", "seed"]
            }
        }
    }
    package enum EdgesBy: String, CaseIterable, Sendable {
        case any, title, alias
        case sourceID = "source_id"
        case doi, pmid, pmcid, arxiv
    }
    package enum Similarity: String, CaseIterable, Sendable { case cosine, dot }

    package var kind = Kind.hyperlink
    package var edges: InputFile?
    package var edgesBy = EdgesBy.any
    package var skipLines = 0
    package var urlDecode = false
    package var perDocument = 5
    package var similarity = Similarity.cosine
    package var hashBits = 24
    package var stopShare = 0.5
    package var minScore = 0.0
    package var seed = 13
    package var maxRejected = 0.01

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice(
                "kind", \.kind,
                help:
                    "hyperlink: link spans to titles; citation: to identifiers such as doi:…; edges: a file; lexical: documents of similar words; random: the ablation"
            ),
            .file(
                "edges", \.edges,
                help:
                    "edges: source and target separated by a tab, else by the only comma; one edge a line; # begins a comment; may be compressed"
            ),
            .choice(
                "edges_by", \.edgesBy,
                help:
                    "edges: what names in the edge list are; any: an alias, else a title, else a source id; doi, pmid, pmcid, arxiv: such identifiers, with or without `pmid:` before them"
            ),
            .int("skip_lines", \.skipLines, in: 0...1_000_000, help: "edges: lines of a header, which are not read"),
            .bool(
                "url_decode", \.urlDecode,
                help: "hyperlink, citation, edges: targets are percent-encoded (`%C3%81ed` for `Áed`)"),
            .int("per_document", \.perDocument, in: 1...1000, help: "lexical, random: links of each document"),
            .choice(
                "similarity", \.similarity,
                help: "lexical: of tf-idf vectors; cosine as in the article's ablation, dot as in DrQA"),
            .int(
                "hash_bits", \.hashBits, in: LexicalOptions.hashBitsRange,
                help: "lexical: words and pairs of words are hashed into 2^n buckets; 12 bytes of memory a bucket"),
            .number(
                "stop_share", \.stopShare, in: 0.01...1,
                help: "lexical: words in a larger share of the documents are left out, with pairs that hold them"),
            .number("min_score", \.minScore, in: 0...1e9, help: "lexical: links of lower similarity are left out"),
            .int("seed", \.seed, in: 0...Int.max, help: "random: of the draw"),
            .number(
                "max_rejected", \.maxRejected, in: 0...1,
                help: "edges: share of malformed lines past which the stage fails"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if kind == .edges, edges == nil {
            problems.append(
                ConfigProblem("is missing", key: "edges", cause: "`kind: edges` reads it", fix: "name the file"))
        }
        for key in Self.keys where key.name != "kind" && !kind.keys.contains(key.name) {
            // A file is no part of a canonical config.
            guard key.isSet(in: self) || (key.name == "edges" && edges != nil) else { continue }
            let readers = Kind.allCases.filter { $0.keys.contains(key.name) }.map { "`kind: \($0.rawValue)`" }
            problems.append(
                ConfigProblem(
                    "has no effect with `kind: \(kind.rawValue)`", key: key.name,
                    fix: "remove it, or write \(readers.joined(separator: " or "))"))
        }
        return problems
    }

    var lexicalOptions: LexicalOptions {
        var options = LexicalOptions()
        options.similarity = similarity == .dot ? .dot : .cosine
        options.count = perDocument
        options.hashBits = hashBits
        options.stopShare = stopShare
        options.minimumScore = minScore
        return options
    }
}
