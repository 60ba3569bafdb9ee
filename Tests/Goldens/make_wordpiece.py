# Made with Python 3.11, tokenizers==0.23.3, transformers==5.23.0.
# Command: python Tests/Goldens/make_wordpiece.py
"""Goldens of BERT's normaliser, WordPiece encoding and vocabulary training, written to Tests/Goldens/wordpiece/.

characters.tsv  options, block, FNV-1a 64 of what BertNormalizer + BertPreTokenizer make of "a<c>b" and of "<c>" for every
                code point of the block (16,384 each): all code points, six sets of options
marks.tsv       random runs of letters, marks and oddities: text, then the words, in hexadecimal
corpus.txt      made-up prose (a seeded generator) in several scripts, one text a line
vocabulary.txt  WordPieceTrainer on corpus.txt, lowercased, 450 tokens, at most 60 characters; ids of single characters and
                of their ## forms pinned by listing them as special tokens, since hash order decides them otherwise
cased.txt       the same, cased, 640 tokens, no limit reached
tokenizer.json  as tokenizers writes it for cased.txt
encode.tsv      options, text, then id:begin:end a token (BertTokenizerFast; begin and end in UTF-8 bytes)
"""
import collections
import os
import random

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertTokenizerFast

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wordpiece")
os.makedirs(OUT, exist_ok=True)
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OPTIONS = {  # name: lowercase, strip_accents, clean_text, handle_chinese_chars
    "uncased": (True, None, True, True), "cased": (False, None, True, True), "accents": (True, False, True, True),
    "cased-strip": (False, True, True, True), "raw": (True, None, False, True), "plain": (True, None, True, False)}
pre = pre_tokenizers.BertPreTokenizer()


def normalizer(name):
    lowercase, strip, clean, chinese = OPTIONS[name]
    return normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lowercase)


def words(norm, text):
    return [w for w, _ in pre.pre_tokenize_str(norm.normalize_str(text))]


def fnv(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def write(name, lines):
    with open(os.path.join(OUT, name), "w", encoding="utf8", newline="\n") as f:
        f.writelines(line + "\n" for line in lines)


lines = []
for name in OPTIONS:
    norm = normalizer(name)
    for block in range(0, 0x110000, 0x4000):
        out = []
        for c in range(block, block + 0x4000):
            if not 0xD800 <= c <= 0xDFFF:
                out += words(norm, "a" + chr(c) + "b") + [";"] + words(norm, chr(c)) + ["\n"]
        lines.append(f"{name}\t{block:x}\t{fnv(' '.join(out).encode()):016x}")
write("characters.tsv", lines)

rng = random.Random(1)
# Kept marks of several classes, removed marks of class 0 and above, controls, letters, compositions with kept marks.
odd = [0x302E, 0x302F, 0x1D165, 0x1D16D, 0x1D15E, 0x1D160, 0x16FF0, 0x1133C, 0x11446, 0x1E2EC, 0x10D24, 0x0301, 0x0323, 0x0334,
       0x034F, 0x093F, 0x0941, 0x200D, 0xAD, 0x00E9, 0x1EC7, 0x41, 0x62, 0x130, 0x212B, 0xAC01, 0xF900, 0x4E00, 0x2260, 0x387,
       0x1F80, 0xFB1D, 0x20, 0xA0, 0x2E, 0x3002, 0x5D0, 0x5B0, 0x1AB0, 0x1DF9, 0x1E8D0, 0x0C4D, 0x0D4D, 0x1B44, 0xA8C4, 0x110B9]
lines = []
for name in ("uncased", "cased", "accents"):
    norm = normalizer(name)
    for _ in range(150):
        text = "".join(chr(rng.choice(odd)) for _ in range(rng.randint(1, 14)))
        lines.append(f"{name}\t{text.encode().hex()}\t{' '.join(w.encode().hex() for w in words(norm, text))}")
write("marks.tsv", lines)

# A made-up language: stems and endings with Zipf's frequencies, some of it accented, Cyrillic or Chinese.
rng = random.Random(2)
syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "ste", "tri", "vo", "shi", "pe", "du", "an", "or", "el", "qua", "the", "ing", "é", "ü"]
stems = ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(700)]
stems += ["".join(rng.choice("абвгдежзиклмнопрст") for _ in range(rng.randint(2, 7))) for _ in range(80)]
endings = ["", "", "", "s", "ed", "ing", "ly", "ness", "er"]


def word():
    w = stems[min(int(rng.paretovariate(0.7)) - 1, len(stems) - 1)] + rng.choice(endings)
    r = rng.random()
    return w.capitalize() if r < 0.15 else w.upper() if r < 0.18 else str(rng.randint(0, 2030)) if r < 0.2 else w


corpus = []
for _ in range(450):
    text = " ".join(word() for _ in range(rng.randint(3, 25)))
    if rng.random() < 0.3:
        text += ", " + "".join(rng.choice("天地玄黃宇宙洪荒日月盈昃") for _ in range(rng.randint(1, 4))) + " " + word()
    corpus.append(text + rng.choice([".", ".", "!", "?", " (" + word() + ")", "—" + word() + "."]))
write("corpus.txt", corpus)


def train(name, size, limit, pinned=True):
    norm = normalizer(name)
    counts = collections.Counter(w for t in corpus for w in words(norm, t))
    letters = collections.Counter()
    for w, n in counts.items():
        for c in w:
            letters[c] += n
    ranked = sorted(letters.items(), key=lambda x: (-x[1], x[0]))
    assert len(ranked) <= limit or ranked[limit - 1][1] > ranked[limit][1], "a tie at the limit: choose another"
    kept = sorted(c for c, _ in ranked[:limit])
    later = sorted({c for w in counts for c in w[1:] if c in kept})
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer, tok.pre_tokenizer = norm, pre
    first = SPECIALS + kept + ["##" + c for c in later] if pinned else SPECIALS
    tok.train_from_iterator(corpus, trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=2, limit_alphabet=limit, special_tokens=first, show_progress=False))
    return [t for t, _ in sorted(tok.get_vocab().items(), key=lambda x: x[1])]


vocabularies = {"uncased": train("uncased", 450, 60), "cased": train("cased", 640, 1000)}
assert train("uncased", 450, 60) == vocabularies["uncased"], "pinned training should not vary"
for name, size, limit in (("uncased", 450, 60), ("cased", 640, 1000)):
    free = [set(train(name, size, limit, pinned=False)) for _ in range(3)]
    print(name, len(vocabularies[name]), "tokens; unpinned runs differ from the pinned one in",
          [len(f ^ set(vocabularies[name])) // 2 for f in free], "and from each other in",
          [len(free[0] ^ f) // 2 for f in free[1:]])
write("vocabulary.txt", vocabularies["uncased"])
write("cased.txt", vocabularies["cased"])

rng = random.Random(3)
texts = corpus[:60] + [
    "", " ", "[MASK]", "a[MASK]b", "[mask] [MASK][MASK] [SEP]. [[CLS]]", "[PA[PAD]D]", "[UNK]", "[MASK", "x" * 100, "x" * 101,
    "é" * 100, "é" * 101, "E\u0301" * 60, "Quashi\u0301 lo\u0308ra", "a\u0000b\ufffdc\u200bd\u00ade", "tab\tline\nreturn\rform\fx",
    "no\u00a0break thin\u2009space line\u2028separator", "天地abc玄黃", "豈更\uf900", "한국어 한글", "ĲĳǅǆŐű İI ıi", "ΑΣ ΟΔΟΣ.", "ﬁn ½ ②",
    "≠ ≮ ; ` ´", "don't can't 'tis “quoted” — dash…", "3.14 10,000 a.b@c.de http://x.yz/a?b=c", "кириллица АБВ",
    "\U0001d15e\U0001d165 \U00011446\u0301", "a" * 17 + " " + "ba" * 20, "naïve café ÀÉÎÕÜ", "🙂 ok 👩\u200d👩\u200d👧", "\ue000private"]
alphabet = "".join(corpus) + "[]MASKé\u0301\u00a0天\u200b."
for _ in range(60):
    texts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 60))))


def oracle(name):
    lowercase, strip, clean, chinese = OPTIONS[name]
    vocab = vocabularies["uncased" if lowercase else "cased"]
    tok = BertTokenizerFast(vocab={t: i for i, t in enumerate(vocab)}, do_lower_case=lowercase, strip_accents=strip,
                            tokenize_chinese_chars=chinese)
    if not clean:  # the class has no such option
        tok.backend_tokenizer.normalizer = normalizer(name)
    return tok


lines = []
for name in ("uncased", "cased", "accents", "raw", "plain"):
    tok = oracle(name)
    for text in texts:
        enc = tok(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        at = [0]
        for c in text:
            at.append(at[-1] + len(c.encode()))
        tokens = [f"{i}:{at[b]}:{at[e]}" for i, (b, e) in zip(enc["input_ids"], enc["offset_mapping"])]
        lines.append(f"{name}\t{text.encode().hex()}\t{' '.join(tokens)}")
write("encode.tsv", lines)

# The tokenizer.json that tokenizers itself writes for the cased vocabulary: ours must say the same.
tok = oracle("cased")
with open(os.path.join(OUT, "tokenizer.json"), "w", encoding="utf8") as f:
    f.write(tok.backend_tokenizer.to_str())
