// Reads the goldens of Tests/Goldens/wordpiece, which make_wordpiece.py writes with Hugging Face tokenizers.

import Foundation

import Text

enum WordPieceGoldens {
    static func text(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Goldens/wordpiece/\(name)"), encoding: .utf8)
    }

    /// Lines, each cut at tabs. Fields may be empty.
    static func rows(_ name: String) throws -> [[String]] {
        try lines(name).map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }

    /// By bytes: `\r\n` would be one Character.
    static func lines(_ name: String) throws -> [String] {
        try text(name).utf8.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The options that make_wordpiece.py calls by this name.
    static func options(_ name: String) -> WordPieceOptions {
        var options = WordPieceOptions(lowercase: !name.hasPrefix("cased"))
        switch name {
        case "accents": options.stripAccents = false
        case "cased-strip": options.stripAccents = true
        case "raw": options.cleanText = false
        case "plain": options.handleChineseChars = false
        default: break
        }
        return options
    }

    static func bytes(hex: some StringProtocol) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
        }
    }
}

/// Collects the words of a scan as bytes.
struct WordList: WordSink, ~Copyable {
    var words: [[UInt8]] = []

    mutating func short(_ key: WordTable.Key, begin: Int) {
        words.append((0..<key.count).map { UInt8(($0 < 8 ? key.low : key.high) >> UInt64($0 % 8 * 8) & 255) })
    }

    mutating func punctuation(_ byte: UInt8, begin: Int) { words.append([byte]) }

    mutating func word(_ bytes: UnsafeBufferPointer<UInt8>, _ sources: UnsafeBufferPointer<SourceRange>) {
        words.append(Array(bytes))
    }

    static func of(_ text: [UInt8], _ scanner: inout WordScanner) -> [[UInt8]] {
        var list = WordList()
        text.withUnsafeBufferPointer { scanner.scan($0, 0..<text.count, into: &list) }
        return list.words
    }
}
