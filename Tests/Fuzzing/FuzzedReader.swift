// What a room says of its readers under test, for its own FuzzTests and for Fuzz/run.sh alike.

/// One reader under test; its raw value names it on the command line.
package protocol FuzzedReader: RawRepresentable<String>, CaseIterable, Sendable {
    /// Inputs to start from: each exercises much of the reader.
    var seeds: [[UInt8]] { get }
    /// Strings that mean something to the reader.
    var words: [[UInt8]] { get }

    /// Feeds the bytes to the reader.
    /// - Returns: the promise that was broken; nil if all hold. A crash or an endless loop is for the caller to see.
    func brokenPromise(_ input: [UInt8]) -> String?
}

extension FuzzedReader {
    /// The short version of Fuzz/run.sh, for the tests.
    /// - Returns: the first promise that was broken and the input that did it, in words; nil if all hold.
    package func shortRun() -> String? {
        #if DEBUG
            let steps = 1_000
        #else
            let steps = 20_000
        #endif
        return firstBroken(steps: steps).map { promise, input in
            let shown = input.map {
                $0 > 0x20 && $0 < 0x7F ? String(Unicode.Scalar($0)) : "\\u{\(String($0, radix: 16))}"
            }
            return "\(self): not so: \(promise): \(shown.joined())"
        }
    }

    /// Inputs that some steps of a fixed random sequence make of the seeds. Deterministic, so a failure is one for
    /// everybody.
    private func firstBroken(steps: Int) -> (promise: String, input: [UInt8])? {
        var mutator = Mutator(state: 13, words: words)
        let seeds = seeds
        var pool = seeds
        for seed in seeds {
            if let broken = brokenPromise(seed) { return (broken, seed) }
        }
        for _ in 0..<steps {
            let input = mutator.mutate(pool[mutator.next(pool.count)], with: pool[mutator.next(pool.count)])
            if let broken = brokenPromise(input) { return (broken, input) }
            // A small pool that keeps changing leads further from the seeds.
            if pool.count < 64 { pool.append(input) } else { pool[seeds.count + mutator.next(48)] = input }
        }
        return nil
    }
}

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
