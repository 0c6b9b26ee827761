"""Google's checkpoints: the one place in `model` that needs TensorFlow, for the format is its own."""


def read_google_tensors(prefix):
    """Every tensor of `bert_model.ckpt` (an .index and a .data file) as {name: array}."""
    try:
        import tensorflow as tf
    except ImportError:
        raise ValueError(
            "Google's checkpoint format can be read only with TensorFlow installed: "
            "`pip install tensorflow`, or take the same model in Hugging Face's layout. "
            f"Received: {prefix}"
        ) from None
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            "The checkpoint is truncated or damaged: copy or download both its files again. "
            f"Received: {prefix} ({reason})"
        ) from None
