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

@Test(arguments: ["zip.bin", "old.bin"]) func `no mutation of a file does more than fail`(name: String) throws {
    let original = try bytes(name)
    var read = 0
    var refused = 0
    for round in 0..<3000 {
        let key = RandomKey(seed: 5).adding(UInt64(round))
        var mutated = original
        for change in 0..<Int(1 + key.draw(0, below: 4)) {
            let index = Int(key.draw(UInt64(10 + change), below: UInt64(mutated.count)))
            switch key.draw(UInt64(30 + change), below: 5) {
            case 0: mutated[index] = UInt8(truncatingIfNeeded: key.draw(UInt64(50 + change)))
            case 1: mutated[index] ^= 1 << UInt8(key.draw(UInt64(50 + change), below: 8))
            case 2: mutated.removeSubrange(index..<min(mutated.count, index + 3))
            case 3: mutated.insert(contentsOf: mutated[index..<min(mutated.count, index + 9)], at: index)
            default: mutated.removeLast(mutated.count - max(1, index))
            }
        }
        do {
            let weights = try PickledWeights(mutated, place: name)
            for tensor in weights.tensors.keys.sorted() { _ = try weights.floats(tensor) }
            read += 1
        } catch is ModelError {
            refused += 1
        }
    }
    // Changes of values are read, changes of the frame are refused; nothing else happens.
    #expect(read + refused == 3000 && read > 100 && refused > 100, "\(read) read, \(refused) refused")
}
