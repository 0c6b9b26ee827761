"""Pieces, ids and offsets: worked cases, the published cases, the published tokenizers."""

import json
import pickle
import random
import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer

from bert_course.text import wordpiece
from bert_course.text.vocabulary import SPECIAL, Vocabulary
from bert_course.text.wordpiece import WordPieceTokenizer, longest_pieces
from bert_course.text.words import NEWCOMERS

SMALL = [*SPECIAL, *"un want ##want ##ed wa runn ##ing , . ! a ##b ##c hello e ##e 日 本".split()]
SIMPLE = settings(deadline=None, max_examples=200)


def tokenizer(pieces=SMALL, **letters):
    return WordPieceTokenizer(pieces, **letters)


# --------------------------------------------------------------------------------------- the idea


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("unwanted", ["un", "##want", "##ed"]),
        ("running", ["runn", "##ing"]),
        ("want", ["want"]),  # not wa and then nothing: the longest
        ("wab", ["wa", "##b"]),
        ("unwantedx", None),
        ("bun", None),  # ##b continues a word, b does not begin one
        ("", []),
    ],
)
def test_the_longest_piece_first(word, pieces):
    assert longest_pieces(word, set(SMALL)) == pieces


def test_a_word_is_unknown_as_a_whole():
    assert tokenizer().tokenize("unwanted unwantedx hello") == [
        *("un", "##want", "##ed"),
        "[UNK]",
        "hello",
    ]


def test_a_word_of_more_than_100_characters_is_unknown():
    assert tokenizer().tokenize("a" + "b" * 99) == ["a"] + ["##b"] * 99
    assert tokenizer().tokenize("a" + "b" * 100) == ["[UNK]"]
    assert tokenizer().tokenize("a" + "b\u0301" * 99) == ["a"] + ["##b"] * 99  # as it is read


def test_an_encoding():
    encoding = tokenizer().encode("Hello,  UNWANTÉD日.", pair="running [MASK]!")
    assert encoding.tokens == (
        "[CLS] hello , un ##want ##ed 日 . [SEP] runn ##ing [MASK] ! [SEP]".split()
    )
    assert encoding.ids == [SMALL.index(token) for token in encoding.tokens]
    assert encoding.segment_ids == [0] * 9 + [1] * 5
    assert encoding.offsets == [
        *[(0, 0), (0, 5), (5, 6), (8, 10), (10, 14), (14, 16), (16, 17), (17, 18), (0, 0)],
        *[(0, 4), (4, 7), (8, 14), (14, 15), (0, 0)],
    ]


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("e\u0301e", [(0, 1), (2, 3)]),  # an accent belongs to no piece
        ("\u0301ee\u0301", [(1, 2), (2, 3)]),
        ("h\u200be\x00llo", [(0, 7)]),  # but lies within one
        ("日本", [(0, 1), (1, 2)]),
        ("\u3000 a\tb", [(2, 3), (4, 5)]),
        ("x[SEP]日[SEP", [(0, 1), (1, 6), (6, 7), (7, 8), (8, 11)]),
        ("👩\u200d👧 a", [(0, 3), (4, 5)]),
        ("", []),
        (" \n\u200b", []),
    ],
)
def test_offsets_are_those_of_the_text_as_it_was_written(text, offsets):
    assert tokenizer().encode(text).offsets[1:-1] == offsets


def test_a_character_read_as_several_is_where_each_of_them_stands(course_data):
    """Hangul is written in syllables and read in letters."""
    korean = tokenizer(course_data / "vocab/bert-base-uncased.vocab.txt")
    encoding = korean.encode("한국")
    assert encoding.tokens[1:-1] == ["ᄒ", "##ᅡ", "##ᆫ", "##ᄀ", "##ᅮ", "##ᆨ"]
    assert encoding.offsets[1:-1] == [(0, 1)] * 3 + [(1, 2)] * 3


def test_special_pieces_in_a_text_are_kept_whatever_the_letter_case():
    for lowercase in (True, False):
        read = tokenizer(lowercase=lowercase)
        assert read.tokenize("a[MASK]a [PAD][CLS]") == ["a", "[MASK]", "a", "[PAD]", "[CLS]"]
        assert read.tokenize("[mask] [ MASK ]") == ["[UNK]"] * 6


def test_letter_case_is_kept_or_not():
    assert tokenizer(lowercase=False).tokenize("Hello hello") == ["[UNK]", "hello"]
    assert tokenizer(lowercase=False, strip_accents=True).tokenize("héllo") == ["hello"]
    assert tokenizer(strip_accents=False).tokenize("HÉLLO HELLO") == ["[UNK]", "hello"]


@pytest.mark.parametrize(
    ("first", "second", "max_length", "lengths"),
    [
        (4, None, 5, (3,)),
        (4, None, 6, (4,)),
        (4, None, 2, (0,)),
        (4, 9, 16, (4, 9)),
        (4, 9, 15, (4, 8)),  # from the end of the longer one
        (9, 4, 15, (8, 4)),
        (4, 9, 11, (4, 4)),
        (4, 9, 10, (3, 4)),  # from both; the longer one has the odd place
        (9, 4, 10, (4, 3)),
        (9, 9, 10, (3, 4)),  # and of two equally long ones the second
        (9, 9, 3, (0, 0)),
        (0, 9, 8, (0, 5)),
    ],
)
def test_the_longer_text_is_truncated_first(first, second, max_length, lengths):
    texts = ["hello " * first, None if second is None else "want " * second]
    encoding = tokenizer().encode(*texts, max_length=max_length)
    pieces = [encoding.tokens.count(piece) for piece in ("hello", "want")]
    assert tuple(pieces[: len(lengths)]) == lengths
    assert len(encoding.ids) == sum(lengths) + len(lengths) + 1
    assert len(set(map(len, encoding))) == 1


def test_decoding():
    read = tokenizer()
    ids = read.encode("Hello, UNWANTED!", pair="[MASK] running.").ids
    assert read.decode(ids) == "hello, unwanted! running."
    assert read.decode(np.array(ids)[3:]) == "unwanted! running."
    assert read.decode([SMALL.index("##ed"), SMALL.index("a")]) == "##ed a"
    assert read.decode([]) == ""


def test_a_vocabulary_comes_as_a_list_a_file_or_itself(tmp_path):
    vocabulary = Vocabulary(SMALL)
    vocabulary.save(tmp_path / "vocab.txt")
    for given_as in (SMALL, tuple(SMALL), tmp_path / "vocab.txt", str(tmp_path / "vocab.txt")):
        assert tokenizer(given_as).vocabulary.pieces == SMALL
    assert tokenizer(vocabulary).vocabulary is vocabulary


def test_a_tokenizer_can_be_sent_to_another_process():
    sent = tokenizer(lowercase=False, strip_accents=True)
    sent.ids("unwanted héllo")
    received = pickle.loads(pickle.dumps(sent))
    assert len(pickle.dumps(sent)) == len(pickle.dumps(tokenizer(lowercase=False)))
    assert received.tokenize("Hello héllo") == ["[UNK]", "hello"]
    assert (received.lowercase, received.strip_accents) == (False, True)


# ----------------------------------------------------------------------- one rule, two ways to it

FRAGMENTS = [
    *SPECIAL,
    *("[mask]", "[MASK", "[", "]", "un", "want", "ed", "hello", "Hello", "running", ",", "a"),
    *("x" * 101, "ab" * 49, " ", "\t", "\r\n", "\u00a0", "\u2028", "\u3000", "\x1c", "\x85"),
    *(
        "\u200b",
        "\ufeff",
        "\u0301",
        "é",
        "é",
        "İ",
        "ß",
        "Σ",
        "ﬁ",
        "≠",
        "\u037e",
        "日",
        "本",
        "한국",
    ),
    *("👩‍👩‍👧", "🏳️‍🌈", "\u0323\u0301", "\U0001d15e", "\ue000", "\U0002b820"),
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5))).map("".join)


@SIMPLE
@given(TEXTS, st.booleans(), st.booleans())
def test_the_fast_way_is_the_exact_way(text, lowercase, strip_accents):
    read = tokenizer(lowercase=lowercase, strip_accents=strip_accents)
    assert read.ids(text) == read.encode(text).ids[1:-1]


@SIMPLE
@given(TEXTS, st.booleans())
def test_offsets_lead_to_what_was_read(text, lowercase):
    read = tokenizer(lowercase=lowercase)
    encoding = read.encode(text)
    last = 0
    for token, (begin, end) in zip(encoding.tokens[1:-1], encoding.offsets[1:-1], strict=True):
        assert begin < end <= len(text)
        assert begin >= last or begin == last - 1  # two pieces of one character
        last = end
        if token in SPECIAL and token != "[UNK]":
            assert text[begin:end] == token
        elif token != "[UNK]":
            assert token.removeprefix("##") in text[begin:end].translate(read._readings)


@SIMPLE
@given(TEXTS, TEXTS, st.integers(3, 40))
def test_nothing_is_cut_off_that_need_not_be(first, second, max_length):
    read = tokenizer()
    lengths = [len(read.ids(text)) for text in (first, second)]
    encoding = read.encode(first, second, max_length)
    assert len(encoding.ids) == min(max_length, sum(lengths) + 3)
    kept = [encoding.segment_ids.count(0) - 2, encoding.segment_ids.count(1) - 1]
    assert all(k <= length for k, length in zip(kept, lengths, strict=True))
    assert min(kept) >= min(*lengths, (max_length - 3) // 2)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(wordpiece, "MOST_REMEMBERED", 10)
    read = tokenizer()
    rng = random.Random(0)
    words = ["".join(rng.choices("abc", k=rng.randint(1, 60))) for _ in range(300)]
    for word in words:
        assert read.tokenize(word) == (longest_pieces(word, set(SMALL)) or ["[UNK]"])
        for remembered in (read._ids_of_word, read._ids_of_chunk):
            assert len(remembered) <= 10
            assert max(map(len, remembered), default=0) <= wordpiece.LONGEST_REMEMBERED
    assert read._ids_of_chunk  # it does remember some


# ----------------------------------------------------------------------- the published tokenizers


@pytest.fixture(scope="module")
def cases(course_data):
    return json.loads((course_data / "tokenization/unit_cases.json").read_text("utf-8"))


def with_special_pieces(pieces):
    return [*pieces, *(piece for piece in SPECIAL if piece not in pieces)]


def test_published_cases(cases):
    full = cases["google_full"]
    read = tokenizer(with_special_pieces(full["vocab"]))
    assert (read.tokenize(full["text"]), read.ids(full["text"])) == (full["tokens"], full["ids"])
    for case in cases["wordpiece"]:
        assert (
            tokenizer(with_special_pieces(case["vocab"])).tokenize(case["text"]) == case["tokens"]
        )
    for case in cases["basic"]:
        letters = {"lowercase": case["lower"], "strip_accents": case.get("strip_accents")}
        read = tokenizer(with_special_pieces(case["tokens"]), **letters)
        assert read.tokenize(case["text"]) == case["tokens"]


@pytest.mark.parametrize("name", ["uncased", "cased"])
def test_published_offsets(cases, course_data, name):
    case = cases[f"offsets_{name}"]
    path = course_data / f"vocab/{case['vocab']}.vocab.txt"
    encoding = tokenizer(path, lowercase=name == "uncased").encode(case["text"])
    pairs = zip(encoding.offsets, encoding.tokens, strict=True)
    assert [[list(offsets), token] for offsets, token in pairs] == case["expected"]


MODELS = [
    ("uncased", True, None),
    ("cased", False, None),
    ("chinese", True, None),
    ("multilingual-cased", False, None),
    ("uncased", True, False),
    ("uncased", False, True),
]


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: "-".join(map(str, model)))
def both(request, course_data):
    """(ours, theirs): one published vocabulary and one way to read letters."""
    name, lowercase, strip_accents = request.param
    path = str(course_data / f"vocab/bert-base-{name}.vocab.txt")
    theirs = BertWordPieceTokenizer(path, lowercase=lowercase, strip_accents=strip_accents)
    return tokenizer(path, lowercase=lowercase, strip_accents=strip_accents), theirs


def as_lists(theirs):
    return theirs.ids, theirs.tokens, theirs.type_ids, theirs.offsets


def without_reordered_unknowns(encoding, *texts):
    """Drop the offsets of unknown words in which normalising swaps two characters.

    The library then lets each place keep the offset of the character that stood there before;
    ours follow the character. Only characters that stay although they are marks make it visible.
    """
    ids, tokens, segments, offsets = encoding
    offsets = list(offsets)
    for i, (token, segment) in enumerate(zip(tokens, segments, strict=True)):
        around = texts[segment][max(0, offsets[i][0] - 8) : offsets[i][1] + 8]
        if token == "[UNK]" and has_marks_out_of_order(around):
            offsets[i] = None
    return list(ids), list(tokens), list(segments), offsets


def has_marks_out_of_order(text):
    spread = "".join(unicodedata.normalize("NFD", character) for character in text)
    stays = any(
        unicodedata.combining(c) and (unicodedata.category(c) != "Mn" or c in NEWCOMERS)
        for c in spread
    )
    return stays and unicodedata.normalize("NFD", text) != spread


BLOCKS = [
    *[(0x20, 0x7F)] * 6,
    *[(0, 0x20), (0x7F, 0x100), (0x100, 0x250), (0x250, 0x370), (0x300, 0x370), (0x370, 0x400)],
    *[(0x400, 0x530), (0x530, 0x700), (0x700, 0x900), (0x900, 0xE00), (0xE00, 0x1100)],
    *[(0x1100, 0x1200), (0x1200, 0x1E00), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2000, 0x2E80)],
    *[(0x2E80, 0x3100), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xF900)],
    *[(0xF900, 0x10000), (0x1F300, 0x1FA00), (0x10000, 0x12000), (0x1D000, 0x1D200)],
    *[(0x20000, 0x2FA20), (0x10000, 0x110000)],
]


def random_text(rng):
    parts = []
    for _ in range(rng.randint(1, 12)):
        low, high = rng.choice(BLOCKS)
        letters = "".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6)))
        parts.append(rng.choice(FRAGMENTS) if rng.random() < 0.4 else letters)
        parts.append(rng.choice(["", "", " "]))
    return "".join(parts)


def test_random_texts_give_what_the_tokenizers_library_gives(both):
    ours, theirs = both
    rng = random.Random(2026)
    for _ in range(2000):
        first, second = random_text(rng), random_text(rng)
        length = rng.randint(3, 40)
        expected = as_lists(theirs.encode(first))
        assert without_reordered_unknowns(ours.encode(first), first) == without_reordered_unknowns(
            expected, first
        )
        theirs.enable_truncation(length)
        pair = as_lists(theirs.encode(first, second))
        theirs.no_truncation()
        assert without_reordered_unknowns(
            ours.encode(first, second, length), first, second
        ) == without_reordered_unknowns(pair, first, second)
        assert ours.decode(pair[0]) == theirs.decode(pair[0])


FILES = [
    *("books/bram-stoker_dracula.txt", "books/herman-melville_moby-dick.txt", "sst2/train.tsv"),
    *("mrpc/msr_paraphrase_train.txt", "wnut17/wnut17train.conll", "goemotions/train.tsv"),
    *("squad/squad1.1-train-head.json", "chnsenticorp/train.tsv", "sample/sample_text.txt"),
]


def test_real_texts_give_what_the_tokenizers_library_gives(both, course_data):
    ours, theirs = both
    rng = random.Random(0)
    for name in FILES:
        lines = (course_data / name).read_text("utf-8").split("\n")
        for line in rng.sample(lines, min(len(lines), 40)):
            line = line[:5000]
            assert as_lists(theirs.encode(line)) == ours.encode(line), name
            assert theirs.encode(line, add_special_tokens=False).ids == ours.ids(line), name


def test_a_difference_would_be_seen(both):
    """The comparison can fail: here it does, with the other letter case."""
    ours, theirs = both
    text = "Naïve Vienna, a CAFÉ"
    assert ours.encode(text) == as_lists(theirs.encode(text))
    other = tokenizer(ours.vocabulary, lowercase=not ours.lowercase)
    assert other.encode(text) != as_lists(theirs.encode(text))


# ------------------------------------------------------------------------------------ Google's code


def googles_words(text):
    """The words of an uncased text by the rules of Google's tokenization.py.

    Clean; blanks around Chinese; then each word: small letters, no marks, punctuation apart.
    """
    cleaned = "".join(
        " " if c in "\t\n\r" or unicodedata.category(c) == "Zs" else c
        for c in text
        if c in "\t\n\r" or (c not in "\0\ufffd" and unicodedata.category(c) not in ("Cc", "Cf"))
    )
    cleaned = "".join(f" {c} " if is_chinese_to_google(ord(c)) else c for c in cleaned)
    words = []
    for word in cleaned.split():
        letters = unicodedata.normalize("NFD", word.lower())
        letters = "".join(c for c in letters if unicodedata.category(c) != "Mn")
        words += "".join(f" {c} " if is_sign_to_google(c) else c for c in letters).split()
    return words


def is_sign_to_google(character):
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def is_chinese_to_google(code):
    blocks = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)]
    blocks += [(0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
    return any(first <= code <= last for first, last in blocks)


def googles_pieces(text, vocabulary):
    words = googles_words(text)
    return [p for word in words for p in longest_pieces(word, vocabulary) or ["[UNK]"]]


@pytest.mark.parametrize(
    ("text", "ours", "googles"),
    [
        # A special piece in the text: Google's reads it like any other.
        ("[MASK]", ["[MASK]"], ["[", "mask", "]"]),
        # The small sigma at a word's end: Python's lower() looks around, the library's does not.
        ("ΟΣ", ["ο", "##σ"], ["ο", "##ς"]),
        # Private characters (icons in web fonts): left out, or unknown.
        ("of\ue000 \uf8ff", ["of"], ["[UNK]", "[UNK]"]),
        # 256 Chinese characters of 2015, U+2B820 to U+2B91F: one unknown word, or one each.
        ("\U0002b820\U0002b91f", ["[UNK]"], ["[UNK]", "[UNK]"]),
        # Marks and signs that Unicode has named since 2015: Google's depends on the Python it runs.
        ("of\u08d4", ["[UNK]"], ["of"]),
        ("of\u2e43", ["[UNK]"], ["of", "[UNK]"]),
        ("of\u166d", ["of", "[UNK]"], ["[UNK]"]),
    ],
)
def test_where_googles_code_and_the_library_differ_ours_is_as_the_library(
    text, ours, googles, course_data
):
    path = str(course_data / "vocab/bert-base-uncased.vocab.txt")
    read = tokenizer(path)
    assert read.tokenize(text) == ours
    assert BertWordPieceTokenizer(path).encode(text, add_special_tokens=False).tokens == ours
    assert googles_pieces(text, read.vocabulary.ids) == googles


def reads_alike(character):
    """Outside the classes of the test above."""
    chinese_of_2015 = 0x2B820 <= ord(character) < 0x2B920
    private = unicodedata.category(character) in ("Co", "Cs")
    return not (
        character in NEWCOMERS or character in "Σ\u1734\u166d" or private or chinese_of_2015
    )


def test_elsewhere_ours_is_as_googles_code(course_data):
    read = tokenizer(course_data / "vocab/bert-base-uncased.vocab.txt")
    rng = random.Random(1)
    for _ in range(2000):
        text = "".join(filter(reads_alike, random_text(rng).replace("[", "(")))
        words = [word for word in googles_words(text) if len(word) <= 100]
        if len(words) == len(googles_words(text)):  # Google's limit is 200 by now
            assert read.tokenize(text) == googles_pieces(text, read.vocabulary.ids)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda read: read.ids(["a", "b"]), "reads one text, a string.*Received: list"),
        (lambda read: read.encode(b"a"), "reads one text, a string.*Received: bytes"),
        (lambda read: read.encode("a", pair=3), "reads one text, a string.*Received: int"),
        (lambda read: read.encode("a", max_length=1), r"room for \[CLS\] and 1 \[SEP\].*: 1"),
        (lambda read: read.encode("a", "b", 2), r"room for \[CLS\] and 2 \[SEP\].*: 2"),
        (lambda read: read.decode([5, len(SMALL)]), f"from 0 to {len(SMALL) - 1}.*: {len(SMALL)}"),
        (lambda read: read.decode([-1]), "place of a piece.*Received: -1"),
        (lambda read: tokenizer(["a", "b"]), "Missing: .*MASK"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(tokenizer())
