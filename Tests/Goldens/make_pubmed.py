# Made with Python 3.11, lxml==6.1.3.
# Command: python Tests/Goldens/make_pubmed.py
"""Writes Tests/Goldens/pubmed/: PubMed XML of every form, and what lxml reads in it by XPath.

The records are made up; their forms are those of NLM's document types of 2016 and 2025.
"""
import gzip
import json
import os

from lxml import etree

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pubmed")
os.makedirs(here, exist_ok=True)

new = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">101</PMID>
<Article><Journal><JournalIssue><PubDate><Year>2019</Year><Month>Dec</Month></PubDate></JournalIssue></Journal>
<ArticleTitle>Uptake of <i>Mytilus</i> shells &amp; CO<sub>2</sub> at 5&#xa0;&#xb0;C.</ArticleTitle>
<ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID><ELocationID EIdType="doi" ValidYN="Y">10.1000/Shell.1</ELocationID>
<Abstract><AbstractText Label="AIM" NlmCategory="OBJECTIVE">We weighed
   <b>mussels</b>  (<i>n</i> &lt; 20) in <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mrow>
 <mml:mi>x</mml:mi> <mml:mo>=</mml:mo>
 <mml:mn>2</mml:mn></mml:mrow></mml:math> tanks.</AbstractText>
<AbstractText Label="RESULTS"><![CDATA[Growth <fell> & stopped.]]></AbstractText><AbstractText Label="NOTE"> </AbstractText>
<CopyrightInformation>(c) Nobody</CopyrightInformation></Abstract></Article>
<OtherAbstract Type="Publisher" Language="spa"><AbstractText>Otra lengua.</AbstractText></OtherAbstract></MedlineCitation>
<PubmedData><History><PubMedPubDate PubStatus="received"><Year>2018</Year><Month>1</Month><Day>1</Day></PubMedPubDate>
<PubMedPubDate PubStatus="entrez"><Year>2020</Year><Month>3</Month><Day>2</Day></PubMedPubDate>
<PubMedPubDate PubStatus="pubmed"><Year>2020</Year><Month>2</Month><Day>29</Day></PubMedPubDate></History>
<ArticleIdList><ArticleId IdType="pubmed">101</ArticleId><ArticleId IdType="doi">10.1000/Shell.1</ArticleId><ArticleId IdType="pmc">PMC7</ArticleId></ArticleIdList>
<ReferenceList><Title>References</Title><Reference><Citation>A</Citation><ArticleIdList><ArticleId IdType="doi">10.1000/a</ArticleId><ArticleId IdType="pubmed">202</ArticleId></ArticleIdList></Reference>
<Reference><Citation>No identifier</Citation></Reference>
<ReferenceList><Reference><Citation>B</Citation><ArticleIdList><ArticleId IdType="pubmed">303</ArticleId></ArticleIdList></Reference></ReferenceList></ReferenceList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="2">202</PMID><Article><ArticleTitle>[A title without an abstract].</ArticleTitle></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="CommentOn"><RefSource>x</RefSource><PMID Version="1">404</PMID></CommentsCorrections>
<CommentsCorrections RefType="Cites"><RefSource>y</RefSource><PMID Version="1">101</PMID></CommentsCorrections></CommentsCorrectionsList></MedlineCitation></PubmedArticle>
<!-- a comment with </PubmedArticle> in it -->
<PubmedBookArticle><BookDocument><PMID Version="1">303</PMID><ArticleIdList><ArticleId IdType="bookaccession">NBK1</ArticleId></ArticleIdList>
<Book><BookTitle>Tide tables</BookTitle><PubDate><Year>2011</Year></PubDate></Book><ArticleTitle>Spring tides</ArticleTitle>
<Abstract><AbstractText>Na\u00efve sailors wait.</AbstractText></Abstract></BookDocument></PubmedBookArticle>
<DeleteCitation><PMID Version="1">505</PMID><PMID Version="1">606</PMID></DeleteCitation>
</PubmedArticleSet>
"""

old = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE MedlineCitationSet PUBLIC "-//NLM//DTD Medline Citation, 1st January, 2016//EN" "https://www.nlm.nih.gov/databases/dtd/nlmmedlinecitationset_160101.dtd">
<MedlineCitationSet>
<MedlineCitation Owner="NLM" Status="MEDLINE"><PMID Version="1">11</PMID><DateCreated><Year>2007</Year><Month>10</Month><Day>18</Day></DateCreated>
<Article PubModel="Print"><ArticleTitle>Kelp in winter.</ArticleTitle><Abstract><AbstractText>Kelp grows slowly.</AbstractText></Abstract></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="Cites"><RefSource>z</RefSource><PMID Version="1">12</PMID></CommentsCorrections>
<CommentsCorrections RefType="ErratumIn"><RefSource>z</RefSource><PMID Version="1">13</PMID></CommentsCorrections>
<CommentsCorrections RefType="Cites"><RefSource>z</RefSource><PMID Version="1">14</PMID></CommentsCorrections></CommentsCorrectionsList>
<OtherID Source="NLM">NIHMS1</OtherID><OtherID Source="NLM">PMC99 [Available on 01/01/10]</OtherID></MedlineCitation>
</MedlineCitationSet>
"""


def flat(element):
    """All text, without what only lays out a formula."""
    for node in element.iter():
        if isinstance(node.tag, str) and etree.QName(node).localname in ("math", "mrow"):
            node.text = (node.text or "").strip()
            for child in node:
                child.tail = (child.tail or "").strip()
    return " ".join("".join(element.itertext()).replace("\u00a0", "\u0001").split()).replace("\u0001", "\u00a0")


def expected(path):
    tree = etree.parse(path)
    records = []
    for record in tree.xpath("//PubmedArticle/MedlineCitation | /MedlineCitationSet/MedlineCitation | //BookDocument"):
        article = record if record.tag == "BookDocument" else record.find("Article")
        outer = record.getparent() if record.getparent().tag.startswith("Pubmed") else record
        sections = [(s.get("Label"), flat(s)) for s in article.xpath("Abstract/AbstractText")]
        records.append({
            "pmid": record.findtext("PMID"),
            "title": flat(article.find("ArticleTitle")),
            "sections": [[label or "", text] for label, text in sections if text],
            "citations": record.xpath("CommentsCorrectionsList/CommentsCorrections[@RefType='Cites']/PMID/text()")
            + outer.xpath(".//ReferenceList/Reference/ArticleIdList/ArticleId[@IdType='pubmed']/text()"),
            "doi": (outer.xpath("PubmedData/ArticleIdList/ArticleId[@IdType='doi']/text()") or [""])[0],
        })
    return {"records": records, "deleted": tree.xpath("//DeleteCitation/PMID/text()")}


for name, text in [("new.xml", new), ("old.xml", old)]:
    with open(os.path.join(here, name), "w", encoding="utf-8") as file:
        file.write(text)
for name, encoding in [("latin1.xml", "iso-8859-1"), ("utf16.xml", "utf-16")]:
    with open(os.path.join(here, name), "wb") as file:
        file.write(new.replace("utf-8", encoding).encode(encoding))
whole = gzip.compress(new.encode(), 9, mtime=0)
with open(os.path.join(here, "cut.xml.gz"), "wb") as file:
    file.write(whole[: len(whole) * 2 // 3])
with open(os.path.join(here, "expected.json"), "w", encoding="utf-8") as file:
    json.dump({name: expected(os.path.join(here, name)) for name in ("new.xml", "old.xml")}, file, indent=1, ensure_ascii=False)
    file.write("\n")
