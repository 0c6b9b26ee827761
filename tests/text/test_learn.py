"""Learning a vocabulary: against the formula worked out anew at every step, and on real text."""

import random
from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_course.text.learn import Corpus, count_words
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.wordpiece import WordPieceTokenizer, learn_vocabulary, longest_pieces
from bert_course.text.words import Readings


def naive_vocabulary(texts, size):
    """What `learn_vocabulary` says it does, of words without accents and punctuation."""
    words = Counter(word for text in texts for word in text.split())
    letters = sorted(set("".join(words)))
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    cuts = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in words}
    while len(pieces) < size:
        counts, pairs = Counter(), Counter()
        for word, cut in cuts.items():
            for piece in cut:
                counts[piece] += words[word]
            for pair in pairwise(cut):
                pairs[pair] += words[word]
        total = sum(counts.values())
        gains = {(a, b): n * log(n * total / counts[a] / counts[b]) for (a, b), n in pairs.items()}
        best = max(gains.values(), default=0)
        if best <= 1e-12:
            break
        left, right = min(pair for pair, gain in gains.items() if gain > best * (1 - 1e-9))
        for word, cut in cuts.items():
            cuts[word] = join_first_pairs(cut, left, right)
        pieces.append(left + right[2:])
    return pieces


def join_first_pairs(cut, left, right):
    place = 0
    while place < len(cut) - 1:
        if cut[place : place + 2] == [left, right]:
            cut = [*cut[:place], left + right[2:], *cut[place + 2 :]]
        place += 1
    return cut


def test_a_vocabulary_by_hand():
    """At first 15 letters, 4 h, 5 ##u, 5 ##g, 1 p. So ##u ##g gains 5·log(5·15 / (5·5)) = 5.5,
    h ##u 4·log(4·15 / (4·5)) = 4.4, p ##u log(1·15 / (1·5)) = 1.1. Then there are 10, 4 h, 5 ##ug,
    1 p: h ##ug gains 4·log(4·10 / (4·5)) = 2.8, p ##ug log(1·10 / (1·5)) = 0.7.
    """
    pieces = learn_vocabulary(["hug hug hug", "Hug pug"], 100)
    alphabet = ["g", "h", "p", "u", "##g", "##h", "##p", "##u"]
    assert pieces == [*SPECIAL, *alphabet, "##ug", "hug", "pug"]


def test_what_is_frequent_and_what_is_rare():
    """z and ##q are always together, but only once: t and ##h, which are so often, come first."""
    pieces = learn_vocabulary(["the " * 20 + "to " * 20 + "she zq"], 100)
    joined = [piece for piece in pieces if len(piece.removeprefix("##")) > 1 and piece[0] != "["]
    assert joined.index("to") < joined.index("zq")


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text("abc", min_size=1, max_size=7), min_size=1, max_size=12),
    st.lists(st.integers(1, 9), min_size=12, max_size=12),
    st.integers(11, 30),
)
def test_it_is_the_formula_worked_out_anew_at_every_step(words, counts, size):
    texts = [f"{word} " * count for word, count in zip(words, counts, strict=False)]
    texts.append("abc")  # so that all three letters occur
    pieces = learn_vocabulary(texts, size)
    assert pieces == naive_vocabulary(texts, size)
    assert len(set(pieces)) == len(pieces)


def test_it_is_the_formula_on_a_larger_corpus():
    rng = random.Random(0)
    stems = ["".join(rng.choices("abcdefg", k=rng.randint(1, 5))) for _ in range(60)]
    texts = [rng.choice(stems) + rng.choice(stems) for _ in range(2000)]
    assert learn_vocabulary(texts, 150) == naive_vocabulary(texts, 150)


def test_equal_gains_are_decided_by_the_text():
    assert learn_vocabulary(["ba ab dc cd"], 17)[-4:] == ["ab", "ba", "cd", "dc"]
    assert learn_vocabulary(["ba ab dc cd"], 14)[-1] == "ab"


def test_other_last_digits_on_another_machine_do_not_matter(monkeypatch):
    texts = ["".join(random.Random(i).choices("abcd ", k=60)) for i in range(100)]
    pieces = learn_vocabulary(texts, 150)
    rng = np.random.default_rng(0)
    exact = Corpus.gains

    def gains(corpus):
        values = exact(corpus)
        return values * (1 + 1e-12 * rng.standard_normal(len(values)))

    monkeypatch.setattr(Corpus, "gains", gains)
    assert learn_vocabulary(texts, 150) == pieces


def test_the_order_of_the_texts_does_not_matter():
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcde ", k=40)) for _ in range(200)]
    pieces = learn_vocabulary(iter(texts), 200)
    assert len(pieces) == 200
    for _ in range(3):
        rng.shuffle(texts)
        assert learn_vocabulary(texts, 200) == pieces


def test_letter_case_and_accents_are_as_in_the_tokenizer():
    assert learn_vocabulary(["É"], 100)[5:] == ["e", "##e"]
    assert learn_vocabulary(["É"], 100, strip_accents=False)[5:] == ["é", "##é"]
    assert learn_vocabulary(["É"], 100, lowercase=False)[5:] == ["É", "##É"]


def test_punctuation_and_chinese_stand_alone():
    assert learn_vocabulary(["a.b 日本!"], 100)[5:] == [
        "!",
        ".",
        "a",
        "b",
        "日",
        "本",
        "##a",
        "##b",
    ]


def test_special_pieces_and_endless_words_teach_nothing():
    assert learn_vocabulary(["[MASK] [PAD] " + "x" * 101], 100) == list(SPECIAL)
    assert learn_vocabulary([], 5) == list(SPECIAL)


def test_rare_characters_are_left_out_with_their_words():
    texts = ["ab " * 9 + "dc " * 5 + "az"]
    assert learn_vocabulary(texts, 100, most_characters=2)[5:] == ["a", "b", "##a", "##b", "ab"]
    pieces = learn_vocabulary(texts, 100, most_characters=3)
    assert "c" in pieces  # as frequent as d, and before it in the alphabet
    assert "d" not in pieces


def test_no_text_with_known_letters_is_unknown():
    pieces = learn_vocabulary(["the quick brown fox jumps over a lazy dog."], 70)
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz. ", k=50)) for _ in range(100)]
    assert all("[UNK]" not in WordPieceTokenizer(pieces).tokenize(text) for text in texts)


def test_on_a_novel(course_data):
    path = course_data / "books/lewis-carroll_alices-adventures-in-wonderland_john-tenniel.txt"
    lines = path.read_text("utf-8").split("\n")
    learned_from, held_out = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    pieces = learn_vocabulary(learned_from, 2000)
    assert len(set(pieces)) == len(pieces) == 2000
    assert {"alice", "rabbit", "##ing", "##ly"} <= set(pieces)
    words = count_words(held_out, Readings())
    cuts = {word: longest_pieces(word, set(pieces)) or ["[UNK]"] for word in words}
    pieces_per_word = sum(len(cuts[w]) * words[w] for w in words) / sum(words.values())
    assert pieces_per_word == pytest.approx(1.22, abs=0.005)


def test_too_small_a_vocabulary():
    with pytest.raises(
        ValueError, match=r"size must leave room.*most_characters. Received: 8.* 9 "
    ):
        learn_vocabulary(["abba"], 8)
    assert len(learn_vocabulary(["abba"], 9)) == 9
