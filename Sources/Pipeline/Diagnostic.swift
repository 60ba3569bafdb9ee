// Errors of a pipeline file: place, source line with a caret, why, fix. All errors of a file come in one run.

/// One error a user can act on.
package struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nil only for errors about no text at all, such as a pipeline file that does not exist.
    package var location: Location?
    package var message: String
    package var cause: String?
    package var fix: String?

    package init(_ message: String, at location: Location?, cause: String? = nil, fix: String? = nil) {
        self.message = message
        self.location = location
        self.cause = cause
        self.fix = fix
    }

    /// The printed form: `file:line:column: error: …`, the source line, a caret, `why:` and `fix:`.
    package var description: String {
        var lines = [(location.map { "\($0): " } ?? "") + "error: " + message]
        if let location, let text = location.source.line(location.line) {
            let (shown, column) = Self.window(text, column: location.column)
            let number = String(location.line)
            let gutter = String(repeating: " ", count: number.count)
            let pad = String(shown.unicodeScalars.prefix(column - 1).map { $0 == "\t" ? "\t" : " " as Character })
            lines.append("  \(number) | \(shown)")
            lines.append("  \(gutter) | \(pad)^")
        }
        if let cause { lines.append("  why: " + cause) }
        if let fix { lines.append("  fix: " + fix) }
        return lines.joined(separator: "\n")
    }

    /// At most 160 scalars of a long line around the column.
    private static func window(_ text: String, column: Int) -> (String, Int) {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count > 160 else { return (text, column) }
        let start = max(0, min(column - 1 - 80, scalars.count - 160))
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start..<min(scalars.count, start + 160)])
        return (String(view), column - start)
    }
}

/// Collects diagnostics; hands them out once each, in the order of their places.
package struct Diagnostics: Sendable {
    private var found: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []

    package init() {}

    package var isEmpty: Bool { found.isEmpty }
    package var count: Int { found.count }

    package mutating func add(_ diagnostic: Diagnostic) {
        if seen.insert(diagnostic).inserted { found.append(diagnostic) }
    }

    package mutating func add(
        _ message: String, at location: Location?, cause: String? = nil, fix: String? = nil
    ) {
        add(Diagnostic(message, at: location, cause: cause, fix: fix))
    }

    package mutating func add(contentsOf other: Diagnostics) { other.found.forEach { add($0) } }

    /// By file in order of first appearance, then line and column; ties in the order of discovery.
    package var sorted: [Diagnostic] {
        var fileOrder: [String: Int] = [:]
        for diagnostic in found {
            let file = diagnostic.location?.file ?? ""
            if fileOrder[file] == nil { fileOrder[file] = fileOrder.count }
        }
        return found.enumerated().sorted { a, b in
            key(a.element, a.offset, fileOrder).lexicographicallyPrecedes(key(b.element, b.offset, fileOrder))
        }.map(\.element)
    }

    private func key(_ diagnostic: Diagnostic, _ index: Int, _ fileOrder: [String: Int]) -> [Int] {
        guard let place = diagnostic.location else { return [fileOrder[""] ?? 0, 0, 0, index] }
        return [fileOrder[place.file] ?? 0, place.line, place.column, index]
    }

    /// - Throws: everything collected, if anything was.
    package func check() throws(PipelineErrors) {
        if !isEmpty { throw PipelineErrors(sorted) }
    }
}

/// All errors of a pipeline file.
package struct PipelineErrors: Error, Sendable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
