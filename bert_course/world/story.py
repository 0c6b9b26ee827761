"""One document of the small world: its facts, then a plot, sentence by sentence."""

import re

from bert_course.world.choices import Choice, EitherWord, Word
from bert_course.world.frames import Sentence
from bert_course.world.plots import FRAMES, PLOTS
from bert_course.world.words import (
    ANIMALS,
    BOYS,
    COLOURS,
    DAYS,
    DISHES,
    GIFTS,
    GIRLS,
    JOBS,
    MOODS,
    NUMERALS,
    OPPOSITES,
    PETS,
    PLACES,
    SEASONS,
    THINGS,
    VILLAGES,
)

HERO, FRIEND = "hero", "friend"
PRONOUNS = {
    "he": {"girl": "she", "boy": "he"},
    "him": {"girl": "her", "boy": "him"},
    "his": {"girl": "her", "boy": "his"},
    "himself": {"girl": "herself", "boy": "himself"},
}
# The friend of a girl is a boy and the other way round: so a pronoun says who is meant.
NAMES = {HERO: {"girl": GIRLS, "boy": BOYS}, FRIEND: {"girl": BOYS, "boy": GIRLS}}
FORMS = {
    HERO: PRONOUNS,
    FRIEND: {form: {"girl": f["boy"], "boy": f["girl"]} for form, f in PRONOUNS.items()},
}
# Steps that introduce somebody; frames that speak of them wait until then.
INTRODUCTIONS = {
    "friend": re.compile(r"F:|\$B|\bthey\b"),
    "pet": re.compile(r"\$pet"),
}
BEGINNING = re.compile(r"^“?[a-z]|[.?!]”? “[a-z]|[.?!] [a-z]")  # of a sentence, or of one in it


class Story:
    """A document whose every word knows the choices that made it.

    Attributes:
        plot: its name in plots.PLOTS; steps: for each sentence the heading in plots.FRAMES.
        sentences: lists of `Word`.
        facts: {name: Word, or one for "hero" and one for "friend"}: what holds all the story long.
        mood: Choice between "glad" and "glum".
    """

    def __init__(self, rng):
        self.rng = rng
        self.tense = self._draw(("present", "past"), name="tense")
        self.mood = self._draw(tuple(MOODS), name="mood")
        self.gender = self._draw(("girl", "boy"), name="gender")  # the hero's
        self.facts = {**self._people(), **self._pet(), **self._circumstances()}
        self.plot = self._turn(list(PLOTS))
        self.steps, self.sentences = [], []
        self._told = set()  # frames
        for step in self._plan():
            self._tell(step)

    def _draw(self, options, parent=None, name=""):
        """A fact of the world, which the reader may or may not find out."""
        return Choice(self.rng, options, parent, name)

    def _turn(self, options):
        """A turn of the plot: the form of the text shows it to everybody."""
        return options[int(self.rng.random() * len(options))]

    def _people(self):
        """{fact: {"hero": Word, "friend": Word}}, and whose race it is."""
        draw = self._draw
        hero_job, hero_thing = draw(tuple(JOBS)), draw(THINGS)
        jobs = {HERO: hero_job, FRIEND: draw(lambda job: others(JOBS, job), hero_job)}
        things = {HERO: hero_thing, FRIEND: draw(lambda thing: others(THINGS, thing), hero_thing)}
        older, faster = draw((HERO, FRIEND)), draw((HERO, FRIEND), name="faster")
        facts = {}
        for who in (HERO, FRIEND):
            person = {
                "name": Word(str, [draw(NAMES[who].get, self.gender)]),
                "thing": Word(str, [things[who]]),
                "colour": Word(str, [draw(COLOURS)]),
                "elder": Word(lambda one, who=who: "older" if one == who else "younger", [older]),
                "faster": Word(lambda one, who=who: "faster" if one == who else "slower", [faster]),
                "job": Word(str, [jobs[who]]),
                "workplace": Word(lambda job: JOBS[job]["workplace"], [jobs[who]]),
                "make": Word(lambda job: JOBS[job]["make"], [jobs[who]]),
                "tool": Word(str, [draw(lambda job: JOBS[job]["tool"], jobs[who])]),
                "product": Word(str, [draw(lambda job: JOBS[job]["product"], jobs[who])]),
                **{form: Word(by.get, [self.gender]) for form, by in FORMS[who].items()},
            }
            for name, word in person.items():
                facts.setdefault(name, {})[who] = word
        return {**facts, "winner": EitherWord(faster, facts["name"])}

    def _pet(self):
        pet = self._draw(tuple(ANIMALS))
        return {
            "pet": Word(str, [pet]),
            "pet_name": Word(str, [self._draw(PETS)]),
            "pet_colour": Word(str, [self._draw(COLOURS)]),
            "pet_sound": Word(lambda animal: ANIMALS[animal]["voice"], [pet]),
            "pet_home": Word(lambda animal: ANIMALS[animal]["home"], [pet]),
            "pet_food": Word(lambda animal: ANIMALS[animal]["food"], [pet]),
        }

    def _circumstances(self):
        draw = self._draw
        village, season, day, place = draw(VILLAGES), draw(tuple(SEASONS)), draw(DAYS), draw(PLACES)
        dish = draw(tuple(DISHES))
        foods = draw(lambda dish: ordered_pairs(DISHES[dish]), dish)
        return {
            "village": Word(str, [village]),
            "village2": Word(str, [draw(lambda first: others(VILLAGES, first), village)]),
            "season": Word(str, [season]),
            "weather": Word(str, [draw(lambda season: SEASONS[season]["weather"], season)]),
            "sign": Word(str, [draw(lambda season: SEASONS[season]["sign"], season)]),
            "wear": Word(str, [draw(lambda season: SEASONS[season]["wear"], season)]),
            "day": Word(str, [day]),
            "tomorrow": Word(lambda day: DAYS[(DAYS.index(day) + 1) % 7], [day]),
            "dish": Word(str, [dish]),
            "food1": Word(lambda pair: pair[0], [foods]),
            "food2": Word(lambda pair: pair[1], [foods]),
            "where": Word(lambda place: place[0], [place]),
            "spot": Word(lambda place: place[1], [place]),
            "gift": Word(str, [draw(GIFTS)]),
            "count": Word(str, [draw(NUMERALS)]),
        }

    def _passing(self):
        """Facts of one sentence only, drawn anew for each."""
        draw, mood = self._draw, self.mood
        opposite = draw(OPPOSITES)
        known = ("name", "he") if "friend" in self.steps else ("name",)
        mention = draw(known)
        return {
            "this": Word(lambda pair: pair[0], [opposite]),
            "that": Word(lambda pair: pair[1], [opposite]),
            "A": {who: self._mention(who, mention) for who in (HERO, FRIEND)},
            "B": {FRIEND: self.facts["name"][HERO], HERO: self.facts["name"][FRIEND]},
            "feeling": Word(str, [draw(lambda mood: MOODS[mood]["feeling"], mood)]),
            "unfeeling": Word(str, [draw(lambda mood: MOODS[opposed(mood)]["feeling"], mood)]),
            "manner": Word(str, [draw(lambda mood: MOODS[mood]["manner"], mood)]),
            "act": Word(str, [draw(lambda mood: MOODS[mood]["act"], mood)]),
            "verdict": Word(str, [draw(lambda mood: MOODS[mood]["verdict"], mood)]),
        }

    def _mention(self, who, mention):
        """Who is meant, by name or, if `mention` so wants, by she or he."""
        pronouns = FORMS[who]["he"]
        return self.facts["name"][who].then(
            lambda name, by, gender: name if by == "name" else pronouns[gender],
            [mention, self.gender],
        )

    def _plan(self):
        for step in PLOTS[self.plot].split(","):
            step = self._turn(step.strip().split("|"))
            times = self._turn({"?": (0, 1), "+": (1, 2)}.get(step[-1], (1,)))
            yield from [step.rstrip("?+")] * times

    def _tell(self, step):
        """Add a sentence, unless all that there is to say would come too early or twice."""
        frames = [line.strip() for line in FRAMES[step].strip().split("\n")]
        frames = [f for f in frames if f not in self._told and self._is_time_for(f, step)]
        if not frames:
            return
        frame = self._turn(frames)
        self._told.add(frame)
        people = {"H": (HERO,), "F": (FRIEND,)}
        whoever = (HERO, HERO, FRIEND) if "friend" in self.steps else (HERO,)
        who = self._draw(people[frame[0]] if frame[1] == ":" else whoever)
        frame = frame.removeprefix("H:").removeprefix("F:")
        facts = {**self.facts, **self._passing()}
        self.sentences.append(Sentence(frame, facts, who, self.tense, self.rng).words)
        self.steps.append(step)

    def _is_time_for(self, frame, step):
        return all(
            step == introduction or introduction in self.steps or not about.search(frame)
            for introduction, about in INTRODUCTIONS.items()
        )


def others(options, one):
    return tuple(option for option in options if option != one)


def ordered_pairs(options):
    return tuple((one, other) for one in options for other in options if one != other)


def opposed(mood):
    return next(other for other in MOODS if other != mood)


def as_text(words):
    """Words -> a sentence as it is written, with capitals and with spaces where they belong."""
    text = " ".join(word.text for word in words)
    text = re.sub(r" ([.,;:?!”])", r"\1", text).replace("“ ", "“")
    return BEGINNING.sub(lambda begins: begins[0].upper(), text)
