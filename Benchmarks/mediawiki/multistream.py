# Made with Python 3.11, lbzip2 2.5.
# Command: python Benchmarks/mediawiki/multistream.py DUMP [--size 60] [--rounds 5] [--cores N] [--binary PATH]
"""Reading a multistream .bz2 dump to documents with links, beside what lbzip2 alone needs to unpack it, on the same cores.

The pages of DUMP are repeated (with new ids) up to --size MB of XML and packed a hundred pages a stream. Rounds
alternate. Both rates are MB of XML: a second of the clock, which depends on what else the machine does, and a second of
CPU time of all threads, which does not. Checked in the same run: the documents are those of the plain XML.
Build first: swift build -c release --package-path Benchmarks/mediawiki
"""
import json
import os
import statistics
import subprocess
import tempfile

from common import arguments, enlarged, multistream, timed

parser = arguments()
parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
args = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:
    plain, packed = os.path.join(folder, "dump.xml"), os.path.join(folder, "dump.xml.bz2")
    parts = enlarged(args.dump, args.size)
    with open(plain, "wb") as f:
        f.writelines(parts)
    with open(packed, "wb") as f:
        f.writelines(multistream(parts))
    megabytes = os.path.getsize(plain) / 1e6
    commands = {
        "ours": [args.binary, "time", packed, "1", str(args.cores)],
        "ours, one thread": [args.binary, "time", packed, "1", "1"],
        "lbzip2": ["lbzip2", "-dc", "-n", str(args.cores), packed],
    }
    expected = json.loads(timed([args.binary, "time", plain, "1", "1"])[2])["hash"]
    rates = {name: [] for name in commands}
    for number in range(args.rounds):
        for name, command in commands.items():
            # What lbzip2 unpacks is thrown away unread.
            clock, cpu, out = timed(command, subprocess.DEVNULL if name == "lbzip2" else subprocess.PIPE)
            rates[name].append((megabytes / clock, megabytes / cpu))
            assert not out or json.loads(out)["hash"] == expected, "not the documents of the plain XML"
        print(f"round {number + 1}: " + ", ".join(f"{name} {r[-1][0]:.1f} MB/s" for name, r in rates.items()), flush=True)
    print(f"{megabytes:.1f} MB of XML, {os.path.getsize(packed) / 1e6:.1f} MB packed, {args.cores} cores, median of {args.rounds} rounds:")
    for name, r in rates.items():
        ratio = [statistics.median(a[k] / b[k] for a, b in zip(r, rates["lbzip2"])) for k in (0, 1)]
        clock, cpu = (statistics.median(v[k] for v in r) for k in (0, 1))
        print(f"  {name:17} {clock:6.1f} MB/s (ratio {ratio[0]:.2f}), {cpu:6.1f} MB a second of CPU (ratio {ratio[1]:.2f})")
