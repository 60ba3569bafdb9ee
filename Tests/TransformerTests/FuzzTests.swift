// The short version of Fuzz/run.sh for the files that models are loaded from.

import Fuzzing
import Testing
import Transformer

@Suite struct FuzzTests {
    #if DEBUG
        private static let steps = 1_000
    #else
        private static let steps = 20_000
    #endif

    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `no file of a model breaks a promise`(_ target: FuzzTarget) throws {
        // A seed that was refused would leave most of its reader alone.
        for seed in target.seeds { #expect(try target.read(seed) == nil) }
        if let (promise, input) = target.firstBroken(steps: Self.steps) {
            let shown = input.map {
                $0 > 0x20 && $0 < 0x7F ? String(Unicode.Scalar($0)) : "\\u{\(String($0, radix: 16))}"
            }
            Issue.record("\(target): not so: \(promise): \(shown.joined())")
        }
    }
}
