"""How fast is text cut into ids, as a ratio to the `tokenizers` library on one core?

    python benchmarks/tokenizing.py FOLDER/books/*.txt --vocab FOLDER/vocab.txt

A turn is the paragraphs of one file: theirs with `encode_batch`, ours one by one. Both run by turns
in this process and must give the same ids; what is measured is the processor's time, on one core.
Ours remembers chunks that it has met, theirs has no such memory: so the files are read three times,
and the first reading, which begins with nothing remembered, is reported apart.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one core, as ours
os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import pathlib
import statistics
import time

import tokenizers

from bert_course.text.wordpiece import WordPieceTokenizer


def timed(function, texts):
    start = time.process_time()
    answer = function(texts)
    return time.process_time() - start, answer


def compare(books, our_ids, their_ids):
    """[(seconds of ours, seconds of theirs)], a pair for each book."""
    pairs = []
    for texts in books:
        our_time, our_answer = timed(our_ids, texts)
        their_time, their_answer = timed(their_ids, texts)
        assert our_answer == their_answer, "the same work, or no comparison"
        pairs.append((our_time, their_time))
    return pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--vocab", required=True)
    parser.add_argument("--cased", action="store_true")
    arguments = parser.parse_args()
    ours = WordPieceTokenizer(arguments.vocab, lowercase=not arguments.cased)
    theirs = tokenizers.BertWordPieceTokenizer(arguments.vocab, lowercase=not arguments.cased)

    def our_ids(texts):
        return [ours.ids(text) for text in texts]

    def their_ids(texts):
        return [e.ids for e in theirs.encode_batch(texts, add_special_tokens=False)]

    books = [file.read_text("utf-8").split("\n") for file in arguments.files]
    size = sum(len(text.encode()) for book in books for text in book) / 1e6
    print(f"{len(books)} files, {size:.1f} MB; tokenizers {tokenizers.__version__}, one core")
    print(f"{'reading':8} {'ours, MB/s':>11} {'theirs, MB/s':>13} {'times as fast (median)':>23}")
    for reading in ("first", "second", "third"):
        pairs = compare(books, our_ids, their_ids)
        speeds = [size / sum(column) for column in zip(*pairs, strict=True)]
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{reading:8} {speeds[0]:11.1f} {speeds[1]:13.1f} {ratio:23.2f}", flush=True)


if __name__ == "__main__":
    main()
