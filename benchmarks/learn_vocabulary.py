"""How fast is a vocabulary learned, and how good is it, beside tensorflow_text's learner?

    python benchmarks/learn_vocabulary.py FOLDER/books/*.txt

Paragraphs of the files, shuffled with a fixed seed: 5 MB to learn from, the rest to see how many
pieces a word needs. Theirs is `bert_vocab_from_dataset`, which reads, counts and learns, as ours
does. It answers with fewer pieces than asked for (it looks for a threshold, not a size), so ours
is measured twice: asked for the same number, and for as many as theirs gave.
"""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import argparse
import pathlib
import random
import time

import tensorflow as tf
from tensorflow_text.tools.wordpiece_vocab.bert_vocab_from_dataset import bert_vocab_from_dataset

from bert_course.text.learn import count_words
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.wordpiece import learn_vocabulary, longest_pieces
from bert_course.text.words import Readings


def split_texts(files, megabytes):
    """(to learn from, held out), shuffled."""
    texts = [t for file in sorted(files) for t in file.read_text("utf-8").split("\n") if t]
    random.Random(0).shuffle(texts)
    size = 0
    for place, text in enumerate(texts):
        size += len(text.encode())
        if size > megabytes * 1e6:
            return texts[:place], texts[place:]
    raise SystemExit(
        f"more than {megabytes} MB are needed, for some must be held out: {size} bytes"
    )


def pieces_per_word(pieces, words):
    """On average, and the share of words that are unknown (they count as one piece)."""
    vocabulary = set(pieces)
    total = unknown = 0
    for word, count in words.items():
        cut = longest_pieces(word, vocabulary)
        total += count * (1 if cut is None else len(cut))
        unknown += count * (cut is None)
    return total / words.total(), unknown / words.total()


def theirs(texts, size):
    batches = tf.data.Dataset.from_tensor_slices(texts).batch(1000).prefetch(2)
    return bert_vocab_from_dataset(batches, size, list(SPECIAL), {"lower_case": True})


def report(name, learn, texts, size, words):
    start = time.perf_counter()
    pieces = learn(texts, size)
    seconds = time.perf_counter() - start
    average, unknown = pieces_per_word(pieces, words)
    row = f"{size:7} {len(pieces):7} {seconds:8.1f} {average:16.4f} {unknown:9.5%}"
    print(f"{name:16} {row}", flush=True)
    return seconds, average, len(pieces)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=8000)
    parser.add_argument("--megabytes", type=float, default=5)
    arguments = parser.parse_args()
    texts, held_out = split_texts(arguments.files, arguments.megabytes)
    words = count_words(held_out, Readings())
    print(f"{len(texts)} paragraphs to learn from, {words.total()} held-out words")
    columns = f"{'asked':>7} {'given':>7} {'seconds':>8} {'pieces per word':>16} {'unknown':>9}"
    print(f"{'':16} {columns}")
    their_time, their_average, given = report(
        "tensorflow_text", theirs, texts, arguments.size, words
    )
    for size in (arguments.size, given):
        seconds, average, _ = report("ours", learn_vocabulary, texts, size, words)
        print(
            f"{'':16} {their_time / seconds:.1f} times as fast, "
            f"{average / their_average - 1:+.2%} pieces per word"
        )


if __name__ == "__main__":
    main()
