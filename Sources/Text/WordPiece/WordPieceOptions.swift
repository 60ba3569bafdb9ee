// What a WordPiece vocabulary is used with: BERT's normaliser options, the special tokens, and the errors of this folder.

/// BERT's normaliser and WordPiece options; the defaults are those of an uncased BERT.
package struct WordPieceOptions: Sendable, Equatable {
    package var lowercase = true
    /// nil: as `lowercase`, BERT's rule.
    package var stripAccents: Bool?
    /// Removes control characters, U+0000 and U+FFFD.
    package var cleanText = true
    /// Makes every character of the CJK ideograph blocks a word.
    package var handleChineseChars = true
    package var unknownToken = "[UNK]"
    package var continuingPrefix = "##"
    /// Longer words become `unknownToken`. 100 as in Hugging Face; google-research/bert has 200.
    package var maxWordCharacters = 100
    package var specialTokens = SpecialTokens()
    /// Whether a special token written in the text (`[MASK]`) is that token, as in Hugging Face, or is ordinary text.
    package var matchesSpecialTokens = true

    package init(lowercase: Bool = true) { self.lowercase = lowercase }

    package var stripsAccents: Bool { stripAccents ?? lowercase }
}

/// The five special tokens of BERT.
package struct SpecialTokens: Sendable, Equatable {
    package var padding = "[PAD]"
    package var unknown = "[UNK]"
    package var classification = "[CLS]"
    package var separator = "[SEP]"
    package var mask = "[MASK]"

    package init() {}

    /// In the order that a trained vocabulary begins with.
    package var all: [String] { [padding, unknown, classification, separator, mask] }
}

/// A vocabulary cannot be used or made.
package struct VocabularyError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    /// File and line, if known.
    package var place: String?
    package var cause: String?
    package var fix: String?

    package init(_ message: String, place: String? = nil, cause: String? = nil, fix: String? = nil) {
        self.message = message
        self.place = place
        self.cause = cause
        self.fix = fix
    }

    package var description: String {
        var lines = [(place.map { "\($0): " } ?? "") + "error: " + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }
}
