// A stored part is read by three lines of Python, as docs/formats.md promises. Needs a Python with zstandard,
// safetensors and numpy, named by LINKLOOM_PYTHON; .ci/run makes one where python3 exists.

import Container
import Foundation
import Testing

private let python = ProcessInfo.processInfo.environment["LINKLOOM_PYTHON"]

@Suite struct PythonReaderTests {
    @Test(.enabled(if: python != nil)) func `three lines of Python read a stored part of several frames`() throws {
        let shop = try Workshop()
        var text = ""
        for line in 0..<90_000 {
            text += "Line \(line) speaks of harbours, tides and the number \(line &* 2_654_435_761).\n\n"
        }
        try shop.write(text, "long.txt")
        let yaml = "version: 1\nstages:\n  documents: {use: parse, with: {format: text, files: [long.txt]}}\n"
        let run = try shop.run("run", try shop.write(yaml, "pipeline.yaml"), "--json")
        try #require(run.status == 0, "\(run.errors)")
        let blobs = shop.folder.appending(path: ".linkloom/blobs")
        let stored =
            (FileManager.default.enumerator(at: blobs, includingPropertiesForKeys: [.fileSizeKey])?
            .compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "zst" }
            .max {
                (try? $0.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0
                    < (try? $1.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0
            }
        let script = """
            import sys, zstandard, safetensors.numpy
            tensors = safetensors.numpy.load(zstandard.open(sys.argv[1], "rb").read())
            print(len(tensors["text.bytes"]), bytes(tensors["text.bytes"][:6]).decode(), len(tensors["id"]))
            """
        let read = try shop.run("-c", script, try #require(stored).path, executable: try #require(python))
        try #require(read.status == 0, "\(read.errors)")
        let words = read.output.split(whereSeparator: \.isWhitespace)
        #expect((Int(words[0]) ?? 0) > 4 << 20)
        #expect(words[1] == "Line" && words.last == "1")
    }
}
