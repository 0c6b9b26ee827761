"""The tokenizer inside a graph gives the ids of the one outside; tensorflow_text's own does not."""

import importlib
import random
import sys

import numpy as np
import pytest
from test_wordpiece import FRAGMENTS, SMALL, random_text

from bert_course.text.wordpiece import WordPieceTokenizer

pytest.importorskip("tensorflow_text", reason="there is none for Windows")

import tensorflow as tf
import tensorflow_text

from bert_course.text.in_graph import InGraphTokenizer

LENGTH = 600
LONG = (0, 9, 298, 299, 300, 900)  # words, around the half of what has room


@pytest.fixture(scope="module")
def small():
    return InGraphTokenizer(WordPieceTokenizer(SMALL), length=8)


def test_the_inputs_of_an_encoder(small):
    inputs = {
        name: array.numpy() for name, array in small(["Hello, UNWANTÉD", "", "a " * 9]).items()
    }
    pad, cls, sep, a = (SMALL.index(piece) for piece in ("[PAD]", "[CLS]", "[SEP]", "a"))
    first = WordPieceTokenizer(SMALL).ids("hello, unwanted")
    assert inputs["token_ids"].tolist() == [
        [cls, *first, sep, pad],
        [cls, sep, *[pad] * 6],
        [cls, *[a] * 6, sep],
    ]
    np.testing.assert_array_equal(inputs["padding_mask"], inputs["token_ids"] != pad)
    np.testing.assert_array_equal(inputs["segment_ids"], np.zeros((3, 8)))
    assert [inputs[name].dtype for name in sorted(inputs)] == ["bool", "int32", "int32"]


@pytest.fixture(
    scope="module", params=[("uncased", True), ("cased", False)], ids=lambda model: model[0]
)
def published(request, course_data):
    """(outside, inside the graph, tensorflow_text's FastBertTokenizer), with one vocabulary."""
    name, lowercase = request.param
    outside = WordPieceTokenizer(course_data / f"vocab/bert-base-{name}.vocab.txt", lowercase)
    theirs = tensorflow_text.FastBertTokenizer(
        outside.vocabulary.pieces, token_out_type=tf.int32, lower_case_nfd_strip_accents=lowercase
    )
    return outside, InGraphTokenizer(outside, LENGTH), theirs


def rows(inputs):
    """The ids of each text, without padding."""
    real = inputs["padding_mask"].numpy()
    return [row[kept].tolist() for row, kept in zip(inputs["token_ids"].numpy(), real, strict=True)]


def test_it_departs_from_the_exact_one_nowhere(published):
    outside, inside, _ = published
    rng = random.Random(7)
    texts = [*FRAGMENTS, *(random_text(rng) for _ in range(400))]
    expected = [outside.encode(text, max_length=LENGTH).ids for text in texts]
    assert rows(inside(texts)) == expected


def test_it_is_exact_on_real_texts(published, course_data):
    outside, inside, _ = published
    rng = random.Random(0)
    for name in ("books/bram-stoker_dracula.txt", "goemotions/train.tsv", "chnsenticorp/dev.tsv"):
        lines = rng.sample((course_data / name).read_text("utf-8").split("\n"), 100)
        assert rows(inside(lines)) == [
            outside.encode(line, max_length=LENGTH).ids for line in lines
        ]


def test_pairs_are_cut_as_outside(published):
    outside, inside, _ = published
    rng = random.Random(11)
    pairs = [(random_text(rng), random_text(rng)) for _ in range(100)]
    pairs += [(word * a, "a " * b) for word in ("a ", "[MASK] ") for a in (0, 9, 300) for b in LONG]
    expected = [outside.encode(*pair, max_length=LENGTH) for pair in pairs]
    inputs = inside.pairs(*map(list, zip(*pairs, strict=True)))
    assert rows(inputs) == [encoding.ids for encoding in expected]
    segments = [encoding.segment_ids for encoding in expected]
    filled = [each + [0] * (LENGTH - len(each)) for each in segments]
    np.testing.assert_array_equal(inputs["segment_ids"], filled)


PLAIN = [
    "It was late in the evening when K. arrived, and the village lay deep in snow.",
    "Don't stop! “Who’s there?” – 3.14 (naïve) C++ $5, 50% of £20; a@b.org",
    "Žluťoučký kůň; ΟΔΟΣ; Привет; 日本語 한국어 हिन्दी",
]


def test_theirs_is_exact_on_plain_text(published):
    outside, _, theirs = published
    assert theirs.tokenize(PLAIN).to_list() == [outside.ids(text) for text in PLAIN]


@pytest.mark.parametrize(
    ("text", "departs_on"),
    [
        # Special pieces are split.
        ("a [MASK] b", "uncased cased"),
        # A control character ends the word it stands in, instead of vanishing.
        ("be\x07low", "uncased cased"),
        ("be\x1clow", "uncased cased"),
        # So does a format character, if letter case is kept: soft hyphens, joined emoji.
        ("be\u00adlow", "cased"),
        ("be\u200blow", "cased"),
        ("👩\u200d👧", "cased"),
        # What has no meaning, or a private one, makes the word unknown, instead of vanishing.
        ("be\ufffdlow", "uncased cased"),
        ("\ue000the", "uncased cased"),
        # With letter case go all other differences of form, and not only accents.
        ("ﬁnd", "uncased"),
        ("straße", "uncased"),
        ("②", "uncased"),
        ("x²", "uncased"),
        ("½", "uncased"),
        ("…", "uncased"),
        ("№", "uncased"),
        ("™", "uncased"),
        ("ｆｕｌｌ", "uncased"),
        ("，", "uncased"),
        ("ſet", "uncased"),
        ("ŉ", "uncased"),
        # A word may have 100 bytes, not 100 characters.
        ("é" * 60, "cased"),
        # Unicode of another year: NEWCOMERS and RECLASSIFIED in words.py.
        ("of\u08d4", "uncased"),
        ("of\u2e43", "uncased cased"),
        ("the\u166dthe", "uncased cased"),
        ("\U0002b820\U0002b91f", "uncased cased"),
    ],
)
def test_where_theirs_departs(published, text, departs_on):
    outside, inside, theirs = published
    name = "uncased" if outside.lowercase else "cased"
    expected = outside.ids(text)
    assert rows(inside([text])) == [[outside.vocabulary.cls, *expected, outside.vocabulary.sep]]
    departs = theirs.tokenize([text]).to_list()[0] != expected
    assert departs == (name in departs_on.split())


def test_it_is_saved_with_a_model(small, tmp_path):
    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = small
            self.table = tf.Variable(np.arange(len(SMALL), dtype="float32") ** 2)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            inputs = self.tokenizer(texts)
            real = tf.cast(inputs["padding_mask"], tf.float32)
            return tf.reduce_sum(tf.gather(self.table, inputs["token_ids"]) * real, axis=1)

    texts = ["Hello, UNWANTÉD [MASK]", "日本", "xyz"]
    model = Model()
    tf.saved_model.save(model, tmp_path / "model")
    expected = [sum(i**2 for i in WordPieceTokenizer(SMALL).encode(t).ids) for t in texts]
    for answers in (model(texts), tf.saved_model.load(tmp_path / "model")(tf.constant(texts))):
        np.testing.assert_array_equal(answers, expected)


def test_a_length_without_room():
    with pytest.raises(ValueError, match=r"room for \[CLS\] and \[SEP\]. Received: 1"):
        InGraphTokenizer(WordPieceTokenizer(SMALL), length=1)


def test_without_tensorflow_text_there_is_an_error_that_says_what_to_do(monkeypatch):
    """As on Windows. (What else imports it is for tests/test_floors.py: nothing.)"""
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    monkeypatch.delitem(sys.modules, "bert_course.text.in_graph")
    with pytest.raises(ImportError, match=r"pip install tensorflow-text.*Received: .*_text"):
        importlib.import_module("bert_course.text.in_graph")
