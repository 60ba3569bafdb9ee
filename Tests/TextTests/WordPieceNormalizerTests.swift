// BERT's normaliser and pre-tokeniser against Hugging Face, on every code point and on awkward runs of marks.

import Testing

import Text

@Suite struct WordPieceNormalizerTests {
    @Test(arguments: ["uncased", "cased", "accents", "cased-strip", "raw", "plain"])
    func `every code point is normalised and split as by tokenizers`(name: String) throws {
        let golden = try WordPieceGoldens.rows("characters.tsv").filter { $0[0] == name }
        #expect(golden.count == 68)
        var scanner = WordScanner(WordPieceGoldens.options(name))
        for row in golden {
            let block = try #require(UInt32(row[1], radix: 16))
            var hash = Hash()
            for code in block..<block + 0x4000 {
                guard let scalar = Unicode.Scalar(code) else { continue }
                let character = Array(UTF8.encode(scalar)!)
                for word in WordList.of([97] + character + [98], &scanner) { hash.add(word) }
                hash.add([UInt8(ascii: ";")])
                for word in WordList.of(character, &scanner) { hash.add(word) }
                hash.add([UInt8(ascii: "\n")])
            }
            #expect(hash.value == UInt64(row[2], radix: 16), "block U+\(row[1]) of \(name)")
        }
    }

    @Test func `runs of marks are reordered and stripped as by tokenizers`() throws {
        for name in ["uncased", "cased", "accents"] {
            var scanner = WordScanner(WordPieceGoldens.options(name))
            for row in try WordPieceGoldens.rows("marks.tsv") where row[0] == name {
                let expected = row[2].split(separator: " ").map { WordPieceGoldens.bytes(hex: $0) }
                #expect(WordList.of(WordPieceGoldens.bytes(hex: row[1]), &scanner) == expected, "\(name) \(row[1])")
            }
        }
    }

    @Test func `invalid UTF-8 is dropped like U+FFFD and ends no word`() {
        var scanner = WordScanner(WordPieceOptions())
        let malformed: [[UInt8]] = [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x80], [0x80],
        ]
        for bad in malformed {
            #expect(WordList.of([65] + bad + [66], &scanner) == [Array("ab".utf8)], "\(bad)")
        }
        #expect(WordList.of([65, 0xE2, 0x80], &scanner) == [[97]])
    }

    @Test func `words around the length of a slot keep all their bytes`() {
        var scanner = WordScanner(WordPieceOptions())
        for count in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33] {
            let word = (0..<count).map { UInt8(65 + $0 % 26) }
            let expected = [word.map { $0 + 32 }]
            #expect(WordList.of(word, &scanner) == expected)
            #expect(WordList.of([32] + word + Array(repeating: 32, count: 20), &scanner) == expected)
        }
    }
}

/// FNV-1a of words joined by spaces.
private struct Hash {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    private var isEmpty = true

    mutating func add(_ word: [UInt8]) {
        if !isEmpty { step(32) }
        isEmpty = false
        for byte in word { step(byte) }
    }

    private mutating func step(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
}
