# Made with Python 3.11 and perf of linux-perf.
# Command: python Benchmarks/stages/run.py [--data ../shared/data] [--binary PATH]
"""Where the time of each data stage goes: compression, digests, the system, and the stage's own work.

Runs every stage of Schools Wikipedia once to have its inputs, then each alone (`--force STAGE --until STAGE -j 1`) under
`perf record`, and sorts the samples by library: libzstd is compression and unpacking, libcrypto SHA-256, the kernel page
cache, page faults and system calls; what is left is ours. Fails where compression or digests are the largest share of a stage.
Needs perf. Build first: swift build -c release
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", default=os.environ.get("LINKLOOM_DATA", os.path.join(root, "../shared/data")))
parser.add_argument("--binary", default=os.path.join(root, ".build/release/linkloom"))
args = parser.parse_args()

STAGES = ["documents", "links", "graph", "vocab", "tokens", "segments", "pairs", "shards"]
GROUPS = {"libzstd": "zstd", "libcrypto": "SHA-256", "[kernel": "system"}


def shares(recording):
    """Percent of the samples by group."""
    report = subprocess.run(
        ["perf", "report", "-i", recording, "--no-children", "--sort", "dso", "--stdio"], capture_output=True, text=True,
        check=True).stdout
    found = dict.fromkeys([*GROUPS.values(), "own"], 0.0)
    for percent, library in re.findall(r"^\s+([\d.]+)%\s+(\S+)", report, re.M):
        group = next((name for prefix, name in GROUPS.items() if library.startswith(prefix)), "own")
        found[group] += float(percent)
    return found


with tempfile.TemporaryDirectory() as folder:
    pipeline = [os.path.join(root, "pipelines/linkbert.yaml"), "-e", "linkbert", "-s", "corpus=schools-wikipedia", "-s",
                f"params.data={os.path.abspath(args.data)}", "--store", os.path.join(folder, "store")]
    subprocess.run([args.binary, "run", *pipeline, "--until", "shards"], check=True, capture_output=True)
    recording = os.path.join(folder, "perf.data")
    print("| stage | seconds | own work | system | zstd | SHA-256 |\n|---|---|---|---|---|---|", flush=True)
    failed = []
    for stage in STAGES:
        command = [args.binary, "run", *pipeline, "--force", stage, "--until", stage, "-j", "1", "--json"]
        done = subprocess.run(["perf", "record", "-q", "-F", "999", "-o", recording, *command], check=True,
                              capture_output=True, text=True)
        seconds = next(row["seconds"] for row in json.loads(done.stdout)["stages"] if row["name"] == stage)
        found = shares(recording)
        cells = [f"{found[group]:.0f}%" for group in ("own", "system", "zstd", "SHA-256")]
        print("| " + " | ".join([f"`{stage}`", f"{seconds:.2f}", *cells]) + " |", flush=True)
        if max(found, key=found.get) in ("zstd", "SHA-256"):
            failed.append(stage)
    if failed:
        sys.exit(f"compression or digests are the bottleneck of: {', '.join(failed)}")
