// Masking: how much, what, and that it is a pure function of its key.

import Testing

import Transformer

private struct Mask: Equatable {
    var position: Int
    var label: UInt32
    var replacement: UInt32
}

private func masks(_ masking: Masking, _ ids: [UInt32], key: UInt64) -> [Mask] {
    var masked = MaskedTokens()
    ids.withUnsafeBufferPointer { masking.mask($0, key: key, into: &masked) }
    return masked.positions.indices.map {
        Mask(position: Int(masked.positions[$0]), label: masked.labels[$0], replacement: masked.replacements[$0])
    }
}

@Test(arguments: [(0, 0), (1, 1), (3, 1), (7, 1), (10, 2), (30, 4), (50, 8), (253, 38)])
func `a span masks a rounded 15 percent, halves to even, and at least one`(length: Int, expected: Int) {
    let ids = (0..<UInt32(length)).map { 10 + $0 }
    for key in 0..<20 {
        let found = masks(toyMasking(vocabulary: 1000), ids, key: UInt64(key))
        #expect(found.count == expected)
        #expect(found.map(\.position) == Array(Set(found.map(\.position))).sorted())
        #expect(found.allSatisfy { $0.label == ids[$0.position] })
    }
}

@Test func `masks are 80 percent mask, 10 random, 10 unchanged, evenly spread`() {
    let masking = toyMasking(vocabulary: 1000)
    let ids = (0..<100).map { UInt32(100 + $0) }
    var kinds = (mask: 0, same: 0, random: 0)
    var byPosition = [Int](repeating: 0, count: 100)
    var drawn = Set<UInt32>()
    for key in 0..<4000 {
        for mask in masks(masking, ids, key: UInt64(key)) {
            byPosition[mask.position] += 1
            if mask.replacement == 4 {
                kinds.mask += 1
            } else if mask.replacement == mask.label {
                kinds.same += 1
            } else {
                kinds.random += 1
                drawn.insert(mask.replacement)
            }
        }
    }
    let total = Double(kinds.mask + kinds.same + kinds.random)
    #expect(total == 60_000)
    #expect(abs(Double(kinds.mask) / total - 0.8) < 0.006)
    #expect(abs(Double(kinds.same) / total - 0.1) < 0.005)
    #expect(abs(Double(kinds.random) / total - 0.1) < 0.005)
    // 600 expected a position, standard deviation about 23.
    #expect(byPosition.allSatisfy { $0 > 490 && $0 < 710 })
    #expect(drawn.count > 950 && drawn.allSatisfy { $0 < 1000 })
}

@Test func `masks depend on the key and the span alone, and hardly on where the span is cut`() {
    let masking = toyMasking(vocabulary: 1000)
    let ids = (0..<200).map { UInt32(5 + $0) }
    #expect(masks(masking, ids, key: 1) == masks(masking, ids, key: 1))
    #expect(masks(masking, ids, key: 1) != masks(masking, ids, key: 2))
    let whole = Set(masks(masking, ids, key: 1).map(\.position))
    let cut = Set(masks(masking, Array(ids[..<180]), key: 1).map(\.position))
    #expect(whole.intersection(cut).count >= cut.count - 4)
    let keys = [
        Masking.key(seed: 1, epoch: 0, pass: 0, document: 5, segment: 6),
        Masking.key(seed: 2, epoch: 0, pass: 0, document: 5, segment: 6),
        Masking.key(seed: 1, epoch: 1, pass: 0, document: 5, segment: 6),
        Masking.key(seed: 1, epoch: 0, pass: 1, document: 5, segment: 6),
        Masking.key(seed: 1, epoch: 0, pass: 0, document: 6, segment: 5),
        Masking.key(seed: 1, epoch: 0, pass: 0, document: 5, segment: 7),
    ]
    #expect(Set(keys).count == keys.count)
}

@Test func `special tokens are never masked`() {
    let ids: [UInt32] = [2, 9, 3, 0, 4, 8, 2, 2, 2, 2]
    let masking = Masking(probability: 1, maskID: 4, vocabularySize: 10, neverMasked: [0, 2, 3, 4])
    for key in 0..<200 {
        for mask in masks(masking, ids, key: UInt64(key)) {
            #expect(mask.label == 9 || mask.label == 8)
        }
    }
}

@Test func `whole words are masked whole, within the number, and never across a special token`() {
    // Ids from 500 on continue a word.
    let continuation = (0..<1000).map { $0 >= 500 }
    let masking = Masking(
        probability: 0.3, maskID: 4, vocabularySize: 1000, wholeWord: true, continuation: continuation,
        neverMasked: [2, 3, 4])
    let ids: [UInt32] = [10, 510, 511, 11, 12, 512, 3, 513, 13, 14, 514, 15, 16, 17, 515, 516, 517, 518, 18, 19]
    let words: [Range<Int>] = [0..<3, 3..<4, 4..<6, 7..<8, 8..<9, 9..<11, 11..<12, 12..<13, 13..<18, 18..<19, 19..<20]
    var seen = Set<Int>()
    for key in 0..<500 {
        let found = masks(masking, ids, key: UInt64(key)).map(\.position)
        #expect(found.count <= 6 && !found.isEmpty)
        #expect(found == found.sorted())
        for word in words {
            let masked = found.filter(word.contains).count
            #expect(masked == 0 || masked == word.count)
            if masked > 0 { seen.insert(word.lowerBound) }
        }
        #expect(!found.contains(6))
    }
    #expect(seen.count == words.count)
}
