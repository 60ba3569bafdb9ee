// The short version of Fuzz/run.sh: the same targets and promises on inputs that a few thousand steps of a fixed random
// sequence make of the seeds. Deterministic, so a failure is one for everybody.

import Testing
import Text

/// SplitMix64, and what fuzzers do to inputs.
private struct Mutator {
    var state: UInt64
    let words: [[UInt8]]

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ z >> 31) >> 1) % max(1, bound)
    }

    /// One to four changes; at most 4 kB come out.
    mutating func mutate(_ input: [UInt8], with other: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...next(4) {
            let at = next(bytes.count + 1)
            let end = min(bytes.count, at + next(16))
            switch next(8) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 2, 3: bytes.insert(contentsOf: words[next(words.count)], at: at)
            case 4: bytes.replaceSubrange(at..<end, with: words[next(words.count)])
            case 5: if at < bytes.count { bytes[at] = UInt8(next(256)) }
            case 6: bytes = Array(bytes[..<at]) + other[min(at, other.count)...]
            default:
                let word = words[next(words.count)]
                for _ in 0..<next(64) { bytes.insert(contentsOf: word, at: min(at, bytes.count)) }
            }
        }
        return Array(bytes.prefix(4096))
    }
}

@Suite struct FuzzTests {
    #if DEBUG
        private static let steps = 1_000
    #else
        private static let steps = 20_000
    #endif

    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `no input breaks a promise`(_ target: FuzzTarget) {
        var mutator = Mutator(state: 13, words: target.words.map { Array($0.utf8) })
        var pool = target.seeds.map { Array($0.utf8) }
        for seed in pool { #expect(target.brokenPromise(seed) == nil) }
        for _ in 0..<Self.steps {
            let input = mutator.mutate(pool[mutator.next(pool.count)], with: pool[mutator.next(pool.count)])
            if let broken = target.brokenPromise(input) {
                Issue.record("\(target): not so: \(broken): \(String(decoding: input, as: UTF8.self).debugDescription)")
                return
            }
            // A small pool that keeps changing leads further from the seeds.
            if pool.count < 64 { pool.append(input) } else { pool[target.seeds.count + mutator.next(48)] = input }
        }
    }
}
