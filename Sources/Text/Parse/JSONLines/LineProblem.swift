// LineProblem: why a line of a corpus is no document, and where it stands.

/// Why a line is no document. Raw values are the reasons that `rejected.jsonl` and the counts show.
package struct LineProblem: Error, Sendable, Equatable {
    package enum Reason: String, Sendable, CaseIterable {
        /// The line is longer than `LineReader.defaultLimit`.
        case tooLong = "too_long"
        case invalidUTF8 = "invalid_utf8"
        /// Not what RFC 8259 calls JSON.
        case invalidJSON = "invalid_json"
        /// Half of a surrogate pair: no character.
        case loneSurrogate = "lone_surrogate"
        /// Nested deeper than `JSONScanner.depthLimit`.
        case tooDeep = "too_deep"
        /// Valid JSON, but a field does not hold what the schema says.
        case wrongType = "wrong_type"
        case duplicateField = "duplicate_field"
        case noIDOrTitle = "no_id_or_title"
        case noText = "no_text"
        /// A link has a target and only one of `begin` and `end`, or no target.
        case incompleteLink = "incomplete_link"
        /// `begin` is not before `end`.
        case emptyLink = "empty_link"
        case linkOutOfBounds = "link_out_of_bounds"
        /// An end of a link lies inside a character: offsets that count characters instead of bytes look like this.
        case linkSplitsCharacter = "link_splits_character"
        /// `<doc …>` without `</doc>`.
        case unclosedDocument = "unclosed_document"
        /// Text between `</doc>` and the next `<doc …>`, or a `<doc` without id and title.
        case outsideDocument = "outside_document"
    }

    package var reason: Reason
    /// Byte of the line, from 1.
    package var column: Int
}

/// A line that is no document.
package struct RejectedLine: Sendable, Equatable {
    package var problem: LineProblem
    /// Of an archive; nil for a file that is none.
    package var member: String?
    /// From 1, blank lines counted.
    package var line: Int

    /// `file:line:column`, with the member's name before the line.
    package func place(file: String) -> String {
        "\(file):\(member.map { $0 + ":" } ?? "")\(line):\(problem.column)"
    }
}
