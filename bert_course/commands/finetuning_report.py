"""What fine-tuning leaves behind for people: metrics.json, predictions.tsv, confusion.png."""

import dataclasses
import json
import platform
import sys
from collections import Counter

import keras
import numpy as np

from bert_course.files import write_whole
from bert_course.insight.show import confusion, save_figure
from bert_course.training.metrics import confusion_matrix

LIBRARIES = ("bert_course", "keras", "tensorflow", "jax", "torch", "numpy")


def write_report(tuned, task, recipe, out, begun_with, to_beat):
    """The three files -> {score: (mean, standard deviation, seeds)} over the seeds."""
    split = "test" if task.test else "dev"
    rows = getattr(task, split)
    guesses = tuned.predict(rows)
    scores = summary(tuned.results)
    metrics = {
        "task": task.name,
        "kind": task.kind,
        "begun_with": begun_with,
        "labels": task.labels,
        "rows": {name: len(getattr(task, name)) for name in ("train", "dev", "test")},
        "scores": {n: {"mean": m, "sd": sd, "seeds": k} for n, (m, sd, k) in scores.items()},
        "without_reading": to_beat,
        "recipe": dataclasses.asdict(recipe),
        "seeds": tuned.results,
        "predictions": f"of {split}, by the seed that is best on dev",
        "files": task.files,
        "notes": task.notes,
        "backend": keras.backend.backend(),
        "versions": versions(),
    }
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    write_whole(text.encode("utf-8"), out / "metrics.json")
    write_whole(table(task.kind, rows, guesses).encode("utf-8"), out / "predictions.tsv")
    truth, guessed = classes(task.kind, rows, guesses)
    if truth:
        numbers = {label: number for number, label in enumerate(task.labels)}
        pair = [[numbers[label] for label in labels] for labels in (truth, guessed)]
        confusion(confusion_matrix(*pair, len(numbers)), task.labels)
        save_figure(out / "confusion.png")
    return scores


def without_reading(kind, task):
    """[{"answer": the same for every text, "scores": {"dev accuracy": …}}, ...]: to be beaten."""
    splits = {split: getattr(task, split) for split in ("dev", "test")}
    found = []
    for name, guess in same_answers(task):
        scores = {
            f"{split} {kind.metric}": kind.score(rows, [guess] * len(rows))[kind.metric]
            for split, rows in splits.items()
            if rows
        }
        found.append({"answer": name, "scores": scores})
    return found


def same_answers(task):
    """(what it is, the guess) for each answer that may be right without a text being read."""
    if task.kind in ("classify", "pairs"):
        counts = Counter(row.label for row in task.train)
        label = max(sorted(counts), key=counts.get)
        return [(f"{label}, the most frequent of train", {"label": label})]
    if task.kind == "multilabel":
        return [("all labels", {"labels": task.labels}), ("no label", {"labels": []})]
    if task.kind == "answer" and not all(row.label for row in [*task.dev, *task.test]):
        return [("that there is no answer", {"text": ""})]
    return []


def versions():
    """Of Python and of those of the libraries that have been imported."""
    found = {name: sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules}
    return {"python": platform.python_version()} | found


def summary(results):
    """Of each single number that the scores of dev and test have."""
    found = {}
    for split in ("dev", "test"):
        for name in results[0][split] or ():
            values = [result[split][name] for result in results]
            if isinstance(values[0], float):
                deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
                found[f"{split} {name}"] = (float(np.mean(values)), deviation, len(values))
    return found


def classes(kind, rows, guesses):
    """(true, guessed) labels, one for each text or word; none where a text has several."""
    if kind in ("classify", "pairs"):
        return [row.label for row in rows], [guess["label"] for guess in guesses]
    if kind == "tag":
        return [t for row in rows for t in row.label], [t for g in guesses for t in g["tags"]]
    return [], []


def table(kind, rows, guesses):
    """A line for each text: where it is from, the truth, the guess, how sure it is, the text."""
    lines = ["place\ttruth\tguess\tscore\ttext\tother"]
    for row, guess in zip(rows, guesses, strict=True):
        text = row.text
        if kind == "tag":
            truth, guessed, text = " ".join(row.label), " ".join(guess["tags"]), " ".join(row.text)
            scores, between = guess["scores"], " "
        elif kind == "answer":
            truth, guessed = " | ".join(text for _, text in row.label), guess["text"]
            scores, between = [-guess["no_answer"]], " "
        elif kind == "multilabel":
            truth, guessed = ",".join(row.label), ",".join(guess["labels"])
            scores, between = [guess["scores"][label] for label in guess["labels"]], ","
        else:
            truth, guessed = row.label, guess["label"]
            scores, between = [guess["scores"][guessed]], " "
        said = between.join(f"{score:.3f}" for score in scores)
        cells = row.place, truth, guessed, said, text, row.other or ""
        lines.append("\t".join(map(one_line, cells)))
    return "\n".join(lines) + "\n"


def one_line(cell):
    return " ".join(cell.split())
