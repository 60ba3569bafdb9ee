// Sections, paragraphs, lists, floats and tables to blocks.

extension JATSParser {
    /// Reads the children of the element in hand; a paragraph among them becomes a block of the given kind.
    mutating func blocks(_ kind: TextBlockKind) throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in try me.block(element, kind) }
    }

    /// - Parameter isSectionTitle: a title is that of a section; else of the whole abstract.
    mutating func block(
        _ element: JATSElement?, _ kind: TextBlockKind, isSectionTitle: Bool = true
    ) throws(XMLProblem) {
        switch element {
        case .p, .verseLine: try paragraph(kind)
        case .title:
            if isInAbstract, isSectionTitle { try abstractLabel() } else { try paragraph(.heading) }
        case .list: try blocks(.listItem)
        case .defList:
            try children { (me, element) throws(XMLProblem) in
                if element == .defItem { try me.definition() }
            }
        case .fig, .tableWrap, .supplementaryMaterial, .media, .chemStructWrap: try float()
        case .table: try table()
        case .preformat, .code: try code()
        case .refList: try refList()
        case .sec, .boxedText, .dispQuote, .speech, .statement, .verseGroup, .def, .figGroup, .tableWrapGroup, nil:
            try blocks(kind)
        default: break
        }
    }

    // MARK: paragraphs

    mutating func openBlock() {
        blockStart = buffer.isEmpty ? 0 : buffer.count + 1
        if !buffer.isEmpty { buffer.append(Byte.lf) }
        text.begin()
    }

    /// Ends the open block; one without text leaves nothing.
    mutating func closeBlock(_ kind: TextBlockKind) {
        text.finish(&buffer, from: blockStart)
        if buffer.count > blockStart {
            article.document.blockBegin.append(UInt32(blockStart))
            article.document.blockKind.append(kind.rawValue)
        } else if blockStart > 0 {
            buffer.removeLast()
        }
    }

    /// The element in hand as a block, and after it the floats that stand inside.
    mutating func paragraph(_ kind: TextBlockKind) throws(XMLProblem) {
        openBlock()
        let hasLabel = takeLabel()
        let textStart = buffer.count
        try inline(kind)
        if hasLabel, buffer.count == textStart { buffer.removeSubrange(blockStart...) }
        closeBlock(kind)
        try readFloats()
    }

    /// Begins the block with the label that waits for it, and a space.
    private mutating func takeLabel() -> Bool {
        if label.isEmpty { return false }
        buffer.append(contentsOf: label)
        label.removeAll(keepingCapacity: true)
        text.gap()
        return true
    }

    private mutating func abstractLabel() throws(XMLProblem) {
        switch options.labels {
        case .none: return
        case .heading: try paragraph(.heading)
        case .inline:
            try readValue()
            swap(&label, &value)
            while let last = label.last, last == Byte.colon || last == Byte.dot { label.removeLast() }
            if !label.isEmpty { label.append(Byte.colon) }
        }
    }

    private mutating func definition() throws(XMLProblem) {
        openBlock()
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .term:
                let before = me.buffer.count
                try me.inline(nil)
                if me.buffer.count > before { me.buffer.append(Byte.colon) }
                me.text.gap()
            case .def: try me.inline(nil)
            default: break
            }
        }
        closeBlock(.listItem)
        try readFloats()
    }

    /// Code keeps its lines. Blank ones at its ends go.
    private mutating func code() throws(XMLProblem) {
        var lines: [UInt8] = []
        let outside = scanner.depth - 1
        while scanner.depth > outside {
            guard try scanner.next() == .text else { continue }
            try XMLText.appendVerbatim(scanner, to: &lines)
        }
        while let last = lines.last, Byte.isSpace(last) { lines.removeLast() }
        let first = lines.firstIndex { !Byte.isSpace($0) } ?? lines.endIndex
        openBlock()
        buffer.append(contentsOf: lines[first...])
        closeBlock(.code)
    }

    // MARK: floats

    /// Floats that stood inside the paragraph just closed.
    private mutating func readFloats() throws(XMLProblem) {
        if floats.isEmpty { return }
        let waiting = floats
        floats.removeAll()
        let after = scanner
        for float in waiting {
            scanner = float
            try block(names[float], .paragraph)
        }
        scanner = after
    }

    /// A figure, table or supplement: its label begins its caption; graphics, credits and footnotes go.
    private mutating func float() throws(XMLProblem) {
        try children { (me, element) throws(XMLProblem) in
            switch element {
            case .label where me.options.captions:
                try me.readValue()
                swap(&me.label, &me.value)
                if let last = me.label.last, last != Byte.dot, last != Byte.colon { me.label.append(Byte.dot) }
            case .caption where me.options.captions:
                try me.children { (me, element) throws(XMLProblem) in
                    if element == .title || element == .p { try me.paragraph(.caption) }
                }
            case .table, .fig, .tableWrap, .figGroup, .media, .supplementaryMaterial:
                me.label.removeAll(keepingCapacity: true)
                try me.block(element, .paragraph)
            case nil: try me.blocks(.caption)
            default: break
            }
        }
        label.removeAll(keepingCapacity: true)
    }

    /// One block a row, cells joined by ` | `.
    private mutating func table() throws(XMLProblem) {
        guard options.tables else { return }
        try children { (me, element) throws(XMLProblem) in
            if element == .tr { try me.row() } else if element == nil { try me.table() }
        }
    }

    private mutating func row() throws(XMLProblem) {
        openBlock()
        try children { (me, element) throws(XMLProblem) in
            guard element == .td || element == .th else { return }
            let before = me.buffer.count
            if before > me.blockStart { me.buffer.append(contentsOf: " | ".utf8) }
            let begin = me.buffer.count
            me.text.begin()
            try me.inline(nil)
            if me.buffer.count == begin { me.buffer.removeSubrange(before...) }
        }
        closeBlock(.table)
        floats.removeAll()
    }
}
