// MediaWikiParser: the expat side of MediaWikiReader: elements in, whole pages out.

internal import CExpat

/// One dump being parsed. expat holds an unretained pointer to this object, which owns the parser and frees it in
/// `deinit`, so the pointer never outlives it.
final class MediaWikiParser {
    typealias OnPage = (inout MediaWikiPage, SiteInfo) throws -> Void

    private enum Field {
        case none, title, namespace, id, model, text, siteName, database, caseRule, namespaceName
    }

    private let parser: XML_Parser
    private let file: String
    private let onPage: OnPage
    private var sanitizer = XMLSanitizer()
    private var summary = MediaWikiReader.Summary()
    private var prefixes: TitlePrefixes?
    // Unchecked: expat calls the handlers one after another, and `onPage` cannot reach this object.
    @exclusivity(unchecked) private var page = MediaWikiPage()
    @exclusivity(unchecked) private var field = Field.none
    @exclusivity(unchecked) private var value: [UInt8] = []
    private var depth = 0
    private var isInPage = false, isInRevision = false
    /// Inside `<content>`: a further slot of the revision (schema 0.11), not its main text.
    private var isInSlot = false
    private var hasNamespace = false, isRedirect = false
    private var lastTitle: String?
    private var failure: (any Error)?

    init(file: String, onPage: @escaping OnPage) throws {
        guard let parser = XML_ParserCreate("UTF-8") else { throw TextError(.io, "expat has no memory", file: file) }
        self.parser = parser
        self.file = file
        self.onPage = onPage
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { me, name, attributes in MediaWikiParser.of(me).start(String(cString: name!), attributes!) },
            { me, name in MediaWikiParser.of(me).end(name!) })
        XML_SetCharacterDataHandler(parser) { me, bytes, count in
            MediaWikiParser.of(me).characters(UnsafeRawPointer(bytes!), Int(count))
        }
        XML_SetStartDoctypeDeclHandler(parser) { me, _, _, _, _ in MediaWikiParser.of(me).refuseDoctype() }
    }

    deinit { XML_ParserFree(parser) }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> MediaWikiParser {
        Unmanaged.fromOpaque(pointer!).takeUnretainedValue()
    }

    // MARK: feeding

    func parse(_ chunk: Bytes) throws { try feed(chunk, isLast: false) }

    func finish() throws -> MediaWikiReader.Summary {
        try feed(Bytes(start: nil, count: 0), isLast: true)
        summary.invalidUTF8 = sanitizer.replaced
        summary.bytes = sanitizer.bytesIn
        return summary
    }

    private func feed(_ chunk: Bytes, isLast: Bool) throws {
        // The sanitizer is also read by handlers, so it is not held exclusively while expat runs.
        var clean: [UInt8]?
        var passed = Bytes(start: nil, count: 0)
        sanitizer.clean(chunk, isLast: isLast) {
            if $0.baseAddress.map({ $0 == chunk.baseAddress }) ?? true { passed = $0 } else { clean = Array($0) }
        }
        if let clean {
            try clean.withUnsafeBufferPointer { try push($0, isLast: isLast) }
        } else {
            try push(passed, isLast: isLast)
        }
    }

    private func push(_ bytes: Bytes, isLast: Bool) throws {
        let status = bytes.withMemoryRebound(to: CChar.self) {
            XML_Parse(parser, $0.baseAddress, Int32($0.count), isLast ? 1 : 0)
        }
        if let failure { throw failure }
        guard status != XML_STATUS_OK else { return }
        let code = XML_GetErrorCode(parser)
        let isEnd = [
            XML_ERROR_NO_ELEMENTS, XML_ERROR_UNCLOSED_TOKEN, XML_ERROR_PARTIAL_CHAR, XML_ERROR_UNCLOSED_CDATA_SECTION,
        ]
        .contains(code)
        if isLast, isEnd, depth > 0 { return warnCutOff() }
        let cause = "expat: " + String(cString: XML_ErrorString(code)) + ", line \(XML_GetCurrentLineNumber(parser))"
        if isEnd, depth == 0 {
            throw TextError(
                .empty, "there is no XML in the file", file: file, offset: offset, cause: cause,
                fix: "fetch a pages-articles dump again")
        }
        throw TextError(
            .damaged, "the XML is malformed", file: file, offset: offset, cause: cause,
            fix: "fetch the dump again; the last whole page is " + (lastTitle.map { "'\($0)'" } ?? "none"))
    }

    private func warnCutOff() {
        summary.isCutOff = true
        let kept = lastTitle.map { "the last whole page is '\($0)'" } ?? "it has no whole page"
        let lost = isInPage ? "; the page after it is cut off and left out" : ""
        summary.warnings.append("\(file): byte \(sanitizer.bytesIn): the dump ends before </mediawiki>: \(kept)\(lost)")
    }

    /// Of the event in hand, in the unpacked stream.
    private var offset: UInt64 { sanitizer.sourceOffset(UInt64(max(0, XML_GetCurrentByteIndex(parser)))) }

    private func stop(_ error: any Error) {
        if failure == nil { failure = error }
        XML_StopParser(parser, 0)
    }

    // MARK: handlers

    private func refuseDoctype() {
        stop(
            TextError(
                .unsupported, "the dump has a document type declaration", file: file, offset: offset,
                cause: "MediaWiki writes none, and entities defined there could unpack without end",
                fix: "remove the <!DOCTYPE …> if you trust the file"))
    }

    private func start(_ name: String, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>) {
        guard failure == nil else { return }
        depth += 1
        field = .none
        value.removeAll(keepingCapacity: true)
        if depth == 1 { return startRoot(name, attributes) }
        switch name {
        case "page" where depth == 2:
            var text = page.text
            text.removeAll(keepingCapacity: text.capacity < 1 << 20)
            page = MediaWikiPage()
            page.text = text
            page.offset = offset
            (isInPage, isInRevision, isInSlot, hasNamespace, isRedirect) = (true, false, false, false, false)
        case "revision" where isInPage:
            isInRevision = true
            page.text.removeAll(keepingCapacity: true)
            (page.isDeleted, page.isTooLong, page.model) = (false, false, "wikitext")
        case "content" where isInRevision: isInSlot = true
        case "text" where isInRevision && !isInSlot:
            field = .text
            page.isDeleted = Self.attribute("deleted", attributes) != nil
        case "model" where isInRevision && !isInSlot: field = .model
        case "title" where isInPage && !isInRevision: field = .title
        case "ns" where isInPage && !isInRevision: field = .namespace
        case "id" where isInPage && depth == 3: field = .id
        case "redirect" where isInPage && !isInRevision:
            isRedirect = true
            page.redirect = Self.attribute("title", attributes)
        case "sitename" where !isInPage: field = .siteName
        case "dbname" where !isInPage: field = .database
        case "case" where !isInPage: field = .caseRule
        case "namespace" where !isInPage:
            field = .namespaceName
            let rule = Self.attribute("case", attributes).flatMap { SiteInfo.CaseRule(rawValue: $0) }
            if let id = Self.attribute("key", attributes).flatMap({ Int($0) }) {
                summary.site.namespaces.append(SiteInfo.Namespace(id: id, name: "", caseRule: rule))
            } else {
                field = .none
            }
        default: break
        }
    }

    private func startRoot(_ name: String, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>) {
        guard name == "mediawiki" else {
            return stop(
                TextError(
                    .unsupported, "the root element is <\(name)>, not <mediawiki>", file: file, offset: offset,
                    cause: "this is no MediaWiki export", fix: "check `format` and `files`"))
        }
        summary.schema = Self.attribute("version", attributes) ?? ""
        summary.site.language = Self.attribute("xml:lang", attributes) ?? ""
        let known = (3...11).map { "0.\($0)" }
        if !known.contains(summary.schema) {
            summary.warnings.append(
                "\(file): export schema '\(summary.schema)' is not one of 0.3 to 0.11; read as if it were 0.11")
        }
    }

    private func characters(_ bytes: UnsafeRawPointer, _ count: Int) {
        switch field {
        case .none: return
        case .text:
            guard page.text.count + count <= MediaWikiReader.textLimit else {
                page.isTooLong = true
                return
            }
            page.text.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        default:
            guard value.count < 1 << 16 else { return }
            value.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    private func end(_ name: UnsafePointer<CChar>) {
        guard failure == nil else { return }
        depth -= 1
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case .title: page.title = text
        case .namespace:
            page.namespace = Int(text) ?? 0
            hasNamespace = true
        case .id: page.id = text
        case .model: page.model = text
        case .siteName: summary.site.name = text
        case .database: summary.site.database = text
        case .caseRule: summary.site.caseRule = SiteInfo.CaseRule(rawValue: text) ?? .firstLetter
        case .namespaceName: summary.site.namespaces[summary.site.namespaces.count - 1].name = text
        case .text, .none: break
        }
        field = .none
        guard isInPage else { return }
        switch depth {
        case 1: endPage()
        case 2: isInRevision = false
        case 3: isInSlot = false
        default: break
        }
    }

    private func endPage() {
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
        do { try onPage(&page, summary.site) } catch { stop(error) }
    }

    private static func attribute(
        _ name: String, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>
    ) -> String? {
        var i = 0
        while let key = attributes[i], let value = attributes[i + 1] {
            if String(cString: key) == name { return String(cString: value) }
            i += 2
        }
        return nil
    }
}
