"""Scores: by hand, against scikit-learn, and against the published scripts' rules said again."""

import itertools
import random
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.calibration import calibration_curve

from bert_course.training.metrics import (
    answer_scores,
    best_no_answer_threshold,
    best_thresholds,
    calibration,
    class_scores,
    confusion_matrix,
    entities,
    entity_scores,
    multilabel_scores,
    normalize_answer,
)

few = settings(max_examples=60, deadline=None)


# Classes


def test_confusions_by_hand():
    assert confusion_matrix([0, 0, 1, 2], [0, 1, 1, 0], 3).tolist() == [
        [1, 1, 0],  # of two true 0, one was taken for 1
        [0, 1, 0],
        [1, 0, 0],
    ]


def test_class_scores_by_hand():
    scores = class_scores([0, 0, 0, 1], [0, 0, 1, 1], 3)
    assert scores["accuracy"] == scores["micro_f1"] == 0.75
    assert scores["per_class"] == [
        {"precision": 1.0, "recall": pytest.approx(2 / 3), "f1": 0.8, "count": 3},
        {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "count": 1},
        {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 0},
    ]
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 3)  # the absent class counts
    # two classes: (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))
    assert scores["mcc"] == pytest.approx((1 * 2 - 1 * 0) / (2 * 1 * 3 * 2) ** 0.5)


def check_against_sklearn(labels, guesses, num_classes):
    names = range(num_classes)
    scores = class_scores(labels, guesses, num_classes)
    found = [list(each.values()) for each in scores["per_class"]]
    expected = theirs.precision_recall_fscore_support(
        labels, guesses, labels=names, zero_division=0
    )
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)
    for kind in ("macro", "micro"):
        f1 = theirs.f1_score(labels, guesses, labels=names, average=kind, zero_division=0)
        assert scores[f"{kind}_f1"] == pytest.approx(f1)
    assert scores["accuracy"] == theirs.accuracy_score(labels, guesses)
    assert scores["mcc"] == pytest.approx(theirs.matthews_corrcoef(labels, guesses))
    matrix = confusion_matrix(labels, guesses, num_classes)
    assert matrix.tolist() == theirs.confusion_matrix(labels, guesses, labels=names).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_class_scores_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    num_classes = int(rng.integers(2, 8))
    present = rng.integers(1, num_classes + 1)  # the classes above never occur
    labels = rng.integers(0, present, 60)
    guesses = np.where(rng.random(60) < 0.5, labels, rng.integers(0, num_classes, 60))
    check_against_sklearn(labels, guesses, num_classes)


@pytest.mark.parametrize(
    ("labels", "guesses"),
    [([0, 1, 1, 0], [1, 1, 1, 1]), ([2, 2, 2, 2], [0, 1, 2, 2]), ([1], [1]), ([1], [0])],
)
@pytest.mark.filterwarnings("ignore")  # scikit-learn's, about a single class
def test_one_class_only_in_labels_or_guesses(labels, guesses):
    check_against_sklearn(labels, guesses, 3)


def test_guesses_that_know_nothing_have_no_correlation_however_high_the_accuracy():
    scores = class_scores([0] * 9 + [1], [0] * 10, 2)
    assert (scores["accuracy"], scores["mcc"]) == (0.9, 0)


label_pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@few
@given(label_pairs, st.randoms(use_true_random=False))
def test_order_changes_nothing_and_swapping_swaps_precision_and_recall(pairs, rng):
    scores = class_scores(*zip(*pairs, strict=True), 4)
    swapped = class_scores(*zip(*[(b, a) for a, b in pairs], strict=True), 4)
    rng.shuffle(pairs)
    assert class_scores(*zip(*pairs, strict=True), 4) == scores
    for name in ("accuracy", "macro_f1", "micro_f1", "mcc"):
        assert swapped[name] == pytest.approx(scores[name])
    for one, other in zip(scores["per_class"], swapped["per_class"], strict=True):
        assert one["precision"] == other["recall"]


@few
@given(st.lists(st.integers(0, 3), min_size=1))
def test_perfect_guesses(labels):
    scores = class_scores(labels, labels, max(labels) + 1)
    assert scores["accuracy"] == scores["micro_f1"] == 1
    assert scores["mcc"] == pytest.approx(1.0 if len(set(labels)) > 1 else 0.0)
    assert scores["macro_f1"] == pytest.approx(len(set(labels)) / (max(labels) + 1))


# Several labels


def test_multilabel_scores_by_hand():
    labels = [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    guesses = [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    scores = multilabel_scores(labels, guesses)
    assert scores["accuracy"] == pytest.approx(1 / 3)  # of 9 single labels 7 are right
    assert [each["f1"] for each in scores["per_class"]] == pytest.approx([1, 2 / 3, 0])
    assert scores["macro_f1"] == pytest.approx(5 / 9)
    assert scores["micro_f1"] == pytest.approx(4 / 6)


@pytest.mark.parametrize("seed", range(8))
def test_multilabel_scores_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    labels = rng.random((40, 5)) < [0, 0.1, 0.3, 0.5, 1]
    guesses = np.where(rng.random((40, 5)) < 0.6, labels, rng.random((40, 5)) < 0.3)
    guesses[:, seed % 5] = seed % 2
    scores = multilabel_scores(labels, guesses)
    found = [list(each.values()) for each in scores["per_class"]]
    expected = theirs.precision_recall_fscore_support(labels, guesses, zero_division=0)
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)
    assert scores["accuracy"] == theirs.accuracy_score(labels, guesses)
    for kind in ("macro", "micro"):
        f1 = theirs.f1_score(labels, guesses, average=kind, zero_division=0)
        assert scores[f"{kind}_f1"] == pytest.approx(f1)


# Thresholds


@pytest.mark.parametrize(
    ("labels", "probabilities", "expected"),
    [
        ([0, 1], [0.1, 0.7], 0.5),  # many do, 0.5 among them: not the middle
        ([0, 1], [0.1, 0.3], 0.2),  # the middle
        ([0, 1], [0.6, 0.8], 0.7),
        ([1, 1], [0.2, 0.3], 0.1),  # all are guessed
        ([0, 0], [0.2, 0.8], 0.5),  # nothing to find: all thresholds are alike
        ([0, 1, 0, 1, 1], [0.1, 0.3, 0.6, 0.6, 0.7], 0.2),  # the two at 0.6 go together
        ([0, 1], [0.0, 0.0], 0.0),
    ],
)
def test_thresholds_by_hand(labels, probabilities, expected):
    labels, probabilities = np.array(labels)[:, None], np.array(probabilities)[:, None]
    assert best_thresholds(labels, probabilities) == pytest.approx(expected)
    found = best_thresholds(labels, probabilities, one_for_all=False)
    assert found.shape == (1,)
    assert found[0] == pytest.approx(expected)


def f1_of_columns(labels, probabilities, threshold):
    per_class = multilabel_scores(labels, probabilities >= threshold)["per_class"]
    return np.array([each["f1"] for each in per_class])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_is_better(seed, dtype):
    rng = np.random.default_rng(seed)
    labels = (rng.random((25, 4)) < [0.1, 0.3, 0.5, 0]).astype(int)
    probabilities = (0.4 * labels + 0.6 * rng.random((25, 4))).astype(dtype)
    probabilities[:, 1] = probabilities[:, 1].round(1)  # some are equal
    candidates = [*np.unique(probabilities), 0.5, 2]
    all_f1 = np.array([f1_of_columns(labels, probabilities, each) for each in candidates])
    one = best_thresholds(labels, probabilities)
    found = f1_of_columns(labels, probabilities, one).mean()
    assert found == pytest.approx(all_f1.mean(axis=1).max())
    each = best_thresholds(labels, probabilities, one_for_all=False)
    assert f1_of_columns(labels, probabilities, each.astype(dtype)) == pytest.approx(all_f1.max(0))
    # the mean of the best of each is another threshold, and a worse one
    assert f1_of_columns(labels, probabilities, each.mean()).mean() <= found


def test_the_threshold_may_lie_between_two_neighbouring_floats():
    low = np.float32(0.7)
    probabilities = np.array([[low], [np.nextafter(low, np.float32(1))]])
    threshold = best_thresholds([[0], [1]], probabilities)
    assert (probabilities >= threshold).tolist() == [[False], [True]]


@few
@given(
    st.lists(
        st.tuples(
            st.lists(st.booleans(), min_size=3, max_size=3),
            st.lists(st.floats(0, 1), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_thresholds_are_never_worse_than_a_half(rows):
    labels, probabilities = map(np.array, zip(*rows, strict=True))
    half = f1_of_columns(labels, probabilities, 0.5)
    one = f1_of_columns(labels, probabilities, best_thresholds(labels, probabilities))
    each = f1_of_columns(labels, probabilities, best_thresholds(labels, probabilities, False))
    assert one.mean() >= half.mean() - 1e-9
    assert (each >= half - 1e-9).all()
    assert each.mean() >= one.mean() - 1e-9


# Entities


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-x I-x O", [("x", 1, 2)]),
        ("B-x B-x I-x", [("x", 0, 0), ("x", 1, 2)]),
        ("O I-x I-x", [("x", 1, 2)]),  # broken: I after O begins one
        ("B-x I-y I-y", [("x", 0, 0), ("y", 1, 2)]),  # broken: I after another type too
        ("I-x O I-x", [("x", 0, 0), ("x", 2, 2)]),
        (
            "B-creative-work I-creative-work I-creative",
            [("creative-work", 0, 1), ("creative", 2, 2)],
        ),
        ("O O", []),
        ("", []),
    ],
)
def test_entities_by_hand(tags, expected):
    assert entities(tags.split()) == expected


def conlleval(tags):
    """conlleval's conditions: where a chunk ends, given the tag before, and where one starts."""
    chunks, first = set(), None
    before, type_before = "O", None
    for place, tag in enumerate([*tags, "O"]):
        now, type_now = tag[0], tag[2:] or None
        changes = type_before != type_now
        ends = before != "O" and (now == "B" or now == "O" or changes)
        starts = now == "B" or (now == "I" and (before == "O" or changes))
        if ends:
            chunks.add((type_before, first, place - 1))
        if starts:
            first = place
        before, type_before = now, type_now
    return chunks


def random_tags(rng, length):
    return [rng.choice(["O", "O", "B-x", "I-x", "I-x", "B-y", "I-y"]) for _ in range(length)]


def strictly(tags):
    """As strict IOB2: what does not begin with B is no entity."""
    return {each for each in conlleval(tags) if tags[each[1]].startswith("B")}


def test_random_tags_are_read_as_conlleval_reads_them():
    rng = random.Random(0)
    sentences = [random_tags(rng, rng.randrange(12)) for _ in range(2000)]
    assert [set(entities(tags)) for tags in sentences] == list(map(conlleval, sentences))
    differ = [set(entities(tags)) != strictly(tags) for tags in sentences]
    assert sum(differ) > 1000  # so broken ones are among them, and reading them strictly shows


def test_entity_scores_by_hand():
    labels = ["B-x I-x O B-y".split(), "O B-x".split()]
    guesses = ["B-x O O B-y".split(), "O B-y".split()]
    scores = entity_scores(labels, guesses)
    assert [scores[name] for name in ("precision", "recall", "f1", "count")] == pytest.approx(
        [1 / 3, 1 / 3, 1 / 3, 3]
    )
    assert scores["per_type"] == {
        "x": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 2},
        "y": {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "count": 1},
    }


def test_entities_are_not_tokens_and_o_is_none():
    """Two usual mistakes say .86 where one entity of two is right."""
    labels, guesses = ["B-x I-x I-x O O O B-y".split()], ["B-x I-x O O O O B-y".split()]
    flat = list(zip(labels[0], guesses[0], strict=True))
    both = sum(a == b != "O" for a, b in flat)
    tokens = 2 * both / sum((a != "O") + (b != "O") for a, b in flat)
    accuracy = sum(a == b for a, b in flat) / len(flat)
    assert (round(tokens, 2), round(accuracy, 2)) == (0.86, 0.86)
    assert entity_scores(labels, guesses)["f1"] == 0.5


def test_the_same_places_in_two_sentences_are_two_entities():
    assert entity_scores([["B-x"], ["B-x"]], [["B-x"], ["O"]])["recall"] == 0.5


def test_random_entity_scores_against_sets():
    rng = random.Random(1)
    for _ in range(50):
        lengths = [rng.randrange(1, 10) for _ in range(8)]
        labels, guesses = ([random_tags(rng, n) for n in lengths] for _ in range(2))
        true, guessed = (
            {(row, *each) for row, tags in enumerate(rows) for each in conlleval(tags)}
            for rows in (labels, guesses)
        )
        scores, hits = entity_scores(labels, guesses), len(true & guessed)
        assert scores["precision"] == pytest.approx(hits / len(guessed))
        assert scores["recall"] == pytest.approx(hits / len(true))
        assert scores["count"] == len(true)
        assert sum(each["count"] for each in scores["per_type"].values()) == len(true)


tag_pairs = st.lists(
    st.tuples(*[st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"])] * 2), min_size=1, max_size=12
)


@few
@given(st.lists(tag_pairs, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_entity_f1_does_not_care_for_sides_or_order(sentences, rng):
    def scores_of(sentences, side):
        rows = ([[pair[i] for pair in pairs] for pairs in sentences] for i in (side, 1 - side))
        return entity_scores(*rows)

    scores = scores_of(sentences, 0)
    assert scores_of(sentences, 1)["f1"] == scores["f1"]
    assert scores_of(sentences, 1)["recall"] == scores["precision"]
    rng.shuffle(sentences)
    assert scores_of(sentences, 0) == scores
    labels = [[label for label, _ in pairs] for pairs in sentences]
    assert entity_scores(labels, labels)["f1"] == any(map(entities, labels))


# Answers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Eiffel  Tower!", "eiffel tower"),
        ("“the” Tower – a–b", "“ ” tower – –b"),  # punctuation that is not ASCII stays
        ("an anthem, theatre banana", "anthem theatre banana"),
        ("U.S.A.", "usa"),
        ("the-end", "theend"),  # punctuation goes first
        (" A \n", ""),
        ("", ""),
    ],
)
def test_normalised_answers(text, expected):
    assert normalize_answer(text) == expected


def said_again(answers, guesses):
    """SQuAD 2's rules, question by question, with lists of words that are struck out."""

    def normalised(text):
        text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
        return " ".join(
            word for word in re.split(r"\s+", text) if word not in ("a", "an", "the", "")
        )

    def f1(right, guess):
        right, guess = right.split(), guess.split()
        if not right or not guess:
            return int(right == guess)
        remaining, common = list(right), 0
        for word in guess:
            if word in remaining:
                remaining.remove(word)
                common += 1
        if not common:
            return 0
        precision, recall = common / len(guess), common / len(right)
        return 2 * precision * recall / (precision + recall)

    rows = []
    for texts, guess in zip(answers, guesses, strict=True):
        texts = [normalised(text) for text in texts if normalised(text)] or [""]
        guess = normalised(guess)
        exact = max(int(text == guess) for text in texts)
        rows.append((exact, max(f1(text, guess) for text in texts)))
    return np.array(rows)


def random_questions(seed, count=60):
    rng = random.Random(seed)

    def text(least):
        words = ["the", "A", "red", "Red,", "sea", "sea!", "an", "...", "banana"]
        return " ".join(rng.choices(words, k=rng.randrange(least, 5)))

    answers = [[text(1) for _ in range(rng.randrange(4))] for _ in range(count)]
    return answers, [text(0) for _ in range(count)]


@pytest.mark.parametrize("seed", range(10))
def test_answers_are_scored_by_squads_rules(seed):
    answers, guesses = random_questions(seed)
    expected = said_again(answers, guesses)
    has_answer = np.array(list(map(bool, answers)))
    assert answer_scores(answers, guesses) == pytest.approx(
        {
            "exact": expected[:, 0].mean(),
            "f1": expected[:, 1].mean(),
            "with_answer_f1": expected[has_answer, 1].mean(),
            "no_answer_accuracy": expected[~has_answer, 0].mean(),
        }
    )


@pytest.mark.parametrize(
    ("texts", "guess", "exact", "f1"),
    [
        (["The Eiffel  Tower!"], "eiffel tower", 1, 1),
        (["Eiffel Tower", "the tower"], "Tower", 1, 1),  # the best of the right texts counts
        (["Eiffel Tower"], "tall tower", 0, 1 / 2),
        (["sea sea"], "sea", 0, 2 / 3),  # a word counts as often as it stands there: not 1
        ([], "", 1, 1),
        ([], "the", 1, 1),  # says nothing either
        ([], "sea", 0, 0),
        (["sea"], "", 0, 0),
    ],
)
def test_answers_by_hand(texts, guess, exact, f1):
    scores = answer_scores([texts], [guess])
    assert scores == pytest.approx({"exact": exact, "f1": f1})  # one kind of question only


def test_threshold_for_no_answer_by_hand():
    answers, guesses = [["sea"], [], ["red sea"], []], ["sea", "sea", "sea", "sea"]
    assert best_no_answer_threshold(answers, guesses, [-5, 3, -1, 2]) == -1
    assert best_no_answer_threshold(answers, guesses, [4, 3, 2, 1]) == 0  # never an answer
    assert best_no_answer_threshold([["sea"]], ["sea"], [7]) == 7  # always one
    # the script would stop between two equal scores, at a total that no threshold can reach
    assert best_no_answer_threshold([["sea"], []], ["sea", "sea"], [0.5, 0.5]) == -0.5


@pytest.mark.parametrize("seed", range(10))
def test_no_other_threshold_for_no_answer_is_better(seed):
    answers, guesses = random_questions(seed)
    scores = np.random.default_rng(seed).normal(size=len(guesses)).round(1)  # some are equal
    scores += [not texts for texts in answers]

    def f1_at(threshold):
        above = scores > threshold
        kept = ["" if no else guess for guess, no in zip(guesses, above, strict=True)]
        return answer_scores(answers, kept)["f1"]

    found = f1_at(best_no_answer_threshold(answers, guesses, scores))
    everywhere = [f1_at(each) for each in [scores.min() - 1, *np.unique(scores)]]
    assert found == pytest.approx(max(everywhere))
    assert found > everywhere[0] + 0.01 or found > everywhere[-1] + 0.01


@few
@given(st.lists(st.text("aetnh .,sx", max_size=8), min_size=1, max_size=6))
def test_a_right_text_is_right(texts):
    assert answer_scores([[text] for text in texts], texts)["f1"] == 1
    assert normalize_answer(normalize_answer(texts[0])) == normalize_answer(texts[0])
    pairs = itertools.pairwise(texts)
    for one, other in pairs:
        there, back = answer_scores([[one]], [other]), answer_scores([[other]], [one])
        assert there == pytest.approx(back)


# Calibration


def test_calibration_by_hand():
    found = calibration([0, 1, 1], [[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]], bins=2)
    assert found["ece"] == pytest.approx(abs(2 - 2.2) / 3)
    assert found["bins"] == [
        {"above": 0, "up_to": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {
            "above": 0.5,
            "up_to": 1,
            "count": 3,
            "confidence": pytest.approx(2.2 / 3),
            "accuracy": pytest.approx(2 / 3),
        },
    ]


@pytest.mark.parametrize("bins", [1, 5, 10])
def test_calibration_bins_are_scikit_learns(bins):
    rng = np.random.default_rng(bins)
    probabilities = rng.dirichlet([0.5] * 4, 300)
    labels = np.array([rng.choice(4, p=row) for row in probabilities])
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    found = calibration(labels, probabilities, bins)
    full = [each for each in found["bins"] if each["count"]]
    accuracies, confidences = calibration_curve(is_right, confidence, n_bins=bins)
    assert [each["accuracy"] for each in full] == pytest.approx(accuracies)
    assert [each["confidence"] for each in full] == pytest.approx(confidences)
    counts = np.array([each["count"] for each in full])
    assert counts.sum() == 300
    assert found["ece"] == pytest.approx(counts @ np.abs(accuracies - confidences) / 300)
    assert calibration(is_right, confidence, bins) == found  # one probability a row


def test_overconfidence_shows():
    rng = np.random.default_rng(0)
    probabilities = rng.random(20_000)
    labels = rng.random(20_000) < probabilities
    sharpened = probabilities**3 / (probabilities**3 + (1 - probabilities) ** 3)
    assert calibration(labels, probabilities)["ece"] < 0.015
    assert calibration(labels, sharpened)["ece"] > 0.08


def test_the_ends_of_the_scale_have_a_bin():
    found = calibration([0, 1, 1], [0.0, 1.0, 0.1])["bins"]
    assert [each["count"] for each in found] == [2, *[0] * 8, 1]


# What is refused


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda: class_scores([0, 1], [0], 2), "one guess for each.* 2 of them, 1 guesses"),
        (lambda: class_scores([], [], 2), "at least one of the labels. Received: none"),
        (lambda: class_scores([0, 2], [0, 1], 2), "labels are from 0 to 1: .*Received: 0 to 2"),
        (lambda: class_scores([0, 1], [-1, 1], 2), "guesses are from 0 to 1: .*Received: -1 to 1"),
        (lambda: class_scores([0], [[0.2, 0.8]], 2), r"take the argmax.*float64 of shape \(1, 2\)"),
        (lambda: class_scores(["a"], ["a"], 2), "one whole number for each row.*<U1"),
        (lambda: multilabel_scores([[0, 1], [1]], [[0, 1]] * 2), "array, its rows of one length"),
        (lambda: multilabel_scores([[0, 1]], [[0.2, 0.9]]), "guesses are 0 or 1.*Rec.*float64"),
        (lambda: multilabel_scores([0, 1], [0, 1]), r"labels are 0 or 1, a row.*shape \(2,\)"),
        (lambda: multilabel_scores([[0, 1]], [[1]]), r"one guess or prob.*\(1, 2\),.*\(1, 1\)"),
        (lambda: multilabel_scores([[]], [[]]), r"one class or more.*shape \(1, 0\)"),
        (lambda: best_thresholds([[0, 1]], [[0.2]]), r"one guess or prob.*\(1, 2\),.*\(1, 1\)"),
        (lambda: best_thresholds([[1]], [[1.2]]), "from 0 to 1, NaN being none.*Received: float64"),
        (lambda: best_thresholds([[1]], [[np.nan]]), "from 0 to 1, NaN being none"),
        (lambda: best_thresholds([], []), "at least one of the labels"),
        (lambda: calibration([0], [[-0.1, 1]]), "take the softmax or the sigmoid"),
        (lambda: calibration([2], [[0.4, 0.6]]), "With 2 classes the labels are from 0 to 1"),
        (lambda: calibration([0, 1], [0.4]), "one guess for each"),
        (lambda: calibration([0], [0.4], bins=0), "1 bin or more.*Received: bins=0"),
        (lambda: calibration([0], [[[0.4]]]), r"rows and classes.*shape \(1, 1, 1\)"),
        (lambda: entities("B-x"), "a list of strings. Received: 'B-x'"),
        (lambda: entities(["S-x"]), "write other schemes in IOB2.*Received: 'S-x'"),
        (lambda: entities(["B"]), "B- or I- and a type.*Received: 'B'"),
        (lambda: entities([3]), "B- or I- and a type.*Received: 3"),
        (lambda: entity_scores([["O"]], []), "each of the sentences. Received: 1 of them, 0 g"),
        (lambda: entity_scores([], []), "at least one of the sentences"),
        (
            lambda: entity_scores([["O"], ["O", "O"]], [["O"], ["O"]]),
            "one guess for each tag.*Received: 2 tags, 1 guesses in sentence 2",
        ),
        (lambda: answer_scores([["a"]], []), "each of the questions. Received: 1 of them, 0 g"),
        (lambda: answer_scores([], []), "at least one of the questions"),
        (lambda: answer_scores(["sea"], ["sea"]), "list of right texts.*Received: 'sea' and 'sea'"),
        (lambda: answer_scores([["sea"]], [None]), r"one text as its guess.*\['sea'\] and None"),
        (
            lambda: best_no_answer_threshold([[], []], ["", ""], [0.5, np.inf]),
            r"one finite number for each guess.*shape \(2,\), 1 of them finite, for 2 guesses",
        ),
        (
            lambda: best_no_answer_threshold([[]], [""], [0.5, 1]),
            r"one finite number for each guess.*shape \(2,\), 2 of them finite, for 1 guesses",
        ),
        (lambda: best_no_answer_threshold([[]], [""], ["high"]), "one finite number.*<U4"),
    ],
)
def test_what_cannot_be_scored_is_refused(score, message):
    with pytest.raises(ValueError, match=message):
        score()
