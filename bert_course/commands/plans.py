"""How the course's models are pretrained on the built-in corpus: what `demo --plan NAME` does."""

import dataclasses
import functools
import re
from typing import NamedTuple

from bert_course.commands.pretrain import Lines
from bert_course.files import write_whole
from bert_course.places import course_data

MAX_LENGTH = 320  # the longest story has 302 tokens
LEAST_READ = 32  # the longest sentence with its special pieces has 29
HIMSELF = re.compile(r"\b(himself|herself)\b")
HE_OR_SHE = re.compile(r"\b(he|she|his|her|him|himself|herself)\b", re.IGNORECASE)


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
    share: float  # of the words, to hide
    weight_decay: float = 0.01
    alike: bool = False  # see `Recipe`
    corpus: str = "train.txt"  # in data/corpus
    people: int = 0  # of the lengths, the first so many have only sentences of people
    goes_on: bool = False  # with a model that is there
    has_card: bool = True  # whether its model gets a README, as data/checkpoint has


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
        has_card=False,
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
# Twice as wide: a step takes twice the time and teaches more. And nearly twice as many steps.
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


def pretrain_on_stories(plan, tokenizer, folder, seed, resume=False, checkpoint=None):
    """Examples, unless they are there; then pretraining, with its lines.

    Args:
        checkpoint: the folder of a model to go on with.
    """
    from bert_course.model.checkpoints import load_pretrained
    from bert_course.text.examples import write_examples
    from bert_course.training.pretraining import Watch, pretrain
    from bert_course.world.held_out import pair_batches, story_batches

    start = load_pretrained(checkpoint) if checkpoint else None
    examples = []
    for stage, (length, copies) in enumerate(zip(plan.lengths, plan.copies, strict=True)):
        examples.append(folder / f"examples_{length}")
        if not (resume and examples[-1].exists()):
            print(f"examples of {length} tokens from the corpus", flush=True)
            corpus = course_data() / "corpus" / plan.corpus
            if stage < plan.people:
                corpus = write_sentences_of_people(corpus, folder / "people.txt")
            write_examples(
                [corpus],
                tokenizer,
                examples[-1],
                length,
                seed,
                copies=copies,
                layout="sentences",
            )

    @functools.cache
    def held_out(length):
        length = max(length, LEAST_READ)
        return story_batches(tokenizer, length, 100) + pair_batches(tokenizer, length, count=512)

    with Lines() as lines:
        watch = Watch(held_out, None, lines, lines.tick)
        recipe = recipe_of(plan, seed)
        pretrain(recipe, examples, folder / "run", resume, watch, start)


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
