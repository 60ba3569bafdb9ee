// Inline markup: quotes, entities, external links, HTML tags, magic words, odd spaces, and what unmatched brackets leave.

extension WikitextRenderer {
    /// Handles whatever stands at `i` that is no space and no matched bracket. Returns where to go on; always after `i`.
    mutating func inline(_ i: Int, _ to: Int, _ line: inout Line) -> Int {
        let b = source[i]
        switch b {
        case Byte.quote: return quotes(i, to, &line)
        case Byte.ampersand: return entity(i, to)
        case Byte.less: return htmlTag(i, to)
        case Byte.openBracket: return openBracket(i, to, &line)
        case Byte.closeBracket:
            let end = runEnd(i, to)
            if line.isExternal {
                line.isExternal = false
                return i + 1
            }
            if end - i == 1 { writer.append(b) } else { writer.gap() }
            return end
        case Byte.openBrace, Byte.closeBrace:
            let end = runEnd(i, to)
            if end - i == 1 { writer.append(b) } else { writer.gap() }
            return end
        case Byte.underscore: return magicWord(i, to)
        case Byte.tilde:
            let end = runEnd(i, to)
            if end - i >= 3 { writer.gap() } else { writer.append(Bytes(rebasing: source[i..<end])) }
            return end
        case 0xC2, 0xE2, 0xE3, 0xEF: return wideByte(i, to)
        case Byte.pipe:
            writer.append(b)
            return i + 1
        case 0..<32, 0x7F: return i + 1
        default: return copyRun(i, to)
        }
    }

    private func runEnd(_ i: Int, _ to: Int) -> Int {
        var j = i + 1
        while j < to, source[j] == source[i] { j += 1 }
        return j
    }

    // MARK: quotes

    /// `''` italics, `'''` bold, `'''''` both; of four the first is an apostrophe, of more than five all but five.
    private mutating func quotes(_ i: Int, _ to: Int, _ line: inout Line) -> Int {
        let end = runEnd(i, to)
        if i >= line.quotesKnownTo { scanQuotes(i, to, &line) }
        let count = end - i
        var literal = count == 1 ? 1 : count == 4 ? 1 : max(0, count - 5)
        if i == line.literalQuote { literal += 1 }
        for _ in 0..<literal { writer.append(Byte.quote) }
        return end
    }

    /// MediaWiki's rule for a line with odd numbers of both bold and italic marks: one `'''` is an apostrophe and
    /// italics, first choice after a one-letter word (`l'''amour''`), then after a longer one, then after a space.
    private func scanQuotes(_ start: Int, _ to: Int, _ line: inout Line) {
        var bold = 0, italic = 0
        var choices = [-1, -1, -1]
        var i = start
        while i < to, source[i] != Byte.lf {
            guard source[i] == Byte.quote else {
                i += 1
                continue
            }
            let end = runEnd(i, to)
            switch end - i {
            case 1: break
            case 2: italic += 1
            case 3, 4:
                bold += 1
                let before = i > 0 ? source[i - 1] : Byte.space
                let second = i > 1 ? source[i - 2] : Byte.space
                let choice = before == Byte.space ? 2 : second == Byte.space ? 0 : 1
                if choices[choice] < 0, end - i == 3 { choices[choice] = i }
            default:
                bold += 1
                italic += 1
            }
            i = end
        }
        line.quotesKnownTo = i
        line.literalQuote = bold % 2 == 1 && italic % 2 == 1 ? choices.first { $0 >= 0 } ?? -1 : -1
    }

    // MARK: entities and odd characters

    private mutating func entity(_ i: Int, _ to: Int) -> Int {
        guard let (scalar, end) = HTMLEntities.decode(source, at: i, limit: to) else {
            writer.append(Byte.ampersand)
            return i + 1
        }
        append(scalar)
        return end
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        if isVisible(scalar.value) { writer.append(scalar: scalar) }
    }

    /// Spaces of all widths become a space; marks that show nothing go.
    private mutating func isVisible(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0...32, 0x80...0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: writer.space()
        case 0x7F, 0xAD, 0x200B, 0x200E, 0x200F, 0x202A...0x202E, 0x2060, 0xFEFF: break
        default: return true
        }
        return false
    }

    private mutating func wideByte(_ i: Int, _ to: Int) -> Int {
        guard case .scalar(let n) = UTF8Repair.head(source, i), i + n <= to else { return i + 1 }
        var value = UInt32(source[i]) & (n == 2 ? 0x1F : 0x0F)
        for k in 1..<n { value = value << 6 | UInt32(source[i + k] & 0x3F) }
        if isVisible(value) { writer.append(Bytes(rebasing: source[i..<(i + n)])) }
        return i + n
    }

    /// Literal text: entities decoded, white space as usual, nothing else means anything.
    mutating func appendLiteral(_ range: Range<Int>) {
        var i = range.lowerBound
        while i < range.upperBound {
            let b = source[i]
            if b == Byte.ampersand {
                i = entity(i, range.upperBound)
            } else if Byte.isSpace(b) {
                writer.space()
                i += 1
            } else if Self.plain(b) {
                i = copyRun(i, range.upperBound)
            } else if b == 0xC2 || b == 0xE2 || b == 0xE3 || b == 0xEF {
                i = wideByte(i, range.upperBound)
            } else {
                if b > 32, b != 0x7F { writer.append(b) }
                i += 1
            }
        }
    }

    /// Bytes of a range with entities decoded and nothing else changed.
    func decoded(_ range: Range<Int>) -> [UInt8] {
        var out: [UInt8] = []
        var i = range.lowerBound
        while i < range.upperBound {
            if source[i] == Byte.ampersand,
                let (scalar, end) = HTMLEntities.decode(source, at: i, limit: range.upperBound)
            {
                out.append(scalar: scalar)
                i = end
            } else {
                out.append(source[i])
                i += 1
            }
        }
        return out
    }

    // MARK: external links, magic words

    private static let schemes: [[UInt8]] = [
        "http://", "https://", "//", "ftp://", "ftps://", "mailto:", "news:", "irc://", "ircs://", "gopher://",
        "telnet://", "nntp://", "git://", "svn://", "ssh://", "sftp://", "tel:", "urn:", "magnet:", "geo:",
    ].map { Array($0.utf8) }

    private mutating func openBracket(_ i: Int, _ to: Int, _ line: inout Line) -> Int {
        if i + 1 < to, source[i + 1] == Byte.openBracket {
            writer.gap()
            return i + 2
        }
        let isURL = Self.schemes.contains { scheme in
            i + scheme.count < to && (0..<scheme.count).allSatisfy { Byte.lower(source[i + 1 + $0]) == scheme[$0] }
        }
        guard isURL else {
            writer.append(Byte.openBracket)
            return i + 1
        }
        // The address ends at a space, bracket or tag; matched templates in it are part of it, as in `[http://x/{{y}} z]`.
        var j = i + 1
        while j < to, !Byte.isSpace(source[j]), source[j] != Byte.closeBracket, source[j] != Byte.less,
            source[j] != Byte.openBrace, source[j] != Byte.openBracket
        { j += 1 }
        writer.gap()
        if j < to, source[j] == Byte.closeBracket { return j + 1 }
        line.isExternal = true
        return j
    }

    /// `__NOTOC__` and its like, in any script: capital letters or other non-ASCII between two pairs of underscores.
    private mutating func magicWord(_ i: Int, _ to: Int) -> Int {
        if i + 4 < to, source[i + 1] == Byte.underscore {
            var j = i + 2
            while j < to, j - i < 64, source[j] != Byte.underscore || (j + 1 < to && source[j + 1] != Byte.underscore),
                source[j] >= 0x80 || source[j] &- 0x41 < 26 || source[j] == Byte.underscore
            { j += 1 }
            if j > i + 3, j + 1 < to, source[j] == Byte.underscore, source[j + 1] == Byte.underscore {
                writer.gap()
                return j + 2
            }
        }
        let end = runEnd(i, to)
        writer.append(Bytes(rebasing: source[i..<end]))
        return end
    }

    // MARK: HTML

    private mutating func htmlTag(_ i: Int, _ to: Int) -> Int {
        let isClosing = i + 1 < to && source[i + 1] == Byte.slash
        let name = WikitextTag.nameRange(source, from: isClosing ? i + 2 : i + 1)
        // An opaque tag comes here only if nothing closes it, or if it closes nothing: then the tag alone goes.
        let isKnown = OpaqueTag.named(source, name) != nil
        let effect = HTMLTagEffect.of(source, name) ?? (isKnown ? HTMLTagEffect.none : nil)
        guard let effect, name.upperBound < to, let end = WikitextTag.tagEnd(source, from: name.upperBound), end <= to
        else {
            writer.append(Byte.less)
            return i + 1
        }
        switch effect {
        case .none: break
        case .space: writer.space()
        case .superscript:
            // 10<sup>6</sup> must not read 106.
            if !isClosing, let last = writer.lastByte, Byte.isDigit(last), end < to, source[end] != Byte.openBracket,
                source[end] != Byte.less, source[end] != Byte.openBrace
            {
                writer.append(UInt8(ascii: "^"))
            }
        case .block: writer.breakBlock()
        case .listItem:
            writer.breakBlock()
            if !isClosing { writer.setKind(.listItem) }
        case .heading:
            writer.breakBlock()
            if !isClosing { writer.setKind(.heading, level: Int(source[name.upperBound - 1] & 7)) }
        case .cell:
            writer.breakBlock()
            if !isClosing, options.tables { writer.setKind(.table) }
        }
        return end
    }
}
