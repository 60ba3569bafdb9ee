// The fields of a record: texts, identifiers, dates, citations.

extension PubMedParser {
    // MARK: text

    /// One section of the abstract; its label is an attribute. A section that says nothing leaves no label.
    mutating func abstractText() throws(XMLProblem) {
        var label = labels == .none ? nil : scanner.attribute("Label")
        if scanner.attribute("Label", is: "UNLABELLED") { label = nil }
        let before = buffer.count
        if let label, labels == .heading, try !addLabel(label, asBlock: true) { buffer.removeSubrange(before...) }
        let hasHeading = buffer.count > before
        let start = openBlock()
        if let label, labels == .inline, try addLabel(label, asBlock: false) { text.gap() }
        let textStart = buffer.count
        try content(from: start)
        if buffer.count > textStart { return closeBlock(start, .paragraph) }
        buffer.removeSubrange(before...)
        if hasHeading {
            record.document.blockBegin.removeLast()
            record.document.blockKind.removeLast()
        }
    }

    /// Returns false if the label is empty.
    private mutating func addLabel(_ label: Range<Int>, asBlock: Bool) throws(XMLProblem) -> Bool {
        let start = asBlock ? openBlock() : blockStart
        let raw = Bytes(rebasing: scanner.bytes[label])
        try text.append(raw, at: label.lowerBound, to: &buffer, from: start)
        guard buffer.count > start else { return false }
        if asBlock {
            closeBlock(start, .heading)
        } else if buffer[buffer.count - 1] != Byte.colon {
            buffer.append(Byte.colon)
        }
        return true
    }

    private mutating func openBlock() -> Int {
        if !buffer.isEmpty { buffer.append(Byte.lf) }
        blockStart = buffer.count
        text.begin()
        return blockStart
    }

    private mutating func closeBlock(_ start: Int, _ kind: TextBlockKind) {
        text.finish(&buffer, from: start)
        record.document.blockBegin.append(UInt32(start))
        record.document.blockKind.append(kind.rawValue)
    }

    /// All text inside the element whose start tag was just returned, up to its end tag. Of formulas only their symbols
    /// are kept, without the space that lays out their markup and without annotations, which repeat them in TeX.
    mutating func content(from start: Int) throws(XMLProblem) {
        let outside = scanner.depth - 1
        var formula = Int.max
        while true {
            switch try scanner.next() {
            case .text:
                if scanner.depth >= formula {
                    let raw = scanner.text.drop { Byte.isSpace(scanner.bytes[$0]) }
                    if raw.isEmpty { continue }
                }
                try text.append(scanner, to: &buffer, from: start)
            case .start:
                switch element {
                case .math where formula == Int.max: formula = scanner.depth
                case .annotation, .annotationXML: try scanner.skip()
                default: break
                }
            case .end:
                if scanner.depth == outside { return }
                if scanner.depth < formula { formula = Int.max }
            case .finished: return
            }
        }
    }

    /// Reads the text of the element into `value`.
    mutating func readValue() throws(XMLProblem) {
        swap(&buffer, &value)
        defer { swap(&buffer, &value) }
        buffer.removeAll(keepingCapacity: true)
        text.begin()
        try content(from: 0)
        text.finish(&buffer, from: 0)
    }

    // MARK: identifiers

    /// The PMID in the element, nil if it is no number.
    mutating func pmid() throws(XMLProblem) -> String? {
        try readValue()
        return Self.isNumber(value) ? String(decoding: value, as: UTF8.self) : nil
    }

    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.count <= 12 && bytes.allSatisfy { Byte.isDigit($0) }
    }

    /// `<ArticleIdList>` of the record itself; those of its references stand elsewhere.
    mutating func ownIDs() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            guard element == .articleID else { return }
            if me.scanner.attribute("IdType", is: "doi") {
                try me.readValue()
                if !me.value.isEmpty { me.doi = me.value }
            } else if me.scanner.attribute("IdType", is: "pmc") {
                try me.readValue()
                if !me.value.isEmpty { me.pmcid = me.value }
            }
        }
    }

    // MARK: citations

    /// `<CommentsCorrections RefType="Cites">`
    mutating func cited() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in if element == .pmid { try me.citePMID() } }
    }

    private mutating func citePMID() throws(XMLProblem) {
        try readValue()
        if Self.isNumber(value) { cite("pmid:") }
    }

    private mutating func cite(_ scheme: StaticString) {
        target.removeAll(keepingCapacity: true)
        target.append(contentsOf: UnsafeBufferPointer(start: scheme.utf8Start, count: scheme.utf8CodeUnitCount))
        target.append(contentsOf: value)
        record.document.appendPlacelessLink(target)
    }

    /// `<ReferenceList>`: references, or further lists with a title.
    mutating func references() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .reference: try me.reference()
            case .referenceList: try me.references()
            default: break
            }
        }
    }

    /// Every PMID of a reference is a citation; a DOI, else a PMCID, is one where there is no PMID.
    private mutating func reference() throws(XMLProblem) {
        let before = record.document.linkCount
        citedDOI.removeAll(keepingCapacity: true)
        citedPMCID.removeAll(keepingCapacity: true)
        try children { (me, element) throws(XMLProblem) in
            guard element == .articleIDList else { return }
            try me.children { (me, element) throws(XMLProblem) in
                guard element == .articleID else { return }
                if me.scanner.attribute("IdType", is: "pubmed") {
                    try me.citePMID()
                } else if me.scanner.attribute("IdType", is: "doi") {
                    try me.readValue()
                    if me.citedDOI.isEmpty { swap(&me.citedDOI, &me.value) }
                } else if me.scanner.attribute("IdType", is: "pmc") {
                    try me.readValue()
                    if me.citedPMCID.isEmpty { swap(&me.citedPMCID, &me.value) }
                }
            }
        }
        guard record.document.linkCount == before else { return }
        if !citedDOI.isEmpty {
            swap(&citedDOI, &value)
            cite("doi:")
        } else if !citedPMCID.isEmpty {
            swap(&citedPMCID, &value)
            cite("pmcid:")
        }
    }

    // MARK: dates

    /// `<Year>`, `<Month>`, `<Day>`, or `<MedlineDate>`, which begins with a year.
    mutating func date() throws(XMLProblem) -> PartialDate? {
        var date: PartialDate?
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .year:
                try me.readValue()
                if let year = PartialDate.number(me.value[...]) { date = PartialDate(year: year) }
            case .month:
                try me.readValue()
                date?.month = PartialDate.month(me.value[...])
            case .day:
                try me.readValue()
                if date?.month != nil { date?.day = PartialDate.number(me.value[...]) }
            case .medlineDate:
                try me.readValue()
                guard let year = PartialDate.number(me.value.prefix(4)), year > 999 else { return }
                date = PartialDate(year: year)
                if me.value.count > 5 { date?.month = PartialDate.month(me.value[5...]) }
            default: break
            }
        }
        return date
    }
}
