// WikiExtractorReader: what WikiExtractor (3.x, and the 2.x before it) makes of a dump: `<doc>` elements or JSON lines.

/// Reads files of either form; the first visible byte says which. Memory: one article.
///
/// WikiExtractor leaves out redirects, and with them the second names of articles: links to those dangle. It writes
/// ids, titles and text as they are, so all that is left is to find the articles, unescape, and make spans of anchors.
package struct WikiExtractorReader {
    package struct Summary: Sendable, Equatable {
        package var documents = 0
        package var rejected = 0
        /// Sequences of the `<doc>` form that were no UTF-8, each now U+FFFD.
        package var invalidUTF8 = 0
        /// Anchors to other sites: their label is text.
        package var externalLinks = 0
        package var links = SpannedText.Changes()

        package init() {}
    }

    private struct Open {
        var id: [UInt8]
        var title: [UInt8]
        var line: Int
        var offset: UInt64
        var isTooLong = false
        /// No line of text was read yet.
        var isAtTitle = true
    }

    private let lineLimit: Int
    private var fields = JSONLine()
    private var ignored = FieldCounts()
    private var text = SpannedText()
    private var decoder = WikiExtractorText()
    private var document = ParsedDocument()
    /// The lines of the open article.
    private var body: [UInt8] = []
    private var open: Open?
    private var count = Summary()

    package init(lineLimit: Int = LineReader.defaultLimit) { self.lineLimit = lineLimit }

    package var summary: Summary {
        var summary = count
        summary.externalLinks = decoder.externalLinks
        return summary
    }

    /// Reads every member of the file.
    /// - Parameters: `onDocument`: called for each article, in order; the value is reused. `onRejection`: called for what
    ///   is no article.
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
                file: path, member: name, from: archive.read(into:), onDocument: onDocument, onRejection: onRejection)
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
        /// Nil until the first line that is not blank.
        var isJSON: Bool?
        var wasOutside = false
        open = nil
        func reject(_ me: inout Self, _ reason: LineProblem.Reason, _ line: Int, _ column: Int = 1) throws {
            me.count.rejected += 1
            let problem = LineProblem(reason: reason, column: column)
            try onRejection(RejectedLine(problem: problem, member: member, line: line))
        }
        try LineReader.read(from: source, limit: lineLimit) { line in
            let bytes = Self.withoutBOM(line)
            let first = bytes.first { $0 > Byte.space }
            if isJSON == nil, first != nil || line.isTooLong { isJSON = try Self.isJSON(bytes, file, member) }
            if isJSON == true {
                if line.isTooLong { return try reject(&self, .tooLong, line.number) }
                if first == nil { return }
                do throws(LineProblem) { try fields.parse(bytes, unknown: &ignored) } catch {
                    return try reject(&self, error.reason, line.number, error.column)
                }
                return try emit(id: fields.id, title: fields.title, offset: line.offset, onDocument)
            }
            if let header = Self.header(bytes, line) {
                if let unclosed = open { try reject(&self, .unclosedDocument, unclosed.line) }
                (open, wasOutside) = (header, false)
                body.removeAll(keepingCapacity: true)
            } else if open == nil {
                guard first != nil || line.isTooLong else { return }
                if !wasOutside { try reject(&self, .outsideDocument, line.number) }
                wasOutside = true
            } else if bytes.elementsEqual("</doc>".utf8) || bytes.elementsEqual("</doc>\r".utf8) {
                let article = open!
                open = nil
                if article.isTooLong { return try reject(&self, .tooLong, article.line) }
                try emit(article, onDocument)
            } else {
                appendLine(bytes, isTooLong: line.isTooLong)
            }
        }
        if let unclosed = open { try reject(&self, .unclosedDocument, unclosed.line) }
        open = nil
    }

    // MARK: articles

    private mutating func appendLine(_ bytes: Bytes, isTooLong: Bool) {
        if isTooLong || body.count + bytes.count > lineLimit {
            open!.isTooLong = true
            body.removeAll(keepingCapacity: true)
        }
        if open!.isTooLong { return }
        body.append(contentsOf: bytes)
        body.append(Byte.lf)
    }

    private mutating func emit(_ article: Open, _ onDocument: (inout ParsedDocument) throws -> Void) throws {
        fields.text.removeAll()
        body.withUnsafeBufferPointer { count.invalidUTF8 += UTF8Repair.append($0, to: &fields.text.bytes) }
        try emit(id: article.id, title: article.title, offset: article.offset, onDocument)
    }

    /// The article whose text, still escaped, is in `fields`.
    private mutating func emit(
        id: [UInt8], title: [UInt8], offset: UInt64, _ onDocument: (inout ParsedDocument) throws -> Void
    ) throws {
        text.removeAll()
        fields.text.bytes.withUnsafeBufferPointer { source in
            let head = Self.titleLine(source, title)
            decoder.decode(Bytes(rebasing: source[head...]), into: &text)
        }
        document.removeAll()
        document.sourceID = String(decoding: id, as: UTF8.self)
        document.title = Self.unescaped(title)
        document.sourceOffset = offset
        count.links += text.build(into: &document)
        count.documents += 1
        try onDocument(&document)
    }

    /// Length of a first line that only says the title again.
    private static func titleLine(_ source: Bytes, _ title: [UInt8]) -> Int {
        guard source.starts(with: title), !title.isEmpty else { return 0 }
        var end = title.count
        while end < source.count, source[end] == Byte.cr || source[end] == Byte.space { end += 1 }
        return end == source.count || source[end] == Byte.lf ? end : 0
    }

    // MARK: the `<doc>` line

    private static func withoutBOM(_ line: InputLine) -> Bytes {
        line.number == 1 && line.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Bytes(rebasing: line.bytes[3...]) : line.bytes
    }

    /// - Throws: `TextError` if it is neither form.
    private static func isJSON(_ bytes: Bytes, _ file: String, _ member: String?) throws -> Bool {
        if bytes.first(where: { $0 > Byte.space }) == Byte.openBrace { return true }
        if bytes.starts(with: "<doc ".utf8) { return false }
        throw TextError(
            .unsupported, "this is no output of WikiExtractor", file: member.map { "\(file): \($0)" } ?? file,
            offset: 0,
            cause: "such files begin with '<doc ' or, made with --json, with '{'", fix: "check `format` and `files`")
    }

    /// `<doc id="12" url="…" title="AT&T">`, perhaps with `revid`, and `language` and `revision` after the title.
    /// Titles are written as they are, so a title may hold quotation marks: it ends at the last one.
    private static func header(_ bytes: Bytes, _ line: InputLine) -> Open? {
        guard bytes.starts(with: "<doc ".utf8), !line.isTooLong else { return nil }
        let head = bytes.suffix(2) == [Byte.greater, Byte.cr] ? bytes.dropLast() : bytes[...]
        guard let idBegin = head.firstRange(of: Array(" id=\"".utf8))?.upperBound,
            let idEnd = head[idBegin...].firstIndex(of: Byte.doubleQuote),
            let titleBegin = head[idEnd...].firstRange(of: Array(" title=\"".utf8))?.upperBound,
            head.last == Byte.greater
        else { return nil }
        let rest = head[titleBegin...]
        let end =
            rest.firstRange(of: Array("\" language=\"".utf8))?.lowerBound
            ?? rest.dropLast().lastIndex(of: Byte.doubleQuote)
        guard let end, end > titleBegin || idEnd > idBegin else { return nil }
        var id: [UInt8] = []
        var title: [UInt8] = []
        UTF8Repair.append(Bytes(rebasing: head[idBegin..<idEnd]), to: &id)
        UTF8Repair.append(Bytes(rebasing: head[titleBegin..<end]), to: &title)
        return Open(
            id: id.isEmpty ? title : id, title: title.isEmpty ? id : title, line: line.number, offset: line.offset)
    }

    /// No title of a wiki holds an entity, so one that is there was escaped on the way.
    private static func unescaped(_ title: [UInt8]) -> String {
        var plain = SpannedText()
        var decoder = WikiExtractorText()
        if title.contains(Byte.ampersand) {
            title.withUnsafeBufferPointer { decoder.decode($0, into: &plain) }
            return String(decoding: plain.bytes, as: UTF8.self)
        }
        return String(decoding: title, as: UTF8.self)
    }
}
