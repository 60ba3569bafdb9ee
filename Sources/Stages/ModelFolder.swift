// A model folder in the Hugging Face layout, as commands read it: the model, its vocabulary, and texts made into rows.

import Container
import Corpus
import Pipeline
import Text
import Transformer

/// A checkpoint exported by Linkloom, or any BERT in the Hugging Face layout.
struct ModelFolder {
    let directory: String
    let model: BertModel
    let vocabulary: WordPieceVocabulary
    /// Parameters that the files lack, started at random, in layout order.
    let initialised: [String]

    /// - Throws: `StageError` naming the file that is missing or does not fit the others.
    init(directory: String) throws {
        self.directory = directory
        let read = try staged { try HuggingFaceModel.read(try ModelFiles(directory: directory), seed: 0) }
        model = read.model
        initialised = read.initialised
        let (file, vocabulary) = try Self.vocabulary(directory)
        self.vocabulary = vocabulary
        guard vocabulary.tokens.count == model.config.vocabSize else {
            throw StageError(
                "\(file) has \(vocabulary.tokens.count) tokens, the model \(model.config.vocabSize)",
                place: directory, fix: "use the \(file) that the model was trained with")
        }
    }

    /// - Throws: `StageError` if the files lack a parameter whose name begins so.
    func require(_ prefixes: [String], _ what: String, fix: String) throws {
        guard let lost = initialised.first(where: { name in prefixes.contains { name.hasPrefix($0) } }) else { return }
        throw StageError("the model has no \(what)", place: directory, cause: "its files lack '\(lost)'", fix: fix)
    }

    private static func vocabulary(_ directory: String) throws -> (file: String, vocabulary: WordPieceVocabulary) {
        let (lines, tokenizer) = (directory + "/vocab.txt", directory + "/tokenizer.json")
        if Files.exists(lines) {
            let tokens = try staged { try VocabularyFiles.tokens(text: try Files.read(lines), file: lines) }
            let options = try options(directory + "/tokenizer_config.json")
            return ("vocab.txt", try staged(lines) { try WordPieceVocabulary(tokens: tokens, options: options) })
        }
        guard Files.exists(tokenizer) else {
            throw StageError(
                "there is no vocab.txt and no tokenizer.json", place: directory,
                fix: "export the model again, or copy one of them there")
        }
        let (tokens, options) = try staged {
            try VocabularyFiles.tokenizer(json: try Files.read(tokenizer), file: tokenizer)
        }
        return ("tokenizer.json", try staged(tokenizer) { try WordPieceVocabulary(tokens: tokens, options: options) })
    }

    /// What a vocab.txt does not say of its texts; without the file, an uncased BERT's.
    private static func options(_ path: String) throws -> WordPieceOptions {
        guard Files.exists(path) else { return WordPieceOptions() }
        let config = try staged { try JSON(ofModel: try Files.read(path), place: path) }
        var options = WordPieceOptions(lowercase: config["do_lower_case"]?.bool ?? true)
        options.stripAccents = config["strip_accents"]?.bool
        options.handleChineseChars = config["tokenize_chinese_chars"]?.bool ?? true
        return options
    }
}

/// One text, or two, as the model reads them.
struct TextRow: Sendable {
    let ids: [UInt32]
    /// First position of token type 1; `ids.count` for a single text.
    let secondBegin: Int
    /// Tokens that the row would have if the model had positions for all.
    let whole: Int

    var isCut: Bool { ids.count < whole }
}

/// Makes texts into rows `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`. For one thread.
final class TextRows {
    let positions: Int
    private let encoder: WordPieceEncoder
    private let classify, separator: UInt32

    /// - Parameter pairs: whether rows of two texts are wanted.
    /// - Throws: `StageError` if the model cannot read such a row.
    init(_ folder: ModelFolder, pairs: Bool) throws {
        let config = folder.model.config
        positions = config.maxPositionEmbeddings
        guard positions >= (pairs ? 3 : 2) else {
            throw StageError("the model has \(positions) positions, too few for any text", place: folder.directory)
        }
        guard !pairs || config.typeVocabSize >= 2 else {
            throw StageError(
                "the model cannot read two texts at once", place: folder.directory,
                cause: "its type_vocab_size is \(config.typeVocabSize)", fix: "give it one text at a time")
        }
        encoder = WordPieceEncoder(folder.vocabulary)
        classify = folder.vocabulary.specialIDs[2]
        separator = folder.vocabulary.specialIDs[3]
    }

    func ids(_ text: String) -> [UInt32] { encoder.encode(text).ids }

    /// A row of at most `positions` tokens; what does not fit is cut off at the end of the texts.
    func row(_ first: [UInt32], _ second: [UInt32]? = nil) -> TextRow {
        guard let second else {
            let kept = min(first.count, positions - 2)
            let ids = [classify] + first[..<kept] + [separator]
            return TextRow(ids: ids, secondBegin: ids.count, whole: first.count + 2)
        }
        let (a, b) = Self.kept(first.count, second.count, of: positions - 3)
        let head = [classify] + first[..<a] + [separator]
        return TextRow(
            ids: head + second[..<b] + [separator], secondBegin: head.count, whole: first.count + second.count + 3)
    }

    /// How many tokens of each text stay, as `longest_first` of Hugging Face tokenizers has it: the longer text gives way
    /// until both are of one length, then both do, and the odd token is that of the longer one, of equals of the second.
    static func kept(_ first: Int, _ second: Int, of room: Int) -> (first: Int, second: Int) {
        if first + second <= room { return (first, second) }
        let shorter = min(first, second, room / 2)
        return first <= second ? (shorter, room - shorter) : (room - shorter, shorter)
    }
}

/// Probabilities of logits, computed as `transformers`' softmax, in plain arithmetic.
func probabilities(_ logits: [Float]) -> [Double] {
    let highest = Double(logits.max() ?? 0)
    let powers = logits.map { Exponential.of(Double($0) - highest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}
