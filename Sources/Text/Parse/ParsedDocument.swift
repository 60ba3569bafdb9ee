// ParsedDocument: what every reader makes of one page, article or file: plain text with blocks and link spans.

/// What a block of text is; raw values are those stored in a `documents` artifact.
package enum TextBlockKind: UInt8, Sendable, CaseIterable {
    case paragraph = 0, heading = 1, listItem = 2, table = 3, caption = 4, code = 5
}

/// One document. A reader refills the same value for each, so copy what must outlive the callback.
///
/// `text` is valid UTF-8. Blocks are joined by one line feed; a block begins and ends with a visible character and
/// holds a line feed itself only if its kind is `code`.
///
/// Links are of two kinds. Those with a place have a span: sorted, disjoint or equal (a citation of several works at
/// once), not empty, inside one block. Those without a place (from markup whose text is not kept: a template, a table, a
/// reference list) belong to the whole document; both ends are `placeless`, and they come after all others, so that ends
/// ascend.
package struct ParsedDocument: Sendable, Equatable {
    /// Both ends of a link that has no place in the text; the value a `links` artifact has for it, too.
    package static let placeless = UInt32.max

    /// Page id, file name: unique in its corpus.
    package var sourceID = ""
    package var title = ""
    package var text: [UInt8] = []
    package var blockBegin: [UInt32] = []
    /// `TextBlockKind` raw values.
    package var blockKind: [UInt8] = []
    /// Byte range of the anchor in `text`.
    package var linkBegin: [UInt32] = []
    package var linkEnd: [UInt32] = []
    /// Targets as written, trimmed; entities decoded, sections (`Title#Section`) kept.
    package var linkTarget = ByteStrings()
    /// Other identities, each `scheme:value`.
    package var aliases: [String] = []
    /// Where the document begins in the unpacked input stream.
    package var sourceOffset: UInt64 = 0

    package init() {}

    package var blockCount: Int { blockBegin.count }
    package var linkCount: Int { linkBegin.count }
    package var string: String { String(decoding: text, as: UTF8.self) }

    /// Byte range of a block in `text`, without the line feed that joins it to the next.
    package func block(_ i: Int) -> Range<Int> {
        Int(blockBegin[i])..<(i + 1 < blockBegin.count ? Int(blockBegin[i + 1]) - 1 : text.count)
    }

    /// The linked words; empty for a link without a place.
    package func anchor(_ i: Int) -> String {
        hasPlace(i) ? String(decoding: text[Int(linkBegin[i])..<Int(linkEnd[i])], as: UTF8.self) : ""
    }

    package func hasPlace(_ link: Int) -> Bool { linkBegin[link] != Self.placeless }

    /// Appends a link of the whole document. Links with a place must not be appended after it.
    package mutating func appendPlacelessLink(_ target: some Collection<UInt8>) {
        linkBegin.append(Self.placeless)
        linkEnd.append(Self.placeless)
        linkTarget.append(target)
    }

    /// Empties everything and keeps the memory.
    package mutating func removeAll() {
        sourceID = ""
        title = ""
        text.removeAll(keepingCapacity: true)
        blockBegin.removeAll(keepingCapacity: true)
        blockKind.removeAll(keepingCapacity: true)
        linkBegin.removeAll(keepingCapacity: true)
        linkEnd.removeAll(keepingCapacity: true)
        linkTarget.removeAll()
        aliases.removeAll(keepingCapacity: true)
        sourceOffset = 0
    }

    /// Removes the blocks for which `isDropped` holds, with the links placed in them, and joins the rest; links without
    /// a place stay.
    /// - Returns: how many blocks went. Complexity: O(text).
    @discardableResult
    package mutating func removeBlocks(where isDropped: (Int) throws -> Bool) rethrows -> Int {
        let dropped = try (0..<blockCount).map(isDropped)
        let count = dropped.count { $0 }
        guard count > 0 else { return 0 }
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        var begins: [UInt32] = []
        var kinds: [UInt8] = []
        var keptLinks: [Bool] = Array(repeating: false, count: linkCount)
        var link = 0
        for i in 0..<blockCount {
            let range = block(i)
            if !dropped[i] {
                if !begins.isEmpty { kept.append(Byte.lf) }
                begins.append(UInt32(kept.count))
                kinds.append(blockKind[i])
            }
            while link < linkCount, Int(linkBegin[link]) < range.upperBound {
                if !dropped[i] {
                    keptLinks[link] = true
                    let begin = kept.count + Int(linkBegin[link]) - range.lowerBound
                    let length = linkEnd[link] - linkBegin[link]
                    linkBegin[link] = UInt32(begin)
                    linkEnd[link] = UInt32(begin) + length
                }
                link += 1
            }
            if !dropped[i] { kept.append(contentsOf: text[range]) }
        }
        for i in link..<linkCount { keptLinks[i] = true }
        text = kept
        blockBegin = begins
        blockKind = kinds
        linkTarget.filter { keptLinks[$0] }
        var n = 0
        for i in keptLinks.indices where keptLinks[i] {
            linkBegin[n] = linkBegin[i]
            linkEnd[n] = linkEnd[i]
            n += 1
        }
        linkBegin.removeLast(linkBegin.count - n)
        linkEnd.removeLast(linkEnd.count - n)
        return count
    }
}
