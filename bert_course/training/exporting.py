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
        logits = tf.math.segment_mean(self.model(inputs, training=False), of_text)
        return {"probabilities": self.squash(logits), "labels": self.labels}


def export_strings(tuned, folder):
    """Write it beside, then rename -> its labels."""
    if tuned.kind_name not in ("classify", "multilabel"):
        raise ValueError(
            "Exported are models that label one text as a whole; for others, give ids to the "
            f"model yourself, or use predict. Received: a model of kind {tuned.kind_name!r}"
        )
    model = StringModel(tuned)
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
