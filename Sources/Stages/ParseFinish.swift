// How `parse` joins its pieces: later versions of a document replace earlier ones, ids must not collide, and lines
// that many documents share are reported.

package import Container
import Corpus
package import Pipeline
import Text

extension Parse {
    /// Parts in the order of the pieces. Memory: 24 bytes a document, and one part where a document was replaced.
    package static func finish(
        _ results: [PieceResult], _ context: StageContext<Config>, into output: PartSink
    ) throws -> Finished {
        var counts: [String: Int64] = [:]
        var lines = FrequentLines()
        var debris = DebrisReport()
        var site: JSON?
        var unknownFields: [String: Int64] = [:]
        for result in results {
            counts.merge(result.counts, uniquingKeysWith: +)
            lines.add(result.summary["lines"])
            debris.add(result.summary["debris"])
            for (name, count) in result.summary["unknown_fields"]?.object ?? [:] {
                unknownFields[name, default: 0] += count.int ?? 0
            }
            guard let next = result.summary["site"] else { continue }
            if let site { try ParseSite.check(site, next) } else { site = next }
        }
        var versions = ParseVersions(output)
        for (piece, result) in zip(ParsePieces.gather(context), results) { try versions.add(result, of: piece) }
        let (parts, replaced) = try versions.resolved()
        let documents = (counts["documents"] ?? 0) - replaced
        guard documents > 0 else {
            throw StageError(
                "the files hold no document", cause: "counts: " + JSON(counts).pretty,
                fix: "check `format`, `namespaces`, `min_words` and `drop`")
        }
        let added = ["documents": documents, "replaced": replaced]
        counts.merge(added) { $1 }
        let shared = lines.report(documents: documents)
        let boilerplate = shared.filter { $0.share > FrequentLines.warningShare }
        if let first = boilerplate.first {
            let others = boilerplate.dropFirst().prefix(4).map { "'\($0.text)' (\(percent($0.share)))" }
            context.environment.progress.warning(
                "parse: \(boilerplate.count) lines stand in more than \(percent(FrequentLines.warningShare)) of the "
                    + "documents: '\(first.text)' (\(percent(first.share)))" + others.map { ", " + $0 }.joined()
                    + (boilerplate.count > 5 ? ", …" : "")
                    + "; if they are boilerplate, add them to `drop` (`linkloom stats FILE STAGE` lists them)")
        }
        var metadata: [String: JSON] = [
            "format": .string(context.config.format.rawValue), "corpus": .string(context.config.corpus),
            "counts": JSON(counts),
            "frequent_lines": .array(
                shared.map {
                    .object([
                        "line": .string($0.text), "documents": .int($0.documents), "share": .number($0.share),
                    ])
                }),
        ]
        metadata["site"] = site
        metadata["debris"] = debris.report(of: documents)
        if !unknownFields.isEmpty {
            metadata["unknown_fields"] = JSON(unknownFields)
            let names = unknownFields.keys.sorted().map { "'\($0)'" }
            context.environment.progress.warning(
                "parse: fields outside the schema are kept out: " + names.prefix(8).joined(separator: ", ")
                    + (names.count > 8 ? ", …" : "") + "; the metadata counts them")
        }
        return Finished(parts: parts, metadata: .object(metadata), counts: added)
    }

    private static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)%" }
}

/// The lines that most documents share, found in one pass with bounded memory.
///
/// Misra and Gries' summary (1982, Science of Computer Programming 2): of n lines seen, a count is low by at most
/// n / 65,536, so any line that stands in 5% of documents of up to 3,000 lines is found. A line counts once a document.
struct FrequentLines {
    struct Shared {
        var text: String
        var documents: Int64
        var share: Double
    }

    static let warningShare = 0.05
    private static let capacity = 1 << 16, kept = 256, reported = 20, longest = 200

    private struct Counter {
        var count: Int64
        /// The first bytes of the line.
        var text: [UInt8]
    }

    private var counters: [UInt64: Counter] = [:]
    private var hashes: [UInt64] = []

    mutating func add(_ document: ParsedDocument) {
        hashes.removeAll(keepingCapacity: true)
        for i in 0..<document.blockCount {
            let range = document.block(i)
            let hash = Self.hash(document.text[range])
            hashes.append(hash)
            if counters[hash] == nil { insert(hash, document.text[range]) }
        }
        hashes.sort()
        for i in hashes.indices where i == 0 || hashes[i] != hashes[i - 1] { counters[hashes[i]]?.count += 1 }
    }

    private mutating func insert(_ hash: UInt64, _ line: ArraySlice<UInt8>) {
        if counters.count >= Self.capacity {
            // Every counter loses one, which is the same in any order.
            counters = counters.compactMapValues { $0.count > 1 ? Counter(count: $0.count - 1, text: $0.text) : nil }
        }
        guard counters.count < Self.capacity else { return }
        counters[hash] = Counter(count: 0, text: Array(Self.head(line)))
    }

    /// FNV-1a.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for b in bytes { hash = (hash ^ UInt64(b)) &* 0x100_0000_01B3 }
        return hash
    }

    /// The first bytes of a line, cut between characters.
    private static func head(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard line.count > longest else { return line }
        var end = line.startIndex + longest
        while line[end] & 0xC0 == 0x80 { end -= 1 }
        return line[..<end]
    }

    private var top: [(text: String, count: Int64)] {
        let sorted = counters.values.filter { $0.count > 1 }
            .sorted { $0.count != $1.count ? $0.count > $1.count : $0.text.lexicographicallyPrecedes($1.text) }
        return sorted.prefix(Self.kept).map { (String(decoding: $0.text, as: UTF8.self), $0.count) }
    }

    // MARK: joining pieces

    var json: JSON {
        .array(top.map { .object(["line": .string($0.text), "documents": .int($0.count)]) })
    }

    mutating func add(_ json: JSON?) {
        for entry in json?.array ?? [] {
            guard let line = entry["line"]?.string, let count = entry["documents"]?.int else { continue }
            let hash = Self.hash(Array(line.utf8)[...])
            counters[hash, default: Counter(count: 0, text: Array(line.utf8))].count += count
        }
    }

    func report(documents: Int64) -> [Shared] {
        top.prefix(Self.reported).map {
            Shared(text: $0.text, documents: $0.count, share: Double($0.count) / Double(documents))
        }
    }
}
