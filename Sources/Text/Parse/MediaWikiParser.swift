// MediaWikiParser: the XML side of MediaWikiReader: elements in, whole pages out.

import Glibc

/// One dump being parsed. Memory: one chunk, the longest tag or text, and one page.
final class MediaWikiParser {
    typealias OnPage = (inout MediaWikiPage, SiteInfo) throws -> Void

    /// The elements that mean something here.
    private enum Element: String, CaseIterable {
        case mediawiki, page, revision, content, text, model, title, ns, id, redirect, sitename, dbname, namespace
        case caseRule = "case"
    }

    private static let elements = XMLNames<Element>()

    private let window: XMLWindow
    private let file: String
    private let onPage: OnPage
    private var scanner = XMLScanner(Bytes(start: nil, count: 0), isFinal: false)
    private var characters = XMLCharacters()
    private var summary = MediaWikiReader.Summary()
    private var prefixes: TitlePrefixes?
    private var page = MediaWikiPage()
    /// What the text at hand is for.
    private var field: Element?
    private var value: [UInt8] = []
    /// Names of the open elements, end to end: the scanner forgets its own at the end of a chunk.
    private var names: [UInt8] = []
    private var nameStarts: [Int] = []
    private var hasRoot = false
    private var isInPage = false, isInRevision = false
    /// Inside `<content>`: a further slot of the revision (schema 0.11), not its main text.
    private var isInSlot = false
    private var hasNamespace = false, isRedirect = false
    private var lastTitle: String?

    init(file: String, window: XMLWindow, onPage: @escaping OnPage) {
        self.file = file
        self.window = window
        self.onPage = onPage
    }

    // MARK: tokens

    /// Reads the dump to its end.
    func run() throws -> MediaWikiReader.Summary {
        var isDone = false
        while !isDone {
            do {
                isDone = try readTokens()
            } catch let problem as XMLProblem {
                isDone = try goOn(after: problem)
            }
        }
        summary.invalidUTF8 = characters.replaced + window.replaced
        return summary
    }

    /// - Returns: true at the end of the dump.
    private func readTokens() throws -> Bool {
        while true {
            let token = try scanner.next()
            try refuseDeclaration()
            switch token {
            case .text:
                // The last text of a file that is cut off may end inside a reference.
                if scanner.text.upperBound == scanner.bytes.count, !scanner.isCDATA, !nameStarts.isEmpty {
                    throw XMLProblem(kind: .cutOff, offset: scanner.bytes.count)
                }
                try text()
            case .start: try start()
            case .end: try end()
            case .finished:
                if !nameStarts.isEmpty { warnCutOff() } else if !hasRoot { throw noXML() }
                return true
            }
        }
    }

    /// Reads on where a token is incomplete. Anything else is an error, or the end of a dump that is cut off.
    /// - Returns: true at the end of the dump.
    private func goOn(after problem: XMLProblem) throws -> Bool {
        try refuseDeclaration()
        switch problem.kind {
        case .incomplete:
            let start = scanner.tokenStart
            if try window.refill(from: start) {
                scanner.reset(window.bytes, from: 0, isFinal: window.isAtEnd)
            } else {
                try passOver(from: start)
            }
            return false
        case .cutOff where !nameStarts.isEmpty:
            warnCutOff()
            return true
        case .cutOff where !hasRoot: throw noXML()
        default:
            throw TextError(
                .damaged, "the XML is malformed", file: file, offset: window.base + UInt64(problem.offset),
                cause: problem.message,
                fix: "fetch the dump again; the last whole page is " + (lastTitle.map { "'\($0)'" } ?? "none"))
        }
    }

    /// Drops a text or comment that is longer than memory may be, and reads on behind it; the page whose text it is is marked.
    private func passOver(from start: Int) throws {
        let (mark, isKept): ([UInt8], Bool)
        let head = window.bytes[start...]
        if head.first != Byte.less {
            (mark, isKept) = ([Byte.less], true)
        } else if head.starts(with: "<![CDATA[".utf8) {
            (mark, isKept) = (Array("]]>".utf8), false)
        } else if head.starts(with: "<!--".utf8) {
            (mark, isKept) = (Array("-->".utf8), false)
        } else {
            throw TextError(
                .unsupported, "a tag is longer than \(MediaWikiReader.textLimit) bytes", file: file,
                offset: window.base + UInt64(start), cause: "it is held in memory", fix: "check that this is a dump")
        }
        if field == .text, !head.starts(with: "<!--".utf8) { page.isTooLong = true }
        while true {
            // All but what may be the begin of the mark.
            _ = try window.refill(from: max(0, window.bytes.count - (mark.count - 1)))
            let bytes = window.bytes
            if let found = Self.firstPlace(of: mark, in: bytes) {
                return scanner.reset(bytes, from: isKept ? found : found + mark.count, isFinal: window.isAtEnd)
            }
            if window.isAtEnd { return scanner.reset(bytes, from: bytes.count, isFinal: true) }
        }
    }

    private static func firstPlace(of mark: [UInt8], in bytes: Bytes) -> Int? {
        var i = 0
        while i + mark.count <= bytes.count {
            guard let found = memchr(bytes.baseAddress! + i, Int32(mark[0]), bytes.count - i) else { return nil }
            i = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
            if bytes[i...].starts(with: mark) { return i }
            i += 1
        }
        return nil
    }

    private func warnCutOff() {
        summary.isCutOff = true
        let kept = lastTitle.map { "the last whole page is '\($0)'" } ?? "it has no whole page"
        let lost = isInPage ? "; the page after it is cut off and left out" : ""
        let end = window.base + UInt64(window.bytes.count)
        summary.warnings.append("\(file): byte \(end): the dump ends before </mediawiki>: \(kept)\(lost)")
    }

    private func noXML() -> TextError {
        TextError(
            .empty, "there is no XML in the file", file: file, offset: 0, fix: "fetch a pages-articles dump again")
    }

    private func refuseDeclaration() throws {
        guard let place = scanner.declaration else { return }
        guard nameStarts.isEmpty else {
            throw XMLProblem(kind: .malformed, offset: place, message: "a declaration inside an element")
        }
        throw TextError(
            .unsupported, "the dump has a document type declaration", file: file,
            offset: window.base + UInt64(place),
            cause: "MediaWiki writes none, and entities defined there could unpack without end",
            fix: "remove the <!DOCTYPE …> if you trust the file")
    }

    // MARK: elements

    private func start() throws {
        guard !nameStarts.isEmpty || !hasRoot else { throw malformed("something follows the root element") }
        guard nameStarts.count < XMLScanner.depthLimit else {
            throw malformed("more than \(XMLScanner.depthLimit) elements are open")
        }
        let name = scanner.name
        nameStarts.append(names.count)
        names.append(contentsOf: UnsafeBufferPointer(rebasing: scanner.bytes[name]))
        field = nil
        value.removeAll(keepingCapacity: true)
        let element = Self.elements[scanner]
        if nameStarts.count == 1 { return try startRoot(element) }
        switch element {
        case .page where nameStarts.count == 2: startPage()
        case .revision where isInPage:
            isInRevision = true
            page.text.removeAll(keepingCapacity: true)
            (page.isDeleted, page.isTooLong, page.model) = (false, false, "wikitext")
        case .content where isInRevision: isInSlot = true
        case .text where isInRevision && !isInSlot:
            field = .text
            page.isDeleted = scanner.attribute("deleted") != nil
        case .model where isInRevision && !isInSlot, .title where isInPage && !isInRevision,
            .ns where isInPage && !isInRevision, .id where isInPage && nameStarts.count == 3,
            .sitename where !isInPage, .dbname where !isInPage, .caseRule where !isInPage:
            field = element
        case .redirect where isInPage && !isInRevision:
            isRedirect = true
            page.redirect = try attribute("title")
        case .namespace where !isInPage:
            let rule = try attribute("case").flatMap { SiteInfo.CaseRule(rawValue: $0) }
            guard let id = try attribute("key").flatMap({ Int($0) }) else { break }
            field = .namespace
            summary.site.namespaces.append(SiteInfo.Namespace(id: id, name: "", caseRule: rule))
        default: break
        }
    }

    private func startRoot(_ element: Element?) throws {
        hasRoot = true
        guard element == .mediawiki else {
            throw TextError(
                .unsupported, "the root element is <\(scanner.string(scanner.name))>, not <mediawiki>", file: file,
                offset: window.base + UInt64(scanner.tokenStart), cause: "this is no MediaWiki export",
                fix: "check `format` and `files`")
        }
        summary.schema = try attribute("version") ?? ""
        summary.site.language = try attribute("lang") ?? ""
        let known = (3...11).map { "0.\($0)" }
        if !known.contains(summary.schema) {
            summary.warnings.append(
                "\(file): export schema '\(summary.schema)' is not one of 0.3 to 0.11; read as if it were 0.11")
        }
    }

    private func startPage() {
        var text = page.text
        text.removeAll(keepingCapacity: text.capacity < 1 << 20)
        page = MediaWikiPage()
        page.text = text
        page.offset = window.base + UInt64(scanner.tokenStart)
        (isInPage, isInRevision, isInSlot, hasNamespace, isRedirect) = (true, false, false, false, false)
    }

    private func text() throws {
        let text = scanner.text
        let raw = Bytes(rebasing: scanner.bytes[text])
        guard !nameStarts.isEmpty else {
            guard raw.allSatisfy({ Byte.isSpace($0) }) else { throw malformed("text outside the root element") }
            return
        }
        guard let field else { return }
        if field == .text {
            guard page.text.count + raw.count <= MediaWikiReader.textLimit else {
                page.isTooLong = true
                return
            }
            try characters.append(raw, at: text.lowerBound, isEscaped: !scanner.isCDATA, to: &page.text)
        } else if value.count < 1 << 16 {
            try characters.append(raw, at: text.lowerBound, isEscaped: !scanner.isCDATA, to: &value)
        }
    }

    private func end() throws {
        guard let begin = nameStarts.popLast() else {
            throw malformed("</\(scanner.string(scanner.name))> closes nothing")
        }
        // Of an empty element the scanner's name is that of its start.
        guard names[begin...].elementsEqual(scanner.bytes[scanner.name]) else {
            throw malformed(
                "</\(scanner.string(scanner.name))> closes <\(String(decoding: names[begin...], as: UTF8.self))>")
        }
        names.removeLast(names.count - begin)
        if let field, field != .text {
            let text = String(decoding: value, as: UTF8.self)
            switch field {
            case .title: page.title = text
            case .ns:
                page.namespace = Int(text) ?? 0
                hasNamespace = true
            case .id: page.id = text
            case .model: page.model = text
            case .sitename: summary.site.name = text
            case .dbname: summary.site.database = text
            case .caseRule: summary.site.caseRule = SiteInfo.CaseRule(rawValue: text) ?? .firstLetter
            case .namespace: summary.site.namespaces[summary.site.namespaces.count - 1].name = text
            default: break
            }
        }
        field = nil
        guard isInPage else { return }
        switch nameStarts.count {
        case 1: try endPage()
        case 2: isInRevision = false
        case 3: isInSlot = false
        default: break
        }
    }

    private func endPage() throws {
        isInPage = false
        if !hasNamespace {
            if prefixes == nil { prefixes = TitlePrefixes(site: summary.site) }
            page.namespace = prefixes!.namespace(of: page.title)
        }
        if page.redirect == nil {
            page.redirect = Redirect.target(of: page.text) ?? (isRedirect ? Redirect.firstLink(in: page.text) : nil)
        }
        summary.pages += 1
        lastTitle = page.title
        try onPage(&page, summary.site)
    }

    private func attribute(_ name: StaticString) throws -> String? {
        guard let range = scanner.attribute(name) else { return nil }
        var text: [UInt8] = []
        // White space of any kind is a space in a value (XML 1.0, section 3.3.3).
        let raw = scanner.bytes[range].map { Byte.isSpace($0) ? Byte.space : $0 }
        try raw.withUnsafeBufferPointer { raw throws(XMLProblem) in
            try characters.append(raw, at: range.lowerBound, isEscaped: true, to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func malformed(_ message: String) -> XMLProblem {
        XMLProblem(kind: .malformed, offset: scanner.tokenStart, message: message)
    }
}
