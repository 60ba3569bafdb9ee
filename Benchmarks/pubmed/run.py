# Made with Python 3.11, lxml==6.1.3.
# Command: python Benchmarks/pubmed/run.py FILE.xml.gz [--times 40] [--passes 5] [--binary PATH]
"""PubMed XML to documents with citations: ours beside lxml's iterparse, interleaved, one thread each, plain XML.

The file's records are repeated to a size that can be timed. PMID, title, abstract and cited PMIDs of every record must be
the same bytes. Build first: swift build -c release --package-path Benchmarks/pubmed
"""
import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

from lxml import etree

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--times", type=int, default=40)
parser.add_argument("--passes", type=int, default=5)
parser.add_argument("--binary", default=os.path.join(here, ".build/release/pubmed-benchmark"))
args = parser.parse_args()


def flat(element):
    return b" ".join("".join(element.itertext()).encode().split())


def records(path):
    """PMID, title, abstract and cited PMIDs, as a reader of lxml would take them."""
    for _, element in etree.iterparse(path, tag="MedlineCitation"):
        article = element.find("Article")
        abstract = article.find("Abstract")
        texts = [] if abstract is None else [flat(part) for part in abstract.findall("AbstractText")]
        cited = []
        for correction in element.iterfind("CommentsCorrectionsList/CommentsCorrections"):
            if correction.get("RefType") == "Cites":
                cited.append(correction.findtext("PMID"))
        outer = element.getparent()
        yield element.findtext("PMID"), flat(article.find("ArticleTitle")), b"\n".join(filter(None, texts)), cited
        element.clear()
        while element.getprevious() is not None:
            del outer[0]


def digest(path):
    value = 0xCBF29CE484222325
    for pmid, title, text, cited in records(path):
        for part in [pmid.encode(), title, text] + [b"pmid:" + c.encode() for c in cited]:
            for b in part + b"\xff":
                value = (value ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


whole = gzip.open(args.file).read()
begin, end = whole.index(b"<MedlineCitation "), whole.rindex(b"</MedlineCitationSet>")
assert not re.search(rb"<MedlineCitationSet>\s*<PubmedArticle", whole), "take a file of MedlineCitation records"
with tempfile.TemporaryDirectory() as folder:
    once, many = os.path.join(folder, "once.xml"), os.path.join(folder, "many.xml")
    with open(once, "wb") as file:
        file.write(whole)
    with open(many, "wb") as file:
        file.write(whole[:begin] + whole[begin:end] * args.times + whole[end:])
    size = os.path.getsize(many) / 1e6

    def ours(path):
        return json.loads(subprocess.run([args.binary, path, "1"], check=True, capture_output=True, text=True).stdout)

    assert int(ours(once)["hash"]) == digest(once), "the documents differ"
    mine, theirs = [], []
    for _ in range(args.passes):
        mine.append(ours(many)["seconds"][0])
        start = time.process_time()
        count = sum(1 for _ in records(many))
        theirs.append(time.process_time() - start)
    assert count == ours(many)["records"]
mine, theirs = statistics.median(mine), statistics.median(theirs)
print(f"{size:.0f} MB, {count} records, the same documents; medians of {args.passes}, CPU time of one thread")
print(f"lxml iterparse  {size / theirs:7.1f} MB/s")
print(f"linkloom        {size / mine:7.1f} MB/s")
print(f"ratio           {theirs / mine:7.2f}")
