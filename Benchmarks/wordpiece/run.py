# Made with Python 3.11, tokenizers==0.23.3, numpy.
# Command: python Benchmarks/wordpiece/run.py VOCAB TEXT [--passes 5] [--train SIZE] [--binary PATH]
"""WordPiece encoding and vocabulary training, ours beside Hugging Face tokenizers, on the lines of one text file.

Both run on one thread, one after the other; ids are compared. With --train, both also train a vocabulary of that size.
Build first: swift build -c release --package-path Benchmarks/wordpiece
"""
import argparse
import json
import os
import subprocess
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
parser.add_argument("--train", type=int)
parser.add_argument("--binary", default=os.path.join(here, ".build/release/wordpiece-benchmark"))
args = parser.parse_args()


def ours(*arguments):
    return json.loads(subprocess.run([args.binary, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


with open(args.text, "rb") as f:
    lines = [line.decode("utf8", "replace") for line in f.read().split(b"\n") if line]
size = sum(len(line.encode()) for line in lines)
with tempfile.TemporaryDirectory() as folder:
    ids = os.path.join(folder, "ids")
    mine = ours("encode", args.vocab, args.text, args.passes, ids)
    found = np.fromfile(ids, dtype=np.uint32)
    tokenizer = BertWordPieceTokenizer(args.vocab, lowercase=True)._tokenizer
    seconds, at, equal = 0.0, 0, 0
    for begin in range(0, len(lines), 4096):
        batch = lines[begin:begin + 4096]
        start = time.perf_counter()
        encoded = tokenizer.encode_batch(batch, add_special_tokens=False)
        seconds += time.perf_counter() - start
        for e in encoded:
            expected = np.array(e.ids, dtype=np.uint32)
            equal += np.array_equal(found[at:at + len(expected)], expected)
            at += len(expected)
    theirs = size / 1e6 / seconds
    print(f"encode: {size / 1e6:.1f} MB, {len(lines)} lines, {mine['tokens']} tokens")
    print(f"  ours        {mine['cold_mb_s']:8.1f} MB/s cold, {mine['median_mb_s']:.1f} median, {mine['best_mb_s']:.1f} best")
    print(f"  tokenizers  {theirs:8.1f} MB/s; cold is {mine['cold_mb_s'] / theirs:.1f} times as fast")
    print(f"  lines with equal ids: {equal} of {len(lines)}")
    assert equal == len(lines) and at == len(found), "ids differ"
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
