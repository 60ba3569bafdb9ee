// Near duplicates: candidates that are found, groups that form, shingles as defined.

import Container
import Corpus
import Testing

@Suite struct NearDuplicatesTests {
    private func words(_ count: Int, _ random: inout SplitMix64) -> [UInt64] {
        (0..<count).map { _ in random.next() | 1 }
    }

    @Test func `shingles are the runs of five words, whatever gaps part them`() {
        let words: [UInt64] = [11, 12, 13, 14, 15, 16, 17]
        let plain = Shingles.set(words)
        #expect(plain.count == 3)
        #expect(Shingles.set([0, 11, 12, 0, 13, 14, 15, 16, 0, 17, 0]) == plain)
        #expect(Set(plain).intersection(Shingles.set([12, 13, 14, 15, 16])).count == 1)
        #expect(Shingles.set([11, 12]).count == 1 && Shingles.set([11, 12]) != Shingles.set([12, 11]))
        #expect(Shingles.set([0]) == [])
        #expect(Shingles.resemblance([1, 2, 3], [2, 3, 4]) == 0.5 && Shingles.resemblance([], []) == 0)
    }

    @Test func `pairs of resemblance above 0.8 are candidates, unlike ones hardly ever`() {
        var random = SplitMix64(seed: 3)
        let pairs = 300
        var sketch = NearDuplicateSketch(documents: 2 * pairs)
        for pair in 0..<pairs {
            let original = words(Int.random(in: 4...300, using: &random), &random)
            var copy = original
            // At most one word in sixty: each costs up to five shingles on both sides.
            for _ in 0..<original.count / 60 {
                copy[Int.random(in: 0..<copy.count, using: &random)] = random.next() | 1
            }
            if original.count >= 60 {
                #expect(Shingles.resemblance(Shingles.set(original), Shingles.set(copy)) > 0.8)
            }
            sketch.add(2 * pair, original)
            sketch.add(2 * pair + 1, copy)
        }
        let leader = Array(0..<UInt32(2 * pairs))
        let found = sketch.candidates(leader)
        #expect(found.map(\.0) == leader.filter { $0 % 2 == 0 })
        #expect(found.map(\.1) == leader.filter { $0 % 2 == 1 })
        #expect(sketch.candidates([0] + [0] + leader.dropFirst(2)).count == pairs - 1, "equal texts are known already")
    }

    @Test func `a crowd of one key is joined through its first, without all pairs`() {
        var random = SplitMix64(seed: 4)
        let text = words(50, &random)
        var sketch = NearDuplicateSketch(documents: 200)
        for node in 0..<200 { sketch.add(node, text) }
        let found = sketch.candidates(Array(0..<200))
        #expect(found.count == 199 + 198)
        var groups = DuplicateGroups(textHash: (0..<200).map { UInt64($0 + 1) })
        for (a, b) in found { groups.unite(Int(a), Int(b)) }
        groups.settle()
        #expect(groups.leader == Array(repeating: 0, count: 200) && groups.counts == (1, 199, 200))
    }

    @Test func `equal texts form groups, documents without text none`() {
        var groups = DuplicateGroups(textHash: [7, 0, 7, 0, 9, 9, 7])
        #expect(groups.leader == [0, 1, 0, 3, 4, 4, 0])
        groups.unite(6, 5)
        groups.settle()
        #expect(groups.leader == [0, 1, 0, 3, 0, 0, 0] && groups.counts == (1, 4, 5))
    }
}
