// Links whose text is not kept stay as links without a place; those that are no links of the page do not.

import Foundation
import Testing
import Text

@Suite struct ParseHiddenLinkTests {
    /// Targets of the links with a place, then, after a bar, of those without.
    private func targets(_ text: String, tables: Bool = false) -> String {
        let document = convert(text, tables: tables)
        document.check()
        let placed = (0..<document.linkCount).filter { document.hasPlace($0) }.map { document.linkTarget.string($0) }
        let hidden = (0..<document.linkCount).filter { !document.hasPlace($0) }.map { document.linkTarget.string($0) }
        return placed.joined(separator: " ") + "|" + hidden.joined(separator: " ")
    }

    @Test(arguments: [
        ("[[a]] {{infobox|x=[[b|c]]|y={{z|[[d]]}}}} [[e]]", "a e|b d"),
        ("a\n{|\n|+ [[cap]]\n| [[b]] || x [[c|]]\n{|\n| [[d]]\n|}\n|}", "|cap b c d"),
        ("a<ref>[[b]] {{cite|[[c]]}}</ref><references><ref>[[d]]</ref></references>", "|b c d"),
        ("<gallery>\nFile:X.jpg|the [[a]]\n</gallery><imagemap>rect 1 2 [[b|c]]</imagemap>z", "|a b"),
        ("[[File:X.jpg|thumb|a [[b]] in [[c|d]]<ref>[[e]]</ref>]] [[f]]", "f|b c e"),
        ("== [[a]] ==\n{{x}}", "|a"), ("* [[a|&nbsp;]] {{x}}\nb", "|a"), ("| [[a]] row\nb", "|a"),
        ("{{lang|fr|[[a]]|extra=[[b]]}} {{convert|1|km|[[c]]}}", "a|b c"), ("{{x|[[a &amp; b]]}}", "|a & b"),
        ("<!-- [[a]] --><nowiki>[[b]]</nowiki><math>[[c]]</math><pre>[[d]]</pre>x", "|"),
        ("{{x|[[Category:A]] [[Datei:B.png]] [[fr:C]] [[wikt:d]] [[{{e}}]] [[f|[[g]]]]}}", "|g"),
        ("<ref>[[a]] {{b</ref> [[c]] }} [[d]]<ref>[[e</ref>]]", "c d|a"),
    ]) func `links stay where their text does not`(_ source: String, _ expected: String) {
        #expect(targets(source) == expected)
    }

    @Test func `a link that tables show has a place, and none is counted twice`() {
        let table = "{|\n| [[a]] || [[b]]<ref>[[c]]</ref>\n|}"
        #expect(targets(table) == "|a b c")
        #expect(targets(table, tables: true) == "a b|c")
    }

    @Test func `100,000 nested or unclosed brackets with links inside take linear time`() {
        let n = 100_000
        let units = [
            "{{", "{{a|[[b]]", "{{quote|", "{{convert|1|", "{{nihongo|a|", "<ref>[[a]]", "<ref><gallery>", "<ref>{{a|",
            "[[a|{{b|",
            "{|\n|[[a]]\n", "[[File:a|[[b]] ", "<references><ref>", "{{lang-fr|[[a|", "<gallery>[[a]]</gallery>",
            "{{formatnum:",
        ]
        let clock = ContinuousClock()
        for unit in units {
            for closing in ["", "}}", "</ref>", "]]}}"] {
                let count = n / (1 + unit.utf8.count / 4)
                let source = String(repeating: unit, count: count) + String(repeating: closing, count: count)
                var document = ParsedDocument()
                let time = clock.measure { document = convert(source) }
                document.check()
                // A quadratic step would take minutes; the bound leaves room for a slow, loaded machine.
                #expect(time < .seconds(20), "\(unit) … \(closing): \(time)")
            }
        }
    }
}
