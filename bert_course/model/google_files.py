"""Google's checkpoints, in TensorFlow's own format: the one place in `model` that needs it."""


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
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            "The checkpoint is truncated or damaged: copy or download both its files again. "
            f"Received: {prefix} ({reason})"
        ) from None
