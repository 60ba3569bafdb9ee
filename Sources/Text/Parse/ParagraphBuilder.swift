// ParagraphBuilder: lines to blocks. Finds the width a text was wrapped at, and joins only the lines that wrapping cut.

/// Works on one document at a time; keeps its line table between them.
struct ParagraphBuilder {
    private struct Line {
        /// Trimmed.
        var range: Range<Int>
        var indent = 0
        /// Up to the last visible character, in code points, indentation included.
        var columns = 0
        var firstWord = 0
        /// Columns from the line's indentation to the text after a list mark; 0 if the line has none.
        var mark = 0
        /// A mark that may as well be a word of running text: `-`, `o`, `12.`
        var isWeakMark = false
        /// Parts of it stand apart by three or more spaces: a row of a table.
        var isRow = false
        var isBlank = false
        /// A `drop` rule begins here.
        var isRule = false
    }

    private var lines: [Line] = []
    private var votes: [Int] = []

    /// Longer lines than this are no hard-wrapped prose.
    private static let widestWrap = 200

    mutating func build(_ bytes: Bytes, comment: [UInt8], drop: DropRules, into document: inout ParsedDocument) {
        scan(bytes, comment, drop)
        let width = wrapWidth()
        var open: (indent: Int, mark: Int, lines: Int)?
        for k in lines.indices {
            let line = lines[k]
            if line.isBlank {
                open = nil
                continue
            }
            let previous = k > 0 ? lines[k - 1] : line
            if let current = open, !startsBlock(line, after: previous, current, width) {
                document.text.append(Byte.space)
                appendWords(bytes, line.range, &document.text)
                open?.lines += 1
                if current.lines == 1, current.mark == 0 { open?.indent = line.indent }
                continue
            }
            let isItem = line.mark > 0 && !(line.isWeakMark && isProse(line, open == nil ? nil : previous))
            let text = isItem ? trimmed(bytes, (line.range.lowerBound + line.mark)..<line.range.upperBound) : line.range
            guard !text.isEmpty else { continue }
            let isAlone = (k == 0 || previous.isBlank) && (k + 1 == lines.count || lines[k + 1].isBlank)
            let kind: TextBlockKind =
                isItem ? .listItem : line.isRow ? .table : isAlone && isHeading(bytes, line) ? .heading : .paragraph
            if !document.text.isEmpty { document.text.append(Byte.lf) }
            document.blockBegin.append(UInt32(document.text.count))
            document.blockKind.append(kind.rawValue)
            appendWords(bytes, text, &document.text)
            open = line.isRow ? nil : (line.indent, isItem ? line.mark : 0, 1)
        }
    }

    // MARK: lines

    private mutating func scan(_ bytes: Bytes, _ comment: [UInt8], _ drop: DropRules) {
        lines.removeAll(keepingCapacity: true)
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != Byte.lf, bytes[end] != Byte.cr { end += 1 }
            let isCRLF = end + 1 < bytes.count && bytes[end] == Byte.cr && bytes[end + 1] == Byte.lf
            var line = measure(bytes, start, end)
            let text = Bytes(rebasing: bytes[line.range])
            if comment.isEmpty || !text.starts(with: comment) {
                if !line.isBlank { line.isRule = drop.startsParagraph(text) }
                lines.append(line)
            }
            start = end + (isCRLF ? 2 : 1)
        }
    }

    private func measure(_ bytes: Bytes, _ start: Int, _ end: Int) -> Line {
        var line = Line(range: trimmed(bytes, start..<end))
        for i in start..<line.range.lowerBound {
            line.indent = bytes[i] == Byte.tab ? line.indent / 8 * 8 + 8 : line.indent + 1
        }
        var columns = 0, spaces = 0
        var ruleBytes = 0
        for i in line.range {
            let b = bytes[i]
            if b & 0xC0 == 0x80 { continue }
            columns += 1
            if b == Byte.space {
                spaces += 1
                if line.firstWord == 0 { line.firstWord = columns - 1 }
            } else {
                if spaces >= 3 || b == Byte.tab { line.isRow = true }
                spaces = 0
                if b == Byte.underscore || b == Byte.dash || b == Byte.equal || b == Byte.star || b == Byte.tilde {
                    ruleBytes += 1
                }
            }
        }
        if line.firstWord == 0 { line.firstWord = columns }
        line.columns = line.indent + columns
        // A line drawn across the page parts as a blank one does.
        line.isBlank = columns == 0 || (columns >= 3 && ruleBytes == columns)
        (line.mark, line.isWeakMark) = mark(bytes, line.range)
        if line.mark > 0, line.isRow { line.isRow = false }
        return line
    }

    private static let bullets: [[UInt8]] = ["*", "•", "·", "‣", "◦", "▪", "–"].map { Array($0.utf8) }

    private func mark(_ bytes: Bytes, _ range: Range<Int>) -> (length: Int, isWeak: Bool) {
        let text = bytes[range]
        for bullet in Self.bullets where text.starts(with: bullet) {
            let after = range.lowerBound + bullet.count
            if after < range.upperBound, bytes[after] == Byte.space { return (bullet.count + 1, false) }
        }
        guard let first = text.first else { return (0, false) }
        if first == Byte.dash || first == Byte.plus || first == UInt8(ascii: "o") {
            return text.count > 2 && bytes[range.lowerBound + 1] == Byte.space ? (2, true) : (0, false)
        }
        let digits = text.prefix(4).prefix { Byte.isDigit($0) }.count
        let dot = range.lowerBound + digits
        if (1...3).contains(digits), dot + 1 < range.upperBound,
            bytes[dot] == Byte.dot || bytes[dot] == Byte.closeParen,
            bytes[dot + 1] == Byte.space
        {
            return (digits + 2, true)
        }
        return (0, false)
    }

    // MARK: joining

    /// The width the text was wrapped at: for each line, every width under which it would have been broken where it was
    /// votes; the most voted wins if half of the lines agree. `nil`: lines are joined up to a blank one; 0: never.
    private mutating func wrapWidth() -> Int? {
        votes.removeAll(keepingCapacity: true)
        votes.append(contentsOf: repeatElement(0, count: Self.widestWrap + 2))
        var pairs = 0, long = 0
        for k in lines.indices.dropLast() where !lines[k].isBlank {
            if lines[k].columns > Self.widestWrap { long += 1 }
            guard !lines[k + 1].isBlank, !lines[k].isRow, !lines[k + 1].isRow else { continue }
            pairs += 1
            guard lines[k].columns <= Self.widestWrap else { continue }
            votes[lines[k].columns] += 1
            votes[min(Self.widestWrap, lines[k].columns + lines[k + 1].firstWord) + 1] -= 1
        }
        if long * 4 > pairs, long > 0 { return 0 }
        var best = (width: 0, count: 0), sum = 0
        for width in votes.indices {
            sum += votes[width]
            if sum > best.count { best = (width, sum) }
        }
        return best.count * 2 >= pairs && pairs >= 8 ? best.width : nil
    }

    private func startsBlock(
        _ line: Line, after previous: Line, _ open: (indent: Int, mark: Int, lines: Int), _ width: Int?
    ) -> Bool {
        if line.isRow || line.isRule || previous.isRule && fits(line, previous, width ?? 0) { return true }
        if width == 0 { return true }
        if line.mark > 0, !line.isWeakMark || !isProse(line, previous) { return true }
        if open.mark > 0 {
            if line.indent <= open.indent, line.indent < previous.indent || open.lines > 1 { return true }
        } else if line.indent >= open.indent + 2 || (line.indent + 2 <= open.indent && open.lines > 1) {
            return true
        }
        return width.map { fits(line, previous, $0) } ?? false
    }

    /// Whether the next line's first word had room on the line before it: then the line was ended on purpose.
    private func fits(_ line: Line, _ previous: Line, _ width: Int) -> Bool {
        previous.columns + 1 + line.firstWord <= width
    }

    /// Whether a weak mark is rather a word of the paragraph: the line goes on at the indentation of the one before.
    private func isProse(_ line: Line, _ previous: Line?) -> Bool {
        guard let previous, !previous.isBlank else { return false }
        return previous.mark == 0 && line.indent <= previous.indent
    }

    /// A short line alone at the margin that ends like no sentence.
    private func isHeading(_ bytes: Bytes, _ line: Line) -> Bool {
        guard line.indent == 0, line.columns <= 80, let last = line.range.last.map({ bytes[$0] }) else { return false }
        switch last {
        case Byte.dot, Byte.comma, Byte.semicolon, Byte.colon, Byte.bang, UInt8(ascii: "?"), Byte.doubleQuote:
            return false
        default: return true
        }
    }

    // MARK: words

    private func trimmed(_ bytes: Bytes, _ range: Range<Int>) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, bytes[low] <= Byte.space { low += 1 }
        while high > low, bytes[high - 1] <= Byte.space { high -= 1 }
        return low..<high
    }

    /// Words with one space between them; control characters are spaces.
    private func appendWords(_ bytes: Bytes, _ range: Range<Int>, _ out: inout [UInt8]) {
        var start = range.lowerBound
        var i = start
        while i < range.upperBound {
            guard bytes[i] <= Byte.space || bytes[i] == 0x7F else {
                i += 1
                continue
            }
            out.append(contentsOf: bytes[start..<i])
            while i < range.upperBound, bytes[i] <= Byte.space || bytes[i] == 0x7F { i += 1 }
            if i < range.upperBound { out.append(Byte.space) }
            start = i
        }
        out.append(contentsOf: bytes[start..<range.upperBound])
    }
}
