// Wikitext: the markup of one wiki page to clean text with blocks and link spans.
// Three linear passes: comments out, brackets matched (WikitextBrackets), text rendered (WikitextRenderer).

package struct WikitextOptions: Sendable, Equatable {
    /// Keep the text of tables as blocks of kind `table`, one a row.
    package var tables = false

    package init(tables: Bool = false) { self.tables = tables }
}

/// Converts pages of one wiki. Reuse a value for many pages: it keeps its buffers.
///
/// Any bytes are accepted: markup that does not close is treated as a person would read it, and what is left of
/// brackets is removed. Templates without running text, tables (unless asked for), references, galleries and files go;
/// the links inside them stay, without a place. Categories and language links go altogether.
/// - Complexity: O(bytes) for any input; nesting deeper than 40 levels is dropped, brackets of any depth are matched.
package struct Wikitext {
    private let prefixes: TitlePrefixes
    private let options: WikitextOptions
    private var clean: [UInt8] = []
    private var brackets = WikitextBrackets()
    private var writer = WikitextWriter()

    package init(site: SiteInfo, options: WikitextOptions = WikitextOptions()) {
        prefixes = TitlePrefixes(site: site)
        self.options = options
    }

    /// Fills `document`'s text, blocks and links from valid UTF-8; leaves its other fields alone. `{{PAGENAME}}` shows
    /// the title that `document` has.
    package mutating func convert(_ source: [UInt8], into document: inout ParsedDocument) {
        WikitextComments.remove(from: source, into: &clean)
        swap(&writer.document, &document)
        writer.reset()
        clean.withUnsafeBufferPointer { bytes in
            guard bytes.baseAddress != nil else { return }
            brackets.match(bytes, prefixes)
            brackets.slots.withUnsafeBufferPointer { slots in
                var renderer = WikitextRenderer(
                    source: bytes, slots: slots, tagContents: brackets.tagContents, prefixes: prefixes,
                    options: options, writer: writer, isPlaced: brackets.isPlaced)
                // These buffers move to the renderer and back, so that they stay uniquely owned.
                writer = WikitextWriter()
                brackets.isPlaced = []
                renderer.render(from: 0, to: bytes.count, slot: 0, isBlock: true, depth: 0)
                renderer.writer.finish()
                renderer.addHiddenLinks()
                writer = renderer.writer
                brackets.isPlaced = renderer.isPlaced
            }
        }
        swap(&writer.document, &document)
    }
}

/// First pass: `<!-- … -->` out, as MediaWiki does it.
enum WikitextComments {
    /// A comment alone on its line takes the line with it; one without an end takes the rest. Inside `<nowiki>`, `<pre>`
    /// and source listings nothing is a comment.
    static func remove(from source: [UInt8], into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        out.reserveCapacity(source.count)
        source.withUnsafeBufferPointer { bytes in
            var finder = ClosingTagFinder()
            var start = 0
            var i = 0
            while true {
                i = bytes.next(Byte.less, i, bytes.count)
                if i == bytes.count { break }
                if let tag = WikitextTag.opaque(bytes, at: i), tag.kind.hidesComments {
                    i =
                        tag.isSelfClosed
                        ? tag.end : finder.close(of: tag.kind, in: bytes, from: tag.end)?.end ?? tag.end
                } else if i + 3 < bytes.count, bytes[i + 1] == Byte.bang, bytes[i + 2] == Byte.dash,
                    bytes[i + 3] == Byte.dash
                {
                    out.append(contentsOf: bytes[start..<i])
                    i = end(bytes, from: i + 4)
                    start = i
                    if let line = wholeLineEnd(bytes, i, out) {
                        while let last = out.last, last == Byte.space || last == Byte.tab { out.removeLast() }
                        (i, start) = (line, line)
                    }
                } else {
                    i += 1
                }
            }
            out.append(contentsOf: bytes[start...])
        }
    }

    private static func end(_ bytes: Bytes, from start: Int) -> Int {
        var i = bytes.next(Byte.greater, start + 2, bytes.count)
        while i < bytes.count {
            if bytes[i - 1] == Byte.dash, bytes[i - 2] == Byte.dash { return i + 1 }
            i = bytes.next(Byte.greater, i + 1, bytes.count)
        }
        return bytes.count
    }

    /// If the comment that ends at `end` stands alone between line feeds: the start of the next line.
    private static func wholeLineEnd(_ bytes: Bytes, _ end: Int, _ before: [UInt8]) -> Int? {
        var j = end
        while j < bytes.count, bytes[j] == Byte.space || bytes[j] == Byte.tab { j += 1 }
        guard j < bytes.count, bytes[j] == Byte.lf else { return nil }
        var k = before.count
        while k > 0, before[k - 1] == Byte.space || before[k - 1] == Byte.tab { k -= 1 }
        return k == 0 || before[k - 1] == Byte.lf ? j + 1 : nil
    }
}
