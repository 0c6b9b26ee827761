"""`python -m bert_course fill-mask`: what a model puts in the blanks of a text."""

from bert_course.places import course_data


def add_to(commands):
    parser = commands.add_parser(
        "fill-mask",
        help="what a model puts in the blanks of a text",
        description="The likeliest pieces for each [MASK] of a text, and their probabilities.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("text", nargs="+", help='such as "the baker sells [MASK] ."')
    parser.add_argument(
        "--checkpoint",
        default=course_data() / "checkpoint",
        metavar="FOLDER",
        help="of three files, see model/checkpoints.py (the course's own small one)",
    )
    parser.add_argument("--top", type=int, default=5, metavar="N", help="pieces for a blank (5)")


def run(options):
    if options.top < 1:
        raise ValueError(f"--top must be 1 or more. Received: {options.top}")
    from bert_course.insight.fill import fill_blanks  # here, for Keras is slow to start
    from bert_course.training.finetuned import read_body

    bert = read_body(options.checkpoint)
    if "masked word head" in bert.untrained:
        raise ValueError(
            "The model must have a masked word head, as after pretraining; one that was fine-tuned "
            "has none any more: give a pretrained checkpoint. "
            f"Received: --checkpoint {options.checkpoint}"
        )
    for text in options.text:
        for guesses in fill_blanks(bert, text, top=options.top):
            print(text)
            for guess in guesses:
                print(f"  {guess.probability:6.1%}  {guess.piece}")
    return 0
