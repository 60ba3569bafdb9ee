"""Training tokens/s of Linkloom and of PyTorch, in turn, on the same machine in the same minutes.

    swift build -c release --build-tests
    python Benchmarks/training/compare.py [--architecture tiny --length 512 --batch 8 --rounds 5]
    python Benchmarks/training/compare.py --table [--rounds 5]
    python Benchmarks/training/compare.py --shards FOLDER --architecture tiny --length 128 --batch 32 [--rounds 5]

Linkloom's side is the test `training speed` (Tests/TransformerTests/TrainingBenchmark.swift) of the release build: it
runs the trainer itself, masking included. Each round starts both programs anew, one after the other, and the order
changes every round. Prints each round, one ratio of medians, the peak memory of both, and what share of the machine's
multiply-add peak, measured between the rounds (peak.c, needs clang), the FLOPs come to that Linkloom computes, which are
fewer than PyTorch's (see flops_a_token). `--table`: every
size and length of docs/performance.md, with dropout and without. `--shards`: rows of the lengths that shards have
(written by `linkloom export … shards --to FOLDER`), which the peer pads to the longest of a batch; tokens are those that
are not padding. Where torch or transformers are missing, both are installed from PyPI into `.venv` beside this file first.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = ["torch==2.13.0", "transformers==5.23.0", "numpy==2.4.6", "safetensors==0.8.0"]


def run_where_torch_is():
    """Goes on in an environment of its own if this one lacks the peer."""
    if all(importlib.util.find_spec(package.split("=")[0]) for package in PACKAGES):
        return
    python = HERE / ".venv/bin/python"
    if not python.exists():
        venv.create(HERE / ".venv", with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    os.execv(python, [str(python), *sys.argv])


run_where_torch_is()

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--architecture", default="tiny")
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of Linkloom's products")
parser.add_argument("--peer-precision", choices=["fp32", "bf16"], default="fp32", help="bf16: torch.autocast")
parser.add_argument("--steps", type=int, default=8, help="steps timed a round")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--package", default=str(ROOT), help="folder of the package whose release tests are built")
parser.add_argument("--shards", help="folder of exported shards whose row lengths to train on")
parser.add_argument("--table", action="store_true", help="the whole table instead of one line of it")
args = parser.parse_args()

# (architecture, length, batch, steps timed a round)
TABLE = [("tiny", 512, 8, 16), ("tiny", 128, 32, 16), ("mini", 512, 8, 6), ("mini", 128, 32, 6), ("small", 512, 4, 4),
         ("base", 512, 2, 2)]
SIZES = {"tiny": (2, 128, 512), "mini": (4, 256, 1024), "small": (4, 512, 2048), "medium": (8, 512, 2048),
         "base": (12, 768, 3072), "large": (24, 1024, 4096)}
VOCABULARY = 30522


def flops_a_token(architecture, length):
    """Matrix products alone, a multiply-add is 2, backward is twice forward; MLM head at masked positions only.

    Of a model whose layers make all rows, as PyTorch's do, and of what Linkloom computes: its last layer makes keys and
    values of all rows, and all else of [CLS] and the masked positions only.
    """
    layers, hidden, intermediate = SIZES[architecture]
    masked = 2 * round(0.15 * (length // 2 - 2))
    layer = 2 * length * (4 * hidden**2 + 2 * hidden * intermediate) + 4 * length**2 * hidden
    rows = masked + 1
    last = 4 * length * hidden**2 + rows * (4 * hidden**2 + 4 * hidden * intermediate + 4 * length * hidden)
    heads = 2 * masked * (hidden**2 + hidden * VOCABULARY) + 2 * (hidden**2 + 3 * hidden)
    return [3 * (encoder + heads) / length for encoder in (layers * layer, (layers - 1) * layer + last)]


def answer(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        sys.exit(done.stdout + done.stderr)
    joined = {}
    for line in lines:
        joined |= line
    return joined["tokens_per_second"], joined["peak_rss_mb"]


def linkloom(architecture, length, batch, steps, dropout):
    environment = dict(os.environ, LINKLOOM_BENCHMARK="1", ARCHITECTURE=architecture, LENGTH=str(length),
                       BATCH=str(batch), DROPOUT=str(dropout), THREADS=str(args.threads), SLICES=str(args.threads),
                       STEPS=str(steps), PRECISION=args.precision, **({"ROWS": rows_file} if rows_file else {}))
    command = ["swift", "test", "-c", "release", "--skip-build", "--disable-xctest", "--disable-testable-imports",
               "--filter", "training speed"]
    return answer(command, cwd=args.package, env=environment)


def pytorch(architecture, length, batch, steps, dropout):
    return answer([sys.executable, str(HERE / "pytorch.py"), "--architecture", architecture, "--length", str(length),
                   "--batch", str(batch), "--dropout", str(dropout), "--threads", str(args.threads), "--steps",
                   str(steps), "--precision", args.peer_precision, *(["--rows", rows_file] if rows_file else [])])


def shapes_of_shards(folder, count):
    """Length and begin of the second text of the first training rows, a line each."""
    from safetensors.numpy import load_file

    lines = []
    for part in sorted(pathlib.Path(folder).glob("train-*.safetensors")):
        columns = load_file(part)
        second = columns["span.begin"][columns["span.offsets"][:-1] + 1]
        lines += [f"{length} {begin}\n" for length, begin in zip(columns["offsets"][1:] - columns["offsets"][:-1], second)]
        if len(lines) >= count:
            return lines[:count]
    sys.exit(f"{folder}: {len(lines)} training rows, {count} are wanted")


def build_peak(folder):
    program = str(pathlib.Path(folder) / "peak")
    subprocess.run(["clang", "-O3", "-std=gnu11", "-pthread", str(HERE / "peak.c"), "-o", program], check=True)
    return program


def compare(peak, *config):
    """Medians of both, memory of both, and the median of the peaks measured between the rounds, in GFLOP/s."""
    ours, theirs, peaks = [], [], []
    for round_number in range(args.rounds):
        for side in [linkloom, pytorch] if round_number % 2 == 0 else [pytorch, linkloom]:
            (ours if side is linkloom else theirs).append(side(*config))
        peaks.append(float(subprocess.run([peak, str(args.threads)], check=True, capture_output=True).stdout))
        if not args.table:
            print(f"round {round_number + 1}: linkloom {ours[-1][0]:,.0f} tokens/s, pytorch {theirs[-1][0]:,.0f} "
                  f"tokens/s, multiply-add peak {peaks[-1]:.0f} GFLOP/s", flush=True)
    rate = [statistics.median(side[0] for side in sides) for sides in (ours, theirs)]
    memory = [max(side[1] for side in sides) for sides in (ours, theirs)]
    return rate, memory, statistics.median(peaks)


with tempfile.TemporaryDirectory() as folder:
    peak = build_peak(folder)
    rows_file = None
    if args.shards:
        rows_file = str(pathlib.Path(folder) / "rows")
        lines = shapes_of_shards(args.shards, 2 * args.steps * args.batch)
        pathlib.Path(rows_file).write_text("".join(lines))
        lengths = [int(line.split()[0]) for line in lines]
        print(f"rows of {min(lengths)} to {max(lengths)} tokens, {statistics.mean(lengths):.0f} on average")
    rows = [(args.architecture, args.length, args.batch, args.steps, args.dropout)]
    if args.table:
        rows = [(*row, dropout) for row in TABLE for dropout in (0.1, 0.0)]
        print("| size, length, batch | dropout | Linkloom tokens/s | PyTorch tokens/s | ratio | GFLOP/s | share of peak "
              "| MB, Linkloom | MB, PyTorch |\n|---|---|---|---|---|---|---|---|---|", flush=True)
    for row in rows:
        (ours, theirs), memory, ceiling = compare(peak, *row)
        speed = ours * flops_a_token(row[0], round(statistics.mean(lengths)) if rows_file else row[1])[1] / 1e9
        cells = [f"{row[0]}, {row[1]}, {row[2]}", row[4], f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}",
                 f"{speed:.0f}", f"{100 * speed / ceiling:.0f}% of {ceiling:.0f}", *(f"{mb:,.0f}" for mb in memory)]
        if args.table:
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        else:
            print(f"{cells[0]}, dropout {cells[1]}, {args.threads} threads: linkloom {cells[2]}, pytorch {cells[3]} "
                  f"tokens/s, ratio {cells[4]}; {cells[5]} GFLOP/s, {cells[6]}; {cells[7]} and {cells[8]} MB")
