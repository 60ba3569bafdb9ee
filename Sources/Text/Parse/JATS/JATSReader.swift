// JATSReader: articles out of files and archives, one after another.

/// Reads full texts: a file an article, archives of such files (`.xml`, `.nxml`; others are passed over), and sets that
/// hold `<article>` elements anywhere, as the services of PubMed Central answer. Memory: one file or archive member.
/// Not safe to share between threads.
package final class JATSReader {
    package enum Event: Sendable, Equatable {
        /// An article, in `article`.
        case article
        /// `malformed_xml`, `cut_off_xml`, `undefined_entity`, `no_article` or `no_id`; file, offset and what is wrong.
        case rejected(reason: String, place: String)
    }

    /// The largest articles of PubMed Central have some ten MiB.
    package static let fileLimit = 1 << 28

    /// Valid after `.article`, until the next call; may be changed.
    package var article: JATSArticle {
        get { parser.article }
        _modify { yield &parser.article }
    }

    /// Ill-formed sequences that became U+FFFD so far.
    package private(set) var invalidUTF8 = 0
    /// Members of archives that are no XML.
    package private(set) var otherMembers = 0

    private let archive: ArchiveReader
    private var parser: JATSParser
    private var file: String
    private let source: UnsafeBox
    private var isOpen = false
    private var hasArticle = false
    private var members = 0

    /// Holds the bytes that the parser's scanner points into.
    private final class UnsafeBox {
        var bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
        deinit { bytes.deallocate() }

        func replace(with content: [UInt8]) -> Bytes {
            if content.count > bytes.count {
                bytes.deallocate()
                bytes = .allocate(capacity: max(content.count, bytes.count * 2))
            }
            _ = bytes.update(fromContentsOf: content)
            return Bytes(rebasing: bytes[..<content.count])
        }
    }

    /// - Throws: `TextError` for a file that cannot be opened.
    package init(path: String, options: JATSOptions) throws {
        archive = try ArchiveReader(path: path)
        file = path
        parser = JATSParser(options: options)
        source = UnsafeBox()
    }

    /// The next event, or nil after the last article of the last member. What is wrong with one member is a rejection.
    /// - Throws: `TextError` for a bad file.
    package func next() throws -> Event? {
        while true {
            if !isOpen, try !openMember() { return nil }
            do throws(XMLProblem) {
                if let event = try step() { return event }
            } catch {
                isOpen = false
                return .rejected(
                    reason: error.kind == .undefinedEntity
                        ? "undefined_entity" : error.kind == .cutOff ? "cut_off_xml" : "malformed_xml",
                    place: "\(file): byte \(error.offset): \(error.message)")
            }
        }
    }

    private func step() throws(XMLProblem) -> Event? {
        switch try parser.scanner.next() {
        case .start where parser.element == .article:
            hasArticle = true
            let offset = parser.scanner.tokenStart
            guard try parser.parse(offset: UInt64(offset)) else {
                return .rejected(reason: "no_id", place: "\(file): byte \(offset)")
            }
            return .article
        case .finished:
            isOpen = false
            if !hasArticle { return .rejected(reason: "no_article", place: file) }
            return nil
        default: return nil
        }
    }

    private func openMember() throws -> Bool {
        while let member = try archive.next() {
            let name = member.name.lowercased()
            guard member.isWholeFile || name.hasSuffix(".xml") || name.hasSuffix(".nxml") else {
                otherMembers += 1
                continue
            }
            members += 1
            file = member.isWholeFile ? archive.path : "\(archive.path): \(member.name)"
            parser.scanner.reset(source.replace(with: try content()), from: 0, isFinal: true)
            (isOpen, hasArticle) = (true, false)
            return true
        }
        guard members > 0 else {
            throw TextError(
                .empty, "the archive has no .xml or .nxml file", file: archive.path,
                fix: "check that it is the right archive")
        }
        return false
    }

    /// The whole member as well-formed UTF-8, so that places in the text stay where they are written.
    private func content() throws -> [UInt8] {
        let xml = XMLSource(file: file) { [archive] in try archive.read(into: $0) }
        var raw: [UInt8] = []
        while true {
            let old = raw.count
            let chunk = min(max(old, 1 << 13), 1 << 18)
            guard old <= Self.fileLimit else {
                throw TextError(
                    .unsupported, "a document unpacks to more than \(Self.fileLimit) bytes", file: file,
                    cause: "a whole document is held in memory", fix: "split it, or leave it out")
            }
            raw.append(contentsOf: repeatElement(0, count: chunk))
            let count = try raw.withUnsafeMutableBytes {
                try xml.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[old...]))
            }
            raw.removeLast(chunk - count)
            if count == 0 { break }
        }
        invalidUTF8 += xml.replaced
        var clean: [UInt8] = []
        clean.reserveCapacity(raw.count)
        let replaced = raw.withUnsafeBufferPointer { UTF8Repair.append($0, to: &clean) }
        invalidUTF8 += replaced
        return clean
    }
}
