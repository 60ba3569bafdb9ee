# Made with Python 3.11, lxml==6.1.3.
# Command: python Tests/Goldens/check_citations.py DATA [--linkloom PATH] [--store FOLDER] [--show 10]
"""Compares the citations of the eLife and PubMed corpora with what plain XPath finds in their files.

DATA is the folder that `params.data` names. Runs `linkloom run … --until links` on both corpora of pipelines/linkbert.yaml
and reads what `cat documents` and `cat links` print.
eLife: directed pairs of articles, from references that give the DOI of another article (or of a figure in it, which adds
`.001`), from those that only name the journal and `e01234`, and from related-article elements.
PubMed: cited PMIDs of every record, each as often as it stands there; DOIs where a reference has no PMID; pairs of records.
Every difference is put into a class. Exits 1 if a precision or a recall is below 0.99.
"""
import argparse
import collections
import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

from lxml import etree

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "../..")
arguments = argparse.ArgumentParser()
arguments.add_argument("data")
arguments.add_argument("--linkloom", default=os.path.join(root, ".build/release/linkloom"))
arguments.add_argument("--store", help="a folder of its own, removed afterwards, unless this names one")
arguments.add_argument("--show", type=int, default=10, help="differences to print of each class")
args = arguments.parse_args()

BOUND = 0.99
HREF = "{http://www.w3.org/1999/xlink}href"
ELIFE_DOI = re.compile(r"10\.7554/elife\.\d{5}", re.I)
temporary = None if args.store else tempfile.TemporaryDirectory()
store = args.store or temporary.name
bad = []


def xml(stream):
    return etree.parse(stream, etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)).getroot()


def text(node):
    return "".join(node.itertext()).strip()


def made(corpus):
    """(documents, links) as `linkloom cat` prints them."""
    shared = [os.path.join(root, "pipelines/linkbert.yaml"), "-e", "biolinkbert", "-s", f"corpus={corpus}"]
    shared += ["-s", f"params.data={os.path.abspath(args.data)}", "--store", store]

    def call(command, *more):
        done = subprocess.run([args.linkloom, command, shared[0], *more, *shared[1:]], stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"linkloom {command} ended with {done.returncode}")
        return done.stdout.decode().split("\n")[:-1]

    call("run", "--until", "links")
    return [[json.loads(line) for line in call("cat", stage)] for stage in ("documents", "links")]


def compare(what, ours, theirs, classify):
    """Two multisets: counts, precision, recall, and every class of difference."""
    ours, theirs = collections.Counter(ours), collections.Counter(theirs)
    both = sum((ours & theirs).values())
    n, m = sum(ours.values()), sum(theirs.values())
    precision, recall = both / n if n else 1.0, both / m if m else 1.0
    print(f"{what}: ours {n}, XPath {m}, in both {both}; precision {precision:.4f}, recall {recall:.4f}")
    if min(precision, recall) < BOUND:
        bad.append(what)
    classes = collections.defaultdict(list)
    for sign, difference in (("only ours", ours - theirs), ("only XPath", theirs - ours)):
        for item in sorted(difference.elements()):
            classes[f"{sign}: {classify(item)}"].append(item)
    for name, items in sorted(classes.items()):
        print(f"  {len(items):6} {name}")
        for item in items[: args.show]:
            print("           " + " → ".join(map(str, item)))


def elife():
    articles = {}
    with tarfile.open(os.path.join(args.data, "biomedical/elife/elife_linked.tar.gz")) as archive:
        for member in archive:
            if member.name.endswith(".xml"):
                article = xml(archive.extractfile(member))
                own = article.xpath("string(front/article-meta/article-id[@pub-id-type='doi'])").strip().lower()
                assert own and own not in articles, member.name
                articles[own] = article
    names_of = {f"doi:{own}": own for own in articles}
    for own, article in articles.items():
        volume = text(article.find("front/article-meta/volume"))
        names_of[f"page:elife/{volume}/e{own[-5:]}"] = own
    by_doi, by_part, by_link, by_place, related = set(), set(), set(), set(), collections.Counter()
    references = own_doi = disagreeing = 0
    for own, article in articles.items():
        for citation in article.xpath("//ref-list//element-citation | //ref-list//mixed-citation"):
            references += 1
            named = set()
            for doi in (text(d).lower() for d in citation.xpath(".//pub-id[@pub-id-type='doi']")):
                found = ELIFE_DOI.match(doi)
                if found and found[0] in articles:
                    named.add(found[0])
                    (by_doi if doi == found[0] else by_part).add((own, found[0]))
            for address in (link.get(HREF, "") for link in citation.iter("ext-link")):
                found = ELIFE_DOI.search(address)
                if found and found[0].lower() in articles:
                    by_link.add((own, found[0].lower()))
            if own in named:
                own_doi += 1
            if re.sub(r"\W", "", citation.xpath("string(source)")).lower() != "elife":
                continue
            for page in map(text, citation.xpath("elocation-id | fpage")):
                found = re.fullmatch(r"e(\d{5})", page)
                place = found and f"10.7554/elife.{found[1]}"
                if place in articles:
                    by_place.add((own, place))
                    disagreeing += bool(named) and place not in named
        for element in article.xpath("front/article-meta/related-article[@ext-link-type='doi']"):
            target = element.get(HREF).strip().lower()
            if target in articles:
                related[own, target] += 1
    ways = [{p for p in pairs if p[0] != p[1]} for pairs in (by_doi, by_part, by_link, by_place)]
    by_doi, by_part, by_link, by_place = ways
    cited = set().union(*ways)
    pairs = cited | set(related)
    print(f"eLife: {len(articles)} articles, {references} references")
    print(f"  {len(cited)} cited pairs with both ends inside: {len(by_doi)} by the article's DOI,")
    print(f"    {len(by_part - by_doi)} more by the DOI of a part of it or with a full stop behind,")
    print(f"    {len(by_link - by_doi - by_part)} more by a link to a resolver of DOIs,")
    print(f"    {len(by_place - by_doi - by_part - by_link)} more by the journal and `e01234`")
    print(f"    ({own_doi} references give the DOI of the citing article, {disagreeing} a DOI that the page belies)")
    print(f"  {sum(related.values())} related-article links with both ends inside")
    print(f"  together {len(pairs)} directed, {len({frozenset(p) for p in pairs})} undirected pairs")

    documents, links = made("elife")
    names = {d["id"]: d["source_id"].lower() for d in documents}
    compare("eLife documents", ((n,) for n in names.values()), ((n,) for n in articles), lambda _: "article")
    ours = {(names[link["source"]], names[link["target"]]) for link in links}

    def reason(pair):
        kinds = zip(("DOI", "DOI of a part", "link", "page", "related article"), (*ways, set(related)))
        return " and ".join(name for name, found in kinds if pair in found) or "no such citation"

    compare("eLife pairs", ours, pairs, reason)
    # Without the related articles, which would hide a reference to one of them that is not found.
    found = set()
    for d in documents:
        own = d["source_id"].lower()
        targets = collections.Counter(k["target"].lower() for k in d["links"] if k["begin"] is None)
        targets -= collections.Counter("doi:" + target for source, target in related.elements() if source == own)
        targets += collections.Counter(k["target"].lower() for k in d["links"] if k["begin"] is not None)
        for name in (name for target in targets for name in target.split(" ")):
            if name in names_of and names_of[name] != own:
                found.add((own, names_of[name]))
    compare("eLife cited pairs", found, cited, reason)
    with_place = sum(k["begin"] is not None for k in links)
    print(f"  {len(links)} links make them, {with_place} with a place in the text")


def pubmed():
    records, last = [], {}
    folder = os.path.join(args.data, "biomedical/pubmed")
    for path in [os.path.join(folder, "medline16n0902.xml.gz")] + sorted(glob.glob(os.path.join(folder, "efetch/*.xml"))):
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as stream:
            content = xml(stream)
        for citation in content.iter("MedlineCitation"):
            record = citation.getparent() if citation.getparent().tag == "PubmedArticle" else citation
            pmid = text(citation.find("PMID"))
            cites = [text(n) for n in citation.xpath("CommentsCorrectionsList/CommentsCorrections[@RefType='Cites']/PMID")]
            listed = [text(n) for n in record.xpath(".//ReferenceList//ArticleId[@IdType='pubmed']")]
            without = record.xpath(".//Reference[not(.//ArticleId[@IdType='pubmed']) and .//ArticleId[@IdType='doi']]")
            dois = [text(n.xpath(".//ArticleId[@IdType='doi']")[0]) for n in without]
            records.append((os.path.basename(path), pmid, cites, listed, len(record.xpath("PubmedData/ReferenceList")) > 0))
            last[pmid] = (cites + listed, dois, bool(citation.xpath("Article/Abstract/AbstractText")))
    for name, own in (("medline16n0902", True), ("efetch", False)):
        part = [r for r in records if r[0].startswith("medline16n0902") == own]
        cited = [pmid for r in part for pmid in r[2] + r[3]]
        once = sum(len(set(r[2] + r[3])) for r in part)
        print(
            f"PubMed {name}: {len(part)} records, {sum(r[4] for r in part)} with a ReferenceList; PMIDs cited {len(cited)} times,"
            f" {once} if each record names one once, {len(set(cited))} distinct"
        )
    documents, links = made("biomedical")
    ids = {d["id"]: d["source_id"] for d in documents}
    held = set(ids.values())
    out = {p: v for p, v in last.items() if p not in held}
    print(
        f"  {len(held)} documents; left out are {len(out)} records, {sum(not v[2] for v in out.values())} of them without abstract,"
        f" which cite {sum(len(v[0]) for v in out.values())} PMIDs"
    )

    def cited(scheme):
        for d in documents:
            for link in d["links"]:
                for target in link["target"].split(" "):
                    if target.startswith(scheme + ":"):
                        yield d["source_id"], target[len(scheme) + 1 :]

    def other(item):
        return "PMID" if item[1].isdigit() else "DOI"

    compare("PubMed documents", ((p,) for p in held), ((p,) for p, v in last.items() if v[2]), lambda _: "record")
    compare("PubMed cited PMIDs", cited("pmid"), ((p, c) for p in held for c in last[p][0]), other)
    compare("PubMed DOIs where there is no PMID", cited("doi"), ((p, c) for p in held for c in last[p][1]), other)
    pairs = {(p, c) for p in held for c in last[p][0] if c in held and c != p}
    compare("PubMed pairs", {(ids[k["source"]], ids[k["target"]]) for k in links}, pairs, lambda _: "pair")


elife()
pubmed()
if temporary:
    temporary.cleanup()
if bad:
    sys.exit(f"below {BOUND}: " + ", ".join(bad))
