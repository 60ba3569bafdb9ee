// All stages, in the order of the pipeline, and what a process prepares for them.

import Glibc
package import Pipeline
import Transformer

package enum LinkloomStages {
    package static var registry: StageRegistry {
        StageRegistry([
            StageType(Parse.self), StageType(LinkExtract.self), StageType(Graph.self), StageType(Vocabulary.self),
            StageType(Tokenize.self), StageType(Segment.self), StageType(PairSample.self), StageType(Shard.self),
            StageType(Pretrain.self), StageType(Evaluate.self), StageType(Import.self),
        ])
    }

    /// Takes the CBLAS library that the environment names, if it does, for all training and prediction of this process.
    /// - Throws: `StageError` for one that cannot be used.
    package static func useNamedLibraries() throws {
        do {
            try Numerics.use(cblas: getenv(Numerics.libraryVariable).map { String(cString: $0) })
        } catch {
            throw StageError(error)
        }
    }
}
