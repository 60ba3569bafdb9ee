// The short version of Fuzz/run.sh for the readers of text.

import Fuzzing
import Testing
import Text

@Suite struct FuzzTests {
    #if DEBUG
        private static let steps = 1_000
    #else
        private static let steps = 20_000
    #endif

    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `no input breaks a promise`(_ target: FuzzTarget) {
        if let (promise, input) = target.firstBroken(steps: Self.steps) {
            Issue.record("\(target): not so: \(promise): \(String(decoding: input, as: UTF8.self).debugDescription)")
        }
    }
}
