// TextReader: plain texts, a document a file or archive member, hard-wrapped lines joined into paragraphs again.

package struct TextReaderOptions: Sendable, Equatable {
    /// Lines that begin with it (after blanks) are dropped; empty for none.
    package var commentPrefix = ""

    package init(commentPrefix: String = "") { self.commentPrefix = commentPrefix }
}

/// Reads files and archives of plain texts. Memory: one document.
package struct TextReader {
    package struct Summary: Sendable, Equatable {
        package var documents = 0
        /// Members without any text after comments and rules went.
        package var empty = 0
        package var invalidUTF8 = 0
        /// Paragraphs removed: by rule, or as an exact repetition of the one before.
        package var dropped = 0, repeated = 0

        package init() {}
    }

    private let comment: [UInt8]
    private let drop: DropRules
    private var builder = ParagraphBuilder()
    private var raw: [UInt8] = []
    private var text: [UInt8] = []

    package init(options: TextReaderOptions = TextReaderOptions(), drop: DropRules) {
        comment = Array(options.commentPrefix.utf8)
        self.drop = drop
    }

    /// Reads every document of a file.
    /// - Parameters: `name`: the file's name in its corpus, from which a single document takes id and title; the members
    ///   of an archive take theirs from their own names. `onDocument`: called for each, in stored order; the document is
    ///   reused. `onEmpty`: the names of members without text.
    /// - Throws: `TextError` for a bad file, and whatever the callbacks throw.
    package mutating func read(
        path: String, name: String, onDocument: (inout ParsedDocument) throws -> Void,
        onEmpty: (String) throws -> Void
    ) throws -> Summary {
        let archive = try ArchiveReader(path: path)
        var summary = Summary()
        var document = ParsedDocument()
        var members = 0
        while let member = try archive.next() {
            members += 1
            try archive.readAll(into: &raw)
            let logical = member.isWholeFile ? ArchiveReader.withoutCompressionSuffix(name) : member.name
            document.removeAll()
            document.sourceID = Self.sourceID(logical)
            document.title = Self.title(logical)
            document.sourceOffset = member.offset
            parse(into: &document, &summary)
            if document.text.isEmpty {
                summary.empty += 1
                try onEmpty(logical)
            } else {
                summary.documents += 1
                try onDocument(&document)
            }
        }
        guard members > 0 else {
            throw TextError(.empty, "the archive has no files", file: path, fix: "check that it is the right archive")
        }
        return summary
    }

    /// Text, blocks and nothing else, from `raw`.
    private mutating func parse(into document: inout ParsedDocument, _ summary: inout Summary) {
        text.removeAll(keepingCapacity: true)
        summary.invalidUTF8 += raw.withUnsafeBufferPointer { UTF8Repair.append($0, to: &text) }
        text.withUnsafeBufferPointer { bytes in
            guard bytes.baseAddress != nil else { return }
            builder.build(bytes, comment: comment, drop: drop, into: &document)
        }
        removeUseless(&document, &summary)
    }

    /// Rules, repetitions, and a first line that only says the title again.
    private func removeUseless(_ document: inout ParsedDocument, _ summary: inout Summary) {
        let text = document.text
        let title = Array(document.title.utf8)
        var last: Range<Int>?
        var (dropped, repeated) = (0, 0)
        let ranges = (0..<document.blockCount).map { document.block($0) }
        document.removeBlocks { i in
            let block = text[ranges[i]]
            if drop.matches(block) {
                dropped += 1
                return true
            }
            if last == nil, block.elementsEqual(title) { return true }
            if let last, text[last].elementsEqual(block) {
                repeated += 1
                return true
            }
            last = ranges[i]
            return false
        }
        summary.dropped += dropped
        summary.repeated += repeated
    }

    // MARK: names

    /// The name as stored, without leading `./` and extension.
    package static func sourceID(_ name: String) -> String {
        var bytes = Array(name.utf8)[...]
        while bytes.starts(with: "./".utf8) { bytes = bytes.dropFirst(2) }
        return String(decoding: withoutExtension(bytes), as: UTF8.self)
    }

    /// `texts/%C3%85land_%28islands%29.txt` → `Åland (islands)`.
    package static func title(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let base = bytes[((bytes.lastIndex(of: Byte.slash) ?? -1) + 1)...]
        let title = percentDecoded(withoutExtension(base)).utf8.map { $0 == Byte.underscore ? Byte.space : $0 }
        return String(decoding: title, as: UTF8.self)
    }

    /// An extension is a last dot with one to eight letters or digits after it, something before it.
    private static func withoutExtension(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let dot = name.lastIndex(of: Byte.dot), dot > name.startIndex, name[dot - 1] != Byte.slash else {
            return name
        }
        let tail = name[(dot + 1)...]
        let isExtension = (1...8).contains(tail.count) && tail.allSatisfy { Byte.isLetter($0) || Byte.isDigit($0) }
        return isExtension ? name[..<dot] : name
    }
}
