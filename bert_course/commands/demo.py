"""`python -m bert_course demo`: a BERT from text to filled blanks, on the built-in corpus."""

import argparse
import dataclasses
import functools
import pathlib
import re
import tempfile
import time
from typing import NamedTuple

from bert_course.commands.pretrain import Lines
from bert_course.files import write_whole
from bert_course.places import course_data


class Plan(NamedTuple):
    """How to pretrain on the built-in corpus: first on short examples, then on long ones."""

    layers: int
    width: int
    heads: int
    dropout: float
    lengths: tuple
    copies: tuple  # of each document, each time with other pairs
    steps: tuple
    batch_size: tuple
    optimizer: str
    rate: float
    warm_up: int
    share: float
    weight_decay: float = 0.01
    alike: bool = False
    corpus: str = "train.txt"
    people: int = 0  # of the lengths, the first so many have only `sentences_of_people`
    goes_on: bool = False  # with a model that is there


PLANS = {
    "demo": Plan(
        layers=2,
        width=128,
        heads=4,
        dropout=0.0,
        lengths=(64,),
        copies=(2,),
        steps=(1_400,),
        batch_size=(64,),
        optimizer="muon",
        rate=8e-3,
        warm_up=80,
        share=0.4,
    ),
    "checkpoint": Plan(
        layers=4,
        width=128,
        heads=4,
        dropout=0.0,
        lengths=(64, 128, 288),
        copies=(4, 4, 8),
        steps=(30_000, 20_000, 10_000),
        batch_size=(16, 8, 8),
        optimizer="adamw",
        rate=1e-3,
        warm_up=300,
        share=0.3,
        weight_decay=0.05,
        alike=True,
    ),
}
# Twice as wide, where a step takes twice the time and teaches more, and more of them.
PLANS["longer"] = PLANS["demo"]._replace(width=256, steps=(2_600,), rate=6.5e-3)
PLANS["further"] = PLANS["checkpoint"]._replace(
    lengths=(128, 288),
    copies=(6, 8),
    steps=(16_000, 11_000),
    batch_size=(16, 8),
    rate=6e-4,
    warm_up=500,
    share=0.2,
    alike=False,
    goes_on=True,
)
# Who is a he and who a she is told by few words of a story, and most often by several at once. In
# rows of a sentence or two, of those with such a word, nothing tells it but the name; then stories.
PLANS["third"] = PLANS["further"]._replace(
    lengths=(24, 128, 288),
    copies=(6, 6, 8),
    steps=(2_000, 3_500, 5_500),
    batch_size=(64, 16, 8),
    rate=1e-3,
    people=1,
)
MAX_LENGTH = 320  # the longest story has 302 tokens
SHOWN = 10
LEAST_READ = 32  # the longest sentence with its special pieces has 29
PAIRS = 3_200  # to ask for the next sentence
HIMSELF = re.compile(r"\b(himself|herself)\b")
HE_OR_SHE = re.compile(r"\b(he|she|his|her|him|himself|herself)\b", re.IGNORECASE)


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
        help="longer: four times as long, and it learns more; checkpoint, further, third: how "
        "data/checkpoint was made",
    )
    parser.add_argument("--checkpoint", metavar="FOLDER", help="go on from this model (none)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all randomness")


def run(options):
    from bert_course.model.checkpoints import load_pretrained  # Keras is slow to start
    from bert_course.text.wordpiece import WordPieceTokenizer
    from bert_course.world.held_out import read_levels

    start = time.perf_counter()
    refuse_strange_folder(options)
    refuse_strange_start(options)
    folder = pathlib.Path(options.out or tempfile.mkdtemp(prefix="bert_course_demo_"))
    tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
    plan, levels = PLANS[options.plan], read_levels(course_data())
    pretrain_on_stories(plan, tokenizer, folder, options)
    draw(folder, levels)
    bert = load_pretrained(folder / "run" / "checkpoint")
    scores = measure(bert, tokenizer, plan)
    print_scores(scores, levels, plan.lengths[-1])
    print_sentences(bert, tokenizer, plan.lengths[-1])
    seconds = time.perf_counter() - start
    checkpoint = folder / "run" / "checkpoint"
    if options.plan not in ("demo", "longer"):
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
    if options.out and not options.resume and pathlib.Path(options.out, "run").exists():
        raise ValueError(
            "A run is there already: go on with it (--resume), or choose another folder. "
            f"Received: {options.out}"
        )


def refuse_strange_start(options):
    """Some plans begin with a model, others with none."""
    if PLANS[options.plan].goes_on != bool(options.checkpoint):
        way_out = "leave --checkpoint out" if options.checkpoint else "name it with --checkpoint"
        raise ValueError(
            f"Plans further and third go on with a model, the others begin with none: {way_out}. "
            f"Received: --plan {options.plan} --checkpoint {options.checkpoint}"
        )


def pretrain_on_stories(plan, tokenizer, folder, options):
    """Examples, unless they are there; then pretraining, with its lines."""
    from bert_course.model.checkpoints import load_pretrained
    from bert_course.text.examples import write_examples
    from bert_course.training.pretraining import Watch, pretrain
    from bert_course.world.held_out import pair_batches, story_batches

    start = load_pretrained(options.checkpoint) if options.checkpoint else None
    examples = []
    for stage, (length, copies) in enumerate(zip(plan.lengths, plan.copies, strict=True)):
        examples.append(folder / f"examples_{length}")
        if not (options.resume and examples[-1].exists()):
            print(f"examples of {length} tokens from the corpus", flush=True)
            corpus = course_data() / "corpus" / plan.corpus
            if stage < plan.people:
                corpus = write_sentences_of_people(corpus, folder / "people.txt")
            write_examples(
                [corpus],
                tokenizer,
                examples[-1],
                length,
                options.seed,
                copies=copies,
                layout="sentences",
            )

    @functools.cache
    def held_out(length):
        length = max(length, LEAST_READ)
        return story_batches(tokenizer, length, 100) + pair_batches(tokenizer, length, count=512)

    with Lines() as lines:
        watch = Watch(held_out, None, lines, lines.tick)
        recipe = recipe_of(plan, options.seed)
        pretrain(recipe, examples, folder / "run", options.resume, watch, start)


def write_sentences_of_people(corpus, path):
    """Of the stories with a himself or herself in them, the sentences with a he or she -> path."""
    stories = corpus.read_text("utf-8").split("\n\n")
    chosen = [
        "\n".join(line for line in story.split("\n") if HE_OR_SHE.search(line))
        for story in stories
        if HIMSELF.search(story)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(("\n\n".join(chosen) + "\n").encode("utf-8"), path)
    return path


def recipe_of(plan, seed):
    from bert_course.model.config import TINY
    from bert_course.training.hardware import choose_precision
    from bert_course.training.pretraining import Recipe

    config = dataclasses.replace(
        TINY,
        vocab_size=len((course_data() / "vocab.txt").read_text("utf-8").split()),
        num_layers=plan.layers,
        hidden_dim=plan.width,
        num_heads=plan.heads,
        intermediate_dim=4 * plan.width,
        max_length=MAX_LENGTH,
        dropout=plan.dropout,
    )
    return Recipe(
        config,
        plan.steps,
        plan.batch_size,
        plan.rate,
        plan.warm_up,
        optimizer=plan.optimizer,
        beta_2=0.98,
        initial_std=0.02 * (768 / plan.width) ** 0.5,
        waves=True,
        alike=plan.alike,
        weight_decay=plan.weight_decay,
        share=plan.share,
        whole_words=True,
        seed=seed,
        precision=choose_precision(),
    )


def draw(folder, levels):
    from bert_course.insight.show import learning_curves, save_figure
    from bert_course.training.run_folder import read_metrics

    learning_curves(read_metrics(folder / "run"), levels._asdict())
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
    accuracy = scores["masked_words_accuracy"]
    print("\nmasked words of the test stories, right guesses")
    rows = {**levels._asdict(), "this model": accuracy}
    for name, share in sorted(rows.items(), key=lambda row: row[1]):
        print(f"  {name:10} {share:.3f} {'#' * round(60 * share)}")
    print(f"  {levels.way(accuracy):.0%} of the way from the trigram to the ceiling, the best that")
    print(f"  any model can do that reads whole stories; this one reads {length} tokens at a time")
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
    print("  (words of three letters or more, mostly hard ones; of all blanks, half are easy)")


def command(options):
    """What was typed, but for --resume."""
    start = f" --checkpoint {options.checkpoint}" if options.checkpoint else ""
    rest = f"--seed {options.seed} --out {options.out or 'FOLDER'}"
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
