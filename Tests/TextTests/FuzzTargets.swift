// What must hold for any input of each reader. FuzzTests runs these on inputs of its own for a few seconds; Fuzz/run.sh
// builds them with libFuzzer for as long as one likes.

import Fuzzing
import Text

/// One reader under test.
enum FuzzTarget: String, FuzzedReader {
    case wikitext, mediawiki, jsonl, wikiextractor, pubmed, jats, wordpiece, vocabulary

    func brokenPromise(_ input: [UInt8]) -> String? {
        switch self {
        case .wikitext: Self.wikitext(input)
        case .mediawiki: Self.mediawiki(input)
        case .jsonl: Self.jsonl(input)
        case .wikiextractor: Self.wikiextractor(input)
        case .pubmed: Self.pubmed(input)
        case .jats: Self.jats(input)
        case .wordpiece: Self.wordpiece(input)
        case .vocabulary: Self.vocabulary(input)
        }
    }

    // MARK: targets

    /// Copied for each input: a copy starts without anything learned from the one before, and costs nothing.
    private static let converters = [false, true].map {
        Wikitext(site: SiteInfo(), options: WikitextOptions(tables: $0))
    }

    private static func wikitext(_ input: [UInt8]) -> String? {
        var text: [UInt8] = []
        input.withUnsafeBufferPointer { _ = UTF8Repair.append($0, to: &text) }
        var converter = converters[input.count % 2]
        var document = ParsedDocument()
        converter.convert(text, into: &document)
        return document.brokenPromise
    }

    private static func mediawiki(_ input: [UInt8]) -> String? {
        var broken: String?
        do {
            var last: UInt64 = 0
            _ = try MediaWikiReader.read(file: "f", from: chunks(input)) { page, _ in
                if String(validating: page.text, as: UTF8.self) == nil { broken = "text is UTF-8" }
                if page.offset < last || page.offset > UInt64(input.count) * 4 { broken = "offsets ascend" }
                last = page.offset
            }
        } catch let error {
            if !(error is TextError) { broken = "only TextError is thrown" }
        }
        return broken
    }

    private static func jsonl(_ input: [UInt8]) -> String? {
        var broken: String?
        var (documents, rejected) = (0, 0)
        var reader = JSONLinesReader(lineLimit: 200)
        do {
            try reader.read(
                file: "f", from: chunks(input),
                onDocument: { document in
                    documents += 1
                    broken = broken ?? document.brokenPromise
                    if document.sourceID.isEmpty || document.title.isEmpty { broken = "id and title are there" }
                },
                onRejection: { _ in rejected += 1 })
            if documents + rejected != reader.summary.lines { broken = "every line is a document or rejected" }
        } catch let error {
            if !(error is TextError) { broken = "only TextError is thrown" }
        }
        return broken
    }

    private static func wikiextractor(_ input: [UInt8]) -> String? {
        var broken: String?
        var reader = WikiExtractorReader(lineLimit: 200)
        do {
            try reader.read(
                file: "f", from: chunks(input), onDocument: { broken = broken ?? $0.brokenPromise },
                onRejection: { _ in })
        } catch let error {
            if !(error is TextError) { broken = "only TextError is thrown" }
        }
        return broken
    }

    private static func pubmed(_ input: [UInt8]) -> String? {
        var broken: String?
        do {
            let reader = try PubMedReader(path: pubmedFile.refill(with: input), labels: .inline)
            while let event = try reader.next() {
                if case .record = event { broken = broken ?? reader.record.document.brokenPromise }
            }
        } catch let error {
            if !(error is TextError) { broken = "only TextError is thrown" }
        }
        return broken
    }

    private static func jats(_ input: [UInt8]) -> String? {
        var broken: String?
        do {
            let reader = try JATSReader(path: jatsFile.refill(with: input), options: JATSOptions())
            while let event = try reader.next() {
                if case .article = event { broken = broken ?? reader.article.document.brokenPromise }
            }
        } catch let error {
            if !(error is TextError) { broken = "only TextError is thrown" }
        }
        return broken
    }

    private static let pubmedFile = FuzzFile(), jatsFile = FuzzFile()

    private static let characters: WordPieceVocabulary? = {
        var tokens = SpecialTokens().all
        for ascii in UInt8(33)..<127 {
            let character = String(decoding: [ascii], as: UTF8.self)
            tokens += [character, "##" + character]
        }
        tokens += ["the", "##ing", "é", "漢", "한", "##글", "##\u{307}", "ss"]
        return try? WordPieceVocabulary(tokens: tokens, options: WordPieceOptions())
    }()

    /// Meets all inputs, so its cache fills and starts afresh. One thread at a time uses it: a test runs a target once.
    private nonisolated(unsafe) static let encoder = characters.map(WordPieceEncoder.init)

    private static func wordpiece(_ input: [UInt8]) -> String? {
        guard let characters, let encoder else { return "the vocabulary is sound" }
        return input.withUnsafeBufferPointer { bytes in
            var tokens = EncodedTokens()
            encoder.encode(bytes, into: &tokens)
            guard tokens.begin.count == tokens.count, tokens.end.count == tokens.count else { return "columns agree" }
            var last: UInt32 = 0
            for i in 0..<tokens.count {
                if tokens.begin[i] < last || tokens.begin[i] > tokens.end[i] || tokens.end[i] > input.count {
                    return "offsets ascend inside the text"
                }
                if tokens.ids[i] >= characters.tokens.count { return "ids are of the vocabulary" }
                last = tokens.begin[i]
            }
            guard input.count % 32 == 0 else { return nil }
            var fresh = EncodedTokens()
            WordPieceEncoder(characters).encode(bytes, into: &fresh)
            return fresh == tokens ? nil : "the cache changes nothing"
        }
    }

    /// The input as a vocab.txt and as a tokenizer.json: what is taken can be encoded with, and reads back as written.
    private static func vocabulary(_ input: [UInt8]) -> String? {
        do {
            let tokens = try VocabularyFiles.tokens(text: input, file: "f")
            let made = try WordPieceVocabulary(tokens: tokens, options: WordPieceOptions())
            let again = try VocabularyFiles.tokens(text: HuggingFaceTokenizerFiles.vocabularyText(made), file: "f")
            if !equal(again, tokens) { return "vocab.txt reads back" }
        } catch {
            // A VocabularyError: the compiler knows no other here.
        }
        do {
            let read = try VocabularyFiles.tokenizer(json: input, file: "f")
            let made = try WordPieceVocabulary(tokens: read.tokens, options: read.options)
            let file = HuggingFaceTokenizerFiles.tokenizer(made)
            let again = try VocabularyFiles.tokenizer(json: file, file: "f")
            if !equal(again.tokens, read.tokens) || again.options != read.options { return "tokenizer.json reads back" }
            var tokens = EncodedTokens()
            input.withUnsafeBufferPointer { WordPieceEncoder(made).encode($0, into: &tokens) }
            if tokens.ids.contains(where: { $0 >= made.tokens.count }) { return "ids are of the vocabulary" }
        } catch {
            return nil
        }
        return nil
    }

    /// By bytes: as strings, a composed and a decomposed spelling are one.
    private static func equal(_ a: [String], _ b: [String]) -> Bool {
        a.elementsEqual(b) { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Chunks whose size the input decides, so that every border is tried.
    private static func chunks(_ input: [UInt8]) -> (UnsafeMutableRawBufferPointer) throws -> Int {
        source(input, chunk: input.count % 3 == 0 ? 1 + input.count % 7 : .max)
    }
}

/// Hands out bytes in chunks of any size, as a file or archive does.
func source(_ bytes: [UInt8], chunk: Int = .max) -> (UnsafeMutableRawBufferPointer) throws -> Int {
    var at = 0
    return { buffer in
        let count = min(chunk, buffer.count, bytes.count - at)
        buffer.copyBytes(from: bytes[at..<at + count])
        at += count
        return count
    }
}

extension ParsedDocument {
    /// What `ParsedDocument` promises of any document, whatever it was made from; nil if all of it holds.
    var brokenPromise: String? {
        if String(validating: text, as: UTF8.self) == nil { return "text is UTF-8" }
        if blockBegin.count != blockKind.count || linkBegin.count != linkEnd.count || linkTarget.count != linkCount {
            return "columns agree"
        }
        if blockBegin.isEmpty != text.isEmpty || blockBegin.first ?? 0 != 0 { return "blocks cover the text" }
        for i in 0..<blockCount {
            let range = block(i)
            if range.isEmpty || text[range.lowerBound] <= 32 || text[range.upperBound - 1] <= 32 {
                return "blocks are trimmed"
            }
            if i > 0, text[range.lowerBound - 1] != Byte.lf { return "line feeds part blocks" }
            if blockKind[i] != TextBlockKind.code.rawValue, text[range].contains(Byte.lf) { return "a line is a block" }
        }
        var (last, block, isPlaceless) = (0, 0, false)
        for i in 0..<linkCount {
            if !hasPlace(i) {
                isPlaceless = true
                if linkEnd[i] != Self.placeless { return "both ends are placeless" }
                continue
            }
            if isPlaceless { return "links without a place come last" }
            let (begin, end) = (Int(linkBegin[i]), Int(linkEnd[i]))
            if begin < last || begin >= end || end > text.count { return "links are disjoint and in order" }
            if text[begin] & 0xC0 == 0x80 || end < text.count && text[end] & 0xC0 == 0x80 {
                return "links hold whole characters"
            }
            while block + 1 < blockCount, Int(blockBegin[block + 1]) <= begin { block += 1 }
            if end > self.block(block).upperBound { return "a link stands in one block" }
            last = end
        }
        return nil
    }
}
