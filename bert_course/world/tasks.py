"""Labelled examples from the small world, one kind for each way to fine-tune BERT."""

import re

from bert_course.world.minimal_pairs import LONGEST, as_paragraph
from bert_course.world.story import Story

TOPICS = {
    "animals": {"pet", "pet again"},
    "feelings": {"mood"},
    "food": {"food"},
    "trade": {"market", "at the market", "count", "a guest"},
    "travel": {"leaving", "on the way", "coming home", "race"},
    "weather": {"season", "weather again", "storm", "storm comes", "storm ends"},
    "work": {"work", "lesson", "learning", "something breaks", "mending"},
}
ENTITIES = {
    "PERSON": re.compile("name|A|B|winner"),
    "PET": re.compile("pet_name"),
    "PLACE": re.compile("village2?"),
    "THING": re.compile("colour|thing|gift"),
}
# Question, and the kinds of word with which its answer begins and ends.
QUESTIONS = (
    ("What colour is {pet_name}?", "pet_colour", "pet_colour"),
    ("What is the name of the {pet}?", "pet_name", "pet_name"),
    ("What does {pet_name} eat?", "pet_food", "pet_food"),
    ("Where does {pet_name} sleep?", "pet_home", "pet_home"),
    ("Where does {name} live?", "village", "village"),
    ("What is the job of {name}?", "job", "job"),
    ("What does {name} {make}?", "product", "product"),
    ("What does {name} work with?", "tool", "tool"),
    ("What colour is the {thing} of {name}?", "colour", "colour"),
    ("What does {name} have that is {colour}?", "thing", "thing"),
    ("Which season is it?", "season", "season"),
    ("What does one need for {dish}?", "food1", "food1"),
    ("Where do they go?", "village2", "village2"),
    ("Where is it?", "where", "spot"),
)


def sentiment(story, rng):
    """Three sentences, of which one or more say how it feels: glad or glum."""
    starts = [
        start
        for start in range(len(story.sentences) - 2)
        if "mood" in story.steps[start : start + 3]
    ]
    if not starts:
        return None
    start = starts[int(rng.random() * len(starts))]
    text = as_paragraph(story.sentences[start : start + 3])
    return {"text": text, "label": story.mood.value}


def topics(story, rng):
    """Three sentences, and all that they are about, which may be nothing on the list."""
    start = int(rng.random() * (len(story.sentences) - 2))
    steps = set(story.steps[start : start + 3])
    labels = [topic for topic, headings in TOPICS.items() if headings & steps]
    return {"text": as_paragraph(story.sentences[start : start + 3]), "labels": labels}


def pairs(story, rng):
    """Two sentences, and two that stand a little later in the same story, or in another one."""
    same = rng.random() < 0.5
    source = story if same else Story(rng)
    first = int(rng.random() * (len(story.sentences) - 5))
    later = min(first + 3, len(source.sentences) - 2)
    return {
        "text": as_paragraph(story.sentences[first : first + 2]),
        "other": as_paragraph(source.sentences[later : later + 2]),
        "label": "same" if same else "other",
    }


def entities(story, rng):
    """Two sentences, word by word, with IOB2 tags."""
    start = int(rng.random() * (len(story.sentences) - 1))
    text, words = write(story.sentences[start : start + 2])
    rows, before = [], None
    for number, (word, begin, end) in enumerate(words):
        entity = _entity(word, words[number + 1 :])
        tag = f"{'I' if entity == before else 'B'}-{entity}" if entity else "O"
        rows.append((text[begin:end], tag))
        before = entity
    return rows


def _entity(word, following):
    """PERSON, PET, PLACE, THING or None: she and he are no names, a colour alone is no thing."""
    is_pronoun = word.text in ("she", "he")
    is_mere_colour = word.kind == "colour" and following[0][0].kind != "thing"
    if is_pronoun or is_mere_colour:
        return None
    return next((name for name, kinds in ENTITIES.items() if kinds.fullmatch(word.kind)), None)


def questions(story, rng):
    """A passage, a question, and its answer (text, where it begins) or None: it is not there."""
    text, words = write(_passage(story, rng))
    said = {(word.kind, word.text) for word, _, _ in words}
    for place in rng.permutation(len(QUESTIONS)):
        question, first, last = QUESTIONS[place]
        who = "hero" if rng.random() < 0.5 else "friend"
        facts = {
            kind: fact[who] if isinstance(fact, dict) else fact
            for kind, fact in story.facts.items()
        }
        asked = {kind: facts[kind].text for kind in re.findall(r"{(\w+)}", question)}
        if not all(_is_said(kind, fact, said) for kind, fact in asked.items()):
            continue
        begins = [b for word, b, _ in words if (word.kind, word.text) == (first, facts[first].text)]
        ends = [e for word, _, e in words if (word.kind, word.text) == (last, facts[last].text)]
        if not begins and rng.random() < 0.9:
            continue  # most questions have an answer
        answer = (text[begins[0] : ends[0]], begins[0]) if begins else None
        return {"context": text, "question": question.format(**asked), "answer": answer}
    return None


def _is_said(kind, text, said):
    return any(
        (other, text) in said for other in ({"name", "A", "B"} if kind == "name" else {kind})
    )


def _passage(story, rng):
    """Sentences one after the other, as many as fit."""
    start = int(rng.random() * (len(story.sentences) - 5))
    passage = []
    for sentence in story.sentences[start:]:
        if sum(map(len, passage)) + len(sentence) > LONGEST:
            break
        passage.append(sentence)
    return passage


def write(sentences):
    """Sentences -> their text, and [(word, where it begins, where it ends), ...]."""
    text, places = as_paragraph(sentences), []
    end = 0
    for word in (word for sentence in sentences for word in sentence):
        begin = text.lower().index(word.text.lower(), end)
        end = begin + len(word.text)
        places.append((word, begin, end))
    return text, places


TASKS = {
    "sentiment": sentiment,
    "topics": topics,
    "pairs": pairs,
    "entities": entities,
    "questions": questions,
}
