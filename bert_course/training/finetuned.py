"""An encoder with a head for one task: it guesses, and is kept in a folder."""

import dataclasses
import json
import pathlib
import warnings

import keras
import numpy as np

from bert_course.files import write_whole
from bert_course.model.checkpoints import hugging_face_tensors, load_pretrained, small_files
from bert_course.model.encoder import build_encoder
from bert_course.model.tensor_files import read_safetensors, write_safetensors
from bert_course.model.tensor_names import hugging_face_name
from bert_course.text.padding import pad_rows
from bert_course.training.kinds import KINDS

STEP = 8  # widths of batches are multiples of it: few shapes, for backends that compile for each
ARCHITECTURES = {  # in transformers
    "classify": "BertForSequenceClassification",
    "pairs": "BertForSequenceClassification",
    "multilabel": "BertForSequenceClassification",
    "tag": "BertForTokenClassification",
    "answer": "BertForQuestionAnswering",
}
NO_OLD_HEADS = "Not in the checkpoint, so still random: masked word head, next sentence head[.]"
HEADS = ("classifier.", "qa_outputs.")  # how the names of their tensors begin, as in transformers


class Finetuned:
    """An encoder with a head for one task.

    Attributes:
        kind: an instance of one of KINDS, which knows labels and threshold.
        results: for each seed a dictionary: seed, best_epoch, history, dev, test.
    """

    def __init__(self, bert, kind_name, labels, max_length=128, dropout=0.0, rng=0):
        self.kind_name, self.max_length = kind_name, min(max_length, bert.config.max_length)
        self.kind = KINDS[kind_name](labels)
        self.config = dataclasses.replace(bert.config, dropout=dropout)
        self.vocabulary, self.lowercase = bert.vocabulary, bert.lowercase
        self.tokenizer = bert.tokenizer
        rng = np.random.default_rng(rng)
        self.encoder = build_encoder(self.config, rng)
        self.encoder.set_weights(bert.encoder.get_weights())
        inputs = self.encoder.input
        logits = self.kind.add_head(self.encoder(inputs), inputs["padding_mask"], self.config, rng)
        self.model = keras.Model(inputs, logits, name="finetuning")
        self.results = []

    @property
    def head(self):
        """The layer that was not there before."""
        return self.model.get_layer("qa_outputs" if self.kind_name == "answer" else "classifier")

    def predict(self, rows):
        """Rows, whose labels are not looked at -> guesses, a dictionary each."""
        return self.guess(rows, self.windows(rows))

    def windows(self, rows):
        return [
            window
            for number, row in enumerate(rows)
            for window in self.kind.read(self.tokenizer, row, number, self.max_length)
        ]

    def guess(self, rows, windows, batch_size=32):
        if not rows:
            return []
        lengths = np.array([len(window.ids) for window in windows])
        logits = [None] * len(windows)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            outputs = self.model.predict_on_batch(self.inputs([windows[n] for n in numbers]))
            for number, output in zip(numbers, outputs, strict=True):
                logits[number] = output
        return self.kind.guess(rows, windows, logits)

    def inputs(self, windows):
        """Windows -> what the encoder takes, three arrays (B, S)."""
        width = width_of(windows, self.max_length)
        return pad_rows(windows, width, self.tokenizer.vocabulary.pad)


def width_of(windows, most):
    longest = max(len(window.ids) for window in windows)
    return max(longest, min(most, -(-longest // STEP) * STEP))


def save_finetuned(tuned, folder):
    """`Finetuned` -> a folder: Hugging Face's layout, and task.json, which says what it answers.

    Tensors have the names of transformers' BertForSequenceClassification and the like, and
    config.json names the one and its labels.
    """
    folder = pathlib.Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    task = {
        "kind": tuned.kind_name,
        "labels": tuned.kind.labels,
        "threshold": tuned.kind.threshold,
        "max_length": tuned.max_length,
    }
    fields = fields_for_transformers(tuned.kind_name, tuned.kind.labels)
    files = small_files(tuned.config, tuned.vocabulary, tuned.lowercase, **fields)
    files["task.json"] = json.dumps(task, indent=2, ensure_ascii=False) + "\n"
    for name, content in files.items():
        write_whole(content.encode("utf-8"), folder / name)
    write_safetensors(hugging_face_tensors(tuned.model), folder / "model.safetensors")


def fields_for_transformers(kind_name, labels):
    """What config.json tells transformers of the head."""
    fields = {"architectures": [ARCHITECTURES[kind_name]]}
    if labels:
        fields["id2label"] = {f"{number}": label for number, label in enumerate(labels)}
        fields["label2id"] = {label: number for number, label in enumerate(labels)}
    if kind_name == "multilabel":
        fields["problem_type"] = "multi_label_classification"
    return fields


def load_finetuned(folder):
    """A folder that `save_finetuned` has written -> `Finetuned`."""
    folder = pathlib.Path(folder).expanduser()
    task = _read_task(folder / "task.json")
    with warnings.catch_warnings(action="ignore"):  # the heads of pretraining are not there
        bert = read_bert(folder, ignore=HEADS)
    tuned = Finetuned(bert, task["kind"], task["labels"], task["max_length"])
    tuned.kind.threshold = task["threshold"]
    tensors = read_safetensors(folder / "model.safetensors")
    for variable in tuned.head.trainable_variables:
        tensor = tensors.get(hugging_face_name(variable.path))
        if tensor is None or tensor.shape[::-1] != tuple(variable.shape):
            raise ValueError(
                "The weights must be those of the task in task.json: take both from one folder, as "
                f"finetune wrote it. Received: {folder}, where the head does not fit"
            )
        variable.assign(tensor.T)
    return tuned


def read_body(folder):
    """A checkpoint of pretraining, or of a fine-tuned model, whose head is left aside."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=NO_OLD_HEADS)  # nor would they be used
        return read_bert(folder, ignore=HEADS)


def read_bert(folder, ignore=()):
    """`load_pretrained`, and whatever is wrong there, the folder is named."""
    try:
        bert = load_pretrained(folder, ignore=ignore)
        _ = bert.tokenizer  # is made when it is asked for, and refuses some vocabularies
        return bert
    except (ValueError, OSError, RecursionError) as error:
        if str(folder) in str(error):
            raise
        raise ValueError(
            f"A checkpoint is read as a whole or not at all: {error}. Received: {folder}"
        ) from None


def _is_sound(kind, labels, threshold, max_length):
    labels_are_names = isinstance(labels, list) and all(isinstance(name, str) for name in labels)
    has_threshold = isinstance(threshold, float) or (threshold is None and kind != "multilabel")
    has_length = type(max_length) is int and max_length > 0
    has_labels = labels_are_names and bool(labels) == (kind != "answer")
    return kind in KINDS and has_labels and has_threshold and has_length


def _read_task(path):
    try:
        task = json.loads(path.read_text("utf-8"))
        if _is_sound(**task):
            return task
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    within = path.parent / "checkpoint"
    way_out = f", which is {within}" if (within / path.name).exists() else ""
    raise ValueError(
        "A fine-tuned model must be a folder with a task.json, such as the checkpoint/ that "
        f"finetune writes{way_out}. Received: {path.parent}, where it is missing or damaged"
    )
