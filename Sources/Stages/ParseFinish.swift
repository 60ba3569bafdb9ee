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
        let (parts, gone) = try versions.resolved()
        var added = ["replaced": gone["documents"] ?? 0]
        for (name, count) in gone { added[name] = (counts[name] ?? 0) - count }
        let documents = added["documents"] ?? counts["documents"] ?? 0
        added["documents"] = documents
        guard documents > 0 else {
            throw StageError(
                "the files hold no document", cause: "counts: " + JSON(counts).pretty,
                fix: "check `format`, `namespaces`, `min_words` and `drop`")
        }
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
