// The elements of JATS and its forerunners (NLM DTD 1.0 to 3.0, JATS 1.0 to 1.3) that carry what Linkloom reads, or whose
// text must not be read as prose. Elements that are not listed are transparent: their children are read.

enum JATSElement: String, CaseIterable, Sendable {
    // The article
    case abstract, app, article, articleID = "article-id", articleMeta = "article-meta", articleTitle = "article-title"
    case back, body, day, elocationID = "elocation-id", floatsGroup = "floats-group", floatsWrap = "floats-wrap"
    case fpage, front, journalMeta = "journal-meta", journalTitle = "journal-title", month, pubDate = "pub-date"
    case abbreviatedTitle = "abbrev-journal-title", journalID = "journal-id", journalTitleGroup = "journal-title-group"
    case relatedArticle = "related-article", response, subArticle = "sub-article", subtitle, titleGroup = "title-group"
    case volume, year
    // References
    case citation, elementCitation = "element-citation", mixedCitation = "mixed-citation", nlmCitation = "nlm-citation"
    case objectID = "object-id", pubID = "pub-id", ref, refList = "ref-list", source
    // Blocks
    case code, def, defItem = "def-item", defList = "def-list", list, p, preformat, sec, term, title
    case verseLine = "verse-line"
    case boxedText = "boxed-text", dispQuote = "disp-quote", speech, statement, verseGroup = "verse-group"
    // Floats
    case caption, chemStructWrap = "chem-struct-wrap", fig, figGroup = "fig-group", label, media
    case supplementaryMaterial = "supplementary-material", table, tableWrap = "table-wrap"
    case tableWrapGroup = "table-wrap-group", td, th, tr
    // Inline
    case breakLine = "break", extLink = "ext-link", inlineFormula = "inline-formula", math, xref
    // Never text
    case altText = "alt-text", annotation, annotationXML = "annotation-xml", contribGroup = "contrib-group"
    case dispFormula = "disp-formula", dispFormulaGroup = "disp-formula-group", fn, fnGroup = "fn-group", graphic
    case inlineGraphic = "inline-graphic", longDescription = "long-desc", permissions
    case secMeta = "sec-meta", tableWrapFoot = "table-wrap-foot", texMath = "tex-math"
}

/// What of an article becomes text beside its abstract and body.
package struct JATSOptions: Sendable, Equatable {
    package var labels = AbstractLabels.inline
    /// Captions of figures, tables and supplements, each a block after the paragraph that they stand in.
    package var captions = true
    /// Tables, a block a row.
    package var tables = false

    package init(labels: AbstractLabels = .inline, captions: Bool = true, tables: Bool = false) {
        self.labels = labels
        self.captions = captions
        self.tables = tables
    }
}

/// One article. The document's links are its citations, with a place where the text names them, then the references that
/// it does not name and the articles that it is related to. A target is all identifiers of what is cited, parted by
/// spaces: `doi:10.1000/x pmid:123`. The aliases are the article's own.
package struct JATSArticle: Sendable {
    package var document = ParsedDocument()
    /// The earliest date of publication.
    package var date: PartialDate?
    package var references = 0
    /// References without any identifier.
    package var referencesWithoutID = 0
    package var relatedArticles = 0
    /// Decision letters, author's responses and the like, which are articles of their own and left out.
    package var subArticles = 0

    package init() {}

    mutating func removeAll() {
        document.removeAll()
        date = nil
        (references, referencesWithoutID, relatedArticles, subArticles) = (0, 0, 0, 0)
    }
}
