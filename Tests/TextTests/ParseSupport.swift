// What the tests of the parsing side share: real data when it is there, temporary files, and short ways to convert.

import Glibc
import Testing

import Text

enum RealData {
    /// `LINKLOOM_DATA`, else `shared/data` beside the package; nil where neither is there.
    static let root: String? = {
        let here = String(#filePath)
        let package = here.split(separator: "/").dropLast(3).joined(separator: "/")
        let candidates = [getenv("LINKLOOM_DATA").map { String(cString: $0) }, "/\(package)/../shared/data"]
        return candidates.compactMap { $0 }.first { access($0, R_OK) == 0 }
    }()

    static func path(_ name: String) -> String { "\(root ?? "")/general/\(name)" }
    static let enwiki2014 = path("mediawiki/enwiki-2014-pages-articles-excerpt.xml.bz2")
    static let enwiki2016 = path("mediawiki/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2")
    static let ltgwiki = path("mediawiki/ltgwiki-2017-pages-articles.xml.bz2")
    static let wikispeedia = path("wikispeedia/plaintext_articles.tar.gz")
}

/// A folder of its own for one test, removed with its content when the value goes.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/linkloom-text-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { run("/bin/rm", ["-rf", path]) }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) -> String {
        let file = "\(path)/\(name)"
        let handle = fopen(file, "wb")!
        let content = Array(bytes)
        fwrite(content, 1, content.count, handle)
        fclose(handle)
        return file
    }

    func read(_ name: String) -> [UInt8] {
        let handle = fopen("\(path)/\(name)", "rb")!
        defer { fclose(handle) }
        fseek(handle, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: ftell(handle))
        rewind(handle)
        fread(&bytes, 1, bytes.count, handle)
        return bytes
    }

    /// Runs a program in the folder and waits for it. Its standard output goes to the file `out`, if given.
    @discardableResult
    func run(_ program: String, _ arguments: [String], out: String? = nil) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addchdir_np(&actions, path)
        if let out { posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }
        defer { posix_spawn_file_actions_destroy(&actions) }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in argv { free(pointer) } }
        var pid = pid_t()
        guard posix_spawnp(&pid, program, &actions, nil, &argv, environ) == 0 else { return -1 }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return status
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
        #expect(blockBegin.count == blockKind.count && linkBegin.count == linkEnd.count && linkTarget.count == linkCount)
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
            #expect(Int(linkBegin[i]) >= last && linkBegin[i] < linkEnd[i] && Int(linkEnd[i]) <= text.count)
            last = Int(linkEnd[i])
        }
    }
}
