"""Goldens of readers for corpora of one's own: what WikiExtractor makes of the sample wiki, and a compression bomb.

    wikiextractor==3.1.0 zstandard==0.25.0, Python 3.11
    python make_own.py            # writes own/

The articles are the first twelve of examples/quickstart/harbour-wiki.xml.
"""

import bz2
import pathlib
import re
import subprocess
import sys
import tempfile

import zstandard

HERE = pathlib.Path(__file__).parent
SAMPLE = HERE.parent.parent / "examples/quickstart/harbour-wiki.xml"
FORMS = {"plain": [], "links": ["--links"], "json": ["--json"], "json_links": ["--json", "--links"]}


def first_articles(count):
    xml = SAMPLE.read_text()
    head, rest = xml.split("<page>", 1)
    pages = re.findall(r"<page>.*?</page>", "<page>" + rest, re.S)
    articles = [p for p in pages if "<ns>0</ns>" in p and "<redirect" not in p]
    return head + "\n".join(articles[:count]) + "\n</mediawiki>\n"


out = HERE / "own"
out.mkdir(exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    dump = pathlib.Path(folder) / "dump.xml"
    dump.write_text(first_articles(12))
    for name, flags in FORMS.items():
        target = pathlib.Path(folder) / name
        subprocess.run(
            [sys.executable, "-m", "wikiextractor.WikiExtractor", dump, "-o", target, "--processes", "1", "-q", *flags],
            check=True)
        (out / f"wiki_{name}.bz2").write_bytes(bz2.compress((target / "AA/wiki_00").read_bytes()))

# 300 MB of one letter in 14 kB or so.
(out / "bomb.jsonl.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(b"x" * 300_000_000))
