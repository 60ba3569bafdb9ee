// Wikitext: what a reader sees, link spans, debris, adversarial nesting, and mwparserfromhell as a second opinion.

import Foundation
import Testing
import Text

@Suite struct ParseWikitextTests {
    private func blocks(_ text: String) -> [String] {
        let document = convert(text)
        document.check()
        return document.blocks
    }

    private func line(_ text: String) -> String { blocks(text).joined(separator: "⏎") }

    @Test func `blocks have kinds, and a section that shows nothing goes with its heading`() {
        let document = convert(
            """
            First
            paragraph.

            == History ==
            === Early ===
            * one
            ** two
            # three
            :indented
            ; term : meaning
            == References ==
            {{reflist}}
            == Notes ==
            """)
        #expect(
            document.blocks == [
                "First paragraph.", "History", "Early", "one", "two", "three", "indented", "term : meaning",
            ])
        #expect(
            document.kinds == [.paragraph, .heading, .heading, .listItem, .listItem, .listItem, .paragraph, .listItem])
        document.check()
    }

    @Test func `link spans cover the anchor in the output, trail included`() {
        let document = convert(
            "A [[ship]]s, [[Boat|small boats]], [[Порт]]ы and ''[[sea]]''-men [[a&amp;b#c|&eacute;]]x [[中]]文.")
        #expect(document.string == "A ships, small boats, Порты and sea-men éx 中文.")
        #expect(document.links == ["ships→ship", "small boats→Boat", "Порты→Порт", "sea→sea", "éx→a&b#c", "中→中"])
        document.check()
    }

    @Test func `files, categories and languages vanish; other sites and named categories are text`() {
        let text =
            "a [[Datei:X.jpg|thumb|cap [[b]] {{x}} [[c|d]]]] [[Kategorie:Q]][[file:y.png]][[Category:Z|k]][[de:Hafen]] "
            + "[[:Kategorie:Q]] [[:Category:Z|zs]] [[wikt:port|port]] [[:fr:Quai]] [[Star Trek: Voyager]] [[Attēls:Z.JPG|5px]] "
            + "[[Wikipedia:Help|help]] [[#Below|below]] [[Mercury (planet)|]]"
        let document = convert(text)
        #expect(
            document.string == "a Kategorie:Q zs port fr:Quai Star Trek: Voyager help below Mercury")
        #expect(
            document.links == [
                "Star Trek: Voyager→Star Trek: Voyager", "help→Wikipedia:Help", "below→#Below",
                "Mercury→Mercury (planet)", "→b", "→c",
            ])
    }

    @Test(arguments: [
        ("He ({{lang-x}}; born 1900) {{IPA}}, was", "He (born 1900), was"), ("A ({{x}}) b", "A b"),
        ("A ( {{x}} , ) b", "A b"),
        ("f() is f (x)", "f() is f (x)"), ("end {{cn}} .", "end."), ("Qui ? Oui !", "Qui ? Oui !"),
        ("{{x}}, then", "then"),
        ("a, {{x}}, b", "a, b"), ("[1] {a}", "[1] {a}"),
    ]) func `what dropped templates leave is tidied, and nothing else is`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }

    @Test(arguments: [
        ("{{lang|fr|mot ''juste''}} {{nowrap|5 [[km]]}}", "mot juste 5 km"),
        ("{{convert|5|km|mi}} {{convert|5|to|8|ft|m}}", "5 km 5 to 8 ft"),
        ("{{convert|5|ft|8|in|m}}", "5 ft 8 in"),
        ("{{lang-grc|1=λόγος}}{{mdash}}{{frac|1|2}}", "Ancient Greek: λόγος—1/2"),
        ("a{{{x|b{{{y|c}}}}}}{{{z}}}", "abc"), ("{{lc:Word}} {{#if:a|b|c}}{{PAGENAME}}d", "Word d"),
        ("{{foo|{{bar|[[x]]}}|}}}}y", "y"),
        ("{{ {{x}} | {{nowrap|y}} }}z", "z"), ("{{Foo|a=[[b}}c]]", "c"), ("{{{{{1}}}|x}}a", "a"),
    ]) func `a few templates carry text, all others go`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }

    @Test(arguments: [
        ("a<!-- x --> b<!-- open", "a b"), ("a\n<!-- line -->\nb", "a b"),
        ("<nowiki>[[x]] <!-- y --> ''z''</nowiki>", "[[x]] <!-- y --> ''z''"),
        ("a<ref>b {{c}</ref>d<ref name=\"x\"/>e<ref>f", "adef"), ("<math>x</math>a<gallery>\nF|g\n</gallery>", "a"),
        ("10<sup>6</sup> m<sup>2</sup> H<sub>2</sub>O", "10^6 m2 H2O"), ("a<div>b</div>c<br/>d<p>e", "a⏎b⏎c d⏎e"),
        ("a < b <foo> &lt;b&gt; &amp;amp; &bogus; &#8212; &#x2014; &#0;", "a < b <foo> <b> &amp; &bogus; — — \u{FFFD}"),
        ("a&nbsp;b\u{A0}c\u{200B}d\u{3000}e&shy;f", "a b cd ef"),
        ("[http://x.y lab ''el''] [http://z] http://w [//v q]", "lab el http://w q"),
        ("__NOTOC__a __x__ ~~~~ '''''b''''' c''''d'''' 'e'", "a __x__ b c'd' 'e'"), ("L'''amour'' est", "L'amour est"),
        ("----\na", "a"), ("| stray | row\na", "a"), ("[[a [[b]] c}} d]] {{ e |} [[f", "a b c d e |} f"),
        ("a [[b|c\n\nd]] e", "a b c⏎d e"), ("[[a|b [[c]] d]]", "b c d"), ("[[<x>|y]]", "y"),
        ("<includeonly>x</includeonly><noinclude>y</noinclude>", "y"),
    ]) func `markup goes and text stays`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }

    @Test func `code keeps its lines in one block`() {
        let document = convert("a\n<source lang=\"c\">\nif (a &lt; b)\n  {{x}}\n</source>\nb")
        #expect(document.blocks == ["a", "if (a < b)\n  {{x}}", "b"])
        #expect(document.kinds == [.paragraph, .code, .paragraph])
        document.check()
    }

    @Test func `tables go, or become a block a row`() {
        let table = """
            before
            {| class="x"
            |+ Depths
            |-
            ! scope="col" | Basin !! Depth
            |-
            | [[East]] || style="x" | 9 {{x}}
            m
            |-
            | {| class="y"
            | inner
            |}
            |}
            after
            """
        #expect(blocks(table) == ["before", "after"])
        let document = convert(table, tables: true)
        #expect(document.blocks.first == "before" && document.blocks.last == "after")
        #expect(document.blocks.contains("Basin | Depth") && document.blocks.contains("East | 9 m"))
        #expect(document.kinds[1] == .caption && document.kinds[2] == .table)
        #expect(document.links == ["East→East"])
        document.check()
        // An unclosed table takes its own lines with it, not the rest of the article.
        #expect(blocks("a\n{| class=x\n| b\n== H ==\nc") == ["a", "H", "c"])
    }

    @Test func `any nesting is read in linear time and bounded depth`() {
        let n = 40_000
        let hostile = [
            "{{", "[[", "[[a|", "{{{", "{|\n", "<ref>", "<b ", "<!--", "''", "'''a", "[http://a ", "{{a|[[b|", "\n* ",
            "\n=", "&amp", "(", "<nowiki>",
            "[[File:a|", "{{lang|a|", "}}", "]]", "\n|}", "<table>", "__", "{{a}}", "[[a]]", "{{{a|", "-", "|",
            "\n|-\n", "[[a|b\n\n", "~~~",
        ]
        let clock = ContinuousClock()
        for unit in hostile {
            for closing in [
                "", String(repeating: "}}", count: n / 4), String(repeating: "]]", count: n / 4),
                String(repeating: "\n|}", count: n / 4),
            ] {
                let source = String(repeating: unit, count: n / 4) + closing
                var document = ParsedDocument()
                let time = clock.measure { document = convert(source, tables: true) }
                document.check()
                // A quadratic step would take minutes; the bound leaves room for a slow, loaded machine.
                #expect(time < .seconds(20), "\(unit) \(closing.prefix(3)): \(time)")
            }
        }
    }

    /// Each broke a promise once: a code block that ends with controls, and one where no block can begin.
    @Test(arguments: [
        "x\n\n<pre> {{7\0\0\0</pre>y", "[[a|b <pre>c\nd</pre> e]] f",
        "{|\n<pre>| c\n|}\n|}<\n|\n a||{{|</pre>\n|}!\n<'-]]y]", "== <pre>a\nb</pre> ==\n\nc",
    ]) func `code keeps what a document promises`(_ source: String) {
        for tables in [false, true] { convert(source, tables: tables).check() }
        #expect(convert("[[a|b <pre>c\n d</pre> e]] f").string == "b c d e f")
    }

    @Test(arguments: 0..<60) func `random markup never breaks what a document promises`(_ seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next(_ n: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % n
        }
        let tokens = [
            "[[", "]]", "{{", "}}", "{{{", "}}}", "{|", "|}", "|", "\n", "\n\n", "==", "*", ":", "''", "'''", "<ref>",
            "</ref>", "<nowiki>",
            "</nowiki>", "<!--", "-->", "File:", "Category:", "a", "Ж", "中", " ", "(", ")", ",", ";", "&amp;", "<div>",
            "</div>", "<table>",
            "</table>", "<pre>", "</pre>", "http://x ", "[http://x ", "]", "lang|fr|", "convert|1|", "__TOC__",
            "\u{A0}", "-", "!", "=", "x|y",
        ]
        for tables in [false, true] {
            for _ in 0..<40 {
                let source = (0..<(1 + next(80))).map { _ in tokens[next(tokens.count)] }.joined()
                convert(source, tables: tables).check()
            }
        }
    }

    @Test func `mwparserfromhell sees the same links and words`() throws {
        struct Golden: Decodable {
            var wikitext: String
            var links: [String]
            var every_link: [String]
            var words: [String]
        }
        let goldens = try JSONDecoder().decode(
            [String: Golden].self, from: Data(try ParseGoldens.bytes("wikitext.json")))
        #expect(goldens.count == 7)
        for (name, golden) in goldens {
            let document = convert(golden.wikitext)
            document.check()
            let targets = document.linkTarget.strings
            #expect(targets.indices.filter { document.hasPlace($0) }.map { targets[$0] } == golden.links, "\(name)")
            #expect(targets.sorted() == golden.every_link.sorted(), "\(name)")
            let isWord: (Character) -> Bool = { $0.isLetter || $0.isNumber }
            let words = document.string.split { !isWord($0) }.map(String.init)
            #expect(words == golden.words, "\(name)")
        }
    }
}
