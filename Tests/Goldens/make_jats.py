# Made with Python 3.11, lxml==6.1.3.
# Command: python Tests/Goldens/make_jats.py
"""Writes Tests/Goldens/jats/: full texts in JATS and older forms, and what lxml reads in them by XPath.

The articles are made up; their forms are those of NLM 2.3, JATS 1.1 and of eLife.
"""
import json
import os

from lxml import etree

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jats")
os.makedirs(here, exist_ok=True)
head = ('<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" '
        'article-type="research-article">')

jats = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.1 20151215//EN" "JATS-archivearticle1.dtd">
{head}<front><journal-meta><journal-id journal-id-type="nlm-ta">Tide Res.</journal-id><journal-title-group><journal-title>Tide Research</journal-title></journal-title-group></journal-meta>
<article-meta><article-id pub-id-type="publisher-id">t1</article-id><article-id pub-id-type="doi">10.1000/Tide.1</article-id><article-id pub-id-type="pmid">77</article-id>
<title-group><article-title>How <italic>Fucus</italic> dries<xref ref-type="fn" rid="fn1">*</xref></article-title><subtitle>A shore study</subtitle></title-group>
<pub-date pub-type="collection"><year>2015</year></pub-date><pub-date pub-type="epub"><day>3</day><month>11</month><year>2014</year></pub-date>
<volume>4</volume><elocation-id>e12</elocation-id><permissions><copyright-statement>(c) Nobody</copyright-statement></permissions>
<related-article related-article-type="commentary" ext-link-type="doi" xlink:href="10.1000/Tide.2"/>
<abstract><title>Abstract</title><sec><title>Background</title><p>Weeds dry.</p></sec><sec><title>Findings:</title><p>They <bold>live</bold>.</p><p>Some die.</p></sec></abstract>
<abstract abstract-type="toc"><p>Not this.</p></abstract></article-meta></front>
<body><sec><label>1</label><title>Introduction</title>
<p>Drying was seen before<sup><xref ref-type="bibr" rid="b1">1</xref>,<xref ref-type="bibr" rid="b2">2</xref></sup> and again (<xref ref-type="bibr" rid="b1 b3">Ray, 1999</xref>; see <xref ref-type="fig" rid="f1">Figure 1</xref>)<xref ref-type="fn" rid="n1">a</xref>.
<fig id="f1"><object-id pub-id-type="doi">10.1000/Tide.1.001</object-id><label>Figure 1</label><caption><title>A shore.</title><p>Drawn after <xref ref-type="bibr" rid="b2">Ole (2001)</xref>.</p></caption><graphic xlink:href="f1.tif"/><permissions><copyright-statement>(c) Fig</copyright-statement></permissions></fig>
It follows <disp-formula id="e1"><tex-math>\\frac{{a}}{{b}}</tex-math></disp-formula> , where <inline-formula><alternatives><tex-math>x_2</tex-math><mml:math><mml:msub><mml:mi>x</mml:mi> <mml:mn>2</mml:mn></mml:msub></mml:math></alternatives></inline-formula> is the height (<inline-graphic xlink:href="i.gif"/>).</p>
<p>Steps:<list list-type="order"><list-item><label>1.</label><p>Wait.</p></list-item><list-item><p>Weigh<fn><p>A note.</p></fn> again.</p></list-item></list>then stop.</p>
<table-wrap id="t1"><label>Table 1</label><caption><p>Weights.</p></caption><table><thead><tr><th>Weed</th><th>g</th></tr></thead><tbody><tr><td><p>Fucus<xref ref-type="bibr" rid="b4">4</xref></p></td><td/></tr><tr><td>Kelp</td><td>9</td></tr></tbody></table><table-wrap-foot><fn><p>Foot.</p></fn></table-wrap-foot></table-wrap>
<preformat>  a = 1
  b = 2
</preformat></sec></body>
<back><ack><p>Thanks.</p></ack><ref-list><title>References</title>
<ref id="b1"><label>1</label><element-citation publication-type="journal"><source>Shore</source><volume>9</volume><fpage>1</fpage><pub-id pub-id-type="pmid">11</pub-id><pub-id pub-id-type="doi">10.1000/R.1</pub-id></element-citation></ref>
<ref id="b2"><mixed-citation>Ole. <source>Tide Res.</source> <volume>2</volume>: p. 3. <ext-link ext-link-type="uri" xlink:href="https://doi.org/10.1000/R.2">link</ext-link></mixed-citation></ref>
<ref id="b3"><element-citation><source>Tide Research</source><volume>3</volume><fpage>e7</fpage></element-citation></ref>
<ref id="b4"><citation-alternatives><element-citation><pub-id pub-id-type="pmcid">PMC5</pub-id></element-citation><mixed-citation>The same</mixed-citation></citation-alternatives></ref>
<ref id="b5"><mixed-citation>A book without any identifier.</mixed-citation></ref>
</ref-list></back>
<sub-article article-type="reply"><front-stub><article-id pub-id-type="doi">10.1000/Tide.1.9</article-id></front-stub><body><p>Dear editor.</p></body></sub-article></article>
"""

nlm = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD Journal Publishing DTD v2.3 20070202//EN" "journalpublishing.dtd" [<!ENTITY f1 SYSTEM "f1.gif" NDATA gif>]>
{head}<front><journal-meta><journal-title>Old Shore</journal-title></journal-meta><article-meta><article-id pub-id-type="pmc">55</article-id>
<title-group><article-title>Old weeds &ndash; a note</article-title></title-group><pub-date><year>2005</year></pub-date><volume>1</volume><fpage>10</fpage></article-meta></front>
<body><p>One paragraph [<xref ref-type="bibr" rid="B1">1</xref>].</p></body>
<back><ref-list><ref id="B1"><nlm-citation citation-type="journal"><pub-id pub-id-type="pmid">12</pub-id></nlm-citation></ref><ref id="B2"><citation><pub-id pub-id-type="doi">10.1000/old</pub-id></citation></ref></ref-list></back></article>
"""


def expected(path):
    tree = etree.parse(path, etree.XMLParser(load_dtd=False, resolve_entities=False))
    ids = tree.xpath("//back//ref//pub-id/text()")
    return {
        "paragraphs": len(tree.xpath("/article/body//p[not(ancestor::fn) and not(ancestor::table)]")),
        "references": len(tree.xpath("//back//ref")),
        "identifiers": ids,
        "bibliographic_links": sum(len(x.get("rid").split()) for x in tree.xpath(
            "/article/body//xref[@ref-type='bibr'][not(ancestor::table)]")),
        "related": tree.xpath("/article/front//related-article/@xlink:href", namespaces={"xlink": "http://www.w3.org/1999/xlink"}),
    }


for name, text in [("jats.xml", jats), ("nlm.nxml", nlm)]:
    with open(os.path.join(here, name), "w", encoding="utf-8") as file:
        file.write(text)
with open(os.path.join(here, "expected.json"), "w", encoding="utf-8") as file:
    json.dump({name: expected(os.path.join(here, name)) for name in ("jats.xml", "nlm.nxml")}, file, indent=1)
    file.write("\n")
