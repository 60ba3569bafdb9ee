"""What the benchmarks of this folder share: their arguments, timing, and large dumps made of small ones."""
import argparse
import bz2
import os
import re
import resource
import subprocess
import time


def arguments():
    """A parser of what every benchmark here takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dump")
    parser.add_argument("--size", type=float, default=60, help="MB of XML")
    parser.add_argument("--rounds", type=int, default=5)
    binary = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".build/release/mediawiki-benchmark")
    parser.add_argument("--binary", default=binary)
    return parser


def timed(command, stdout=subprocess.PIPE):
    """Runs a command: seconds of the clock, seconds of CPU of it and its children, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, check=True, stdout=stdout, stderr=subprocess.PIPE)
    clock, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def enlarged(path, size):
    """The dump's head, its pages again and again with ids of their own up to `size` MB, and its end: a list."""
    with (bz2.open(path) if path.endswith(".bz2") else open(path, "rb")) as f:
        xml = f.read()
    first, last = xml.index(b"<page>"), xml.rindex(b"</page>") + len(b"</page>\n")
    pages, out, copy = xml[first:last], [xml[:first]], 0
    while sum(map(len, out)) < size * 1e6:
        out.append(re.sub(rb"(</ns>\s*<id>)(\d+)", lambda m: m[1] + b"%d" % (int(m[2]) + copy * 10**8), pages))
        copy += 1
    return out + [b"</mediawiki>\n"]


def multistream(parts, pages=100):
    """As the large wikis' dumps are packed: a stream each for the head, every hundred pages, and the end."""
    yield bz2.compress(parts[0])
    for part in parts[1:-1]:
        whole = re.findall(rb"<page>.*?</page>\n?\s*", part, re.S)
        for i in range(0, len(whole), pages):
            yield bz2.compress(b"".join(whole[i : i + pages]))
    yield bz2.compress(parts[-1])
