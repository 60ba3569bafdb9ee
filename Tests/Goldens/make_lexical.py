# Made with Python 3.11, scikit-learn==1.9.1, numpy==2.4.6, tokenizers==0.23.3.
# Command: python Tests/Goldens/make_lexical.py
"""Goldens of lexical links, written to Tests/Goldens/lexical/.

corpus.tsv   made-up articles (a seeded generator), one a line: title, tab, text
cosine.tsv   document, then its 5 nearest as document:score, by cosine of tf-idf vectors (NearestNeighbors)
dot.tsv      the same by the dot product, as in DrQA

Terms are words and pairs of words of BERT's uncased basic tokenizer, without punctuation and without words in more than
half of the documents; a pair spans neither. Weights are log(tf + 1) * max(0, log((N - df + 0.5) / (df + 0.5))).
Documents are numbered from 0; ties by number. Nothing is hashed: with 2^26 buckets no two of these terms meet.
"""
import os
import random
import unicodedata

import numpy
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from tokenizers import normalizers, pre_tokenizers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lexical")
os.makedirs(OUT, exist_ok=True)
COUNT, NEAREST = 160, 5

SYLLABLES = ["ka", "lo", "mi", "ter", "san", "dor", "vé", "nu", "ri", "bel", "os", "tan", "gra", "fi", "ü", "Že", "pol", "mar"]
COMMON = "the of and a to in is was by with from as its".split()
TITLE = "title-{}"


def make_corpus():
    rng = random.Random(7)
    words = ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))) for _ in range(900)]
    topics = [rng.sample(words, 60) for _ in range(14)]
    documents = []
    for number in range(COUNT):
        if number % 40 == 39:  # equal texts: ties
            documents.append((TITLE.format(number), documents[number - 20][1]))
            continue
        topic = topics[rng.randrange(len(topics))]
        tokens = []
        for _ in range(rng.choice([0, 3, 40, 90, 150, 220]) if number % 11 == 10 else rng.randint(30, 160)):
            draw = rng.random()
            pool = COMMON if draw < 0.45 else topic if draw < 0.75 else words
            word = pool[min(int(rng.expovariate(6 / len(pool))), len(pool) - 1)]
            word = word.capitalize() if rng.random() < 0.1 else word
            tokens.append(word + rng.choice([",", ".", ";", " –", ""]) if rng.random() < 0.2 else word)
        documents.append((TITLE.format(number), " ".join(tokens)))
    return documents


basic = normalizers.BertNormalizer(lowercase=True)
pre = pre_tokenizers.BertPreTokenizer()


def is_punctuation(word):
    return len(word) == 1 and (unicodedata.category(word).startswith("P") or (ord(word) < 128 and not word.isalnum()))


def terms(title, text, stop):
    """Words and pairs of adjacent words; None where punctuation, a stop word or the end of the title parts them."""
    out, previous = [], None
    for part in (title, text):
        for word, _ in pre.pre_tokenize_str(basic.normalize_str(part)):
            if is_punctuation(word) or word in stop:
                previous = None
                continue
            out.append(word)
            if previous is not None:
                out.append(previous + " " + word)
            previous = word
        previous = None
    return out


def matrix(documents):
    def counts(stop):
        vectorizer = CountVectorizer(analyzer=lambda d: terms(d[0], d[1], stop), dtype=numpy.float64)
        return vectorizer, vectorizer.fit_transform(documents)

    vectorizer, plain = counts(frozenset())
    frequency = numpy.asarray((plain > 0).sum(axis=0)).ravel()
    names = vectorizer.get_feature_names_out()
    stop = frozenset(n for n, f in zip(names, frequency) if f > 0.5 * len(documents) and " " not in n)
    _, tf = counts(stop)
    frequency = numpy.asarray((tf > 0).sum(axis=0)).ravel()
    idf = numpy.maximum(0, numpy.log((len(documents) - frequency + 0.5) / (frequency + 0.5)))
    tf.data = numpy.log1p(tf.data)
    return tf.multiply(idf).tocsr()


def nearest(scores):
    """Scores of distinct pairs are either equal or further apart than rounding: checked here."""
    rows = []
    for number, row in enumerate(scores):
        order = sorted((j for j in range(len(row)) if j != number and row[j] > 0), key=lambda j: (-round(row[j], 10), j))
        for a, b in zip(order[:NEAREST], order[1:NEAREST + 1]):
            assert abs(row[a] - row[b]) < 1e-12 or abs(row[a] - row[b]) > 1e-8
        rows.append([(j, row[j]) for j in order[:NEAREST]])
    return rows


def write(name, rows):
    with open(os.path.join(OUT, name), "w", encoding="utf-8") as out:
        for number, row in enumerate(rows):
            print(number, *(f"{j}:{score:.9f}" for j, score in row), sep="\t", file=out)


documents = make_corpus()
with open(os.path.join(OUT, "corpus.tsv"), "w", encoding="utf-8") as out:
    for title, text in documents:
        print(title, text, sep="\t", file=out)
tfidf = matrix(documents)
write("dot.tsv", nearest((tfidf @ tfidf.T).toarray()))
unit = normalize(tfidf)
finder = NearestNeighbors(n_neighbors=COUNT, algorithm="brute", metric="cosine").fit(unit)
distance, index = finder.kneighbors(unit)
cosine = numpy.zeros((COUNT, COUNT))
numpy.put_along_axis(cosine, index, 1 - distance, axis=1)
# 1 − (1 − x) leaves a dust of 1e-16 where nothing is shared.
cosine[cosine < 1e-12] = 0
write("cosine.tsv", nearest(cosine))
