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

    @Test func `words of every length are found at every distance from the end of a text`() {
        var uncased = WordScanner(WordPieceOptions())
        var cased = WordScanner(WordPieceOptions(lowercase: false))
        let letters = Array("Ab9Zz0YcXdWeVfUgThSiRj".utf8)
        for length in 1...letters.count {
            let word = Array(letters[..<length])
            let lower = Array(String(decoding: word, as: UTF8.self).lowercased().utf8)
            for distance in 0...20 {
                for (mark, between) in [(" ", [[UInt8]]()), ("-", [[45]]), ("\u{1}", []), ("@", [[64]])] {
                    let tail = Array(repeating: UInt8(ascii: "\n"), count: distance)
                    let text = word + Array(mark.utf8) + word + tail
                    // A control character is taken out and ends no word.
                    let joined = mark == "\u{1}"
                    let place = Comment(rawValue: "\(length) letters, \(distance) from the end, \(mark.utf8.first!)")
                    let found = WordList.of(text, &uncased)
                    #expect(found == (joined ? [lower + lower] : [lower] + between + [lower]), place)
                    #expect(
                        WordList.of(text, &cased) == (joined ? [word + word] : [word] + between + [word]), place)
                }
            }
        }
    }

    @Test func `a range that ends within a word ends it`() {
        let text = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        for end in 1...text.count {
            for begin in [0, end / 2, max(0, end - 3)] where begin < end {
                var list = WordList()
                var scanner = WordScanner(WordPieceOptions())
                text.withUnsafeBufferPointer { scanner.scan($0, begin..<end, into: &list) }
                #expect(list.words == [Array(text[begin..<end])])
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
