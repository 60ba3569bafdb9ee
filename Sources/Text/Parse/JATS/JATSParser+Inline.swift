// Inline markup: what is text, what is not, and where citations stand.

extension JATSParser {
    /// Reads all text inside the element whose start tag was just returned into the open block, up to its end tag.
    ///
    /// Displayed formulas go, and what stood around them is joined; of inline formulas the symbols stay. Floats wait in
    /// `floats`. Lists, quotations and code inside a paragraph become blocks of their own and part it.
    /// - Parameter kind: of the block to go on with after such a part; nil where blocks may not be parted (a table's cell),
    ///   and all is one text.
    mutating func inline(_ kind: TextBlockKind?) throws(XMLProblem) {
        let outside = scanner.depth - 1
        var formula = Int.max
        while true {
            switch try scanner.next() {
            case .text:
                if scanner.depth >= formula, scanner.bytes[scanner.text].allSatisfy({ Byte.isSpace($0) }) { continue }
                try text.append(scanner, to: &buffer, from: blockStart)
            case .end:
                if scanner.depth == outside { return }
                if scanner.depth < formula { formula = Int.max }
            case .finished: return
            case .start:
                if element == .math, formula == Int.max { formula = scanner.depth } else { try inlineElement(kind) }
            }
        }
    }

    private mutating func inlineElement(_ kind: TextBlockKind?) throws(XMLProblem) {
        switch element {
        case .xref: try crossReference(kind)
        case .relatedArticle: relatedArticle()
        case .breakLine: text.gap()
        case .fig, .figGroup, .tableWrap, .tableWrapGroup, .supplementaryMaterial, .media, .chemStructWrap:
            if kind != nil { floats.append(scanner) }
            try leaveOut()
        case .dispFormula, .dispFormulaGroup, .texMath, .graphic, .inlineGraphic: try leaveOut()
        case .fn, .fnGroup, .altText, .longDescription, .objectID, .label, .permissions, .annotation, .annotationXML,
            .contribGroup, .secMeta, .tableWrapFoot, .table:
            try scanner.skip()
        case .list, .defList, .dispQuote, .verseGroup, .boxedText, .speech, .statement, .preformat, .code:
            guard let kind else {
                text.gap()
                return
            }
            closeBlock(kind)
            try block(element, kind)
            openBlock()
        case .p, .def, .term, .title, .verseLine:
            text.gap()
        default: break
        }
    }

    /// Passes over an element, and joins what stood around it without a space before punctuation.
    private mutating func leaveOut() throws(XMLProblem) {
        try scanner.skip()
        text.joinPunctuation()
    }

    // MARK: citations

    /// `<xref>`: to references, with a place in the text; to figures and tables, as text; to footnotes, not at all.
    private mutating func crossReference(_ kind: TextBlockKind?) throws(XMLProblem) {
        let type = scanner.attribute("ref-type").map(scanner.string) ?? ""
        switch type {
        case "fn", "table-fn", "aff", "corresp", "author-notes", "conflict", "contrib": return try scanner.skip()
        case "bibr": break
        default: return
        }
        let ids = scanner.attribute("rid")
        if isGlued { text.gap() }
        let before = buffer.count
        try inline(kind)
        guard let ids, !isReadingValue, buffer.count > before else { return }
        let begin = buffer[before] == Byte.space ? before + 1 : before
        if begin >= blockStart, begin < buffer.count { spans.append((begin, buffer.count, ids)) }
    }

    /// Whether a raised number would stick to the word before it: `as shown` `12` is no word.
    private var isGlued: Bool {
        guard !text.endsInSpace, buffer.count > blockStart, let last = buffer.last else { return false }
        if last == Byte.comma { return buffer.count < 2 || !Byte.isDigit(buffer[buffer.count - 2]) }
        return Byte.isLetter(last) || Byte.isDigit(last)
            || [Byte.dot, Byte.closeParen, Byte.closeBracket].contains(last)
    }

    /// Reads the text of the element into `value`.
    mutating func readValue() throws(XMLProblem) {
        let (start, waiting) = (blockStart, isReadingValue)
        swap(&buffer, &value)
        buffer.removeAll(keepingCapacity: true)
        (blockStart, isReadingValue) = (0, true)
        let outer = text
        text.begin()
        defer {
            text.finish(&buffer, from: 0)
            text = outer
            swap(&buffer, &value)
            (blockStart, isReadingValue) = (start, waiting)
        }
        try inline(nil)
    }
}
