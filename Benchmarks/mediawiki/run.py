# Made with Python 3.11, wikiextractor==3.1.0, mwparserfromhell==0.7.2.
# Command: python Benchmarks/mediawiki/run.py DUMP [--size 60] [--rounds 5] [--binary PATH]
"""Reading a MediaWiki dump to documents with links, ours beside WikiExtractor, in MB of XML a second of CPU time.

The pages of DUMP are repeated (with new ids) up to --size MB of plain XML, so that starting up counts little. Rounds
alternate; times are those of the processes themselves, children included, so both sides are rates of one core.
WikiExtractor runs with one worker process, links kept, templates not expanded (it would be slower).
Checked in the same run: every round gives the same documents, and precision and recall of the links on DUMP against
mwparserfromhell are at least 0.99 (brackets that it gives up on are left out).
Build first: swift build -c release --package-path Benchmarks/mediawiki
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from common import arguments, enlarged, timed

here = os.path.dirname(os.path.abspath(__file__))
args = arguments().parse_args()


def check():
    compare = os.path.join(here, "../../Tests/Goldens/compare_wikitext.py")
    report = subprocess.run(
        [sys.executable, compare, args.dump, "--tool", args.binary, "--show", "0"], check=True, capture_output=True, text=True
    ).stdout
    recall, precision = map(float, re.search(r"recall ([\d.]+)\n  precision ([\d.]+) without", report).groups())
    print(f"links against mwparserfromhell: precision {precision}, recall {recall}")
    assert precision >= 0.99 and recall >= 0.99, "the links are wrong"


check()
with tempfile.TemporaryDirectory() as folder:
    dump = os.path.join(folder, "dump.xml")
    with open(dump, "wb") as f:
        f.writelines(enlarged(args.dump, args.size))
    megabytes = os.path.getsize(dump) / 1e6
    extractor = [sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "-q", "--links", "--no-templates", "--processes", "1"]
    ours, theirs, hashes = [], [], set()
    for number in range(args.rounds):
        _, seconds, out = timed([args.binary, "time", dump, "1"])
        ours.append(megabytes / seconds)
        hashes.add(json.loads(out)["hash"])
        _, seconds, _ = timed([*extractor, "-o", os.path.join(folder, f"out{number}"), dump])
        theirs.append(megabytes / seconds)
        print(f"round {number + 1}: ours {ours[-1]:.1f} MB/s, WikiExtractor {theirs[-1]:.2f} MB/s", flush=True)
    assert len(hashes) == 1, "rounds gave different documents"
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print(f"{megabytes:.1f} MB of XML, median of {args.rounds} rounds, one core each:")
    print(f"  ours          {statistics.median(ours):6.1f} MB/s ({min(ours):.1f} to {max(ours):.1f})")
    print(f"  WikiExtractor {statistics.median(theirs):6.2f} MB/s ({min(theirs):.2f} to {max(theirs):.2f}); ratio {ratio:.1f}")
