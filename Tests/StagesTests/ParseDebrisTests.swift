// The documents' metadata names the documents that show traces of markup.

import Container
import Pipeline
import Testing

import Stages

@Suite struct ParseDebrisTests {
    @Test func `documents that show markup are counted and listed, those with code apart`() throws {
        let run = try ToyRun()
        let page = { (id: Int, text: String) in
            "<page><title>T\(id)</title><ns>0</ns><id>\(id)</id><revision><text>\(text)</text></revision></page>"
        }
        let xml =
            "<mediawiki version=\"0.10\"><siteinfo><dbname>test</dbname></siteinfo>"
            + page(1, "Clean {{template}} [[link]] &amp;nbsp; text.")
            + page(2, "Write &lt;nowiki&gt;[[this]]&lt;/nowiki&gt; for a link.")
            + page(3, "Code:\n&lt;pre&gt;\na[[1]] {{x}}\n&lt;/pre&gt;\nend") + page(4, "More clean text.")
            + "</mediawiki>"
        var file = try run.file("dump.xml", xml)
        file.digest = Digest.of(xml)
        var config = ParseConfig()
        config.files = [file]
        let artifact = try run.run(Parse.self, config, [:], files: config.files).artifact
        let debris = try #require(artifact.manifest.metadata["debris"])
        #expect(debris["documents"]?.int == 2 && debris["in_code_only"]?.int == 1)
        #expect(debris["share"] == .number(0.5))
        let pages = try #require(debris["pages"]?.array)
        #expect(pages.map { $0["title"]?.string } == ["T2", "T3"] && pages.map { $0["mark"]?.string } == ["[[", "[["])
        #expect(pages[0]["excerpt"]?.string == "Write [[this]] for a link.")
    }
}
