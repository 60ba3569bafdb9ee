// Titles and identifiers: the forms under which a link and its document meet.

import Container
import Corpus
import Testing

@Suite struct LinkNameTests {
    static let latgalian = TitleNormalForm(
        namespaces: ["Kategoreja": ["category"], "Sablons": ["template"], "Вікіпедія": ["project", "wp"]])

    @Test(arguments: [
        ("foo", "Foo"), ("Foo_bar", "Foo bar"), ("  _foo __ bar_ ", "Foo bar"), ("foo#History", "Foo"),
        (":foo", "Foo"), (": foo", "Foo"), ("foo\u{00A0}bar", "Foo bar"), ("foo\u{3000}\u{2003}bar", "Foo bar"),
        ("\u{200E}foo\u{200F}", "Foo"), ("éclair", "Éclair"), ("ßig", "ßig"), ("აბც", "აბც"), ("ωmega", "Ωmega"),
        ("𐐨x", "𐐀x"), ("iPod", "IPod"), ("1984", "1984"), ("Star Trek: voyager", "Star Trek: voyager"),
        ("C%2B%2B", "C%2B%2B"), ("ŀ", "Ŀ"), ("foo # bar", "Foo"), ("a\tb", "A b"),
    ])
    func `a title has the normal form of MediaWiki`(written: String, expected: String) {
        #expect(TitleNormalForm().normalize(written) == expected)
    }

    @Test(arguments: [
        ("category:foo", "Kategoreja:Foo"), ("KATEGOREJA : foo bar", "Kategoreja:Foo bar"),
        (":Kategoreja:foo", "Kategoreja:Foo"), ("template:x", "Sablons:X"), ("wp:про", "Вікіпедія:Про"),
        ("ВІКІПЕДІЯ:x", "Вікіпедія:X"), ("categoryx:foo", "Categoryx:foo"),
    ])
    func `a namespace prefix takes the site's own spelling`(written: String, expected: String) {
        #expect(Self.latgalian.normalize(written) == expected)
    }

    @Test(arguments: [
        ("%C3%81ed%C3%A1n_mac_Gabr%C3%A1in", "Áedán mac Gabráin"), ("100%_of_it", "100% of it"), ("%e2%82%ac", "€"),
        ("a%2", "A%2"), ("C%23", "C"), ("a+b", "A+b"),
    ])
    func `percent signs are decoded where asked`(written: String, expected: String) {
        #expect(TitleNormalForm().normalize(written, percentDecoding: true) == expected)
    }

    @Test func `a case-sensitive site keeps the first letter`() {
        #expect(TitleNormalForm(caseRule: .caseSensitive).normalize("foo_bar") == "foo bar")
    }

    @Test func `nothing, a section alone and a namespace alone are no titles`() {
        var out: [UInt8] = []
        func outcome(_ text: String) -> TitleNormalForm.Outcome {
            Array(text.utf8).withUnsafeBufferPointer { Self.latgalian.normalize($0, into: &out) }
        }
        #expect(outcome("") == .empty)
        #expect(outcome(" _ ") == .empty)
        #expect(outcome(":") == .empty)
        #expect(outcome("Kategoreja:") == .empty)
        #expect(outcome("#History") == .sectionOnly)
        #expect(outcome("Category:x") == .title(namespaced: true))
        #expect(outcome("Categorical: x") == .title(namespaced: false))
    }

    @Test func `a normal form is its own normal form`() {
        for text in ["foo_bar", ":Category: x ", "ßig", "a#b", "\u{200E}é"] {
            let once = Self.latgalian.normalize(text)
            #expect(once.flatMap { Self.latgalian.normalize($0) } == once)
        }
    }

    @Test(arguments: [
        ("Fr:Titre", true), ("Wikt:word", true), ("Zh-yue:x", true), ("UN: a history", false), ("Foo", false),
    ])
    func `a prefix of another wiki is recognised`(form: String, expected: Bool) {
        #expect(TitleNormalForm.looksInterwiki(Array(form.utf8)) == expected)
    }

    @Test(arguments: [
        ("PMID:0012", "pmid:12"), ("doi:10.7554/eLife.00013", "doi:10.7554/elife.00013"),
        ("doi:https://doi.org/10.1/X", "doi:10.1/x"), ("pmcid:PMC77", "pmcid:77"), ("pmcid:77", "pmcid:77"),
        ("arxiv:2203.15827", "arxiv:2203.15827"), ("own:Key_1 ", "own:Key_1"),
    ])
    func `an identifier has one form however it is written`(written: String, expected: String) {
        #expect(AliasForm.normalize(written) == expected)
    }

    @Test(arguments: ["Foo", "Star Trek: Voyager", "doi:", ":doi", "9:30", "a b:c"])
    func `most titles are no identifiers`(title: String) {
        #expect(AliasForm.normalize(title) == nil)
    }

    @Test func `the hash table finds what was put in, and only that`() {
        var table = IDTable()
        for i in 1...20_000 as ClosedRange<UInt64> { table.insert(KeyedRandom.mix(7, i), i) }
        #expect(table.count == 20_000)
        for i in 1...20_000 as ClosedRange<UInt64> { #expect(table[KeyedRandom.mix(7, i)] == i) }
        for i in 20_001...21_000 as ClosedRange<UInt64> { #expect(table[KeyedRandom.mix(7, i)] == nil) }
        #expect(table.insert(KeyedRandom.mix(7, 5), 99) == 5)
        #expect(table[KeyedRandom.mix(7, 5)] == 5)
    }

    @Test func `names of every length up to forty bytes have hashes of their own`() {
        var seen: Set<UInt64> = []
        for length in 0..<40 {
            for role in [ByteHash.Role.title, .alias, .sourceID, .asWritten] {
                #expect(seen.insert(ByteHash.of([UInt8](repeating: 0, count: length), as: role)).inserted)
                for at in 0..<length {
                    var bytes = [UInt8](repeating: 0, count: length)
                    bytes[at] = 1
                    #expect(seen.insert(ByteHash.of(bytes, as: role)).inserted)
                }
            }
        }
    }
}
