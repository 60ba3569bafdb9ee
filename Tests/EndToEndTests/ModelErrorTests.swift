// Models and training runs that cannot be, seen from outside: exit code 1, place, cause and fix, and what was made
// before stays.

import Container
import Foundation
import Testing

@Suite struct ModelErrorTests {
    /// Runs, and holds the form of what is said: `PLACE: error: …`, why, and how to mend it.
    private func expectFailure(
        _ shop: Workshop, _ arguments: [String], place: String, _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try shop.run(["run"] + arguments)
        #expect(run.status == 1, "\(run.errors)", sourceLocation: sourceLocation)
        let lines = run.errors.split(separator: "\n").suffix(3).map(String.init)
        try #require(lines.count == 3, sourceLocation: sourceLocation)
        let isFormed =
            lines[0].contains(": error: ") && lines[1].hasPrefix("  why: ") && lines[2].hasPrefix("  fix: ")
        #expect(isFormed, "\(run.errors)", sourceLocation: sourceLocation)
        let before = lines[0].components(separatedBy: ": error: ")[0]
        #expect(before.contains(place), "'\(place)' in: \(lines[0])", sourceLocation: sourceLocation)
        for word in words {
            #expect(run.errors.contains(word), "'\(word)' in: \(run.errors)", sourceLocation: sourceLocation)
        }
    }

    private func names(_ folder: String) throws -> Set<String> {
        Set(try FileManager.default.subpathsOfDirectory(atPath: folder))
    }

    @Test func `training that cannot be is refused by place, cause and fix, and costs no earlier result`() throws {
        let shop = try Workshop()
        let sane = [quickstart, "--until", "model"] + brief
        let first = try shop.run(["run"] + sane + ["--json"])
        try #require(first.status == 0, "\(first.errors)")
        let store = shop.path(".linkloom")
        let results = try names(store + "/artifacts")

        try expectFailure(
            shop, sane + ["-s", "model.max_position_embeddings=64"], place: "quickstart.yaml:",
            "the model has 64 positions", "max_seq_length of at most 64")
        try expectFailure(
            shop, sane + ["-s", "pairs.draw=[test]"], place: "quickstart.yaml:", "have no training rows",
            "`linkloom stats")
        let wild = [
            "model.learning_rate=1", "model.max_grad_norm=0", "model.warmup_steps=0", "params.steps=80",
            "model.checkpoint_steps=1",
        ]
        try expectFailure(
            shop, sane + wild.flatMap { ["-s", $0] }, place: "step ", "training diverged", "lower learning_rate",
            "is kept")
        // The same words in another order are another vocabulary.
        let tokenize = "  tokens:    {use: tokenize"
        let yaml = try String(contentsOfFile: quickstart, encoding: .utf8)
            .replacing("../examples", with: packageRoot.appending(path: "examples").path)
            .replacing("in: {shards: shards}\n", with: "in: {shards: shards, vocabulary: other}\n")
            .replacing(
                tokenize,
                with: "  other: {use: vocabulary, with: {import: other.txt}}\n" + tokenize + ", in: {vocabulary: vocab}"
            )
        let export = try shop.run(["export", quickstart, "model", "--to", shop.path("model")] + brief)
        try #require(export.status == 0, "\(export.errors)")
        var words = try String(contentsOfFile: shop.path("model/vocab.txt"), encoding: .utf8).split(separator: "\n")
        words.swapAt(100, 200)
        try shop.write(words.joined(separator: "\n") + "\n", "other.txt")
        let other = try shop.write(yaml, "other.yaml")
        try expectFailure(
            shop, [other, "--until", "model"] + brief, place: "other.yaml:", "made with another vocabulary",
            "connect the vocabulary")

        #expect(try names(store + "/artifacts").isSuperset(of: results))
        #expect(try names(store).filter { $0.contains(Files.temporaryPrefix) } == [])
        let again = try shop.run(["run"] + sane + ["--json"])
        #expect((try again.json["stages"]?.array ?? []).allSatisfy { $0["run"]?.int == 0 })
        #expect(digests(try again.json) == digests(try first.json))
    }

    @Test func `a folder that is no BERT is refused by what it lacks`() throws {
        let shop = try Workshop()
        let file = try shop.write(
            "version: 1\nstages:\n  model: {use: import, with: {folder: model}}\n", "pipeline.yaml")
        try shop.write("weights of somebody", "model/notes.txt")
        try expectFailure(shop, [file], place: "pipeline.yaml:3:", "no config.json", "notes.txt", "save_pretrained")
        var config: JSON = [
            "model_type": "roberta", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 16, "type_vocab_size": 2,
        ]
        try shop.write(String(decoding: config.canonical, as: UTF8.self), "model/config.json")
        try expectFailure(shop, [file], place: "model", "no model.safetensors", "pytorch_model.bin", "save_pretrained")
        let tensor = #"{"note":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let bytes = [UInt8(tensor.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(tensor.utf8) + [0, 0, 0, 0]
        try Data(bytes).write(to: shop.folder.appending(path: "model/model.safetensors"))
        try expectFailure(shop, [file], place: "model/config.json", "model_type", "roberta")
        config["model_type"] = "bert"
        try shop.write(String(decoding: config.canonical, as: UTF8.self), "model/config.json")
        try expectFailure(shop, [file], place: "model", "there is no tensor 'bert.")
        try shop.write(String(decoding: config.canonical.dropLast(), as: UTF8.self), "model/config.json")
        try expectFailure(shop, [file], place: "model/config.json", "not valid JSON")
        #expect(try names(shop.path(".linkloom")).allSatisfy { !$0.hasPrefix("artifacts/") })
    }
}
