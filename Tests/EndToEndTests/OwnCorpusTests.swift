// A corpus of one's own from JSON Lines, run as examples/own-corpus does, and what is said of bad lines and files.

import Container
import Foundation
import Testing

private let example = packageRoot.appending(path: "examples/own-corpus/own-corpus.yaml").path
private let goldens = packageRoot.appending(path: "Tests/Goldens")

@Suite struct OwnCorpusTests {
    /// Entries of some sentences with two cross references each.
    private func entries(_ count: Int, link: (Int, String, Int) -> String) -> String {
        let words = ["quay", "tide", "rope", "mast", "gull", "storm", "cargo", "crane", "anchor", "lamp"]
        func word(_ n: Int) -> String { words[n % words.count] }
        return (0..<count).map { i in
            var text = ""
            for s in 0..<6 {
                text += "The \(word(i + s)) of place \(i) holds the \(word(i * 3 + s)) number \(s * i) "
                text += "near a \(word(i * 7 + 2 * s)). "
            }
            let begin = text.utf8.count
            let target = (i + 7) % count
            text += "Entry \(target) says more."
            let fields = "\"id\": \"x:\(i)\", \"title\": \"Entry \(i)\", \"text\": \"\(text)\""
            return "{\(fields), \"links\": [\(link(target, "Entry \(target)", begin))]}"
        }.joined(separator: "\n")
    }

    @Test func `the example runs from JSON Lines to linked pairs, by title and by id`() throws {
        let shop = try Workshop()
        try shop.write(
            entries(120) { _, title, begin in
                "{\"target\": \"\(title)\", \"begin\": \(begin), \"end\": \(begin + title.utf8.count)}"
            }, "jargon.jsonl")
        try shop.write(entries(120) { target, _, _ in "\"x:\(target)\"" }, "gene-ontology.jsonl")
        for experiment in ["jargon", "gene-ontology"] {
            let arguments = [example, "-e", experiment, "-s", "params.data=\(shop.folder.path)"]
            let run = try shop.run(["run"] + arguments + ["--until", "pairs", "--json"])
            try #require(run.status == 0, "\(run.errors)")
            let stages = try run.json["stages"]?.array ?? []
            func count(_ stage: String, _ name: String) -> Int64? {
                stages.first { $0["name"]?.string == stage }?["counts"]?[name]?.int
            }
            #expect(count("documents", "documents") == 120 && count("links", "resolved") == 120)
            let pairs = try shop.run(["cat"] + arguments + ["pairs"]).output.split(separator: "\n")
            #expect(
                pairs.contains { $0.contains("\"relation\":\"linked\"") || $0.contains("\"relation\": \"linked\"") })
        }
    }

    @Test func `past max_rejected the stage stops and shows the first ten bad lines`() throws {
        let shop = try Workshop()
        var lines = (0..<60).map { "{\"id\": \"\($0)\", \"text\": \"Text.\"}" }
        for i in stride(from: 3, to: 60, by: 4) { lines[i] = i % 8 == 3 ? "{\"id\": \"\(i)\"}" : "{\"id\": \(i)," }
        try shop.write(lines.joined(separator: "\n"), "bad.jsonl")
        let yaml = "version: 1\nstages:\n  documents: {use: parse, with: {format: jsonl, files: [bad.jsonl]}}\n"
        let file = try shop.write(yaml, "pipeline.yaml")
        let run = try shop.run("run", file)
        #expect(run.status == 1)
        #expect(run.errors.contains("rejected 15 of 60 items"), "\(run.errors)")
        #expect(
            run.errors.contains("no_text 8, invalid_json 7") || run.errors.contains("invalid_json 8"), "\(run.errors)")
        let places = run.errors.split(separator: "\n").filter { $0.contains("bad.jsonl:") && $0.contains(": ") }
        #expect(places.count == 10 && places[0].contains("bad.jsonl:4:1: no_text"), "\(run.errors)")
        #expect(places[1].contains("bad.jsonl:8:10: invalid_json"))
        // A tolerant run keeps the good lines.
        let tolerant = try shop.run("run", file, "-s", "documents.max_rejected=0.5", "--json")
        try #require(tolerant.status == 0, "\(tolerant.errors)")
        #expect(try tolerant.json["stages"]?.array?.first?["counts"]?["documents"]?.int == 45)
    }

    @Test func `bombs, arrays and files cut off are refused with place and fix`() throws {
        let shop = try Workshop()
        let cut = "printf '{\"id\": \"1\", \"text\": \"x\"}\\n%.0s' $(seq 2000) | gzip -c | head -c 90 > cut.jsonl.gz"
        #expect(try shop.run("-c", cut, executable: "/bin/sh").status == 0)
        try shop.write("[\n{\"id\": \"1\", \"text\": \"x\"}\n]\n", "array.jsonl")
        let bomb = goldens.appending(path: "own/bomb.jsonl.zst").path
        for (name, words) in [
            ("cut.jsonl.gz", "cut off"), ("array.jsonl", "JSON array"), (bomb, "1000 times its size"),
        ] {
            let yaml = "version: 1\nstages:\n  documents: {use: parse, with: {format: jsonl, files: ['\(name)']}}\n"
            let run = try shop.run("run", try shop.write(yaml, "pipeline.yaml"))
            #expect(run.status == 1 && run.errors.contains(words) && run.errors.contains("fix:"), "\(run.errors)")
        }
    }
}
