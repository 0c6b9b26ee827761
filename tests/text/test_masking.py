"""Masked words: 15 % of what may be asked for, 80/10/10, and nothing else is touched."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_course.text.masking import mask_tokens
from bert_course.text.vocabulary import SPECIAL, Vocabulary

WORDS = [f"word{i}" for i in range(200)]
VOCABULARY = Vocabulary(["[PAD]", "[unused1]", *SPECIAL[1:], *WORDS, "##s", "##ing"])
PAD, CLS, SEP = VOCABULARY.pad, VOCABULARY.cls, VOCABULARY.sep
S_PIECE, ING_PIECE = VOCABULARY.ids["##s"], VOCABULARY.ids["##ing"]
FIRST_WORD = VOCABULARY.ids["word0"]


def random_rows(counts, length=128, seed=0):
    """[CLS] n words [SEP] and padding, for each n."""
    words = np.random.default_rng(seed).integers(FIRST_WORD, FIRST_WORD + 200, (len(counts), 200))
    rows = np.full((len(counts), length), PAD, "uint16")
    for row, count, own in zip(rows, counts, words, strict=True):
        row[: count + 2] = [CLS, *own[:count], SEP]
    return rows


def complaints(token_ids, masked, vocabulary):
    """What no draw may do, whatever its luck; each sentence names one rule that is broken."""
    inputs, positions, labels, weights = masked
    filled = weights == 1
    rows, _ = np.nonzero(filled)
    asked = token_ids[rows, positions[filled]]
    if not np.isin(weights, (0, 1)).all() or (filled[:, 1:] > filled[:, :-1]).any():
        yield "filled slots come first"
    if (np.diff(positions, axis=1)[filled[:, 1:]] <= 0).any():
        yield "positions rise"
    if positions[~filled].any() or (labels[~filled] != vocabulary.pad).any():
        yield "slots left over are empty"
    if not vocabulary.is_ordinary[asked].all():
        yield "only ordinary pieces are asked for"
    if not np.array_equal(labels[filled], asked):
        yield "a label is the original word"
    elsewhere = inputs.copy()
    elsewhere[rows, positions[filled]] = asked
    if not np.array_equal(elsewhere, token_ids):
        yield "nothing else is touched"
    shown = inputs[rows, positions[filled]]
    if not (vocabulary.is_ordinary[shown] | (shown == vocabulary.mask)).all():
        yield "a random word is ordinary"


# ------------------------------------------------------------------------------- a worked example


def test_a_worked_example():
    """With all luck on one side, only the choice of positions is random."""
    a, b, c, d = (VOCABULARY.ids[f"word{i}"] for i in range(4))
    row = np.array([[CLS, a, b, SEP, c, d, SEP, PAD]])
    masked = mask_tokens(row, 0, VOCABULARY, share=0.5, mask_share=1, random_share=0)
    chosen = masked.positions[0, :2]
    assert set(chosen) < {1, 2, 4, 5}
    assert masked.positions.tolist() == [[*sorted(chosen), 0, 0]]
    assert masked.labels.tolist() == [[*row[0, chosen], PAD, PAD]]
    assert masked.weights.tolist() == [[1, 1, 0, 0]]
    expected = row.copy()
    expected[0, chosen] = VOCABULARY.mask
    np.testing.assert_array_equal(masked.inputs, expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "int64"])
def test_types_and_slots(dtype):
    rows = random_rows([40] * 3, length=64).astype(dtype)
    inputs, positions, labels, weights = mask_tokens(rows, 0, VOCABULARY)
    assert inputs.dtype == labels.dtype == dtype
    assert (positions.dtype, weights.dtype) == ("int32", "float32")
    assert positions.shape == labels.shape == weights.shape == (3, math.ceil(0.15 * 64))
    assert mask_tokens(rows, 0, VOCABULARY, slots=30).positions.shape == (3, 30)


def test_the_input_array_stays_as_it_is():
    rows = random_rows([40] * 3)
    before = rows.copy()
    mask_tokens(rows, 0, VOCABULARY)
    np.testing.assert_array_equal(rows, before)


# -------------------------------------------------------------------------------------- properties


@st.composite
def rows_and_vocabulary(draw):
    ordinary = draw(st.integers(1, 6))
    pieces = [*SPECIAL, *(f"{'##' * draw(st.booleans())}piece{i}" for i in range(ordinary))]
    if draw(st.booleans()):
        pieces.append("[unused3]")
    shape = draw(st.tuples(st.integers(0, 4), st.integers(1, 40)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pieces = draw(st.permutations(pieces))
    return rng.integers(len(pieces), size=shape).astype("int32"), Vocabulary(pieces)


@settings(max_examples=150, deadline=None)
@given(
    rows_and_vocabulary(),
    st.integers(0, 2**32),
    st.floats(0.01, 0.99),
    st.none() | st.integers(1, 30),
    st.booleans(),
)
def test_whatever_the_rows(rows_and_vocabulary, seed, share, slots, whole_words):
    rows, vocabulary = rows_and_vocabulary
    slots = slots and min(slots, rows.shape[1])
    settings = dict(share=share, slots=slots, whole_words=whole_words)
    masked = mask_tokens(rows, seed, vocabulary, **settings)
    assert list(complaints(rows, masked, vocabulary)) == []
    again = mask_tokens(rows, np.random.default_rng(seed), vocabulary, **settings)
    for one, other in zip(masked, again, strict=True):
        np.testing.assert_array_equal(one, other)
    available = vocabulary.is_ordinary[rows].sum(axis=1)
    counts = masked.weights.sum(axis=1)
    most = min(masked.weights.shape[1], rows.shape[1] - 1)
    assert (counts <= np.minimum(np.maximum(np.ceil(share * available), 1), most)).all()
    if not whole_words:
        least = np.minimum(np.maximum(np.floor(share * available), 1), available)
        assert (counts >= np.minimum(least, most)).all()
    else:
        assert_words_are_whole(rows, masked, vocabulary)


def assert_words_are_whole(rows, masked, vocabulary):
    """A piece that continues a word is chosen exactly when the piece before it is."""
    chosen = np.zeros(rows.shape, bool)
    which, slots = np.nonzero(masked.weights)
    chosen[which, masked.positions[which, slots]] = True
    ordinary = vocabulary.is_ordinary[rows]
    continues = vocabulary.continues[rows][:, 1:] & ordinary[:, 1:] & ordinary[:, :-1]
    np.testing.assert_array_equal(chosen[:, 1:][continues], chosen[:, :-1][continues])


def test_another_seed_draws_another_mask():
    rows = random_rows([100] * 4)
    drawn = [mask_tokens(rows, seed, VOCABULARY).positions for seed in (0, 1)]
    assert (drawn[0] != drawn[1]).any(axis=1).all()


# -------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize("count", [1, 3, 6, 7, 10, 50, 101, 125, 126])
def test_the_expected_count_is_exactly_15_percent(count):
    """Over 20,000 rows the mean of a count that is rounded at random has σ < 0.5 / √20000."""
    weights = mask_tokens(random_rows([count] * 20_000), 1, VOCABULARY).weights
    counts = weights.sum(axis=1)
    share = 0.15 * count
    assert abs(counts.mean() - max(share, 1)) < 5 * 0.5 / math.sqrt(20_000)
    assert set(counts) <= {max(math.floor(share), 1), max(math.ceil(share), 1)}


def test_a_row_without_words_is_asked_nothing():
    rows = np.array([[CLS, SEP, PAD, PAD], [PAD] * 4, [CLS, VOCABULARY.unk, SEP, VOCABULARY.mask]])
    masked = mask_tokens(rows, 0, VOCABULARY)
    assert not masked.weights.any()
    np.testing.assert_array_equal(masked.inputs, rows)


def test_each_position_is_equally_likely():
    """χ² over 100 positions, 99 degrees of freedom: mean 99, σ 14; each row draws exactly 15."""
    rows = random_rows([100] * 20_000)
    masked = mask_tokens(rows, 2, VOCABULARY)
    times = np.bincount(masked.positions[masked.weights == 1], minlength=128)
    assert times[0] == times[101:].sum() == 0
    expected = 20_000 * 0.15
    # Drawn without replacement, a row's choices hinder one another: hence the 0.85.
    chi_squared = ((times[1:101] - expected) ** 2).sum() / (expected * 0.85)
    assert 99 - 5 * 14 < chi_squared < 99 + 5 * 14


def test_each_pair_of_positions_is_equally_likely():
    """Neighbours are chosen together as often as any two: 0.15 · 14/99 of the rows."""
    masked = mask_tokens(random_rows([100] * 20_000), 3, VOCABULARY)
    chosen = np.zeros((20_000, 128), bool)
    np.put_along_axis(chosen, masked.positions, masked.weights == 1, axis=1)
    for apart in (1, 2, 50):
        together = (chosen[:, 1 : 101 - apart] & chosen[:, 1 + apart : 101]).mean()
        assert together == pytest.approx(0.15 * 14 / 99, abs=0.001)


def test_80_10_10():
    rows = random_rows([120] * 20_000)
    inputs, positions, labels, weights = mask_tokens(rows, 4, VOCABULARY)
    filled = weights == 1
    shown = np.take_along_axis(inputs, positions, axis=1)[filled]
    labels = labels[filled]
    ordinary = VOCABULARY.is_ordinary.sum()  # 202, so 1 random word in 202 is the word itself
    sigma = 0.4 / math.sqrt(filled.sum())
    assert abs((shown == VOCABULARY.mask).mean() - 0.8) < 5 * sigma
    assert abs((shown == labels).mean() - (0.1 + 0.1 / ordinary)) < 5 * sigma
    others = shown[(shown != VOCABULARY.mask) & (shown != labels)]
    assert abs(len(others) / len(shown) - 0.1 * (1 - 1 / ordinary)) < 5 * sigma
    # every ordinary piece comes, about equally often, and nothing else
    times = np.bincount(others, minlength=len(VOCABULARY))
    assert (times[~VOCABULARY.is_ordinary] == 0).all()
    expected = len(others) / ordinary
    assert np.abs(times[VOCABULARY.is_ordinary] - expected).max() < 5 * math.sqrt(expected)


def test_the_three_fates_do_not_depend_on_the_place():
    masked = mask_tokens(random_rows([120] * 20_000), 5, VOCABULARY)
    is_hidden = np.take_along_axis(masked.inputs, masked.positions, axis=1) == VOCABULARY.mask
    for slot in range(18):
        assert is_hidden[:, slot].mean() == pytest.approx(0.8, abs=5 * 0.4 / math.sqrt(20_000))


# ------------------------------------------------------------------------------------- whole words


def rows_of_long_words(seed=0):
    """Words of one, two or three pieces; a word goes on over no [SEP]."""
    rng = np.random.default_rng(seed)
    rows = random_rows([120] * 5_000)
    continuing = rng.random(rows.shape) < 0.2
    continuing &= VOCABULARY.is_ordinary[rows]
    rows[continuing] = rng.choice([S_PIECE, ING_PIECE], continuing.sum())
    rows[:, 60] = SEP
    return rows


def test_whole_words_stay_together_and_in_the_budget():
    rows = rows_of_long_words()
    masked = mask_tokens(rows, 0, VOCABULARY, whole_words=True)
    assert list(complaints(rows, masked, VOCABULARY)) == []
    assert_words_are_whole(rows, masked, VOCABULARY)
    available = VOCABULARY.is_ordinary[rows].sum(axis=1)
    counts = masked.weights.sum(axis=1)
    assert (counts <= np.ceil(0.15 * available)).all()
    assert 0.145 < counts.sum() / available.sum() < 0.15
    with pytest.raises(AssertionError):
        assert_words_are_whole(rows, mask_tokens(rows, 0, VOCABULARY), VOCABULARY)


def test_without_long_words_whole_words_change_nothing():
    rows = random_rows([100] * 50)
    for one, other in zip(
        mask_tokens(rows, 0, VOCABULARY),
        mask_tokens(rows, 0, VOCABULARY, whole_words=True),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_word_that_does_not_fit_stays():
    word = VOCABULARY.ids["word7"]
    rows = np.array([[CLS, word, S_PIECE, ING_PIECE, SEP]])
    assert not mask_tokens(rows, 0, VOCABULARY, whole_words=True).weights.any()
    masked = mask_tokens(rows, 0, VOCABULARY, share=0.99, slots=3, whole_words=True)
    assert masked.positions.tolist() == [[1, 2, 3]]


def test_a_piece_whose_word_was_cut_off_is_a_word():
    rows = np.array([[CLS, S_PIECE, SEP, ING_PIECE, SEP]] * 200)
    masked = mask_tokens(rows, 0, VOCABULARY, whole_words=True)
    assert set(masked.positions.ravel()) == {1, 3}
    assert (masked.weights == 1).all()


# ------------------------------------------------------------------------------- negative controls


def _ask_for_padding(rows, masked):
    masked.positions[0, 0], masked.labels[0, 0] = 0, rows[0, 0]


def _show_special_words(rows, masked):
    masked.inputs[0, masked.positions[0, 0]] = SEP


def _label_what_is_shown(rows, masked):
    masked.labels[:] = np.take_along_axis(masked.inputs, masked.positions, axis=1)


def _hide_and_do_not_ask(rows, masked):
    masked.weights[0, :] = 0


def _reverse(rows, masked):
    masked.positions[:], masked.labels[:] = masked.positions[:, ::-1], masked.labels[:, ::-1]


@pytest.mark.parametrize(
    ("mistake", "rule"),
    [
        (_ask_for_padding, "only ordinary pieces are asked for"),
        (_show_special_words, "a random word is ordinary"),
        (_label_what_is_shown, "a label is the original word"),
        (_hide_and_do_not_ask, "nothing else is touched"),
        (_reverse, "positions rise"),
    ],
)
def test_the_check_sees_mistakes(mistake, rule):
    rows = random_rows([100] * 4)
    masked = mask_tokens(rows, 0, VOCABULARY)
    assert list(complaints(rows, masked, VOCABULARY)) == []
    mistake(rows, masked)
    assert rule in list(complaints(rows, masked, VOCABULARY))


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("token_ids", "settings", "message"),
    [
        ([1, 2], {}, r"token_ids must be whole numbers in rows \(B, S\).*Received: shape \(2,\)"),
        ([[1.0]], {}, r"must be whole numbers.*float64"),
        ([[1, 999]], {}, r"numbers of the 208 pieces.*from 1 to 999"),
        ([[1, -100]], {}, r"numbers of the 208 pieces.*from -100 to 1"),
        ([[1]], dict(share=0), r"share must lie between 0 and 1.*Received: 0"),
        ([[1]], dict(share=15), r"share must lie between 0 and 1.*Received: 15"),
        ([[1]], dict(mask_share=0.95), r"parts of a whole.*Received: 0.95 and 0.1"),
        ([[1]], dict(random_share=-0.1), r"parts of a whole.*Received: 0.8 and -0.1"),
        ([[1]], dict(slots=0), r"slots must lie between 1 and the 1 positions.*Received: 0"),
        ([[1]], dict(slots=2), r"slots must lie between 1 and the 1 positions.*Received: 2"),
    ],
)
def test_errors(token_ids, settings, message):
    with pytest.raises(ValueError, match=message):
        mask_tokens(np.array(token_ids), 0, VOCABULARY, **settings)
