"""Training tokens/s of Linkloom and of PyTorch, in turn, on the same machine in the same minutes.

    swift build -c release --build-tests
    python Benchmarks/training/compare.py [--architecture tiny --length 512 --batch 8 --rounds 5]

Linkloom's side is the test `training speed` (Tests/TransformerTests/TrainingBenchmark.swift) of the release build: it
runs the trainer itself, masking included. Each round starts both programs anew, one after the other, and the order
changes every round. Prints each round and one ratio of medians. Needs torch and transformers.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--architecture", default="tiny")
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=8, help="steps timed a round")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--package", default=str(ROOT), help="folder of the package whose release tests are built")
args = parser.parse_args()


def rates(output):
    return [json.loads(line)["tokens_per_second"] for line in output.splitlines() if line.startswith("{")]


def linkloom():
    environment = dict(os.environ, LINKLOOM_BENCHMARK="1", ARCHITECTURE=args.architecture, LENGTH=str(args.length),
                       BATCH=str(args.batch), DROPOUT=str(args.dropout), THREADS=str(args.threads),
                       SLICES=str(args.threads), STEPS=str(args.steps))
    command = ["swift", "test", "-c", "release", "--skip-build", "--disable-xctest", "--disable-testable-imports",
               "--filter", "training speed"]
    done = subprocess.run(command, cwd=args.package, env=environment, capture_output=True, text=True)
    found = rates(done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(done.stdout + done.stderr)
    return found[-1]


def pytorch():
    command = [sys.executable, str(HERE / "pytorch.py"), "--architecture", args.architecture, "--length",
               str(args.length), "--batch", str(args.batch), "--dropout", str(args.dropout), "--threads",
               str(args.threads), "--steps", str(args.steps)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return rates(done.stdout)[0]


ours, theirs = [], []
for round_number in range(args.rounds):
    for name in ["linkloom", "pytorch"] if round_number % 2 == 0 else ["pytorch", "linkloom"]:
        (ours if name == "linkloom" else theirs).append(linkloom() if name == "linkloom" else pytorch())
    print(f"round {round_number + 1}: linkloom {ours[-1]:,.0f} tokens/s, pytorch {theirs[-1]:,.0f} tokens/s")
ratio = statistics.median(ours) / statistics.median(theirs)
print(f"{args.architecture}, length {args.length}, batch {args.batch}, dropout {args.dropout}, {args.threads} threads: "
      f"linkloom {statistics.median(ours):,.0f}, pytorch {statistics.median(theirs):,.0f} tokens/s, ratio {ratio:.2f}")
