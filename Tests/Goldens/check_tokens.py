# Made with Python 3.11, transformers==5.23.0, tokenizers==0.23.3.
# Command: python Tests/Goldens/check_tokens.py DOCUMENTS TOKENS VOCAB [--cased] [--strip-accents true|false]
"""Compares token ids with BertTokenizerFast, document by document.

DOCUMENTS and TOKENS are what `linkloom cat FILE documents` and `linkloom cat FILE tokens` print (JSON lines), or - for one
of them to read standard input; VOCAB is a vocab.txt. Documents are matched by id, so parts may come in any order.
Prints a summary as JSON and exits 1 unless every document's ids are equal, none is missing and none is left over.
"""
import argparse
import json
import sys

from transformers import BertTokenizerFast

parser = argparse.ArgumentParser()
parser.add_argument("documents")
parser.add_argument("tokens")
parser.add_argument("vocab")
parser.add_argument("--cased", action="store_true")
parser.add_argument("--strip-accents", choices=("true", "false"))
args = parser.parse_args()

with open(args.vocab, encoding="utf8", newline="\n") as f:
    vocab = {line.rstrip("\r\n"): i for i, line in enumerate(f)}
strip = None if args.strip_accents is None else args.strip_accents == "true"
tokenizer = BertTokenizerFast(vocab=vocab, do_lower_case=not args.cased, strip_accents=strip)


def rows(path):
    with (sys.stdin if path == "-" else open(path, encoding="utf8", newline="\n")) as f:
        for line in f:
            yield json.loads(line)


ours = {}
for row in rows(args.tokens):
    assert row["document"] not in ours, f"document {row['document']} has two rows of tokens"
    ours[row["document"]] = [i for sentence in row["sentences"] for i in sentence]

count = equal = missing = tokens = empty = 0
shown = 0


def check(batch):
    global count, equal, missing, tokens, empty, shown
    out = tokenizer([row["text"] for row in batch], add_special_tokens=False, return_attention_mask=False,
                    return_token_type_ids=False, verbose=False)["input_ids"]
    for row, expected in zip(batch, out):
        count += 1
        found = ours.pop(row["id"], None)
        if found is None:
            missing += 1
            continue
        tokens += len(found)
        empty += not found
        if found == expected:
            equal += 1
        elif shown < 5:
            shown += 1
            at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
            name = lambda ids: " ".join(tokenizer.convert_ids_to_tokens(ids[max(0, at - 5):at + 6]))
            print(f"{row['title']!r}: token {at}: ours {name(found)!r}, expected {name(expected)!r}", file=sys.stderr)


batch, size = [], 0
for row in rows(args.documents):
    batch.append(row)
    size += len(row["text"])
    if size > 1 << 20:
        check(batch)
        batch, size = [], 0
check(batch) if batch else None
print(json.dumps({"documents": count, "equal": equal, "missing": missing, "left_over": len(ours), "tokens": tokens,
                  "empty": empty}))
sys.exit(0 if count and equal == count and not ours else 1)
