// Stage `import`: a model folder becomes a checkpoint, an exported artifact itself again.

import Container
import Corpus
import Foundation
import Pipeline
import Testing
import Transformer

import Stages

@Suite struct ImportTests {
    private func files(_ folder: String) throws -> [InputFile] {
        try Files.list(folder).map { InputFile(path: folder + "/" + $0, logicalName: $0) }
    }

    private func model(_ run: ToyRun) throws -> (folder: String, model: BertModel) {
        var config = BertConfig(
            vocabSize: 60, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32)
        config.maxPositionEmbeddings = 20
        let model = try BertModel(config, seed: 1)
        let folder = run.folder + "/model"
        try Files.makeDirectories(folder)
        try HuggingFaceModel.write(model, directory: folder)
        return (folder, model)
    }

    @Test func `a model folder becomes a checkpoint without the files nobody needs`() throws {
        let run = try ToyRun()
        let (folder, model) = try model(run)
        try Files.publish(Array("readme".utf8), at: folder + "/README.md")
        try Files.publish(Array("a\nb\n".utf8), at: folder + "/vocab.txt")
        let made = try run.run(Import.self, ImportConfig(), [:], files: files(folder)).artifact
        #expect(made.manifest.parts.map(\.name) == ["config.json", "model.safetensors", "vocab.txt"])
        let read = try HuggingFaceModel.read(ModelFiles(artifact: made), seed: 9)
        for entry in model.layout.entries { #expect(read.model.values(entry.name) == model.values(entry.name)) }
        #expect(made.manifest.metadata["relation_classes"]?.int == 3)
    }

    /// One BERT that `save_pretrained` and `torch.save` wrote; Goldens/make_pickles.py made it. Copies those of its files
    /// that pass into a folder of their own.
    private func copied(_ run: ToyRun, _ name: String, _ isWanted: (String) -> Bool) throws -> String {
        let goldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/pickles/bert").path
        let folder = run.folder + "/" + name
        for file in try Files.list(goldens) where file == "config.json" || isWanted(file) {
            try Files.publish(try Files.read(goldens + "/" + file), at: folder + "/" + file)
        }
        return folder
    }

    @Test func `a model is one checkpoint to the byte, whichever way its weights are stored`() throws {
        let run = try ToyRun()
        let pickled = { (name: String) in name.hasPrefix("pytorch_model-") || name == "pytorch_model.bin.index.json" }
        var folders = [
            try copied(run, "safetensors") { $0.hasPrefix("model") },
            try copied(run, "pickle") { $0 == "pytorch_model.bin" }, try copied(run, "pickles", pickled),
        ]
        let read = try HuggingFaceModel.read(ModelFiles(directory: folders[1]), seed: 0)
        #expect(read.initialised == [] && read.unused == [] && read.model.config.relationClasses == 2)
        folders.append(run.folder + "/one")
        try HuggingFaceModel.write(read.model, directory: folders[3])
        try Files.publish(try Files.read(folders[0] + "/config.json"), at: folders[3] + "/config.json")
        let made = try folders.map { try run.run(Import.self, ImportConfig(), [:], files: files($0)).artifact }
        #expect(made[0].manifest.parts.map(\.name) == ["config.json", "model.safetensors"])
        for other in made.dropFirst() { #expect(other.manifest == made[0].manifest) }

        // What the index promises is looked for before anything is read of it.
        let second = folders[2] + "/pytorch_model-00002-of-00002.bin"
        let whole = try Files.read(second)
        func refused() throws -> StageError {
            try #require(throws: StageError.self) {
                _ = try run.run(Import.self, ImportConfig(), [:], files: files(folders[2]))
            }
        }
        try Files.remove(second)
        let missing = try refused()
        #expect(missing.message.contains("'pytorch_model-00002-of-00002.bin' is missing") && missing.fix != nil)
        #expect(missing.place == folders[2] && missing.cause?.contains("pytorch_model.bin.index.json") == true)
        try Files.publish(try Files.read(folders[2] + "/pytorch_model-00001-of-00002.bin"), at: second)
        let other = try refused()
        #expect(other.message.contains("there is no tensor 'bert.") && other.place == second && other.fix != nil)
        try Files.publish(Array(whole.dropLast(whole.count / 3)), at: second)
        #expect(try refused().place?.hasPrefix(second) == true)
    }

    @Test func `a cut-off model file and a folder without a model are refused by name`() throws {
        let run = try ToyRun()
        let (folder, _) = try model(run)
        let bytes = try Files.read(folder + "/model.safetensors")
        try Files.publish(Array(bytes.dropLast(100)), at: folder + "/model.safetensors")
        let cut = try #require(throws: StageError.self) {
            _ = try run.run(Import.self, ImportConfig(), [:], files: files(folder))
        }
        #expect(cut.place?.hasSuffix("model.safetensors") == true)
        try Files.remove(folder + "/config.json")
        let none = try #require(throws: StageError.self) {
            _ = try run.run(Import.self, ImportConfig(), [:], files: files(folder))
        }
        #expect(none.message.contains("config.json") && none.cause?.contains("model.safetensors") == true)
    }

    @Test func `an exported artifact comes back with the same digest, unless it was changed`() throws {
        let run = try ToyRun()
        let documents = try run.documents([[ToyDocument(title: "A", text: "a"), ToyDocument(title: "B", text: "b")]])
        let folder = run.folder + "/exported"
        try Files.makeDirectories(folder)
        try DocumentsArtifact.export(
            documents, ExportContext(directory: folder, partNames: [], records: { _ in [] }))
        var config = ImportConfig()
        config.kind = .documents
        let context = run.context(Import.self, config, [:], files: try files(folder))
        let sink = PartSink(blobs: run.blobs)
        let result = try Import.piece(Piece(name: "all"), context, into: sink)
        let finished = try Import.finish([result], context, into: sink)
        #expect(finished.parts == documents.manifest.parts && finished.metadata == documents.manifest.metadata)

        config.kind = .links
        let other = try #require(throws: StageError.self) {
            _ = try run.run(Import.self, config, [:], files: files(folder))
        }
        #expect(other.message.contains("documents version 1") && other.fix == "set `type: documents`")
        config.kind = .documents
        var bytes = try Files.read(folder + "/part-0.safetensors")
        bytes[bytes.count - 1] ^= 1
        try Files.publish(bytes, at: folder + "/part-0.safetensors")
        let changed = try #require(throws: StageError.self) {
            _ = try run.run(Import.self, config, [:], files: files(folder))
        }
        #expect(changed.message.contains("digest") && changed.fix == "export it again")
    }
}
