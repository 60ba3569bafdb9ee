// JSONLinesReader: corpora as JSON Lines, one document a line. The schema is in docs/formats.md, "Own documents".

/// Reads files and archives of JSON Lines. Memory: the longest line, twice.
package struct JSONLinesReader {
    package struct Summary: Sendable, Equatable {
        /// Lines that are not blank.
        package var lines = 0
        package var documents = 0
        package var rejected = 0
        /// Fields outside the schema, which are kept out.
        package var unknownFields = FieldCounts()
        package var links = SpannedText.Changes()

        package init() {}
    }

    private var fields = JSONLine()
    private var document = ParsedDocument()
    private let lineLimit: Int
    package private(set) var summary = Summary()

    package init(lineLimit: Int = LineReader.defaultLimit) { self.lineLimit = lineLimit }

    /// Reads every member of the file.
    /// - Parameters: `onDocument`: called for each document, in order; the value is reused. `onRejection`: called for
    ///   each other line that is not blank.
    /// - Throws: `TextError` for a bad file, and whatever the callbacks throw.
    package mutating func read(
        path: String, onDocument: (inout ParsedDocument) throws -> Void, onRejection: (RejectedLine) throws -> Void
    ) throws {
        let archive = try ArchiveReader(path: path)
        var members = 0
        while let member = try archive.next() {
            members += 1
            let name = member.isWholeFile ? nil : member.name
            try read(
                file: path, member: name, from: archive.read(into:), onDocument: onDocument, onRejection: onRejection
            )
        }
        guard members > 0 else {
            throw TextError(.empty, "the archive has no files", file: path, fix: "check that it is the right archive")
        }
    }

    /// Reads one stream.
    /// - Parameters: `file`, `member`: for messages. `source`: fills the buffer, 0 at the end.
    package mutating func read(
        file: String, member: String? = nil, from source: (UnsafeMutableRawBufferPointer) throws -> Int,
        onDocument: (inout ParsedDocument) throws -> Void, onRejection: (RejectedLine) throws -> Void
    ) throws {
        var isFirst = true
        try LineReader.read(from: source, limit: lineLimit) { line in
            var bytes = line.bytes
            if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = Bytes(rebasing: bytes[3...]) }
            let first = bytes.first { $0 != Byte.space && !(0x09...0x0D).contains($0) }
            if first == nil, !line.isTooLong { return }
            if isFirst, first == Byte.openBracket { throw Self.isArray(file, member) }
            isFirst = false
            summary.lines += 1
            do throws(LineProblem) {
                if line.isTooLong { throw LineProblem(reason: .tooLong, column: 1) }
                try fields.parse(bytes, unknown: &summary.unknownFields)
            } catch {
                summary.rejected += 1
                return try onRejection(RejectedLine(problem: error, member: member, line: line.number))
            }
            document.removeAll()
            document.sourceID = String(decoding: fields.id, as: UTF8.self)
            document.title = String(decoding: fields.title, as: UTF8.self)
            document.sourceOffset = line.offset
            for i in 0..<fields.aliases.count { document.aliases.append(fields.aliases.string(i)) }
            summary.links += fields.text.build(into: &document)
            summary.documents += 1
            try onDocument(&document)
        }
    }

    private static func isArray(_ file: String, _ member: String?) -> TextError {
        TextError(
            .unsupported, "this is one JSON array, not JSON Lines", file: member.map { "\(file): \($0)" } ?? file,
            offset: 0, cause: "the first line begins with '['; here each line is an object, a document of its own",
            fix: "rewrite it with one object a line, for instance by `jq -c '.[]'`")
    }
}
