"""Does a small encoder read Chinese reviews better than a bag of characters? ChnSentiCorp.

    BERT_COURSE_DATA=DATA python benchmarks/chinese.py
    BERT_COURSE_DATA=DATA python benchmarks/chinese.py --models bags

The encoder is tiny (L = 2, H = 128), begins with random weights and the 21,128 pieces of the
published Chinese vocabulary, by which Chinese is cut into single characters. Each seed draws
another body, the epoch that is best on dev is kept, and long texts are read in windows. The bags
are tf-idf (1 + log of the counts, found in two texts or more) of single characters, or of these
and all neighbours, and scikit-learn's logistic regression; its C is the best on dev.

330 different texts of test (331 rows) and 335 of dev also stand in train, 687 rows of it, which
`open_task` removes.
"repeated" are models that were given these rows back, as the files come: what they gain is memory,
which the last two columns show, accuracy on the texts of test that stand in those rows ("seen"),
and on all others.
"""

import argparse
import os
import statistics
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bert_course.model.checkpoints import Bert
from bert_course.model.config import BertConfig
from bert_course.text.labelled import read_rows, same_text
from bert_course.training.downloads import find_file
from bert_course.training.finetuning import Recipe, finetune
from bert_course.training.tasks import open_task

VOCABULARY = "vocab/bert-base-chinese.vocab.txt"
STRENGTHS = (0.5, 1, 2, 4, 8, 16, 32, 64)  # C


def main():
    options = read_arguments()
    task, whole = open_task("chnsenticorp"), rows_as_they_come()
    trains = {"": task.train, ", repeated": whole}
    seen = {same_text(row) for row in whole}
    print(f"{len(task.train):,} rows of train, with repeated ones {len(whole):,}; ", end="")
    print(f"{sum(same_text(row) in seen for row in task.test)} of {len(task.test):,} of test seen")
    print(f"{'':32}" + "".join(f"{title:>9}" for title in ("dev", "test", "seen", "others")))
    if "bags" in options.models:
        commonest = statistics.mode(row.label for row in task.train)
        show(f"always {commonest}", [measure(lambda rows: [commonest] * len(rows), task, seen)])
        for longest, name in ((1, "characters"), (2, "and neighbours")):
            for kind, train in trains.items():
                guess, strength = learn_bag(train, task.dev, longest)
                show(f"{name}{kind}, C={strength:g}", [measure(guess, task, seen)])
    if "encoder" in options.models:
        for kind, train in list(trains.items())[: 1 + options.repeated]:
            shorter = task._replace(train=train[: options.rows])
            guesses = (learn_encoder(shorter, seed, options) for seed in options.seeds)
            show(f"encoder{kind}", [measure(guess, task, seen) for guess in guesses])


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["bags", "encoder"])
    parser.add_argument("--repeated", action="store_true", help="the encoder with these rows, too")
    parser.add_argument("--rows", type=int, help="of train, for the encoder; all, if not said")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    return parser.parse_args()


def rows_as_they_come():
    """Train with the rows that are removed, its labels named as in the task."""
    columns = {"label": "label", "text": "text_a"}
    rows, _, _ = read_rows(find_file(["chnsenticorp/train.tsv"]), "classify", columns)
    names = {"0": "negative", "1": "positive"}
    return [row._replace(label=names[row.label]) for row in rows]


def measure(guess, task, seen):
    """Accuracy on dev, on test, on the seen texts of test, on its others."""
    right = are_right(guess, task.test)
    was_seen = [same_text(row) in seen for row in task.test]
    by_seen = [[r for r, s in zip(right, was_seen, strict=True) if s == it] for it in (True, False)]
    return list(map(statistics.mean, (are_right(guess, task.dev), right, *by_seen)))


def are_right(guess, rows):
    return [float(label == row.label) for label, row in zip(guess(rows), rows, strict=True)]


def show(name, scores):
    """A row for each seed, and their mean."""
    if len(scores) > 1:
        for number, row in enumerate(scores):
            print(f"{'':4}{f'run {number + 1}':28}" + "".join(f"{score:9.4f}" for score in row))
    means = map(statistics.mean, zip(*scores, strict=True))
    print(f"{name:32}" + "".join(f"{mean:9.4f}" for mean in means), flush=True)


def learn_bag(train, dev, longest):
    """(rows -> labels, its C)."""
    bag = TfidfVectorizer(
        analyzer="char", ngram_range=(1, longest), sublinear_tf=True, min_df=2
    ).fit(row.text for row in train)
    counts, labels = bag.transform(row.text for row in train), [row.label for row in train]

    def learn(strength):
        model = LogisticRegression(C=strength, solver="liblinear").fit(counts, labels)
        return lambda rows: model.predict(bag.transform(row.text for row in rows))

    models = {strength: learn(strength) for strength in STRENGTHS}
    best = max(STRENGTHS, key=lambda strength: sum(are_right(models[strength], dev)))
    return models[best], best


def learn_encoder(task, seed, options):
    """Rows -> labels."""
    pieces = find_file([VOCABULARY]).read_text("utf-8").removesuffix("\n").split("\n")
    config = BertConfig(
        len(pieces), num_layers=2, hidden_dim=128, num_heads=2, intermediate_dim=512
    )
    bert = Bert(config, pieces, lowercase=True, rng=seed)
    recipe = Recipe(options.epochs, options.batch_size, options.rate, max_length=options.max_length)
    tuned = finetune(
        bert, task, recipe=recipe, seeds=[seed], report=lambda line: print(line, file=sys.stderr)
    )
    return lambda rows: [guess["label"] for guess in tuned.predict(rows)]


if __name__ == "__main__":
    main()
