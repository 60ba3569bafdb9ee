"""Large dumps for benchmarks, made of small ones."""
import bz2
import re


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
