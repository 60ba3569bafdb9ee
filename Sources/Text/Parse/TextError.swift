// The one error type for input that cannot be read: which file, where in it, why, and what to do about it.

/// A bad input file. Bad *data* inside a good file (a broken page, invalid UTF-8) is counted, never thrown.
package struct TextError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file is not there.
        case notFound
        /// A directory, socket or device where a file is expected.
        case notAFile
        /// No bytes, or a compressed stream of no bytes.
        case empty
        /// The file ends before its format says so.
        case truncated
        /// Bytes that break the format: a checksum, a header, malformed XML.
        case damaged
        /// Another format, or a form of it that this version does not read.
        case unsupported
        /// The operating system failed a read.
        case io
        /// The caller's options make no sense, such as a pattern that is no regular expression.
        case invalidArgument
    }

    package var code: Code
    package var message: String
    package var file: String?
    /// Byte offset: of the stored file for compression and archive errors, of the unpacked stream for XML errors.
    package var offset: UInt64?
    package var cause: String?
    package var fix: String?

    package init(
        _ code: Code, _ message: String, file: String? = nil, offset: UInt64? = nil, cause: String? = nil,
        fix: String? = nil
    ) {
        self.code = code
        self.message = message
        self.file = file
        self.offset = offset
        self.cause = cause
        self.fix = fix
    }

    /// `file: byte N`, as far as known.
    package var place: String? {
        switch (file, offset) {
        case (let file?, let offset?): "\(file): byte \(offset)"
        case (let file?, nil): file
        case (nil, let offset?): "byte \(offset)"
        case (nil, nil): nil
        }
    }

    package var description: String {
        var lines = [(place.map { "\($0): " } ?? "") + "error: " + message]
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }
}
