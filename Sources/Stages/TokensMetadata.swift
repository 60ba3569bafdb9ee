// The facts of the vocabulary that travel in the metadata of `tokens` and `shards`, so that later stages need no
// vocabulary to build rows.

import Container
import Corpus
import Pipeline

struct TokensMetadata {
    var vocabularySize: Int
    var special: SpecialTokenIDs
    /// What the ids stand for: SHA-256 of the tokens, each with a line feed behind it, as a vocab.txt holds them. Nil for
    /// artifacts that other tools wrote without it.
    var tokensDigest: Digest?

    init(vocabularySize: Int, special: SpecialTokenIDs, tokensDigest: Digest? = nil) {
        self.vocabularySize = vocabularySize
        self.special = special
        self.tokensDigest = tokensDigest
    }

    /// Whether ids of one mean the same as ids of the other, as far as both say.
    func agrees(with other: TokensMetadata) -> Bool {
        vocabularySize == other.vocabularySize && special == other.special
            && (tokensDigest == nil || other.tokensDigest == nil || tokensDigest == other.tokensDigest)
    }

    /// Reads `vocabulary_size`, `special_tokens` and `tokens_sha256` of an artifact's metadata.
    init(_ artifact: StoredArtifact) throws {
        let metadata = artifact.manifest.metadata
        func id(_ name: String) throws -> UInt32 {
            guard let id = metadata["special_tokens"]?[name]?.int, id >= 0, id <= Int64(UInt32.max) else {
                throw StageError(
                    "the \(artifact.manifest.type) artifact does not say which id its '\(name)' token has",
                    cause: "its metadata lacks special_tokens.\(name)", fix: "make it again with this version")
            }
            return UInt32(id)
        }
        guard let size = metadata["vocabulary_size"]?.int, size > 0 else {
            throw StageError(
                "the \(artifact.manifest.type) artifact does not say how large its vocabulary is",
                cause: "its metadata lacks vocabulary_size", fix: "make it again with this version")
        }
        vocabularySize = Int(size)
        special = SpecialTokenIDs(
            pad: try id("pad"), unknown: try id("unk"), classify: try id("cls"), separator: try id("sep"),
            mask: try id("mask"))
        tokensDigest = metadata["tokens_sha256"]?.string.flatMap { Digest(hex: $0) }
    }

    /// Whether ids are stored in 16 bits.
    var narrow: Bool { vocabularySize <= 65_536 }

    var specialJSON: JSON {
        .object([
            "pad": .int(Int64(special.pad)), "unk": .int(Int64(special.unknown)), "cls": .int(Int64(special.classify)),
            "sep": .int(Int64(special.separator)), "mask": .int(Int64(special.mask)),
        ])
    }

    /// What `tokens` and `shards` write.
    var json: JSON {
        var json = JSON.object(["vocabulary_size": .int(Int64(vocabularySize)), "special_tokens": specialJSON])
        if let tokensDigest { json["tokens_sha256"] = .string(tokensDigest.hex) }
        return json
    }
}

extension SpecialTokenIDs {
    /// Ids that are no text and are never masked.
    var all: [UInt32] { [pad, classify, separator, mask] }
}
