// The short version of Fuzz/run.sh for the files that models are loaded from.

import Fuzzing
import Testing
import Transformer

@Suite struct FuzzTests {
    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `no file of a model breaks a promise`(_ target: FuzzTarget) throws {
        // A seed that was refused would leave most of its reader alone.
        for seed in target.seeds { #expect(try target.read(seed) == nil) }
        #expect(target.shortRun() == nil)
    }
}
