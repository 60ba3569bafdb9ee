// WikitextBrackets: finds which {{ }}, {{{ }}}, [[ ]], {| |} and opaque tags belong together, in one pass with a stack.

/// A matched (or reserved, `end` 0) bracket. Slots are sorted by `begin`, outer before inner.
struct BracketSlot {
    enum Kind: UInt8 { case template, argument, link, table, htmlTable, tag }
    var begin: Int
    /// After the closing bracket; 0 if nothing closes it.
    var end: Int
    /// Index of the first slot that begins at or after `end`.
    var next: Int
    var kind: Kind
    /// A link that holds another link (files do not count), or an index into `tagContents`.
    var detail: Int
}

/// The second pass over a page. Reused; memory is O(brackets).
struct WikitextBrackets {
    struct TagContent {
        var kind: OpaqueTag
        var content: Range<Int>
    }

    private struct Open {
        var kind: BracketSlot.Kind
        var begin: Int
        /// Braces of the run that are still unmatched.
        var braces: Int
        var slot: Int
        /// Reserved slots of the run that are still empty.
        var reserved: Int
    }

    private(set) var slots: [BracketSlot] = []
    /// One a slot: whether the link there got a span in the text. Filled by the renderer.
    var isPlaced: [Bool] = []
    private(set) var tagContents: [TagContent] = []
    private var stack: [Open] = []
    /// Stack indices by kind, so that a closing bracket finds its opener at once, however much stands open above it.
    private var braceEntries: [Int] = []
    private var tableEntries: [Int] = [], htmlTableEntries: [Int] = []
    /// Inside the content of a tag: entries below belong to the text around it and cannot be closed there.
    private var base = 0
    private var finder = ClosingTagFinder()

    private static let isSpecial: [Bool] = (0..<256).map { "{}[]<".utf8.contains(UInt8($0)) }

    mutating func match(_ bytes: Bytes, _ prefixes: TitlePrefixes) {
        slots.removeAll(keepingCapacity: true)
        tagContents.removeAll(keepingCapacity: true)
        stack.removeAll(keepingCapacity: true)
        braceEntries.removeAll(keepingCapacity: true)
        tableEntries.removeAll(keepingCapacity: true)
        htmlTableEntries.removeAll(keepingCapacity: true)
        base = 0
        finder.reset()
        scan(bytes, 0, bytes.count, prefixes)
        isPlaced.removeAll(keepingCapacity: true)
        isPlaced.append(contentsOf: repeatElement(false, count: slots.count))
    }

    private mutating func scan(_ bytes: Bytes, _ from: Int, _ to: Int, _ prefixes: TitlePrefixes) {
        var i = from
        while true {
            i = Self.nextSpecial(bytes, i, to)
            if i >= to { return }
            switch bytes[i] {
            case Byte.openBrace: i = openBraces(bytes, i)
            case Byte.closeBrace: i = closeBraces(bytes, i)
            case Byte.openBracket: i = openBrackets(bytes, i)
            case Byte.closeBracket: i = closeBrackets(bytes, i, prefixes)
            default: i = tag(bytes, i, to, prefixes)
            }
        }
    }

    private static func nextSpecial(_ bytes: Bytes, _ from: Int, _ to: Int) -> Int {
        isSpecial.withUnsafeBufferPointer { isSpecial in
            var i = from
            while i < to, !isSpecial[Int(bytes[i])] { i += 1 }
            return i
        }
    }

    /// Brackets inside a tag's content match each other and nothing outside. Contents nest at most as deep as there are
    /// kinds of tags: a tag of the same kind finds no end before its outer one's.
    private mutating func scanContent(_ bytes: Bytes, _ range: Range<Int>, _ prefixes: TitlePrefixes) {
        let outer = base
        base = stack.count
        scan(bytes, range.lowerBound, range.upperBound, prefixes)
        pop(to: base)
        base = outer
    }

    private static func runEnd(_ bytes: Bytes, _ i: Int) -> Int {
        var j = i + 1
        while j < bytes.count, bytes[j] == bytes[i] { j += 1 }
        return j
    }

    /// Whether only indentation and list marks stand between the line's start and `i`.
    private static func isLineStart(_ bytes: Bytes, _ i: Int) -> Bool {
        var j = i
        while j > 0 {
            switch bytes[j - 1] {
            case Byte.space, Byte.tab, Byte.colon, Byte.star, Byte.hash: j -= 1
            case Byte.lf: return true
            default: return false
            }
        }
        return true
    }

    private mutating func push(_ kind: BracketSlot.Kind, _ begin: Int, braces: Int = 0, reserving count: Int = 1) {
        switch kind {
        case .table: tableEntries.append(stack.count)
        case .htmlTable: htmlTableEntries.append(stack.count)
        default: if braces > 0 { braceEntries.append(stack.count) }
        }
        stack.append(Open(kind: kind, begin: begin, braces: braces, slot: slots.count, reserved: count))
        let empty = BracketSlot(begin: begin, end: 0, next: 0, kind: kind, detail: 0)
        for _ in 0..<count { slots.append(empty) }
    }

    private mutating func pop(to count: Int) {
        while let last = braceEntries.last, last >= count { braceEntries.removeLast() }
        while let last = tableEntries.last, last >= count { tableEntries.removeLast() }
        while let last = htmlTableEntries.last, last >= count { htmlTableEntries.removeLast() }
        stack.removeLast(stack.count - count)
    }

    private mutating func openBraces(_ bytes: Bytes, _ i: Int) -> Int {
        let end = Self.runEnd(bytes, i)
        if end - i >= 2 {
            push(.template, i, braces: end - i, reserving: (end - i) / 2)
        } else if end < bytes.count, bytes[end] == Byte.pipe, Self.isLineStart(bytes, i) {
            push(.table, i)
            return end + 1
        }
        return end
    }

    /// Closes templates and arguments, innermost first, three braces before two (MediaWiki's preprocessor).
    /// What stands open inside a template that closes stays unmatched.
    private mutating func closeBraces(_ bytes: Bytes, _ i: Int) -> Int {
        var at = i
        if i > 0, bytes[i - 1] == Byte.pipe, Self.isLineStart(bytes, i - 1), closeTable(.table, end: i + 1) {
            at = i + 1
        }
        let end = at < bytes.count && bytes[at] == Byte.closeBrace ? Self.runEnd(bytes, at) : at
        while end - at >= 2, let entry = braceEntries.last, entry >= base {
            let braces = stack[entry].braces
            let width = min(end - at, braces, 3)
            let index = stack[entry].slot + stack[entry].reserved - 1
            let begin = stack[entry].begin + braces - width
            slots[index] = BracketSlot(
                begin: begin, end: at + width, next: slots.count, kind: width == 3 ? .argument : .template, detail: 0)
            at += width
            stack[entry].reserved -= 1
            stack[entry].braces -= width
            pop(to: stack[entry].braces >= 2 && stack[entry].reserved > 0 ? entry + 1 : entry)
        }
        return max(end, i + 1)
    }

    private mutating func closeTable(_ kind: BracketSlot.Kind, end: Int) -> Bool {
        let entry = (kind == .table ? tableEntries : htmlTableEntries).last ?? -1
        guard entry >= base, entry > braceEntries.last ?? -1 else { return false }
        close(entry, end: end)
        return true
    }

    private mutating func close(_ entry: Int, end: Int) {
        slots[stack[entry].slot].end = end
        slots[stack[entry].slot].next = slots.count
        pop(to: entry)
    }

    private mutating func openBrackets(_ bytes: Bytes, _ i: Int) -> Int {
        let end = Self.runEnd(bytes, i)
        var at = i + (end - i) % 2
        while at < end {
            push(.link, at)
            at += 2
        }
        return end
    }

    private mutating func closeBrackets(_ bytes: Bytes, _ i: Int, _ prefixes: TitlePrefixes) -> Int {
        let end = Self.runEnd(bytes, i)
        var at = i
        while end - at >= 2, stack.count > base, let top = stack.last, top.kind == .link {
            close(stack.count - 1, end: at + 2)
            at += 2
            if stack.count > base, let outer = stack.last, outer.kind == .link,
                !Self.isFile(bytes, top.begin + 2, prefixes)
            {
                slots[outer.slot].detail = 1
            }
        }
        return end
    }

    private static func isFile(_ bytes: Bytes, _ start: Int, _ prefixes: TitlePrefixes) -> Bool {
        let head = Bytes(rebasing: bytes[start..<min(bytes.count, start + 64)])
        guard case .namespace(let id)? = prefixes.meaning(of: head) else { return false }
        return id == 6 || id == -2
    }

    private mutating func tag(_ bytes: Bytes, _ i: Int, _ limit: Int, _ prefixes: TitlePrefixes) -> Int {
        if let tag = WikitextTag.opaque(bytes, at: i) {
            let close = tag.isSelfClosed ? (tag.end, tag.end) : finder.close(of: tag.kind, in: bytes, from: tag.end)
            guard let (contentEnd, end) = close, end <= limit else { return min(tag.end, limit) }
            let index = slots.count
            slots.append(BracketSlot(begin: i, end: end, next: index + 1, kind: .tag, detail: tagContents.count))
            tagContents.append(TagContent(kind: tag.kind, content: tag.end..<contentEnd))
            if tag.kind.holdsLinks {
                scanContent(bytes, tag.end..<contentEnd, prefixes)
                slots[index].next = slots.count
            }
            return end
        }
        let isClosing = i + 1 < bytes.count && bytes[i + 1] == Byte.slash
        let name = WikitextTag.nameRange(bytes, from: isClosing ? i + 2 : i + 1)
        if WikitextTag.matches(bytes, name, Self.tableName), let end = WikitextTag.tagEnd(bytes, from: name.upperBound)
        {
            if isClosing { _ = closeTable(.htmlTable, end: end) } else { push(.htmlTable, i) }
            return end
        }
        return i + 1
    }

    private static let tableName = Array("table".utf8)
}
