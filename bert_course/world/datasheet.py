"""data/README.md: what lies there, with its counts."""

import json
import re

from bert_course.world.build import EXAMPLES, PAIRS_PER_PHENOMENON, STORIES
from bert_course.world.minimal_pairs import RULES
from bert_course.world.plots import FRAMES, PLOTS
from bert_course.world.tasks import TASKS

TEXT = """# Data

What the course needs to run offline: a corpus of stories from a small world, labelled sets, minimal
pairs, and the best that any model can do on them. `make data` writes all of this again, byte for
byte; the generator is `bert_course/world`. No sentence was taken from anywhere. All is under the
licence of the course.

## The stories

> {story}

A story has a hidden state: who it is about, what the two friends do and own, the pet, the village,
the season, the mood, the day. Its plot is one of {plots}, its sentences come from {frames}
frames, whose words agree in number, tense and gender, and with what was said before. The people are
invented. A girl's friend is a boy and the other way round, so that a pronoun tells which of the two
is meant; this is a convenience, not a view of the world. English is all there is, of one gentle
kind.

| file | stories | sentences | words | different words |
| --- | ---: | ---: | ---: | ---: |
{corpus}

A sentence a line, an empty line between stories: the layout of BERT's own data. Words are counted
in lower case and without punctuation. No story of one file is in another, but sentences are: of
those in `test.txt`, {known:.0%} stand in `train.txt` word for word. Some names are of people here
and of pets there. `vocab.txt` has {pieces:,} word pieces, learned from `train.txt`.

## The ceiling

Every word is a function of random choices, so for a hidden word the exact distribution is known,
given all words that are seen and all choices that the hidden word does not depend on. An oracle
that knows it, and sees how many pieces each hidden word has, bounds every model from above: nobody
who sees only the text knows more. Here 15 % of
the words and punctuation marks of `test.txt` are hidden, {blanks:,} pieces in all, each behind one
[MASK]. The counting models are told even the hidden neighbours (smoothing: Witten and Bell, 1991).

| who fills the blanks | accuracy | cross-entropy (nats) |
| --- | ---: | ---: |
{ceiling}

The first row is what the oracle may expect, the second what it got. The third is for models that
read a story in windows of whole sentences. `ceiling.json` has the figures.
The bound is not tight: the oracle also knows, for example, which frame a sentence comes from.

## A model

In `checkpoint/`: a small BERT that has read `corpus/train.txt`, with a card of its own that says
how it was made and what it can do. It is the one thing here that `make data` does not write.

## Labelled sets

In `tasks/`, {train} examples to train on, {dev} to choose by and {test} to test on for each, all
from stories that are in no other file.

| task | an example |
| --- | --- |
{tasks}

## Minimal pairs

`minimal_pairs.tsv`: {phenomena} phenomena, {pairs} pairs each. The bad sentence has one other word,
to which the oracle gives the probability 0 after the same context. So it is impossible in this
world, where each season has its own weather and each mood its own words; as English it is wrong in
some phenomena, and in others merely not what happened. Both words have the same number of pieces
of `vocab.txt`: a model that sees a [MASK] for each piece could else tell them by that number. The
price is variety: some rules are left with a few words, the first of them with *want* and *wants*.
Where something is *from before*, the right word was said before. Pairs whose right word is new are
left out: there the only impossible words are those that were said, of something else, and to avoid
these is the opposite of recalling.
The shortest pair of each:

| phenomenon | context | good | bad |
| --- | --- | --- | --- |
{minimal_pairs}

## What else may lie here

`downloads/` is for what you fetch yourself, such as published weights. Git ignores it. Real data
sets are read from the folder that `BERT_COURSE_DATA` names; tests that want them say that they are
skipped without it.
"""

WHO = {
    "ceiling": "**the ceiling**: an oracle's expectation",
    "oracle": "that oracle, guessing",
    "window_ceiling": "its expectation when it reads 64 tokens at a time",
    "neighbours": "counting: the piece before and the piece behind",
    "trigram": "counting: the two pieces before",
    "bigram": "counting: the piece before",
    "unigram": "counting: the most frequent piece",
}


def build_datasheet(files):
    """{"README.md": ...} for the other files."""
    texts = {name: content.decode("utf-8") for name, content in files.items()}
    ceiling = json.loads(texts["ceiling.json"])
    rows = [line.split("\t") for line in texts["minimal_pairs.tsv"].split("\n")[1:-1]]
    first_story = texts["corpus/validation.txt"].split("\n\n")[0]
    sheet = TEXT.format(
        story=" ".join(first_story.split("\n")),
        plots=len(PLOTS),
        frames=sum(len(frames.strip().split("\n")) for frames in FRAMES.values()),
        corpus="\n".join(_count_corpus(part, texts[f"corpus/{part}.txt"]) for part in STORIES),
        known=_share_known(texts["corpus/test.txt"], texts["corpus/train.txt"]),
        pieces=texts["vocab.txt"].count("\n"),
        blanks=ceiling["blanks"],
        ceiling="\n".join(
            f"| {who} | {ceiling[name]['accuracy']:.3f} | {ceiling[name]['cross_entropy']:.3f} |"
            for name, who in WHO.items()
        ),
        **EXAMPLES,
        tasks="\n".join(f"| `{task}` | {_example(task, texts)} |" for task in TASKS),
        phenomena=len(RULES),
        pairs=PAIRS_PER_PHENOMENON,
        minimal_pairs="\n".join(_shortest_pair(name, rows) for name in RULES),
    )
    return {"README.md": sheet.encode("utf-8")}


def _count_corpus(part, text):
    stories = text.strip().split("\n\n")
    sentences = [line for story in stories for line in story.split("\n")]
    words = re.findall(r"[a-z]+", text.lower())
    counts = (len(stories), len(sentences), len(words), len(set(words)))
    return f"| `corpus/{part}.txt` | " + " | ".join(f"{count:,}" for count in counts) + " |"


def _share_known(text, of_text):
    """The share of the sentences of one text that stand in another, word for word."""
    sentences = [line for line in text.split("\n") if line]
    known = set(of_text.split("\n"))
    return sum(sentence in known for sentence in sentences) / len(sentences)


def _example(task, texts):
    name = next(name for name in texts if name.startswith(f"tasks/{task}/train"))
    if name.endswith(".json"):
        paragraph = json.loads(texts[name])["data"][0]["paragraphs"][0]
        question = paragraph["qas"][0]
        answer = question["answers"][0]["text"] if question["answers"] else "no answer"
        return f"{paragraph['context']} *{question['question']}* **{answer}**"
    if name.endswith(".conll"):
        rows = [line.split("\t") for line in texts[name].split("\n\n")[0].strip().split("\n")]
        return " ".join(word if tag == "O" else f"{word} **{tag}**" for word, tag in rows)
    *text, label = texts[name].split("\n")[1].split("\t")
    return " *…* ".join(text) + f" **{label or 'none'}**"


def _shortest_pair(phenomenon, rows):
    return "| " + " | ".join(min((row for row in rows if row[0] == phenomenon), key=_length)) + " |"


def _length(row):
    return sum(map(len, row))
