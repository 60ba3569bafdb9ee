// Bad input, seen from outside: exit code, place, cause and fix, and nothing half-written.

import Container
import Foundation
import Testing

/// A pipeline over one input, up to the segments.
private func pipeline(_ parse: String, more: String = "") -> String {
    """
    version: 1
    stages:
      documents: {use: parse, with: {\(parse)}}
      links: {use: link-extract, with: {kind: hyperlink}}
      graph: {use: graph, with: {sides: {by: text, validation: 0.2, test: 0.2}}}
      vocab: {use: vocabulary, with: {size: 200}}
      tokens: {use: tokenize}
      segments: {use: segment, with: {max_seq_length: 64, min_tokens: 8}}
    \(more)
    """
}

private let sample = packageRoot.appending(path: "examples/quickstart/harbour-wiki.xml")

@Suite struct BadInputTests {
    private func expectFailure(
        _ shop: Workshop, _ yaml: String, status: Int32, _ words: String..., arguments: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = try shop.write(yaml, "pipeline.yaml")
        let run = try shop.run(["run", file] + arguments)
        #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(run.errors.contains(word), "'\(word)' in: \(run.errors)", sourceLocation: sourceLocation)
        }
        #expect(run.errors.contains("fix:"), "\(run.errors)", sourceLocation: sourceLocation)
        let leftovers =
            FileManager.default.enumerator(at: shop.folder, includingPropertiesForKeys: nil)?
            .compactMap { ($0 as? URL)?.lastPathComponent }.filter { $0.hasPrefix(".tmp-") } ?? []
        #expect(leftovers.isEmpty, sourceLocation: sourceLocation)
    }

    @Test func `a missing file, a folder, an empty file and a truncated archive are refused with place and fix`() throws
    {
        let shop = try Workshop()
        try expectFailure(
            shop, pipeline("format: mediawiki, files: [none.xml]"), status: 3, "none.xml", "pipeline.yaml:3")
        try FileManager.default.createDirectory(atPath: shop.path("folder.xml"), withIntermediateDirectories: true)
        try expectFailure(shop, pipeline("format: mediawiki, files: [folder.xml]"), status: 3, "folder.xml")
        try shop.write("", "empty.xml")
        try expectFailure(shop, pipeline("format: mediawiki, files: [empty.xml]"), status: 1, "empty.xml", "why:")
        let cut = "gzip -c '\(sample.path)' | head -c 4000 > cut.xml.gz"
        #expect(try shop.run("-c", cut, executable: "/bin/sh").status == 0)
        try expectFailure(shop, pipeline("format: mediawiki, files: [cut.xml.gz]"), status: 1, "cut.xml.gz", "why:")
    }

    @Test func `a dump cut off in the middle keeps its whole pages and warns`() throws {
        let shop = try Workshop()
        let text = try String(contentsOf: sample, encoding: .utf8)
        try shop.write(String(text.prefix(text.count / 2)), "half.xml")
        let file = try shop.write(pipeline("format: mediawiki, files: [half.xml]"), "pipeline.yaml")
        let run = try shop.run("run", file, "--until", "documents", "--json")
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("warning"))
        let documents = try run.json["stages"]?.array?.first?["counts"]?["documents"]?.int ?? 0
        #expect((20...50).contains(documents))
    }

    @Test func `all errors of a pipeline file come in one run with exit code 3`() throws {
        let shop = try Workshop()
        let yaml = """
            version: 1
            stages:
              documents: {use: parse, with: {format: mediawiki, files: ['\(sample.path)'], max_rejectd: 0.1}}
              links: {use: link-extrakt}
              graph: {use: graph, in: {links: documents}}
              vocab: {use: vocabulary, with: {size: many}}
            """
        let file = try shop.write(yaml, "pipeline.yaml")
        let run = try shop.run("check", file)
        #expect(run.status == 3)
        for words in ["max_rejected", "link-extract", "size", "documents", "pipeline.yaml:3:", "pipeline.yaml:4:", "^"]
        {
            #expect(run.errors.contains(words), "'\(words)' in: \(run.errors)")
        }
    }

    @Test func `a mix that asks for links of a corpus without any is refused`() throws {
        let shop = try Workshop()
        let text = try String(contentsOf: sample, encoding: .utf8).replacing("[[", with: "").replacing("]]", with: "")
        try shop.write(text, "unlinked.xml")
        let yaml = pipeline("format: mediawiki, files: [unlinked.xml]", more: "  pairs: {use: pair-sample}")
        try expectFailure(shop, yaml, status: 1, "linked pairs", "mix")
    }

    @Test func `a vocabulary without a special token is refused`() throws {
        let shop = try Workshop()
        try shop.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n", "vocab.txt")
        let yaml = pipeline("format: mediawiki, files: ['\(sample.path)']")
            .replacing("{size: 200}", with: "{import: vocab.txt}")
        try expectFailure(shop, yaml, status: 1, "[MASK]", "vocab.txt")
    }

    @Test func `usage errors exit with 64 and looking at what was never built says how to build it`() throws {
        let shop = try Workshop()
        #expect(try shop.run("run").status == 64)
        #expect(try shop.run("run", quickstart, "-j", "0").status == 64)
        let look = try shop.run("head", quickstart, "documents")
        #expect(look.status == 1 && look.errors.contains("linkloom run"))
    }
}

@Suite struct ChangingInputTests {
    @Test func `a file that changes while it is read leaves nothing in the store`() throws {
        let shop = try Workshop()
        // A named pipe would never end; a large file that grows while it is parsed is what happens in practice.
        var text = ""
        for page in 0..<40_000 { text += "Paragraph \(page) of a long document about ships and tides.\n\n" }
        try shop.write(text, "growing.txt")
        let file = try shop.write(
            "version: 1\nstages:\n  documents: {use: parse, with: {format: text, files: [growing.txt]}}\n",
            "pipeline.yaml")
        let grow = "for i in $(seq 400); do echo more >> growing.txt; sleep 0.005; done"
        let (writer, _, _) = try shop.start(["-c", grow], executable: "/bin/sh")
        let run = try shop.run("run", file)
        writer.waitUntilExit()
        // Either the writer was too slow to be seen, or the run refused what it had read; never a wrong result.
        if run.status != 0 { #expect(run.errors.contains("changed while it was read"), "\(run.errors)") }
        let settled = try shop.run("run", file, "--json")
        let fresh = try shop.run("run", file, "--json", "--store", shop.path("fresh"))
        #expect(digests(try settled.json) == digests(try fresh.json))
    }
}

@Suite struct DamagedStoreTests {
    @Test func `a damaged part that export meets is made again by the next run`() throws {
        let shop = try Workshop()
        let file = try shop.write(pipeline("format: mediawiki, files: ['\(sample.path)']"), "pipeline.yaml")
        let arguments = ["run", file, "--until", "documents", "--json"]
        let first = try shop.run(arguments)
        try #require(first.status == 0, "\(first.errors)")
        let blobs = FileManager.default.enumerator(
            at: shop.folder.appending(path: ".linkloom/blobs"), includingPropertiesForKeys: nil)
        let blob = try #require(blobs?.compactMap { $0 as? URL }.first { $0.pathExtension == "zst" })
        var bytes = try Data(contentsOf: blob)
        bytes[bytes.count / 2] ^= 0x40
        try FileManager.default.removeItem(at: blob)
        try bytes.write(to: blob)
        let export = try shop.run("export", file, "documents", "--to", shop.path("out"))
        #expect(export.status == 4, "\(export.errors)")
        let again = try shop.run(arguments)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try again.json["stages"]?.array?.first?["run"]?.int == 1)
        #expect(digests(try again.json) == digests(try first.json))
        #expect(try shop.run("export", file, "documents", "--to", shop.path("out")).status == 0)
    }
}
