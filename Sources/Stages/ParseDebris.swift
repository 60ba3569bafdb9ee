// How many documents show traces of markup, and which: the `debris` of a documents artifact's metadata.

import Container
import Text

/// Counts documents with debris and keeps the first ones to be looked at. Memory: `kept` lines.
struct DebrisReport {
    private struct Page {
        var title: String
        var mark: String
        var excerpt: String
        var isCode: Bool
    }

    private static let kept = 50
    private static let around = 32

    private var documents: Int64 = 0
    /// Of them those where it stands in code only.
    private var codeOnly: Int64 = 0
    private var pages: [Page] = []

    mutating func add(_ document: ParsedDocument) {
        guard let trace = MarkupDebris.first(in: document) else { return }
        documents += 1
        if trace.isCode { codeOnly += 1 }
        guard pages.count < Self.kept else { return }
        var begin = max(0, trace.offset - Self.around)
        while document.text[begin] & 0xC0 == 0x80 { begin += 1 }
        var end = min(document.text.count, trace.offset + Self.around)
        while end < document.text.count, document.text[end] & 0xC0 == 0x80 { end += 1 }
        let excerpt = String(decoding: document.text[begin..<end], as: UTF8.self)
        pages.append(Page(title: document.title, mark: trace.mark, excerpt: excerpt, isCode: trace.isCode))
    }

    // MARK: joining pieces

    var json: JSON {
        .object([
            "documents": .int(documents), "in_code_only": .int(codeOnly),
            "pages": .array(
                pages.map {
                    .object([
                        "title": .string($0.title), "mark": .string($0.mark), "excerpt": .string($0.excerpt),
                        "in_code": .bool($0.isCode),
                    ])
                }),
        ])
    }

    mutating func add(_ json: JSON?) {
        documents += json?["documents"]?.int ?? 0
        codeOnly += json?["in_code_only"]?.int ?? 0
        for page in json?["pages"]?.array ?? [] where pages.count < Self.kept {
            pages.append(
                Page(
                    title: page["title"]?.string ?? "", mark: page["mark"]?.string ?? "",
                    excerpt: page["excerpt"]?.string ?? "", isCode: page["in_code"] == .bool(true)))
        }
    }

    /// With the share of `documents`, those that a later version replaced included in the count.
    func report(of documents: Int64) -> JSON {
        var report = json
        report["share"] = .number(documents > 0 ? Double(self.documents) / Double(documents) : 0)
        return report
    }
}
