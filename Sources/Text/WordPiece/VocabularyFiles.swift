// Reads a vocabulary that someone else made: vocab.txt, or the tokenizer.json of Hugging Face tokenizers.

/// Vocabulary files from outside. Nothing of them is run; what cannot be reproduced exactly is refused.
package enum VocabularyFiles {
    /// The tokens of a vocab.txt, a line each. A byte order mark, `\r` at line ends and a last empty line are ignored.
    /// - Throws: `VocabularyError` with the line.
    package static func tokens(text bytes: [UInt8], file: String) throws(VocabularyError) -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard !lines.isEmpty else {
            throw VocabularyError("the vocabulary file is empty", place: file, fix: "name a vocab.txt, a token a line")
        }
        if lines[0].starts(with: [0xEF, 0xBB, 0xBF]) { lines[0] = lines[0].dropFirst(3) }
        var tokens: [String] = []
        for (number, line) in lines.enumerated() {
            let bytes = line.last == 13 ? line.dropLast() : line
            let token = String(decoding: bytes, as: UTF8.self)
            guard token.utf8.elementsEqual(bytes) else {
                throw VocabularyError(
                    "the line is no UTF-8", place: "\(file):\(number + 1)", fix: "save the vocabulary as UTF-8")
            }
            guard !token.isEmpty else {
                throw VocabularyError(
                    "the line is empty", place: "\(file):\(number + 1)",
                    cause: "the line number is the token's id, so no line can be skipped", fix: "remove the blank line")
            }
            tokens.append(token)
        }
        return tokens
    }

    /// The tokens and options of a tokenizer.json with a WordPiece model and BERT's normaliser and pre-tokeniser.
    /// - Throws: `VocabularyError` naming the setting that is not BERT's, or the byte where the JSON breaks.
    package static func tokenizer(
        json bytes: [UInt8], file: String
    ) throws(VocabularyError) -> (tokens: [String], options: WordPieceOptions) {
        func refuse(_ message: String, _ cause: String? = nil) -> VocabularyError {
            VocabularyError(
                message, place: file, cause: cause,
                fix: "import the tokenizer.json of a BERT model, or a vocab.txt with `lowercase` beside it")
        }
        let root: OrderedJSON
        do { root = try OrderedJSON.parse(bytes) } catch {
            throw VocabularyError("the file is no JSON", place: "\(file): byte \(error.offset)", fix: "fetch it again")
        }
        let model = root["model"]
        guard model?["type"]?.string == "WordPiece" || model?["max_input_chars_per_word"] != nil else {
            throw refuse("its model is '\(model?["type"]?.string ?? "unknown")', not WordPiece")
        }
        guard let normalizer = root["normalizer"], normalizer["type"]?.string == "BertNormalizer" else {
            throw refuse("its normalizer is '\(root["normalizer"]?["type"]?.string ?? "none")', not BertNormalizer")
        }
        guard root["pre_tokenizer"]?["type"]?.string == "BertPreTokenizer" else {
            throw refuse(
                "its pre-tokenizer is '\(root["pre_tokenizer"]?["type"]?.string ?? "none")', not BertPreTokenizer")
        }
        guard let members = model?["vocab"]?.members else { throw refuse("it has no vocabulary (`model.vocab`)") }
        var options = WordPieceOptions(lowercase: normalizer["lowercase"]?.bool ?? true)
        options.cleanText = normalizer["clean_text"]?.bool ?? true
        options.handleChineseChars = normalizer["handle_chinese_chars"]?.bool ?? true
        options.stripAccents = normalizer["strip_accents"]?.bool
        options.unknownToken = model?["unk_token"]?.string ?? options.unknownToken
        options.continuingPrefix = model?["continuing_subword_prefix"]?.string ?? options.continuingPrefix
        options.maxWordCharacters = model?["max_input_chars_per_word"]?.integer ?? options.maxWordCharacters

        var entries: [(token: [UInt8], id: Int)] = []
        for (token, value) in members {
            guard let id = value.integer, id >= 0 else {
                throw refuse("the token '\(String(decoding: token, as: UTF8.self))' has no id")
            }
            entries.append((token, id))
        }
        for added in root["added_tokens"]?.items ?? [] {
            guard let content = added["content"]?.string, let id = added["id"]?.integer else {
                throw refuse("one of `added_tokens` has no content or no id")
            }
            let plain = ["single_word", "lstrip", "rstrip", "normalized"].allSatisfy { added[$0]?.bool != true }
            guard plain, options.specialTokens.all.contains(content) else {
                throw refuse(
                    "the added token '\(content)' is none of \(options.specialTokens.all.joined(separator: ", "))",
                    "texts are split at added tokens before anything else, and only BERT's five are known here")
            }
            if let same = entries.first(where: { $0.id == id }) {
                guard same.token.elementsEqual(content.utf8) else {
                    throw refuse("id \(id) is '\(String(decoding: same.token, as: UTF8.self))' and also '\(content)'")
                }
            } else {
                entries.append((Array(content.utf8), id))
            }
        }
        entries.sort { $0.id < $1.id }
        for (place, entry) in entries.enumerated() where entry.id != place {
            throw refuse("its ids are not 0, 1, 2, …: id \(place) is \(entry.id < place ? "given twice" : "missing")")
        }
        return (entries.map { String(decoding: $0.token, as: UTF8.self) }, options)
    }
}

/// A JSON value whose objects keep their members in order and compare keys by bytes: as strings, two tokens that differ
/// in composition only would be one key.
private indirect enum OrderedJSON {
    case null
    case bool(Bool)
    case number([UInt8])
    case string([UInt8])
    case array([OrderedJSON])
    case object([(key: [UInt8], value: OrderedJSON)])

    struct Failure: Error { var offset: Int }

    subscript(_ key: String) -> OrderedJSON? { members?.last { $0.key.elementsEqual(key.utf8) }?.value }

    var members: [(key: [UInt8], value: OrderedJSON)]? { if case .object(let members) = self { members } else { nil } }
    var items: [OrderedJSON]? { if case .array(let items) = self { items } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var string: String? { if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
    var integer: Int? {
        if case .number(let digits) = self { Int(String(decoding: digits, as: UTF8.self)) } else { nil }
    }

    static func parse(_ bytes: [UInt8]) throws(Failure) -> OrderedJSON {
        var parser = OrderedJSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == bytes.count else { throw Failure(offset: parser.at) }
        return value
    }
}

private struct OrderedJSONParser {
    let bytes: [UInt8]
    var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func skipSpace() {
        while let byte = peek, byte == 32 || byte == 10 || byte == 13 || byte == 9 { at += 1 }
    }

    private mutating func take(_ byte: UInt8) throws(OrderedJSON.Failure) {
        skipSpace()
        guard peek == byte else { throw OrderedJSON.Failure(offset: at) }
        at += 1
    }

    /// Whether a list goes on; takes the comma or the closing bracket.
    private mutating func continues(_ close: UInt8) throws(OrderedJSON.Failure) -> Bool {
        skipSpace()
        guard let byte = peek, byte == UInt8(ascii: ",") || byte == close else { throw OrderedJSON.Failure(offset: at) }
        at += 1
        return byte != close
    }

    mutating func value(depth: Int) throws(OrderedJSON.Failure) -> OrderedJSON {
        skipSpace()
        guard depth < 64, let byte = peek else { throw OrderedJSON.Failure(offset: at) }
        switch byte {
        case UInt8(ascii: "{"):
            at += 1
            skipSpace()
            var members: [(key: [UInt8], value: OrderedJSON)] = []
            if peek == UInt8(ascii: "}") {
                at += 1
                return .object([])
            }
            repeat {
                skipSpace()
                let key = try string()
                try take(UInt8(ascii: ":"))
                members.append((key, try value(depth: depth + 1)))
            } while try continues(UInt8(ascii: "}"))
            return .object(members)
        case UInt8(ascii: "["):
            at += 1
            skipSpace()
            var items: [OrderedJSON] = []
            if peek == UInt8(ascii: "]") {
                at += 1
                return .array([])
            }
            repeat { items.append(try value(depth: depth + 1)) } while try continues(UInt8(ascii: "]"))
            return .array(items)
        case UInt8(ascii: "\""):
            return .string(try string())
        default:
            let begin = at
            while let byte = peek, !",]} \n\r\t".utf8.contains(byte) { at += 1 }
            let word = Array(bytes[begin..<at])
            if word == Array("true".utf8) { return .bool(true) }
            if word == Array("false".utf8) { return .bool(false) }
            if word == Array("null".utf8) { return .null }
            guard !word.isEmpty, Double(String(decoding: word, as: UTF8.self)) != nil else {
                throw OrderedJSON.Failure(offset: begin)
            }
            return .number(word)
        }
    }

    private mutating func string() throws(OrderedJSON.Failure) -> [UInt8] {
        let begin = at
        guard peek == UInt8(ascii: "\"") else { throw OrderedJSON.Failure(offset: at) }
        at += 1
        var result: [UInt8] = []
        while let byte = peek {
            at += 1
            if byte == UInt8(ascii: "\"") {
                guard String(validating: result, as: UTF8.self) != nil else { throw OrderedJSON.Failure(offset: begin) }
                return result
            }
            guard byte == UInt8(ascii: "\\") else {
                guard byte >= 0x20 else { throw OrderedJSON.Failure(offset: at - 1) }
                result.append(byte)
                continue
            }
            try escape(into: &result)
        }
        throw OrderedJSON.Failure(offset: begin)
    }

    private mutating func escape(into result: inout [UInt8]) throws(OrderedJSON.Failure) {
        guard let letter = peek else { throw OrderedJSON.Failure(offset: at) }
        at += 1
        switch letter {
        case UInt8(ascii: "n"): result.append(10)
        case UInt8(ascii: "t"): result.append(9)
        case UInt8(ascii: "r"): result.append(13)
        case UInt8(ascii: "b"): result.append(8)
        case UInt8(ascii: "f"): result.append(12)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
        case UInt8(ascii: "u"):
            var code = try hex()
            if 0xD800..<0xDC00 ~= code, bytes[at...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
                at += 2
                let low = try hex()
                guard 0xDC00..<0xE000 ~= low else { throw OrderedJSON.Failure(offset: at - 4) }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw OrderedJSON.Failure(offset: at - 4) }
            result.append(contentsOf: UTF8.encode(scalar)!)
        default: throw OrderedJSON.Failure(offset: at - 1)
        }
    }

    private mutating func hex() throws(OrderedJSON.Failure) -> UInt32 {
        guard at + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw OrderedJSON.Failure(offset: at) }
        at += 4
        return code
    }
}
