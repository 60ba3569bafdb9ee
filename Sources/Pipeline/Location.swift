// Places in what the user wrote: a text (a pipeline file, or the `-s` arguments) and a line and column in it.

/// A text that nodes and errors point into.
package final class SourceText: Sendable {
    /// As the user named it, printed in errors: `pipelines/linkbert.yaml`, or `-s`.
    package let name: String
    /// The absolute folder that relative paths written in this text start from.
    package let folder: String
    private let lines: [String]

    package init(name: String, folder: String, text: String) {
        self.name = name
        self.folder = folder
        self.lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
        }
    }

    /// The text of a line counted from 1; nil past the end.
    package func line(_ number: Int) -> String? {
        lines.indices.contains(number - 1) ? lines[number - 1] : nil
    }
}

/// A place in a text: line and column count from 1, the column in Unicode scalars.
package struct Location: Sendable, Hashable, CustomStringConvertible {
    package let source: SourceText
    package let line: Int
    package let column: Int

    package init(source: SourceText, line: Int, column: Int) {
        self.source = source
        self.line = line
        self.column = column
    }

    package var file: String { source.name }
    package var description: String { "\(source.name):\(line):\(column)" }

    package static func == (a: Location, b: Location) -> Bool {
        a.source.name == b.source.name && a.line == b.line && a.column == b.column
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(source.name)
        hasher.combine(line)
        hasher.combine(column)
    }
}
