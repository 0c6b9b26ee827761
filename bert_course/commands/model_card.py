"""The README of the course's own checkpoint: how it was made, and what it can do, measured."""

import datetime
import importlib.metadata
import platform

import numpy as np

from bert_course.training.hardware import count_cores

CARD = """\
# A small BERT of the small world

{parameters:,} parameters: {layers} layers, {width} wide, {heads} heads, at most {max_length}
tokens, {vocabulary:,} word pieces, lower case. It has read `data/corpus/train.txt`
of the course and nothing else; see the datasheet there. It knows that world and its words, and no
other.

Made by

    {command}

on {date}, in {minutes:.0f} minutes of training, number of cores: {cores}
({machine}, {libraries}).
On another machine, or with other versions, numbers are rounded otherwise.

| on the test stories, which it has never read | |
| --- | ---: |
| masked words, right guesses | {accuracy:.3f} |
| the ceiling, which no model can pass | {ceiling:.3f} |
| counting: what follows the two pieces before (the trigram) | {trigram:.3f} |
| so, of the way from the trigram to the ceiling | {way:.1%} |
| loss on masked words, in nats | {loss:.3f} |
| next sentence or a stranger's, right (by chance .500) | {next_sentence:.3f} |
| minimal pairs, right, mean over {phenomena} phenomena (by chance .500) | {minimal_pairs:.3f} |

Words are hidden as in `ceiling.json`; whole stories are read. The next sentence is asked of
{pairs:,} pairs, for which the stories are cut several times, at other places. A minimal pair is
judged by the pseudo-log-likelihood of its two sentences, which have equally many pieces.

| minimal pairs | right |
| --- | ---: |
{rows}

The files are in Hugging Face's layout: `config.json`, `model.safetensors`, `vocab.txt`, and, for
transformers, `tokenizer_config.json`. Read with

    from bert_course.model.checkpoints import load_pretrained
    bert = load_pretrained("data/checkpoint")
"""


def model_card(bert, command, seconds, scores, pairs, levels, minimal_pairs):
    """The text of the card.

    Args:
        scores: of `evaluate`; minimal_pairs: of `minimal_pair_scores`.
        pairs: of how many the next sentence was asked.
    """
    libraries = [f"{name} {importlib.metadata.version(name)}" for name in ("keras", "tensorflow")]
    return CARD.format(
        parameters=bert.pretraining_model.count_params(),
        layers=bert.config.num_layers,
        width=bert.config.hidden_dim,
        heads=bert.config.num_heads,
        max_length=bert.config.max_length,
        vocabulary=bert.config.vocab_size,
        command=command,
        date=datetime.date.today().isoformat(),
        minutes=seconds / 60,
        cores=count_cores(),
        machine=processor(),
        libraries=", ".join(libraries),
        accuracy=scores["masked_words_accuracy"],
        loss=scores["masked_words_loss"],
        next_sentence=scores["next_sentence_accuracy"],
        pairs=pairs,
        ceiling=levels.ceiling,
        trigram=levels.trigram,
        way=levels.way(scores["masked_words_accuracy"]),
        minimal_pairs=np.mean(list(minimal_pairs.values())),
        phenomena=len(minimal_pairs),
        rows="\n".join(f"| {name} | {share:.3f} |" for name, share in minimal_pairs.items()),
    )


def processor():
    """What the system calls its processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
