// Errors of the rooms below as errors of a stage: the same message, place, cause and fix.

import Pipeline
import Text
import Transformer

extension StageError {
    init(_ error: ModelError) {
        self.init(error.message, place: error.place, cause: error.cause, fix: error.fix)
    }

    init(_ error: TextError) {
        self.init(error.message, place: error.place, cause: error.cause, fix: error.fix)
    }
}
