// MediaWikiReader: pages-articles dumps (export schemas 0.3 to 0.11), streamed: whole pages out, never a part of one.

/// One `<page>` with its last revision. Reused between callbacks.
package struct MediaWikiPage: Sendable, Equatable {
    package var title = ""
    package var namespace = 0
    package var id = ""
    /// Where a redirect leads; nil for articles.
    package var redirect: String?
    /// `wikitext` where the dump does not say.
    package var model = "wikitext"
    package var text: [UInt8] = []
    /// Of `<page>` in the unpacked stream; after conversion to UTF-8, if the dump is in another encoding.
    package var offset: UInt64 = 0
    /// The revision was hidden by the wiki's staff.
    package var isDeleted = false
    /// The text, as written, is longer than `MediaWikiReader.textLimit` and was passed over.
    package var isTooLong = false

    package init() {}
}

/// Reads a dump in chunks. Memory: one chunk and one page.
///
/// Entities are safe: a document type declaration is refused, so no entity can be defined. Ill-formed UTF-8, and
/// characters that XML forbids, become U+FFFD where they stand in what is read, and are counted.
package struct MediaWikiReader {
    /// MediaWiki itself refuses pages above 2 MiB.
    package static let textLimit = 1 << 26
    static let chunkSize = 1 << 18

    /// What a whole dump held.
    package struct Summary: Sendable, Equatable {
        package var site = SiteInfo()
        /// `version` of the export schema, e.g. `0.10`.
        package var schema = ""
        package var pages = 0
        package var invalidUTF8 = 0
        package var bytes: UInt64 = 0
        /// The dump ends before `</mediawiki>`; its whole pages were read.
        package var isCutOff = false
        /// What a person should know, e.g. that the dump is cut off; each with its place.
        package var warnings: [String] = []

        package init() {}
    }

    /// Reads every member of the file as a dump.
    /// - Parameters: `threads`: as `ArchiveReader` uses them. `onPage`: called for each whole page, in order, with the
    ///   site's description as known so far.
    /// - Throws: `TextError` for a bad file, and whatever `onPage` throws.
    package static func read(
        path: String, threads: Int = 1, onPage: (inout MediaWikiPage, SiteInfo) throws -> Void
    ) throws -> [Summary] {
        let archive = try ArchiveReader(path: path, threads: threads)
        var summaries: [Summary] = []
        while let member = try archive.next() {
            let name = member.isWholeFile ? path : "\(path): \(member.name)"
            summaries.append(try read(file: name, from: archive.read(into:), onPage: onPage))
        }
        guard !summaries.isEmpty else {
            throw TextError(.empty, "the archive has no files", file: path, fix: "check that it is the right archive")
        }
        return summaries
    }

    /// Reads one dump from a source of bytes.
    /// - Parameters: `file`: for messages. `source`: fills the buffer, 0 at the end.
    package static func read(
        file: String, from source: (UnsafeMutableRawBufferPointer) throws -> Int,
        onPage: (inout MediaWikiPage, SiteInfo) throws -> Void
    ) throws -> Summary {
        try withoutActuallyEscaping(onPage) { onPage in
            try withoutActuallyEscaping(source) { source in
                var bytes: UInt64 = 0
                let counted = XMLSource(file: file) { buffer in
                    let count = try source(buffer)
                    bytes += UInt64(count)
                    return count
                }
                let window = XMLWindow(counted, chunk: chunkSize, limit: textLimit)
                var summary = try MediaWikiParser(file: file, window: window, onPage: onPage).run()
                summary.bytes = bytes
                return summary
            }
        }
    }
}
