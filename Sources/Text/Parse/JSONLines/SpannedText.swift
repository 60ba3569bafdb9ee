// SpannedText: a text whose links are given by byte ranges, made into the blocks and spans of a document.

/// A text as somebody wrote it, with links. Reused between documents.
package struct SpannedText: Sendable {
    /// A link with its bytes in the text; both ends `ParsedDocument.placeless` if it has no place.
    package struct Link: Sendable, Equatable {
        package var begin, end: UInt32
        /// Where in its line it was read, for messages.
        package var column: Int

        package init(begin: UInt32, end: UInt32, column: Int = 0) {
            (self.begin, self.end, self.column) = (begin, end, column)
        }

        package var hasPlace: Bool { begin != ParsedDocument.placeless }
    }

    /// What became of links whose place a document cannot hold: they stay, as links of the whole document.
    package struct Changes: Sendable, Equatable {
        /// Spans that began before one that stood earlier in the list, and were put in order.
        package var reordered = 0
        /// Lost their place because they overlap another link that begins before them, or as early and ends later.
        package var overlapping = 0
        /// Lost their place because they reach over a line feed, or hold nothing but spaces.
        package var acrossBlocks = 0

        package init() {}

        package static func += (a: inout Changes, b: Changes) {
            a.reordered += b.reordered
            a.overlapping += b.overlapping
            a.acrossBlocks += b.acrossBlocks
        }
    }

    /// Valid UTF-8.
    package var bytes: [UInt8] = []
    package private(set) var links: [Link] = []
    package private(set) var target = ByteStrings()

    /// A line of `bytes` without spaces at its ends, and where it stands in the document.
    private struct Line {
        var range: Range<Int>
        var begin: Int
    }
    private var lines: [Line] = []
    private var order: [Int] = []

    package init() {}

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        target.removeAll()
    }

    package mutating func addLink(_ link: Link, target: some Collection<UInt8>) {
        links.append(link)
        self.target.append(target)
    }

    /// The first link whose bytes are none of the text's.
    package var firstProblem: LineProblem? {
        func isInside(_ i: UInt32) -> Bool { Int(i) < bytes.count && bytes[Int(i)] & 0xC0 == 0x80 }
        for link in links where link.hasPlace {
            let reason: LineProblem.Reason? =
                link.begin >= link.end
                ? .emptyLink
                : Int(link.end) > bytes.count
                    ? .linkOutOfBounds : isInside(link.begin) || isInside(link.end) ? .linkSplitsCharacter : nil
            if let reason { return LineProblem(reason: reason, column: link.column) }
        }
        return nil
    }

    // MARK: blocks

    /// Appends text, blocks and links to an empty document. Every line that is not blank is a paragraph; control
    /// characters become spaces. Links must have passed `firstProblem`. Complexity: O(text + links · log links).
    package mutating func build(into document: inout ParsedDocument) -> Changes {
        cutLines()
        for i in lines.indices {
            if i > 0 { document.text.append(Byte.lf) }
            lines[i].begin = document.text.count
            document.blockBegin.append(UInt32(document.text.count))
            document.blockKind.append(TextBlockKind.paragraph.rawValue)
            document.text.append(contentsOf: bytes[lines[i].range])
        }
        return links.isEmpty ? Changes() : placeLinks(into: &document)
    }

    private mutating func cutLines() {
        lines.removeAll(keepingCapacity: true)
        var start = 0
        var at = nextControl(from: 0)
        while true {
            let isEnd = at == bytes.count
            if isEnd || bytes[at] == Byte.lf || bytes[at] == Byte.cr {
                var range = start..<at
                while let last = range.last, bytes[last] == Byte.space { range.removeLast() }
                while let first = range.first, bytes[first] == Byte.space { range.removeFirst() }
                if !range.isEmpty { lines.append(Line(range: range, begin: 0)) }
                if isEnd { return }
                start = at + 1
            } else {
                bytes[at] = Byte.space
            }
            at = nextControl(from: at + 1)
        }
    }

    /// Position of the next byte below 0x20 or of 0x7F; eight bytes a step.
    private func nextControl(from start: Int) -> Int {
        bytes.withUnsafeBytes { raw in
            let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
            var i = start
            while i + 8 <= raw.count {
                let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
                let delete = word ^ (ones &* 0x7F)
                let hits = ((word &- ones &* 0x20) & ~word | (delete &- ones) & ~delete) & highs
                if hits != 0 { return i + hits.trailingZeroBitCount / 8 }
                i += 8
            }
            while i < raw.count, raw[i] >= 0x20, raw[i] != 0x7F { i += 1 }
            return i
        }
    }

    // MARK: links

    private mutating func placeLinks(into document: inout ParsedDocument) -> Changes {
        var changes = Changes()
        order.removeAll(keepingCapacity: true)
        var (last, isSorted): (UInt32, Bool) = (0, true)
        for (i, link) in links.enumerated() where link.hasPlace {
            if link.begin < last { changes.reordered += 1 }
            // Equal beginnings, too: the longest comes first.
            if link.begin <= last, !order.isEmpty { isSorted = false }
            last = max(last, link.begin)
            order.append(i)
        }
        if !isSorted {
            order.sort { (links[$0].begin, links[$1].end, $0) < (links[$1].begin, links[$0].end, $1) }
        }
        var line = 0
        var taken = 0
        for i in order {
            guard let span = span(of: links[i], from: &line) else {
                changes.acrossBlocks += 1
                links[i].begin = ParsedDocument.placeless
                continue
            }
            guard span.lowerBound >= taken else {
                changes.overlapping += 1
                links[i].begin = ParsedDocument.placeless
                continue
            }
            taken = span.upperBound
            document.linkBegin.append(UInt32(span.lowerBound))
            document.linkEnd.append(UInt32(span.upperBound))
            document.linkTarget.append(target[i])
        }
        for i in links.indices where !links[i].hasPlace { document.appendPlacelessLink(target[i]) }
        return changes
    }

    /// Where the link stands in the document, without spaces at its ends; nil if no single line holds it.
    /// - Parameter line: the line before which no further link begins.
    private func span(of link: Link, from line: inout Int) -> Range<Int>? {
        var range = Int(link.begin)..<Int(link.end)
        while let first = range.first, isBlank(bytes[first]) { range.removeFirst() }
        while let last = range.last, isBlank(bytes[last]) { range.removeLast() }
        if range.isEmpty { return nil }
        while line < lines.count, lines[line].range.upperBound <= range.lowerBound { line += 1 }
        guard line < lines.count, lines[line].range.upperBound >= range.upperBound else { return nil }
        let shift = lines[line].begin - lines[line].range.lowerBound
        return range.lowerBound + shift..<range.upperBound + shift
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte <= Byte.space }
}
