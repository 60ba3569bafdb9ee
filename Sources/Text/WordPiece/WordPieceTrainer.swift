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
        for token in specialTokens { tokens.add(token) }
        var corpus = MergeCorpus(words, alphabet(words), prefix: continuingPrefix, &tokens)
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
            let id = tokens.add(tokens.joined(top.pair, prefix: continuingPrefix))
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

/// Two symbols side by side, as one comparable number: left id << 32 | right id.
struct SymbolPair: Hashable {
    var bits: UInt64

    init(_ left: UInt32, _ right: UInt32) { bits = UInt64(left) << 32 | UInt64(right) }

    var left: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
    var right: UInt32 { UInt32(truncatingIfNeeded: bits) }
}

/// Tokens by id and back.
private struct TokenList {
    private(set) var strings: [String] = []
    private var ids: [String: UInt32] = [:]

    var count: Int { strings.count }

    /// The id of a token, new or old.
    @discardableResult
    mutating func add(_ token: String) -> UInt32 {
        if let id = ids[token] { return id }
        let id = UInt32(strings.count)
        strings.append(token)
        ids[token] = id
        return id
    }

    func id(_ token: String) -> UInt32? { ids[token] }

    /// What the two symbols of a pair spell together.
    func joined(_ pair: SymbolPair, prefix: String) -> String {
        let right = strings[Int(pair.right)]
        // By bytes: `hasPrefix` and `dropFirst` go by grapheme, and a mark would cling to the prefix.
        guard right.utf8.starts(with: prefix.utf8) else { return strings[Int(pair.left)] + right }
        return strings[Int(pair.left)] + String(decoding: right.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
}

/// A pair waiting to be merged in the words of one list.
struct PairEntry {
    var pair: SymbolPair
    /// The pair's count when this was last looked at.
    var count: UInt64
    /// Range in the corpus's `positions`.
    var words: Range<Int>
    /// Order of birth.
    var age: Int

    /// Whether it is merged before another: the more frequent, then the smaller pair of ids, then the older.
    func precedes(_ other: PairEntry) -> Bool {
        if count != other.count { return count > other.count }
        if pair != other.pair { return pair.bits < other.pair.bits }
        return age < other.age
    }
}

/// A binary heap of entries.
private struct PairQueue {
    private var heap: [PairEntry]

    init(_ entries: [PairEntry]) {
        heap = entries
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    var first: PairEntry? { heap.first }

    mutating func replaceFirst(count: UInt64) {
        heap[0].count = count
        sink(0)
    }

    mutating func removeFirst() {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        sink(0)
    }

    mutating func insert(_ entry: PairEntry) {
        heap.append(entry)
        var at = heap.count - 1
        while at > 0 {
            let parent = (at - 1) / 2
            if !entry.precedes(heap[parent]) { break }
            heap[at] = heap[parent]
            at = parent
        }
        heap[at] = entry
    }

    private mutating func sink(_ start: Int) {
        let entry = heap[start]
        var at = start
        while true {
            var child = at * 2 + 1
            if child >= heap.count { break }
            if child + 1 < heap.count && heap[child + 1].precedes(heap[child]) { child += 1 }
            if !heap[child].precedes(entry) { break }
            heap[at] = heap[child]
            at = child
        }
        heap[at] = entry
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

    init(_ words: WordCounts, _ alphabet: [UInt32], prefix: String, _ tokens: inout TokenList) {
        wordCounts = words.counts
        var initial: [UInt32: UInt32] = [:]
        for code in alphabet { initial[code] = tokens.add(String(Unicode.Scalar(code)!)) }
        var continues: Set<UInt32> = []
        for index in 0..<words.count {
            for scalar in String(decoding: words.word(index), as: UTF8.self).unicodeScalars.dropFirst() {
                continues.insert(scalar.value)
            }
        }
        var continuing: [UInt32: UInt32] = [:]
        for code in continues.sorted() {
            let letter = String(Unicode.Scalar(code)!)
            // A special token of one character is in the alphabet as well, as in the original.
            if tokens.id(letter) != nil { continuing[code] = tokens.add(prefix + letter) }
        }
        for index in 0..<words.count {
            begins.append(symbols.count)
            var isFirst = true
            for scalar in String(decoding: words.word(index), as: UTF8.self).unicodeScalars {
                let symbol =
                    isFirst ? initial[scalar.value] ?? tokens.id(String(scalar)) : continuing[scalar.value]
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

/// Pairs → columns, by open addressing.
private struct PairTable {
    /// Index + 1 into the columns, 0 if empty.
    private var slots = [UInt32](repeating: 0, count: 1 << 12)
    private(set) var pairs: [SymbolPair] = []
    var counts: [UInt64] = []
    /// Words in which the pair arose since entries were last taken, and the last of them.
    var newWords: [UInt32] = []
    var lastWord: [UInt32] = []
    var cursor: [Int] = []

    @inline(__always)
    private func slot(_ pair: SymbolPair) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: (pair.bits &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while slots[index] != 0 && pairs[Int(slots[index]) - 1] != pair { index = (index + 1) & mask }
        return index
    }

    func find(_ pair: SymbolPair) -> Int? {
        let found = slots[slot(pair)]
        return found == 0 ? nil : Int(found) - 1
    }

    mutating func findOrAdd(_ pair: SymbolPair) -> Int {
        let place = slot(pair)
        if slots[place] != 0 { return Int(slots[place]) - 1 }
        pairs.append(pair)
        counts.append(0)
        newWords.append(0)
        lastWord.append(0)
        cursor.append(0)
        slots[place] = UInt32(pairs.count)
        if pairs.count * 2 > slots.count {
            slots = [UInt32](repeating: 0, count: slots.count * 2)
            for index in pairs.indices { slots[slot(pairs[index])] = UInt32(index + 1) }
        }
        return pairs.count - 1
    }
}
