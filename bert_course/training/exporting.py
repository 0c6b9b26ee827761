"""A fine-tuned model -> a SavedModel that takes strings; TensorFlow only."""

import os
import shutil

from bert_course.text.in_graph import InGraphTokenizer

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(f"A SavedModel is made by TensorFlow. Received: {error}") from error


class StringModel(tf.Module):
    """Strings (B,) -> {"probabilities": (B, labels), "labels": (labels,)}."""

    def __init__(self, tuned):
        super().__init__()
        self.tokenizer = InGraphTokenizer(tuned.tokenizer, tuned.max_length)
        self.model = tuned.model
        self.weights = tuned.model.weights  # or TensorFlow does not find them
        self.labels = tf.constant(tuned.kind.labels)
        self.squash = tf.sigmoid if tuned.kind_name == "multilabel" else tf.nn.softmax

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def serve(self, texts):
        inputs, of_text = self.tokenizer.windows(texts)
        return self.answer(tf.math.segment_mean(self.model(inputs, training=False), of_text))

    def answer(self, logits):
        return {"probabilities": self.squash(logits), "labels": self.labels}


class StringPairModel(StringModel):
    """Strings (B,), strings (B,) -> the same."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="texts"),
            tf.TensorSpec([None], tf.string, name="others"),
        ]
    )
    def serve(self, texts, others):
        return self.answer(self.model(self.tokenizer.pairs(texts, others), training=False))


EXPORTED = {"classify": StringModel, "multilabel": StringModel, "pairs": StringPairModel}


def export_strings(tuned, folder):
    """Write it beside, then rename -> its labels."""
    if tuned.kind_name not in EXPORTED:
        raise ValueError(
            "Exported are models that label a text, or two, as a whole; for others, give ids to "
            f"the model yourself, or use predict. Received: a model of kind {tuned.kind_name!r}"
        )
    model = EXPORTED[tuned.kind_name](tuned)
    beside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        tf.saved_model.save(model, str(beside), signatures={"serving_default": model.serve})
        if folder.exists():
            folder.rmdir()  # it is empty
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuned.kind.labels
