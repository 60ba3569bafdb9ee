// The elements of PubMed's document types that carry what Linkloom reads, and what a record gives besides its document.

/// PubmedArticleSet (2002 to 2025) and MedlineCitationSet (to 2016).
enum PubMedElement: String, CaseIterable, Sendable {
    case abstract = "Abstract", abstractText = "AbstractText", annotation, annotationXML = "annotation-xml"
    case article = "Article", articleDate = "ArticleDate", articleID = "ArticleId", articleIDList = "ArticleIdList"
    case articleTitle = "ArticleTitle", book = "Book", bookDocument = "BookDocument", bookTitle = "BookTitle"
    case commentsCorrections = "CommentsCorrections", commentsCorrectionsList = "CommentsCorrectionsList"
    case dateCreated = "DateCreated", day = "Day", deleteCitation = "DeleteCitation"
    case deleteDocument = "DeleteDocument", elocationID = "ELocationID", history = "History", journal = "Journal"
    case journalIssue = "JournalIssue", math, medlineCitation = "MedlineCitation"
    case medlineCitationSet = "MedlineCitationSet", medlineDate = "MedlineDate", month = "Month"
    case otherID = "OtherID", pmid = "PMID", pubDate = "PubDate", pubMedPubDate = "PubMedPubDate"
    case pubmedArticle = "PubmedArticle", pubmedArticleSet = "PubmedArticleSet"
    case pubmedBookArticle = "PubmedBookArticle", pubmedBookArticleSet = "PubmedBookArticleSet"
    case pubmedBookData = "PubmedBookData", pubmedData = "PubmedData", reference = "Reference"
    case referenceList = "ReferenceList", year = "Year"
}

/// How the labels of a structured abstract's sections (`BACKGROUND`) are kept.
package enum AbstractLabels: String, CaseIterable, Sendable {
    /// `BACKGROUND: We …`, as PubMed shows them.
    case inline
    /// A heading before the section.
    case heading
    case none
}

/// One citation. The document's `sourceID` is the PMID; its links are what it cites, each `pmid:…` or, where there is
/// no PMID, `doi:…` or `pmcid:…`, without a place in the text; its aliases are its own PMID, DOI and PMCID.
package struct PubMedRecord: Sendable {
    package var document = ParsedDocument()
    /// When PubMed got it: the date of entry where there is one, else of creation (old files), else of publication.
    package var date: PartialDate?

    package init() {}

    mutating func removeAll() {
        document.removeAll()
        date = nil
    }
}
