// Stage `pretrain` on small shards: what it writes, that it resumes to the same bytes, and what it refuses.

import Container
import Corpus
import Foundation
import Pipeline
import Synchronization
import Testing
import Transformer

import Stages

/// Messages and warnings of one run; cancels after a number of progress reports.
final class Watch: ProgressSink {
    struct State {
        var messages: [String] = []
        var warnings: [String] = []
        var records: [JSON] = []
        var steps = 0
    }

    let state = Mutex(State())
    var messages: [String] { state.withLock(\.messages) }
    var warnings: [String] { state.withLock(\.warnings) }
    var records: [JSON] { state.withLock(\.records) }
    var steps: Int { state.withLock(\.steps) }

    func update(done: Int64, total: Int64, unit: String, note: String) { state.withLock { $0.steps = Int(done) } }
    func message(_ text: String) { state.withLock { $0.messages.append(text) } }
    func warning(_ text: String) { state.withLock { $0.warnings.append(text) } }
    func record(_ stream: String, _ line: JSON) { state.withLock { $0.records.append(line) } }
}

/// A store with a small vocabulary and shards made by hand.
final class PretrainRun {
    static let size = 60
    let toy: ToyRun
    let watch = Watch()

    init() throws { toy = try ToyRun() }

    static func metadata(_ size: Int = PretrainRun.size, linked: Int = 8) -> JSON {
        [
            "vocabulary_size": JSON(size), "special_tokens": ["pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4],
            "rows": ["train": ["contiguous": 8, "random": 8, "linked": JSON(linked)]],
        ]
    }

    func vocabulary(_ size: Int = PretrainRun.size) throws -> StoredArtifact {
        var columns = VocabularyColumns()
        for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] { columns.token.append(token) }
        for id in 5..<size { columns.token.append((id % 3 == 0 ? "##" : "") + "w\(id)") }
        var metadata = Self.metadata(size)
        metadata["rows"] = nil
        metadata["normalizer"] = [
            "lowercase": true, "strip_accents": .null, "clean_text": true, "handle_chinese_chars": true,
        ]
        metadata["continuing_prefix"] = "##"
        metadata["unknown_token"] = "[UNK]"
        metadata["max_word_characters"] = 100
        return try toy.artifact("vocabulary", [(size, columns.table)], metadata: metadata)
    }

    func shards(rows: Int = 24, size: Int = PretrainRun.size, relations: Int = 3, seed: UInt64 = 1) throws
        -> StoredArtifact
    {
        let sink = PartSink(blobs: toy.blobs)
        func part(_ name: String, _ rows: Int, _ seed: UInt64) throws -> Part {
            var columns = ShardColumns(isNarrow: true)
            for row in 0..<rows {
                let key = RandomKey(seed: seed).adding(UInt64(row))
                let (a, b) = (4 + Int(key.draw(0, below: 9)), 4 + Int(key.draw(1, below: 9)))
                func text(_ count: Int, _ from: UInt64) -> [UInt32] {
                    (0..<count).map { UInt32(5 + key.draw(from + UInt64($0), below: UInt64(size - 5))) }
                }
                columns.inputIDs.append([2] + text(a, 10) + [3] + text(b, 50) + [3])
                columns.offsets.append(Int64(columns.inputIDs.count))
                columns.spanBegin += [1, UInt32(a + 2)]
                columns.spanDocument += [UInt64(row), UInt64(row + 1)]
                columns.spanSegment += [0, 1]
                columns.spanRelation += [0, UInt8(key.draw(2, below: UInt64(relations)))]
                columns.spanOffsets.append(Int64(columns.spanBegin.count))
                columns.pass.append(0)
            }
            return try sink.columns(name, rows: rows, columns.table)
        }
        let parts = [
            try part("train-pass-0000-000", rows / 2, seed), try part("train-pass-0001-000", rows - rows / 2, seed + 1),
            try part("validation-pass-0000-000", 5, seed + 2), try part("test-pass-0000-000", 3, seed + 3),
        ]
        return StoredArtifact(
            manifest: Manifest(
                type: "shards", version: 1, metadata: Self.metadata(size, linked: relations == 3 ? 8 : 0), parts: parts),
            blobs: toy.blobs)
    }

    static func config(steps: Int = 6) -> PretrainConfig {
        var config = PretrainConfig()
        config.steps = steps
        config.batchSize = 4
        config.maxPositionEmbeddings = 32
        config.validationSteps = 4
        config.logSteps = 1
        config.saveSteps = 4
        return config
    }

    func train(
        _ config: PretrainConfig, _ inputs: [String: [StoredArtifact]], scratch: String, threads: Int = 2,
        stopAfter: Int = .max
    ) throws -> StoredArtifact {
        let watch = self.watch
        let context = StageContext(
            config: config, files: [], inputs: inputs,
            environment: StageEnvironment(
                threads: threads, scratch: { scratch }, progress: watch, isCancelled: { watch.steps >= stopAfter }))
        let sink = PartSink(blobs: toy.blobs)
        let results = try Pretrain.gather(context).map { try Pretrain.piece($0, context, into: sink) }
        let finished = try Pretrain.finish(results, context, into: sink)
        return StoredArtifact(
            manifest: Manifest(type: "checkpoint", version: 1, metadata: finished.metadata, parts: finished.parts),
            blobs: toy.blobs)
    }

    func scratch(_ name: String) -> String { toy.folder + "/scratch-" + name }
}

@Suite struct PretrainTests {
    @Test func `shards of another vocabulary of the same size are refused`() throws {
        let run = try PretrainRun()
        func saying(_ artifact: StoredArtifact, _ tokens: String) -> StoredArtifact {
            var metadata = artifact.manifest.metadata
            metadata["tokens_sha256"] = .string(Digest.of(tokens).hex)
            let old = artifact.manifest
            return StoredArtifact(
                manifest: Manifest(type: old.type, version: old.version, metadata: metadata, parts: old.parts),
                blobs: run.toy.blobs)
        }
        let (shards, vocabulary) = (try run.shards(), try run.vocabulary())
        let config = PretrainRun.config(steps: 1)
        let error = #expect(throws: StageError.self) {
            try run.train(
                config, ["shards": [saying(shards, "theirs")], "vocabulary": [saying(vocabulary, "ours")]],
                scratch: run.scratch("other"))
        }
        #expect(error?.message.contains("another vocabulary of \(PretrainRun.size) tokens") == true)
        _ = try run.train(
            config, ["shards": [saying(shards, "ours")], "vocabulary": [saying(vocabulary, "ours")]],
            scratch: run.scratch("same"))
    }

    @Test func `a checkpoint holds the model, the tokenizer, the moments and the metrics`() throws {
        let run = try PretrainRun()
        let made = try run.train(
            PretrainRun.config(), ["shards": [run.shards()], "vocabulary": [run.vocabulary()]],
            scratch: run.scratch("a"))
        let files = [
            "config.json", "model.safetensors", "optimizer.safetensors", "metrics.jsonl", "tokenizer.json",
            "tokenizer_config.json", "vocab.txt",
        ]
        let saved = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
        #expect(made.manifest.parts.map(\.name) == files + saved.map { "checkpoint-4/" + $0 })
        let lines = try made.bytes(try #require(made.part(named: "metrics.jsonl")))
            .split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) }
        #expect(lines.map { $0["step"]?.int } == [0, 1, 2, 3, 4, 4, 5, 6, 6])
        let names = ["drp_loss", "grad_norm", "learning_rate", "loss", "mlm_loss", "step", "tokens"]
        #expect(lines[1].object?.keys.sorted() == names)
        #expect(lines[0]["validation_rows"]?.int == 5 && lines[5]["validation_rows"]?.int == 5)
        let model = try HuggingFaceModel.read(ModelFiles(artifact: made), seed: 0)
        #expect(model.initialised == [] && model.model.config.relationClasses == 3)
        let halfway = try HuggingFaceModel.read(ModelFiles(artifact: made, prefix: "checkpoint-4/"), seed: 0).model
        #expect(halfway.values("drp.weight") != model.model.values("drp.weight"))
        #expect(made.manifest.metadata["steps"]?.int == 6)
        #expect(run.watch.records.contains { $0["tokens_per_second"] != nil })
        #expect(run.watch.messages.contains { $0.contains("parameters") && $0.contains("TFLOP") })
        for when in ["before training", "after step 4", "after step 6"] {
            #expect(run.watch.messages.contains { $0.hasPrefix("validation \(when): MLM loss ") })
        }
    }

    @Test func `stopped and run again, or with other threads, it ends in the same bytes`() throws {
        let run = try PretrainRun()
        let inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        let whole = try run.train(PretrainRun.config(), inputs, scratch: run.scratch("whole"))
        let single = try run.train(PretrainRun.config(), inputs, scratch: run.scratch("single"), threads: 1)
        #expect(single.manifest == whole.manifest)
        run.watch.state.withLock { $0.steps = 0 }
        #expect(throws: Cancelled.self) {
            _ = try run.train(PretrainRun.config(), inputs, scratch: run.scratch("cut"), stopAfter: 3)
        }
        run.watch.state.withLock { $0.steps = 0 }
        let resumed = try run.train(PretrainRun.config(), inputs, scratch: run.scratch("cut"))
        #expect(run.watch.messages.contains { $0.contains("going on after step 3") })
        #expect(resumed.manifest == whole.manifest)
    }

    @Test(.enabled(if: TrainingPrecision.bf16.obstacle == nil))
    func `bf16 is another result, recorded with its kernels, whose weights are fp32`() throws {
        let run = try PretrainRun()
        let inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        let full = try run.train(PretrainRun.config(), inputs, scratch: run.scratch("full"))
        var config = PretrainRun.config()
        config.precision = .bf16
        let half = try run.train(config, inputs, scratch: run.scratch("half"))
        let losses = [full, half].map { $0.manifest.metadata["mlm_loss"]?.double ?? .nan }
        #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.05)
        #expect(run.watch.messages.contains { $0.hasSuffix("products in bf16") })
        let numerics = try #require(Pretrain.numerics(config))
        #expect(numerics["precision"] == "bf16" && numerics["kernels"] == "avx512-bf16")
        #expect(Pretrain.numerics(PretrainRun.config())?["precision"] == "fp32" && Pretrain.obstacle(config) == nil)
    }

    @Test func `pairs that repeat are told, with how to get new ones`() throws {
        let run = try PretrainRun()
        _ = try run.train(
            PretrainRun.config(steps: 7), ["shards": [run.shards()], "vocabulary": [run.vocabulary()]],
            scratch: run.scratch("a"))
        #expect(run.watch.warnings.count == 1)
        #expect(
            run.watch.warnings[0].contains("24 training rows and 28 are wanted")
                && run.watch.warnings[0].contains("passes"))
    }

    @Test func `the test side enters neither training nor its key`() throws {
        let run = try PretrainRun()
        let shards = try run.shards()
        let context = StageContext(
            config: PretrainRun.config(), files: [],
            inputs: ["shards": [shards], "vocabulary": [try run.vocabulary()]],
            environment: StageEnvironment(
                threads: 1, scratch: { "" }, progress: run.watch, isCancelled: { false }))
        let pieces = try Pretrain.gather(context)
        #expect(pieces.count == 1)
        #expect(!pieces[0].parts.contains { $0.part.name.hasPrefix("test-") })
        #expect(pieces[0].parts.count == 4)
    }

    @Test func `linked pairs are an error of objective bert that tells the fix`() throws {
        let run = try PretrainRun()
        var config = PretrainRun.config()
        config.objective = .bert
        let vocabulary = try run.vocabulary()
        let error = try #require(throws: StageError.self) {
            _ = try run.train(
                config, ["shards": [run.shards()], "vocabulary": [vocabulary]], scratch: run.scratch("a"))
        }
        #expect(error.message.contains("8 linked pairs") && error.fix?.contains("linked: 0") == true)
        let good = try run.train(
            config, ["shards": [run.shards(relations: 2)], "vocabulary": [vocabulary]], scratch: run.scratch("b"))
        let model = try HuggingFaceModel.read(ModelFiles(artifact: good), seed: 0).model
        #expect(model.config.relationClasses == 2 && model.values("cls.seq_relationship.weight")?.count == 256)
        config.objective = .mlm
        let plain = try run.train(
            config, ["shards": [run.shards()], "vocabulary": [vocabulary]], scratch: run.scratch("c"))
        #expect(try HuggingFaceModel.read(ModelFiles(artifact: plain), seed: 0).model.config.relationClasses == nil)
    }

    @Test func `a start whose vocabulary or shapes differ is refused naming both`() throws {
        let run = try PretrainRun()
        let inputs = try ["shards": [run.shards()], "vocabulary": [run.vocabulary()]]
        let start = try run.train(PretrainRun.config(steps: 4), inputs, scratch: run.scratch("start"))
        var config = PretrainRun.config()
        config.architecture = .mini
        let shape = try #require(throws: StageError.self) {
            _ = try run.train(config, inputs.merging(["init": [start]]) { $1 }, scratch: run.scratch("a"))
        }
        #expect(shape.message.contains("128") && shape.message.contains("256"))
        let larger = try ["shards": [run.shards(size: 61)], "vocabulary": [run.vocabulary(61)], "init": [start]]
        let vocabulary = try #require(throws: StageError.self) {
            _ = try run.train(PretrainRun.config(), larger, scratch: run.scratch("b"))
        }
        #expect(vocabulary.message.contains("60 tokens") && vocabulary.message.contains("61"))
        let mixed = try ["shards": [run.shards(size: 61)], "vocabulary": [run.vocabulary()]]
        let shards = try #require(throws: StageError.self) {
            _ = try run.train(PretrainRun.config(), mixed, scratch: run.scratch("c"))
        }
        #expect(shards.message.contains("61") && shards.message.contains("60"))
        // Going on from the start model begins below its first loss.
        let again = try run.train(
            PretrainRun.config(), inputs.merging(["init": [start]]) { $1 }, scratch: run.scratch("d"))
        #expect(again.manifest.metadata["mlm_loss"] != start.manifest.metadata["mlm_loss"])
    }

    @Test func `phases are shares or numbers of steps, and must fill the run`() throws {
        func problems(_ json: JSON) -> [Diagnostic] {
            let (_, diagnostics) = StageType(Pretrain.self).decode(node: Node(json: json), stage: "model")
            return diagnostics.sorted
        }
        #expect(
            problems(["steps": 10, "phases": [["shards": 0, "steps": "90%"], ["shards": 1, "steps": "10%"]]]) == [])
        #expect(problems(["steps": 10, "phases": [["shards": 0, "steps": 4], ["shards": 1, "steps": 6]]]) == [])
        #expect(problems(["steps": 10, "phases": [["shards": 0, "steps": "90%"]]]).count == 1)
        #expect(
            problems(["steps": 10, "phases": [["mix": [7, 3], "steps": "90%"], ["shards": 1, "steps": "10%"]]]) == [])
        #expect(problems(["steps": 10, "phases": [["mix": [0, 0]]]]).count == 1)
        #expect(problems(["steps": 10, "phases": [["mix": [1, 1], "shards": 1]]]).count == 1)
        #expect(problems(["warmup_steps": "110%"]).count == 1)
        #expect(problems(["precision": "fp16"]).count == 1)
        #expect(problems(["precision": "bf16"]) == [])
        #expect(problems(["slices": 4, "batch_size": 2]).count == 1)
        var config = PretrainConfig()
        config.steps = 100
        config.phases = Array(repeating: PhaseConfig(), count: 3)
        for index in 0..<3 { config.phases[index].steps = .percent(100.0 / 3) }
        #expect(config.phaseSteps == [33, 34, 33])
    }
}
