"""Goldens of the parsing side: wikitext pages with what mwparserfromhell sees in them, and small archives.

    mwparserfromhell==0.7.2 zstandard==0.25.0, Python 3.11
    python make_parse.py            # writes parse/wikitext.json and parse/archives/*

All texts are our own. Templates, tables, references, files, categories and language links are dropped before the
comparison, as the reader drops them; what is left must give the same links in the same order and the same words. The
links of the whole page, those in galleries included, must be the same set of occurrences.
"""

import bz2
import gzip
import html
import io
import json
import lzma
import pathlib
import re
import tarfile
import zipfile

import mwparserfromhell
import zstandard

HERE = pathlib.Path(__file__).parent / "parse"

PAGES = {
    "plain": """'''Harbour''' is a ''sheltered'' place for [[ship]]s, [[boat]]s and [[barge|flat barges]].

A '''''deep''''' harbour takes [[Ocean liner|liners]]; a shallow one takes [[fishing boat#Types|fishing boats]].

== Kinds ==
* [[Natural harbour]]
* [[Artificial harbour|Built]] ones, since {{dubious|reason=how long?}} antiquity
# first
# second [[Quay|quays]]
: indented [[Mole (architecture)|moles]]
; Term : its meaning
=== Ice ===
Some are [[Ice-free port|ice free]] &ndash; the sea &amp; the wind keep them open&nbsp;all year.
""",
    "templates": """{{Infobox harbour
| name = North Haven
| image = [[File:North Haven.jpg|thumb|The [[mole]]]]
| depth = {{convert|12|m}}
}}
North Haven{{citation needed|date=May 2020}} lies on the [[North Coast]]{{efn|It faces [[east]].}}.
It has {{#if: x | nothing | something }}two [[lighthouse]]s<ref>See [[Light list]] {{cite book|title=Lights}}</ref>
and a <ref name="a" /> [[lifeboat station]].<ref name="b">One [[station]].</ref>
{{{unused|}}}
""",
    "files": """[[File:Quay at dawn.jpg|thumb|left|A quay with [[crane (machine)|cranes]] and a [[ship|big [[ship]]]] at dawn]]
The '''quay''' is where [[ship]]s lie. [[Image:old.png|20px]] It is built of [[stone]] or [[concrete]].
[[Category:Harbours]]
[[Category:Quays|Quay]]
See [[:Category:Harbours]] for others. [[fr:Quai]] [[de:Kai (Uferbauwerk)]]
""",
    "tables": """Depths of the basins follow.

{| class="wikitable" style="width:50%"
! Basin !! Depth
|-
| [[East basin]] || 9 m
|-
| West basin
|
{| 
| nested [[inner]]
|}
|}

All depths are at [[low water]].
""",
    "tags": """Water is H<sub>2</sub>O.<br />The <span style="color:blue">[[sea]]</span> is <small>salty</small>.

<math>\\frac{a}{b} [[not a link]]</math>
<nowiki>[[This]] is ''shown'' as written.</nowiki>
<!-- a comment with [[a link]] and {{a template}} -->
<gallery>
File:One.jpg|A [[caption]]
File:Two.jpg
</gallery>
After the [http://example.org gallery page] and [http://example.org/x] comes http://example.org/y itself.
<blockquote>A [[quotation]] stands alone.</blockquote>
""",
    "quotes": """The ''[[Sea Horse]]'' and the '''[[Sea Mew|Mew]]''' met the ''Sea [[Lion]]''.

He said "it's a '''''very''''' good [[pilot]]'s boat".
""",
    "languages": """Гавань — место стоянки [[Корабль|кораблей]] и [[лодка|лодок]]. [[Порт]]ы бывают разные.

港は[[船]]が[[停泊]]する所である。 Ein [[Hafen]] schützt [[Schiff]]e.
""",
}


def dropped(link):
    prefix = str(link.title).split(":")[0].strip().lower()
    return ":" in str(link.title) and prefix in ("file", "image", "category", "fr", "de")


def every_link(code):
    for node in code.filter_wikilinks():
        # A link around a link is none for MediaWiki.
        around = node.text is not None and any(not dropped(inner) for inner in node.text.filter_wikilinks())
        if not dropped(node) and not around and not str(node.title).startswith(":"):
            yield str(node.title).strip()
    for tag in code.filter_tags():
        if str(tag.tag).lower() == "gallery":
            yield from every_link(mwparserfromhell.parse(str(tag.contents)))


def golden(text):
    code = mwparserfromhell.parse(text)
    every = sorted(every_link(code))
    for node in code.filter_wikilinks():
        if dropped(node):
            try:
                code.remove(node)
            except ValueError:
                pass  # went with a file around it
    for node in code.filter_tags():
        if str(node.tag).lower() in ("table", "ref", "math", "gallery"):
            try:
                code.remove(node)
            except ValueError:
                pass
    for node in code.filter_templates() + code.filter_arguments():
        try:
            code.remove(node)
        except ValueError:
            pass
    links = [str(link.title).strip() for link in code.filter_wikilinks() if not str(link.title).startswith(":")]
    words = re.findall(r"\w+", html.unescape(code.strip_code()).replace("_", " "))
    return {"wikitext": text, "links": links, "every_link": every, "words": words}


def archives(folder):
    folder.mkdir(parents=True, exist_ok=True)
    one, two = b"first half, " * 40, b"second half. " * 40
    files = {
        "plain.txt": one + two,
        "one.txt.bz2": bz2.compress(one + two),
        "one.txt.gz": gzip.compress(one + two, mtime=0),
        "one.txt.xz": lzma.compress(one + two),
        "one.txt.zst": zstandard.ZstdCompressor().compress(one + two),
        "two.txt.bz2": bz2.compress(one) + bz2.compress(two),
        "two.txt.gz": gzip.compress(one, mtime=0) + gzip.compress(two, mtime=0),
        "two.txt.xz": lzma.compress(one) + lzma.compress(two),
        "two.txt.zst": zstandard.ZstdCompressor().compress(one) + zstandard.ZstdCompressor().compress(two),
    }
    names = ["texts/%C3%85land.txt", "/etc/passwd", "../../above.txt", "texts/Éire.txt"]
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folder_entry = tarfile.TarInfo("texts")
        folder_entry.type = tarfile.DIRTYPE
        tar.addfile(folder_entry)
        for name in names:
            entry = tarfile.TarInfo(name)
            body = f"The text of {name}.\n".encode()
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
        link = tarfile.TarInfo("texts/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    # One end mark instead of tarfile's padding to 10,240 bytes.
    used = plain.getvalue().rstrip(b"\0")
    size = (len(used) + 511) // 512 * 512 + 1024
    files["names.tar"] = plain.getvalue()[:size]
    files["names.tar.gz"] = gzip.compress(files["names.tar"], mtime=0)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), f"The text of {name}.\n", zipfile.ZIP_DEFLATED)
    files["names.zip"] = zipped.getvalue()
    for name, content in files.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    pages = {name: golden(text) for name, text in PAGES.items()}
    (HERE / "wikitext.json").write_text(json.dumps(pages, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    archives(HERE / "archives")
