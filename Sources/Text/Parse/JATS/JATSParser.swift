// JATSParser: one article in memory to a document: front matter here, blocks, inline markup and references beside it.

/// Reused between articles. Memory: one article.
struct JATSParser {
    static let names = XMLNames<JATSElement>()

    let options: JATSOptions
    var scanner = XMLScanner(Bytes(start: nil, count: 0))
    var article = JATSArticle()
    let names = Self.names
    var text = XMLText()
    /// The text of the document as far as it goes.
    var buffer: [UInt8] = []
    /// Where the open block begins in `buffer`.
    var blockStart = 0
    /// What `readValue` read.
    var value: [UInt8] = []
    /// Floats that stand inside the open paragraph; they follow it.
    var floats: [XMLScanner] = []
    /// The label of an abstract's section or of a float, which the next block begins with.
    var label: [UInt8] = []
    var isInAbstract = false
    /// The text goes to `value`: no link has a place in it.
    var isReadingValue = false
    /// Citations in the text: where, and the ids of the references as written.
    var spans: [(begin: Int, end: Int, ids: Range<Int>)] = []
    /// The elements whose `id` citations name, with what they cite.
    var references: [String: [Reference]] = [:]
    var referenceOrder: [String] = []
    var related: [[UInt8]] = []
    var place = JournalPlace()

    private var title: [UInt8] = []
    private var ids: [(scheme: String, value: String)] = []

    init(options: JATSOptions) { self.options = options }

    var element: JATSElement? { names[scanner] }

    /// Reads the article whose start tag was just returned. Returns false if it has no identifier.
    mutating func parse(offset: UInt64) throws(XMLProblem) -> Bool {
        article.removeAll()
        article.document.sourceOffset = offset
        buffer.removeAll(keepingCapacity: true)
        title.removeAll(keepingCapacity: true)
        label.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        references.removeAll(keepingCapacity: true)
        referenceOrder.removeAll(keepingCapacity: true)
        related.removeAll(keepingCapacity: true)
        floats.removeAll(keepingCapacity: true)
        isInAbstract = false
        place = JournalPlace()
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .front: try me.front()
            case .body, .floatsGroup, .floatsWrap: try me.blocks(.paragraph)
            case .back: try me.back()
            case .subArticle, .response: me.article.subArticles += 1
            default: break
            }
        }
        swap(&buffer, &article.document.text)
        article.document.title = String(decoding: title, as: UTF8.self)
        addLinks()
        return nameDocument()
    }

    /// Hands each child element to `body`, which may read it or leave it; what it leaves is skipped.
    mutating func children(_ body: (inout Self, JATSElement?) throws(XMLProblem) -> Void) throws(XMLProblem) {
        while true {
            switch try scanner.next() {
            case .start:
                let depth = scanner.depth
                try body(&self, names[scanner])
                while scanner.depth >= depth { _ = try scanner.next() }
            case .end, .finished: return
            case .text: continue
            }
        }
    }

    // MARK: front

    private mutating func front() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .articleMeta: try me.children { (me, element) throws(XMLProblem) in try me.meta(element) }
            case .journalMeta: try me.journal()
            default: break
            }
        }
    }

    private mutating func journal() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .journalTitleGroup: try me.journal()
            case .journalTitle, .abbreviatedTitle, .journalID:
                try me.readValue()
                me.place.addJournal(me.value)
            default: break
            }
        }
    }

    private mutating func meta(_ element: JATSElement?) throws(XMLProblem) {
        switch element {
        case .articleID: try ownID()
        case .titleGroup:
            try children { (me, element) throws(XMLProblem) in
                guard element == .articleTitle || element == .subtitle else { return }
                try me.readValue()
                if !me.title.isEmpty, !me.value.isEmpty { me.title.append(contentsOf: ": ".utf8) }
                me.title.append(contentsOf: me.value)
            }
        case .pubDate:
            if let date = try date(), article.date.map({ $0.isAfter(date) }) ?? true { article.date = date }
        case .volume:
            try readValue()
            place.volume = value
        case .fpage, .elocationID:
            try readValue()
            if !value.isEmpty { place.page = value }
        case .relatedArticle: relatedArticle()
        case .abstract: try abstract()
        default: break
        }
    }

    private mutating func ownID() throws(XMLProblem) {
        guard let type = scanner.attribute("pub-id-type") else { return }
        let scheme: String
        switch scanner.string(type) {
        case "doi": scheme = "doi"
        case "pmid": scheme = "pmid"
        case "pmc", "pmcid": scheme = "pmcid"
        case "pmcaid", "pmc-uid", "publisher-id", "manuscript", "arxiv", "other": scheme = "id"
        default: return
        }
        try readValue()
        let value = String(decoding: self.value, as: UTF8.self)
        if !value.isEmpty, !ids.contains(where: { $0.scheme == scheme }) { ids.append((scheme, value)) }
    }

    /// The source id is the DOI, else the PMCID, else the PMID, else the publisher's id.
    private mutating func nameDocument() -> Bool {
        for scheme in ["doi", "pmcid", "pmid", "id"] {
            guard let id = ids.first(where: { $0.scheme == scheme }) else { continue }
            if article.document.sourceID.isEmpty { article.document.sourceID = id.value }
            if scheme != "id" { article.document.aliases.append("\(scheme):\(id.value)") }
        }
        for alias in place.aliases { article.document.aliases.append(alias) }
        return !article.document.sourceID.isEmpty
    }

    /// Notes for readers in a hurry repeat what the abstract says.
    private static let shortAbstracts: Set<String> = ["graphical", "teaser", "toc", "web-summary"]

    private mutating func abstract() throws(XMLProblem) {
        let type = scanner.attribute("abstract-type").map(scanner.string)
        if let type, Self.shortAbstracts.contains(type) { return }
        isInAbstract = true
        defer { isInAbstract = false }
        try children { (me, element) throws(XMLProblem) in
            // The main abstract's own title says only what it is.
            if element == .title, type == nil { return }
            try me.block(element, .paragraph, isSectionTitle: false)
        }
        label.removeAll(keepingCapacity: true)
    }

    mutating func date() throws(XMLProblem) -> PartialDate? {
        var date: PartialDate?
        var month: Int?
        var day: Int?
        try children { (me, element) throws(XMLProblem) in
            guard element == .year || element == .month || element == .day else { return }
            try me.readValue()
            switch element {
            case .year: date = PartialDate.number(me.value[...]).map { PartialDate(year: $0) }
            case .month: month = PartialDate.month(me.value[...])
            default: day = PartialDate.number(me.value[...])
            }
        }
        guard let date else { return nil }
        return PartialDate(year: date.year, month: month, day: day)
    }

    /// References, and appendices as text; what else stands at the end (thanks, funding, contributions) goes.
    private mutating func back() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .refList: try me.refList()
            case .app: try me.blocks(.paragraph)
            case .sec, nil: try me.back()
            default: break
            }
        }
    }
}
