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

/// Runs `body`; what it throws of a room below becomes the error of the stage.
/// - Parameter place: of a `VocabularyError` that has none.
func staged<R>(_ place: String? = nil, _ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as VocabularyError {
        throw StageError(error.message, place: error.place ?? place, cause: error.cause, fix: error.fix)
    } catch let error as ModelError {
        throw StageError(error)
    }
}
