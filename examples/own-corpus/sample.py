"""Prints some linked pairs of texts.

    linkloom cat FILE pairs > pairs.jsonl; linkloom cat FILE segments > segments.jsonl
    linkloom cat FILE documents > documents.jsonl
    python3 sample.py 5            # pairs.jsonl, segments.jsonl, documents.jsonl
"""
import json
import random
import sys


def rows(name):
    return (json.loads(line) for line in open(name, encoding="utf-8"))


titles = {row["id"]: row["title"] for row in rows("documents.jsonl")}
texts = {(row["document"], row["ordinal"]): row["text"] for row in rows("segments.jsonl")}
linked = [row for row in rows("pairs.jsonl") if row["relation"] == "linked"]
for pair in random.Random(13).sample(linked, int(sys.argv[1])):
    for side in "ab":
        where = pair[side]["document"], pair[side]["segment"]
        print(f"{side.upper()}  [{titles[where[0]]}]  {texts[where]}".replace("\n", " / "))
    print()
