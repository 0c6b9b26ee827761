"""Rows of different lengths as arrays: what is real, and what only fills up."""

from types import SimpleNamespace

from bert_course.text.padding import pad_rows


def test_pad_rows():
    rows = [
        SimpleNamespace(ids=[2, 7, 3, 8, 3], segment_ids=[0, 0, 0, 1, 1]),
        SimpleNamespace(ids=[2, 3], segment_ids=[0, 0]),
    ]
    batch = pad_rows(rows, 6, pad=9)
    assert batch["token_ids"].tolist() == [[2, 7, 3, 8, 3, 9], [2, 3, 9, 9, 9, 9]]
    assert batch["segment_ids"].tolist() == [[0, 0, 0, 1, 1, 0], [0] * 6]
    assert batch["padding_mask"].tolist() == [[True] * 5 + [False], [True] * 2 + [False] * 4]
