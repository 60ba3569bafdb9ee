// What `embed` and `predict` make of a model folder: rows as transformers builds them, vectors, relations by name.

import Container
import Foundation
import Pipeline
import Testing
import Text
import Transformer

import Stages

private let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "ship", "tide", "##s"]

/// A small model folder of its own.
private final class ToyFolder {
    let path: String
    let model: BertModel

    /// - Parameter parts: what the names of the parameters to write begin with.
    init(
        positions: Int = 16, types: Int = 2, relations: Int? = 3, parts: [String] = ["bert.", "cls.", "drp."]
    ) throws {
        path = FileManager.default.temporaryDirectory.path + "/linkloom-texts-\(UUID().uuidString)"
        var config = BertConfig(
            vocabSize: words.count, hiddenSize: 12, numHiddenLayers: 2, numAttentionHeads: 3, intermediateSize: 20,
            relationClasses: relations)
        config.maxPositionEmbeddings = positions
        config.typeVocabSize = types
        // Far larger start values than usual, so that no two vectors are alike.
        config.initializerRange = 0.5
        model = try BertModel(config, seed: 3)
        try Files.makeDirectories(path)
        try Files.publish(HuggingFaceModel.configFile(model), at: path + "/config.json")
        let tensors = HuggingFaceModel.tensors(model).filter { tensor in parts.contains { tensor.name.hasPrefix($0) } }
        try Files.publish(at: path + "/model.safetensors") { file in
            try TensorFile.write(tensors, metadata: ["format": "pt"]) { try file.write($0) }
        }
        try Files.publish(Array((words.joined(separator: "\n") + "\n").utf8), at: path + "/vocab.txt")
    }

    deinit { try? Files.remove(path) }

    func embed(
        _ texts: [String], _ pool: TextEmbedder.Pool? = nil, pair: String? = nil, threads: Int = 1,
        warn: (String) -> Void = { Issue.record("\($0)") }
    ) throws -> [TextEmbedder.Vectors] {
        var out: [TextEmbedder.Vectors] = []
        var given = texts.makeIterator()
        let embedder = try TextEmbedder(directory: path, pool: pool, pair: pair, threads: threads)
        try embedder.embed({ given.next() }, warn: warn) { out.append($0) }
        return out
    }

    /// W · x + b of a dense layer.
    func dense(_ name: String, _ x: [Float]) throws -> [Double] {
        let weight = try #require(model.values(name + ".weight"))
        let bias = try #require(model.values(name + ".bias"))
        return bias.indices.map { row in
            var sum = Double(bias[row])
            for column in x.indices { sum += Double(weight[row * x.count + column]) * Double(x[column]) }
            return sum
        }
    }
}

private func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}

@Suite struct TextEmbedderTests {
    @Test func `every token has a vector, and that of a text is its first, their mean or the pooled one`() throws {
        let folder = try ToyFolder()
        let text = "A ships, b"
        let tokens = try #require(folder.embed([text], pair: "tide").first)
        #expect(tokens.tokens == ["[CLS]", "a", "ship", "##s", "[UNK]", "b", "[SEP]", "tide", "[SEP]"])
        #expect(tokens.ids == [2, 5, 8, 10, 1, 6, 3, 9, 3])
        try #require(tokens.rows.count == 9 && tokens.width == 12)
        let first = Array(tokens.rows[0])
        #expect(distance(try folder.embed([text], .cls, pair: "tide")[0].values, first) < 1e-5)
        let mean: [Float] = (0..<12).map { column in
            tokens.rows.reduce(Float(0)) { $0 + $1[$1.startIndex + column] } / 9
        }
        #expect(distance(try folder.embed([text], .mean, pair: "tide")[0].values, mean) < 1e-5)
        let pooled = try folder.dense("bert.pooler.dense", first).map { Float(tanh($0)) }
        #expect(distance(try folder.embed([text], .pooled, pair: "tide")[0].values, pooled) < 1e-5)
        // The second text has a token type of its own: as one text the same tokens give other vectors.
        let single = try #require(folder.embed([text + "[SEP]tide"]).first)
        #expect(single.ids == tokens.ids && distance(single.values, tokens.values) > 0.01)
    }

    /// (words of the texts, tokens that stay): what BertTokenizer of transformers 5.23.0 gives with `truncation=True` and
    /// `max_length` 16 or 17.
    @Test(
        arguments: [
            (16, 14, nil, 14, 0), (16, 20, nil, 14, 0), (16, 6, 7, 6, 7), (16, 7, 7, 6, 7), (16, 20, 2, 11, 2),
            (16, 2, 20, 2, 11), (16, 20, 20, 6, 7), (16, 21, 20, 7, 6), (16, 20, 6, 7, 6), (17, 7, 8, 7, 7),
            (17, 6, 20, 6, 8), (17, 20, 6, 8, 6), (17, 21, 20, 7, 7), (16, 0, 20, 0, 13),
        ] as [(Int, Int, Int?, Int, Int)])
    func `texts beyond the positions are cut as tokenizers cuts them, and said`(
        positions: Int, first: Int, second: Int?, firstKept: Int, secondKept: Int
    ) throws {
        func text(_ word: String, _ count: Int) -> String {
            Array(repeating: word, count: count).joined(separator: " ")
        }
        var warnings: [String] = []
        let folder = try ToyFolder(positions: positions)
        let made = try folder.embed([text("a", first)], pair: second.map { text("b", $0) }) { warnings.append($0) }
        let b = second == nil ? [] : Array(repeating: "b", count: secondKept) + ["[SEP]"]
        #expect(made[0].tokens == ["[CLS]"] + Array(repeating: "a", count: firstKept) + ["[SEP]"] + b)
        let isCut = firstKept < first || secondKept < second ?? 0
        #expect(warnings.count == (isCut ? 1 : 0))
        let whole = second.map { first + $0 + 3 } ?? first + 2
        #expect(warnings.allSatisfy { $0.contains("text 1") && $0.contains("\(whole) tokens") })
    }

    @Test func `texts of several batches keep their order, for any number of threads, and the cut ones are counted`()
        throws
    {
        let folder = try ToyFolder()
        // 1,400 rows of 13 tokens on average are 18,200 tokens: a batch ends at 16,384.
        let choice = ["a", "b", "c", "ship", "tide"]
        var kinds: [String] = []
        for kind in 0..<35 {
            let length = kind % 7 == 0 ? 15 : 11
            let drawn: [String] = (0..<length).map { place in choice[(kind * kind + place * (kind + 1)) % 5] }
            kinds.append(drawn.joined(separator: " "))
        }
        let texts: [String] = (0..<1_400).map { kinds[$0 % kinds.count] }
        var warnings: [String] = []
        let one = try folder.embed(texts, .mean) { warnings.append($0) }
        #expect(warnings.count == 2 && warnings.last?.hasPrefix("200 of 1400 texts") == true, "\(warnings)")
        let two = try folder.embed(texts, .mean, threads: 2, warn: { _ in })
        #expect(zip(one, two).allSatisfy { $0.values == $1.values } && two.count == 1_400)
        let alone: [[Float]] = try kinds.map { try folder.embed([$0], .mean, warn: { _ in })[0].values }
        #expect(distance(alone[0], alone[1]) > 0.01)
        #expect(one.count == 1_400)
        for (number, vectors) in one.enumerated() {
            #expect(distance(vectors.values, alone[number % kinds.count]) < 1e-5, "text \(number)")
        }
    }

    @Test func `JSON and text hold the numbers to the last bit`() throws {
        let folder = try ToyFolder()
        let line = try folder.embed(["a"], .cls)[0]
        let numbers = try #require(JSON(parsing: line.json).array).map { Float($0.double ?? .nan) }
        #expect(numbers == line.values)
        let words = String(decoding: line.text, as: UTF8.self).split(separator: " ").map { Float($0) }
        #expect(words == line.values)
        let tokens = try folder.embed(["\"a"])[0]
        let object = try JSON(parsing: tokens.json)
        #expect(object["tokens"]?.array?.compactMap(\.string) == ["[CLS]", "[UNK]", "a", "[SEP]"])
        #expect(object["ids"]?.array?.compactMap(\.int) == [2, 1, 5, 3])
        #expect(object["vectors"]?.array?.count == 4)
        let text = String(decoding: tokens.text, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5 && lines[2].hasPrefix("a\t") && lines[4].isEmpty)
    }

    @Test func `what a folder lacks is refused by name`() throws {
        let bare = try ToyFolder(parts: ["bert.embeddings.", "bert.encoder."])
        #expect(try bare.embed(["a"], .mean).count == 1)
        let pooler = try #require(throws: StageError.self) { _ = try bare.embed(["a"], .pooled) }
        #expect(pooler.message == "the model has no pooler" && pooler.fix?.contains("mean") == true)
        let single = try ToyFolder(types: 1)
        #expect(try single.embed(["a"]).count == 1)
        let pairs = try #require(throws: StageError.self) { _ = try single.embed(["a"], pair: "b") }
        #expect(pairs.cause == "its type_vocab_size is 1")
        try Files.remove(single.path + "/vocab.txt")
        let words = try #require(throws: StageError.self) { _ = try single.embed(["a"]) }
        #expect(words.message.contains("vocab.txt") && words.message.contains("tokenizer.json"))
    }

    @Test func `a vector that is not finite is an error, not a line`() throws {
        let folder = try ToyFolder()
        var bytes = try Files.read(folder.path + "/model.safetensors")
        let header = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        for index in (8 + header)..<bytes.count { bytes[index] = 0xFF }
        try Files.publish(bytes, at: folder.path + "/model.safetensors")
        let error = try #require(throws: StageError.self) { _ = try folder.embed(["a", "b"], .mean) }
        #expect(error.message == "the vector of text 1 is not finite")
        let relation = try #require(throws: StageError.self) {
            _ = try RelationPredictor(directory: folder.path, threads: 1).predict("a", "b") { _ in }
        }
        #expect(relation.message.contains("not a finite number"))
    }

    @Test func `a folder with tokenizer_json alone gives the same ids`() throws {
        let folder = try ToyFolder()
        let before = try folder.embed(["A ships"])[0]
        let vocabulary = try WordPieceVocabulary(tokens: words, options: WordPieceOptions())
        try Files.publish(HuggingFaceTokenizerFiles.tokenizer(vocabulary), at: folder.path + "/tokenizer.json")
        try Files.remove(folder.path + "/vocab.txt")
        let after = try folder.embed(["A ships"])[0]
        #expect(after.ids == before.ids && after.values == before.values)
    }
}

@Suite struct ModelFolderTests {
    @Test func `a tokenizer_config that was cut off is an error with its place and a fix`() throws {
        let folder = try ToyFolder()
        let place = folder.path + "/tokenizer_config.json"
        try Files.publish(Array("{\"do_lower_case\": fal".utf8), at: place)
        let error = try #require(throws: StageError.self) { _ = try folder.embed(["a"]) }
        #expect(error.place == place && error.cause != nil && error.fix != nil)
    }
}

@Suite struct RelationPredictorTests {
    @Test(arguments: [(3, "drp"), (2, "cls.seq_relationship")])
    func `the relation head's softmax comes with the relations' names`(classes: Int, head: String) throws {
        let folder = try ToyFolder(relations: classes)
        let answers = try RelationPredictor(directory: folder.path, threads: 1).predict("a ship", "tides") {
            Issue.record("\($0)")
        }
        #expect(answers.map(\.relation) == Array(["contiguous", "random", "linked"].prefix(classes)))
        let pooled = try folder.embed(["a ship"], .pooled, pair: "tides")[0].values
        let powers = try folder.dense(head, pooled).map { exp($0) }
        for (answer, power) in zip(answers, powers) {
            #expect(abs(answer.probability - power / powers.reduce(0, +)) < 1e-5)
        }
        #expect(Set(answers.map(\.probability)).count == classes)
        let json = try JSON(parsing: Array(RelationPredictor.json(answers).utf8))
        #expect(json["random"]?.double == answers[1].probability && json.object?.count == classes)
    }

    @Test func `texts beyond the positions are cut with a warning`() throws {
        let folder = try ToyFolder()
        let predictor = try RelationPredictor(directory: folder.path, threads: 1)
        var warnings: [String] = []
        let long = try predictor.predict(String(repeating: "a ", count: 30), "b") { warnings.append($0) }
        #expect(warnings.count == 1 && warnings[0].contains("34 tokens"))
        let cut = try predictor.predict(String(repeating: "a ", count: 12), "b") { warnings.append($0) }
        #expect(warnings.count == 1 && long.map(\.probability) == cut.map(\.probability))
    }

    @Test func `a model without a relation head, or with half of one, is refused`() throws {
        let none = try ToyFolder(relations: nil)
        let error = try #require(throws: StageError.self) {
            _ = try RelationPredictor(directory: none.path, threads: 1)
        }
        #expect(error.message == "the model has no relation head" && error.fix?.contains("linkbert") == true)
        let half = try ToyFolder(parts: ["bert.embeddings.", "bert.encoder.", "drp."])
        let pooler = try #require(throws: StageError.self) {
            _ = try RelationPredictor(directory: half.path, threads: 1)
        }
        #expect(pooler.cause?.contains("bert.pooler") == true)
    }
}
