// Internal links: what their prefix means, what they show, the letters that join them, and the span they leave.

extension WikitextRenderer {
    private enum LinkClass {
        /// Files, categories, language links: nothing is shown.
        case dropped
        /// Shown, but no link of this wiki: other sites, broken targets, links around links.
        case textOnly
        case link
    }

    /// Writes the link in slot `index`. Returns the index in the source after it and its trail.
    mutating func renderLink(_ index: Int, _ to: Int, isBlock: Bool, depth: Int) -> Int {
        let slot = slots[index]
        let inner = (slot.begin + 2)..<(slot.end - 2)
        let bar = firstTopLevel(Byte.pipe, in: inner, slot: index + 1)
        var target = trimmed(inner.lowerBound..<(bar ?? inner.upperBound))
        let isForced = !target.isEmpty && source[target.lowerBound] == Byte.colon
        if isForced { target = trimmed((target.lowerBound + 1)..<target.upperBound) }
        var label = trimmed((bar ?? inner.upperBound - 1) + 1..<inner.upperBound)

        switch classify(target, isForced: isForced, holdsLink: slot.detail == 1) {
        case .dropped:
            writer.gap()
            return slot.end
        case .textOnly:
            render(
                from: label.isEmpty ? target.lowerBound : label.lowerBound,
                to: label.isEmpty ? target.upperBound : label.upperBound, slot: index + 1, isBlock: isBlock,
                depth: depth)
            return slot.end
        case .link: break
        }
        if hasBlankLine(label, slot: index + 1) {
            // Nobody labels a link with paragraphs: its brackets belong to two broken links.
            render(from: target.lowerBound, to: target.upperBound, slot: index + 1, isBlock: isBlock, depth: depth)
            writer.space()
            render(from: label.lowerBound, to: label.upperBound, slot: index + 1, isBlock: isBlock, depth: depth)
            return slot.end
        }
        if label.isEmpty { label = bar == nil ? target : withoutQualifier(target) }
        let opens = !writer.isLinkOpen
        if opens { writer.beginLink() }
        writer.beginInline()
        render(from: label.lowerBound, to: label.upperBound, slot: index + 1, isBlock: false, depth: depth)
        let end = trail(slot.end, to)
        if end > slot.end { writer.append(Bytes(rebasing: source[slot.end..<end])) }
        writer.endInline()
        if opens {
            let bytes = source[target]
            if bytes.contains(Byte.ampersand) {
                writer.endLink(target: decoded(target))
            } else {
                writer.endLink(target: bytes)
            }
        }
        return end
    }

    private func classify(_ target: Range<Int>, isForced: Bool, holdsLink: Bool) -> LinkClass {
        guard !target.isEmpty, target.count <= 1024 else { return .textOnly }
        let title = Array(source[target])
        if let (meaning, _) = prefixes.meaning(of: title[...]) {
            switch meaning {
            case .namespace(6), .namespace(-2), .namespace(14): return isForced ? .textOnly : .dropped
            case .language: return isForced ? .textOnly : .dropped
            case .interwiki: return .textOnly
            case .namespace(-1): return .textOnly
            case .namespace: break
            }
        }
        if title.contains(Byte.colon), Self.fileSuffixes.contains(where: { Self.ends(title, $0) }) {
            // A file under a name of its namespace that neither the dump nor this room knows.
            return isForced ? .textOnly : .dropped
        }
        if holdsLink { return .textOnly }
        let isBroken = title.contains {
            $0 < 32 || $0 == Byte.less || $0 == Byte.greater || $0 == Byte.openBrace || $0 == Byte.closeBrace
                || $0 == Byte.openBracket || $0 == Byte.closeBracket
        }
        return isBroken ? .textOnly : .link
    }

    private static let fileSuffixes: [[UInt8]] = [
        ".jpg", ".jpeg", ".png", ".svg", ".gif", ".tif", ".tiff", ".webp", ".ogg", ".oga", ".ogv", ".webm", ".mid",
        ".pdf",
        ".djvu", ".wav", ".mp3", ".flac", ".xcf", ".bmp",
    ].map { Array($0.utf8) }

    private static func ends(_ title: [UInt8], _ suffix: [UInt8]) -> Bool {
        guard title.count > suffix.count else { return false }
        return zip(title.suffix(suffix.count), suffix).allSatisfy { Byte.lower($0) == $1 }
    }

    /// The first `byte` in the range that lies in no matched bracket.
    func firstTopLevel(_ byte: UInt8, in range: Range<Int>, slot: Int) -> Int? {
        var i = range.lowerBound
        var slot = slot
        while i < range.upperBound {
            if source[i] == byte { return i }
            if let found = matchedSlot(at: i, &slot) {
                i = slots[found].end
                slot = slots[found].next
            } else {
                i += 1
            }
        }
        return nil
    }

    private func hasBlankLine(_ range: Range<Int>, slot: Int) -> Bool {
        var i = range.lowerBound
        var slot = slot
        while i + 1 < range.upperBound {
            if source[i] == Byte.lf, source[i + 1] == Byte.lf { return true }
            if let found = matchedSlot(at: i, &slot) {
                i = slots[found].end
                slot = slots[found].next
            } else {
                i += 1
            }
        }
        return false
    }

    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, Byte.isSpace(source[low]) { low += 1 }
        while high > low, Byte.isSpace(source[high - 1]) { high -= 1 }
        return low..<high
    }

    /// `[[Mercury (planet)|]]` shows `Mercury`, as the pipe trick would have saved it.
    private func withoutQualifier(_ target: Range<Int>) -> Range<Int> {
        guard source[target.upperBound - 1] == Byte.closeParen,
            let open = source[target].lastIndex(of: Byte.openParen), open > target.lowerBound
        else { return target }
        return trimmed(target.lowerBound..<open)
    }

    /// After the lower-case letters that follow a link and belong to its word: `[[tree]]s`, `[[дерево]]м`.
    private func trail(_ start: Int, _ to: Int) -> Int {
        var i = start
        while i < to {
            let b = source[i]
            if b < 0x80 {
                guard b &- 0x61 < 26 else { break }
                i += 1
            } else {
                guard case .scalar(let n) = UTF8Repair.head(source, i), i + n <= to,
                    let scalar = String(decoding: source[i..<(i + n)], as: UTF8.self).unicodeScalars.first,
                    scalar.properties.generalCategory == .lowercaseLetter
                else { break }
                i += n
            }
        }
        return i
    }
}
