// Vocabulary files in and out: vocab.txt, tokenizer.json, tokenizer_config.json.

import Testing

import Text

@Suite struct VocabularyFilesTests {
    private func cased() throws -> WordPieceVocabulary {
        try WordPieceVocabulary(
            tokens: WordPieceGoldens.lines("cased.txt"), options: WordPieceGoldens.options("cased"))
    }

    @Test func `tokenizer_json is byte for byte what tokenizers writes`() throws {
        let golden = try Array(WordPieceGoldens.text("tokenizer.json").utf8)
        #expect(HuggingFaceTokenizerFiles.tokenizer(try cased()) == golden + [10])
    }

    @Test func `tokenizer_json reads back to the same tokens and options`() throws {
        var options = WordPieceOptions()
        options.stripAccents = false
        options.cleanText = false
        options.handleChineseChars = false
        options.maxWordCharacters = 7
        // Quotes, backslashes, controls, and one letter composed and decomposed: two tokens.
        let tokens = SpecialTokens().all + ["\"", "\\", "\u{1}", "\u{E9}", "e\u{301}", "##天", "\u{1F642}", "/"]
        let vocabulary = try WordPieceVocabulary(tokens: tokens, options: options)
        let read = try VocabularyFiles.tokenizer(json: HuggingFaceTokenizerFiles.tokenizer(vocabulary), file: "t.json")
        #expect(read.tokens.map { Array($0.utf8) } == tokens.map { Array($0.utf8) })
        #expect(read.options == options)
        let escaped =
            #"{"model":{"type":"WordPiece","vocab":{"\u00e9\ud83d\ude42\n":0}},"#
            + #""normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"}}"#
        #expect(try VocabularyFiles.tokenizer(json: Array(escaped.utf8), file: "t.json").tokens == ["é🙂\n"])
    }

    @Test func `vocab_txt reads back, with or without carriage returns and a last line end`() throws {
        let vocabulary = try cased()
        let text = HuggingFaceTokenizerFiles.vocabularyText(vocabulary)
        #expect(try VocabularyFiles.tokens(text: text, file: "v") == vocabulary.tokens)
        var windows: [UInt8] = [0xEF, 0xBB, 0xBF]
        for byte in text.dropLast() { windows += byte == 10 ? [13, 10] : [byte] }
        #expect(try VocabularyFiles.tokens(text: windows, file: "v") == vocabulary.tokens)
    }

    @Test func `tokenizer_config_json holds what AutoTokenizer asks for`() throws {
        let text = String(decoding: HuggingFaceTokenizerFiles.tokenizerConfig(try cased()), as: UTF8.self)
        for line in [
            "\"tokenizer_class\": \"BertTokenizer\"", "\"do_lower_case\": false", "\"strip_accents\": null",
            "\"tokenize_chinese_chars\": true", "\"model_max_length\": 512", "\"mask_token\": \"[MASK]\"",
        ] { #expect(text.contains("  \(line)")) }
    }

    @Test(arguments: [
        ("", "error: the file is no JSON"),
        (#"{"model":{"type":"BPE"}}"#, "error: its model is 'BPE', not WordPiece"),
        (
            #"{"model":{"type":"WordPiece"},"normalizer":{"type":"NFKC"}}"#,
            "error: its normalizer is 'NFKC', not BertNormalizer"
        ),
        (
            #"{"model":{"type":"WordPiece","vocab":{"a":0,"b":2}},"normalizer":{"type":"BertNormalizer"},"#
                + #""pre_tokenizer":{"type":"BertPreTokenizer"}}"#,
            "error: its ids are not 0, 1, 2, …: id 1 is missing"
        ),
        (
            #"{"model":{"type":"WordPiece","vocab":{"a":0}},"normalizer":{"type":"BertNormalizer"},"#
                + #""pre_tokenizer":{"type":"BertPreTokenizer"},"added_tokens":[{"id":1,"content":"<x>"}]}"#,
            "error: the added token '<x>' is none of [PAD], [UNK], [CLS], [SEP], [MASK]"
        ),
        (#"{"a":1,}"#, "t.json: byte 7: error: the file is no JSON"),
    ])
    func `a tokenizer_json that cannot be reproduced is refused with its cause`(json: String, message: String) {
        #expect {
            try VocabularyFiles.tokenizer(json: Array(json.utf8), file: "t.json")
        } throws: { "\($0)".contains(message) && "\($0)".hasPrefix("t.json") }
    }

    @Test func `a broken vocab_txt is refused with its line`() {
        func message(_ bytes: [UInt8]) -> String? {
            do { _ = try VocabularyFiles.tokens(text: bytes, file: "v.txt") } catch { return "\(error)" }
            return nil
        }
        #expect(message([])?.hasPrefix("v.txt: error: the vocabulary file is empty") == true)
        #expect(message(Array("a\n\nb\n".utf8))?.hasPrefix("v.txt:2: error: the line is empty") == true)
        #expect(message([97, 10, 0xFF, 10])?.hasPrefix("v.txt:2: error: the line is no UTF-8") == true)
    }
}
