# Made with Python 3.11, scikit-learn==1.9.1, numpy==2.4.6, tokenizers==0.23.3, zstandard==0.25.0, safetensors==0.8.0.
# Command: python Benchmarks/lexical/compare.py .build/release/linkloom ../shared/data
"""Lexical links of the Schools Wikipedia: time and agreement with scikit-learn, one after the other on one core.

Linkloom's time is that of the stage (texts from the store to links in it), from the run record. The peer's begins with
words in memory (its tokenising is not counted): CountVectorizer over words and pairs, the same weights, and a sparse
product with the five best of every row. Linkloom hashes terms, so a score may differ where two terms share a bucket.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from tokenizers import normalizers, pre_tokenizers

LINKLOOM, DATA, BITS = sys.argv[1], sys.argv[2], 26
PIPELINE = """
version: 1
stages:
  documents:
    use: parse
    with: {corpus: schools-wikipedia, format: text, comment_prefix: "#", files: [%s/general/wikispeedia/plaintext_articles.tar.gz]}
  similar: {use: link-extract, with: {kind: lexical, hash_bits: %d}}
"""

folder = tempfile.mkdtemp()
pipeline = os.path.join(folder, "lexical.yaml")
with open(pipeline, "w") as out:
    out.write(PIPELINE % (os.path.abspath(DATA), BITS))
store = ["--store", os.path.join(folder, "store")]
subprocess.run([LINKLOOM, "run", pipeline, "-j", "1", *store], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
runs = os.path.join(folder, "store", "runs")
record = json.load(open(os.path.join(runs, max(os.listdir(runs)), "run.json")))
seconds = {stage["name"]: stage["seconds"] for stage in record["stages"]}["similar"]


def rows(stage):
    out = subprocess.run([LINKLOOM, "cat", pipeline, stage, *store], check=True, capture_output=True).stdout
    return [json.loads(line) for line in out.splitlines()]


documents = rows("documents")
ours = collections.defaultdict(list)
for link in rows("similar"):
    ours[link["source"]].append((link["target"], link["score"]))

basic = normalizers.BertNormalizer(lowercase=True)
pre = pre_tokenizers.BertPreTokenizer()
kinds = {}


def is_punctuation(word):
    if word not in kinds:
        kinds[word] = len(word) == 1 and (unicodedata.category(word)[0] == "P" or (ord(word) < 128 and not word.isalnum()))
    return kinds[word]


def words(document):
    parts = []
    for text in (document["title"], document["text"]):
        parts += [w for w, _ in pre.pre_tokenize_str(basic.normalize_str(text))] + ["."]
    return parts


corpus = [words(d) for d in documents]
begin = time.process_time()
frequency = collections.Counter()
for text in corpus:
    frequency.update(set(text))
stop = {w for w, f in frequency.items() if f > 0.5 * len(corpus) or is_punctuation(w)}


def terms(text):
    out, previous = [], None
    for word in text:
        if word in stop:
            previous = None
            continue
        out.append(word)
        if previous is not None:
            out.append(previous + " " + word)
        previous = word
    return out


tf = CountVectorizer(analyzer=terms, dtype=numpy.float64).fit_transform(corpus)
df = numpy.asarray((tf > 0).sum(axis=0)).ravel()
tf.data = numpy.log1p(tf.data)
unit = normalize(tf.multiply(numpy.maximum(0, numpy.log((len(corpus) - df + 0.5) / (df + 0.5)))).tocsr())
theirs = []
for first in range(0, len(corpus), 500):
    scores = (unit[first:first + 500] @ unit.T).toarray()
    for row in range(len(scores)):
        scores[row, first + row] = 0
    top = numpy.argpartition(-scores, 5, axis=1)[:, :5]
    theirs += [sorted(((scores[i, j], documents[j]["id"]) for j in top[i]), reverse=True) for i in range(len(scores))]
peer = time.process_time() - begin

same, largest = 0, 0.0
for document, row in zip(documents, theirs):
    found = ours[document["id"]]
    same += {t for t, _ in found} == {t for _, t in row}
    by_id = dict((t, s) for s, t in row)
    largest = max([largest] + [abs(s - by_id[t]) for t, s in found if t in by_id])
text = sum(len(d["text"].encode()) for d in documents) / 1e6
print(f"{len(documents)} documents, {text:.0f} MB of text, {tf.shape[1]:,} terms in {tf.nnz:,} places")
print(f"linkloom {seconds:.1f} s, scikit-learn {peer:.1f} s: {peer / seconds:.1f} times as long")
print(f"the same five neighbours for {same} documents, largest difference of a score {largest:.1e}")
