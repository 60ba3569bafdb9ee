# Made with Python 3.11, torch==2.13.0, transformers==5.23.0, tokenizers==0.23.3.
# Command: python Tests/Goldens/check_embed.py LINKLOOM MODEL_DIR
"""Compares `linkloom embed` with transformers: ids, every token's last hidden state, the vectors of all poolings.

MODEL_DIR is any BERT in the Hugging Face layout, or what `linkloom export` wrote of an import or a training. Fifty texts go
through both, alone, with a short and with a long second text: sentences of the sample wiki, odd ones, and texts up to and
beyond the model's positions, which both cut (`truncation=True`). Prints the largest differences and exits 1 if ids differ,
or if a number differs by 1e-5 or more: from transformers in fp32 for rows of up to 128 tokens, and for all rows from
transformers in double precision. (In rows of some hundred tokens transformers itself is up to 5e-6 from the latter, so two
right answers in fp32 can be 1e-5 apart; that difference is printed too.)
"""
import json
import pathlib
import re
import subprocess
import sys

import torch
from transformers import AutoModel, AutoTokenizer

linkloom, directory = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModel.from_pretrained(directory).eval()
exact = AutoModel.from_pretrained(directory).eval().double()
positions = model.config.max_position_embeddings

wiki = pathlib.Path(__file__).parents[2] / "examples/quickstart/harbour-wiki.xml"
plain = re.sub(r"\[\[(?:[^\]|]*\|)?([^\]]*)\]\]", r"\1", " ".join(re.findall(r"<text[^>]*>([^<]*)", wiki.read_text())))
sentences = re.findall(r"[A-Z][^.\n=\[\]{}]+\.", plain)
odd = [
    "", "Tides.", "[MASK] of the [MASK]", "ﬁnancial ½ ™ Ⅻ ёлка Йод", "x" * 101 + " " + "y" * 100,
    "Café naïve 東京 Straße don't 3.14 U.S.A. — “quoted”, e.g. http://example.org/?q=1",
]
long = [" ".join(sentences[:count]) for count in (4, 9, 16, 24, 30, 60)]
texts = odd + long + sentences[7 : 7 + 50 - len(odd) - len(long)]
pairs = [None, sentences[3], " ".join(sentences[60:66])]


def embed(*options):
    out = subprocess.run(
        [linkloom, "embed", directory, "--json", *options], input="\n".join(texts) + "\n", capture_output=True, check=True,
        text=True)
    return [json.loads(line) for line in out.stdout.splitlines()], out.stderr


def vectors(encoder, inputs):
    with torch.no_grad():
        out = encoder(**inputs)
    states = out.last_hidden_state[0]
    return {"tokens": states, "cls": states[0], "mean": states.mean(0), "pooled": out.pooler_output[0]}


worst = {group: {} for group in ("up to 128 tokens", "longer", "all, from double precision", "transformers itself")}
counts = {"rows": 0, "tokens": 0, "cut": 0, "numbers": 0}


def note(group, name, mine, theirs):
    difference = (mine.double() - theirs.double()).abs().max().item()
    worst[group][name] = max(worst[group].get(name, 0.0), difference)


for pair in pairs:
    second = [] if pair is None else ["--pair", pair]
    ours, warnings = embed("--tokens", *second)
    poolings = {name: embed("--pool", name, *second)[0] for name in ("cls", "mean", "pooled")}
    assert len(texts) == 50 and all(len(rows) == 50 for rows in [ours, *poolings.values()])
    cut = 0
    for number, (text, row) in enumerate(zip(texts, ours)):
        inputs = tokenizer(text, pair, truncation=True, max_length=positions, return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        assert ids == row["ids"], (text, pair, ids, row["ids"])
        assert tokenizer.convert_ids_to_tokens(ids) == row["tokens"], (text, row["tokens"])
        cut += len(tokenizer(text, pair, verbose=False)["input_ids"]) > positions
        theirs, right = vectors(model, inputs), vectors(exact, inputs)
        for name in theirs:
            mine = torch.tensor(row["vectors"] if name == "tokens" else poolings[name][number])
            assert mine.shape == theirs[name].shape, (name, mine.shape, theirs[name].shape)
            note("up to 128 tokens" if len(ids) <= 128 else "longer", name, mine, theirs[name])
            note("all, from double precision", name, mine, right[name])
            note("transformers itself", name, theirs[name], right[name])
        counts["rows"] += 1
        counts["tokens"] += len(ids)
        counts["numbers"] += torch.tensor(row["vectors"]).numel()
    assert cut == 0 or "warning: text " in warnings, warnings
    assert cut < 2 or f"{cut} of 50 texts" in warnings, (cut, warnings)
    counts["cut"] += cut
print(json.dumps(counts))
for group, differences in worst.items():
    print(f"{group}: " + ", ".join(f"{name} {value:.2e}" for name, value in differences.items()))
bounded = {**worst["up to 128 tokens"], **{"exact " + k: v for k, v in worst["all, from double precision"].items()}}
sys.exit(0 if max(bounded.values()) < 1e-5 else 1)
