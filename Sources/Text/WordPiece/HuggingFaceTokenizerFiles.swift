// The tokenizer files of a Hugging Face model folder, written by hand: this room has no JSON writer.

/// vocab.txt, tokenizer.json and tokenizer_config.json of a vocabulary, so that `AutoTokenizer` gives the same ids.
package enum HuggingFaceTokenizerFiles {
    /// File names and bytes, in the order of their names.
    package static func all(
        _ vocabulary: WordPieceVocabulary, modelMaxLength: Int = 512
    ) -> [(name: String, bytes: [UInt8])] {
        [
            ("tokenizer.json", tokenizer(vocabulary)),
            ("tokenizer_config.json", tokenizerConfig(vocabulary, modelMaxLength: modelMaxLength)),
            ("vocab.txt", vocabularyText(vocabulary)),
        ]
    }

    /// vocab.txt: a token a line, in id order.
    package static func vocabularyText(_ vocabulary: WordPieceVocabulary) -> [UInt8] {
        vocabulary.tokens.flatMap { Array($0.utf8) + [10] }
    }

    /// tokenizer.json of tokenizers 0.23: BertNormalizer, BertPreTokenizer, WordPiece, `[CLS] A [SEP] B [SEP]`.
    package static func tokenizer(_ vocabulary: WordPieceVocabulary) -> [UInt8] {
        let options = vocabulary.options
        let special = options.specialTokens
        func id(_ token: String) -> UInt32 { vocabulary.specialIDs[special.all.firstIndex(of: token)!] }
        let added = zip(special.all, vocabulary.specialIDs).sorted { $0.1 < $1.1 }.map { token, id in
            "{\"id\":\(id),\"content\":\(quoted(token)),\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                + "\"normalized\":false,\"special\":true}"
        }
        func token(_ token: String, _ type: Int) -> String {
            "{\"SpecialToken\":{\"id\":\(quoted(token)),\"type_id\":\(type)}}"
        }
        func sequence(_ name: String, _ type: Int) -> String {
            "{\"Sequence\":{\"id\":\"\(name)\",\"type_id\":\(type)}}"
        }
        let (cls, sep) = (special.classification, special.separator)
        let single = [token(cls, 0), sequence("A", 0), token(sep, 0)]
        let pair = single + [sequence("B", 1), token(sep, 1)]
        let templates = [cls, sep].map {
            "\(quoted($0)):{\"id\":\(quoted($0)),\"ids\":[\(id($0))],\"tokens\":[\(quoted($0))]}"
        }
        let head: [String] = [
            "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,",
            "\"added_tokens\":[\(added.joined(separator: ","))],",
            "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":\(options.cleanText),",
            "\"handle_chinese_chars\":\(options.handleChineseChars),",
            "\"strip_accents\":\(optional(options.stripAccents)),\"lowercase\":\(options.lowercase)},",
            "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},",
            "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[\(single.joined(separator: ","))],",
            "\"pair\":[\(pair.joined(separator: ","))],\"special_tokens\":{\(templates.joined(separator: ","))}},",
            "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\(quoted(options.continuingPrefix)),\"cleanup\":true},",
            "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\(quoted(options.unknownToken)),",
            "\"continuing_subword_prefix\":\(quoted(options.continuingPrefix)),",
            "\"max_input_chars_per_word\":\(options.maxWordCharacters),\"vocab\":{",
        ]
        var bytes = Array(head.joined().utf8)
        for (id, token) in vocabulary.tokens.enumerated() {
            if id > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: "\(quoted(token)):\(id)".utf8)
        }
        bytes.append(contentsOf: "}}}\n".utf8)
        return bytes
    }

    /// tokenizer_config.json of transformers' BertTokenizer.
    package static func tokenizerConfig(_ vocabulary: WordPieceVocabulary, modelMaxLength: Int = 512) -> [UInt8] {
        let options = vocabulary.options
        let special = options.specialTokens
        let lines: [String] = [
            "  \"clean_up_tokenization_spaces\": true",
            "  \"cls_token\": \(quoted(special.classification))",
            "  \"do_lower_case\": \(options.lowercase)",
            "  \"mask_token\": \(quoted(special.mask))",
            "  \"model_max_length\": \(modelMaxLength)",
            "  \"pad_token\": \(quoted(special.padding))",
            "  \"sep_token\": \(quoted(special.separator))",
            "  \"strip_accents\": \(optional(options.stripAccents))",
            "  \"tokenize_chinese_chars\": \(options.handleChineseChars)",
            "  \"tokenizer_class\": \"BertTokenizer\"",
            "  \"unk_token\": \(quoted(special.unknown))",
        ]
        return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
    }

    private static func optional(_ value: Bool?) -> String { value.map { "\($0)" } ?? "null" }

    /// A JSON string: quotes, backslashes and control characters escaped, all else as it is.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
