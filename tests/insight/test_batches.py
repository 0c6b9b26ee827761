import numpy as np
import pytest

from bert_course.insight import batches
from bert_course.insight.batches import batch_of, by_width, encode_all, portions


def test_a_text_and_a_pair_as_one_batch(bert):
    batch = batch_of(bert, ["a cat", ("the dog", "plays .")])
    ids = bert.tokenizer.vocabulary.ids
    tokens = [
        "[CLS] a cat [SEP] [PAD] [PAD] [PAD] [PAD]",
        "[CLS] the dog [SEP] play ##s . [SEP]",
    ]
    assert batch["token_ids"].tolist() == [[ids[t] for t in row.split()] for row in tokens]
    assert batch["segment_ids"].tolist() == [[0] * 8, [0, 0, 0, 0, 1, 1, 1, 1]]
    assert batch["padding_mask"].tolist() == [[True] * 4 + [False] * 4, [True] * 8]


def test_every_text_is_in_one_batch_at_the_place_it_says(bert, sentences):
    encodings = encode_all(bert, sentences)
    met = []
    for places, batch in by_width(bert, encodings):
        width = batch["token_ids"].shape[1]
        assert width % batches.STEP == 0 or width == bert.config.max_length
        for place, ids, real in zip(places, batch["token_ids"], batch["padding_mask"], strict=True):
            assert ids[real].tolist() == encodings[place].ids
            assert width - real.sum() < batches.STEP
        met += places.tolist()
    assert sorted(met) == list(range(30)) != met


def test_no_batch_is_wider_than_bert_can_read(bert):
    encodings = encode_all(bert, ["cat " * 25])  # 27 pieces, of 30 that fit; 32 would be next
    ((_, batch),) = by_width(bert, encodings)
    assert batch["token_ids"].shape == (1, 30)


def test_portions_are_all_rows_in_order_and_fill_a_batch(monkeypatch):
    monkeypatch.setattr(batches, "ROOM", 64)
    rows = np.arange(19)
    parts = [rows[portion].tolist() for portion in portions(19, 8)]
    assert parts == [list(range(8)), list(range(8, 16)), [16, 17, 18]]
    assert len(portions(3, 1000)) == 3  # a row each, where one does not even fit


@pytest.mark.parametrize("texts", ["one text", [("a", "b", "c")], [3], [("a", None)]])
def test_what_texts_are(bert, texts):
    with pytest.raises(ValueError, match=r"Texts are a list, each a string or a pair .*Received"):
        encode_all(bert, texts)
