// The short version of Fuzz/run.sh for the readers of text.

import Fuzzing
import Testing
import Text

@Suite struct FuzzTests {
    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `no input breaks a promise`(_ target: FuzzTarget) {
        #expect(target.shortRun() == nil)
    }
}
