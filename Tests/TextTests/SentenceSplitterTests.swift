// Sentence borders in English prose.

import Testing

import Text

@Suite struct SentenceSplitterTests {
    @Test(arguments: [
        ["It rained.", "We stayed in."],
        ["Dr. Smith met J. R. Jones of Acme Inc. in Washington, D.C. last May.", "They spoke."],
        ["Pi is 3.14, or about 22/7.", "It is not 3."],
        ["He said \"Stop!\" and left.", "\"Why?\" she asked.", "(Nobody knew.)", "The end."],
        ["It was built by the Romans (cf. Fig. 3, pp. 4–5).", "Others disagree, e.g. Brown et al. (1999)."],
        ["It cost $5 million, i.e. a lot... but it worked!", "Really?!", "Yes."],
        ["1. Introduction is a heading.", "12. This sentence ends with No. 5.", "No.", "Not so."],
        ["The U.S. Army came.", "It left the U.S. The war ended at 5 p.m. However, few knew."],
        ["He wrote “Go home.”", "Then he went."],
        ["Paris is in France.[1]", "Rome is not."],
        ["天地。", "玄黃！", "宇宙"],
        ["One line\nof two.", "Next"],
        ["It rose in c. 1500 near Mt. Etna (b. 1450, fl. 1480).", "Gen. Lee of Co. B. stayed."],
        ["Expression fell as shown before.12,13", "We saw 3.14 of No.5 there (p < 0.05).4–6", "Then it rose."],
        ["He was ... Caesar's heir ... of Rome.", "He left ...", "The war went on."],
        ["They went on to plan B.", "The plan failed.", "Harry S. Truman and E. B. White met."],
        ["Она жила там.", "Он т. е. его брат."], ["Use the file; éire. éa is small.", "Éire is not."],
        ["Sp. nov. was found on Jan. 5 in Smith et al. (2001).", "Others ca. 1950 at 5 a.m. Monday."],
    ])
    func `sentences end where a reader ends them`(sentences: [String]) {
        let isWide = sentences[0].hasSuffix("。")
        var expected = sentences
        if sentences[0].hasPrefix("The U.S.") {
            expected = ["The U.S. Army came.", "It left the U.S.", "The war ended at 5 p.m.", "However, few knew."]
        }
        #expect(SentenceSplitter().split(sentences.joined(separator: isWide ? "" : " ")) == expected)
    }

    @Test func `blank lines end sentences, spaces around are left out`() {
        #expect(SentenceSplitter().split("  A heading \n \n text. \n") == ["A heading", "text."])
        #expect(SentenceSplitter().split("") == [])
        #expect(SentenceSplitter().split(" \n\n ") == [])
        #expect(SentenceSplitter().split("...") == ["..."])
    }

    @Test func `sentences cover every byte but whitespace, and their ids join to those of the whole`() throws {
        let tokens = try WordPieceGoldens.lines("vocabulary.txt")
        let encoder = try WordPieceEncoder(tokens: tokens, options: WordPieceOptions())
        var random = SplitMix(state: 7)
        let pieces = [
            "ba", ".", "!", "?", "\"", "Dr", " ", " ", "\n", "。", "A", "é", "[MASK]", "3", "\u{301}", "…", ")", "U.S",
        ]
        for seed in 0..<400 {
            let text = (0..<random.next() % 40).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
            let sentences = SentenceSplitter().split(text)
            func dense(_ text: String) -> [UInt8] { text.utf8.filter { $0 != 32 && $0 != 10 } }
            #expect(dense(sentences.joined()) == dense(text), "seed \(seed): \(text)")
            #expect(sentences.flatMap { encoder.encode($0).ids } == encoder.encode(text).ids, "seed \(seed): \(text)")
        }
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
