// What the tests of the parsing side share: real data when it is there, temporary files, and short ways to convert.

import Foundation
import Testing

import Text

enum RealData {
    /// `LINKLOOM_DATA`, else `shared/data` beside the package; nil where neither is there.
    static let root: String? = {
        let package = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let beside = package.deletingLastPathComponent().appendingPathComponent("shared/data").path
        return [ProcessInfo.processInfo.environment["LINKLOOM_DATA"], beside].compactMap { $0 }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    static var isThere: Bool { root != nil }
    static func path(_ name: String) -> String { "\(root ?? "")/general/\(name)" }
    static let enwiki2014 = path("mediawiki/enwiki-2014-pages-articles-excerpt.xml.bz2")
    static let enwiki2016 = path("mediawiki/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2")
    static let ltgwiki = path("mediawiki/ltgwiki-2017-pages-articles.xml.bz2")
    static let wikispeedia = path("wikispeedia/plaintext_articles.tar.gz")
}

/// A folder of its own for one test, removed with its content when the value goes (kept with `SAVE_TEMPS=1`).
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.path + "/linkloom-text-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit {
        if ProcessInfo.processInfo.environment["SAVE_TEMPS"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Files made by `Tests/Goldens/make_parse.py`.
enum ParseGoldens {
    static func path(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appendingPathComponent("Goldens/parse/\(name)").path
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }
}

/// Converts one page of a wiki with the English names and `Datei`, `Kategorie` as local ones.
func convert(_ text: String, tables: Bool = false) -> ParsedDocument {
    var site = SiteInfo()
    site.namespaces = [SiteInfo.Namespace(id: 6, name: "Datei"), SiteInfo.Namespace(id: 14, name: "Kategorie")]
    var converter = Wikitext(site: site, options: WikitextOptions(tables: tables))
    var document = ParsedDocument()
    converter.convert(Array(text.utf8), into: &document)
    return document
}

extension ParsedDocument {
    /// The blocks as strings.
    var blocks: [String] { (0..<blockCount).map { String(decoding: text[block($0)], as: UTF8.self) } }
    var kinds: [TextBlockKind] { blockKind.compactMap { TextBlockKind(rawValue: $0) } }
    /// `anchor→target`
    var links: [String] { (0..<linkCount).map { "\(anchor($0))→\(linkTarget.string($0))" } }

    /// What every reader promises of a document, whatever it was made from.
    func check() {
        #expect(String(validating: text, as: UTF8.self) != nil, "text is UTF-8")
        #expect(
            blockBegin.count == blockKind.count && linkBegin.count == linkEnd.count && linkTarget.count == linkCount)
        for i in 0..<blockCount {
            let range = block(i)
            #expect(!range.isEmpty, "no block is empty")
            guard !range.isEmpty else { return }
            #expect(text[range.lowerBound] > 32 && text[range.upperBound - 1] > 32, "blocks are trimmed")
            if blockKind[i] != TextBlockKind.code.rawValue { #expect(!text[range].contains(Byte.lf)) }
        }
        #expect(blockBegin.isEmpty == text.isEmpty && blockBegin.first ?? 0 == 0)
        var last = 0
        for i in 0..<linkCount {
            guard hasPlace(i) else {
                #expect(linkEnd[i] == Self.placeless && (i..<linkCount).allSatisfy { !hasPlace($0) })
                return
            }
            let isSame = i > 0 && linkBegin[i] == linkBegin[i - 1] && linkEnd[i] == linkEnd[i - 1]
            #expect((Int(linkBegin[i]) >= last || isSame) && linkBegin[i] < linkEnd[i] && Int(linkEnd[i]) <= text.count)
            last = Int(linkEnd[i])
        }
    }
}
