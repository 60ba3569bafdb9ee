// ParsedDocument: links with and without a place when blocks go.

import Testing

import Text

struct ParsedDocumentTests {
    @Test func `removing blocks takes the links placed in them and keeps those without a place`() {
        var document = convert("One [[a]].\n\nTwo [[b]].\n\nThree [[c]].")
        document.appendPlacelessLink(Array("d".utf8))
        #expect(document.links == ["a→a", "b→b", "c→c", "→d"])
        let removed = document.removeBlocks { $0 == 1 }
        document.check()
        #expect(removed == 1 && document.string == "One a.\nThree c." && document.links == ["a→a", "c→c", "→d"])
    }
}
