# %% [markdown]
# # 2 · Embeddings
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/02_embeddings.ipynb)
#
# **You will be able to**
#
# - turn words into the vectors that BERT starts from, by hand, and show that the package does the
#   same;
# - add three vectors and take the sum apart again, and say from which width on that works;
# - name two things that no table of word vectors can do, and measure what a single encoder block
#   adds.
#
# Time: half an hour to read; it runs in about a minute on a CPU, and no faster on a GPU.

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
import matplotlib.pyplot as plt
import numpy as np

from bert_course.model.config import BASE, MINI, SMALL, TINY, BertConfig
from bert_course.model.embeddings import Embeddings
from bert_course.model.encoder import build_encoder
from bert_course.insight.inside import hidden_states
from bert_course.insight.show import describe, heat_map, show_source
import keras  # after bert_course.model, which keeps the backend's banner quiet

# %% [markdown]
# ## 2.1 A word is a row
#
# A network multiplies and adds, and you cannot multiply by *dog*. So each word of a vocabulary has
# a number, its *id*, and each id has a row in a table: H numbers, random at first, which training
# may change like any other weight. Real vocabularies hold pieces of words (notebook 1). Here a
# handful of whole ones will do.

# %%
words = "[PAD] [CLS] [SEP] the dog man bit was late".split()
ids = {word: i for i, word in enumerate(words)}
print([ids[word] for word in "[CLS] the dog bit the man [SEP]".split()])

# %% [markdown]
# Written as mathematics, looking up a row is a product. Make a vector of V zeros, put a 1 at the
# word's id, and multiply it by the table:


# %%
def naive_row(token_id, table):
    one_hot = np.zeros(len(table))  # (V,)
    one_hot[token_id] = 1
    return one_hot @ table  # (H,)


# %% [markdown]
# The package's layer has its token table in `token`. `TINY` is the smallest BERT that Google
# published: 30,522 pieces, H = 128.

# %%
to_numpy = keras.ops.convert_to_numpy
tiny = Embeddings(TINY, np.random.default_rng(0))
tiny(np.array([[0]]), np.array([[0]]))  # the first call makes the weights
row = to_numpy(tiny.token(np.array([2026])))[0]  # (H,)
np.testing.assert_allclose(naive_row(2026, to_numpy(tiny.token.embeddings)), row, atol=1e-7)
print("one-hot times table = package: True")

# %% [markdown]
# The product does V × H multiplications to copy H numbers, so nobody computes it that way. But it
# says what an embedding is: an ordinary layer of weights, whose input happens to be nearly all
# zeros.
#
# How much of a BERT is table? Count its parameters by the sizes in the config. For `TINY`, hold
# the formula against what Keras counts:


# %%
def parameters(config):
    H, inside = config.hidden_dim, config.intermediate_dim
    tables = (config.vocab_size + config.max_length + config.num_segments) * H + 2 * H
    block = 4 * (H * H + H) + (H * inside + inside) + (inside * H + H) + 4 * H  # notebook 4
    return tables + config.num_layers * block + H * H + H


assert parameters(TINY) == build_encoder(TINY, 0).count_params()

# %% [markdown]
# **Predict.** BERT-base keeps 21 % of its parameters in the token table. BERT-tiny has the same
# words, but only 2 blocks and a sixth of the width. What share has its token table: a twentieth, a
# fifth, nine tenths?

# %%
for name, config in dict(TINY=TINY, MINI=MINI, SMALL=SMALL, BASE=BASE).items():
    table, total = config.vocab_size * config.hidden_dim, parameters(config)
    print(f"{name:5} token table {table:10,} of {total:11,} parameters: {table / total:.0%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nine tenths. The table grows like H, the blocks like H² and with their number. A small BERT is a
# dictionary with a little machine attached.
#
# </details>
#
# ## 2.2 Only the rows that were read can learn
#
# A row meets the loss only when its word occurs. One-hot shows why: the gradient of a row is
# multiplied by that row's entry, and for all absent words the entry is 0. Here is a small encoder,
# and a copy of its tables:

# %%
sizes = BertConfig(num_layers=1, hidden_dim=16, num_heads=2, intermediate_dim=32, dropout=0.0)
encoder = build_encoder(sizes, 0)
layer = encoder.get_layer("embeddings")
tables = {"token": layer.token, "position": layer.position, "segment": layer.segment}
before = {name: np.array(table.get_weights()[0]) for name, table in tables.items()}


# %%
def as_batch(*sentences):
    token_ids = np.array([[ids[word] for word in sentence.split()] for sentence in sentences])
    return {"token_ids": token_ids, "segment_ids": 0 * token_ids, "padding_mask": token_ids > 0}


# %% [markdown]
# **Predict.** One step towards random targets, on the sentence `[CLS] the dog bit the man [SEP]`,
# all of it segment 0. How many rows of each table will move: of 30,522 tokens, of 512 positions,
# of 2 segments?

# %%
target = np.random.default_rng(0).standard_normal((1, 7, 16))
model = keras.Model(encoder.input, encoder.output["sequence_output"])
model.compile("sgd", "mse", jit_compile=False)
model.fit(as_batch("[CLS] the dog bit the man [SEP]"), target, verbose=0)
for name, table in tables.items():
    moved = (np.array(table.get_weights()[0]) != before[name]).any(axis=1)
    print(f"{name:8} {moved.sum()} of {len(moved):6,} rows moved: {np.flatnonzero(moved)}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 6, 7 and 1. Seven tokens, but *the* occurs twice and has one row, whose gradient is the sum of
# both. Seven positions. One segment.
#
# </details>
#
# Two things follow. A word that seldom occurs is seldom trained. And a position that never occurs
# is not trained at all: show a model 128 tokens at a time, and rows 128 to 511 learn nothing.
# BERT's authors met this. To save time they pretrained with sequences of 128 for 90 % of the
# steps, and with 512 for the rest, "to learn the positional embeddings".
#
# ## 2.3 Three tables, one sum
#
# A word's row says what it is. BERT needs to know two more things: at which place the word stands,
# and in which sentence, for it may be given two. Each has a table too. The three rows are added,
# number by number, and the sum is normalised: mean 0, spread 1. As a loop:


# %%
def naive_embeddings(token_ids, segment_ids, token, position, segment):
    vectors = []
    for place, (token_id, segment_id) in enumerate(zip(token_ids, segment_ids)):
        summed = token[token_id] + position[place] + segment[segment_id]  # (H,)
        vectors.append((summed - summed.mean()) / summed.std())
    return np.stack(vectors)  # (S, H)


# %% [markdown]
# A pair of sentences, in BERT's own form: `[CLS]`, the first sentence, `[SEP]`, the second,
# `[SEP]`. Segment 0 up to the first `[SEP]`, then 1. Does the package make the same of it, at
# BERT-base's width?

# %%
pair = "[CLS] the dog bit the man [SEP] the man was late [SEP]".split()
token_ids = np.array([ids[word] for word in pair])  # (S,)
segment_ids = np.array([0] * 7 + [1] * 5)  # (S,)
wide = Embeddings(BertConfig(vocab_size=len(words)), np.random.default_rng(0))  # H = 768
vectors = to_numpy(wide(token_ids[None], segment_ids[None]))[0]  # (S, H)

# %%
three = [to_numpy(table.embeddings) for table in (wide.token, wide.position, wide.segment)]
token, position, segment = three
naive = naive_embeddings(token_ids, segment_ids, token, position, segment)
np.testing.assert_allclose(naive, vectors, atol=1e-4)
print("loop = package: True", vectors.shape)

# %% [markdown]
# It does. (The dropout at the end of the layer is at work in training only.)

# %%
show_source(Embeddings)

# %% [markdown]
# There are as many places as the position table has rows. A longer text has no rows left to take,
# and the layer says so:

# %%
try:
    wide(np.zeros((1, 513), int), np.zeros((1, 513), int))
except ValueError as error:
    print(error)

# %% [markdown]
# Does the adding not bother you? A sum forgets its parts: nobody who is handed a 7 can tell
# whether it was 3 + 4 or 2 + 5. It would seem safer to put the three vectors end to end. Keep the
# doubt; section 2.6 settles it.
#
# ## 2.4 What the positions are for
#
# An encoder block lets each vector look at all others (notebook 3 shows how). For now it is a box.
# But you can ask a box a question: what does it know of order, if nobody tells it the places?
# Encode three sentences with positions; then silence the position table.

# %%
encoder = build_encoder(BertConfig(len(words), 2, 128, 2, 512), 0)  # V, L, H, A, width inside


def encode(sentence):
    return to_numpy(encoder(as_batch(sentence))["sequence_output"])[0]  # (S, H)


dog_bites, man_bites = "[CLS] the dog bit the man [SEP]", "[CLS] the man bit the dog [SEP]"
places = [encode(dog_bites), encode(man_bites)]
replaced = encode("[CLS] the dog bit the dog [SEP]")
encoder.get_layer("embeddings").position.set_weights([np.zeros((512, 128))])

# %% [markdown]
# **Predict.** `the dog bit the man`, `the man bit the dog`: the same words. Which of the seven
# vectors does the silenced encoder give differently: those of *dog* and *man*, that of *bit*, all,
# none?

# %%
swapped = [0, 1, 5, 3, 4, 2, 6]  # dog and man change places
no_places = [encode(dog_bites), encode(man_bites)]
np.testing.assert_allclose(no_places[1], no_places[0][swapped], atol=1e-5)
for label, (first, second) in (("without", no_places), ("with", places)):
    change = np.abs(second - first[swapped]).max(axis=1)  # (S,)
    print(f"{label:7} positions   dog {change[5]:.4f}   man {change[2]:.4f}   bit {change[3]:.4f}")
assert min(change[5], change[2]) > 1
print(f"'man' replaced by 'dog', with positions:   bit {np.abs(replaced - first)[3].max():.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# None. Every word keeps the vector it had and takes it along to its new place. Without positions a
# sentence is a bag of words, and who bit whom is not in the bag.
#
# </details>
#
# With positions, *dog* and *man* change a great deal: their places are in their own vectors. But
# look at *bit*. It stands where it stood, and hardly notices that the others have changed places:
# one word replaced by another moves it ten times as far. This network is untrained. It has been
# told the order and makes next to nothing of it. Positions make order *visible*; using it must be
# learnt, and section 2.7 comes to that.
#
# Now a mistake from published tutorials: the position table is called like the token table, with
# the token ids.

# %%
mistaken = token[token_ids] + position[token_ids] + segment[segment_ids]  # (S, H)
one_table = token + position[: len(words)]  # (V, H)
np.testing.assert_allclose(mistaken, one_table[token_ids] + segment[segment_ids], atol=1e-6)
print("is the first 'the' the same vector as the second?")
print("by token id:", np.array_equal(mistaken[1], mistaken[4]))
print("package:    ", np.array_equal(vectors[1], vectors[4]))

# %% [markdown]
# The shapes are right. But the "position" of *the* is row 3 wherever it stands. The two tables
# might as well be one, as the assert shows, and the encoder is back to a bag. With all 30,522
# pieces, most ids would have no row among 512 positions; in a test with nine words each has one,
# and the test passes. The package counts instead: `arange(length)`.
#
# ## 2.5 How loud is a place?
#
# All three tables are drawn alike, with a spread of about 0.02. How alike are the vectors that
# come of it? Measure by *cosine*: 1 if two vectors point the same way, 0 if they have nothing in
# common.


# %%
def cosines(rows, columns):
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    columns = columns / np.linalg.norm(columns, axis=1, keepdims=True)
    return rows @ columns.T


# %% [markdown]
# **Predict.** Take one word at 512 places; then 512 words at one place. Which family is more
# alike, and what are the two mean cosines?

# %%
one_word = np.full((1, 512), 2026)  # (B, S): the same word at 512 places
one_place = np.arange(5000, 5512)[:, None]  # 512 words, each alone, at place 0
for label, chosen in (("one word, many places", one_word), ("many words, one place", one_place)):
    made = to_numpy(tiny(chosen, 0 * chosen)).reshape(512, 128)
    alike = cosines(made, made)[np.triu_indices(512, k=1)].mean()
    print(f"{label}: {alike:.2f}")
    assert 0.6 < alike < 0.73

# %% [markdown]
# <details><summary>Answer</summary>
#
# Neither: two thirds each. Of three equally loud parts, each family shares two: word and segment,
# or place and segment. The sum has no order of rank.
#
# </details>
#
# Here is our pair of sentences, every vector against every other:

# %%
alike = cosines(vectors, vectors)
heat_map(alike, pair, pair, "cosine", limits=(0, 1))
plt.show()
inside, across = alike[:7, :7][np.triu_indices(7, k=1)].mean(), alike[:7, 7:].mean()
describe(
    f"a 12 × 12 map of cosines, on average {inside:.2f} inside sentence A and {across:.2f} across "
    f"the two. 'the' meets itself with {alike[1, 4]:.2f} inside A, with {alike[1, 7]:.2f} across."
)

# %% [markdown]
# The big blocks are the two sentences; words are spots. At birth, BERT hears *which sentence* as
# loudly as *which word*, and the word is only a third of its own vector.
#
# And the norm? It fixes the loudness of the whole: every vector leaves with mean 0 and spread 1,
# whatever the tables hold. So turn up all three together, and nothing changes behind it. Turn up
# one alone, and it drowns the others:

# %%
louder = naive_embeddings(token_ids, segment_ids, 10 * token, 10 * position, 10 * segment)
np.testing.assert_allclose(louder, vectors, atol=1e-4)
print("all tables ten times as loud, same vectors: True")
only_position = naive_embeddings(token_ids, segment_ids, token, 10 * position, segment)
drowned = cosines(only_position, only_position)[1, 4]
print(f"'the' and 'the' in sentence A: {alike[1, 4]:.2f}, positions louder {drowned:.2f}")
assert abs(drowned) < 0.15 < alike[1, 4]

# %% [markdown]
# ## 2.6 Can a sum be taken apart?
#
# Back to the doubt of 2.3, and it has grown. Only a third of a vector is about its word, and that
# third was *added* to two others. Is the word still in there?
#
# Play a game. You are handed 128 numbers, BERT-tiny's width: the normalised sum of one of 30,522
# token rows, one of 512 position rows and one of 2 segment rows.
#
# You know the tables, but you may do one thing only: take the cosine of your vector with each row
# of a table, and name the nearest. No subtracting, no trying of combinations: one matrix product,
# such as any layer of a network could do.
#
# **Predict.** You get 512 such vectors, one for each place, with random tokens and segments. How
# many of the 512 tokens do you name right? How many places, and how many segments?

# %%
rng = np.random.default_rng(0)
answers = {"token": rng.integers(30_522, size=512), "position": np.arange(512)}
answers["segment"] = rng.integers(2, size=512)
made = to_numpy(tiny(answers["token"][None], answers["segment"][None]))[0]  # (S, H)
tables = {name: to_numpy(getattr(tiny, name).embeddings) for name in answers}
print(f"possible sums: {30_522 * 512 * 2:,}")

# %%
for name, answer in answers.items():
    right = (cosines(made, tables[name]).argmax(axis=1) == answer).sum()
    print(f"{name:8} {right} of 512 right")
    assert right >= 505

# %% [markdown]
# <details><summary>Answer</summary>
#
# All of them, out of 31 million possible sums. If you expected a handful, the 7 and the one third
# had led you there. Adding has lost nothing that one matrix product cannot get back.
#
# </details>
#
# How can that be, when a 7 does not betray its 3 and 4? A 7 is one number; a row is a *direction*,
# and in a wide space random directions hardly touch. So play the game at several widths, and keep
# two cosines: of the vector with its own token row, and with the *best of the wrong* ones.


# %%
def play(width, games=400):
    rng = np.random.default_rng(width)
    tables = [rng.standard_normal((rows, width), dtype="float32") for rows in (30_522, 512, 2)]
    answers = [rng.integers(len(table), size=games) for table in tables]
    summed = sum(table[answer] for table, answer in zip(tables, answers))
    normed = (summed - summed.mean(axis=1, keepdims=True)) / summed.std(axis=1, keepdims=True)
    right = [(cosines(normed, t).argmax(axis=1) == a).mean() for t, a in zip(tables, answers)]
    alike = cosines(normed, tables[0])  # (games, V)
    own = alike[np.arange(games), answers[0]].mean()
    alike[np.arange(games), answers[0]] = -1
    return right, own, alike.max(axis=1).mean()


# %%
widths = [4, 16, 64, 128, 768]
shares, own, wrong = (np.array(column) for column in zip(*[play(width) for width in widths]))
print("   H   token  place  segment   own row  best wrong row")
for width, share, mine, other in zip(widths, shares, own, wrong):
    print(f"{width:4}", *(f"{number:7.2f}" for number in [*share, mine, other]))
assert shares[1, 0] < 0.2 and shares[2, 0] > 0.5 and shares[3:].min() > 0.97

# %% [markdown]
# At width 16 the token is hardly ever found, at 128 always. Shares and cosines as curves:

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for share, name, colour in zip(shares.T, answers, ("#31446b", "#b8a24a", "#7b7b78")):
    left.plot(widths, share, marker="o", label=name, color=colour)
right.plot(widths, own, marker="o", label="its own row", color="#31446b")
right.plot(widths, wrong, marker="o", label="best wrong row", color="#b8a24a")
for ax, label in ((left, "share named right"), (right, "cosine with a token row")):
    ax.set(xscale="log", xlabel="H, the width", ylabel=label, ylim=(0, 1.05))
    ax.set_xticks(widths, widths)
    ax.legend()
plt.show()
describe(
    f"left: tokens named right, {shares[1, 0]:.2f} at H = 16, {shares[2, 0]:.2f} at 64, "
    f"{shares[3, 0]:.2f} at 128. Right: the own row stays near {own[-1]:.2f}, "
    "the best wrong one falls below it."
)

# %% [markdown]
# The picture on the right explains the one on the left. The own row keeps its cosine of about 1/√3
# at every width, for it is one part of three. Wrong rows scatter around 0 with a spread of 1/√H,
# and the best of 30,521 reaches four spreads. Where the lines cross, the game turns. BERT-tiny,
# the narrowest that Google published, is just wide enough, and BERT-base has room to spare.
#
# What would make the game fail? Two controls: read with rows that are not in the sum, and let one
# part shout.

# %%
foreign = rng.standard_normal((30_522, 128))
right = (cosines(made, foreign).argmax(axis=1) == answers["token"]).sum()
print(f"another token table: {right} of 512 tokens right")
loud = [tables["token"], 10 * tables["position"], tables["segment"]]
shouting = naive_embeddings(answers["token"], answers["segment"], *loud)
drowned = (cosines(shouting, tables["token"]).argmax(axis=1) == answers["token"]).sum()
print(f"positions ten times as loud: {drowned} of 512 tokens right")
assert max(right, drowned) < 10

# %% [markdown]
# So a sum can be taken apart as long as it is wide and nobody shouts. These tables are random;
# training moves their rows, and is free to make them easier or harder to tell apart.
#
# And putting the vectors end to end? Whatever comes next multiplies by a matrix. Then it makes no
# difference:

# %%
parts = [token[token_ids], position[: len(token_ids)], segment[segment_ids]]  # each (S, H)
matrix = rng.standard_normal((3 * 768, 768))
end_to_end = np.concatenate(parts, axis=1) @ matrix  # (S, 3H) @ (3H, H)
added = sum(part @ matrix[768 * i : 768 * (i + 1)] for i, part in enumerate(parts))
np.testing.assert_allclose(end_to_end, added, atol=1e-6)
print("end to end, then a matrix = a sum: True")

# %% [markdown]
# A long vector times a tall matrix is the *sum* of three short products: again a sum of three
# rows, from tables that were multiplied beforehand. Nothing is gained. The other way is to keep
# the width of 3 H through all blocks, and this is what it costs:

# %%
normal = BertConfig(vocab_size=1, max_length=1, num_segments=1)  # BERT-base without its tables
tripled = BertConfig(1, 12, 3 * 768, 12, 3 * 3072, max_length=1, num_segments=1)
print(f"blocks of width 3 H: {parameters(tripled) / parameters(normal):.1f} times the parameters")

# %% [markdown]
# ## 2.7 One word, two senses
#
# A table has one row for *bank*, and the river's bank and the money's have to share it. Word
# vectors such as word2vec's end there. What does an encoder block add? Let us give it a test that
# it can fail, on sentences from a small grammar. The sense of *bank* is that of the clue right
# before it.

# %%
WHEN, WHO = "today early later often".split(), "she he they we".split()
WENT, PLACE = "walked drove ran cycled".split(), "house market school station".split()
RIVER, MONEY = "river lake brook canal".split(), "savings credit city loan".split()
FRAMES = [
    "{when} {who} {went} from the {other} to the {clue} bank",
    "{who} {went} from the {other} to the {clue} bank {when}",
    "{when} {who} {went} to the {clue} bank from the {other}",
    "{who} {went} to the {clue} bank from the {other} {when}",
]
words = [*WHEN, *WHO, *WENT, *PLACE, *RIVER, *MONEY, "from", "the", "to", "bank"]
ids = {word: i for i, word in enumerate(["[PAD]", *words])}

# %% [markdown]
# Sentences come as twins, one for each sense. With one clue, the twins differ in that clue alone.
# With two clues they have the *same words* and differ in their order. In both kinds *bank* stands
# at the same place in both twins.


# %%
def draw_twins(rng, two_clues, held_out):
    a, b, c, frame, i = rng.integers(4, size=5)
    j = i if held_out else (i + rng.integers(1, 4)) % 4  # these pairs never meet in training
    clues = (RIVER[i], MONEY[j if two_clues else i])
    others = clues[::-1] if two_clues else (PLACE[j], PLACE[j])
    chosen = {"when": WHEN[a], "who": WHO[b], "went": WENT[c]}
    return [FRAMES[frame].format(clue=x, other=y, **chosen) for x, y in zip(clues, others)]


# %%
rng = np.random.default_rng(0)
print("one clue", *draw_twins(rng, False, True), sep="\n    ")
print("two clues", *draw_twins(rng, True, True), sep="\n    ")

# %% [markdown]
# Nothing is trained yet. Take eight sentences that differ in the clue alone, four of each sense.
# How far apart are the eight vectors of *bank*, as they leave the table, and behind the untrained
# block?

# %%
eight = as_batch(*[f"today she walked to the {x} bank from the house" for x in RIVER + MONEY])


def bank_vectors(encoder, batch, depth=1):  # depth 0: from the table; 1: behind the block
    return hidden_states(encoder, batch)[depth][batch["token_ids"] == ids["bank"]]  # (B, H)


# %%
sizes = BertConfig(len(ids), 1, 64, 4, 128, max_length=16, dropout=0.0)  # V, L, H, A, inside
untrained = build_encoder(sizes, 0)
for depth, name in enumerate(["table", "untrained block"]):
    vectors = bank_vectors(untrained, eight, depth)
    apart = np.linalg.norm(vectors - vectors.mean(axis=0)) / np.linalg.norm(vectors)
    print(f"{name:15} apart by {apart:.2%} of their length")

# %% [markdown]
# The table gives one vector eight times. The block gives eight that differ, by a thousandth of
# their length. It is tempting to stop here and call them contextual. But is *different* the same
# as *better*? If it were, *river bank* would lie nearer to *lake bank* than to *loan bank*. Ask
# that of all such triples, and of ten untrained encoders, so that no lucky draw decides:


# %%
def own_sense_nearer(vectors):
    far = np.linalg.norm(vectors[:, None] - vectors, axis=-1)  # (8, 8)
    wins = []
    for i, j, k in np.ndindex(8, 8, 8):
        if i != j and i // 4 == j // 4 != k // 4:  # j has the sense of i, k the other
            wins.append(far[i, j] < far[i, k])
    return np.mean(wins)


# %%
ten = [own_sense_nearer(bank_vectors(build_encoder(sizes, seed), eight)) for seed in range(10)]
print(f"nearer to the own sense: {np.mean(ten):.1f} of the triples")
assert 0.4 < np.mean(ten) < 0.6

# %% [markdown]
# Half, which is chance. Each context has a vector of its own, and that is all. Nobody has told the
# model that rivers and lakes are alike.
#
# So train. Three readers get the same sentences. The first reads *bank* straight from the
# embeddings. The second reads it behind one encoder block, but has no positions. The third has
# both. On top of each stands one matrix with two answers, river or money.


# %%
def build_reader(block, positions):
    encoder = build_encoder(sizes, 0)
    layer = encoder.get_layer("embeddings")
    if not positions:
        layer.position.set_weights([np.zeros((16, 64))])
        layer.position.trainable = False
    hidden = encoder.output["sequence_output"] if block else layer.output  # (B, S, H)
    answer = keras.layers.Dense(2, kernel_initializer="zeros")(hidden)  # (B, S, 2)
    return encoder, keras.Model(encoder.input, answer)


# %% [markdown]
# Only the answer at *bank* counts. The pairs in the test (clue and clue, clue and place) never met
# in training.


# %%
def draw_set(seed, twins, kinds, held_out):
    rng = np.random.default_rng(seed)
    sentences = [s for _ in range(twins) for kind in kinds for s in draw_twins(rng, kind, held_out)]
    batch = as_batch(*sentences)
    return batch, np.arange(len(sentences)) % 2, batch["token_ids"] == ids["bank"]


# %%
def train(model):
    batch, senses, at_bank = draw_set(1, 1000, (False, True), held_out=False)
    labels = np.repeat(senses[:, None], at_bank.shape[1], axis=1)  # (B, S)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    how = {"batch_size": 64, "epochs": 3, "shuffle": False, "verbose": 0}
    model.fit(batch, labels, sample_weight=at_bank.astype("float32"), **how)


# %% [markdown]
# And the test, on one kind of sentence at a time:


# %%
def accuracy(model, two_clues):
    batch, senses, at_bank = draw_set(2, 200, [two_clues], held_out=True)
    logits = to_numpy(model(batch))[at_bank]  # (B, 2)
    return (logits.argmax(axis=1) == senses).mean()


# %% [markdown]
# **Predict.** Three readers, two kinds of sentence: six accuracies. Some of them you can work out
# without training anything. Which, and what are they?

# %%
results = {}
for name, block, positions in (("table", 0, 1), ("bag", 1, 0), ("encoder", 1, 1)):
    trained, reader = build_reader(block, positions)  # `trained` will be the third
    train(reader)
    results[name] = [accuracy(reader, two_clues) for two_clues in (False, True)]
    print(name.ljust(8), "one clue {:.1f}   two clues {:.1f}".format(*results[name]))
one_half = [*results["table"], results["bag"][1]]
assert np.abs(np.array(one_half) - 0.5).max() < 0.05
assert min(results["bag"][0], *results["encoder"]) > 0.95

# %% [markdown]
# <details><summary>Answer</summary>
#
# Three of them must be one half. To the table, twins are one and the same vector: whatever is said
# of it is right for one twin and wrong for the other. To the bag, twins with two clues are one and
# the same bag. No training can move these three. The others were free to be anything; that they
# became 1.0 is no feat, in a language of 28 words and one rule.
#
# </details>
#
# Two steps, then. A block gives context, and that will do when a single word decides. Positions
# give order, which is needed when the same words mean two things.
#
# What has training made of *bank*? From each of the eight vectors take away the mean of all eight,
# so that only the differences are left:

# %%
fig, axes = plt.subplots(1, 2, figsize=(12, 4.4))
for ax, encoder, title in zip(axes, (untrained, trained), ("untrained", "trained")):
    vectors = bank_vectors(encoder, eight)
    differences = vectors - vectors.mean(axis=0)
    alike = cosines(differences, differences)
    heat_map(alike, RIVER + MONEY, RIVER + MONEY, title, limits=(-1, 1), ax=ax)
plt.tight_layout()
plt.show()
nearer = own_sense_nearer(vectors)
assert nearer > 0.95
describe(
    "two 8 × 8 maps of cosines. Untrained: 1 on the diagonal, no pattern elsewhere. Trained: two "
    f"blocks, the rivers and the moneys; nearer to the own sense in {nearer:.1f} of the triples."
)

# %% [markdown]
# On the left, eight islands, each as far from its own sense as from the other. On the right, two
# senses. *Different* came free with the architecture; *better* had to be learnt.
#
# And yet, was the thousandth worth nothing? Section 2.6 should make you suspicious. The block
# *adds* to the vector of *bank* something of its neighbours, and what is added can be read out. So
# fit the best linear read-out (least squares; the block stays untrained) to one kind of sentence,
# and test it on new ones. The control is the same fit on the table's vectors.


# %%
def read_out(depth, two_clues):
    seen, senses, _ = draw_set(1, 1000, [two_clues], held_out=False)
    new, new_senses, _ = draw_set(2, 200, [two_clues], held_out=True)
    vectors, new_vectors = (bank_vectors(untrained, batch, depth) for batch in (seen, new))
    mean = vectors.mean(axis=0)
    weights = np.linalg.lstsq(vectors - mean, 2 * senses - 1, rcond=None)[0]  # (H,)
    return (((new_vectors - mean) @ weights > 0) == new_senses).mean()


# %%
from_table, one_clue, two_clues = read_out(0, False), read_out(1, False), read_out(1, True)
print(f"table, one clue {from_table:.1f}")
print(f"untrained block, one clue {one_clue:.1f}, two clues {two_clues:.1f}")
assert from_table < 0.55 < two_clues < 0.95 < one_clue

# %% [markdown]
# The clue was there all along, too soft to show in any distance, yet read without an error; and so
# was a part of the order. Training did not bring the context in: the block had done so untrained,
# by adding. Training learnt what of it matters, and made that loud.
#
# ## In five sentences
#
# A word is a row of a table, and only the rows that were read can learn. BERT adds a row for the
# word, one for the place and one for the sentence, equally loud at first, and normalises the sum.
# The sum can be taken apart again by a single matrix product, because random directions in a wide
# space hardly touch. Without positions an encoder is a bag of words, exactly. And a table cannot
# tell two senses apart, while an encoder block adds the context that can, and training makes it
# loud.
#
# ## What we left out
#
# Positions that are computed and not learnt (sines and cosines, rotations), and positions that
# count the distance between two words. The output of the masked-word model, which uses the token
# table a second time (notebook 5). What the rows of a *trained* table look like; the ones you took
# apart here were random.
#
# ## Where it is in the paper
#
# BERT (Devlin et al., 2019): §3, "Input/Output Representations", and figure 2 for the three
# tables; appendix A.2 for the sequences of 128 and 512; §2.1 for the word vectors that came
# before. *Attention Is All You Need* (Vaswani et al., 2017), §3.5, says why positions are needed,
# and that learned ones did as well as sines and cosines. The norm after the sum is in Google's
# code, and not in the text.
