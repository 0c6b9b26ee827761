"""`python -m bert_course export`: a fine-tuned model -> a SavedModel that takes strings."""

import pathlib

from bert_course.files import is_taken
from bert_course.quiet import start_keras

EXAMPLE = """
import tensorflow as tf, tensorflow_text  # the model consists of operations of both
model = tf.saved_model.load({out!r}).signatures["serving_default"]
print(model({inputs}))"""


def add_to(commands):
    parser = commands.add_parser(
        "export",
        help="a fine-tuned model -> a SavedModel that takes strings",
        description="The tokenizer is inside: text in, labels out. For models that label a text, "
        "or two, as a whole. Whoever loads it imports tensorflow_text first.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--model", required=True, metavar="FOLDER", help="OUT/checkpoint")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new folder")


def run(options):
    out = pathlib.Path(options.out).expanduser()
    if is_taken(out):
        raise ValueError(f"An export begins in a new folder, or an empty one. Received: {out}")
    start_keras()
    try:
        from bert_course.training.exporting import export_strings  # Keras is slow to start
    except ImportError as error:
        raise ValueError(str(error)) from None
    from bert_course.training.finetuned import load_finetuned

    tuned = load_finetuned(options.model)
    names = export_strings(tuned, out)
    print(f"the model is in {out}, for the labels {', '.join(tuned.kind.labels)}. To call it:")
    inputs = ", ".join(f'{name}=tf.constant(["…"])' for name in names)
    print(EXAMPLE.format(out=str(out), inputs=inputs))
    return 0
