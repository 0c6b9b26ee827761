"""Scores of what stretches over several words: entities in a sentence, answers in a text."""

import re
import string
from collections import Counter

import numpy as np

WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def precision_recall_f1(hits, guessed, true):
    """hits / guessed, hits / true, 2 · hits / (guessed + true); 0 where nothing divides."""
    return {
        "precision": hits / guessed if guessed else 0.0,
        "recall": hits / true if true else 0.0,
        "f1": 2 * hits / (guessed + true) if guessed + true else 0.0,
        "count": true,
    }


def check_lengths(labels, guesses, what):
    if len(labels) != len(guesses):
        raise ValueError(
            f"There must be one guess for each of the {what}. Received: {len(labels)} of them, "
            f"{len(guesses)} guesses"
        )
    if len(labels) == 0:
        raise ValueError(f"A score needs at least one of the {what}. Received: none")


def entities(tags):
    """IOB2 tags of one sentence -> [(type, first, last), ...], places counted from 0.

    Broken tags are read as conlleval does, and seqeval if not told to be strict: an I-X that
    nothing of type X comes before begins an entity too.
    """
    if isinstance(tags, str):
        raise ValueError(f"The tags of a sentence are a list of strings. Received: {tags!r}")
    found, open_type = [], None
    for place, tag in enumerate(tags):
        prefix, kind = _split(tag)
        if prefix == "I" and kind == open_type:
            found[-1] = (kind, found[-1][1], place)
        elif kind is not None:
            found.append((kind, place, place))
        open_type = kind
    return found


def _split(tag):
    if tag == "O":
        return tag, None
    prefix, _, kind = tag.partition("-") if isinstance(tag, str) else ("", "", "")
    if prefix not in ("B", "I") or not kind:
        raise ValueError(
            "A tag is O, or B- or I- and a type, such as B-person: write other schemes in IOB2 "
            f"first. Received: {tag!r}"
        )
    return prefix, kind


def entity_scores(labels, guesses):
    """Precision, recall and F1 over whole entities: right are those of the same type and ends.

    "per_type" has the same for each type, with the count of its true entities.

    Args:
        labels, guesses: for each sentence its tags, in IOB2.
    """
    check_lengths(labels, guesses, "sentences")
    hits, guessed, true = Counter(), Counter(), Counter()
    for number, (label, guess) in enumerate(zip(labels, guesses, strict=True), start=1):
        if len(label) != len(guess):
            raise ValueError(
                "There must be one guess for each tag: give words that were cut off the tag O. "
                f"Received: {len(label)} tags, {len(guess)} guesses in sentence {number}"
            )
        label, guess = set(entities(label)), set(entities(guess))
        for counts, spans in ((hits, label & guess), (guessed, guess), (true, label)):
            counts.update(kind for kind, _, _ in spans)
    return {
        **precision_recall_f1(hits.total(), guessed.total(), true.total()),
        "per_type": {
            kind: precision_recall_f1(hits[kind], guessed[kind], true[kind])
            for kind in sorted(guessed | true)
        },
    }


def normalize_answer(text):
    """Lower case, no punctuation, no a, an, the, single spaces.

    Paper: SQuAD (Rajpurkar et al., 2016), §6.1. Punctuation is that of ASCII, as in the published
    script: “ ” and – stay.
    """
    text = text.lower().translate(WITHOUT_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", text).split())


def answer_scores(answers, guesses):
    """How often a guess is a right text ("exact"), and how many words they share ("f1"): means.

    Where some questions have answers and some have none, there are "with_answer_f1" and
    "no_answer_accuracy" too.

    Paper: SQuAD 2.0 (Rajpurkar et al., 2018), and its published script.

    Args:
        answers: for each question its right texts, of which the best counts; [] if it has none.
        guesses: for each question a text; "" says that it has no answer.
    """
    scores = _all_scores(answers, guesses)
    exact, f1 = scores.mean(axis=0).tolist()
    results = {"exact": exact, "f1": f1}
    has_answer = np.array([bool(texts) for texts in answers])
    if 0 < has_answer.sum() < len(has_answer):
        results["with_answer_f1"] = float(scores[has_answer, 1].mean())
        results["no_answer_accuracy"] = float(scores[~has_answer, 0].mean())
    return results


def best_no_answer_threshold(answers, guesses, no_answer_scores):
    """The threshold with the highest F1, if "" replaces each guess whose score is above it.

    It is one of the scores, the lowest that does; or 1 below them all, where "" is best always.

    Args:
        guesses: for each question its best text, as if there were an answer.
        no_answer_scores: for each question a number, the higher the less it has an answer.
    """
    scores = np.asarray(no_answer_scores)
    is_number = scores.dtype.kind in "biuf" and np.isfinite(scores)
    if scores.shape != (len(guesses),) or not np.all(is_number):
        raise ValueError(
            "There must be one finite number for each guess, to compare with the threshold. "
            f"Received: {scores.dtype} of shape {scores.shape}, {np.sum(is_number)} of them "
            f"finite, for {len(guesses)} guesses"
        )
    gains = _all_scores(answers, guesses)[:, 1] - _all_scores(answers, [""] * len(guesses))[:, 1]
    order = np.argsort(scores, kind="stable")
    rising = scores[order]
    is_last = np.append(rising[1:] > rising[:-1], True)  # equal scores stay or go together
    thresholds = np.append(float(rising[0]) - 1, rising[is_last])
    totals = np.append(0, np.cumsum(gains[order])[is_last])
    return float(thresholds[np.argmax(totals > totals.max() - 1e-9)])


def _all_scores(answers, guesses):
    """(questions, 2): exact and f1 of each."""
    check_lengths(answers, guesses, "questions")
    scores = []
    for texts, guess in zip(answers, guesses, strict=True):
        are_texts = isinstance(texts, list | tuple) and all(
            isinstance(text, str) for text in (*texts, guess)
        )
        if not are_texts:
            raise ValueError(
                "Each question has a list of right texts, [] if it cannot be answered, and one "
                f"text as its guess, '' for no answer. Received: {texts!r} and {guess!r}"
            )
        right = [text for text in map(normalize_answer, texts) if text] or [""]
        guess = normalize_answer(guess)
        scores.append((float(guess in right), max(_shared_words(text, guess) for text in right)))
    return np.array(scores)


def _shared_words(right, guess):
    """F1 of the words of two normalised texts, each word as often as it stands there."""
    if not right or not guess:
        return float(right == guess)
    right, guess = Counter(right.split()), Counter(guess.split())
    return precision_recall_f1((right & guess).total(), guess.total(), right.total())["f1"]
