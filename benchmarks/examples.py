"""How fast do documents become masked examples, as a ratio to the generator published with BERT?

    BERT_COURSE_DATA=... python benchmarks/examples.py

On the books of BERT_COURSE_DATA, or without it on documents of random words. Both generators run by
turns in this process, on one core and on the same documents, each in the form it works on: lists of
ids for the published algorithm (see original_generator.py), flat arrays for ours. What it takes to
make such arrays of lists is printed beside, for it is not in the ratio: `python -m bert_course
examples` writes ids into flat arrays from the beginning.

Time is the processor's, so that what else the machine does disturbs less. The published fill
depends on which documents are short: one in ten is, from end to end.
"""

import os
import pathlib
import random
import statistics
import time

import numpy as np
from original_generator import make_instances

from bert_course.text.documents import read_documents
from bert_course.text.masking import mask_tokens
from bert_course.text.pairs import FlatDocuments, make_pairs
from bert_course.text.vocabulary import SPECIAL, Vocabulary
from bert_course.text.wordpiece import WordPieceTokenizer

LENGTH, TURNS, ROWS_AT_A_TIME = 128, 9, 2048


def books(folder):
    tokenizer = WordPieceTokenizer(folder / "vocab" / "bert-base-uncased.vocab.txt")
    texts = read_documents(sorted((folder / "books").glob("*.txt")))
    return [[tokenizer.ids(text) for text in texts] for texts in texts], tokenizer.vocabulary


def random_documents(count=1500, rng=0):
    """As many chapters and sentences as the books have, and about as long."""
    rng = np.random.default_rng(rng)
    vocabulary = Vocabulary([*SPECIAL, *(f"word{i}" for i in range(30_000))])
    documents = []
    for sentences in rng.integers(20, 260, count):
        lengths = 1 + rng.gamma(1.4, 16, sentences).astype(int)
        documents.append([rng.integers(5, len(vocabulary), n).tolist() for n in lengths])
    return documents, vocabulary


def published(documents, vocabulary):
    """-> number of examples, fill."""
    instances = make_instances(documents, vocabulary, random.Random(0), LENGTH)
    return len(instances), statistics.mean(len(i["inputs"]) for i in instances) / LENGTH


def ours(documents, vocabulary):
    """-> number of examples, fill. All that was made is kept to the end, as above."""
    rng = np.random.default_rng(0)
    pairs = make_pairs(documents, vocabulary, LENGTH, rng)
    masked = [
        mask_tokens(pairs.token_ids[start : start + ROWS_AT_A_TIME], rng, vocabulary)
        for start in range(0, len(pairs), ROWS_AT_A_TIME)
    ]
    return sum(len(rows.inputs) for rows in masked), pairs.fill


def rate(make, documents, vocabulary):
    """-> examples per second of the processor's time (others may use it, too), fill."""
    start = time.process_time()
    count, fill = make(documents, vocabulary)
    return count / (time.process_time() - start), fill


def one_batch(vocabulary, documents, times=200):
    """Median time, in µs, to mask 32 rows."""
    rows = make_pairs(documents, vocabulary, LENGTH).token_ids[:32]
    rng, seconds = np.random.default_rng(0), []
    for _ in range(times):
        start = time.perf_counter()
        mask_tokens(rows, rng, vocabulary)
        seconds.append(time.perf_counter() - start)
    return 1e6 * statistics.median(seconds), len(rows)


def main():
    folder = os.environ.get("BERT_COURSE_DATA")
    documents, vocabulary = books(pathlib.Path(folder)) if folder else random_documents()
    start = time.perf_counter()
    flat = FlatDocuments.from_lists(documents)
    flat = flat._replace(ids=flat.ids.astype("uint16"))  # as they are on disk
    to_flat = time.perf_counter() - start
    sentences = sum(map(len, documents))
    print(f"{len(documents)} documents, {sentences:,} sentences, {len(flat.ids):,} tokens")
    ours(flat, vocabulary)  # warm up
    turns = [
        (rate(published, documents, vocabulary), rate(ours, flat, vocabulary)) for _ in range(TURNS)
    ]
    print(f"{'':10} {'examples/s':>12} {'fill':>6}")
    for name, column in zip(("published", "ours"), zip(*turns, strict=True), strict=True):
        rates, fills = zip(*column, strict=True)
        print(f"{name:10} {statistics.median(rates):12,.0f} {fills[0]:6.3f}")
    ratios = [fast / slow for (slow, _), (fast, _) in turns]
    print(
        f"times as fast: {statistics.median(ratios):.1f} "
        f"(from {min(ratios):.1f} to {max(ratios):.1f} in {TURNS} turns)"
    )
    print(f"lists to flat arrays, once: {to_flat:.2f} s")
    micros, rows = one_batch(vocabulary, flat)
    print(f"mask_tokens on {rows} x {LENGTH}: {micros:.0f} µs")


if __name__ == "__main__":
    main()
