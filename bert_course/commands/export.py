"""`python -m bert_course export`: a fine-tuned model -> a SavedModel that takes strings."""

import pathlib


def add_to(commands):
    parser = commands.add_parser(
        "export",
        help="a fine-tuned model -> a SavedModel that takes strings",
        description="For TensorFlow Serving and the like: the tokenizer is inside. Text in, "
        "probabilities out; for models that label a text, or two, as a whole.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--model", required=True, metavar="FOLDER", help="OUT/checkpoint")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new folder")


def run(options):
    out = pathlib.Path(options.out).expanduser()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"An export begins in a new folder, or an empty one. Received: {out}")
    try:
        from bert_course.training.exporting import export_strings  # Keras is slow to start
    except ImportError as error:
        raise ValueError(str(error)) from None
    from bert_course.training.finetuned import load_finetuned

    labels = export_strings(load_finetuned(options.model), out)
    print(f"the model is in {out}: strings (B,) -> probabilities (B, {len(labels)}) of")
    print(", ".join(labels))
    return 0
