"""How good guesses are: of classes here, of entities and answers in span_metrics.py."""

import math

import numpy as np

from bert_course.training.span_metrics import (
    answer_scores,
    best_no_answer_threshold,
    check_lengths,
    entities,
    entity_scores,
    normalize_answer,
    precision_recall_f1,
)

__all__ = [
    "answer_scores",
    "best_no_answer_threshold",
    "best_thresholds",
    "calibration",
    "class_scores",
    "confusion_matrix",
    "entities",
    "entity_scores",
    "multilabel_scores",
    "normalize_answer",
]


def confusion_matrix(labels, guesses, num_classes):
    """(C, C): how often class i (the row) was taken for class j (the column).

    Args:
        labels, guesses: (N,) whole numbers from 0 to C-1.
    """
    check_lengths(labels, guesses, "labels")
    labels = _classes(labels, num_classes, "labels")
    guesses = _classes(guesses, num_classes, "guesses")
    cells = np.bincount(labels * num_classes + guesses, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def class_scores(labels, guesses, num_classes):
    """Accuracy, F1 and Matthews's correlation of one guessed class for each row.

    What is undefined is 0: the recall of a class that never occurs, the precision of one never
    guessed. macro_f1 is the mean over all classes, those too. With one class a row, micro_f1 is the
    accuracy.

    Args:
        labels, guesses: (N,) whole numbers from 0 to C-1.
    """
    matrix = confusion_matrix(labels, guesses, num_classes)
    hits, guessed, true = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    return {**_means(hits, guessed, true, hits.sum() / matrix.sum()), "mcc": _mcc(matrix)}


def _means(hits, guessed, true, accuracy):
    counts = zip(hits.tolist(), guessed.tolist(), true.tolist(), strict=True)
    per_class = [precision_recall_f1(*numbers) for numbers in counts]
    totals = (int(each.sum()) for each in (hits, guessed, true))
    return {
        "accuracy": float(accuracy),
        "macro_f1": sum(scores["f1"] for scores in per_class) / len(per_class),
        "micro_f1": precision_recall_f1(*totals)["f1"],
        "per_class": per_class,
    }


def _mcc(matrix):
    """cov(labels, guesses) / √(cov(labels, labels) · cov(guesses, guesses)).

    Paper: Comparing two K-category assignments by a K-category correlation coefficient (Gorodkin,
    2004).
    """
    total, hits = float(matrix.sum()), float(matrix.trace())
    guessed, true = matrix.sum(axis=0, dtype=float), matrix.sum(axis=1, dtype=float)
    spread = (total**2 - true @ true) * (total**2 - guessed @ guessed)
    return float((hits * total - true @ guessed) / math.sqrt(spread)) if spread else 0.0


def multilabel_scores(labels, guesses):
    """The same for rows of several labels or none; "accuracy" is of those with no label wrong.

    Args:
        labels, guesses: (N, C) of 0 and 1.
    """
    check_lengths(labels, guesses, "labels")
    labels, guesses = _zeros_and_ones(labels, "labels"), _zeros_and_ones(guesses, "guesses")
    _check_shapes(labels, guesses)
    accuracy = (labels == guesses).all(axis=1).mean()
    return _means((labels & guesses).sum(axis=0), guesses.sum(axis=0), labels.sum(axis=0), accuracy)


def best_thresholds(labels, probabilities, one_for_all=True):
    """The threshold with the highest F1, if a label is guessed where its probability reaches it.

    All lying between two probabilities are alike: taken is 0.5 if it is one of them, or else their
    middle. Where several have the highest F1, it is the one nearest to 0.5.

    Args:
        labels: (N, C) of 0 and 1.
        probabilities: (N, C).
        one_for_all: True for one number, the best for macro-F1; False for (C,), each label's own.
    """
    check_lengths(labels, probabilities, "labels")
    labels = _zeros_and_ones(labels, "labels")
    probabilities = _probabilities(probabilities)
    _check_shapes(labels, probabilities)
    order = np.argsort(-probabilities, axis=0, kind="stable")
    falling = np.take_along_axis(probabilities, order, axis=0)
    hits = np.take_along_axis(labels, order, axis=0).cumsum(axis=0)
    guessed = np.arange(1, len(labels) + 1)[:, None]
    f1 = 2 * hits / (guessed + labels.sum(axis=0))  # (N, C) if the first 1, 2, … N are guessed
    gains = np.diff(f1, axis=0, prepend=0)
    if one_for_all:
        return _best_threshold(falling.ravel(), gains.ravel())
    return np.array([_best_threshold(*column) for column in zip(falling.T, gains.T, strict=True)])


def _best_threshold(probabilities, gains):
    """Where the sum of the gains of all probabilities from a threshold up is highest.

    The middle is computed in the precision of the probabilities, so that what reaches it there
    reaches it as a float too.
    """
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order]
    is_last = np.append(falling[1:] < falling[:-1], True)  # equal ones stay or go together
    totals = np.append(0, np.cumsum(gains[order])[is_last])
    reached = np.append(falling.dtype.type(1), falling[is_last])  # 1 and 0: none and all guessed
    missed = np.append(falling[is_last], falling.dtype.type(0))
    middle = missed + (reached - missed) / 2
    middle = np.where(middle > missed, middle, reached)
    thresholds = np.where((missed < 0.5) & (reached >= 0.5), 0.5, middle)
    best = thresholds[totals > totals.max() - 1e-9]
    return float(best[np.argmin(np.abs(best - 0.5))])


def calibration(labels, probabilities, bins=10):
    """ece = Σ (share of rows in a bin) · |its accuracy - its mean confidence|.

    "bins" has a dictionary for each: "above" and "up_to" (its ends), count, confidence, accuracy;
    the last two are None if it is empty.

    Paper: On Calibration of Modern Neural Networks (Guo et al., 2017), §2, eq. 3.

    Args:
        labels: (N,) whole numbers from 0 to C-1.
        probabilities: (N, C), of which the highest is the confidence; or (N,), of the label being
            1 and not 0. For rows of several labels, flatten both.
    """
    check_lengths(labels, probabilities, "labels")
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"There must be 1 bin or more, 10 being usual. Received: bins={bins!r}")
    probabilities = _probabilities(probabilities)
    if probabilities.ndim not in (1, 2):
        raise ValueError(
            "Probabilities are of rows and classes, or one for each row. "
            f"Received: an array of shape {probabilities.shape}"
        )
    if probabilities.ndim == 1:
        confidence, is_right = probabilities, _classes(labels, 2, "labels")
    else:
        labels = _classes(labels, probabilities.shape[1], "labels")
        confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence)
    counts, sums, rights = (
        np.bincount(place, weights, bins) for weights in (None, confidence, is_right)
    )
    ece = np.abs(rights - sums).sum() / len(confidence)
    return {"ece": float(ece), "bins": list(map(_bin, edges, edges[1:], counts, sums, rights))}


def _bin(above, up_to, count, total, right):
    return {
        "above": float(above),
        "up_to": float(up_to),
        "count": int(count),
        "confidence": float(total / count) if count else None,
        "accuracy": float(right / count) if count else None,
    }


def _array(values, what):
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(
            f"The {what} are an array, its rows of one length. Received: rows of different lengths"
        ) from None


def _classes(values, num_classes, what):
    values = _array(values, what)
    if values.ndim != 1 or values.dtype.kind not in "biu":
        raise ValueError(
            f"The {what} are one whole number for each row: take the argmax of probabilities. "
            f"Received: {values.dtype} of shape {values.shape}"
        )
    if values.min() < 0 or values.max() >= num_classes:
        raise ValueError(
            f"With {num_classes} classes the {what} are from 0 to {num_classes - 1}: leave out "
            f"those of padding. Received: {values.min()} to {values.max()}"
        )
    return values.astype("int64")


def _zeros_and_ones(values, what):
    values = _array(values, what)
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"The {what} are 0 or 1, a row of them for each text: compare probabilities with a "
            f"threshold first. Received: {values.dtype} of shape {values.shape}"
        )
    return values.astype("int64")


def _probabilities(values):
    values = _array(values, "probabilities")
    if values.dtype.kind not in "biuf" or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            "Probabilities are from 0 to 1, NaN being none: take the softmax or the sigmoid of "
            f"logits first. Received: {values.dtype} of shape {values.shape}, not all from 0 to 1"
        )
    return values if values.dtype.kind == "f" else values.astype("float64")


def _check_shapes(labels, others):
    if labels.shape != others.shape or labels.size == 0:
        raise ValueError(
            "Each label needs one guess or probability, and there must be one class or more. "
            f"Received: labels of shape {labels.shape}, and an array of shape {others.shape}"
        )
