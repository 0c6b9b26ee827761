"""Two texts that differ in one word: one keeps a rule of the small world, the other breaks it."""

import itertools
import re
from typing import NamedTuple

from bert_course.world.choices import Word, distribution, seen_by_choice
from bert_course.world.story import as_text
from bert_course.world.words import article

LONGEST = 90  # words of context and sentence together, so that they fit 128 pieces


class Rule(NamedTuple):
    """Which words a phenomenon is about, and how to break it.

    kinds: of the words, as a pattern; see frames.py.
    flip: name of the choice that is made otherwise; "" for the word's own last choice, "rival" for
        the word that the frame forbids.
    sentences: how many sentences of context the rule may need.
    said: whether the right word must have been said before, so that it can be recalled; False: it
        must be new, and is right because the others were said, of something else; None: either.
    """

    kinds: str
    flip: str
    sentences: int
    said: bool | None = None


RULES = {
    "agreement with the word before": Rule("verb adjacent", "number", 0),
    "agreement across a phrase": Rule("verb phrase", "number", 0),
    "agreement across a clause": Rule("verb clause", "number", 0),
    "determiner and noun": Rule("noun determiner", "number", 0),
    "numeral and noun": Rule("noun numeral", "number", 0),
    "a or an": Rule("article", "", 0),
    "some or any, nor or and": Rule("", "rival", 0),
    "reflexive pronoun": Rule("himself", "gender", 3),
    "pronoun": Rule("he|his|him", "gender", 3),
    "tense": Rule("verb.*", "tense", 2),
    "opposites": Rule("that", "", 0),
    "older or younger": Rule("elder", "", 3),
    "who wins": Rule("winner", "faster", 3),
    "day after day": Rule("tomorrow", "", 12),
    "job and work": Rule("tool|product|workplace|make", "", 12),
    "animals": Rule("pet_home|pet_food", "", 12),
    "seasons": Rule("weather|sign|wear", "", 12),
    "moods": Rule("feeling|manner|act|verdict", "", 3),
    "a name from before": Rule("name|B", "", 12, said=True),
    "a pet's name from before": Rule("pet_name", "", 12, said=True),
    "a colour from before": Rule("pet_colour|colour", "", 12, said=True),
    "a thing from before": Rule("thing|gift", "", 12, said=True),
    "a place from before": Rule("village|village2|spot", "", 12, said=True),
    "a number twice": Rule("count", "", 0),
}


class MinimalPair(NamedTuple):
    phenomenon: str
    context: str  # the sentences before, which may be none
    good: str
    bad: str


def minimal_pairs(story, rng, tokenizer, rules=RULES):
    """For each of the rules, {phenomenon: Rule}, that the story shows, one pair from it.

    The two words have as many pieces as one another. BERT is asked for a word by a [MASK] for each
    of its pieces, and with another number of them it would be asked another question: after *the
    aunt*, three masks are most likely *feeds*, and two *feed*, be it right or wrong.

    Paper: Assessing BERT's Syntactic Abilities (Goldberg, 2019), where both words have one piece.
    """
    for phenomenon, rule in rules.items():
        for number, word in _in_any_order(words_under(rule, story), rng):
            before = context(story.sentences, number, rule.sentences)
            sentence = story.sentences[number]
            if rule.said is not None and rule.said != is_said([*before, sentence], word):
                continue
            size = len(tokenizer.ids(word.text))
            rivals = impossible_texts(word, rule, [*before, sentence])
            rivals = [text for text in rivals if len(tokenizer.ids(text)) == size]
            if rivals:
                bad = respell(sentence, word, rivals[int(rng.random() * len(rivals))])
                yield MinimalPair(phenomenon, as_paragraph(before), as_text(sentence), as_text(bad))
                break


def words_under(rule, story):
    """[(number of the sentence, word), ...]."""
    return [
        (number, word)
        for number, sentence in enumerate(story.sentences)
        for word in sentence
        if (word.rival if rule.flip == "rival" else re.fullmatch(rule.kinds, word.kind))
    ]


def _in_any_order(things, rng):
    return [things[place] for place in rng.permutation(len(things))]


def context(sentences, number, most):
    """The `most` sentences before one, or as many of them as fit."""
    length, chosen = len(sentences[number]), []
    for sentence in reversed(sentences[max(0, number - most) : number]):
        length += len(sentence)
        if length > LONGEST:
            break
        chosen.insert(0, sentence)
    return chosen


def is_said(sentences, word):
    """Whether a word of the last sentence stands before that place, too."""
    words = list(itertools.chain.from_iterable(sentences))
    place = next(number for number, w in enumerate(words) if w is word)
    return any(w.text.lower() == word.text.lower() for w in words[:place])


def impossible_texts(word, rule, sentences):
    """What a word of the last sentence would be if the rule were broken, in alphabetical order.

    Broken means that the oracle gives it the probability 0, all other words of the sentences being
    seen: not rare, but impossible in this world.
    """
    seen = seen_by_choice(w for sentence in sentences for w in sentence if w is not word)
    possible = {text.lower() for text in distribution(word, seen)}
    others = {text for text in _other_texts(word, rule) if text.lower() not in possible}
    sentence = sentences[-1]
    if sentence[sentence.index(word) - 1].kind == "article":  # which must not give it away
        others = {text for text in others if article(text) == article(word.text)}
    return sorted(others)


def _other_texts(word, rule):
    """What the word would be if the rule's choice were made otherwise."""
    if rule.flip == "rival":
        return {word.rival}
    flips = [c for c in word.choices if c.name == rule.flip] if rule.flip else word.choices
    is_name = word.kind in ("name", "B")  # of the same gender, or the pronouns would tell
    return {
        word.would_be({choice: value})
        for choice in flips
        for value in (choice.options({}) if is_name else choice.all_options())
    }


def respell(sentence, word, text):
    return [Word(lambda: text) if w is word else w for w in sentence]


def as_paragraph(sentences):
    return " ".join(as_text(sentence) for sentence in sentences)
