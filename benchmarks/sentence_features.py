"""What a real encoder's frozen sentence vectors are worth: SST-2 and MRPC by logistic regression.

    BERT_COURSE_DATA=DATA python benchmarks/sentence_features.py all-MiniLM-L6-v2

Vectors are means over all tokens of the last block, of length 1; those of a pair u, v are |u - v|
beside u · v. Nothing is fine-tuned.
"""

import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

from bert_course.insight.probes import layer_features, text_spots
from bert_course.model.checkpoints import load_pretrained
from bert_course.training.metrics import class_scores
from bert_course.training.tasks import open_task


def sentence_vectors(bert, texts):
    means = layer_features(bert, text_spots(bert, texts))[-1]  # (N, H)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def features(bert, rows):
    vectors = sentence_vectors(bert, [row.text for row in rows])
    if rows[0].other is None:
        return vectors
    others = sentence_vectors(bert, [row.other for row in rows])
    return np.concatenate([np.abs(vectors - others), vectors * others], axis=1)


def measure(bert, name, test):
    task = open_task(name)
    train = task.train + (task.dev if test == "test" else [])  # MRPC's dev is a part of its train
    rows, labels = getattr(task, test), {label: n for n, label in enumerate(task.labels)}
    classifier = LogisticRegression(C=10, max_iter=2000)
    classifier.fit(features(bert, train), [labels[row.label] for row in train])
    guesses = classifier.predict(features(bert, rows))
    scores = class_scores(np.array([labels[row.label] for row in rows]), guesses, len(labels))
    per_class = {
        n: round(s["f1"], 4) for n, s in zip(task.labels, scores["per_class"], strict=True)
    }
    print(f"{name} {test}: accuracy {scores['accuracy']:.4f}, F1 of each class {per_class}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with warnings.catch_warnings(action="ignore"):  # it has no pretraining heads
        minilm = load_pretrained(sys.argv[1])
    measure(minilm, "sst2", "dev")
    measure(minilm, "mrpc", "test")
