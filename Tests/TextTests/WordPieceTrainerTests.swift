// Word counts and vocabulary training against Hugging Face's WordPieceTrainer.

import Testing

import Text

@Suite struct WordPieceTrainerTests {
    private func counts(_ lines: some Sequence<String>, _ options: WordPieceOptions) -> WordCounts {
        let counter = WordCounter(options)
        for line in lines { counter.add(line) }
        return counter.counts
    }

    @Test(arguments: [("uncased", "vocabulary.txt", 450, 60), ("cased", "cased.txt", 640, 1000)])
    func `training gives the tokens of WordPieceTrainer in their order`(
        name: String, golden: String, size: Int, limit: Int
    ) throws {
        let corpus = try WordPieceGoldens.lines("corpus.txt")
        var trainer = WordPieceTrainer()
        trainer.size = size
        trainer.alphabetLimit = limit
        let tokens = try trainer.train(counts(corpus, WordPieceGoldens.options(name)))
        #expect(try tokens.map { Array($0.utf8) } == WordPieceGoldens.lines(golden).map { Array($0.utf8) })
    }

    @Test func `a token that two ways of merging spell is counted once`() throws {
        // "abc" arises as a+##bc and as ab+##c; HF keeps merging the older pairs where they arise again.
        let counter = WordCounter(WordPieceOptions())
        for (word, count) in [("abc", 9), ("xbc", 8), ("aby", 7), ("abcabc", 5), ("aaaa", 6)] {
            for _ in 0..<count { counter.add(word) }
        }
        var trainer = WordPieceTrainer()
        trainer.size = 40
        let tokens = try trainer.train(counter.counts)
        #expect(Set(tokens).count == tokens.count)
        #expect(tokens.contains("abc") && tokens.contains("aaaa"))
    }

    @Test func `counts of parts merge to the counts of the whole, sorted by bytes`() throws {
        let lines = try WordPieceGoldens.lines("corpus.txt")
        let whole = counts(lines, WordPieceOptions())
        let merged = WordCounter(WordPieceOptions())
        merged.merge(counts(lines[200...], WordPieceOptions()))
        merged.merge(counts(lines[..<200], WordPieceOptions()))
        #expect(merged.counts == whole)
        for index in 1..<whole.count { #expect(whole.word(index - 1).lexicographicallyPrecedes(whole.word(index))) }
    }

    @Test func `training refuses what it cannot do`() throws {
        #expect(throws: VocabularyError.self) { try WordPieceTrainer().train(WordCounts()) }
        var trainer = WordPieceTrainer()
        trainer.size = 8
        #expect {
            try trainer.train(counts(["the quick brown fox"], WordPieceOptions()))
        } throws: { "\($0)".contains("a vocabulary of 8 tokens has no room for its") }
    }

    @Test func `pairs under the least frequency are not merged`() throws {
        let tokens = try WordPieceTrainer().train(counts(["aa aa bb"], WordPieceOptions()))
        #expect(tokens == SpecialTokens().all + ["a", "b", "##a", "##b", "aa"])
    }
}
