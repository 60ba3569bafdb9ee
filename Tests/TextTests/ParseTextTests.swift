// Plain texts: names to titles, hard-wrapped lines to paragraphs, comments, drop rules, and a real archive.

import Foundation
import Testing
import Text

@Suite struct ParseTextTests {
    private func read(
        _ text: String, name: String = "A_text.txt", comment: String = "", drop: [String] = []
    ) throws -> (documents: [ParsedDocument], summary: TextReader.Summary) {
        let folder = try TemporaryFolder()
        let path = try folder.write("text", Array(text.utf8))
        var reader = TextReader(options: TextReaderOptions(commentPrefix: comment), drop: try DropRules(drop))
        var documents: [ParsedDocument] = []
        let summary = try reader.read(path: path, name: name, onDocument: { documents.append($0) }, onEmpty: { _ in })
        for document in documents { document.check() }
        return (documents, summary)
    }

    private func blocks(_ text: String, comment: String = "", drop: [String] = []) throws -> [String] {
        try read(text, comment: comment, drop: drop).documents.flatMap(\.blocks)
    }

    @Test func `titles and ids come from names`() {
        #expect(TextReader.title("texts/%C3%85land_%28islands%29.txt") == "Åland (islands)")
        #expect(TextReader.sourceID("./texts/%C3%85land_%28islands%29.txt") == "texts/%C3%85land_%28islands%29")
        #expect(TextReader.title("Dr._Who") == "Dr. Who" && TextReader.title("St._Ives.txt") == "St. Ives")
        #expect(TextReader.title("100%.txt") == "100%" && TextReader.title(".hidden") == ".hidden")
        #expect(TextReader.title("%FF.txt") == "\u{FFFD}")
    }

    @Test func `lines that wrapping cut are joined, lines that were ended are not`() throws {
        let text = """
            Origins

               The harbour was first named in a charter of the thirteenth century,
               when the abbot let its tolls to two merchants of the town for nine
               years. Nothing is left of the quay they built.
               The second quay was of stone, and stood where the fish market is to
               be found today. It was two hundred paces long.

               Length 200 paces
               Depth 9 feet at the lowest tide

                 * A crane for millstones stood at the northern end of it, and was
                   moved twice.
                 * Warehouses

               12. March 1420 is the day it was opened on by the abbot, as told on
               a stone - the only one with letters.
            """
        let found = try blocks(text)
        #expect(
            found == [
                "Origins",
                "The harbour was first named in a charter of the thirteenth century, when the abbot let its tolls to two "
                    + "merchants of the town for nine years. Nothing is left of the quay they built.",
                "The second quay was of stone, and stood where the fish market is to be found today. It was two hundred "
                    + "paces long.",
                "Length 200 paces", "Depth 9 feet at the lowest tide",
                "A crane for millstones stood at the northern end of it, and was moved twice.", "Warehouses",
                "March 1420 is the day it was opened on by the abbot, as told on a stone - the only one with letters.",
            ])
    }

    @Test func `short texts are joined up to blank lines, and unwrapped texts have a paragraph a line`() throws {
        #expect(try blocks("one\ntwo\n\nthree\n") == ["one two", "three"])
        let long = String(repeating: "word ", count: 60)
        let once = long.trimmingCharacters(in: .whitespaces)
        #expect(try blocks("\(long)a\n\(long)b\n\(long)c") == ["\(once) a", "\(once) b", "\(once) c"])
        #expect(try blocks("a\r\nb\r\rc\t d\u{0B}") == ["a b", "c d"])
    }

    @Test func `comments, rules, repetitions and the title's own line go`() throws {
        let text = """
               #copyright

            A text

            Enlarge

               A view of the harbour

               Enlarge

               A view of the harbour

               The end of a paragraph that is followed at once by a line of the source
               Retrieved from "http://example.org/A_text"
            """
        let (documents, summary) = try read(text, comment: "#", drop: ["^Enlarge$", "^ *Retrieved from "])
        #expect(
            documents[0].blocks == [
                "A view of the harbour", "The end of a paragraph that is followed at once by a line of the source",
            ])
        #expect(summary.dropped == 3 && summary.repeated == 1 && summary.documents == 1)
        #expect(try read("#x\n", comment: "#").summary.empty == 1)
    }

    @Test func `rules match as regular expressions do, however they are compared`() throws {
        let lines = [
            "Retrieved from x", "History", "History of it", "a.b", "aab", "see 12 of", "(c) 2007", "Übersicht", "ab",
        ]
        let patterns = [
            "^Retrieved from ", "^History$", "^(History|ab)$", "^(?:a\\.|see)", "^ *a+b$", "[0-9]{2} of", "\\(c\\)",
            "^Ü?b", "a|^H", "^a*", "^Hi.*",
            "^History|b$", "of",
        ]
        for pattern in patterns {
            let rules = try DropRules([pattern])
            let regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
            for line in lines {
                let expected = try regex.firstMatch(in: line) != nil
                #expect(rules.matches(Array(line.utf8)[...]) == expected, "\(pattern) on \(line)")
            }
        }
        #expect(throws: TextError.self) { try DropRules(["(unclosed"]) }
    }

    @Test func `ill-formed UTF-8 is replaced as decoders do, and counted`() throws {
        let folder = try TemporaryFolder()
        let bytes: [UInt8] = [0x61, 0xFF, 0x62, 0xF0, 0x9F, 0x98, 0x20, 0xC3, 0xA9, 0xE2, 0x82]
        let path = try folder.write("x.txt", bytes)
        var reader = TextReader(drop: try DropRules())
        var text = ""
        let summary = try reader.read(path: path, name: "x.txt", onDocument: { text = $0.string }, onEmpty: { _ in })
        #expect(text == String(decoding: bytes, as: UTF8.self) && summary.invalidUTF8 == 3)
    }

    @Test(.enabled(if: RealData.isThere)) func `the schools archive has 4,322 articles without its licence`() throws {
        var reader = TextReader(
            options: TextReaderOptions(commentPrefix: "#"),
            drop: try DropRules([
                "^2007 Schools Wikipedia Selection", "^Retrieved from ", "^This reference article is mainly",
            ]))
        var documents = 0, bytes = 0, licences = 0
        let needle = Array("mainly selected from the English Wikipedia".utf8)
        let summary = try reader.read(
            path: RealData.wikispeedia, name: "x.tar.gz",
            onDocument: { document in
                documents += 1
                bytes += document.text.count
                if document.text.suffix(400).firstRange(of: needle) != nil { licences += 1 }
                if documents % 100 == 0 { document.check() }
            }, onEmpty: { _ in })
        #expect(documents == 4322 && licences == 0 && summary.empty == 0)
        #expect(bytes > 80_000_000)
    }
}
