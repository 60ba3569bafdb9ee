// Tables: dropped, or, if asked for, one block of kind `table` a row, cells joined by " | ".

extension WikitextRenderer {
    mutating func renderTable(_ index: Int, depth: Int) {
        let slot = slots[index]
        guard options.tables else {
            writer.breakBlock()
            return writer.gap()
        }
        writer.breakBlock()
        if slot.kind == .table {
            wikiTable((slot.begin + 2)..<max(slot.begin + 2, slot.end - 2), slot: index + 1, depth: depth)
        } else {
            let start = WikitextTag.tagEnd(source, from: slot.begin + 6) ?? slot.end
            let end = source[..<slot.end].lastIndex(of: Byte.less) ?? slot.end
            render(from: start, to: max(start, end), slot: index + 1, isBlock: true, depth: depth)
        }
        writer.breakBlock()
    }

    /// Goes through the lines outside nested brackets: `|-` ends a row, `|` and `!` begin cells, other lines go on.
    private mutating func wikiTable(_ range: Range<Int>, slot: Int, depth: Int) {
        // The first line holds the table's attributes.
        var i = firstTopLevel(Byte.lf, in: range, slot: slot).map { $0 + 1 } ?? range.upperBound
        var cursor = slot
        var hasCell = false
        while i < range.upperBound {
            let lineEnd = firstTopLevel(Byte.lf, in: i..<range.upperBound, slot: cursor) ?? range.upperBound
            let line = trimmed(i..<lineEnd)
            i = lineEnd + 1
            while cursor < slots.count, slots[cursor].begin < line.lowerBound { cursor += 1 }
            guard let first = line.first.map({ source[$0] }) else { continue }
            let second = line.count > 1 ? source[line.lowerBound + 1] : 0
            if first == Byte.pipe, second == Byte.dash || second == Byte.closeBrace {
                writer.breakBlock()
                hasCell = false
            } else if first == Byte.pipe, second == Byte.plus {
                writer.breakBlock()
                writer.setKind(.caption)
                cell((line.lowerBound + 2)..<line.upperBound, slot: cursor, depth: depth)
                writer.breakBlock()
                hasCell = false
            } else if first == Byte.pipe || first == Byte.bang {
                cells((line.lowerBound + 1)..<line.upperBound, first, &hasCell, slot: cursor, depth: depth)
            } else {
                cell(line, slot: cursor, depth: depth)
            }
        }
    }

    /// The cells of one line, parted by `||` (in heads also `!!`).
    private mutating func cells(_ line: Range<Int>, _ mark: UInt8, _ hasCell: inout Bool, slot: Int, depth: Int) {
        var start = line.lowerBound
        var i = start
        var cursor = slot
        var startCursor = slot
        while i <= line.upperBound {
            let isEnd = i == line.upperBound
            let isMark =
                !isEnd && i + 1 < line.upperBound && source[i] == source[i + 1]
                && (source[i] == Byte.pipe || (mark == Byte.bang && source[i] == Byte.bang))
            if isEnd || isMark {
                if !hasCell { writer.setKind(.table) }
                if hasCell, writer.lastByte != nil {
                    writer.space()
                    writer.append(Byte.pipe)
                    writer.space()
                }
                cell(start..<i, slot: startCursor, depth: depth)
                hasCell = true
                i += isEnd ? 1 : 2
                (start, startCursor) = (i, cursor)
            } else if let found = matchedSlot(at: i, &cursor) {
                i = min(slots[found].end, line.upperBound)
                cursor = slots[found].next
            } else {
                i += 1
            }
        }
    }

    /// One cell or a line of one, without attributes (`style="…" |`).
    private mutating func cell(_ range: Range<Int>, slot: Int, depth: Int) {
        let bar = firstTopLevel(Byte.pipe, in: range, slot: slot)
        writer.space()
        writer.beginInline()
        render(
            from: bar.map { $0 + 1 } ?? range.lowerBound, to: range.upperBound, slot: slot, isBlock: false, depth: depth
        )
        writer.endInline()
    }
}
