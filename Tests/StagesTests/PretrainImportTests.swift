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
