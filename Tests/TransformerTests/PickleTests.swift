// Files of torch.save: what is read, what is refused, and that no damaged file does more than fail.

import Container
import Foundation
import Testing

import Transformer

private func bytes(_ name: String, file: String = #filePath) throws -> [UInt8] {
    try Files.read(
        URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Goldens/pickles/" + name).path)
}

@Test(arguments: ["zip.bin", "old.bin"]) func `weights of torch.save are read in every type and layout`(
    name: String
) throws {
    let weights = try PickledWeights(try bytes(name), place: name)
    let expected = try TensorFile(try bytes("expected.safetensors"), place: "expected")
    #expect(Set(weights.tensors.keys) == Set(expected.header.tensors.keys))
    for (tensor, info) in expected.header.tensors {
        #expect(weights.tensors[tensor]?.shape == info.shape, "\(tensor)")
        #expect(try weights.floats(tensor) == expected.floats(tensor), "\(tensor)")
    }
    #expect(throws: ModelError.self) { _ = try weights.floats("absent") }
}

@Test func `a pickle that would call something is refused by its name`() throws {
    let hostile = try #require(throws: ModelError.self) {
        _ = try PickledWeights(try bytes("hostile.bin"), place: "hostile.bin")
    }
    #expect(hostile.message.contains("'posix.system'") && hostile.cause?.contains("nothing is run") == true)
    #expect(hostile.place?.contains("hostile.bin") == true && hostile.place?.contains("byte") == true)
    let checkpoint = try #require(throws: ModelError.self) {
        _ = try PickledWeights(try bytes("checkpoint.bin"), place: "checkpoint.bin")
    }
    #expect(checkpoint.message.contains("no tensor") && checkpoint.fix?.contains("state_dict") == true)
    let text = try #require(throws: ModelError.self) {
        _ = try PickledWeights(Array("<!DOCTYPE html><html>".utf8), place: "page")
    }
    #expect(text.message.contains("not a pickle of tensors"))
    #expect(throws: ModelError.self) { _ = try PickledWeights([], place: "empty") }
}

/// A pickle of the older form's first value.
private func old(_ pickle: [UInt8]) -> [UInt8] { [0x80, 2] + pickle }

@Test(
    arguments: [
        // INST, OBJ, NEWOBJ, EXT1; STACK_GLOBAL and GLOBAL of names that are not on the list.
        Array("(ios\nsystem\n.".utf8), Array("(cos\nsystem\nX\u{2}\0\0\0lsos.".utf8),
        Array("cos\nsystem\n)\u{81}.".utf8),
        [0x82, 1, 0x2E], Array("cbuiltins\neval\n.".utf8),
        [0x8C, 2, 0x6F, 0x73, 0x8C, 6] + Array("system".utf8) + [0x93, 0x2E],
        Array("ctorch._utils\n_rebuild_tensor_v2_evil\n.".utf8), Array("c__builtin__\ngetattr\n.".utf8),
        // A list in itself, a dict changed after it was stored, marks and memos that are missing.
        Array("]q\0h\0a.".utf8), Array("}q\0]q\u{1}h\0ah\0K\u{1}K\u{2}s.".utf8), Array("t.".utf8),
        Array("h\u{5}.".utf8),
        Array("R.".utf8), Array("}b.".utf8), Array("NN.".utf8), [0x2E],
        // Lengths beyond the file.
        [0x58, 0xFF, 0xFF, 0xFF, 0x7F, 0x61, 0x2E], [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E],
        [0x8A, 0xFF, 0x01, 0x2E],
    ] as [[UInt8]])
func `programs of the pickle machine are refused`(program: [UInt8]) {
    #expect(throws: ModelError.self) { _ = try PickledWeights(old(program), place: "x") }
}

@Test func `nesting without end costs neither stack nor time`() {
    // Tuples in tuples, each sharing the one before twice: 2^n values if they were walked.
    let shared =
        [UInt8](repeating: 0, count: 0) + Array(")".utf8)
        + (0..<10_000).flatMap { _ in [0x71, 0, 0x68, 0, 0x86] as [UInt8] } + [0x2E]
    #expect(throws: ModelError.self) { _ = try PickledWeights(old(shared), place: "x") }
    let lists =
        [UInt8](repeating: UInt8(ascii: "]"), count: 100_000) + [UInt8](repeating: UInt8(ascii: "a"), count: 99_999)
    #expect(throws: ModelError.self) { _ = try PickledWeights(old(lists + [0x2E]), place: "x") }
}

@Test func `a step that is never taken may be any number`() throws {
    // One column whose step reaches past all numbers, in a type that is read element by element.
    let doubles = Pickle.storage("Double", "0", count: 3)
    let column = Pickle.dict([("w", Pickle.tensor(doubles, shape: [3, 1], strides: [1, .max]))])
    let storage = [1.5, -2, 3].flatMap { Pickle.number(Int(bitPattern: UInt(($0 as Double).bitPattern)), 8) }
    let read = try PickledWeights(TorchFile.zip(pickle: column, storages: [storage]), place: "x")
    #expect(try read.floats("w") == [1.5, -2, 3])
    // No elements, and sizes whose product is past all numbers.
    let floats = Pickle.storage("Float", "2", count: 0)
    let empty = Pickle.dict([("w", Pickle.tensor(floats, shape: [0, 1 << 62, 2], strides: [0, 2, 1]))])
    #expect(try PickledWeights(TorchFile.zip(pickle: empty), place: "x").floats("w") == [])
}

@Test func `what many tensors may share is short, so that a small file costs little`() throws {
    let storage = Pickle.storage("Float", "0", count: 6)
    func read(axes: Int) throws -> PickledWeights {
        let ones = [Int](repeating: 1, count: axes)
        let pickle = Pickle.dict([("w", Pickle.tensor(storage, shape: ones, strides: ones))])
        return try PickledWeights(TorchFile.zip(pickle: pickle), place: "x")
    }
    #expect(try read(axes: 64).tensors["w"]?.count == 1)
    let axes = try #require(throws: ModelError.self) { _ = try read(axes: 65) }
    #expect(axes.message.contains("65 axes"))

    func read(key: String) throws -> PickledWeights {
        let tensor = Pickle.tensor(Pickle.storage("Float", key, count: 2), shape: [2], strides: [1])
        let data = [Pickle.number(2, 8), [UInt8](repeating: 0, count: 8)]
        return try PickledWeights(
            TorchFile.old(pickle: Pickle.dict([("w", tensor)]), keys: [key], data: data), place: "x")
    }
    #expect(try read(key: String(repeating: "1", count: 64)).floats("w") == [0, 0])
    let key = try #require(throws: ModelError.self) { _ = try read(key: String(repeating: "1", count: 65)) }
    #expect(key.message.contains("65 bytes"))

    // Every byte makes a value.
    let long = [0x80, 2] + [UInt8](repeating: UInt8(ascii: "N"), count: 1 << 22)
    let length = try #require(throws: ModelError.self) { _ = try PickledWeights(long, place: "x") }
    #expect(length.message.contains("longer than 4194304 bytes"))
}
