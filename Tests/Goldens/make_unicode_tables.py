# Made with Python 3.11, tokenizers==0.23.3.
# Command: python Tests/Goldens/make_unicode_tables.py > Sources/Text/WordPiece/UnicodeTables.swift
"""The Unicode facts that BERT's normaliser and pre-tokeniser use, asked of `tokenizers` code point by code point.

The Rust crate mixes several Unicode versions (categories from one crate, decompositions from another, case from the
standard library), so no published table has them all. Each property is isolated by switching everything else off:
  other        removed by clean_text (general category C*, U+0000 and U+FFFD aside)
  space        separates words
  punctuation  becomes a word of its own
  mark         removed by strip_accents (category Mn)
  lower        lowercase mapping, if not itself
  nfd          canonical decomposition, full; Hangul syllables are left to arithmetic
  starter_mark marks of class 0: reordering does not cross them, though strip_accents removes them
  order        combining class of the characters that strip_accents keeps, where not 0
Stream: for each section in this order, LEB128 numbers. A set is (count, then gap and length a range). A mapping is
(count, then gap from the previous key, number of targets, zigzag(target - key) each). `order` is a mapping to the class.
"""
import base64
import sys
import textwrap
import unicodedata

from tokenizers import normalizers, pre_tokenizers

VALID = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
bert = lambda **on: normalizers.BertNormalizer(
    **{**dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False), **on})
clean, strip, lower = bert(clean_text=True), bert(strip_accents=True), bert(lowercase=True)
nfd, words = normalizers.NFD(), pre_tokenizers.BertPreTokenizer()


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def ranges(members):
    out = []
    for c in sorted(members):
        if out and out[-1][1] == c:
            out[-1][1] = c + 1
        else:
            out.append([c, c + 1])
    data, at = varint(len(out)), 0
    for begin, end in out:
        data += varint(begin - at) + varint(end - begin)
        at = end
    return data


def mapping(pairs):
    data, at = varint(len(pairs)), 0
    for key, targets in sorted(pairs.items()):
        data += varint(key - at) + varint(len(targets)) + b"".join(zigzag(t - key) for t in targets)
        at = key
    return data


other, space, punctuation, mark, lowers, decomposed, starter_mark, order = set(), set(), set(), set(), {}, {}, set(), {}
for c in VALID:
    s = chr(c)
    # U+0000 and U+FFFD are removed by name, not by category, so they are asked as neighbours would be: both are in C*/So.
    if clean.normalize_str(s) == "" and c not in (0, 0xFFFD):
        other.add(c)
    pieces = [w for w, _ in words.pre_tokenize_str("a" + s + "b")]
    if pieces == ["a", "b"]:
        space.add(c)
    elif pieces == ["a", s, "b"]:
        punctuation.add(c)
    else:
        assert pieces == ["a" + s + "b"], (hex(c), pieces)
    low = lower.normalize_str(s)
    if low != s:
        lowers[c] = [ord(x) for x in low]
    d = nfd.normalize_str(s)
    if d != s and not 0xAC00 <= c <= 0xD7A3:
        decomposed[c] = [ord(x) for x in d]
    if d == s and strip.normalize_str(s) == "":
        mark.add(c)
for c, d in decomposed.items():
    assert strip.normalize_str(chr(c)) == "".join(chr(x) for x in d if x not in mark), hex(c)
for c in range(0xAC00, 0xD7A4):
    assert nfd.normalize_str(chr(c)) == unicodedata.normalize("NFD", chr(c)), hex(c)

# Combining classes by experiment: of two marks, NFD swaps exactly those whose classes are both above 0 and descend.
swaps = lambda a, b: nfd.normalize_str("a" + chr(a) + chr(b)) == "a" + chr(b) + chr(a) and a != b
references = {1: 0x334}
for c in VALID:
    k = unicodedata.combining(chr(c))
    if k not in references and k > 1 and swaps(c, references[1]):
        references[k] = c
classes = sorted(references)
for c in VALID:
    if c in decomposed or 0xAC00 <= c <= 0xD7A3:
        continue
    if unicodedata.category(chr(c))[0] != "M" and c not in mark and unicodedata.combining(chr(c)) == 0:
        if not (swaps(c, references[1]) or swaps(references[240], c)):
            continue
    nonzero = swaps(c, references[1]) or swaps(references[240], c)
    if not nonzero:
        if c in mark:
            starter_mark.add(c)
    elif c not in mark:
        low = max([0] + [k for k in classes if swaps(c, references[k])])
        high = min([255] + [k for k in classes if swaps(references[k], c)])
        between = [k for k in classes if low < k < high]
        assert len(between) == 1, (hex(c), between)
        order[c] = [between[0]]

data = b"".join([ranges(other), ranges(space), ranges(punctuation), ranges(mark), mapping(lowers), mapping(decomposed),
                 ranges(starter_mark), mapping({c: [c + k[0]] for c, k in order.items()})])
print(f"{len(other)} other, {len(space)} space, {len(punctuation)} punctuation, {len(mark)} marks, {len(lowers)} lower,"
      f" {len(decomposed)} nfd, {len(starter_mark)} starter marks, {len(order)} ordered; {len(data)} bytes", file=sys.stderr)
print("""// The Unicode facts of BERT's normaliser, packed; `UnicodeData` reads them and says what each section means.
// Generated by Tests/Goldens/make_unicode_tables.py from tokenizers 0.23.3: change that file, not this one.

enum UnicodeTables {
    /// Base64 of LEB128 sections: other, space, punctuation, mark, lower, nfd, starter marks, order.
    static let packed: StaticString = \"\"\"""")
print("\\\n".join("        " + line for line in textwrap.wrap(base64.b64encode(data).decode(), 110)))
print('        """\n}')
