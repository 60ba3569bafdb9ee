// PubMedReader: PubMed XML, streamed: whole records out, never a part of one.

/// Reads baseline and update files, answers of efetch (one set or several on end), and archives of them.
/// Memory: one chunk and one record. Not safe to share between threads.
package final class PubMedReader {
    package enum Event: Sendable, Equatable {
        /// A citation, in `record`.
        case record
        /// PMIDs that `DeleteCitation` takes back.
        case deleted([String])
        /// A record that is left out as damaged: `no_pmid` or `undefined_entity`; file, offset and what is wrong.
        case rejected(reason: String, place: String)
    }

    /// A record of 5,000 references has about 1 MiB.
    package static let recordLimit = 1 << 26
    private static let chunk = 1 << 18

    /// Valid after `.record`, until the next call; may be changed.
    package var record: PubMedRecord {
        get { parser.record }
        _modify { yield &parser.record }
    }

    private let archive: ArchiveReader
    private var parser: PubMedParser
    private var file: String
    private var window: XMLWindow?
    private var members = 0
    private var replaced = 0
    /// In the window.
    private var position = 0
    private var root: [UInt8] = []
    private var hasRoot = false
    private var lastPMID: String?
    /// Why the record at `position` is passed over.
    private var damage: XMLProblem?

    /// - Throws: `TextError` for a file that cannot be opened.
    package init(path: String, labels: AbstractLabels) throws {
        archive = try ArchiveReader(path: path)
        file = path
        parser = PubMedParser(labels: labels)
    }

    /// Ill-formed sequences that became U+FFFD so far.
    package var invalidUTF8: Int { parser.invalidUTF8 + replaced + (window?.replaced ?? 0) }

    /// The next event, or nil after the last record of the last member.
    /// - Throws: `TextError` for a bad file.
    package func next() throws -> Event? {
        while true {
            guard let window else {
                if try openMember() { continue }
                return nil
            }
            parser.scanner.reset(window.bytes, from: position, isFinal: window.isAtEnd)
            do {
                let event = try step(window)
                position = parser.scanner.position
                damage = nil
                if let event { return event }
            } catch let problem as XMLProblem {
                switch problem.kind {
                case .incomplete:
                    guard try window.refill(from: position) else { throw tooLong(window) }
                    position = 0
                case .undefinedEntity where damage == nil: damage = problem
                default: throw failure(problem, window)
                }
            }
        }
    }

    /// Members of an archive that are no `.xml` are passed over.
    private func openMember() throws -> Bool {
        while let member = try archive.next() {
            guard member.isWholeFile || member.name.lowercased().hasSuffix(".xml") else { continue }
            members += 1
            file = member.isWholeFile ? archive.path : "\(archive.path): \(member.name)"
            let source = XMLSource(file: file) { [archive] in try archive.read(into: $0) }
            window = XMLWindow(source, chunk: Self.chunk, limit: Self.recordLimit)
            (position, hasRoot, lastPMID) = (0, false, nil)
            root.removeAll()
            return true
        }
        guard members > 0 else {
            throw TextError(
                .empty, "the archive has no .xml file", file: archive.path, fix: "check that it is the right archive")
        }
        return false
    }

    // MARK: the set

    /// Reads one thing: a record, a list of deletions, the root's tags. Nil if it is none that a caller wants.
    private func step(_ window: XMLWindow) throws -> Event? {
        switch try parser.scanner.next() {
        case .text:
            let text = window.bytes[parser.scanner.text]
            guard text.allSatisfy({ Byte.isSpace($0) }) else {
                throw XMLProblem(
                    kind: .malformed, offset: parser.scanner.tokenStart, message: "text stands between the records")
            }
        case .start: return try start(window)
        case .end:
            guard hasRoot, window.bytes[parser.scanner.name].elementsEqual(root) else {
                let name = parser.scanner.string(parser.scanner.name)
                throw XMLProblem(
                    kind: .malformed, offset: parser.scanner.tokenStart, message: "</\(name)> closes nothing")
            }
            hasRoot = false
        case .finished:
            if hasRoot {
                let name = String(decoding: root, as: UTF8.self)
                throw XMLProblem(kind: .cutOff, offset: window.bytes.count, message: "</\(name)> is missing")
            }
            guard !root.isEmpty else {
                throw TextError(.empty, "there is no XML in the file", file: file, fix: "fetch it again")
            }
            replaced += window.replaced
            self.window = nil
        }
        return nil
    }

    private func start(_ window: XMLWindow) throws -> Event? {
        let begin = parser.scanner.tokenStart
        switch parser.element {
        case .pubmedArticle, .medlineCitation, .pubmedBookArticle:
            let offset = window.base + UInt64(begin)
            if root.isEmpty { root = Array(window.bytes[parser.scanner.name]) }
            if let damage {
                try parser.scanner.skip()
                let place = "\(file): byte \(window.base + UInt64(damage.offset)): \(damage.message)"
                return .rejected(reason: "undefined_entity", place: place)
            }
            guard try parser.parse(offset: offset) else {
                return .rejected(reason: "no_pmid", place: "\(file): byte \(offset)")
            }
            lastPMID = parser.record.document.sourceID
            return .record
        case .deleteCitation, .deleteDocument: return .deleted(try parser.deleted())
        case .pubmedArticleSet, .medlineCitationSet,
            .pubmedBookArticleSet where !hasRoot:
            root = Array(window.bytes[parser.scanner.name])
            hasRoot = !parser.scanner.isEmptyElement
            if !hasRoot { _ = try parser.scanner.next() }
        default:
            guard hasRoot else {
                let name = parser.scanner.string(parser.scanner.name)
                throw TextError(
                    .unsupported, "the root element is <\(name)>, not <PubmedArticleSet>", file: file,
                    offset: window.base + UInt64(begin), cause: "this is no PubMed XML",
                    fix: "check `format` and `files`")
            }
            try parser.scanner.skip()
        }
        return nil
    }

    // MARK: errors

    private var lastRecord: String { "the last whole record is " + (lastPMID.map { "PMID \($0)" } ?? "none") }

    private func failure(_ problem: XMLProblem, _ window: XMLWindow) -> TextError {
        let offset = window.base + UInt64(problem.offset)
        if problem.kind == .cutOff {
            return TextError(
                .truncated, "the XML ends too early", file: file, offset: offset, cause: problem.message,
                fix: "fetch the file again; " + lastRecord)
        }
        return TextError(
            .damaged, "the XML is malformed", file: file, offset: offset, cause: problem.message,
            fix: "fetch the file again; " + lastRecord)
    }

    private func tooLong(_ window: XMLWindow) -> TextError {
        TextError(
            .unsupported, "a record has more than \(Self.recordLimit) bytes", file: file,
            offset: window.base + UInt64(position), cause: "a whole record is held in memory",
            fix: "check the file; " + lastRecord)
    }
}
