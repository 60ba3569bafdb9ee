"""The Gene Ontology of the Debian package r-bioc-go.db as JSON Lines: a term's definition (its name, where it has none)
is a document, its parents (is a, part of, regulates) are links of all of it, its synonyms further titles.

    python3 gene-ontology.py [GO.sqlite] > gene-ontology.jsonl
"""
import collections
import json
import sqlite3
import sys

path = sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/R/site-library/GO.db/extdata/GO.sqlite"
ontology = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
parents = collections.defaultdict(list)
for branch in "bp", "cc", "mf":
    for child, parent in ontology.execute(
            f"SELECT child.go_id, parent.go_id FROM go_{branch}_parents AS edge "
            "JOIN go_term AS child ON child._id = edge._id JOIN go_term AS parent ON parent._id = edge._parent_id"):
        parents[child].append(parent)
synonyms = collections.defaultdict(list)
for term, name in ontology.execute(
        "SELECT go_id, synonym FROM go_synonym JOIN go_term USING (_id) WHERE like_go_id = 0"):
    synonyms[term].append(name)
for term, name, text in ontology.execute("SELECT go_id, term, definition FROM go_term ORDER BY go_id"):
    print(json.dumps({"id": term, "title": name, "text": text or name, "links": parents[term], "aliases": synonyms[term]}))
