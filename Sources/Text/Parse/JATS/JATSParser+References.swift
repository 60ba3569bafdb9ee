// References: what the article cites, under which ids its text names them, and the links that come of it.

/// One cited work.
struct Reference: Equatable {
    /// `doi:…`, `pmid:…`, `pmcid:…`, `page:…`, in this order, parted by spaces; empty if the reference gives none.
    var target: [UInt8] = []
}

/// What a citation says of the work that it cites.
private struct CitedIDs {
    private var doi: [UInt8] = [], pmid: [UInt8] = [], pmcid: [UInt8] = []
    var place = JournalPlace()

    /// - Parameter type: of a `pub-id`, or of a link, whose address may be that of a resolver.
    mutating func add(_ value: [UInt8], as type: String) {
        let value = value.filter { !Byte.isSpace($0) }
        switch type.lowercased() {
        case "doi": setDOI(value[...])
        case "pmid", "pubmed": if pmid.isEmpty, value.allSatisfy({ Byte.isDigit($0) }) { pmid = value }
        case "pmc", "pmcid": if pmcid.isEmpty { pmcid = value }
        case "uri", "url", "":
            if let begin = Self.doiBegin(value) { setDOI(value[begin...]) }
        default: break
        }
    }

    private mutating func setDOI(_ value: ArraySlice<UInt8>) {
        var value = value
        while let last = value.last, [Byte.dot, Byte.comma, Byte.semicolon].contains(last) { value.removeLast() }
        if doi.isEmpty { doi = Array(value) }
    }

    /// The article whose figure or table a DOI names: eLife gives them `.001`, PLOS `.g001` behind the article's own.
    private var wholeDOI: [UInt8]? {
        let isNumbered = doi.suffix(3).allSatisfy { Byte.isDigit($0) }
        let lower = doi.map { Byte.lower($0) }
        if lower.starts(with: "10.7554/elife.".utf8), doi.count == 23, isNumbered { return Array(doi.dropLast(4)) }
        let isPart = doi.count > 5 && doi[doi.count - 5] == Byte.dot && Byte.isLetter(doi[doi.count - 4])
        if lower.starts(with: "10.1371/journal.".utf8), isPart, isNumbered { return Array(doi.dropLast(5)) }
        return nil
    }

    /// Where the DOI begins in `https://doi.org/10.1000/x`.
    private static func doiBegin(_ address: [UInt8]) -> Int? {
        let mark = Array("doi.org/".utf8)
        return address.indices.first { address[$0...].starts(with: mark) }.map { $0 + mark.count }
    }

    var target: [UInt8] {
        var out: [UInt8] = []
        let all = [("doi:", doi), ("doi:", wholeDOI ?? []), ("pmid:", pmid), ("pmcid:", pmcid)]
        for (scheme, value) in all where !value.isEmpty {
            if !out.isEmpty { out.append(Byte.space) }
            out += Array(scheme.utf8) + value
        }
        for alias in place.aliases {
            if !out.isEmpty { out.append(Byte.space) }
            out += Array(alias.utf8)
        }
        return out
    }
}

/// Where in a journal an article begins. References without an identifier are found by it.
struct JournalPlace: Equatable {
    private(set) var journals: [String] = []
    var volume: [UInt8] = []
    var page: [UInt8] = []

    mutating func addJournal(_ name: [UInt8]) {
        let form = Self.form(name)
        if !form.isEmpty, !journals.contains(form) { journals.append(form) }
    }

    /// `page:elife/2/e00103`, one for each name of the journal; none unless volume and page are known.
    var aliases: [String] {
        let isAbbreviated = page.starts(with: "p.".utf8) || page.starts(with: "pp.".utf8)
        let page = Self.form(isAbbreviated ? Array(page.drop { $0 != Byte.dot }) : page)
        let volume = Self.form(volume)
        guard !volume.isEmpty, !page.isEmpty else { return [] }
        return journals.map { "page:\($0)/\(volume)/\(page)" }
    }

    /// ASCII letters in lower case, digits and all beyond ASCII; nothing else: `Nat. Genet.` is `natgenet`.
    private static func form(_ text: [UInt8]) -> String {
        String(
            decoding: text.compactMap {
                Byte.isLetter($0) || Byte.isDigit($0) || $0 >= 0x80 ? Byte.lower($0) : nil
            }, as: UTF8.self)
    }
}

extension JATSParser {
    /// `<ref-list>`, which may hold further lists.
    mutating func refList() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .ref: try me.reference()
            case .refList, nil: try me.refList()
            default: break
            }
        }
    }

    /// `<ref>`: one cited work, or several under one number. A citation may have an id of its own.
    private mutating func reference() throws(XMLProblem) {
        let id = scanner.attribute("id").map(scanner.string)
        var works: [Reference] = []
        try references(into: &works)
        // A reference without any markup is one work without identifier.
        if works.isEmpty { works.append(Reference()) }
        article.references += works.count
        article.referencesWithoutID += works.count { $0.target.isEmpty }
        let key = id ?? "\u{0}\(referenceOrder.count)"
        if references[key] == nil { referenceOrder.append(key) }
        references[key, default: []] += works
    }

    private mutating func references(into works: inout [Reference]) throws(XMLProblem) {
        var found = works
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .elementCitation, .mixedCitation, .citation, .nlmCitation: found.append(try me.cited())
            // Two forms of one citation.
            case nil:
                var forms: [Reference] = []
                try me.references(into: &forms)
                if let best = forms.first(where: { !$0.target.isEmpty }) ?? forms.first { found.append(best) }
            default: break
            }
        }
        works = found
    }

    /// The identifiers of one citation, wherever in it they stand.
    private mutating func cited() throws(XMLProblem) -> Reference {
        var ids = CitedIDs()
        let outside = scanner.depth - 1
        while scanner.depth > outside {
            guard try scanner.next() == .start else { continue }
            switch element {
            case .pubID, .objectID, .articleID:
                let type = scanner.attribute("pub-id-type").map(scanner.string) ?? ""
                try readValue()
                ids.add(value, as: type)
            case .extLink:
                let type = scanner.attribute("ext-link-type").map(scanner.string) ?? ""
                if let address = scanner.attribute("href") { ids.add(Array(scanner.bytes[address]), as: type) }
            case .source:
                try readValue()
                ids.place.addJournal(value)
            case .volume:
                try readValue()
                ids.place.volume = value
            case .fpage, .elocationID:
                try readValue()
                if ids.place.page.isEmpty { ids.place.page = value }
            default: break
            }
        }
        return Reference(target: ids.target)
    }

    // MARK: links

    /// `<related-article>`, by the identifier that it gives.
    mutating func relatedArticle() {
        article.relatedArticles += 1
        guard let address = scanner.attribute("href"), let type = scanner.attribute("ext-link-type") else { return }
        let scheme: String
        switch scanner.string(type) {
        case "doi": scheme = "doi:"
        case "pmid", "pubmed": scheme = "pmid:"
        case "pmc", "pmcid": scheme = "pmcid:"
        default: return
        }
        let value = scanner.bytes[address].filter { !Byte.isSpace($0) }
        if !value.isEmpty { related.append(Array(scheme.utf8) + value) }
    }

    /// Citations that the text names, in its order; then the references it does not name; then related articles.
    mutating func addLinks() {
        var named: Set<String> = []
        for span in spans {
            for id in scanner.string(span.ids).split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }) {
                guard let works = references[String(id)] else { continue }
                named.insert(String(id))
                for work in works where !work.target.isEmpty {
                    article.document.linkBegin.append(UInt32(span.begin))
                    article.document.linkEnd.append(UInt32(span.end))
                    article.document.linkTarget.append(work.target)
                }
            }
        }
        for id in referenceOrder where !named.contains(id) {
            for work in references[id]! where !work.target.isEmpty {
                article.document.appendPlacelessLink(work.target)
            }
        }
        for target in related { article.document.appendPlacelessLink(target) }
    }
}
