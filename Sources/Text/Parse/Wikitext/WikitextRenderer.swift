// WikitextRenderer: the third pass: walks the page once, jumping over matched brackets, and writes what a reader sees.
// Lines are here; inline markup, links, templates and tables in the files beside this one.

struct WikitextRenderer {
    let source: Bytes
    let slots: UnsafeBufferPointer<BracketSlot>
    let tagContents: [WikitextBrackets.TagContent]
    let prefixes: TitlePrefixes
    let options: WikitextOptions
    var writer: WikitextWriter
    /// One a slot: whether the link there got a span.
    var isPlaced: [Bool]

    static let depthLimit = 40

    /// Bytes that are copied in runs; all others are looked at one by one.
    private static let isPlain: [Bool] = {
        var table = [Bool](repeating: true, count: 256)
        for b in 0...32 { table[b] = false }
        for b in "{}[]<'&|_~\u{7F}".utf8 { table[Int(b)] = false }
        for b in [0xC2, 0xE2, 0xE3, 0xEF] { table[b] = false }
        return table
    }()

    /// What one call of `render` keeps between bytes.
    struct Line {
        /// The label of `[http://… label]` is being written.
        var isExternal = false
        /// Quotes up to here have been looked at.
        var quotesKnownTo = 0
        /// A `'''` whose first apostrophe is meant as one; -1 for none.
        var literalQuote = -1
    }

    /// Renders `from ..< to`. `slot`: any index at or before the first slot in the range. `isBlock`: lines mean something
    /// here (headings, lists); in labels and headings they do not.
    mutating func render(from: Int, to: Int, slot: Int, isBlock: Bool, depth: Int) {
        guard depth < Self.depthLimit else { return writer.gap() }
        var i = from
        var slot = slot
        var line = Line()
        var isLineStart = isBlock
        while i < to {
            if isLineStart {
                isLineStart = false
                i = startLine(i, to, slot, depth)
                if i >= to { break }
            }
            let b = source[i]
            if b == Byte.lf {
                line.isExternal = false
                i += 1
                if isBlock {
                    if writer.currentKind == .paragraph { writer.space() } else { writer.breakBlock() }
                    isLineStart = true
                } else {
                    writer.space()
                }
            } else if Byte.isSpace(b) {
                writer.space()
                i += 1
            } else if let found = matchedSlot(at: i, &slot), slots[found].end <= to {
                i = renderSlot(found, to, isBlock, depth)
                slot = slots[found].next
            } else {
                i = inline(i, to, &line)
            }
        }
    }

    /// The outermost matched slot that begins at `i`; moves `slot` up to it. Complexity: amortised O(1).
    func matchedSlot(at i: Int, _ slot: inout Int) -> Int? {
        while slot < slots.count, slots[slot].begin < i { slot += 1 }
        var found = slot
        while found < slots.count, slots[found].begin == i {
            if slots[found].end > 0 { return found }
            found += 1
        }
        return nil
    }

    private mutating func renderSlot(_ index: Int, _ to: Int, _ isBlock: Bool, _ depth: Int) -> Int {
        let slot = slots[index]
        switch slot.kind {
        case .template: renderTemplate(index, isBlock: isBlock, depth: depth + 1)
        case .argument: renderArgument(index, isBlock: isBlock, depth: depth + 1)
        case .link: return renderLink(index, to, isBlock: isBlock, depth: depth + 1)
        case .table, .htmlTable: renderTable(index, depth: depth + 1)
        case .tag: renderTag(tagContents[slot.detail])
        }
        return slot.end
    }

    private mutating func renderTag(_ tag: WikitextBrackets.TagContent) {
        switch tag.kind.rendering {
        case .dropped: writer.gap()
        case .text: appendLiteral(tag.content)
        case .code: writer.appendCode(decoded(tag.content))
        }
    }

    // MARK: lines

    /// Reads what stands at the start of a line: heading, list marks, rule, blank line. Returns where its text begins.
    private mutating func startLine(_ start: Int, _ to: Int, _ slot: Int, _ depth: Int) -> Int {
        var i = start
        while i < to, source[i] == Byte.space || source[i] == Byte.tab || source[i] == Byte.cr { i += 1 }
        guard i < to else { return i }
        switch source[i] {
        case Byte.lf: writer.breakBlock()
        case Byte.equal where i == start: return heading(i, to, slot, depth)
        case Byte.star, Byte.hash, Byte.semicolon, Byte.colon:
            if i == start { return list(i, to) }
        case Byte.dash where i == start && i + 4 <= to && source[i..<(i + 4)].allSatisfy({ $0 == Byte.dash }):
            writer.breakBlock()
            while i < to, source[i] == Byte.dash { i += 1 }
        case Byte.pipe: return skipLine(i, to, slot)
        case Byte.openBrace where i + 1 < to && source[i + 1] == Byte.pipe:
            var cursor = slot
            if matchedSlot(at: i, &cursor) == nil { return skipLine(i, to, slot) }
        default: break
        }
        return i
    }

    private mutating func list(_ start: Int, _ to: Int) -> Int {
        var i = start
        var isItem = false
        while i < to {
            switch source[i] {
            case Byte.star, Byte.hash, Byte.semicolon: isItem = true
            case Byte.colon: break
            default:
                writer.breakBlock()
                // A line that begins with colons alone is indented, not listed.
                if isItem { writer.setKind(.listItem) }
                return i
            }
            i += 1
        }
        return i
    }

    private mutating func heading(_ start: Int, _ to: Int, _ slot: Int, _ depth: Int) -> Int {
        var lineEnd = start
        while lineEnd < to, source[lineEnd] != Byte.lf { lineEnd += 1 }
        var end = lineEnd
        while end > start, Byte.isSpace(source[end - 1]) { end -= 1 }
        var lead = 0
        while start + lead < end, source[start + lead] == Byte.equal { lead += 1 }
        var trail = 0
        while end - trail > start, source[end - trail - 1] == Byte.equal { trail += 1 }
        let level = min(lead, trail, 6)
        guard level > 0, start + lead < end - trail else {
            writer.breakBlock()
            return lead == end - start ? lineEnd : start
        }
        writer.breakBlock()
        writer.setKind(.heading, level: level)
        writer.beginInline()
        render(from: start + level, to: end - level, slot: slot, isBlock: false, depth: depth + 1)
        writer.endInline()
        writer.breakBlock()
        return lineEnd
    }

    /// A table row outside any table: what a table template left behind. Matched brackets in it go whole.
    private mutating func skipLine(_ start: Int, _ to: Int, _ slot: Int) -> Int {
        var i = start
        var slot = slot
        while i < to, source[i] != Byte.lf {
            if let found = matchedSlot(at: i, &slot) {
                i = slots[found].end
                slot = slots[found].next
            } else {
                i += 1
            }
        }
        writer.breakBlock()
        return min(i, to)
    }

    /// Copies a run of plain bytes, single spaces between them included. Returns where it ends.
    mutating func copyRun(_ start: Int, _ to: Int) -> Int {
        let end = Self.isPlain.withUnsafeBufferPointer { isPlain in
            var i = start
            while i < to {
                if isPlain[Int(source[i])] {
                    i += 1
                } else if source[i] == Byte.space, i > start, i + 1 < to, isPlain[Int(source[i + 1])] {
                    i += 2
                } else {
                    break
                }
            }
            return i
        }
        writer.append(Bytes(rebasing: source[start..<end]))
        return end
    }

    static func plain(_ b: UInt8) -> Bool { isPlain[Int(b)] }
}
