// Templates that carry running text are rendered by rule; all others leave neither text nor punctuation behind.

import Testing
import Text

@Suite struct ParseTemplateTests {
    private func line(_ text: String, title: String = "") -> String {
        var converter = Wikitext(site: SiteInfo())
        var document = ParsedDocument()
        document.title = title
        converter.convert(Array(text.utf8), into: &document)
        document.check()
        return document.blocks.joined(separator: "⏎")
    }

    @Test(arguments: [
        ("{{convert|52419.5|sqmi|km2|abbr=out}}", "52,419.5 sq mi"), ("{{convert|5|to|8|C|F}}", "5 to 8 °C"),
        ("{{cvt|5|ft|8|in|m}}", "5 ft 8 in"), ("{{val|0.0012|0.3|u=kg}}", "0.0012±0.3 kg"),
        ("{{val|12345|e=-6}}", "12,345×10^-6"),
        ("{{frac|3}} {{frac|1|2}} {{sfrac|2|3|4}}", "1/3 1/2 2 3/4"), ("{{formatnum:1234567}}", "1,234,567"),
        ("{{formatnum|-1000}}", "-1,000"), ("{{formatnum:12.5 km}}", "12.5 km"), ("{{gaps|1|2}}", "1"),
        ("{{e|-6}}", "×10^-6"), ("{{US$|5}} {{GBP|7 million}}", "US$5 £7 million"),
    ]) func `amounts keep their unit and group their digits`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }

    @Test(arguments: [
        ("{{birth date|1990|5|1}}", "May 1, 1990"), ("{{Birth date and age|df=y|1990|05|01}}", "1 May 1990"),
        ("{{death date and age|2001|5|1|1920|6|4}}", "May 1, 2001 (aged 80)"), ("{{dda|2001|1920}}", "2001"),
        ("{{start date|1999|12}}", "December 1999"), ("{{start date|Spring 1999}}", "Spring 1999"),
        ("{{As of|2011}} {{as of|2011|3|lc=y}}", "As of 2011 as of March 2011"),
        ("{{as of|2011|alt=in early 2011}}", "in early 2011"),
        ("{{BCE|322}} {{circa|1500}} {{reign|1|9}}", "322 BCE c. 1500 r. 1–9"),
    ]) func `dates are written out`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }

    @Test(arguments: [
        ("{{lang|fr|mot ''juste''}}", "mot juste"), ("{{transl|ar|ALA|kitāb}}, {{transl|ar|kitāb}}", "kitāb, kitāb"),
        ("({{lang-sq|Shqipëri}})", "(Albanian: Shqipëri)"), ("{{lang-xx|x}}", "x"), ("{{IPA-de|ˈaʁ|lang}}", "ˈaʁ"),
        ("{{Nihongo|'''Aikido'''|合気道|Aikidō|lead=yes}}", "Aikido (合気道, Aikidō)"), ("{{nihongo|Kendo}}", "Kendo"),
        ("{{IPAc-en|lang|æ|l|ˈ|b|En.ogg}}", "/ælˈb/"), ("{{respell|ly|SEJ|ə}}", "ly-SEJ-ə"), ("{{angbr|υι}}", "⟨υι⟩"),
        ("{{IPAblink|ɛː}} {{IPAslink|t}}", "[ɛː] /t/"), ("{{chem|C|''n''|H|2}}", "CnH2"),
        ("{{HMS|Atlas|68|6}}", "HMS Atlas"),
        ("{{sclass|Nimitz|aircraft carrier}}", "Nimitz-class aircraft carrier"),
        ("{{flag|Chad|local}} {{flagicon|Chad}}x", "Chad x"),
        ("* {{Official website|http://x.y}}", "Official website"), ("{{hlist|a|[[b]]|c}}", "a, b, c"),
        ("{{Bibleref|Exodus|7:1|9}}", "Exodus 7:1"), ("{{script/Arabic|٩}}{{'s}}", "٩'s"), ("{{PAGENAME}}!", "Ship!"),
    ]) func `names, scripts and sounds are shown as a reader sees them`(_ source: String, _ shown: String) {
        #expect(line(source, title: "Ship") == shown)
    }

    @Test func `quotations and column lists are blocks of their own`() {
        #expect(line("a {{quote|b\n\nc|Author}} d") == "a⏎b⏎c⏎d")
        #expect(line("{{quote box|quote=b|width=3}}") == "b")
        #expect(line("{{columns-list|2|\n* one\n* two\n}}") == "one⏎two")
    }

    @Test(arguments: [
        ("Ann (born 1900, {{x}}) was", "Ann (born 1900) was"), ("A ({{x}}; {{y}}) b", "A b"), ("A [{{x}}] b", "A b"),
        ("A ({{lang-fr|}}) b", "A b"), ("A {{x}}, {{y}}. B", "A. B"), ("A ([[b]], {{x}}).", "A (b)."),
        ("* {{x}}, {{y}}\n* z", "z"), ("a {{x}} b {{y}}", "a b"), ("({{x}}: word)", "(word)"),
        ("A ({{IPA|}} {{x}}) b", "A b"),
        ("for example, <math>x</math>. Then", "for example. Then"), ("only \"<math>x</math>\" is", "only is"),
        ("A ({{IPA|x}}; {{respell}}) b", "A (x) b"), ("he said \"{{x}}a\"", "he said \"a\""),
    ]) func `dropped templates leave no punctuation`(_ source: String, _ shown: String) {
        #expect(line(source) == shown)
    }
}
