// PubMedParser: the tags of one record to a document with its citations.

/// Reads records out of a scanner that stands inside the set. Reused between records; memory: one record.
struct PubMedParser {
    static let names = XMLNames<PubMedElement>()

    let labels: AbstractLabels
    var scanner: XMLScanner
    var record = PubMedRecord()
    private let names = Self.names
    var text = XMLText()
    /// The text of the document as far as it goes; `content` appends to it.
    var buffer: [UInt8] = []
    /// What `readValue` read.
    var value: [UInt8] = []
    var title: [UInt8] = []
    var entered: PartialDate?, created: PartialDate?, published: PartialDate?
    var doi: [UInt8] = [], pmcid: [UInt8] = []
    /// Of the reference in hand.
    var citedDOI: [UInt8] = [], citedPMCID: [UInt8] = []
    var target: [UInt8] = []
    var blockStart = 0

    /// Ill-formed sequences that became U+FFFD in all records so far.
    var invalidUTF8: Int { text.replaced }

    init(labels: AbstractLabels) {
        self.labels = labels
        scanner = XMLScanner(Bytes(start: nil, count: 0))
    }

    var element: PubMedElement? { names[scanner] }

    /// Reads the record whose start tag was just returned.
    mutating func parse(offset: UInt64) throws(XMLProblem) -> Bool {
        record.removeAll()
        record.document.sourceOffset = offset
        (entered, created, published) = (nil, nil, nil)
        buffer.removeAll(keepingCapacity: true)
        title.removeAll(keepingCapacity: true)
        doi.removeAll(keepingCapacity: true)
        pmcid.removeAll(keepingCapacity: true)
        // The start tag of the record is either its citation (old files) or holds it.
        if element == .medlineCitation {
            try citation()
        } else {
            try children { (me, element) throws(XMLProblem) in try me.top(element) }
        }
        swap(&buffer, &record.document.text)
        record.date = entered ?? created ?? published
        record.document.title = String(decoding: title, as: UTF8.self)
        guard !record.document.sourceID.isEmpty else { return false }
        record.document.aliases.append("pmid:" + record.document.sourceID)
        if !doi.isEmpty { record.document.aliases.append("doi:" + String(decoding: doi, as: UTF8.self)) }
        if !pmcid.isEmpty { record.document.aliases.append("pmcid:" + String(decoding: pmcid, as: UTF8.self)) }
        return true
    }

    /// The PMIDs of `<DeleteCitation>`, whose start tag was just returned.
    mutating func deleted() throws(XMLProblem) -> [String] {
        var list: [String] = []
        try children { (me, element) throws(XMLProblem) in
            if element == .pmid, let pmid = try me.pmid() { list.append(pmid) }
        }
        return list
    }

    // MARK: structure

    /// Hands each child element to `body`, which may read it or leave it; what it leaves is skipped.
    mutating func children(
        _ body: (inout Self, PubMedElement?) throws(XMLProblem) -> Void
    ) throws(XMLProblem) {
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

    private mutating func top(_ element: PubMedElement?) throws(XMLProblem) {
        switch element {
        case .medlineCitation, .bookDocument: try citation()
        case .pubmedData, .pubmedBookData:
            try children { (me, element) throws(XMLProblem) in
                switch element {
                case .history: try me.history()
                case .articleIDList: try me.ownIDs()
                case .referenceList: try me.references()
                default: break
                }
            }
        default: break
        }
    }

    private mutating func citation() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .pmid where me.record.document.sourceID.isEmpty:
                me.record.document.sourceID = try me.pmid() ?? ""
            case .dateCreated: me.created = try me.date()
            case .article:
                try me.children { (me, element) throws(XMLProblem) in try me.article(element) }
            case .commentsCorrectionsList:
                try me.children { (me, element) throws(XMLProblem) in
                    guard element == .commentsCorrections, me.scanner.attribute("RefType", is: "Cites") else { return }
                    try me.cited()
                }
            case .otherID:
                try me.readValue()
                if me.pmcid.isEmpty, me.value.starts(with: "PMC".utf8) {
                    me.pmcid = Array(me.value.prefix { $0 != Byte.space })
                }
            // A chapter of a book has all in one element.
            case .articleIDList: try me.ownIDs()
            case .referenceList: try me.references()
            case .book: try me.children { (me, element) throws(XMLProblem) in try me.book(element) }
            default: try me.article(element)
            }
        }
    }

    private mutating func article(_ element: PubMedElement?) throws(XMLProblem) {
        switch element {
        case .articleTitle:
            try readValue()
            swap(&title, &value)
        case .elocationID where scanner.attribute("EIdType", is: "doi") && !scanner.attribute("ValidYN", is: "N"):
            try readValue()
            if doi.isEmpty { doi = value }
        case .abstract:
            try children { (me, element) throws(XMLProblem) in if element == .abstractText { try me.abstractText() } }
        case .journal:
            try children { (me, element) throws(XMLProblem) in
                guard element == .journalIssue else { return }
                try me.children { (me, element) throws(XMLProblem) in
                    if element == .pubDate { me.published = try me.date() ?? me.published }
                }
            }
        case .articleDate: published = try date() ?? published
        default: break
        }
    }

    private mutating func book(_ element: PubMedElement?) throws(XMLProblem) {
        switch element {
        case .bookTitle where title.isEmpty:
            try readValue()
            swap(&title, &value)
        case .pubDate: published = try date()
        default: break
        }
    }

    private mutating func history() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            guard element == .pubMedPubDate else { return }
            if me.scanner.attribute("PubStatus", is: "pubmed") {
                me.entered = try me.date() ?? me.entered
            } else if me.scanner.attribute("PubStatus", is: "entrez"), me.entered == nil {
                me.entered = try me.date()
            }
        }
    }
}
