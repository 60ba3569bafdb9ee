"""The Jargon File of the Debian package dict-jargon as JSON Lines, every {reference} a link with its place.

    python3 jargon.py [/usr/share/dictd/jargon] > jargon.jsonl
"""
import gzip
import json
import re
import string
import sys

path = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/dictd/jargon"
digits = {c: i for i, c in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/")}
number = lambda text: sum(digits[c] << 6 * i for i, c in enumerate(reversed(text)))
book = gzip.open(path + ".dict.dz").read()
for row in open(path + ".index", encoding="utf-8"):
    begin, length = map(number, row.rstrip("\n").split("\t")[1:])
    title, _, body = book[begin:begin + length].decode().partition("\n")
    if not title or title.startswith("00-database"):
        continue
    lines = [" ".join(paragraph.split()) for paragraph in body.split("\n\n")]
    text, links = b"", []
    for part in re.split(r"(\{[^{}]+\})", "\n".join(filter(None, lines))):
        if part.startswith("{"):
            part = part[1:-1]
            links.append({"target": part, "begin": len(text), "end": len(text + part.encode())})
        text += part.encode()
    print(json.dumps({"id": title, "text": text.decode(), "links": links}))
