# Made with Python 3.11, mwparserfromhell==0.7.2.
# Command: python Tests/Goldens/compare_wikitext.py DUMP --tool PATH [--show 20] [--debris]
"""Compares the documents of a MediaWiki dump, page by page, with what mwparserfromhell sees in it.

Links: every `[[target]]` that mwparserfromhell finds in an article, also in the content of the tags it does not parse
(galleries, image maps), less files, categories, other languages, other sites and special pages. Precision and recall
count occurrences of a target on a page; every difference is put into a class. Edges: distinct (page, page) pairs after
titles are normalised and redirects followed.
Words: the words of `strip_code()` without what Linkloom drops on purpose (tables, references, galleries, file captions).
Build PATH first: swift build -c release --package-path Benchmarks/mediawiki
"""
import argparse
import bz2
import collections
import difflib
import html
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import mwparserfromhell

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("dump")
parser.add_argument("--tool", default=os.path.join(here, "../../Benchmarks/mediawiki/.build/release/mediawiki-benchmark"))
parser.add_argument("--show", type=int, default=10, help="differences to print of each class")
parser.add_argument("--page", help="print both texts of one page")
args = parser.parse_args()

UNPARSED = {"gallery", "imagemap"}  # mwparserfromhell keeps their content as text
NOT_SHOWN = {"table", "ref", "references", "math", "gallery", "imagemap", "timeline", "score", "chem", "ce", "hiero", "includeonly"}
DEBRIS = ["{{", "}}", "[[", "]]", "{|", "|}", "&nbsp;", "<ref", "''", "()", "( ", " )", " ,", ",,", "  ", " .", "(,", "(;"]


def pages(path):
    """(site, [(id, title, text, redirect)]) of the articles and redirects of a dump that may be cut off."""
    site, out = {}, []
    opened = bz2.open(path) if path.endswith(".bz2") else open(path, "rb")
    stack = ElementTree.iterparse(opened, events=("end",))
    try:
        for _, element in stack:
            name = element.tag.split("}")[-1]
            if name == "namespace":
                site[element.get("key")] = element.text or ""
            elif name == "page":
                child = {c.tag.split("}")[-1]: c for c in element}
                last = [c for c in element if c.tag.split("}")[-1] == "revision"][-1]
                text = next((c.text for c in last if c.tag.split("}")[-1] == "text"), "") or ""
                redirect = child["redirect"].get("title") if "redirect" in child else None
                if child["ns"].text == "0":
                    out.append((child["id"].text, child["title"].text, text, redirect))
                element.clear()
    except ElementTree.ParseError:
        pass  # cut off
    return site, out


def source(name):
    """Words of a Swift list in the sources, so that both sides mean the same by a language or a site."""
    with open(os.path.join(here, "../../Sources/Text/Parse/Interwiki.swift"), encoding="utf8") as f:
        return set(re.search(name + r'.*?"""(.*?)"""', f.read(), re.S)[1].replace("\\", " ").split())


site, articles = pages(args.dump)
CANONICAL = {"media": -2, "special": -1, "file": 6, "image": 6, "category": 14}
KINDS = {name: "language" for name in source("languages")} | {name: "site" for name in source("sites")}
KINDS |= {name: key for name, key in CANONICAL.items()} | {v.lower(): int(k) for k, v in site.items() if v}


def kind(title):
    prefix, colon, _ = title.partition(":")
    return KINDS.get(re.sub(r"[_\s]+", " ", prefix).strip().lower(), 0) if colon else 0


def clean(title):
    return html.unescape(re.sub(r"<!--.*?-->", "", str(title), flags=re.S)).strip()


def counted(title):
    """Whether a title as written is a link of this wiki to a page that is shown."""
    forced = title.startswith(":")
    k = kind(title.lstrip(":").strip())
    return title.lstrip(":").strip() != "" and k not in ("language", "site", 6, 14, -1, -2)


def links_of(code):
    for node in code.filter_wikilinks(recursive=True):
        yield node, clean(node.title)
    for tag in code.filter_tags(recursive=True):
        if str(tag.tag).lower().strip() in UNPARSED and tag.contents is not None:
            yield from links_of(mwparserfromhell.parse(str(tag.contents)))


def normal(title):
    title = re.sub(r"[_\s]+", " ", title.split("#")[0].lstrip(":")).strip()
    return title[:1].upper() + title[1:]


def resolver():
    ids = {normal(title): id for id, title, _, redirect in articles if redirect is None}
    redirects = {normal(title): normal(redirect) for _, title, _, redirect in articles if redirect is not None}

    def resolve(title):
        title = normal(title)
        for _ in range(5):
            if title in ids or title not in redirects:
                break
            title = redirects[title]
        return ids.get(title)

    return resolve


def why(title, node, text, plain):
    """The class of a difference: why a link is on one side only."""
    if node is not None:
        if re.search(r"[{}<>\[\]]", str(node.title)):
            return "target holds markup"
        if re.search(r"\.(jpe?g|png|svg|gif|ogg|webm|pdf)$", title, re.I):
            return "a file under another name of its namespace"
        if node.text is not None and "[[" in str(node.text):
            return "link around a link"
        if node.text is not None and "\n\n" in str(node.text):
            return "label over paragraphs"
    elif "[[" + title in plain:
        return "mwparserfromhell leaves the brackets as text"
    if re.search(r"<\w+ [^<>]*\[\[" + re.escape(title), text):
        return "in an attribute of a tag"
    if re.search(r"<nowiki>[^<]*\[\[" + re.escape(title), text):
        return "nowiki"
    return "other"


def strip(code):
    """What a reader sees, less what Linkloom drops on purpose."""
    for node in code.filter_tags(recursive=True):
        if str(node.tag).lower().strip() in NOT_SHOWN:
            try:
                code.remove(node)
            except ValueError:
                pass
    for node in code.filter_wikilinks(recursive=True):
        title = clean(node.title)
        if not title.startswith(":") and kind(title) in ("language", 6, 14, -2):
            try:
                code.remove(node)
            except ValueError:
                pass
    return code.strip_code(normalize=True, collapse=True)


def words(text):
    return re.findall(r"\w+", html.unescape(text))


made = subprocess.run([args.tool, "pages", args.dump], check=True, capture_output=True).stdout.decode()
documents = {d["id"]: d for d in map(json.loads, made.splitlines())}
resolve = resolver()
both = ours_n = theirs_n = placeless = 0
classes = collections.Counter()
examples = collections.defaultdict(list)
edges = [set(), set()]
same_words = their_words = our_words = 0
gone, added = collections.Counter(), collections.Counter()
debris, debris_pages = collections.Counter(), collections.defaultdict(list)
for id, title, text, redirect in articles:
    if redirect is not None or id not in documents:
        continue
    document = documents[id]
    code = mwparserfromhell.parse(text)
    nodes = [(n, t) for n, t in links_of(code) if counted(t)]
    theirs = collections.Counter(t.lstrip(":").strip() for _, t in nodes)
    ours = collections.Counter(t.strip() for _, _, t in document["links"])
    placeless += sum(b is None for b, _, _ in document["links"])
    both += sum((ours & theirs).values())
    ours_n += sum(ours.values())
    theirs_n += sum(theirs.values())
    plain = "".join(map(str, code.filter_text()))
    by_title = {t.lstrip(":").strip(): n for n, t in nodes}
    for sign, difference in (("missing", theirs - ours), ("extra", ours - theirs)):
        for target, n in difference.items():
            c = f"{sign}: {why(target, by_title.get(target) if sign == 'missing' else None, text, plain)}"
            classes[c] += n
            examples[c].append(f"{title}: [[{target}]]" + (f" x{n}" if n > 1 else ""))
    for k, targets in enumerate((ours, theirs)):
        edges[k] |= {(id, r) for r in map(resolve, targets) if r not in (None, id)}
    mine, other = words(document["text"]), words(strip(code))
    ours_text = document["text"]
    if args.page == title:
        print("--- ours\n" + ours_text + "\n--- mwparserfromhell\n" + strip(mwparserfromhell.parse(text)))
    a, b = collections.Counter(mine), collections.Counter(other)
    same_words += sum((a & b).values())
    our_words += sum(a.values())
    their_words += sum(b.values())
    gone += b - a
    added += a - b
    for mark in DEBRIS:
        n = ours_text.count(mark)
        if n:
            debris[mark] += n
            at = ours_text.index(mark)
            debris_pages[mark].append(f"{title}: …{ours_text[max(0, at - 40):at + 40]!r}")

print(f"{os.path.basename(args.dump)}: {len(documents)} documents")
print(f"links: ours {ours_n} (of them {placeless} without a place), mwparserfromhell {theirs_n}, in both {both}")
unread = classes["extra: mwparserfromhell leaves the brackets as text"]
print(f"  precision {both / max(1, ours_n):.5f}, recall {both / max(1, theirs_n):.5f}")
print(f"  precision {both / max(1, ours_n - unread):.5f} without those that it leaves as text")
for c, n in classes.most_common():
    print(f"  {n:6} {c}")
    for line in examples[c][:args.show]:
        print(f"           {line}")
common = len(edges[0] & edges[1])
print(f"edges: ours {len(edges[0])}, mwparserfromhell {len(edges[1])}, in both {common}")
print(f"words: ours {our_words}, strip_code {their_words}, in both {same_words}")
print("  only there: " + ", ".join(f"{w} {n}" for w, n in gone.most_common(args.show * 3)))
print("  only here: " + ", ".join(f"{w} {n}" for w, n in added.most_common(args.show * 3)))
for mark, n in debris.most_common():
    print(f"  {mark!r}: {n} times on {len(debris_pages[mark])} pages")
    for line in debris_pages[mark][:args.show]:
        print(f"           {line}")
