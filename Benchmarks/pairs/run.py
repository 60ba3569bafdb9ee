# Made with Python 3.11, numpy, safetensors==0.8.0, tensorflow-cpu==2.21.0.
# Command: git clone https://github.com/google-research/bert
#          python Benchmarks/pairs/run.py --script bert [--data ../shared/data] [--length 512] [--passes 4] [--rounds 3]
"""Segments, pairs and rows with static masks, ours beside BERT's own script, on the same tokens, one core each.

Ours is `segment` + `pair-sample` + `shard --masking static`, from stored tokens to stored, compressed, digested shards.
The peers:
- with --script, `create_pretraining_data.py` of google-research/bert, from tokens to TFRecords (see bert_script.py), and
  the same without storing anything;
- its method written again here without what costs it most (strings for tokens, objects a mask), from the published
  description (Devlin et al. 2019, section 3.1 and appendix A.2): sentences gathered to the target length, a random or the
  true next part, truncation, 80/10/10 masks. It keeps its rows in memory and stores nothing.
All are measured in tokens of rows made a second of CPU.
Schools Wikipedia of the data folder; build first: swift build -c release
"""
import argparse
import glob
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time

import numpy as np
from safetensors.numpy import load_file

from bert_script import Script

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
parser = argparse.ArgumentParser()
parser.add_argument("--data", default=os.environ.get("LINKLOOM_DATA", os.path.join(root, "../shared/data")))
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--passes", type=int, default=4)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--script", help="a clone of google-research/bert")
parser.add_argument("--binary", default=os.path.join(root, ".build/release/linkloom"))
args = parser.parse_args()

PIPELINE = f"""
version: 1
include: [{root}/pipelines/corpora/schools-wikipedia.yaml]
params: {{data: ., seed: 1}}
stages:
  documents: {{use: parse, with: $corpus.parse}}
  vocab:     {{use: vocabulary, with: {{size: 16384, lowercase: true}}}}
  tokens:    {{use: tokenize}}
  links:     {{use: link-extract, with: $corpus.links}}
  graph:     {{use: graph}}
  segments:  {{use: segment, with: {{max_seq_length: {args.length}}}}}
  pairs:     {{use: pair-sample, with: {{seed: $params.seed, passes: {args.passes}}}}}
  shards:    {{use: shard, in: {{pairs: pairs}}, with: {{max_seq_length: {args.length}, masking: static, seed: $params.seed}}}}
experiments:
  pairs: {{corpus: schools-wikipedia}}
"""
CLS, SEP, MASK = 2, 3, 4


def bert(documents, length, vocabulary, rng):
    """Rows (tokens, positions, labels, is_random) of one pass over documents, which are lists of sentences."""
    rows, target = [], length - 3
    for document in documents:
        gathered, size, at = [], 0, 0
        while at < len(document):
            gathered.append(document[at])
            size += len(document[at])
            if size >= target or at == len(document) - 1:
                cut = rng.randint(1, len(gathered) - 1) if len(gathered) > 1 else 1
                first = [token for sentence in gathered[:cut] for token in sentence]
                is_random = len(gathered) == 1 or rng.random() < 0.5
                second = []
                if is_random:
                    other = documents[rng.randrange(len(documents))]
                    for sentence in other[rng.randrange(len(other)):]:
                        second.extend(sentence)
                        if len(first) + len(second) >= target:
                            break
                    at -= len(gathered) - cut  # What was gathered for the second part is used again.
                else:
                    second = [token for sentence in gathered[cut:] for token in sentence]
                while len(first) + len(second) > target:
                    longer = first if len(first) > len(second) else second
                    longer.pop(0 if rng.random() < 0.5 else -1)
                tokens = [CLS, *first, SEP, *second, SEP]
                places = [p for p, token in enumerate(tokens) if token > MASK]
                rng.shuffle(places)
                places = sorted(places[:max(1, round(0.15 * len(tokens)))])
                labels = [tokens[p] for p in places]
                for p in places:
                    draw = rng.random()
                    if draw < 0.8:
                        tokens[p] = MASK
                    elif draw < 0.9:
                        tokens[p] = rng.randrange(vocabulary)
                rows.append((tokens, places, labels, is_random))
                gathered, size = [], 0
            at += 1
    return rows


def check(folder, texts):
    """Rows are [CLS] A [SEP] B [SEP] with A and B as they stand in their documents, once the masks are undone."""
    checked = 0
    for path in sorted(glob.glob(folder + "/train-*.safetensors"))[:1]:
        part = load_file(path)
        for row in range(0, len(part["offsets"]) - 1, 997):
            begin, end = part["offsets"][row:row + 2]
            ids = part["input_ids"][begin:end].copy()
            first, last = part["masked.offsets"][row:row + 2]
            assert 0.1 < (last - first) / len(ids) < 0.2
            ids[part["masked.positions"][first:last]] = part["masked.labels"][first:last]
            span = part["span.offsets"][row]
            a, b = part["span.begin"][span:span + 2]
            assert len(ids) <= args.length and ids[0] == CLS and ids[b - 1] == SEP and ids[-1] == SEP
            for document, text in zip(part["span.document"][span:span + 2], (ids[a:b - 1], ids[b:-1])):
                assert text.astype(np.uint32).tobytes() in texts[document], "a row holds other tokens than its document"
            checked += 1
    return checked


with tempfile.TemporaryDirectory() as folder:
    file, store = os.path.join(folder, "pairs.yaml"), os.path.join(folder, "store")
    with open(file, "w") as f:
        f.write(PIPELINE)
    common = ["-e", "pairs", "--store", store, "-s", f"params.data={os.path.abspath(args.data)}"]

    def linkloom(command, *more, seed=1):
        line = [args.binary, command, file, *more, *common, "-s", f"params.seed={seed}"]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    linkloom("run", "--until", "graph", "--jobs", "1")
    linkloom("run", "--until", "tokens", "--jobs", "1")
    linkloom("export", "tokens", "--to", os.path.join(folder, "tokens"))
    linkloom("export", "vocab", "--to", os.path.join(folder, "vocab"))
    part = load_file(os.path.join(folder, "vocab", "vocabulary.safetensors"))
    bounds, text = part["token.offsets"], part["token.bytes"].tobytes()
    words = [text[i:j].decode() for i, j in zip(bounds, bounds[1:])]
    documents, texts, vocabulary = [], {}, len(words)
    for path in sorted(glob.glob(folder + "/tokens/*.safetensors")):
        part = load_file(path)
        for d, key in enumerate(part["document"]):
            bounds = part["sentence.offsets"][part["document.offsets"][d]:part["document.offsets"][d + 1] + 1]
            documents.append([part["ids"][i:j].tolist() for i, j in zip(bounds, bounds[1:])])
            texts[key] = part["ids"][bounds[0]:bounds[-1]].astype(np.uint32).tobytes()
    documents = [d for d in documents if d]
    size = sum(len(s) for d in documents for s in d)
    print(f"{len(documents)} documents, {size} tokens; rows of {args.length}")

    script = Script(args.script, words) if args.script else None
    spelled = [[[words[token] for token in s] for s in d] for d in documents] if script else []
    ratios = {"BERT's script": [], "BERT's script, nothing stored": [], "BERT's method written again": []}
    for turn in range(args.rounds):
        stages = ["--force", "segments", "--force", "pairs", "--force", "shards", "--jobs", "1", "--json"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = json.loads(linkloom("run", *stages, seed=turn))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        counts = {s["name"]: s["counts"] for s in report["stages"]}
        ours = counts["shards"]["tokens"] / 1e6 / seconds
        line = [f"  ours {ours:.1f} M tokens/s"]

        def compare(peer, rate):
            ratios[peer].append(ours / rate)
            line.append(f"{peer} {rate:.2f} ({ours / rate:.1f})")

        if script:
            size, making, storing = script.run(spelled, args.length, turn)
            compare("BERT's script", size / (making + storing))
            compare("BERT's script, nothing stored", size / making)
        start = time.process_time()
        rows = bert(documents, args.length, vocabulary, random.Random(turn))
        compare("BERT's method written again", sum(len(r[0]) for r in rows) / 1e6 / (time.process_time() - start))
        print("; ".join(line), flush=True)
        del rows
    linkloom("export", "shards", "--to", os.path.join(folder, "shards"), seed=args.rounds - 1)
    print(f"rows checked against their documents: {check(folder + '/shards', texts)}")
    for peer, of in ratios.items():
        if of:
            print(f"median ratio to {peer}: {statistics.median(of):.1f}")
