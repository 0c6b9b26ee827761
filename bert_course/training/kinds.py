"""What differs from one kind of task to the next: the windows, the head, the loss, the score.

All else is one recipe, in finetuning.py. A guess is a dictionary, ready for JSON.
"""

import keras
import numpy as np
from keras import ops

from bert_course.model.heads import ClassHead, SpanHead, TagHead
from bert_course.training.metrics import (
    answer_scores,
    best_no_answer_threshold,
    best_thresholds,
    class_scores,
    entities,
    entity_scores,
    multilabel_scores,
)
from bert_course.training.windows import read_context, read_text, read_words

LONGEST_ANSWER = 30  # pieces
IMPOSSIBLE = -1e4  # a logit that never wins


class Classes:
    """One label for a text, or for a pair of texts.

    Each window of a long text learns its label; a guess is made from the mean of their logits.
    """

    metric = "accuracy"  # decides which epoch is kept
    pools = True  # whether the head reads the pooled output
    read = staticmethod(read_text)

    def __init__(self, labels):
        self.labels, self.threshold = list(labels), None

    def add_head(self, outputs, padding_mask, config, rng):
        head = ClassHead(len(self.labels), config, rng, name="classifier")
        return head(outputs["pooled_output"])  # (B, classes)

    def first_biases(self, rows):
        """What the head's biases begin with, one for each label; the rows are those of train."""
        return np.zeros(len(self.labels))

    def targets(self, windows, rows, width):
        """What the loss compares with the logits, and the weights of that: (B,) each."""
        numbers = [self.labels.index(rows[window.row].label) for window in windows]
        return np.array(numbers, "int32"), np.ones(len(numbers), "float32")

    def loss(self, smoothing):
        return SmoothedCrossEntropy(smoothing)

    def guess(self, rows, windows, logits):
        chances = softmax(mean_of_windows(rows, windows, logits))  # (rows, classes)
        return [
            {
                "label": self.labels[row.argmax()],
                "scores": dict(zip(self.labels, map(float, row), strict=True)),
            }
            for row in chances
        ]

    def score(self, rows, guesses):
        numbers = {label: number for number, label in enumerate(self.labels)}
        right = np.array([numbers[row.label] for row in rows])
        guessed = np.array([numbers[guess["label"]] for guess in guesses])
        return named(class_scores(right, guessed, len(self.labels)), self.labels)

    def tune(self, rows, guesses):
        """Only some kinds have a threshold."""


class SeveralLabels(Classes):
    """Any number of labels for a text, each decided on its own."""

    metric = "macro_f1"

    def __init__(self, labels):
        super().__init__(labels)
        self.threshold = 0.5

    def first_biases(self, rows):
        """log(p / (1 - p)): before it has read anything, each label is as likely as it is in train.

        With biases of 0 each label would begin at 1/2. Where most are rare, the first hundred steps
        then teach one thing, that nothing holds, through the whole body; and it can be slow to
        recover from that.

        Paper: Focal Loss (Lin et al., 2017), §3.3, "Class Imbalance and Model Initialization".
        Differs from the paper: there one p is chosen for all.
        """
        counts = self.as_numbers([row.label for row in rows]).sum(axis=0)
        shares = (counts + 0.5) / (len(rows) + 1)  # neither 0 nor 1, whatever the labels
        return np.log(shares / (1 - shares))

    def targets(self, windows, rows, width):
        """(B, labels) of 0 and 1; (B,)."""
        return self.as_numbers([rows[window.row].label for window in windows]), np.ones(
            len(windows), "float32"
        )

    def as_numbers(self, sets):
        return np.array([[label in held for label in self.labels] for held in sets], "float32")

    def loss(self, smoothing):
        return keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=smoothing, reduction="mean_with_sample_weight"
        )

    def guess(self, rows, windows, logits):
        chances = 1 / (1 + np.exp(-mean_of_windows(rows, windows, logits)))
        return [
            {
                "labels": [
                    label
                    for label, chance in zip(self.labels, row, strict=True)
                    if chance >= self.threshold
                ],
                "scores": dict(zip(self.labels, map(float, row), strict=True)),
            }
            for row in chances
        ]

    def score(self, rows, guesses):
        right = self.as_numbers([row.label for row in rows])
        guessed = self.as_numbers([guess["labels"] for guess in guesses])
        return named(multilabel_scores(right, guessed), self.labels)

    def tune(self, rows, guesses):
        """The threshold that is best here; the guesses are made again."""
        chances = np.array([list(guess["scores"].values()) for guess in guesses])
        right = self.as_numbers([row.label for row in rows])
        self.threshold = float(best_thresholds(right, chances))
        for guess in guesses:
            guess["labels"] = [
                label for label, chance in guess["scores"].items() if chance >= self.threshold
            ]


class Tags:
    """A tag for each word, B-X, I-X or O; its first piece is asked, the others are not.

    Paper: BERT (Devlin et al., 2019), §5.3.
    """

    metric = "f1"
    pools = False
    read = staticmethod(read_words)

    def __init__(self, labels):
        self.labels, self.threshold = list(labels), None

    def add_head(self, outputs, padding_mask, config, rng):
        head = TagHead(len(self.labels), config, rng, name="classifier")
        return head(outputs["sequence_output"])  # (B, S, tags)

    def first_biases(self, rows):
        return np.zeros(len(self.labels))

    def targets(self, windows, rows, width):
        """(B, S) tags; (B, S) weights, 1 where a word begins."""
        numbers = {tag: number for number, tag in enumerate(self.labels)}
        targets = np.zeros((len(windows), width), "int32")
        weights = np.zeros((len(windows), width), "float32")
        for place, window in enumerate(windows):
            for piece, word in enumerate(window.places):
                if word is not None:
                    targets[place, piece] = numbers[rows[window.row].label[word]]
                    weights[place, piece] = 1
        return targets, weights

    def loss(self, smoothing):
        return SmoothedCrossEntropy(smoothing)

    def guess(self, rows, windows, logits):
        """Where windows overlap, a word is judged where it stands farther from the edge."""
        chosen = [{} for _ in rows]  # {word: (distance from the edge, chances)}
        for window, scores in zip(windows, logits, strict=True):
            for piece, word in enumerate(window.places):
                if word is not None:
                    distance = min(piece, len(window.places) - 1 - piece)
                    found = chosen[window.row].get(word, (-1, None))
                    if distance > found[0]:
                        chosen[window.row][word] = (distance, scores[piece])
        return [self._guess_row(row, words) for row, words in zip(rows, chosen, strict=True)]

    def _guess_row(self, row, words):
        chances = softmax(np.stack([words[n][1] for n in range(len(row.text))]))
        tags = [self.labels[number] for number in chances.argmax(axis=-1)]
        spans = [
            {
                "type": kind,
                "first": first,
                "last": last,
                "text": " ".join(row.text[first : last + 1]),
            }
            for kind, first, last in entities(tags)
        ]
        return {"tags": tags, "scores": chances.max(axis=-1).tolist(), "spans": spans}

    def score(self, rows, guesses):
        return entity_scores([row.label for row in rows], [guess["tags"] for guess in guesses])

    def tune(self, rows, guesses):
        """Only some kinds have a threshold."""


class Answers:
    """The part of a context that answers a question, or that there is none: [CLS].

    Paper: BERT (Devlin et al., 2019), §4.2 and §4.3.
    """

    metric = "f1"
    pools = False
    read = staticmethod(read_context)

    def __init__(self, labels=()):
        self.labels, self.threshold = [], None

    def add_head(self, outputs, padding_mask, config, rng):
        both = SpanHead(rng, name="qa_outputs")(outputs["sequence_output"])  # (B, S, 2)
        possible = ops.where(ops.expand_dims(padding_mask, -1), both, IMPOSSIBLE)
        return ops.transpose(possible, (0, 2, 1))  # (B, 2, S) starts, ends

    def first_biases(self, rows):
        return np.zeros(2)

    def targets(self, windows, rows, width):
        """(B, 2) first and last piece of the answer, 0 and 0 for none; (B, 2) ones."""
        spans = [span_of_answer(window, rows[window.row].label) for window in windows]
        return np.array(spans, "int32"), np.ones((len(windows), 2), "float32")

    def loss(self, smoothing):
        if smoothing:
            raise ValueError(
                "Label smoothing is for classes and tags; a place in a text has no rivals to "
                f"share with: leave it at 0. Received: smoothing={smoothing}"
            )
        return SmoothedCrossEntropy(0.0)

    def guess(self, rows, windows, logits):
        nowhere = {"text": "", "begin": 0, "end": 0, "score": 2 * IMPOSSIBLE}  # no piece to read
        best = [nowhere for _ in rows]
        nothing = np.full(len(rows), np.inf)
        for window, scores in zip(windows, logits, strict=True):
            first, last, score = best_span(window, scores)
            nothing[window.row] = min(nothing[window.row], float(scores[0, 0] + scores[1, 0]))
            if score > best[window.row]["score"]:
                begin, end = window.places[first][0], window.places[last][1]
                text = rows[window.row].text[begin:end]
                best[window.row] = {"text": text, "begin": begin, "end": end, "score": score}
        guesses = [
            guess | {"no_answer": n - guess["score"]}
            for guess, n in zip(best, nothing, strict=True)
        ]
        return [self._silenced(guess) for guess in guesses]

    def _silenced(self, guess):
        """Without the text where there seems to be no answer, if this is told apart at all."""
        if self.threshold is not None and guess["no_answer"] > self.threshold:
            return guess | {"text": "", "begin": 0, "end": 0}
        return guess

    def score(self, rows, guesses):
        right = [[text for _, text in row.label] for row in rows]
        return answer_scores(right, [guess["text"] for guess in guesses])

    def tune(self, rows, guesses):
        """The threshold above which there seems to be no answer, if some rows have none."""
        right = [[text for _, text in row.label] for row in rows]
        if all(right) or not any(right):
            return
        texts = [guess["text"] for guess in guesses]
        doubts = [guess["no_answer"] for guess in guesses]
        self.threshold = float(best_no_answer_threshold(right, texts, doubts))
        guesses[:] = [self._silenced(guess) for guess in guesses]


KINDS = {
    "classify": Classes,
    "pairs": Classes,
    "multilabel": SeveralLabels,
    "tag": Tags,
    "answer": Answers,
}


class SmoothedCrossEntropy(keras.losses.Loss):
    """-(1 - ε) log p(target) - ε · mean over classes of log p.

    Paper: Rethinking the Inception Architecture (Szegedy et al., 2016), §7.
    """

    def __init__(self, smoothing):
        super().__init__(reduction="mean_with_sample_weight")
        self.smoothing = smoothing

    def call(self, targets, logits):
        loss = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        if not self.smoothing:
            return loss
        others = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        return (1 - self.smoothing) * loss + self.smoothing * others


def mean_of_windows(rows, windows, logits):
    """Logits of windows -> of the texts that they are from: (rows, classes)."""
    of_row = np.array([window.row for window in windows])
    sums = np.zeros((len(rows), len(logits[0])))
    np.add.at(sums, of_row, np.stack(logits))
    return sums / np.bincount(of_row, minlength=len(rows))[:, None]


def span_of_answer(window, answers):
    """First and last piece of the first answer that stands in this window whole, or (0, 0)."""
    for start, text in answers:
        begin, end = start + len(text) - len(text.lstrip()), start + len(text.rstrip())
        inside = [
            piece
            for piece, place in enumerate(window.places)
            if place and place[0] < end and place[1] > begin
        ]
        if not inside:
            continue
        first, last = window.places[inside[0]], window.places[inside[-1]]
        if first[0] <= begin and last[1] >= end:
            return inside[0], inside[-1]
    return 0, 0


def best_span(window, scores):
    """(first, last, score) of the likeliest span in the context: not backwards, not too long."""
    places = [piece for piece, place in enumerate(window.places) if place]
    if not places:
        return 0, 0, -np.inf
    begin, end = places[0], places[-1] + 1
    sums = scores[0, begin:end, None] + scores[1, None, begin:end]  # (first, last)
    possible = np.triu(np.ones_like(sums)) - np.triu(np.ones_like(sums), LONGEST_ANSWER)
    sums = np.where(possible > 0, sums, -np.inf)
    first, last = np.unravel_index(sums.argmax(), sums.shape)
    return begin + int(first), begin + int(last), float(sums[first, last])


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def named(scores, labels):
    """Scores of each class, under its name."""
    return scores | {"per_class": dict(zip(labels, scores["per_class"], strict=True))}
