// The stages `vocabulary` and `tokenize` on toy documents.

import Container
import Corpus
import Pipeline
import Stages
import Testing
import Text

@Suite struct TokenizeStageTests {
    private let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    private func documents(_ run: ToyRun) throws -> StoredArtifact {
        try run.documents([
            [
                ToyDocument(title: "Low", text: "low lower lowest. The low! (Nil.) Low"),
                ToyDocument(title: "", text: ""),
            ],
            [ToyDocument(title: "New", text: "newer newest\nwider [MASK] low")],
        ])
    }

    private func imported(
        _ run: ToyRun, _ tokens: [String], _ config: VocabularyConfig = .init()
    ) throws -> StoredArtifact {
        var config = config
        let file = try run.file("vocab.txt", tokens.map { $0 + "\n" }.joined())
        config.importFile = file
        return try run.run(Vocabulary.self, config, [:], files: [file]).artifact
    }

    @Test func `a trained vocabulary says what it was trained on and how to normalise`() throws {
        let run = try ToyRun()
        var config = VocabularyConfig()
        config.size = 40
        let inputs = ["documents": [try documents(run)]]
        let (artifact, results) = try run.run(Vocabulary.self, config, inputs)
        #expect(artifact.manifest.parts.count == 1)
        #expect(results.map { $0.counts["documents"] } == [2, 1])
        let vocabulary = try WordPieceVocabulary.read(artifact)
        #expect(Array(vocabulary.tokens.prefix(5)) == special)
        #expect(vocabulary.tokens.contains("low"))
        #expect(vocabulary.options == WordPieceOptions())
        let metadata = artifact.manifest.metadata
        #expect(metadata["special_tokens"] == ["pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4])
        #expect(metadata["source_counts"]?["documents"] == 3)
        // low ×5, [ ] mask, punctuation . ! ( . ), and lower lowest the nil newer newest wider.
        #expect(metadata["source_counts"]?["words"] == .int(4 + 3 + 5 + 7))
        #expect(try run.run(Vocabulary.self, config, inputs, backwards: true).artifact.manifest == artifact.manifest)
    }

    @Test func `tokens keep sentences, offsets, titles and the ids of the whole text`() throws {
        let run = try ToyRun()
        let vocabulary = try imported(
            run, special + ["low", "##er", "##est", "the", "new", "wide", "##r", ".", "!", "(", ")", "nil"])
        let (artifact, _) = try run.run(
            Tokenize.self, TokenizeConfig(), ["documents": [try documents(run)], "vocabulary": [vocabulary]])
        #expect(artifact.manifest.metadata["vocabulary_size"] == 17)
        #expect(artifact.manifest.metadata["special_tokens"]?["mask"] == 4)
        #expect(artifact.manifest.metadata["tokens"] == .int(14 + 8))
        let first = try TokenColumns(reading: try artifact.columns(0))
        #expect(first.count == 2)
        #expect(first.ids == [5, 5, 6, 5, 7, 12, 8, 5, 13, 14, 16, 12, 15, 5])
        #expect(first.documentOffsets == [0, 4, 4])
        #expect(first.sentenceOffsets == [0, 6, 9, 13, 14])
        #expect(Array(first.begin.prefix(5)) == [0, 4, 7, 10, 13])
        #expect(Array(first.end.prefix(5)) == [3, 7, 9, 13, 16])
        #expect(first.titleIDs == [5] && first.titleOffsets == [0, 1, 1])
        let second = try TokenColumns(reading: try artifact.columns(1))
        #expect(second.ids == [9, 6, 9, 7, 10, 11, 4, 5])
        #expect(try artifact.columns(0).info("ids").dtype == .u16)
    }

    @Test func `sentences belong to the blocks they stand in`() throws {
        let run = try ToyRun()
        var columns = DocumentColumns()
        ToyDocument(title: "t", text: "Low low\nlow. Low\nlow").append(to: &columns)
        columns.blockBegin = [0, 8, 17]
        columns.blockKind = [1, 0, 0]
        columns.blockOffsets = [0, 3]
        let documents = try run.artifact("documents", [(1, columns.table)])
        let vocabulary = try imported(run, special + ["low", "."])
        let (artifact, _) = try run.run(
            Tokenize.self, TokenizeConfig(), ["documents": [documents], "vocabulary": [vocabulary]])
        let tokens = try TokenColumns(reading: try artifact.columns(0))
        #expect(tokens.block == [0, 1, 1, 2])
        #expect(tokens.sentenceOffsets == [0, 2, 4, 5, 6])
    }

    @Test func `another normaliser changes the pieces' keys, another source does not`() throws {
        let run = try ToyRun()
        let documents = try documents(run)
        func pieces(_ vocabulary: StoredArtifact) throws -> [Piece] {
            try Tokenize.gather(
                run.context(Tokenize.self, TokenizeConfig(), ["documents": [documents], "vocabulary": [vocabulary]]))
        }
        let tokens = special + ["low"]
        let uncased = try imported(run, tokens)
        var config = VocabularyConfig()
        config.lowercase = false
        #expect(try pieces(uncased) != pieces(try imported(run, tokens, config)))
        var manifest = uncased.manifest
        manifest.metadata["source"] = "trained"
        #expect(try pieces(uncased) == pieces(StoredArtifact(manifest: manifest, blobs: run.blobs)))
    }

    @Test func `a vocabulary that cannot be used stops the stage with the cause`() throws {
        let run = try ToyRun()
        func message(_ tokens: [String], _ config: VocabularyConfig = .init()) -> String {
            do { _ = try imported(run, tokens, config) } catch { return "\(error)" }
            return ""
        }
        #expect(
            message(special.filter { $0 != "[SEP]" })
                .hasPrefix("vocab.txt: error: the vocabulary lacks the special token '[SEP]'"))
        #expect(message([]).hasPrefix("vocab.txt: error: the vocabulary file is empty"))
        #expect(
            message(special + ["Low"])
                .hasPrefix("vocab.txt: error: the vocabulary has upper-case tokens such as 'Low'"))
        var config = VocabularyConfig()
        config.lowercase = false
        #expect(message(special + ["Low"], config) == "")
    }

    @Test func `an imported tokenizer_json brings its own options`() throws {
        let run = try ToyRun()
        var options = WordPieceOptions(lowercase: false)
        options.stripAccents = true
        let written = try WordPieceVocabulary(tokens: special + ["Low"], options: options)
        let json = String(decoding: HuggingFaceTokenizerFiles.tokenizer(written), as: UTF8.self)
        let file = try run.file("tokenizer.json", json)
        var config = VocabularyConfig()
        config.importFile = file
        let artifact = try run.run(Vocabulary.self, config, [:], files: [file]).artifact
        let read = try WordPieceVocabulary.read(artifact)
        #expect(read.options == options && read.tokens == written.tokens)
        config.lowercase = true
        #expect {
            try run.run(Vocabulary.self, config, [:], files: [file])
        } throws: { "\($0)".hasPrefix("tokenizer.json: error: `lowercase: true` is set") }
    }
}
