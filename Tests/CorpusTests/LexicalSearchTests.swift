// Lexical neighbours: pruned search against the plain sum over all terms, in any blocks and order.

import Container
import Corpus
import Testing

/// Documents of made-up words with topics, so that neighbours have scores to prune by.
private struct WordCorpus {
    var ids: [UInt64] = []
    var words: [[UInt64]] = []

    init(seed: UInt64, count: Int) {
        var random = SplitMix64(seed: seed)
        for number in 0..<count {
            ids.append(random.next() >> 1)
            let topic = UInt64.random(in: 0..<8, using: &random)
            if number % 17 == 16 {
                words.append(words[number - 5])
                continue
            }
            words.append(
                (0..<Int.random(in: 0...120, using: &random)).map { _ in
                    switch UInt64.random(in: 0..<10, using: &random) {
                    case 0: 0
                    case 1...3: 1 + UInt64.random(in: 0..<6, using: &random)
                    case 4...7: 100 + topic * 100 + UInt64.random(in: 0..<40, using: &random)
                    default: 5000 + UInt64.random(in: 0..<2000, using: &random)
                    }
                })
        }
    }

    func frequencies(_ options: LexicalOptions) -> TermFrequencies {
        var counter = TermCounter(options)
        for words in words { counter.add(words) }
        return counter.finish()
    }

    func vectors(_ rows: [Int], _ ranks: TermRanks) -> TermVectors {
        var builder = TermVectorBuilder(ranks)
        var vectors = TermVectors()
        for row in rows { builder.append(words[row], to: &vectors) }
        return vectors
    }

    /// Neighbours of all documents, in blocks of `size`, the others in the order of `order`.
    func neighbours(_ options: LexicalOptions, size: Int, order: [Int]) throws -> [[LexicalNeighbour]] {
        // Through bytes, as between gather and piece.
        let ranks = TermRanks(try TermFrequencies(bytes: frequencies(options).bytes), options)
        var all: [[LexicalNeighbour]] = []
        for begin in stride(from: 0, to: ids.count, by: size) {
            let block = Array(begin..<min(begin + size, ids.count))
            var search = LexicalSearch(block.map { ids[$0] }, vectors(block, ranks), ranks)
            try search.addBlock()
            let others = order.filter { !block.contains($0) }
            search.add(others.map { ids[$0] }, vectors(others, ranks))
            all += search.finish()
        }
        return all
    }

    /// By definition: every pair, every term.
    func reference(_ options: LexicalOptions) -> [[LexicalNeighbour]] {
        let mask = UInt64(64 - options.hashBits)
        func word(_ w: UInt64) -> UInt64 { KeyedRandom.mix(0x756E_6967_7261_6D, w) >> mask }
        func terms(_ words: [UInt64], _ stop: Set<UInt64>) -> [UInt64: Int] {
            var counts: [UInt64: Int] = [:]
            for (i, w) in words.enumerated() where w != 0 && !stop.contains(word(w)) {
                counts[word(w), default: 0] += 1
                if i > 0, words[i - 1] != 0, !stop.contains(word(words[i - 1])) {
                    counts[KeyedRandom.mix(words[i - 1], w) >> mask, default: 0] += 1
                }
            }
            return counts
        }
        var frequency: [UInt64: Int] = [:]
        for words in words { for term in terms(words, []).keys { frequency[term, default: 0] += 1 } }
        let n = Double(ids.count)
        let stop = Set(frequency.filter { Double($0.value) > (options.stopShare * n).rounded(.down) }.keys)
        let vectors = words.map { words in
            var vector = terms(words, stop).mapValues { NaturalLog.of(Double($0 + 1)) }
            for (term, value) in vector {
                let df = Double(frequency[term]!)
                vector[term] = 2 * df < n ? value * NaturalLog.of((n - df + 0.5) / (df + 0.5)) : 0
            }
            let norm = vector.values.sorted().reduce(0) { $0 + $1 * $1 }.squareRoot()
            return options.similarity == .dot || norm == 0 ? vector : vector.mapValues { $0 / norm }
        }
        return ids.indices.map { a in
            let all = ids.indices.filter { $0 != a }.map { b in
                LexicalNeighbour(
                    document: ids[b],
                    score: vectors[a].sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * (vectors[b][$1.key] ?? 0) }
                )
            }
            let near = all.filter { $0.score > 1e-9 && $0.score >= options.minimumScore }.sorted {
                abs($0.score - $1.score) > 3e-7 * $1.score ? $0.score > $1.score : $0.document < $1.document
            }
            return Array(near.prefix(options.count))
        }
    }
}

@Suite struct LexicalSearchTests {
    @Test(arguments: 0..<6 as Range<UInt64>)
    func `pruning changes no neighbour and no bit of a score`(seed: UInt64) throws {
        let corpus = WordCorpus(seed: seed, count: 300)
        var options = LexicalOptions()
        options.hashBits = seed % 2 == 0 ? 20 : 11
        options.similarity = seed % 3 == 0 ? .dot : .cosine
        options.minimumScore = seed == 5 ? 0.2 : 0
        let order = Array(corpus.ids.indices)
        let one = try corpus.neighbours(options, size: 300, order: order)
        let expected = corpus.reference(options)
        for (found, wanted) in zip(one, expected) {
            #expect(found.map(\.document) == wanted.map(\.document))
            for (a, b) in zip(found, wanted) { #expect(abs(a.score - b.score) < 1e-5 * max(1, b.score)) }
        }
        #expect(one.count { $0.count == 5 } > (seed == 5 ? 50 : 100))
        #expect(try corpus.neighbours(options, size: 37, order: order.reversed()) == one)
        #expect(try corpus.neighbours(options, size: 1, order: order) == one)
    }

    @Test func `frequencies survive their bytes, and damaged ones are refused`() throws {
        var options = LexicalOptions()
        options.hashBits = 12
        let frequencies = WordCorpus(seed: 1, count: 40).frequencies(options)
        #expect(try TermFrequencies(bytes: frequencies.bytes) == frequencies)
        #expect(throws: ContainerError.self) { try TermFrequencies(bytes: Array(frequencies.bytes.prefix(1))) }
        #expect(throws: ContainerError.self) { try TermFrequencies(bytes: frequencies.bytes + [0, 0x80]) }
        #expect(throws: ContainerError.self) { try TermFrequencies(bytes: [200, 1]) }
    }

    @Test func `a corpus of no documents, one or two has no neighbours`() throws {
        for count in 0...2 {
            let corpus = WordCorpus(seed: 2, count: count)
            let found = try corpus.neighbours(LexicalOptions(), size: 2, order: Array(0..<count))
            #expect(found == Array(repeating: [], count: count))
        }
    }
}
