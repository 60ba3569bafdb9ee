// Trains a WordPiece vocabulary from word counts, by the rule of Hugging Face's WordPieceTrainer.

/// Byte-pair merges by frequency, with `##` on pieces that continue a word.
///
/// The rule is that of `tokenizers` 0.23.3 (`models/bpe/trainer.rs`): special tokens, then the alphabet by code point,
/// then `##` forms, then the most frequent pair again and again until `size` tokens or a count under `minFrequency`.
/// Three things are decided by hash order there, so that two runs may differ. Here they are fixed:
/// - ids of the `##` forms, which decide ties between pairs of equal count: by code point;
/// - which of equally frequent characters fall past `alphabetLimit`: the higher code points;
/// - of two queued entries of one pair with one count, the older goes first.
/// Pinning the `##` ids (listing them as special tokens) makes Hugging Face give the same list; the goldens do so.
///
/// Memory: O(bytes of distinct words). Complexity: O(changed pairs · log of the queue).
package struct WordPieceTrainer: Sendable, Equatable {
    /// Tokens to end with; fewer if no pair is frequent enough.
    package var size = 30_522
    package var minFrequency: UInt64 = 2
    /// At most so many different characters; the rarest are dropped, and words lose them.
    package var alphabetLimit = 1000
    /// First in the vocabulary, in this order.
    package var specialTokens = SpecialTokens().all
    package var continuingPrefix = "##"

    package init() {}

    /// - Parameter progress: called now and then with the number of tokens so far; may throw to stop.
    /// - Returns: tokens in id order.
    /// - Throws: `VocabularyError` if there are no words, or the alphabet alone does not fit `size`.
    package func train(_ words: WordCounts, progress: (Int) throws -> Void = { _ in }) throws -> [String] {
        guard words.count > 0 else {
            throw VocabularyError(
                "there are no words to train a vocabulary from", cause: "every document is empty",
                fix: "check what the `parse` stage kept")
        }
        var tokens = TokenList()
        for token in specialTokens { tokens.add(Array(token.utf8)) }
        let prefix = Array(continuingPrefix.utf8)
        var corpus = MergeCorpus(words, alphabet(words), prefix: prefix, &tokens)
        guard tokens.count <= size else {
            throw VocabularyError(
                "a vocabulary of \(size) tokens has no room for its \(tokens.count) special tokens and characters",
                fix: "raise `size`, or lower `alphabet_limit` (\(alphabetLimit))")
        }
        var queue = PairQueue(corpus.takeNewEntries())
        while tokens.count < size, let top = queue.first {
            let count = corpus.count(top.pair)
            if count != top.count {
                queue.replaceFirst(count: count)
                continue
            }
            if count < 1 || count < minFrequency { break }
            queue.removeFirst()
            let id = tokens.add(tokens.joined(top.pair, prefix: prefix))
            corpus.merge(top, into: id)
            for entry in corpus.takeNewEntries() { queue.insert(entry) }
            if tokens.count & 255 == 0 { try progress(tokens.count) }
        }
        return tokens.strings
    }

    /// The characters to keep, by code point.
    private func alphabet(_ words: WordCounts) -> [UInt32] {
        var ascii = [UInt64](repeating: 0, count: 128)
        var others: [UInt32: UInt64] = [:]
        for index in 0..<words.count {
            for scalar in String(decoding: words.word(index), as: UTF8.self).unicodeScalars {
                if scalar.value < 128 {
                    ascii[Int(scalar.value)] += words.counts[index]
                } else {
                    others[scalar.value, default: 0] += words.counts[index]
                }
            }
        }
        var all = others.map { ($0.key, $0.value) }
        for code in 0..<128 where ascii[code] > 0 { all.append((UInt32(code), ascii[code])) }
        all.sort { ($1.1, $0.0) < ($0.1, $1.0) }
        return all.prefix(alphabetLimit).map(\.0).sorted()
    }
}

/// Tokens by id and back. By bytes: as strings, a composed and a decomposed spelling would be one token.
private struct TokenList {
    private var tokens: [[UInt8]] = []
    private var ids: [[UInt8]: UInt32] = [:]

    var count: Int { tokens.count }
    var strings: [String] { tokens.map { String(decoding: $0, as: UTF8.self) } }

    /// The id of a token, new or old.
    @discardableResult
    mutating func add(_ token: [UInt8]) -> UInt32 {
        if let id = ids[token] { return id }
        let id = UInt32(tokens.count)
        tokens.append(token)
        ids[token] = id
        return id
    }

    func id(_ token: [UInt8]) -> UInt32? { ids[token] }

    /// What the two symbols of a pair spell together.
    func joined(_ pair: SymbolPair, prefix: [UInt8]) -> [UInt8] {
        let right = tokens[Int(pair.right)]
        return tokens[Int(pair.left)] + (right.starts(with: prefix) ? right.dropFirst(prefix.count) : right[...])
    }
}

/// The words as symbols, the count of every pair, and where new pairs arose.
private struct MergeCorpus {
    private var symbols: [UInt32] = []
    /// Word i is `symbols[begins[i] ..< begins[i] + lengths[i]]`.
    private var begins: [Int] = []
    private var lengths: [Int32] = []
    private let wordCounts: [UInt64]
    private var pairs = PairTable()
    /// Lists of words (ascending, distinct) that entries point into.
    private var positions: [UInt32] = []
    /// Since the last `takeNewEntries`: (index in `pairs`, word) of each pair that arose.
    private var arisen: [(pair: Int, word: UInt32)] = []
    private var births = 0

    init(_ words: WordCounts, _ alphabet: [UInt32], prefix: [UInt8], _ tokens: inout TokenList) {
        wordCounts = words.counts
        var initial: [UInt32: UInt32] = [:]
        for code in alphabet { initial[code] = tokens.add(Self.utf8(code)) }
        var continues: Set<UInt32> = []
        for index in 0..<words.count {
            for scalar in String(decoding: words.word(index), as: UTF8.self).unicodeScalars.dropFirst() {
                continues.insert(scalar.value)
            }
        }
        var continuing: [UInt32: UInt32] = [:]
        for code in continues.sorted() {
            // A special token of one character is in the alphabet as well, as in the original.
            let letter = Self.utf8(code)
            if tokens.id(letter) != nil { continuing[code] = tokens.add(prefix + letter) }
        }
        for index in 0..<words.count {
            begins.append(symbols.count)
            var isFirst = true
            for scalar in String(decoding: words.word(index), as: UTF8.self).unicodeScalars {
                let symbol =
                    isFirst ? initial[scalar.value] ?? tokens.id(Self.utf8(scalar.value)) : continuing[scalar.value]
                if let symbol { symbols.append(symbol) }
                isFirst = false
            }
            lengths.append(Int32(symbols.count - begins[index]))
        }
        for word in 0..<begins.count {
            let end = begins[word] + Int(lengths[word])
            guard end - begins[word] > 1 else { continue }
            for at in begins[word]..<end - 1 {
                arise(SymbolPair(symbols[at], symbols[at + 1]), UInt32(word))
            }
        }
    }

    private static func utf8(_ code: UInt32) -> [UInt8] { Array(UTF8.encode(Unicode.Scalar(code)!)!) }

    func count(_ pair: SymbolPair) -> UInt64 { pairs.counts[pairs.find(pair)!] }

    private mutating func arise(_ pair: SymbolPair, _ word: UInt32) {
        let index = pairs.findOrAdd(pair)
        pairs.counts[index] += wordCounts[Int(word)]
        if pairs.newWords[index] == 0 || pairs.lastWord[index] != word {
            pairs.newWords[index] += 1
            pairs.lastWord[index] = word
            arisen.append((index, word))
        }
    }

    private mutating func vanish(_ pair: SymbolPair, _ word: UInt32) {
        pairs.counts[pairs.find(pair)!] -= wordCounts[Int(word)]
    }

    /// Replaces the pair by `id`, left to right, in the words of the entry.
    ///
    /// As in the original, the count of the merged pair itself stays: where the pair arises again (a token can be
    /// spelt by two ways of merging), it is at once the most frequent and is merged there too.
    mutating func merge(_ entry: PairEntry, into id: UInt32) {
        let (left, right) = (entry.pair.left, entry.pair.right)
        for position in entry.words {
            let word = positions[position]
            let begin = begins[Int(word)]
            let end = begin + Int(lengths[Int(word)])
            var out = begin
            var at = begin
            while at < end {
                guard at + 1 < end, symbols[at] == left, symbols[at + 1] == right else {
                    symbols[out] = symbols[at]
                    out += 1
                    at += 1
                    continue
                }
                if out > begin {
                    vanish(SymbolPair(symbols[out - 1], left), word)
                    arise(SymbolPair(symbols[out - 1], id), word)
                }
                if at + 2 < end {
                    vanish(SymbolPair(right, symbols[at + 2]), word)
                    arise(SymbolPair(id, symbols[at + 2]), word)
                }
                symbols[out] = id
                out += 1
                at += 2
            }
            lengths[Int(word)] = Int32(out - begin)
        }
    }

    /// Entries for the pairs that arose since the last call, with their counts of now.
    mutating func takeNewEntries() -> [PairEntry] {
        var entries: [PairEntry] = []
        var next = positions.count
        positions.append(contentsOf: repeatElement(0, count: arisen.count))
        for (index, word) in arisen {
            if pairs.newWords[index] > 0 {
                // First meeting: give the pair its stretch of `positions`; `cursor` then fills it.
                let count = Int(pairs.newWords[index])
                if pairs.counts[index] > 0 {
                    entries.append(
                        PairEntry(
                            pair: pairs.pairs[index], count: pairs.counts[index], words: next..<next + count,
                            age: births))
                    births += 1
                }
                pairs.newWords[index] = 0
                pairs.cursor[index] = next
                next += count
            }
            positions[pairs.cursor[index]] = word
            pairs.cursor[index] += 1
        }
        arisen.removeAll(keepingCapacity: true)
        return entries
    }
}
