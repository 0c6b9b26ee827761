"""Kinds of tasks: their targets, guesses and scores, by hand and against naive loops."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tasks import PIECES

from bert_course.text.labelled import Row
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.training.kinds import (
    LONGEST_ANSWER,
    Answers,
    Classes,
    SeveralLabels,
    SmoothedCrossEntropy,
    Tags,
    best_span,
    softmax,
    span_of_answer,
)
from bert_course.training.windows import Window

TOKENIZER = WordPieceTokenizer(PIECES)
TAGS = "O B-PER I-PER".split()


def windows_of(kind, rows, max_length=128):
    return [w for n, row in enumerate(rows) for w in kind.read(TOKENIZER, row, n, max_length)]


def row(text, label, other=None):
    return Row(text, other, label, "here")


# ------------------------------------------------------------------------------------------ classes


def test_classes():
    kind, rows = Classes(["a", "b", "c"]), [row("hen", "c"), row("sun", "a")]
    windows = windows_of(kind, rows)
    targets, weights = kind.targets(windows, rows, 9)
    assert (targets.tolist(), weights.tolist()) == ([2, 0], [1, 1])
    guesses = kind.guess(rows, windows, np.log([[0.2, 0.1, 0.7], [0.1, 0.6, 0.3]]))
    assert [guess["label"] for guess in guesses] == ["c", "b"]
    assert guesses[0]["scores"] == pytest.approx({"a": 0.2, "b": 0.1, "c": 0.7})
    scores = kind.score(rows, guesses)
    assert scores["accuracy"] == 0.5
    assert scores["per_class"]["c"]["f1"] == 1
    assert scores["per_class"]["b"]["precision"] == 0
    json.dumps([guesses, scores])


def test_a_text_of_several_windows_is_judged_by_their_mean():
    kind = Classes(["no", "yes"])
    rows = [row("long", "yes"), row("short", "no")]
    windows = [Window(row, [0], [0], [None]) for row in (1, 0, 0)]
    logits = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 4.0]])  # the long one's last window decides
    guesses = kind.guess(rows, windows, logits)
    expected = 1 / (1 + np.exp(-np.array([2 - 1, 1 - 0])))
    np.testing.assert_allclose([guess["scores"]["yes"] for guess in guesses], expected, rtol=1e-6)
    first_only = kind.guess(rows, windows[:2], logits[:2])
    assert [guess["label"] for guess in (guesses[0], first_only[0])] == ["yes", "no"]


def test_several_labels_and_their_threshold():
    kind = SeveralLabels(["a", "b"])
    rows = [row("hen", ("a", "b")), row("sun", ()), row("ice", ("b",))]
    windows = windows_of(kind, rows)
    targets, weights = kind.targets(windows, rows, 9)
    assert (targets.tolist(), weights.tolist()) == ([[1, 1], [0, 0], [0, 1]], [1, 1, 1])
    chances = np.array([[0.4, 0.9], [0.1, 0.2], [0.2, 0.3]])
    guesses = kind.guess(rows, windows, np.log(chances / (1 - chances)))
    assert [guess["labels"] for guess in guesses] == [["b"], [], []]
    assert guesses[0]["scores"] == pytest.approx({"a": 0.4, "b": 0.9})
    assert kind.score(rows, guesses)["macro_f1"] == pytest.approx((0 + 2 / 3) / 2)
    kind.tune(rows, guesses)
    assert kind.threshold == pytest.approx(0.25)  # between 0.2 and 0.3
    assert [guess["labels"] for guess in guesses] == [["a", "b"], [], ["b"]]
    assert kind.score(rows, guesses)["macro_f1"] == 1
    assert kind.guess(rows, windows, np.log(chances / (1 - chances))) == guesses  # tuned, it stays
    json.dumps([guesses, kind.threshold])


def test_biases_begin_with_how_frequent_each_label_is():
    rows = [row("hen", ("a",))] * 3 + [row("sun", ())] * 96
    biases = SeveralLabels(["a", "b"]).first_biases(rows)
    assert 1 / (1 + np.exp(-biases)) == pytest.approx([3.5 / 100, 0.5 / 100])


@pytest.mark.parametrize(
    ("kind", "count"), [(Classes(["a", "b", "c"]), 3), (Tags(TAGS), len(TAGS)), (Answers(), 2)]
)
def test_other_biases_begin_with_nothing(kind, count):
    assert kind.first_biases([]).tolist() == [0] * count


# --------------------------------------------------------------------------------------------- tags


def test_tags():
    kind, rows = Tags(TAGS), [row(["anns", "hen", "bob"], ["B-PER", "I-PER", "O"])]
    windows = windows_of(kind, rows)
    assert windows[0].places == [None, 0, None, 1, 2, None]
    targets, weights = kind.targets(windows, rows, 8)
    assert targets.tolist() == [[0, 1, 0, 2, 0, 0, 0, 0]]
    assert weights.tolist() == [[0, 1, 0, 1, 1, 0, 0, 0]]  # ann, hen, bob; not ##s
    logits = np.full((1, 8, 3), [0.0, 1, 2])  # all else says I-PER
    logits[0, 1], logits[0, 3], logits[0, 4] = [0, 3, 0], [0, 0, 3], [3, 0, 0]
    [guess] = kind.guess(rows, windows, logits)
    assert guess["tags"] == ["B-PER", "I-PER", "O"]
    assert guess["scores"] == pytest.approx([np.exp(3) / (2 + np.exp(3))] * 3)
    assert guess["spans"] == [{"type": "PER", "first": 0, "last": 1, "text": "anns hen"}]
    assert kind.score(rows, [guess])["f1"] == 1
    wrong = guess | {"tags": ["B-PER", "O", "O"]}
    assert kind.score(rows, [wrong])["f1"] == 0
    json.dumps(guess)


def test_where_windows_overlap_a_word_is_judged_far_from_the_edge():
    kind, rows = Tags(TAGS), [row(["hen"] * 9, ["O"] * 9)]
    windows = windows_of(kind, rows, 8)
    assert [window.places[1] for window in windows] == [0, 3]
    logits = np.zeros((2, 8, 3))
    logits[0, :, 0] = logits[1, :, 1] = 9  # the first window says O always, the second B-PER
    [guess] = kind.guess(rows, windows, logits)
    # word 3 stands at 4 of 0 … 7 in the first window and at 1 in the second; word 5 at 6 and at 3
    assert guess["tags"] == ["O"] * 5 + ["B-PER"] * 4


# ------------------------------------------------------------------------------------------ answers


def asked(context, answer=None, question="who?"):
    found = [] if answer is None else [(context.index(answer), answer)]
    return row(context, found, question)


def pointing_at(windows, width, **answers):
    """Logits (windows, 2, width) that want these first and last pieces; 0 is [CLS]."""
    logits = np.zeros((len(windows), 2, width), "float32")
    for number, (first, last, height) in answers.items():
        logits[int(number[1:]), 0, first] = logits[int(number[1:]), 1, last] = height
    return logits


def test_answers():
    kind, rows = Answers(), [asked("Hens, Ann sing.", "Ann"), asked("The sun melts.")]
    windows = windows_of(kind, rows)
    targets, weights = kind.targets(windows, rows, 12)
    ann = windows[0].places.index((6, 9))
    assert targets.tolist() == [[ann, ann], [0, 0]]
    assert weights.tolist() == [[1, 1], [1, 1]]
    logits = pointing_at(windows, 12, w0=(4, ann, 5.0), w1=(5, 6, 2.0))
    guesses = kind.guess(rows, windows, logits)
    assert [guess["text"] for guess in guesses] == ["Hens, Ann", "sun melts"]
    for guess, each in zip(guesses, rows, strict=True):
        assert each.text[guess["begin"] : guess["end"]] == guess["text"]
    assert guesses[0]["score"] == 10
    assert guesses[0]["no_answer"] == -10
    scores = kind.score(rows, guesses)
    assert scores["f1"] == pytest.approx((2 / 3 + 0) / 2)
    json.dumps([guesses, scores])


def test_the_best_of_several_windows_answers():
    context = " ".join(["hen"] * 20 + ["Ann"] + ["sun"] * 20)
    kind, rows = Answers(), [asked(context, "Ann")]
    windows = windows_of(kind, rows, 16)
    targets, _ = kind.targets(windows, rows, 16)
    places = [window.places for window in windows]
    found = [n for n, (first, _) in enumerate(targets) if first]
    assert 1 < len(found) < len(windows)  # in the others [CLS] is right
    for number in found:
        assert places[number][targets[number, 0]] == (80, 83)
    logits = np.zeros((len(windows), 2, 16), "float32")
    logits[:, :, 0] = 3
    logits[found[1], 0, targets[found[1], 0]] = logits[found[1], 1, targets[found[1], 1]] = 4
    [guess] = kind.guess(rows, windows, logits)
    assert (guess["text"], guess["begin"], guess["end"]) == ("Ann", 80, 83)
    assert guess["no_answer"] == 6 - 8


def test_a_threshold_for_questions_without_an_answer():
    kind = Answers()
    rows = [asked("Ann sings.", "Ann"), asked("Bob runs."), asked("The sun melts.", "sun")]
    windows = windows_of(kind, rows)
    logits = pointing_at(windows, 9, w0=(4, 4, 5.0), w1=(4, 4, 1.0), w2=(5, 5, 3.0))
    guesses = kind.guess(rows, windows, logits)
    assert guesses[1]["text"] == "Bob"
    kind.tune(rows, guesses)
    assert kind.threshold == -6  # the highest doubt of one that has an answer
    assert [guess["text"] for guess in guesses] == ["Ann", "", "sun"]
    assert (guesses[1]["begin"], guesses[1]["end"]) == (0, 0)
    assert kind.score(rows, guesses)["f1"] == 1
    assert kind.guess(rows, windows, logits) == guesses


@pytest.mark.parametrize("answer", ["Ann", None])
def test_no_threshold_where_all_or_none_have_an_answer(answer):
    kind, rows = Answers(), [asked("Ann sings.", answer)] * 2
    windows = windows_of(kind, rows)
    guesses = kind.guess(rows, windows, pointing_at(windows, 9, w0=(4, 4, 1.0)))
    kind.tune(rows, guesses)
    assert kind.threshold is None


def test_a_context_without_pieces_has_no_answer():
    kind, rows = Answers(), [asked("\u200b\x01")]
    windows = windows_of(kind, rows)
    [guess] = kind.guess(rows, windows, pointing_at(windows, 9))
    assert (guess["text"], guess["begin"], guess["end"]) == ("", 0, 0)
    assert guess["no_answer"] > 1000
    json.dumps(guess, allow_nan=False)


def test_smoothing_is_not_for_answers():
    with pytest.raises(ValueError, match=r"for classes and tags.*leave it at 0.*smoothing=0\.1"):
        Answers().loss(0.1)


PLACES = st.lists(st.sampled_from(["hen", "hens", "ann", ".", "zebra"]), min_size=1, max_size=12)


@settings(max_examples=60)
@given(PLACES, st.data())
def test_the_span_of_an_answer_is_the_shortest_that_holds_it(words, data):
    context = " ".join(words)
    begin = data.draw(st.integers(0, len(context) - 1).filter(lambda n: context[n] != " "))
    end = data.draw(st.integers(begin + 1, len(context)).filter(lambda n: context[n - 1] != " "))
    [window] = windows_of(Answers(), [row(context, [], "who?")])
    first, last = span_of_answer(window, [(begin, context[begin:end])])
    spans = [
        (i, j)
        for i, here in enumerate(window.places)
        for j, there in enumerate(window.places)
        if here and there and i <= j and here[0] <= begin and end <= there[1]
    ]
    assert (first, last) == min(spans, key=lambda span: span[1] - span[0])


def test_an_answer_that_is_cut_by_the_window_is_not_there():
    window = Window(0, [0] * 4, [0] * 4, [None, (4, 7), (8, 11), None])
    assert span_of_answer(window, [(4, "sun ice")]) == (1, 2)
    assert span_of_answer(window, [(5, "un ice")]) == (1, 2)  # the pieces in which it lies
    assert span_of_answer(window, [(3, " sun ")]) == (1, 1)
    assert span_of_answer(window, [(0, "hen sun")]) == (0, 0)
    assert span_of_answer(window, [(8, "ice boat")]) == (0, 0)
    assert span_of_answer(window, [(30, "rain")]) == (0, 0)
    assert span_of_answer(window, [(0, "hen sun"), (8, "ice")]) == (2, 2)  # another answer is
    assert span_of_answer(window, []) == (0, 0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.integers(0, 5))
@settings(max_examples=40)
def test_the_best_span_is_that_of_two_loops(seed, length, question):
    rng = np.random.default_rng(seed)
    window = Window(0, [], [], [None] * question + [(n, n + 1) for n in range(length)] + [None])
    scores = rng.standard_normal((2, question + length + 3)).astype("float32")
    scores[:, -2:] = 9  # padding
    scores[:, :question] = 8  # nor does a question answer itself
    best = max(
        (float(scores[0, i] + scores[1, j]), i, j)
        for i in range(question, question + length)
        for j in range(i, min(i + LONGEST_ANSWER, question + length))
    )
    first, last, score = best_span(window, scores)
    assert (score, first, last) == best


def test_an_answer_may_be_thirty_pieces_long_and_no_longer():
    window = Window(0, [], [], [None, *[(n, n + 1) for n in range(40)], None])
    for last, found in ((30, (1, 30)), (31, (2, 31))):
        scores = np.zeros((2, 42))
        scores[0, 1], scores[0, 2], scores[1, last] = 3, 2.5, 3
        assert best_span(window, scores)[:2] == found


# --------------------------------------------------------------------------------------------- loss


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_smoothed_cross_entropy_is_that_of_keras_with_one_hot_labels(smoothing, shape):
    rng = np.random.default_rng(0)
    targets, weights = rng.integers(5, size=shape), rng.random(shape).astype("float32")
    logits = (3 * rng.standard_normal((*shape, 5))).astype("float32")
    other = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction="mean_with_sample_weight"
    )
    expected = float(other(np.eye(5)[targets], logits, weights))
    ours = float(SmoothedCrossEntropy(smoothing)(targets, logits, weights))
    assert ours == pytest.approx(expected, rel=1e-5)
    another = float(SmoothedCrossEntropy(smoothing + 0.1)(targets, logits, weights))
    assert abs(another - expected) > 1e-2


def test_softmax_of_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0, -1000.0]])), [[0.5, 0.5, 0]])
