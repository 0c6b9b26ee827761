"""A fine-tuned model -> a SavedModel that takes strings; TensorFlow only."""

import os
import shutil

from bert_course.text.in_graph import InGraphTokenizer

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(f"A SavedModel is made by TensorFlow. Received: {error}") from error


class StringModel(tf.Module):
    """Strings (B,) -> {"labels": names, "probabilities", "chosen": what `predict` says}.

    Each is (B, labels), the names over and over, for servers want one answer for each text.
    """

    def __init__(self, tuned):
        super().__init__()
        self.tokenizer = InGraphTokenizer(tuned.tokenizer, tuned.max_length)
        self.model = tuned.model
        self.weights = tuned.model.weights  # or TensorFlow does not find them
        self.labels = tf.constant(tuned.kind.labels)
        self.threshold = tuned.kind.threshold  # None where exactly one label is right

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def serve(self, texts):
        inputs, of_text = self.tokenizer.windows(texts)
        return self.answer(tf.math.segment_mean(self.model(inputs, training=False), of_text))

    def answer(self, logits):
        if self.threshold is None:
            probabilities = tf.nn.softmax(logits)
            chosen = tf.one_hot(tf.argmax(logits, axis=1), len(self.labels), True, False)
        else:
            probabilities = tf.sigmoid(logits)
            chosen = probabilities >= self.threshold
        labels = tf.broadcast_to(self.labels, tf.shape(logits))
        return {"labels": labels, "probabilities": probabilities, "chosen": chosen}


class StringPairModel(StringModel):
    """Strings (B,), strings (B,) -> the same."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="texts"),
            tf.TensorSpec([None], tf.string, name="others"),
        ]
    )
    def serve(self, texts, others):
        tf.debugging.assert_equal(
            tf.shape(texts), tf.shape(others), "Each of texts has its own of others: as many."
        )
        return self.answer(self.model(self.tokenizer.pairs(texts, others), training=False))


EXPORTED = {"classify": StringModel, "multilabel": StringModel, "pairs": StringPairModel}


def export_strings(tuned, folder):
    """Write it beside, then rename -> the names of its inputs."""
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
    return [spec.name for spec in model.serve.input_signature]
