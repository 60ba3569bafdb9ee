// Text to WordPiece ids with byte offsets, id for id what Hugging Face's BertTokenizerFast gives.

import Glibc

/// Encoded text as flat columns: one row a token.
package struct EncodedTokens: Sendable, Equatable {
    package var ids: [UInt32] = []
    /// Half-open byte ranges in the original UTF-8.
    package var begin: [UInt32] = []
    package var end: [UInt32] = []

    package init() {}

    package var count: Int { ids.count }

    package mutating func removeAll(keepingCapacity: Bool = true) {
        ids.removeAll(keepingCapacity: keepingCapacity)
        begin.removeAll(keepingCapacity: keepingCapacity)
        end.removeAll(keepingCapacity: keepingCapacity)
    }
}

/// The tokens of a text as the encoder holds them: columns of one length, lent for a call.
package struct TokenSpans {
    package let ids: UnsafeBufferPointer<UInt32>
    /// Half-open byte ranges in the original UTF-8.
    package let begin: UnsafeBufferPointer<UInt32>
    package let end: UnsafeBufferPointer<UInt32>

    @inline(__always) package var count: Int { ids.count }
}

/// BERT normalisation, pre-tokenisation and greedy longest-match WordPiece, with special tokens of the text kept whole.
///
/// Ids equal `BertTokenizerFast(…, add_special_tokens=False)` of tokenizers 0.23.3. No `[CLS]` or `[SEP]` is added.
/// A cache of words bounds the work: memory is at most 53 MiB beyond the vocabulary, and no result depends on it.
/// Threading: an encoder is for one thread; any number of them share a vocabulary.
package final class WordPieceEncoder {
    package let vocabulary: WordPieceVocabulary
    // An encoder is for one thread and calls nobody back: run-time checks for overlapping access would only cost.
    @exclusivity(unchecked) private var scanner: WordScanner
    @exclusivity(unchecked) private var sink: EncodingSink

    package init(_ vocabulary: WordPieceVocabulary) {
        self.vocabulary = vocabulary
        scanner = WordScanner(vocabulary.options)
        sink = EncodingSink(vocabulary)
    }

    /// - Throws: as `WordPieceVocabulary.init`.
    package convenience init(tokens: [String], options: WordPieceOptions) throws(VocabularyError) {
        self.init(try WordPieceVocabulary(tokens: tokens, options: options))
    }

    /// Hands the tokens of `utf8` to `body`; offsets count from the start of `utf8` (at most 4 GiB). They belong to the
    /// encoder and are valid for the call only, in which it must not be used.
    @inline(__always)
    package func withTokens<Result, Failure: Error>(
        of utf8: UnsafeBufferPointer<UInt8>, _ body: (TokenSpans) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(tokens(of: utf8))
    }

    private func tokens(of utf8: UnsafeBufferPointer<UInt8>) -> TokenSpans {
        sink.begin()
        var position = 0
        if vocabulary.options.matchesSpecialTokens {
            while let match = nextSpecial(utf8, from: position) {
                scanner.scan(utf8, position..<match.range.lowerBound, into: &sink)
                sink.emit(match.id, match.range.lowerBound, match.range.upperBound)
                position = match.range.upperBound
            }
        }
        scanner.scan(utf8, position..<utf8.count, into: &sink)
        return sink.finish()
    }

    /// Appends the tokens of `utf8` to `tokens`; offsets as above.
    package func encode(_ utf8: UnsafeBufferPointer<UInt8>, into tokens: inout EncodedTokens) {
        withTokens(of: utf8) { found in
            tokens.ids.append(contentsOf: found.ids)
            tokens.begin.append(contentsOf: found.begin)
            tokens.end.append(contentsOf: found.end)
        }
    }

    /// The tokens of a string. For tests and single texts.
    package func encode(_ text: String) -> EncodedTokens {
        var tokens = EncodedTokens()
        var text = text
        text.withUTF8 { encode($0, into: &tokens) }
        return tokens
    }

    /// The leftmost special token from `from` on, the longest if several begin there.
    private func nextSpecial(_ utf8: UnsafeBufferPointer<UInt8>, from: Int) -> (range: Range<Int>, id: UInt32)? {
        let specials = vocabulary.specials
        var at = from
        while let next = sink.firstBytes.next(in: utf8, from: at) {
            for special in specials where next + special.bytes.count <= utf8.count {
                let candidate = utf8[next..<next + special.bytes.count]
                if candidate.elementsEqual(special.bytes) { return (candidate.indices, special.id) }
            }
            at = next + 1
        }
        return nil
    }
}

/// Finds the bytes that special tokens begin with.
struct ByteFinder {
    private var isMember = [Bool](repeating: false, count: 256)
    /// If all begin with the same byte, as BERT's do with `[`.
    private let only: UInt8?

    init(_ bytes: [UInt8]) {
        for byte in bytes { isMember[Int(byte)] = true }
        only = Set(bytes).count == 1 ? bytes[0] : nil
    }

    @inline(__always)
    func next(in text: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        guard from < text.count, let base = text.baseAddress else { return nil }
        if let only {
            let found = memchr(base + from, Int32(only), text.count - from)
            return found.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) }
        }
        return isMember.withUnsafeBufferPointer { isMember in
            var at = from
            while at < text.count {
                if isMember[Int(text[at])] { return at }
                at += 1
            }
            return nil
        }
    }
}
