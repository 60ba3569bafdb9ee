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
    /// Of `<page>` in the unpacked stream.
    package var offset: UInt64 = 0
    /// The revision was hidden by the wiki's staff.
    package var isDeleted = false
    /// The text was longer than `MediaWikiReader.textLimit` and is cut there.
    package var isTooLong = false

    package init() {}
}

/// Reads a dump in chunks. Memory: one chunk and one page.
///
/// Entities are safe: a document type declaration is refused, so no entity can be defined. Ill-formed UTF-8, and
/// characters that XML forbids, become U+FFFD before the parser sees them, and are counted.
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
            let parser = try MediaWikiParser(file: file, onPage: onPage)
            let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: chunkSize)
            defer { chunk.deallocate() }
            while true {
                let count = try source(UnsafeMutableRawBufferPointer(chunk))
                if count == 0 { break }
                try parser.parse(Bytes(rebasing: chunk[..<count]))
            }
            return try parser.finish()
        }
    }
}

/// Makes a byte stream fit for an XML parser: well-formed UTF-8 without forbidden characters, in chunks of any cut.
/// Keeps track of what the replacements did to offsets.
struct XMLSanitizer {
    private(set) var replaced = 0
    private(set) var bytesIn: UInt64 = 0
    private var bytesOut: UInt64 = 0
    private var carry: [UInt8] = []
    private var joined: [UInt8] = []
    /// After output offset `out`, source offsets are `out + delta`; ordered by `out`.
    private var shifts: [(out: UInt64, delta: Int64)] = [(0, 0)]

    private static let isForbidden: [Bool] = (0..<256).map { $0 < 32 && $0 != 9 && $0 != 10 && $0 != 13 }

    /// Hands the clean form of `chunk` to `body`. A scalar cut by the chunk's end waits for the next call.
    mutating func clean(_ chunk: Bytes, isLast: Bool, _ body: (Bytes) throws -> Void) rethrows {
        bytesIn += UInt64(chunk.count)
        let hadCarry = carry.count
        if hadCarry == 0, let whole = Self.cleanLength(chunk), whole == chunk.count || !isLast {
            // Nothing to replace: pass the chunk on as it is, all but a cut-off scalar.
            bytesOut += UInt64(whole)
            carry.append(contentsOf: chunk[whole...])
            return try body(Bytes(rebasing: chunk[..<whole]))
        }
        let source = carry + chunk
        carry.removeAll()
        joined.removeAll(keepingCapacity: true)
        source.withUnsafeBufferPointer { replace($0, isLast: isLast) }
        try joined.withUnsafeBufferPointer(body)
    }

    /// Length of the chunk without a scalar cut off at its end, or nil if something must be replaced.
    private static func cleanLength(_ chunk: Bytes) -> Int? {
        var i = 0
        return isForbidden.withUnsafeBufferPointer { isForbidden in
            while i < chunk.count {
                i = Self.plainEnd(chunk, i)
                if i == chunk.count { break }
                let b = chunk[i]
                if b < 0x80 {
                    if isForbidden[Int(b)] { return nil }
                    i += 1
                    continue
                }
                switch UTF8Repair.head(chunk, i) {
                case .scalar(let n):
                    if isNonCharacter(chunk, i, n) { return nil }
                    i += n
                case .invalid: return nil
                case .incomplete: return i
                }
            }
            return i
        }
    }

    /// Where, eight bytes at a time, something else than printable ASCII and U+007F begins; at most seven bytes early.
    @inline(__always)
    private static func plainEnd(_ chunk: Bytes, _ start: Int) -> Int {
        let raw = UnsafeRawBufferPointer(chunk)
        let ones: UInt64 = 0x0101_0101_0101_0101
        var i = start
        while i + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            // The top bit of a byte survives if the byte is above 0x7F, or below 0x20 and so borrows.
            if (word | (word &- ones &* 0x20)) & (ones &* 0x80) != 0 { break }
            i += 8
        }
        return i
    }

    /// U+FFFE and U+FFFF, which XML forbids.
    private static func isNonCharacter(_ bytes: Bytes, _ i: Int, _ n: Int) -> Bool {
        n == 3 && bytes[i] == 0xEF && bytes[i + 1] == 0xBF && bytes[i + 2] >= 0xBE
    }

    private mutating func replace(_ source: Bytes, isLast: Bool) {
        let base = bytesOut
        var i = 0
        while i < source.count {
            var bad = 0
            switch UTF8Repair.head(source, i) {
            case .scalar(let n):
                if Self.isForbidden[Int(source[i])] || Self.isNonCharacter(source, i, n) {
                    bad = n
                } else {
                    joined.append(contentsOf: source[i..<(i + n)])
                    i += n
                }
            case .invalid(let n): bad = n
            case .incomplete:
                guard isLast else {
                    carry.append(contentsOf: source[i...])
                    i = source.count
                    continue
                }
                bad = source.count - i
            }
            if bad > 0 {
                joined.append(contentsOf: UTF8Repair.replacement)
                i += bad
                replaced += 1
                shifts.append((base + UInt64(joined.count), shifts.last!.delta + Int64(bad - 3)))
            }
        }
        bytesOut = base + UInt64(joined.count)
    }

    /// The source offset of an offset in the clean stream. Offsets must be asked in rising order; earlier shifts are forgotten.
    mutating func sourceOffset(_ out: UInt64) -> UInt64 {
        var last = 0
        while last + 1 < shifts.count, shifts[last + 1].out <= out { last += 1 }
        if last > 0 { shifts.removeFirst(last) }
        return UInt64(Int64(out) + shifts[0].delta)
    }
}
