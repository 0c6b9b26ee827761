"""Scores of a model and of counting: against loops, and where the answer is known."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from small_runs import PIECES, held_out, recipe

from bert_course.model.checkpoints import Bert
from bert_course.text.counting import Counting
from bert_course.text.examples import open_examples
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.training import evaluation
from bert_course.training.evaluation import INPUTS, baselines, evaluate, questions_of


@pytest.fixture(scope="module")
def model():
    model = Bert(recipe().config, PIECES).pretraining_model
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape))
    return model


def by_hand(model, batches):
    """One question after the other."""
    answers = {"masked_words": [], "next_sentence": []}
    for batch in batches:
        outputs = {
            name: np.float64(keras.ops.convert_to_numpy(output))
            for name, output in model({name: batch[name] for name in INPUTS}).items()
        }
        pair_weights = batch.get("next_sentence_weights", np.ones(len(batch["token_ids"])))
        for row in range(len(batch["token_ids"])):
            for slot in range(batch["masked_weights"].shape[1]):
                if batch["masked_weights"][row, slot]:
                    logits = outputs["masked_words"][row, slot]
                    answers["masked_words"].append((logits, batch["masked_labels"][row, slot]))
            if pair_weights[row]:
                logits = outputs["next_sentence"][row]
                answers["next_sentence"].append((logits, batch["next_sentence_labels"][row]))
    results = {}
    for task, questions in answers.items():
        losses = [np.log(np.exp(logits).sum()) - logits[label] for logits, label in questions]
        results[f"{task}_loss"] = np.mean(losses)
        results[f"{task}_accuracy"] = np.mean([logits.argmax() == n for logits, n in questions])
    return results


def test_scores_are_those_of_one_question_after_the_other(model, short):
    batches = held_out(short, 3)
    assert evaluate(model, batches) == pytest.approx(by_hand(model, batches), rel=1e-5)


def test_each_question_counts_once_and_not_each_batch(model, short):
    one, other = held_out(short, 2)
    other["masked_weights"][1:] = 0
    both = evaluate(model, [one, other])
    assert both == pytest.approx(by_hand(model, [one, other]), rel=1e-5)
    mean = np.mean([evaluate(model, [batch])["masked_words_loss"] for batch in (one, other)])
    assert abs(mean - both["masked_words_loss"]) > 1e-3


def test_what_weighs_nothing_is_not_asked(model, short):
    (batch,) = held_out(short, 1)
    before = evaluate(model, [batch])
    batch["masked_labels"][batch["masked_weights"] == 0] = 7
    assert evaluate(model, [batch]) == before
    rows, slots = np.nonzero(batch["masked_weights"])
    batch["masked_labels"][rows[0], slots[0]] = 7  # and where it weighs something, it tells
    assert evaluate(model, [batch]) != before


def test_pairs_may_be_left_out(model, short):
    (batch,) = held_out(short, 1)
    before = evaluate(model, [batch])
    batch["next_sentence_weights"] = np.array([1, 0, 1, 0], "float32")
    scores = evaluate(model, [batch])
    assert scores == pytest.approx(by_hand(model, [batch]), rel=1e-5)
    assert scores["next_sentence_loss"] != before["next_sentence_loss"]
    assert scores["masked_words_loss"] == before["masked_words_loss"]


def test_no_questions_have_no_score(model, short):
    (batch,) = held_out(short, 1)
    batch["next_sentence_weights"] = np.zeros(4, "float32")
    scores = evaluate(model, [batch])
    assert scores["next_sentence_loss"] is scores["next_sentence_accuracy"] is None
    assert evaluate(model, []) == {}


def test_one_who_knows_all_has_full_marks(short):
    """A model that is told the answers: so nothing is compared with the wrong question."""
    batches = held_out(short, 2)
    told = iter(batches)

    def predict_on_batch(inputs):
        batch = next(told)
        return {
            "masked_words": 50 * np.eye(len(PIECES), dtype="float32")[batch["masked_labels"]],
            "next_sentence": 50 * np.eye(2, dtype="float32")[batch["next_sentence_labels"]],
        }

    scores = evaluate(SimpleNamespace(predict_on_batch=predict_on_batch), batches)
    assert scores["masked_words_accuracy"] == scores["next_sentence_accuracy"] == 1
    assert scores["masked_words_loss"] == pytest.approx(0, abs=1e-6)


# -------------------------------------------------------------------------------------- counting


def test_questions_are_what_was_hidden(short):
    examples = open_examples(short, batch_size=4, seed=9)
    (batch,) = held_out(short, 1)
    rows = examples.arrays["token_ids"][examples.numbers(0)]
    before = batch["token_ids"].copy()
    questions = questions_of(batch)
    np.testing.assert_array_equal(batch["token_ids"], before)  # it is left as it was
    assert len(questions) == batch["masked_weights"].sum()
    for ids, place in questions:
        assert any(np.array_equal(ids, row) for row in rows)
        assert PIECES[ids[place]] not in ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
    assert (before != rows).any()


def test_counting_by_hand(short):
    """Unigram: (n(w) + kinds/V) / (n + kinds), over all pieces but [CLS], [SEP] and padding."""
    examples, batches = open_examples(short), held_out(short, 2)
    ids = np.concatenate(
        [
            row[:n]
            for row, n in zip(*(examples.arrays[k] for k in ("token_ids", "lengths")), strict=True)
        ]
    )
    special = {PIECES.index(piece) for piece in ("[CLS]", "[SEP]")}
    counts = {i: int((ids == i).sum()) for i in set(ids.tolist()) - special}
    total, kinds = sum(counts.values()), len(counts)
    questions = [ids[place] for batch in batches for ids, place in questions_of(batch)]
    chances = [
        (counts.get(i, 0) + kinds / len(PIECES)) / (total + kinds) for i in map(int, questions)
    ]
    best = max(counts, key=lambda i: (counts[i], -i))
    score = baselines(examples, batches)["unigram"]
    assert score.cross_entropy == pytest.approx(-np.mean(np.log(chances)))
    assert score.accuracy == pytest.approx(np.mean([i == best for i in questions]))
    assert score.count == len(questions)


def tiny_examples(rows):
    """What `baselines` looks at, made of words."""
    tokenizer = WordPieceTokenizer(PIECES)
    ids = [[PIECES.index(piece) for piece in row.split()] for row in rows]
    length = max(map(len, ids))
    arrays = {
        "token_ids": np.array([row + [0] * (length - len(row)) for row in ids]),
        "lengths": np.array([len(row) for row in ids]),
    }
    return SimpleNamespace(arrays=arrays, vocabulary=tokenizer.vocabulary)


def ask(row, place):
    ids = np.array([[PIECES.index(piece) for piece in row.split()]])
    label = ids[0, place]
    ids[0, place] = PIECES.index("[MASK]")
    return {
        "token_ids": ids,
        "masked_positions": np.array([[place, 0]]),
        "masked_labels": np.array([[label, 0]]),
        "masked_weights": np.array([[1.0, 0.0]]),
    }


def test_the_bigram_is_told_the_piece_before():
    examples = tiny_examples(["[CLS] w1 w2 . [SEP] w1 w2 . [SEP]", "[CLS] w3 w3 w3 w3 . [SEP]"])
    scores = baselines(examples, [ask("[CLS] w1 w2 [SEP]", 2)])
    assert scores["bigram"].accuracy == 1
    assert scores["unigram"].accuracy == 0  # w3 is the most frequent
    # After w1 there was w2 twice, and one kind: (2 + P(w2)) / 3.
    unigram = (2 + 4 / len(PIECES)) / (11 + 4)
    unigram_loss, bigram_loss = (scores[n].cross_entropy for n in ("unigram", "bigram"))
    assert unigram_loss == pytest.approx(-math.log(unigram))
    assert bigram_loss == pytest.approx(-math.log((2 + unigram) / 3))


def test_nobody_guesses_a_separator():
    """[SEP] is the most frequent of all, and always follows a full stop; yet it is never asked."""
    examples = tiny_examples(["[CLS] w1 . [SEP] w2 . [SEP]"] * 5)
    batches = [ask("[CLS] w1 . [SEP] w2 . [SEP]", place) for place in (1, 2, 4, 5)]
    scores = baselines(examples, batches)
    assert scores["unigram"].accuracy == 0.5  # the two full stops
    guesses = Counting([examples.arrays["token_ids"][0]], len(PIECES), ()).chances([], 0)
    assert PIECES[guesses.argmax()] == "[SEP]"  # had they not been taken out


def test_of_a_large_corpus_a_part_is_counted(short, monkeypatch):
    examples, batches = open_examples(short), held_out(short, 1)
    all_of_it = baselines(examples, batches)
    monkeypatch.setattr(evaluation, "COUNTED", 200)
    assert baselines(examples, batches)["bigram"] != all_of_it["bigram"]
