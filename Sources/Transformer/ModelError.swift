// The one error type of this module: what went wrong, where, why, and how to fix it.

package import Container

/// A model, a checkpoint or a training run that cannot go on.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    /// File, part and row, or step.
    package var place: String?
    package var cause: String?
    package var fix: String?

    package init(_ message: String, place: String? = nil, cause: String? = nil, fix: String? = nil) {
        self.message = message
        self.place = place
        self.cause = cause
        self.fix = fix
    }

    package var description: String {
        var lines = [(place.map { "\($0): " } ?? "") + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }
}

extension JSON {
    /// A file of a model folder.
    /// - Throws: `ModelError` for what is no JSON.
    package init(ofModel bytes: [UInt8], place: String) throws {
        do {
            try self.init(parsing: bytes)
        } catch let error as ContainerError {
            throw ModelError(
                "not valid JSON: " + error.message, place: place, cause: "the file was cut off or edited",
                fix: "download or save the model again")
        }
    }
}
