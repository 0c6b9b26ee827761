"""`python -m bert_course demo`: a BERT from text to filled blanks, on the built-in corpus."""

import argparse
import pathlib
import tempfile
import time

from bert_course.commands.plans import PLANS, pretrain_on_stories
from bert_course.files import write_whole
from bert_course.places import course_data
from bert_course.training.stopping import DIVERGED, NO_MEMORY, Stopped

SHOWN = 10
PAIRS = 3_200  # to ask for the next sentence


def add_to(commands):
    parser = commands.add_parser(
        "demo",
        help="train a small BERT from scratch, and see what it learned",
        description="From the built-in corpus to a model that fills blanks: examples, pretraining "
        "beside counting and the ceiling, ten sentences.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--out", metavar="FOLDER", help="of the run; a temporary one without")
    parser.add_argument(
        "--plan",
        default="demo",
        choices=PLANS,
        help="longer: nearly four times the training, and it learns more; checkpoint, further, "
        "third: how data/checkpoint was made",
    )
    parser.add_argument("--checkpoint", metavar="FOLDER", help="go on from this model")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all randomness")


def run(options):
    from bert_course.model.checkpoints import load_pretrained  # Keras is slow to start
    from bert_course.text.wordpiece import WordPieceTokenizer
    from bert_course.world.held_out import read_levels

    start = time.perf_counter()
    refuse_strange_folder(options)
    refuse_strange_start(options)
    options.out = options.out or tempfile.mkdtemp(prefix="bert_course_demo_")
    folder = pathlib.Path(options.out).expanduser()
    tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
    plan, levels = PLANS[options.plan], read_levels(course_data())
    try:
        start_from, resume = options.checkpoint, options.resume
        pretrain_on_stories(plan, tokenizer, folder, options.seed, resume, start_from)
    except Stopped as stopped:  # what it says is meant for `pretrain`
        way_on = f"Here that is: {command(options)} --resume"
        if stopped.exit_code in (DIVERGED, NO_MEMORY):
            way_on = "(These are options of `python -m bert_course pretrain`; the demo has none.)"
        raise Stopped(f"{stopped}. {way_on}", stopped.exit_code) from None
    draw(folder, named(levels, plan.lengths[-1]))
    bert = load_pretrained(folder / "run" / "checkpoint")
    scores = measure(bert, tokenizer, plan)
    print_scores(scores, levels, plan.lengths[-1])
    print_sentences(bert, tokenizer, plan.lengths[-1])
    seconds = time.perf_counter() - start
    checkpoint = folder / "run" / "checkpoint"
    if plan.has_card:
        print_minimal_pairs_and_write_card(bert, folder / "run", command(options), scores, levels)
    print(f"\n{seconds:.0f} s. The model is in {checkpoint},")
    print(f"the learning curve in {folder / 'curve.png'}. Try the model:")
    print(f"  python -m bert_course fill-mask --checkpoint {checkpoint} \\")
    print('    "At last he sat [MASK] beside his oven."')
    return 0


def refuse_strange_folder(options):
    """Before the examples of another run are written over."""
    if options.resume and not options.out:
        raise ValueError("--resume goes on with the run in --out: name it. Received: no --out")
    if (
        options.out
        and not options.resume
        and pathlib.Path(options.out, "run").expanduser().exists()
    ):
        raise ValueError(
            "A run is there already: go on with it (--resume), or choose another folder. "
            f"Received: {options.out}"
        )


def refuse_strange_start(options):
    """Some plans begin with a model, others with none."""
    if PLANS[options.plan].goes_on != bool(options.checkpoint):
        going_on = " and ".join(name for name, plan in PLANS.items() if plan.goes_on)
        way_out = "leave --checkpoint out" if options.checkpoint else "name it with --checkpoint"
        raise ValueError(
            f"Plans {going_on} go on with a model, the others begin with none: {way_out}. "
            f"Received: --plan {options.plan} --checkpoint {options.checkpoint}"
        )


def named(levels, length):
    """{name to show: accuracy}, for a model that reads `length` tokens at a time."""
    from bert_course.world.build import WINDOW

    counting = {name: getattr(levels, name) for name in ("unigram", "bigram", "trigram")}
    narrow = {f"ceiling of {length} tokens": levels.window_ceiling} if length == WINDOW else {}
    return counting | narrow | {"ceiling of stories": levels.ceiling}


def draw(folder, levels):
    from bert_course.insight.show import learning_curves, save_figure
    from bert_course.training.run_folder import read_metrics

    learning_curves(read_metrics(folder / "run"), levels)
    save_figure(folder / "curve.png")


def measure(bert, tokenizer, plan):
    """On all test stories, not only on the hundred that the curve is drawn from.

    Read whole, these are only some 430 pairs at a time, too few to tell .95 from .94.
    """
    from bert_course.training.evaluation import evaluate
    from bert_course.world.held_out import pair_batches, story_batches

    longest = plan.lengths[-1]
    batches = story_batches(tokenizer, longest) + pair_batches(tokenizer, longest, count=PAIRS)
    return evaluate(bert.pretraining_model, batches)


def print_scores(scores, levels, length):
    accuracy, rows = scores["masked_words_accuracy"], named(levels, length)
    print("\nmasked words of the test stories, right guesses")
    for name, share in sorted([*rows.items(), ("this model", accuracy)], key=lambda row: row[1]):
        print(f"  {name:20} {share:.3f} {'#' * round(50 * share)}")
    print(f"  {levels.way(accuracy):.0%} of the way from the trigram to the ceiling of stories,")
    print("  which no model can pass that reads them whole")
    narrow = rows.get(f"ceiling of {length} tokens")
    if narrow:
        print(f"  {levels.way(accuracy, narrow):.0%} of the way to the ceiling of who reads")
        print(f"  {length} tokens at a time, as this one does")
    print(f"next sentence or a stranger's: {scores['next_sentence_accuracy']:.3f} (by chance .500)")


def print_sentences(bert, tokenizer, max_length):
    """Blanks filled, the true word beside them, and how sure one could be at best."""
    import numpy as np

    from bert_course.training.evaluation import INPUTS
    from bert_course.world.held_out import blank_sentences

    print("\nten blanks, each in a story that it has never read")
    print(f"  {'model':>12} {'truth':>12}   at best")
    for sentence in blank_sentences(tokenizer, max_length, SHOWN):
        inputs = {name: sentence.batch[name] for name in INPUTS}
        logits = bert.pretraining_model.predict_on_batch(inputs)["masked_words"][0, 0]
        guess = tokenizer.vocabulary.pieces[int(np.argmax(logits))]
        mark = "=" if guess == sentence.truth else " "
        best = max(sentence.chances.values())
        print(f"  {guess:>12}{mark}{sentence.truth:>12} {best:8.0%}   {sentence.text}")
    print("  (at best: the oracle's chance, when it reads what the model reads; words of three")
    print("  letters or more, mostly hard ones: of all blanks, half are easy)")


def command(options):
    """What was typed, but for --resume."""
    start = f" --checkpoint {options.checkpoint}" if options.checkpoint else ""
    rest = f"--seed {options.seed} --out {options.out}"
    return f"python -m bert_course demo --plan {options.plan}{start} {rest}"


def print_minimal_pairs_and_write_card(bert, run, typed, scores, levels):
    from bert_course.commands.model_card import model_card
    from bert_course.insight.scores import minimal_pair_scores
    from bert_course.training.run_folder import read_metrics

    lines = (course_data() / "minimal_pairs.tsv").read_text("utf-8").splitlines()[1:]
    shares = minimal_pair_scores(bert, [line.split("\t") for line in lines])
    print("\nminimal pairs: the right sentence of two")
    for phenomenon, share in shares.items():
        print(f"  {share:.3f} {phenomenon}")
    seconds = read_metrics(run)[-1]["seconds"]  # of training, also before a resume
    card = model_card(bert, typed, seconds, scores, PAIRS, levels, shares)
    write_whole(card.encode("utf-8"), run / "checkpoint" / "README.md")
