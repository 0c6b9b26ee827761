"""Counting against the formula of its smoothing, worked out by hand."""

import numpy as np
import pytest

from bert_course.text.counting import Counting


def test_counting_by_hand():
    """Witten and Bell: the seen kinds of a context are the weight of the shorter context."""
    counting = Counting([[0, 1, 0, 1, 0, 2]], 4, (-1,))
    unigram = (np.array([3, 2, 1, 0]) + 3 * np.full(4, 1 / 4)) / (6 + 3)
    after_0 = (np.array([0, 2, 1, 0]) + 2 * unigram) / (3 + 2)
    np.testing.assert_allclose(counting.chances([0, 3], 1), after_0)
    np.testing.assert_allclose(counting.chances([3, 3], 1), unigram)  # a context never seen
    assert counting.chances([0, 3], 1).sum() == pytest.approx(1)


def test_two_neighbours_fall_back_on_one():
    """[0 1] 2 was seen, [2 1] never: then what follows 1 has to do."""
    documents = [[0, 1, 2], [0, 1, 2], [3, 1, 0]]
    both, one = (Counting(documents, 4, neighbours) for neighbours in ((-1, -2), (-1,)))
    after_1 = one.chances([0, 1, 2], 2)
    np.testing.assert_allclose(both.chances([2, 1, 2], 2), after_1)
    after_0_1 = (np.array([0, 0, 2, 0]) + 1 * after_1) / (2 + 1)
    np.testing.assert_allclose(both.chances([0, 1, 2], 2), after_0_1)


def test_the_score_is_of_the_right_guesses_and_the_losses():
    counting = Counting([[0, 0, 0, 1]], 2, ())
    score = counting.score([([0], 0), ([1], 0)])
    p_of_0 = counting.chances([0], 0)[0]
    assert score.accuracy == 0.5
    assert score.cross_entropy == pytest.approx(-(np.log(p_of_0) + np.log(1 - p_of_0)) / 2)
    assert score.count == 2
