"""A frame of plots.py -> the words of a sentence."""

import re

from bert_course.world.choices import Choice, EitherWord, Word
from bert_course.world.words import LISTS, NUMERALS, article, inflect, numbered, plural

SIGN = re.compile(r"(?P<mark>[~*%$]?)(?P<body>[^#^]+)(#(?P<number>\w+))?(\^(?P<tag>\w+))?")
DETERMINERS = {"this": ("this", "these"), "that": ("that", "those")}


class Sentence:
    """The words of one frame, told of `who` in `tense` with the `facts` of a story.

    Args:
        facts: {name: Word, or {"hero": Word, "friend": Word}}.
        who: Choice between "hero" and "friend": whom the sentence is about.
        tense: Choice between "present" and "past".
    """

    def __init__(self, frame, facts, who, tense, rng):
        self.facts, self.who, self.tense, self.rng = facts, who, tense, rng
        signs = [SIGN.fullmatch(sign).groupdict() for sign in frame.split()]
        self.numbers = self._draw_numbers(signs)
        self.words = []
        for sign in reversed(signs):  # from the end, for a or an is up to the next word
            self.words.insert(0, self._word(**sign))

    def _draw_numbers(self, signs):
        """How many: {"n": Choice, "m": Choice}, of numerals where the frame has one."""
        counted = {sign["body"] for sign in signs if sign["mark"] == "%"}
        named = sorted({sign["number"] for sign in signs} & {"n", "m"} | counted)
        options = {True: ("one", *NUMERALS), False: ("one", "many")}
        return {name: Choice(self.rng, options[name in counted], name="number") for name in named}

    def _word(self, mark, body, number, tag):
        if mark == "~":
            return self._verb(body, number or "one", tag)
        if mark == "*":
            return self._noun(body, number or "many", tag)
        if mark == "%":
            return Word(str, [self.numbers[body]], kind="numeral")
        if body == "a":
            return self.words[0].then(article, kind="article")
        if number:
            one, many = DETERMINERS[body]
            return Word(lambda n: one if n == "one" else many, [self.numbers[number]], "this")
        word = self._stem(mark + body)
        word.rival = tag
        return word

    def _stem(self, sign):
        """A fact, a draw from a list or from alternatives, or just a word."""
        if sign[0] == "$":
            return self._fact(sign[1:])
        if sign[0] == "<":
            return Word(str, [Choice(self.rng, LISTS[sign[1:-1]])], kind=sign[1:-1])
        if "|" in sign:
            return Word(str, [Choice(self.rng, tuple(sign.split("|")))])
        return Word(lambda: sign)

    def _fact(self, name):
        other = name.startswith("B.")
        kind = name.removeprefix("B.")
        fact = self.facts[kind]
        if isinstance(fact, dict):
            mine, others = fact["hero"], fact["friend"]
            branches = (others, mine) if other else (mine, others)
            fact = EitherWord(self.who, dict(zip(("hero", "friend"), branches, strict=True)))
        return fact.then(str, kind=kind)

    def _verb(self, stem, number, tag):
        kind = f"verb {tag or ''}".strip()
        if number in self.numbers:
            choices = [self.tense, self.numbers[number]]
            return self._stem(stem).then(inflect, choices, kind)
        return self._stem(stem).then(lambda s, t: inflect(s, t, number), [self.tense], kind)

    def _noun(self, stem, number, tag):
        kind = f"noun {tag or ''}".strip()
        if number in self.numbers:
            return self._stem(stem).then(numbered, [self.numbers[number]], kind)
        return self._stem(stem).then(plural, kind=kind)
