// Reads a MediaWiki dump to documents with links: `time FILE PASSES [THREADS]` prints rates as JSON (THREADS unpack a .bz2
// of many streams), `pages FILE` prints every document as a line of JSON, for comparison with other tools.

import Glibc
import Text

func fail(_ message: String) -> Never {
    let line = "mediawiki-benchmark: \(message)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(64)
}

struct Totals: Equatable {
    var pages = 0, documents = 0, textBytes = 0, links = 0, placeless = 0
    var bytes: UInt64 = 0
    /// FNV-1a over texts and targets: the answer must be the same in every pass.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ value: Int) { hash = (hash ^ UInt64(truncatingIfNeeded: value)) &* 0x100_0000_01B3 }
}

/// Articles of the main namespace, as the stage `parse` makes them.
func read(_ path: String, threads: Int = 1, _ onDocument: (ParsedDocument) -> Void) throws -> Totals {
    var totals = Totals()
    var converter: Wikitext?
    var document = ParsedDocument()
    let summaries = try MediaWikiReader.read(path: path, threads: threads) { page, site in
        totals.pages += 1
        guard page.namespace == 0, page.redirect == nil, page.model == "wikitext" else { return }
        if converter == nil { converter = Wikitext(site: site) }
        document.removeAll()
        document.sourceID = page.id
        document.title = page.title
        converter!.convert(page.text, into: &document)
        totals.documents += 1
        totals.textBytes += document.text.count
        totals.links += document.linkCount
        totals.mix(document.text.count)
        totals.mix(document.linkTarget.bytes.count)
        if let last = document.linkBegin.last(where: { $0 != ParsedDocument.placeless }) { totals.mix(Int(last)) }
        onDocument(document)
    }
    totals.bytes = summaries.reduce(0) { $0 + $1.bytes }
    return totals
}

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func time(_ path: String, passes: Int, threads: Int) throws {
    var rates: [Double] = []
    var first: Totals?
    for _ in 0..<passes {
        // Time of this process, so that neighbours on the same core count less.
        let start = seconds(CLOCK_PROCESS_CPUTIME_ID)
        let totals = try read(path, threads: threads) { _ in }
        rates.append(Double(totals.bytes) / 1e6 / (seconds(CLOCK_PROCESS_CPUTIME_ID) - start))
        if let first, first != totals { fail("two passes gave different documents") }
        first = totals
    }
    rates.sort()
    let totals = first!
    print(
        "{\"mb_s\": \(rates[rates.count / 2]), \"best_mb_s\": \(rates.last!), \"bytes\": \(totals.bytes), "
            + "\"pages\": \(totals.pages), \"documents\": \(totals.documents), \"text_bytes\": \(totals.textBytes), "
            + "\"links\": \(totals.links), \"hash\": \"\(String(totals.hash, radix: 16))\"}")
}

/// A JSON string with the escapes that JSON asks for.
func quoted(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = [0x22]
    for b in bytes {
        switch b {
        case 0x22, 0x5C: out += [0x5C, b]
        case 0..<0x20: out += Array("\\u00".utf8) + (b < 16 ? [0x30] : []) + Array(String(b, radix: 16).utf8)
        default: out.append(b)
        }
    }
    return String(decoding: out + [0x22], as: UTF8.self)
}

func pages(_ path: String) throws {
    _ = try read(path) { document in
        var links = ""
        for i in 0..<document.linkCount {
            let span = document.hasPlace(i) ? "\(document.linkBegin[i]), \(document.linkEnd[i])" : "null, null"
            links += "\(i == 0 ? "" : ", ")[\(span), \(quoted(document.linkTarget[i]))]"
        }
        print(
            "{\"id\": \(quoted(document.sourceID.utf8)), \"title\": \(quoted(document.title.utf8)), "
                + "\"text\": \(quoted(document.text)), \"links\": [\(links)]}")
    }
}

let arguments = CommandLine.arguments
do {
    assert({ fail("build with -c release") }())
    switch (arguments.dropFirst().first, arguments.count) {
    case ("time", 4), ("time", 5):
        let threads = arguments.count == 5 ? Int(arguments[4]) ?? 1 : 1
        try time(arguments[2], passes: max(1, Int(arguments[3]) ?? 0), threads: threads)
    case ("pages", 3): try pages(arguments[2])
    default: fail("usage: mediawiki-benchmark time FILE PASSES [THREADS] | pages FILE")
    }
} catch { fail("\(error)") }
