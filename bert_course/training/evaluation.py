"""How well a model fills blanks and recognises the next sentence, and how well counting does."""

import numpy as np
from keras import ops

from bert_course.text.counting import Counting

INPUTS = ("token_ids", "segment_ids", "padding_mask", "masked_positions")
COUNTED = 5_000_000  # pieces are enough to count from, however large the corpus


def evaluate(model, batches):
    """Mean loss and accuracy of both tasks, over all questions of all batches.

    Args:
        model: see `build_pretraining_model`.
        batches: a list of dictionaries, as `Examples.batch` gives them. Where one has
            `next_sentence_weights` too, pairs of weight 0 are left out.
    """
    sums = {}
    for batch in batches:
        outputs = model.predict_on_batch({name: batch[name] for name in INPUTS})
        for task, labels, weights in tasks_of(batch):
            scores = score(outputs[task], labels)  # (2, …) loss and whether it was right
            total = sums.setdefault(task, np.zeros(3))
            total += [*(scores * weights).reshape(2, -1).sum(axis=1), weights.sum()]
    results = {}
    for task, (loss, right, count) in sums.items():
        results[f"{task}_loss"] = float(loss / count) if count else None
        results[f"{task}_accuracy"] = float(right / count) if count else None
    return results


def score(logits, labels):
    """-log P(label), and 1 where the label has the highest logit, stacked."""
    labels = ops.convert_to_tensor(labels)
    losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    right = ops.argmax(logits, axis=-1) == ops.cast(labels, "int32")
    return np.stack([ops.convert_to_numpy(losses), ops.convert_to_numpy(right)])


def tasks_of(batch):
    """(output of the model, labels, weights) of both tasks."""
    next_sentences = batch["next_sentence_labels"]
    weights = batch.get("next_sentence_weights", np.ones(len(next_sentences), "float32"))
    return (
        ("masked_words", batch["masked_labels"], batch["masked_weights"]),
        ("next_sentence", next_sentences, weights),
    )


def baselines(examples, batches):
    """{"unigram": Score, "bigram": Score}: counting from `examples`, asked what a model is asked.

    The bigram is told the true piece before the blank, even where a model sees a mask.
    """
    rows = examples.arrays["token_ids"]
    vocabulary = examples.vocabulary
    documents = without_special(rows[:: max(1, rows.size // COUNTED)], vocabulary)
    questions = [
        (without_special(row, vocabulary), place)
        for batch in batches
        for row, place in questions_of(batch)
    ]
    return {
        name: Counting(documents, len(vocabulary), neighbours).score(questions)
        for name, neighbours in (("unigram", ()), ("bigram", (-1,)))
    }


def without_special(ids, vocabulary):
    """[CLS], [SEP], [PAD] and the like as a number that is no piece: nobody would guess them."""
    return np.where(vocabulary.is_ordinary[ids], ids, len(vocabulary))


def questions_of(batch):
    """[(the ids as they were before masking, place of a blank), ...]."""
    originals = batch["token_ids"].copy()
    rows, slots = np.nonzero(batch["masked_weights"])
    places = batch["masked_positions"][rows, slots]
    originals[rows, places] = batch["masked_labels"][rows, slots]
    return [(originals[row], place) for row, place in zip(rows, places, strict=True)]
