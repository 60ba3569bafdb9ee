// JSON Lines: what becomes a document, what is rejected and where, and lines of any length.

import Foundation
import Testing
import Text

@Suite struct ParseJSONLinesTests {
    private func read(_ text: String, chunk: Int = .max, limit: Int = 1 << 20) throws
        -> (documents: [ParsedDocument], rejected: [String], summary: JSONLinesReader.Summary)
    {
        try read(Array(text.utf8), chunk: chunk, limit: limit)
    }

    private func read(_ bytes: [UInt8], chunk: Int = .max, limit: Int = 1 << 20) throws
        -> (documents: [ParsedDocument], rejected: [String], summary: JSONLinesReader.Summary)
    {
        var reader = JSONLinesReader(lineLimit: limit)
        var documents: [ParsedDocument] = []
        var rejected: [String] = []
        try reader.read(
            file: "x.jsonl", from: source(bytes, chunk: chunk),
            onDocument: {
                $0.check()
                documents.append($0)
            },
            onRejection: { rejected.append("\($0.place(file: "x.jsonl")): \($0.problem.reason.rawValue)") })
        return (documents, rejected, reader.summary)
    }

    @Test func `a line with every field becomes a document with blocks and links`() throws {
        let line = #"""
            {"id": 12, "title": " Quay ", "text": "A quay is stone.\n\n  Ships lie at it. \r\nEnd", "aliases": ["Kai", "go:1"],
            """#
        let links = #"""
             "links": [{"target": "Ship", "begin": 20, "end": 25}, "Port", {"target": "Stone ", "begin": 10, "end": 15}]}
            """#
        let (documents, rejected, summary) = try read(line.replacing("\n", with: "") + links)
        #expect(rejected.isEmpty)
        let document = try #require(documents.first)
        #expect(document.sourceID == "12" && document.title == "Quay" && document.aliases == ["Kai", "go:1"])
        #expect(document.blocks == ["A quay is stone.", "Ships lie at it.", "End"])
        #expect(document.links == ["stone→Stone", "Ships→Ship", "→Port"])
        #expect(summary.links.reordered == 1 && summary.unknownFields.isEmpty)
    }

    @Test func `escapes, surrogate pairs and text in any script are decoded`() throws {
        let line =
            #"{"id": "\u00e9\ud83d\ude00", "text": "\"\\\/\b\f\n\r\t\u00C9é漢😀\uD834\uDD1E \u0000.", "title": "t\u000at"}"#
        let (documents, _, _) = try read(line)
        let document = try #require(documents.first)
        #expect(document.sourceID == "é😀" && document.title == "t t")
        #expect(document.blocks == ["\"\\/", "Éé漢😀𝄞  ."])
    }

    @Test func `an id stands in for a missing title and the other way round`() throws {
        let (documents, _, _) = try read(
            #"{"id":"a","text":"x"}"# + "\r\n\r\n" + #"{"title":"b","id":null,"text":"y"}"#)
        #expect(documents.map(\.sourceID) == ["a", "b"] && documents.map(\.title) == ["a", "b"])
        #expect(documents.map(\.sourceOffset) == [0, 25])
    }

    @Test func `unknown fields of any value are kept out and counted by name`() throws {
        let text = #"""
            {"url": {"a": [1, -2.5e+3, true, {"b": null}], "c": {}}, "id": "1", "text": "x", "tags": [[], ["\ud83d\ude00"]]}
            {"id": "2", "text": "y", "url": "\"", "links": [{"target": "1", "anchor": "y"}]}
            """#
        let (documents, rejected, summary) = try read(text)
        #expect(documents.count == 2 && rejected.isEmpty)
        #expect(summary.unknownFields.sorted.map(\.name) == ["links.anchor", "tags", "url"])
        #expect(summary.unknownFields.sorted.map(\.count) == [1, 1, 2] && summary.unknownFields.total == 4)
    }

    /// Each line, where it is wrong, and why.
    static let bad: [(line: String, problem: String)] = [
        (#"{"id": "1", "text": "x""#, "1:24: invalid_json"),
        (#"{"id": "1", "text": "x",}"#, "1:25: invalid_json"),
        (#"{"id": "1", "text": "x"} 1"#, "1:26: invalid_json"),
        (#"{"id": "1", "text": "a\x"}"#, "1:23: invalid_json"),
        ("{\"id\": \"1\", \"text\": \"a\tb\"}", "1:23: invalid_json"),
        (#"{"id": "1", "text": "x", "n": 01}"#, "1:32: invalid_json"),
        (#"{"id": "1", "text": "x", "n": [1 2]}"#, "1:34: invalid_json"),
        (#"{"id": "1", "text": "x", "n": nul}"#, "1:31: invalid_json"),
        (#"{"id": "1", "text": "\ud83d"}"#, "1:22: lone_surrogate"),
        (#"{"id": "1", "text": "\ude00\ud83d"}"#, "1:22: lone_surrogate"),
        (#"{"id": "1", "text": "x", "u": "\ud83dx"}"#, "1:32: lone_surrogate"),
        (#"{"id": "1", "text": "x", "n": "# + String(repeating: "[", count: 65), "1:95: too_deep"),
        (#"{"id": "1", "text": 5}"#, "1:21: wrong_type"),
        (#"{"id": 1.5, "text": "x"}"#, "1:8: wrong_type"),
        (#"{"id": ["1"], "text": "x"}"#, "1:8: invalid_json"),
        (#"{"id": "1", "text": "x", "links": "y"}"#, "1:35: wrong_type"),
        (#"{"id": "1", "text": "x", "links": [{"target": "y", "begin": -1, "end": 1}]}"#, "1:61: wrong_type"),
        (#"{"id": "1", "text": "x", "links": [{"target": "y", "begin": 0.0, "end": 1}]}"#, "1:61: wrong_type"),
        (#"{"id": "1", "text": "x", "text": "y"}"#, "1:26: duplicate_field"),
        (#"{"id": "1", "text": "x", "links": [{"target": "y", "target": "z"}]}"#, "1:52: duplicate_field"),
        (#"{"id": "", "text": "x"}"#, "1:1: no_id_or_title"),
        (#"{"id": "1", "title": "x"}"#, "1:1: no_text"),
        (#"{"id": "1", "text": "x", "links": [{"begin": 0, "end": 1}]}"#, "1:36: incomplete_link"),
        (#"{"id": "1", "text": "x", "links": [{"target": "y", "begin": 0}]}"#, "1:36: incomplete_link"),
        (#"{"links": [{"target": "y", "begin": 1, "end": 1}], "id": "1", "text": "xy"}"#, "1:12: empty_link"),
        (#"{"id": "1", "text": "x", "links": [{"target": "y", "begin": 0, "end": 2}]}"#, "1:36: link_out_of_bounds"),
        (
            #"{"id": "1", "text": "x", "links": [{"target": "y", "begin": 0, "end": 99999999999999}]}"#,
            "1:36: link_out_of_bounds"
        ),
        (
            #"{"id": "1", "text": "aé", "links": [{"target": "y", "begin": 0, "end": 2}]}"#,
            "1:38: link_splits_character"
        ),
        (#""text""#, "1:1: wrong_type"),
    ]

    @Test(arguments: bad.indices)
    func `a wrong line is rejected with its place and reason, and the next one is read`(_ index: Int) throws {
        let (line, problem) = Self.bad[index]
        let (documents, rejected, summary) = try read(line + "\n" + #"{"id": "next", "text": "y"}"#)
        #expect(rejected == ["x.jsonl:" + problem], "\(line)")
        #expect(documents.map(\.sourceID) == ["next"] && summary.lines == 2 && summary.rejected == 1)
    }

    @Test func `ill-formed UTF-8 is rejected at its byte`() throws {
        let line = Array(#"{"id": "1", "text": "é"#.utf8) + [0xC3, 0x28] + Array("\"}\n{\"id\":2,\"text\":\"\"}".utf8)
        let (documents, rejected, _) = try read(line)
        #expect(rejected == ["x.jsonl:1:24: invalid_utf8"])
        #expect(documents.map(\.sourceID) == ["2"] && documents[0].text.isEmpty)
    }

    @Test func `overlapping links and links over a line feed lose their place, never their target`() throws {
        let line = #"""
            {"id": "1", "text": "one two\nthree", "links": [{"target": "A", "begin": 0, "end": 7}, {"target": "B", "begin": 4, "end": 7}, {"target": "C", "begin": 4, "end": 13}, {"target": "D", "begin": 7, "end": 8}, {"target": "E", "begin": 7, "end": 13}]}
            """#
        let (documents, rejected, summary) = try read(line)
        #expect(rejected.isEmpty)
        #expect(documents.first?.links == ["one two→A", "three→E", "→B", "→C", "→D"])
        #expect(summary.links.overlapping == 1 && summary.links.acrossBlocks == 2)
    }

    @Test func `the cut of the stream into chunks changes nothing`() throws {
        var text = "\u{FEFF}"
        for i in 0..<40 {
            text +=
                "{\"id\": \(i), \"text\": \"\(String(repeating: "naïve ", count: i * i))end\", \"links\": [\"\(i + 1)\"]}\n"
            if i % 7 == 0 { text += " \n{broken\n" }
        }
        let whole = try read(text)
        #expect(whole.documents.count == 40 && whole.rejected.count == 6)
        for chunk in [1, 2, 3, 7, 8, 9, 31, 4096] {
            let cut = try read(text, chunk: chunk)
            #expect(cut.documents == whole.documents && cut.rejected == whole.rejected, "chunks of \(chunk)")
        }
    }

    @Test func `a line past the limit is rejected in bounded memory, wherever it stands`() throws {
        let long = #"{"id": "long", "text": ""# + String(repeating: "x", count: 700_000) + "\"}"
        let short = #"{"id": "short", "text": "y"}"#
        for chunk in [1000, 300_000] {
            let (documents, rejected, _) = try read(
                [short, long, short, long].joined(separator: "\n"), chunk: chunk, limit: 1000)
            #expect(documents.map(\.sourceID) == ["short", "short"])
            #expect(documents.map(\.sourceOffset) == [0, UInt64(short.utf8.count + long.utf8.count + 2)])
            #expect(rejected == ["x.jsonl:2:1: too_long", "x.jsonl:4:1: too_long"])
        }
    }

    @Test func `100 MB on one line is one document, or one rejection`() throws {
        let words = Array(String(repeating: "harbour ", count: 100_000_000 / 8).utf8)
        let line = Array(#"{"id": "1", "text": ""#.utf8) + words + Array("\"}".utf8)
        var reader = JSONLinesReader()
        var bytes = 0
        try reader.read(
            file: "x", from: source(line), onDocument: { bytes += $0.text.count }, onRejection: { _ in Issue.record() })
        #expect(bytes == words.count - 1)
    }

    @Test func `the example of the docs is a document`() throws {
        let root = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let docs = try String(contentsOf: root.appendingPathComponent("docs/formats.md"), encoding: .utf8)
        let section = try #require(docs.components(separatedBy: "### `format: jsonl`").last)
        let example = section.components(separatedBy: "```")[1].dropFirst("json\n".count)
        let (documents, rejected, summary) = try read(String(example))
        #expect(rejected.isEmpty && summary.unknownFields.isEmpty)
        #expect(documents.first?.links == ["distribution→organelle inheritance", "→GO:0048311"])
    }

    @Test func `a JSON array is refused with the way to rewrite it`() {
        let error = #expect(throws: TextError.self) { try read("\n [\n{\"id\": \"1\", \"text\": \"x\"}]") }
        #expect(error?.code == .unsupported && error?.fix?.contains("jq -c '.[]'") == true)
    }

    /// Every mark that JSON text may hold, in random order: whatever it is, the reader ends, and what it accepts is a
    /// document that keeps the promises of `ParsedDocument`.
    @Test func `any line is a document or a rejection`() throws {
        let parts = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d83d", "\\ude00", "00e9", "é", "😀", "\"id\":",
            "\"text\":", "1", "-",
            "\"a\"", "\"links\":[", "{\"target\":\"T\",\"begin\":", "\"end\":", "2", " ", "\\n", "null", "true",
            "\u{1}",
        ]
        var state: UInt64 = 12
        func next(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % n
        }
        for _ in 0..<5_000 {
            var line = next(2) == 0 ? "{\"id\":\"1\",\"text\":\"ab cd\"," : ""
            for _ in 0..<next(12) { line += parts[next(parts.count)] }
            let (documents, rejected, summary) = try read("{}\n" + line)
            #expect(documents.count + rejected.count == summary.lines, "\(line)")
        }
    }
}
