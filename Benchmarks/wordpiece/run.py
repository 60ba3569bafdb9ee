# Made with Python 3.11, tokenizers==0.23.3, nanotoken==0.1.0, numpy.
# Command: python Benchmarks/wordpiece/run.py VOCAB TEXT [--passes 5] [--rounds 3] [--train SIZE] [--binary PATH]
"""WordPiece encoding and vocabulary training, ours beside nanotoken and Hugging Face tokenizers.

The texts are the lines of a file, or what NUL bytes part. All run on one thread, a process each, one after the other;
ids are compared. Ours gives byte offsets too, the others are not asked for them. `cold` is the first pass of a process,
with an empty word cache. With --train, ours and tokenizers also train a vocabulary of that size.
Build first: swift build -c release --package-path Benchmarks/wordpiece
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
import numpy as np
from tokenizers import BertWordPieceTokenizer

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("vocab")
parser.add_argument("text")
parser.add_argument("--passes", type=int, default=5)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--train", type=int)
parser.add_argument("--nanotoken", help=argparse.SUPPRESS)
parser.add_argument("--binary", default=os.path.join(here, ".build/release/wordpiece-benchmark"))
args = parser.parse_args()


with open(args.text, "rb") as f:
    data = f.read()
texts = [t.decode("utf8", "replace") for t in data.split(b"\0" if b"\0" in data else b"\n") if t]
size = sum(len(t.encode()) for t in texts)

if args.nanotoken:  # The same file as a process of its own.
    import nanotoken
    tokenizer, seconds = nanotoken.Tokenizer(args.vocab), []
    for _ in range(max(2, args.passes)):
        start = time.process_time()
        rows = tokenizer.encode_batch(texts, add_special_tokens=False, parallel=False)
        seconds.append(time.process_time() - start)
    np.concatenate([np.asarray(row, dtype=np.uint32) for row in rows]).tofile(args.nanotoken)
    rates = [size / 1e6 / s for s in seconds]
    print(json.dumps({"cold_mb_s": rates[0], "median_mb_s": statistics.median(rates[1:]), "best_mb_s": max(rates)}))
    sys.exit()


def child(*command):
    return json.loads(subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout)


def ours(*arguments):
    return child(args.binary, *arguments)


def ratio(a, b, name):
    """The median over rounds of a ratio taken within the round."""
    return statistics.median(x[name] / y[name] for x, y in zip(a, b))


def line(name, results):
    rate = {key: statistics.median(r[key] for r in results) for key in ("cold_mb_s", "median_mb_s", "best_mb_s")}
    print(f"  {name:11} {rate['cold_mb_s']:8.1f} MB/s cold, {rate['median_mb_s']:.1f} warm, {rate['best_mb_s']:.1f} best")


with tempfile.TemporaryDirectory() as folder:
    ids, peer = os.path.join(folder, "ids"), os.path.join(folder, "peer")
    mine, nano = [], []
    for _ in range(args.rounds):
        mine.append(ours("encode", args.vocab, args.text, args.passes, ids))
        nano.append(child(sys.executable, __file__, args.vocab, args.text, "--passes", args.passes, "--nanotoken", peer))
    found = np.fromfile(ids, dtype=np.uint32)
    assert np.array_equal(found, np.fromfile(peer, dtype=np.uint32)), "ids differ from nanotoken's"
    print(f"encode: {size / 1e6:.1f} MB, {len(texts)} texts, {mine[0]['tokens']} tokens")
    line("ours", mine)
    line("nanotoken", nano)
    print(f"  ours is {ratio(mine, nano, 'cold_mb_s'):.2f} times as fast cold, {ratio(mine, nano, 'median_mb_s'):.2f} warm")
    tokenizer = BertWordPieceTokenizer(args.vocab, lowercase=True)._tokenizer
    seconds, at, equal = 0.0, 0, 0
    for begin in range(0, len(texts), 4096):
        batch = texts[begin:begin + 4096]
        start = time.perf_counter()
        encoded = tokenizer.encode_batch(batch, add_special_tokens=False)
        seconds += time.perf_counter() - start
        for e in encoded:
            expected = np.array(e.ids, dtype=np.uint32)
            equal += np.array_equal(found[at:at + len(expected)], expected)
            at += len(expected)
    theirs = size / 1e6 / seconds
    print(f"  tokenizers  {theirs:8.1f} MB/s; ours is {statistics.median(m['cold_mb_s'] for m in mine) / theirs:.1f} times as fast cold")
    print(f"  texts with equal ids: {equal} of {len(texts)}")
    assert equal == len(texts) and at == len(found), "ids differ"
    if args.train:
        mine = ours("train", args.text, args.train, os.path.join(folder, "vocab"))
        trained = BertWordPieceTokenizer(lowercase=True)
        start = time.perf_counter()
        trained.train([args.text], vocab_size=args.train, min_frequency=2, limit_alphabet=1000, show_progress=False)
        theirs = os.path.getsize(args.text) / 1e6 / (time.perf_counter() - start)
        with open(os.path.join(folder, "vocab"), encoding="utf8", newline="\n") as f:
            tokens = set(f.read().split("\n")) - {""}
        both = len(tokens & set(trained.get_vocab()))
        print(f"train {args.train}: {mine['distinct_words']} distinct words")
        print(f"  ours        {mine['mb_s']:8.1f} MB/s ({mine['seconds']:.2f} s, of it {mine['count_s']:.2f} s counting)")
        print(f"  tokenizers  {theirs:8.1f} MB/s; {mine['mb_s'] / theirs:.1f} times as fast")
        print(f"  tokens in common: {both} of {len(tokens)}; the others come from ties that hash order decides there")
