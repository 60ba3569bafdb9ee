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
            isPlaced[index] =
                source[target].contains(Byte.ampersand)
                ? writer.endLink(target: decoded(target)) : writer.endLink(target: source[target])
        }
        return end
    }

    /// Adds the links that have no place in the text: in templates, tables, references, captions, and those that show
    /// nothing. Complexity: O(slots + bytes of link targets).
    mutating func addHiddenLinks() {
        for index in slots.indices where slots[index].kind == .link && slots[index].end > 0 && !isPlaced[index] {
            let slot = slots[index]
            let inner = (slot.begin + 2)..<(slot.end - 2)
            // Longer targets are no titles.
            let head = inner.lowerBound..<min(inner.upperBound, inner.lowerBound + Self.longestTarget + 1)
            let bar = firstTopLevel(Byte.pipe, in: head, slot: index + 1)
            var target = trimmed(inner.lowerBound..<(bar ?? inner.upperBound))
            let isForced = !target.isEmpty && source[target.lowerBound] == Byte.colon
            if isForced { target = trimmed((target.lowerBound + 1)..<target.upperBound) }
            guard case .link = classify(target, isForced: isForced, holdsLink: slot.detail == 1) else { continue }
            writer.document.appendPlacelessLink(decoded(target))
        }
    }

    private static let longestTarget = 1024

    private func classify(_ target: Range<Int>, isForced: Bool, holdsLink: Bool) -> LinkClass {
        guard !target.isEmpty, target.count <= Self.longestTarget else { return .textOnly }
        let title = Bytes(rebasing: source[target])
        switch prefixes.meaning(of: title) {
        case .namespace(6), .namespace(-2), .namespace(14), .language: return isForced ? .textOnly : .dropped
        case .interwiki, .namespace(-1): return .textOnly
        case .namespace, nil: break
        }
        if title.contains(Byte.colon), Self.fileSuffixes.contains(where: { Self.ends(title, $0) }) {
            // A file under a name of its namespace that neither the dump nor this room knows.
            return isForced ? .textOnly : .dropped
        }
        if holdsLink { return .textOnly }
        return title.contains(where: Self.breaksTitle) ? .textOnly : .link
    }

    /// Bytes that no title has.
    private static func breaksTitle(_ b: UInt8) -> Bool {
        switch b {
        case 0..<32, Byte.less, Byte.greater, Byte.openBrace, Byte.closeBrace, Byte.openBracket, Byte.closeBracket: true
        default: false
        }
    }

    private static let fileSuffixes: [[UInt8]] = [
        ".jpg", ".jpeg", ".png", ".svg", ".gif", ".tif", ".tiff", ".webp", ".ogg", ".oga", ".ogv", ".webm", ".mid",
        ".pdf",
        ".djvu", ".wav", ".mp3", ".flac", ".xcf", ".bmp",
    ].map { Array($0.utf8) }

    private static func ends(_ title: Bytes, _ suffix: [UInt8]) -> Bool {
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
