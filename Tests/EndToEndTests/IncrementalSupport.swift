// What the tests of incremental runs share: dumps, a vocabulary that spells every text, and what a run made.

import Container
import Foundation
import Testing

/// Pieces of one stage in one run.
struct Use: Equatable {
    var run: Int64
    var reused: Int64
}

/// What a run that must end well made of every stage.
struct IncrementalRun {
    private(set) var uses: [String: Use] = [:]
    /// Names of the pieces that were made, by stage, sorted.
    private(set) var pieces: [String: [String]] = [:]

    init(_ shop: Workshop, _ file: String) throws {
        let run = try shop.run("run", file, "--json")
        try #require(run.status == 0, "\(run.errors)")
        let json = try run.json
        for stage in json["stages"]?.array ?? [] {
            let use = Use(run: stage["run"]?.int ?? -1, reused: stage["reuse"]?.int ?? -1)
            uses[stage["name"]?.string ?? ""] = use
        }
        let events = shop.path(".linkloom/runs/\(json["run"]?.string ?? "")/events.jsonl")
        for line in try String(contentsOfFile: events, encoding: .utf8).split(separator: "\n") {
            let event = try JSON(parsing: Array(line.utf8))
            guard event["event"]?.string == "piece" else { continue }
            pieces[event["stage"]?.string ?? "", default: []].append(event["piece"]?.string ?? "")
        }
        for stage in pieces.keys { pieces[stage]?.sort() }
    }

    subscript(_ stage: String) -> Use? { uses[stage] }
}

/// What `plan` says of one stage.
func planned(_ shop: Workshop, _ file: String, _ stage: String) throws -> (reasons: [JSON], text: String) {
    let json = try shop.run("plan", file, "--json").json
    let found = json["stages"]?.array?.first { $0["name"]?.string == stage }
    let text = try shop.run("plan", file).output.split(separator: "\n").first { $0.hasPrefix(stage + " ") }
    return (found?["reasons"]?.array ?? [], String(text ?? ""))
}

/// A MediaWiki dump.
func wikiDump(_ pages: [(title: String, id: Int, text: String)]) -> String {
    let elements = pages.map { page in
        """
          <page><title>\(page.title)</title><ns>0</ns><id>\(page.id)</id>
            <revision><id>\(page.id)</id><model>wikitext</model><text>\(page.text)</text></revision></page>
        """
    }
    return """
        <mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
        <siteinfo><sitename>Valley</sitename><dbname>valley</dbname><namespaces>
          <namespace key="0" case="first-letter" /></namespaces></siteinfo>
        \(elements.joined(separator: "\n"))
        </mediawiki>
        """
}

/// Letters and signs: enough to spell every text.
let spellingVocabulary: String = {
    let letters = "abcdefghijklmnopqrstuvwxyz0123456789".map(String.init)
    return (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ","] + letters + letters.map { "##" + $0 })
        .joined(separator: "\n") + "\n"
}()
