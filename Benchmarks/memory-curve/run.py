# Made with Python 3.11, standard library only.
# Command: python Benchmarks/memory-curve/run.py [--data ../shared/data] [--sizes 1,4,16] [--length 512]
"""Peak memory of parse, tokenize, segment and shard on one, four and sixteen times the same corpus.

The corpus is Schools Wikipedia, written as one file of JSON lines (so one piece of parse) in which every article occurs
N times under N names, with its links. Each stage runs alone, in one process of two threads, with what it reads already
made; the peak is the highest anonymous memory of the process, looked at every 2 ms: mapped files, which the system takes back
when it wants to, are shown beside it. Fails if a stage needs more than 15% and 8 MiB more at the largest size than at the smallest.
Build first: swift build -c release. Needs about 12 GB in TMPDIR at 16.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
parser = argparse.ArgumentParser()
parser.add_argument("--data", default=os.environ.get("LINKLOOM_DATA", os.path.join(root, "../shared/data")))
parser.add_argument("--sizes", default="1,4,16")
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--jobs", type=int, default=2)
parser.add_argument("--binary", default=os.path.join(root, ".build/release/linkloom"))
args = parser.parse_args()
sizes = [int(size) for size in args.sizes.split(",")]
STAGES = ["documents", "tokens", "segments", "shards"]

PIPELINE = """
version: 1
params: {{data: .}}
stages:
  documents: {{use: parse, with: {{corpus: many, format: jsonl, files: [{folder}/many.jsonl]}}}}
  vocab:     {{use: vocabulary, with: {{import: {vocabulary}}}}}
  tokens:    {{use: tokenize}}
  links:     {{use: link-extract, with: {{kind: edges, edges: {folder}/many.tsv}}}}
  graph:     {{use: graph, with: {{near_duplicates: null}}}}
  segments:  {{use: segment, with: {{max_seq_length: {length}}}}}
  pairs:     {{use: pair-sample, with: {{passes: 2}}}}
  shards:    {{use: shard, in: {{pairs: pairs}}, with: {{max_seq_length: {length}}}}}
"""


def articles():
    with tarfile.open(os.path.join(args.data, "general/wikispeedia/plaintext_articles.tar.gz")) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".txt"):
                text = archive.extractfile(member).read().decode("utf-8", "replace")
                yield urllib.parse.unquote(os.path.basename(member.name)[:-4]), text


def edges():
    with open(os.path.join(args.data, "general/wikispeedia/links.tsv"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and "\t" in line:
                yield [urllib.parse.unquote(name) for name in line.rstrip("\n").split("\t")]


def measured(command):
    """Runs a command; the highest anonymous and mapped memory of its process in MiB, and its seconds."""
    start = time.time()
    output = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    peak = {"RssAnon": 0, "RssFile": 0}
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                for name, value in re.findall(r"(RssAnon|RssFile):\s+(\d+)", status.read()):
                    peak[name] = max(peak[name], int(value))
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.002)
    output.seek(0)
    assert process.returncode == 0, output.read()
    return peak["RssAnon"] / 1024, peak["RssFile"] / 1024, time.time() - start


texts, links = list(articles()), list(edges())
peaks = {}
for size in sizes:
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/many.jsonl", "w", encoding="utf-8") as file:
            for copy in range(size):
                for title, text in texts:
                    name = f"{title} {copy}"
                    file.write(json.dumps({"id": name, "title": name, "text": text}, ensure_ascii=False) + "\n")
        with open(folder + "/many.tsv", "w", encoding="utf-8") as file:
            for copy in range(size):
                for a, b in links:
                    file.write(f"{a} {copy}\t{b} {copy}\n")
        with open(folder + "/many.yaml", "w") as file:
            vocabulary = os.path.join(os.path.abspath(args.data), "vocab/bert-base-uncased/vocab.txt")
            file.write(PIPELINE.format(folder=folder, vocabulary=vocabulary, length=args.length))
        common = [folder + "/many.yaml", "--store", folder + "/store", "--jobs", str(args.jobs), "--backend", "threads"]
        for stage in ["documents", "vocab", "tokens", "graph", "segments", "pairs", "shards"]:
            anonymous, mapped, seconds = measured([args.binary, "run", *common, "--until", stage])
            print(f"{size:3}x {stage:10} {anonymous:6.0f} MiB, mapped files {mapped:5.0f} MiB, {seconds:5.1f} s", flush=True)
            peaks[stage, size] = anonymous
first, last = sizes[0], sizes[-1]
grown = {stage: peaks[stage, last] / peaks[stage, first] for stage in STAGES}
print(f"{last}x beside {first}x: " + ", ".join(f"{stage} {ratio:.2f}" for stage, ratio in grown.items()))
# A process of 20 MiB may keep some more of what the allocator has once given it.
sys.exit(any(peaks[stage, last] > max(1.15 * peaks[stage, first], peaks[stage, first] + 8) for stage in STAGES))
