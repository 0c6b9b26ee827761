# %% [markdown]
# # 8 · Inside BERT
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/08_inside_bert.ipynb)
#
# **You will be able to**
#
# - read a property off each layer with a probe, and say how much of its accuracy is a finding;
# - test single rules of grammar and memory with minimal pairs, and measure what chance is;
# - tell an attention map that matters from one that only looks it, by taking heads away.
#
# Time: three quarters of an hour to read; it runs in under two minutes on a CPU, and no faster on
# a GPU.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("bert_course") is None:  # on Colab: install the course, only the course
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("no bert_course: run `pip install -e .` in the course's folder")
    course = ["git+https://github.com/OWNER/bert_course", "safetensors"]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", *course], check=True)

# %%
from itertools import islice, pairwise
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from bert_course.insight.show import attention_heads, curves, describe, heat_map, show_source
from bert_course.model.checkpoints import Bert, load_pretrained
from bert_course.places import course_data

# %% [markdown]
# ## 8.1 What *the* knows
#
# Here is the small BERT that comes with the course. It was pretrained as in notebook 7, for
# longer, on the stories of the small world. And here is its control, of the same sizes and with
# the same vocabulary, fresh from the dice.

# %%
bert = load_pretrained(course_data() / "checkpoint")
untrained = Bert(bert.config, bert.vocabulary, bert.lowercase, rng=0)
config = bert.config
print(f"L = {config.num_layers}, H = {config.hidden_dim}, A = {config.num_heads}")

# %% [markdown]
# A word goes into the first block as a row of a table, and it leaves each block with something of
# its neighbours mixed in. What? Take a word that says nothing by itself: *the*. Its row is the
# same in every text, so whatever you can tell from its vector later, it has been told.
#
# Two things it might have been told. Is the noun behind it one or many, *the fox* or *the foxes*?
# And is the story told in the present or in the past? The generator of the small world keeps a
# record of both (`bert_course/world`), so nobody has to label anything. We take the *the* of a
# subject such as *the fox by the walls looks lazy*, with the sentences before and behind.

# %%
from bert_course.world.build import stories


def the_with_labels(story):
    for number, sentence in enumerate(story.sentences):
        for word, noun in pairwise(sentence):
            how_many = [choice.value for choice in noun.choices if choice.name == "number"]
            if word.text == "the" and how_many:
                around = story.sentences[max(0, number - 1) : number + 2]
                nearby = [w for each in around for w in each]
                labels = {"number": how_many[0], "tense": story.tense.value}
                yield [w.text for w in nearby], nearby.index(word), labels


def collect(part, count):
    return [each for story, _ in islice(stories(part), count) for each in the_with_labels(story)]


learn_from, test_on = collect("validation", 400), collect("test", 400)
print(len(learn_from), "to learn from,", len(test_on), "to test on; one of them:")
print(*learn_from[0][0], "\n", learn_from[0][1:])

# %% [markdown]
# To see what leaves each layer is easy, because the encoder is a graph of layers: a second model
# may end at any of them. `hidden_states` does that. Pick the vectors of *the*, and they are the
# *features*. The package runs texts of like length together, which saves time and must change
# nothing:

# %%
from bert_course.insight.batches import pad
from bert_course.insight.inside import hidden_states
from bert_course.insight.probes import Spots, layer_features, probe, probe_table, word_spots


def spots_of_the(examples):
    spots = word_spots(bert, [words for words, _, _ in examples])  # a span for every word
    spans = [[each[place]] for each, (_, place, _) in zip(spots.spans, examples)]
    return Spots(spots.encodings, spans, [" ".join(e.tokens) for e in spots.encodings])


learn_spots, test_spots = spots_of_the(learn_from), spots_of_the(test_on)

# %%
rows = learn_spots.encodings[:50]
batch = pad(bert, rows, max(len(row.ids) for row in rows))
states = hidden_states(bert.encoder, batch)  # (L + 1, B, S, H)
naive = np.stack([states[:, row, span[0][0]] for row, span in enumerate(learn_spots.spans[:50])], 1)
features = layer_features(bert, learn_spots)  # (L + 1, N, H)
np.testing.assert_allclose(naive, features[:, :50], atol=1e-4)
print("states of one batch, picked = package: True", features.shape)

# %% [markdown]
# A *probe* is a linear classifier that is given such vectors and learns to tell the label. BERT
# itself is not trained any further. If the probe is right about texts that it has not seen, the
# label stands in the vectors, and in a form that a single matrix can read.

# %%
from sklearn.linear_model import LogisticRegression


def naive_probe(features, labels, test_features, test_labels):
    mean, spread = features.mean(axis=0), features.std(axis=0)
    classifier = LogisticRegression(tol=1e-3, max_iter=1000)
    classifier.fit((features - mean) / spread, labels)
    return classifier.score((test_features - mean) / spread, test_labels)


number, test_number = ([labels["number"] for _, _, labels in e] for e in (learn_from, test_on))
tense, test_tense = ([labels["tense"] for _, _, labels in e] for e in (learn_from, test_on))
last, test_last = features[-1], layer_features(bert, test_spots)[-1]
accuracy = naive_probe(last, number, test_last, test_number)
np.testing.assert_allclose(accuracy, probe(last, number, test_last, test_number), atol=0.02)
assert accuracy > 0.75
print("by hand = package, and right in more than three of four: True")
show_source(probe)

# %% [markdown]
# So *the*, when it leaves the last block, knows whether one fox is meant or several. Is that much?
# It depends on what else would have got as far. The package's table has four controls:
#
# - *untrained*: the same network with random weights. It mixes words too, and a probe can undo
#   some mixing;
# - *token table*: the row of the word alone, before any text;
# - *random labels*: how much a probe can learn by heart (nothing here, since every text is new; in
#   the next table, more);
# - *most frequent label*: always the same answer.
#
# **Predict.** Two curves over the layers: number and tense. The number is told by the very next
# word, the tense by a verb that may be far away. Which of the two is known better after the first
# block? And after which block is the tense known best?

# %% tags=["nbval-approx"]
tables = {
    "number": probe_table(bert, learn_spots, number, test_spots, test_number),
    "tense": probe_table(bert, learn_spots, tense, test_spots, test_tense),
}
best_control = {name: max(table["untrained"]) for name, table in tables.items()}
gains = {name: max(table["this model"]) - best_control[name] for name, table in tables.items()}
for name, table in tables.items():
    print(f"{name:7}", *[f"{accuracy:.2f}" for accuracy in table["this model"]])
    print(f"  the best that the untrained net gives {best_control[name]:.2f}")
    assert gains[name] > 0.15 and max(table["random labels"]) < 0.7
assert tables["number"]["this model"][1] > tables["tense"]["this model"][1] + 0.05
assert np.argmax(tables["tense"]["this model"]) > 1

# %%
_, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for ax, (name, table) in zip(axes, tables.items()):
    curves(table, title=f"{name}, read off “the”", xlabel="embeddings, then blocks", ax=ax)
    ax.set(ylim=(0, 1.02), xticks=range(config.num_layers + 1))
    ax.legend(loc="lower right", fontsize=8)
axes[0].set_ylabel("accuracy of the probe")
plt.show()
describe(
    "two panels of accuracy by layer. In both, this model starts near one half and rises, and the "
    "four controls stay near one half. The number is above 0.7 after the first block; "
    "the tense is highest in a later one."
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The number: one look at the neighbour is enough, and a block has one. The tense is known best
# after a later block.
#
# </details>
#
# Both panels prove the same thing: this knowledge came with training, and not from the word, from
# luck, or from mixing at random. That is more than an accuracy can say. To see what an accuracy
# says alone, ask an easier question of every word: is it part of the name of a person, a pet, a
# place, a thing, or of none? A labelled set comes with the course.


# %%
def read_entities(part, count):
    text = (course_data() / "tasks" / "entities" / f"{part}.conll").read_text("utf-8")
    examples = [block.split("\n") for block in text.strip().split("\n\n")[:count]]
    examples = [[line.split("\t") for line in lines] for lines in examples]
    words = [[word for word, _ in lines] for lines in examples]
    return words, [tag.split("-")[-1] for lines in examples for _, tag in lines]


(words, tags), (test_words, test_tags) = read_entities("train", 100), read_entities("test", 100)
entities = probe_table(bert, word_spots(bert, words), tags, word_spots(bert, test_words), test_tags)

# %% [markdown]
# **Predict.** The probe on the last block gets at least 97 % right. How many does it get right
# from the token table alone, where each word is by itself?

# %% tags=["nbval-approx"]
for name, accuracies in entities.items():
    print(f"{name:20}", *[f"{accuracy:.3f}" for accuracy in accuracies])
assert max(entities["this model"]) > 0.97 and entities["token table"][0] > 0.93
gain = max(entities["this model"]) - entities["token table"][0]
assert gain < 0.05 < min(gains.values()) / 2

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nearly as many. Most words are always a name of one kind, or never. Even *always “none”* is right
# in nine of ten, and with *random labels*, drawn once for each word, a probe gets above nine of
# ten by heart.
#
# </details>
#
# So the probe with the higher accuracy found less. All but two of its points were in the words
# before BERT read them. Those about *the* are lower, and all above one half is a finding. An
# accuracy of a probe without its controls is no result. (Seen from the other end, of the mistakes
# that the token table makes BERT leaves few. Both are true, and both need the control.)
#
# ## 8.2 One rule at a time
#
# A probe says that something *can* be read off a vector. Whether BERT uses it is another question.
# So ask BERT for something that it has learned to do: say which words are likely. A *minimal pair*
# is two sentences that differ in one word, one in order and one that breaks a rule:

# %%
good = "The otter near the gates is quick ."
bad = "The otter near the gates are quick ."


# %% [markdown]
# How likely does BERT find a sentence? It cannot say: it was never asked for the probability of a
# whole. But it can be asked for each word in turn, with all the others in sight. The logarithms
# added up are the *pseudo-log-likelihood*.


# %%
def naive_score(bert, sentence):
    encoding, total = bert.tokenizer.encode(sentence), 0.0
    for place in range(1, len(encoding.ids) - 1):  # not [CLS], not [SEP]
        batch = pad(bert, [encoding], len(encoding.ids))
        batch["token_ids"][0, place] = bert.tokenizer.vocabulary.mask
        batch["masked_positions"] = np.array([[place]], "int32")
        logits = bert.pretraining_model.predict_on_batch(batch)["masked_words"][0, 0]  # (V,)
        logits = logits.astype("float64")
        total += logits[encoding.ids[place]] - np.log(np.exp(logits).sum())
    return total


# %%
from bert_course.insight.scores import minimal_pair_scores, pseudo_log_likelihood

naive = [naive_score(bert, sentence) for sentence in (good, bad)]
np.testing.assert_allclose(naive, pseudo_log_likelihood(bert, [good, bad]), atol=1e-3)
assert naive[0] > naive[1] + 1
print("by hand = package, and BERT prefers the good one: True")

# %% [markdown]
# Note what stands between subject and verb: *gates*, a plural that could have lured it. (One
# detail is not in the loop. If a word has several pieces, the package hides those to the right as
# well, so that they cannot give the piece away.)
#
# `minimal_pairs.tsv` has 200 such pairs for each of 24 rules. Some are of grammar, within one
# sentence. Others are of memory: a name, a colour, a place that was said up to twelve sentences
# before. BERT has a pair right if it finds the good sentence likelier. We take every eighth pair.

# %%
from collections import defaultdict

by_rule = defaultdict(list)
for line in (course_data() / "minimal_pairs.tsv").read_text("utf-8").splitlines()[1:]:
    by_rule[line.split("\t")[0]].append(line.split("\t"))
pairs = [pair for of_rule in by_rule.values() for pair in of_rule[::8]]  # 25 of each
alone = [(rule, "", good, bad) for rule, _, good, bad in pairs]
columns = {
    "this model": minimal_pair_scores(bert, pairs, changed_only=True),
    "no context": minimal_pair_scores(bert, alone, changed_only=True),
}

# %% [markdown]
# `changed_only=True` scores only the word that differs; the rest is the same in both sentences.
# There are two controls. *no context*: the same model, without the sentences before. And untrained
# nets, three of them, each drawn with another seed.
#
# **Predict.** An untrained net knows nothing about English or ducks. What are its scores, rule by
# rule: all near 0.5, by luck between 0.3 and 0.7, or something else?

# %%
for seed in range(3):
    blank_net = Bert(config, bert.vocabulary, bert.lowercase, rng=seed)
    columns[f"untrained {seed}"] = minimal_pair_scores(blank_net, pairs, changed_only=True)
rules = sorted(by_rule, key=columns["this model"].get, reverse=True)
scores = np.array([[column[rule] for column in columns.values()] for rule in rules])

# %%
_, ax = plt.subplots(figsize=(6.5, 8.5))
heat_map(scores, rules, list(columns), "good one preferred", limits=(0, 1), ax=ax)
ax.tick_params(axis="x", rotation=20)
plt.show()
blind = scores[:, 2:]
assert (scores[:, 0] > 0.9).sum() >= 5 and scores[:, 0].mean() > blind.mean() + 0.2
assert blind.min() < 0.35 and blind.max() > 0.75
says_a = np.mean([good.count(" an ") < bad.count(" an ") for _, _, good, bad in by_rule["a or an"]])
print(f"“a” is right in {says_a:.0%} of the pairs of “a or an”")
describe(
    "24 rules by five models. This one has at least 5 rules right in more than 9 of 10 pairs. The "
    "untrained nets' scores go from less than 0.35 to more than 0.75, on “a or an” and others."
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Most are near one half, and luck accounts for 0.3 to 0.7 with 25 pairs (two more stand at 0.24).
# But at *a or an* one untrained net gets more than eight of ten, and another fewer than two of ten.
# A net like that has no rule; it has a taste. One whose random table makes *a* likelier than *an*
# says *a* nearly everywhere, and in most pairs *a* is the right one; one that leans to *an* is
# wrong as often. (At *numeral and noun* all three are high. That rule has a handful of nouns only,
# above all *puppies*, *beetles*, *calves* and *butterflies*, so a taste for one of these words
# counts again and again.)
#
# </details>
#
# So read each row of the picture against its own controls, and not against 0.5.
#
# There is another way for a pair to say nothing, and it is easy to miss. *feeds* is cut into three
# pieces here, *feed* into two. And BERT is asked for a word by a `[MASK]` for each of its pieces.
#
# **Predict.** How sure is this model of *feeds* behind three masks, and of *feed* behind two, in
# *The sheep that the uncle ____ is lazy*?

# %% tags=["nbval-approx"]
from bert_course.insight.scores import piece_log_probabilities

before = "The sheep that the uncle"
place = len(bert.tokenizer.tokenize(before))
for word in ("feeds", "feed"):
    cut = bert.tokenizer.tokenize(word)
    logs = piece_log_probabilities(bert, [f"{before} {word} is lazy."])[0]
    sure = np.exp(logs[place : place + len(cut)].sum())
    print(f"{word:6} cut {cut}: P = {sure:.2f}")
    assert sure > 0.5

# %% [markdown]
# <details><summary>Answer</summary>
#
# Rather sure of both. The number of masks says how many pieces the word has, and of the words that
# could stand here few have just so many: it has told BERT the word, be it right or wrong.
#
# </details>
#
# That is no lack of grammar. It is another question. So the two words of each pair in the file have
# equally many pieces (Goldberg, 2019, took only words of one piece). Make pairs without that care,
# and see what a score would have said of this rule:


# %% tags=["nbval-approx"]
from types import SimpleNamespace

from bert_course.world.minimal_pairs import RULES, minimal_pairs

rule, as_one = "agreement with the word before", SimpleNamespace(ids=lambda text: [0])
found = {"equally many pieces": [], "another number of them": []}
for story, rng in islice(stories("minimal pairs"), 500):
    for pair in minimal_pairs(story, rng, as_one, {rule: RULES[rule]}):  # each word is one piece
        same, other = (len(bert.tokenizer.ids(text)) for text in pair[2:])
        found["equally many pieces" if same == other else "another number of them"].append(pair)
shares = [minimal_pair_scores(bert, some, changed_only=True)[rule] for some in found.values()]
for (name, some), share in zip(found.items(), shares):
    print(f"{name:23} {len(some):3} pairs, right {share:.2f}")
assert shares[0] > 0.95 and shares[1] < 0.8

# %% [markdown]
# The same model, the same rule. Whoever mixes the two kinds reads a poorer grasp of agreement off a
# model that is right wherever it can be measured. (Such care has its price. The only verb of this
# rule whose two forms have equally many pieces is *want*; *feed* and *follow* drop out.)
#
# Now the second column of the picture. It does for memory what the untrained nets do for taste:
# rules of grammar do not need the sentences before, and rules of memory cannot do without them.

# %% tags=["nbval-approx"]
memory = [rule for rule in rules if "from before" in rule]
grammar = [rule for rule in rules if "agreement" in rule or "and noun" in rule]
for name, group in (("grammar", grammar), ("memory", memory)):
    means = {label: np.mean([scores[rule] for rule in group]) for label, scores in columns.items()}
    print(f"{name:8}", *[f"{label} {mean:.2f}" for label, mean in means.items()], sep="  ")
assert abs(means["no context"] - 0.5) < 0.15 and means["this model"] > means["no context"] + 0.2

# %% [markdown]
# So it remembers: with the sentences before, it knows nearly all names, things, colours and places
# again, and without them it is nearly back at chance. Its grammar does not mind.
#
# But in each of these pairs the right word was *said*, and the wrong one most often was not. Would a
# model that just copies what it has seen not do as well? In this world everybody has another thing:
# if Milo has a pencil, then what Hazel has is none. So take the blanks where a thing is mentioned for
# the first time, while somebody else's was mentioned before, and offer both.
#
# **Predict.** How often is the new thing likelier than the one that must be wrong?

# %% tags=["nbval-approx"]
new = {"a new thing": RULES["a thing from before"]._replace(said=False)}
found = [
    pair
    for story, rng in islice(stories("minimal pairs"), 120)
    for pair in minimal_pairs(story, rng, bert.tokenizer, new)
]
share = minimal_pair_scores(bert, found, changed_only=True)["a new thing"]
print(f"{len(found)} pairs, such as {found[0].good} | {found[0].bad}")
print(f"right {share:.2f}")
assert share < 0.4

# %% [markdown]
# <details><summary>Answer</summary>
#
# In less than a third of these pairs: a coin would do better. It leans to copying, even where copying is
# the one thing that cannot be right. To rule one word out of forty saves it next to nothing in the
# loss, and to copy pays nearly everywhere.
#
# </details>
#
# A good score in a test of memory says that it finds the right word again. It does not say that it
# knows who has what.
#
# ## 8.3 A head with a right answer
#
# Where in the network is such knowledge used? The common way to ask is to look at attention maps.
# A map has no caption, and we are good at seeing things. So before looking, fix what a right map
# would be.
#
# Hide one verb of a short text: *The owl hoots. Nora [MASK] happy.* Is it *is* or *was*? Only the
# tense tells. And if there is just one other word in the text that shows the tense, here *hoots*,
# then there is just one place from which the answer can come. These are the right answers:


# %%
class Question(NamedTuple):
    words: list
    blank: int  # the place of the hidden verb
    source: int  # the only other word that shows the tense
    right: str
    wrong: str  # the hidden verb in the other tense
    turned: str  # the source in the other tense


# %%
def two_verbs(story, rng):
    pairs = [one + other for one, other in pairwise(story.sentences)]
    for words in story.sentences + pairs:
        tensed = [word for word in words if story.tense in word.choices]
        if len(tensed) == 2 and len(words) <= 30:
            blank, source = tensed if rng.random() < 0.5 else tensed[::-1]
            yield words, blank, source


# %% [markdown]
# We need not trust that rule of thumb. The oracle of the small world (notebook 5) can be asked:
# how sure could anybody be of this word, given these others? Keep only texts where it is sure, and
# no longer sure once the source is gone.

# %%
from bert_course.world.choices import distribution, seen_by_choice


def certainty(word, seen):
    return distribution(word, seen_by_choice(seen))[word.text]


def sure_questions(story, rng):
    turn = {story.tense: "past" if story.tense.value == "present" else "present"}
    for words, blank, source in two_verbs(story, rng):
        forms = [blank.text, blank.would_be(turn), source.would_be(turn)]
        one_piece = all(len(bert.tokenizer.ids(form)) == 1 for form in (*forms, source.text))
        others = [word for word in words if word is not blank]
        without = [word for word in others if word is not source]
        if one_piece and certainty(blank, others) > 0.99 and certainty(blank, without) < 0.6:
            places = words.index(blank), words.index(source)
            yield Question([word.text for word in words], *places, *forms)


# %%
questions = []
for story, rng in islice(stories("test"), 300):
    if candidates := list(sure_questions(story, rng)):
        questions.append(candidates[rng.integers(len(candidates))])  # one of each story
print(len(questions), "questions, for example:")
example = questions[0]
print(" ".join(example.words))
print(f"hide “{example.right}”, look at “{example.words[example.source]}”")

# %% [markdown]
# Does BERT know the answer at all? Compare the two forms at the blank, and turn the source into
# the other tense as a check: then the other form is right.


# %%
def with_blank(question, source=None):
    words = list(question.words)
    words[question.blank] = "[MASK]"
    words[question.source] = source or words[question.source]
    return words


texts = [with_blank(question) for question in questions]
turned = [with_blank(question, question.turned) for question in questions]


# %%
def read(texts, questions):
    spots = word_spots(bert, texts)
    batch = pad(bert, spots.encodings, max(len(e.ids) for e in spots.encodings))
    blanks = [spans[q.blank][0] for spans, q in zip(spots.spans, questions)]
    sources = [spans[q.source][0] for spans, q in zip(spots.spans, questions)]
    return batch, np.array(blanks, "int32"), np.array(sources)


def leaning(model, texts, questions):
    batch, blanks, _ = read(texts, questions)
    batch["masked_positions"] = blanks[:, None]
    logits = model.pretraining_model.predict_on_batch(batch)["masked_words"][:, 0]  # (B, V)
    ids = [[bert.vocabulary.index(form) for form in (q.right, q.wrong)] for q in questions]
    right, wrong = np.take_along_axis(logits, np.array(ids), axis=1).T
    return right - wrong  # the logarithm of how many times likelier the right form is


# %% [markdown]
# Above 0 it leans to the right form, below 0 to the wrong one:

# %%
lean, lean_turned = leaning(bert, texts, questions), leaning(bert, turned, questions)
follows = ((lean > 0) & (lean_turned < 0)).mean()
assert (lean > 0).mean() > 0.85 and follows > 0.75
assert (leaning(untrained, texts, questions) > 0).mean() < 0.65
print("the right form is likelier in more than 85 of 100 texts: True")
print("and it changes with the source in more than 75 of 100: True")

# %% [markdown]
# It knows, and the answer hangs on the source. Now the maps. Each of the 16 heads has a row for
# the blank: how it spreads its attention over the text. Count how often the source gets the most.

# %%
from bert_course.insight.inside import attention_maps


def looks(model, texts, questions):
    batch, blanks, sources = read(texts, questions)
    maps = attention_maps(model.encoder, batch)  # (L, B, A, S, S)
    rows = maps[:, np.arange(len(blanks)), :, blanks]  # (B, L, A, S): numpy puts B first
    weights = np.take_along_axis(rows, sources[:, None, None, None], axis=-1)[..., 0]
    return weights, rows.argmax(axis=-1) == sources[:, None, None]  # both (B, L, A)


weights, is_right = looks(bert, texts, questions)
show_source(attention_maps)

# %% [markdown]
# There is a trap here. Whoever picks the best of 16 heads will find one that is better than
# chance, by luck. So pick on every second text, and judge on the others. The controls are picked
# in the same way: the best of an untrained net's 16 heads; and the best rule that knows only
# places, such as *always five words back*.

# %%
odd, even = slice(1, None, 2), slice(0, None, 2)


def pick(is_right):
    return np.unravel_index(is_right[even].mean(axis=0).argmax(), is_right.shape[1:])


distance = np.array([question.source - question.blank for question in questions])
values, counts = np.unique(distance[even], return_counts=True)
block, head = pick(is_right)
_, blindly_right = looks(untrained, texts, questions)
blind_block, blind_head = pick(blindly_right)

# %% [markdown]
# One more control: the same head, on texts with their words in random order.
#
# **Predict.** A text has ten to forty tokens. In what share of the texts, of those that were not
# used for the picking, does the best head look at the right one?

# %%
rng = np.random.default_rng(0)
orders = [rng.permutation(len(text)) for text in texts]
shuffled = [[text[place] for place in order] for text, order in zip(texts, orders)]
moved = [
    q._replace(blank=list(order).index(q.blank), source=list(order).index(q.source))
    for q, order in zip(questions, orders)
]
_, shuffled_right = looks(bert, shuffled, moved)
shares = {
    "this head": is_right[odd, block, head].mean(),
    "the same, words shuffled": shuffled_right[odd, block, head].mean(),
    "best of an untrained net": blindly_right[odd, blind_block, blind_head].mean(),
    "best fixed distance": (distance[odd] == values[counts.argmax()]).mean(),
}

# %% tags=["nbval-approx"]
for name, share in shares.items():
    print(f"{name:25} {share:.2f}")
found, *controls = shares.values()
assert found > 0.8 > 0.5 > max(controls)

# %% [markdown]
# <details><summary>Answer</summary>
#
# In nearly all of them, far more often than any control. Nobody ever told this head where
# to look, and the place is another one in each text.
#
# </details>
#
# Shuffling is the sharpest of the controls. All words are still there, the verb too, and yet the
# head mostly loses it. It does not simply go for verbs; it needs them in their place. (A shuffled
# text is also unlike any that it has read. No control is perfect, so there are three.)
#
# ## 8.4 Two maps
#
# Here are two heads on the same short text. The row of `[MASK]` is what matters.

# %%
is_short = np.array([len(text) <= 12 for text in texts])
both = np.minimum(weights, weights[:, block, head][:, None, None]) * is_short[:, None, None]
both[:, block, head] = 0
which, *other = np.unravel_index(both.argmax(), both.shape)
heads = [(block, head), tuple(other)]

# %%
batch, *_ = read([texts[which]], [questions[which]])
maps = attention_maps(bert.encoder, batch)[:, 0]  # (L, A, S, S)
tokens = [bert.vocabulary[i] for i in batch["token_ids"][0]]
attention_heads(np.stack([maps[place] for place in heads]), tokens)
plt.show()
source = questions[which].words[questions[which].source]
assert both.max() > 0.3
describe(
    f"two attention maps of the same text of {len(tokens)} tokens. In both, the row of [MASK] has "
    f"a bright cell under “{source}”, the one word that shows the tense."
)

# %% [markdown]
# Two heads that look from the hidden verb to the word which decides it. You could publish either,
# with a caption.
#
# One of them carries the answer; the other can be removed, and BERT loses nothing. Removing a head
# is simple. Its D numbers enter the output matrix of the attention through D rows (notebook 3).
# Set these rows to 0, and nothing of what the head has seen gets any further.

# %%
from bert_course.insight.inside import encoder_blocks
from keras import ops


def without_head(block, head):
    join, width = encoder_blocks(bert.encoder)[block].attention.join, config.head_dim
    kept = ops.convert_to_numpy(join.kernel).copy()
    cut = kept.copy()
    cut[head * width : (head + 1) * width] = 0
    join.kernel.assign(cut)
    share = (leaning(bert, texts, questions) > 0).mean()
    join.kernel.assign(kept)
    return share


# %% [markdown]
# **Predict.** Remove each head in turn, put it back, and count the right forms. How far does BERT
# fall without the left one, and how far without the right one?

# %% tags=["nbval-approx"]
whole, often = (lean > 0).mean(), is_right[odd].mean(axis=0)
every_head = list(np.ndindex(config.num_layers, config.num_heads))
left = np.array([without_head(*place) for place in every_head]).reshape(often.shape)
np.testing.assert_allclose(leaning(bert, texts, questions), lean, atol=1e-4)
print("BERT is as it was before: True")
for name, place in zip(("left", "right"), heads):
    print(f"{name:5} map: looks at the source in {often[place]:.2f} of texts not used to pick it;")
    print(f"    right answers {whole:.2f}, without this head {left[place]:.2f}")
assert whole - left[heads[0]] > 0.15 and whole - left[heads[1]] < 0.06

# %% [markdown]
# <details><summary>Answer</summary>
#
# The left one carries much of the answer: without it, BERT falls more than halfway back to
# guessing. Without the right one it answers as well as before. The other rows of its map give it
# away: most of them look two to four places ahead, whatever stands there. (The titles only number
# the two maps.)
#
# </details>
#
# The right map was found by a search: 15 heads, all short texts, and the one that looked best.
# Such a search is likely to find something. The row of `[MASK]` did not give it away. Two numbers
# do: how often the head does so in other texts, and what is missing without it.
# Here are these two numbers for all 16 heads:

# %%
lost = whole - left
*others, most = np.sort(lost.ravel())
assert most == lost[block, head] and max(others) < most / 2

# %%
_, ax = plt.subplots(figsize=(6, 3.6))
ax.scatter(often, lost, color="#31446b")
for place, label in zip(heads, ("left map", "right map")):
    away = dict(textcoords="offset points", ha="center", arrowprops={"arrowstyle": "-"})
    ax.annotate(label, (often[place], lost[place]), (-30 if place == heads[0] else 40, 25), **away)
ax.set(xlabel="share of texts in which it looks at the source", ylabel="answers lost without it")
ax.axhline(0, color="black", linewidth=0.5)
ax.margins(0.1, 0.35)
plt.show()
describe(
    "16 heads as points: how often each looks at the source, and the share of right answers lost "
    "without it. One stands far to the right and far above all the others, the left map's."
)

# %% [markdown]
# Only one head of 16 matters much for this question, and it is the one that looks at the right word
# most often. But attention is not use: another looks there in four texts of ten, and nothing is
# lost without it.
#
# ## 8.5 Who gets the credit
#
# A map shows one head in one block. There are two well-known ways to ask for the whole network.
# *Attention rollout* follows attention through the blocks. It takes a token's new vector to be
# half of what it was, because of the residual connection, and half of what its heads look at, in
# the mean.


# %%
from bert_course.insight.attributions import attention_rollout, integrated_gradients


def naive_rollout(maps):
    flow = np.eye(maps.shape[-1])  # in the beginning every token is itself
    for weights in maps:  # (A, S, S), block by block
        looked_at = np.mean(weights, axis=0)
        flow = 0.5 * flow + 0.5 * looked_at @ flow
    return flow


np.testing.assert_allclose(naive_rollout(maps), attention_rollout(maps[:, None])[0], atol=1e-6)
print("by hand = package: True")

# %% [markdown]
# *Integrated gradients* start from the answer. Let $f$ be the log-probability of a word at the
# blank. Begin with a text in which every word is `[MASK]`, and walk in a straight line, in the
# space of what leaves the embeddings, to the real text. On the way $f$ climbs. A token's credit is
# its own step times the slope of $f$ in its direction, added up along the walk. The slope can be
# had without any calculus: nudge one token a little, forwards and back.


# %%
def log_probability(hidden, blank, word):
    hidden = ops.convert_to_tensor(hidden.astype("float32"))
    for each in encoder_blocks(bert.encoder):
        hidden = each(hidden, np.ones(hidden.shape[:2], "bool"))
    words_head = bert.pretraining_model.get_layer("masked_words")
    logits = words_head(hidden, np.full((len(hidden), 1), blank, "int32"))[:, 0]  # (B, V)
    return ops.convert_to_numpy(ops.log_softmax(logits))[:, bert.vocabulary.index(word)]


def both_ends(batch, tokens):
    ids = batch["token_ids"]
    nothing = np.where(np.isin(tokens, ["[CLS]", "[SEP]"]), ids, bert.tokenizer.vocabulary.mask)
    embed = bert.encoder.get_layer("embeddings")
    return [ops.convert_to_numpy(embed(each, 0 * ids)) for each in (nothing, ids)]  # (1, S, H)


# %%
def naive_credit(start, end, blank, word, steps=16, nudge=0.05):
    each_token = (end - start)[0] * np.eye(end.shape[1])[:, :, None]  # row i moves token i alone
    credit = np.zeros(end.shape[1])
    for along in (np.arange(steps) + 0.5) / steps:
        here = start + along * (end - start)
        ahead = log_probability(here + nudge * each_token, blank, word)
        behind = log_probability(here - nudge * each_token, blank, word)
        credit += (ahead - behind) / (2 * nudge) / steps
    return credit


question, text = questions[which], " ".join(texts[which])
naive = naive_credit(*both_ends(batch, tokens), tokens.index("[MASK]"), question.right)
found = integrated_gradients(bert, text, question.right, steps=16)
np.testing.assert_allclose(naive, found.scores, atol=0.03)
print("nudging = package: True")

# %% [markdown]
# What makes this worth its cost is a sum. The credits of all tokens add up to the whole climb,
# from $f$ of the empty text to $f$ of the real one: nothing is left over, nothing is counted
# twice. So the method can be checked on every text, and its one setting with it, the number of
# steps:

# %% tags=["nbval-approx"]
for steps in (1, 8, 64):
    credit = integrated_gradients(bert, text, question.right, steps=steps)
    climb = credit.log_probability - credit.from_nothing
    gap = abs(credit.scores.sum() - climb)
    print(f"{steps:2} steps: the credits miss the climb of {climb:.1f} by {gap:.2f}")
assert gap < 0.05 * abs(climb)
show_source(integrated_gradients, attention_rollout)

# %% [markdown]
# Now hold both against the right answers: 24 texts, in which the token with the most credit should
# be the source. There is a third column. *is* and *was* share a good deal: that a verb is due
# here, and which. Their *difference* is the tense, and integrated gradients are linear, so the
# credit for the difference is the difference of the credits.
#
# **Predict.** Which of the three finds the source most often: rollout, the credit for the right
# word, or the credit for right against wrong?


# %%
def who_gets_most(question, text):
    batch, [blank], [source] = read([text], [question])
    right, wrong = (
        integrated_gradients(bert, " ".join(text), form, steps=16).scores
        for form in (question.right, question.wrong)
    )
    flow = attention_rollout(attention_maps(bert.encoder, batch))[0, blank]
    flow[blank] = 0  # the blank itself is not asked for
    credits = {"rollout": flow, "right word": right, "right against wrong": right - wrong}
    return {name: each.argmax() == source for name, each in credits.items()}


chosen = np.random.default_rng(1).choice(len(questions), 24, replace=False)
found = [who_gets_most(questions[n], texts[n]) for n in chosen]

# %% tags=["nbval-approx"]
credit_shares = {name: np.mean([each[name] for each in found]) for name in found[0]}
for name, share in credit_shares.items():
    print(f"{name:20} {share:.2f}")
rollout, word, contrast = credit_shares.values()
assert contrast > 0.5 and contrast > word + 0.25 and contrast > rollout + 0.25

# %% [markdown]
# <details><summary>Answer</summary>
#
# The last, by far. Rollout takes the mean of all heads, and one head of 16 is lost in a mean. The
# credit for the right word goes to all that makes just this verb likely here, and the tense is a
# small part of that.
#
# </details>
#
# The middle row is the one to remember, because nothing in it is wrong: its credits add up. It
# answers *why this word?* when you wanted to know *why not the other?* Here is the shortest text
# on which the two disagree:

# %%
apart = [n for n, each in zip(chosen, found) if each["right against wrong"] > each["right word"]]
question, words = min(((questions[n], texts[n]) for n in apart), key=lambda pair: len(pair[1]))
right, wrong = (
    integrated_gradients(bert, " ".join(words), form) for form in (question.right, question.wrong)
)
credits = {
    f"“{question.right}”": right.scores,
    f"“{question.right}” against “{question.wrong}”": right.scores - wrong.scores,
}
heat_map(np.array(list(credits.values())), list(credits), right.tokens, "credit, in nats")
plt.show()
tops = [right.tokens[each.argmax()] for each in credits.values()]
describe(f"credits of {len(right.tokens)} tokens. Above, “{tops[0]}” has most; below, “{tops[1]}”.")

# %% [markdown]
# The word that shows the tense is what the second row is about. In the first, seven others have
# more.
#
# ## In five sentences
#
# A probe says what can be read off a layer, and only what it finds beyond its controls is a
# finding: 99 % right about entities was nearly all in the words themselves. Minimal pairs ask for
# one rule at a time, and chance has to be measured with an untrained net, since it need not be one
# half. An attention map is evidence when you said beforehand where it should look, picked the head
# on some texts and judged it on others. Of two heads that looked from the blank to the same word, one
# carried the answer and the other could be removed without loss. And the best method gives a
# useless answer to the wrong question: ask why this word *and not that one*.
#
# ## What we left out
#
# Probes that are not linear, and how many examples they need. Editing the vectors inside the
# network, which says more than setting a whole head to 0. Models of real size, where several heads
# can stand in for each other, and removing one may show nothing.
#
# ## Where it is in the paper
#
# BERT (Devlin et al., 2019) looks inside in §5.3 only, where it takes features from different
# layers. Probes with random labels: *Designing and Interpreting Probes with Control Tasks* (Hewitt
# & Liang, 2019). Scores of sentences: *Masked Language Model Scoring* (Salazar et al., 2020).
# Heads: *What Does BERT Look At?* (Clark et al., 2019), *Attention is not Explanation* (Jain &
# Wallace, 2019) and the reply *Attention is not not Explanation* (Wiegreffe & Pinter, 2019).
# Credit: *Axiomatic Attribution for Deep Networks* (Sundararajan et al., 2017), *Quantifying
# Attention Flow in Transformers* (Abnar & Zuidema, 2020).
