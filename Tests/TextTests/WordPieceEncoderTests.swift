// WordPiece ids and offsets against BertTokenizerFast, and the errors of a bad vocabulary.

import Testing

import Text

@Suite struct WordPieceEncoderTests {
    @Test func `ids and byte offsets equal those of BertTokenizerFast`() throws {
        for name in ["uncased", "cased", "accents", "raw", "plain"] {
            let options = WordPieceGoldens.options(name)
            let tokens = try WordPieceGoldens.lines(options.lowercase ? "vocabulary.txt" : "cased.txt")
            let encoder = try WordPieceEncoder(tokens: tokens, options: options)
            let rows = try WordPieceGoldens.rows("encode.tsv").filter { $0[0] == name }
            #expect(rows.count > 100)
            for row in rows {
                let text = WordPieceGoldens.bytes(hex: row[1])
                var encoded = EncodedTokens()
                text.withUnsafeBufferPointer { encoder.encode($0, into: &encoded) }
                let found = (0..<encoded.count).map { "\(encoded.ids[$0]):\(encoded.begin[$0]):\(encoded.end[$0])" }
                #expect(
                    found.joined(separator: " ") == row[2], "\(name): \(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    /// Expected: what tokenizers 0.23 gives, in characters, turned into bytes.
    @Test func `marks that change places take the places of the text in order`() throws {
        let tokens = SpecialTokens().all + ["a", "##b", "##\u{1B44}", "##\u{1E028}"]
        let encoder = try WordPieceEncoder(tokens: tokens, options: WordPieceOptions())
        let two = encoder.encode("a\u{1E028}\u{1B44}b")
        #expect(two.ids == [5, 7, 8, 6] && two.begin == [0, 1, 5, 8] && two.end == [1, 5, 8, 9])
        // U+1D160 is a letter and two marks, which go with the place before them.
        let notes = try WordPieceEncoder(
            tokens: tokens + ["\u{1D158}", "##\u{1D165}", "##\u{1D16E}"], options: WordPieceOptions())
        let note = notes.encode("\u{1D160}\u{1B44}b")
        #expect(note.ids == [9, 7, 10, 11, 6] && note.begin == [0, 4, 4, 4, 7] && note.end == [4, 7, 7, 7, 8])
        let three = encoder.encode("a\u{1E028}\u{1E028}\u{1B44}b")
        #expect(three.ids == [5, 7, 8, 8, 6] && three.begin == [0, 1, 5, 9, 12] && three.end == [1, 5, 9, 12, 13])
    }

    @Test func `a run of a million marks takes no more time than words`() throws {
        let encoder = try WordPieceEncoder(tokens: SpecialTokens().all + ["a"], options: WordPieceOptions())
        let text = "a" + String(repeating: "\u{1E028}\u{1B44}", count: 500_000)
        let time = ContinuousClock().measure { #expect(encoder.encode(text).ids == [1]) }
        // Quadratic would be hours.
        #expect(time < .seconds(20), "\(time)")
    }

    @Test func `the cache never changes a result`() throws {
        let tokens = try WordPieceGoldens.lines("vocabulary.txt")
        let shared = try WordPieceVocabulary(tokens: tokens, options: WordPieceOptions())
        let warm = WordPieceEncoder(shared)
        // More different words than the cache holds, short and long, so that it starts afresh.
        for number in 0..<150_000 { _ = warm.encode("ba\(number) strikeloramivonu\(number)") }
        for line in try WordPieceGoldens.lines("corpus.txt") {
            #expect(warm.encode(line) == WordPieceEncoder(shared).encode(line))
        }
    }

    @Test func `special tokens are ordinary text when not matched`() throws {
        var options = WordPieceOptions()
        options.matchesSpecialTokens = false
        let tokens = SpecialTokens().all + ["[", "]", "mask"]
        #expect(try WordPieceEncoder(tokens: tokens, options: options).encode("[MASK]").ids == [5, 7, 6])
        options.matchesSpecialTokens = true
        #expect(try WordPieceEncoder(tokens: tokens, options: options).encode("[MASK]").ids == [4])
    }

    @Test func `a bad vocabulary is refused with the token's name`() throws {
        func message(_ tokens: [String]) -> String? {
            do {
                _ = try WordPieceVocabulary(tokens: tokens, options: WordPieceOptions())
                return nil
            } catch { return error.message + " | " + (error.fix ?? "") }
        }
        let good = SpecialTokens().all + ["a"]
        #expect(message(good) == nil)
        #expect(message([]) == "the vocabulary is empty | ")
        #expect(
            message(good.filter { $0 != "[MASK]" })
                == "the vocabulary lacks the special token '[MASK]' | add a line '[MASK]'")
        #expect(
            message(good.filter { $0 != "[PAD]" } + ["<pad>"])
                == "the vocabulary lacks the special token '[PAD]' | it has '<pad>': a vocabulary for BERT writes it '[PAD]'"
        )
        #expect(
            message(good + ["a"])
                == "the token 'a' stands twice, as id 5 and as id 6 | remove one of the two lines")
        #expect(message(good + [""]) == "token 6 is empty | remove the blank line")
        // What vocab.txt could not give back.
        for end in ["\n", "\r"] { #expect(message(good + ["b" + end]) == "token 6 holds a line break | ") }
        #expect(message(["\u{FEFF}x"] + good) == "token 0 begins with a byte order mark | ")
        #expect(message(good + ["\u{FEFF}x"]) == nil)
    }
}
