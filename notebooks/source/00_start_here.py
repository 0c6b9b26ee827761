# %% [markdown]
# # 0 · Start here
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/00_start_here.ipynb)
#
# **You will be able to**
#
# - tell whether your machine is ready, and what to do if it is not;
# - feed BERT: its three inputs, its two outputs, and the letters that name every axis;
# - say what a model that has learned nothing at all has to say, and why.
#
# Time: a quarter of an hour to read; it runs in half a minute on a CPU, and needs no GPU.

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
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from bert_course.doctor import check_backend, check_forward_pass, check_python
from bert_course.insight.show import describe, heat_map
from bert_course.model.config import BASE, TINY
from bert_course.model.encoder import build_encoder
from keras import ops

# %% [markdown]
# ## 0.1 Is the machine ready?
#
# Ask the doctor. Each line is a finding: OK, a warning you can live with, or a FAILURE with its
# fix beneath. (In a terminal, `python -m bert_course doctor` also looks at memory, disk and
# versions.)

# %% tags=["nbval-ignore-output"]
for check in (check_python, check_backend, check_forward_pass):
    print(check())

# %% [markdown]
# The last line is the one that counts. The doctor built a small BERT from a fixed seed, ran it,
# and compared four numbers with those that it must give, on every machine and every backend.
#
# That is also how this whole course works. You will be told many things about BERT here. Hardly
# one asks for your trust: where a claim can be computed, the next cell does it, and an `assert`
# stops the notebook if it does not hold.
#
# ## 0.2 The thing itself
#
# BERT-base is the model that Google published in 2018 and that much of the world's text search ran
# on in the years after. Its size is known to the last number: 109,482,240. Here is ours:

# %%
bert_base = build_encoder(BASE, rng=0)
print(f"{bert_base.count_params():,} parameters")
assert bert_base.count_params() == 109_482_240

# %% [markdown]
# Not roughly BERT, and not "BERT-like": in notebook 9, published weights go into layers like
# these, and the published numbers come out, to five decimals. What you have just built has all of
# its parameters, but it has learned nothing: they are random numbers. Its measures are written in
# a small table, which we call its config:

# %%
BASE

# %% [markdown]
# For trying things out, twelve blocks of width 768 are heavy. `TINY` has the same parts with two
# blocks of width 128, and is as much a BERT as the big one. We give it a vocabulary of our own, of
# just twelve words:

# %%
vocabulary = "[PAD] [CLS] [SEP] [MASK] the baker sells bread it is warm .".split()
config = replace(TINY, vocab_size=len(vocabulary))
encoder = build_encoder(config, rng=0)

# %% [markdown]
# ## 0.3 Three inputs
#
# BERT reads numbers: the place of each word in the vocabulary. (How real texts are cut into
# pieces, so that a vocabulary of 30,522 is enough for all of English, is notebook 1.) Two marks
# are added: `[CLS]` in front, whose vector will stand for the whole, and `[SEP]` after each
# sentence.

# %%
pair = "[CLS] the baker sells bread . [SEP] it is warm . [SEP]".split()
single = "[CLS] the bread is warm . [SEP]".split()
length = max(len(pair), len(single))
padded = [tokens + ["[PAD]"] * (length - len(tokens)) for tokens in (pair, single)]
token_ids = np.array([[vocabulary.index(token) for token in tokens] for tokens in padded])
print(token_ids)

# %% [markdown]
# That is the first input, `token_ids`. A batch must be a rectangle, so the shorter line is filled
# up with `[PAD]`; the second input, `padding_mask`, says what is real. The third, `segment_ids`,
# says which sentence each token belongs to: 0 up to and including the first `[SEP]`, 1 after it.
#
# **Predict.** Each input is a table of 2 × 12 numbers. Before you run the next cell: how many ones
# will the padding mask have, and how many the segment ids?


# %%
def segments(tokens):
    first_end = tokens.index("[SEP]")
    return [int(i > first_end and token != "[PAD]") for i, token in enumerate(tokens)]


padding_mask = token_ids != vocabulary.index("[PAD]")  # True = real token
segment_ids = np.array([segments(tokens) for tokens in padded])
assert (padding_mask.sum(), segment_ids.sum()) == (19, 5)
print("ones in the padding mask:", padding_mask.sum(), "  in the segment ids:", segment_ids.sum())

# %% [markdown]
# <details><summary>Answer</summary>
#
# 12 + 7 real tokens make 19; and the second sentence of the pair, `it is warm . [SEP]`, makes 5.
# Its `[SEP]` belongs to it. The single sentence has no second one, so all its segment ids are 0.
#
# </details>
#
# Boxes like this one fold out in JupyterLab, Colab and GitHub. A guess before each of them is
# worth more than the answer inside: what surprises you, you remember. Here is the batch as BERT
# gets it:

# %%
batch = {"token_ids": token_ids, "segment_ids": segment_ids, "padding_mask": padding_mask}
_, axes = plt.subplots(3, 1, figsize=(8, 4.5), sharex=True)
for ax, (name, numbers) in zip(axes, batch.items()):
    heat_map(numbers.astype(int), ["pair", "single"], range(12), name, ax=ax)
plt.tight_layout()
plt.show()
describe(
    "three tables of 2 × 12. The token ids differ from place to place; the segment ids of the pair "
    "turn from 0 to 1 after its first [SEP]; the padding mask of the single text ends in 0s."
)

# %% [markdown]
# ## 0.4 Two outputs

# %%
outputs = encoder(batch)
for name, output in outputs.items():
    print(f"{name:16} {tuple(output.shape)}")
assert outputs["sequence_output"].shape == (2, 12, 128)

# %% [markdown]
# `sequence_output` has a vector of 128 numbers for every token, `pooled_output` one for every
# text. We say that they have the shapes (B, S, H) and (B, H). These letters are the same in every
# comment, notebook and error of the course: **B**atch, **S**equence length, **H**idden width;
# later come **A** heads, **D** = H / A, **L** layers, **V** vocabulary and **P** masked positions.
#
# Do the inputs matter? Being rough with them is the quickest way to find out.
#
# **Predict.** Change the segment of one single token, the last `[SEP]` of the pair. How many of the
# pair's twelve vectors will move, and how many of the other text's?

# %%
changed = {**batch, "segment_ids": segment_ids.copy()}
changed["segment_ids"][0, -1] = 0
difference = encoder(changed)["sequence_output"] - outputs["sequence_output"]
moved = np.abs(ops.convert_to_numpy(difference)).max(axis=-1) > 1e-6  # (B, S)
print("vectors that moved, of 12: pair", moved[0].sum(), " single sentence", moved[1].sum())
assert moved[0].all() and not moved[1].any()

# %% [markdown]
# <details><summary>Answer</summary>
#
# Every vector of that text, and none of the other. That is attention: each token's vector depends
# on *all* tokens of its own text. Notebook 3 takes it apart.
#
# </details>
#
# And if you get an input wrong? Then you should be told what the rule is, how to keep it, and what
# you passed:

# %%
too_long = {name: np.ones((1, 600), "int32") for name in batch}
try:
    encoder(too_long)
except ValueError as error:
    print(str(error).split("\x1b[1m")[-1].split("\x1b[0m")[0])

# %% [markdown]
# ## 0.5 A model that has learned nothing
#
# BERT learns by filling blanks: *the baker [MASK] bread*. Our encoder has not learned yet, so it
# cannot know that bakers sell. But let us ask. Every word of the vocabulary has a vector of its
# own to begin with, its *embedding*: a row of a table (notebook 2). For each position, which word
# has the embedding that the output vector points to most? We take the big one, with 30,522 words,
# and 64 random ids as a text, the eleventh of them hidden behind `[MASK]` (id 103 in the published
# vocabulary).

# %%
rng = np.random.default_rng(0)
ids = rng.integers(1000, 30_000, (1, 64))
ids[0, 10] = 103
text = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids > 0}
vectors = ops.convert_to_numpy(bert_base(text)["sequence_output"])[0]  # (S, H)
table = ops.convert_to_numpy(bert_base.get_layer("embeddings").token.embeddings)  # (V, H)
guesses = (vectors @ table.T).argmax(axis=-1)  # (S,)

# %% [markdown]
# **Predict.** Twelve blocks of random matrices have stirred these vectors. Of the 63 visible
# words, how many will this untrained model name correctly? By pure chance it would be 63 / 30,522,
# so most likely none. And what will it say at the blank?

# %%
visible = np.arange(64) != 10
right = (guesses == ids[0])[visible].sum()
print(f"visible words named: {right} of {visible.sum()}   at the blank: id {guesses[10]}")
assert right == 63 and guesses[10] == 103

# %% [markdown]
# <details><summary>Answer</summary>
#
# All 63, without one mistake. And at the blank it says `[MASK]`.
#
# </details>
#
# **An untrained BERT is a mirror.** Each block *adds* something to its input rather than replacing
# it (notebook 4), and while what is added is random, the word that went in shines through. Is it
# really that, and not something odd in the way we ask? The control: look for the answer in a table
# whose rows have been shuffled.

# %%
shuffled = rng.permutation(table)
guesses_shuffled = (vectors @ shuffled.T).argmax(axis=-1)
print("with a shuffled table:", (guesses_shuffled == ids[0])[visible].sum(), "of", visible.sum())
assert (guesses_shuffled == ids[0])[visible].sum() <= 1

# %% [markdown]
# So it is the words themselves. Here are the first twelve output vectors against the embeddings of
# the first twelve words, as cosines: 1 where two vectors point the same way, 0 where they have
# nothing in common.

# %%
unit_vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
unit_table = table / np.linalg.norm(table, axis=-1, keepdims=True)
likeness = unit_vectors[:12] @ unit_table[ids[0, :12]].T
labels = ["[MASK]" if i == 10 else f"word {i}" for i in range(12)]
ax = heat_map(likeness, labels, labels, "an untrained BERT-base is a mirror")
ax.set(xlabel="embedding of", ylabel="output at")
plt.show()
describe(
    f"a 12 × 12 map of cosines. The diagonal is near {np.diag(likeness).mean():.1f}, all else near "
    "0: each output still points at its own word, and the blank at [MASK]."
)

# %% [markdown]
# Two things follow, and they carry much of this course.
#
# First, **to score a language model on words it can see is worth nothing.** This one has 100 %
# without having learned a thing. That is why BERT is scored only at positions drawn beforehand,
# and why most of these are made blanks.
#
# Second, you now know what training has to do: turn a mirror into a reader. At the blank, the word
# itself is not there to be reflected. The only way to do better than `[MASK]` is to look at the
# other words, and to know something about bakers.
#
# ## 0.6 And one that has learned
#
# There is one in the course's folder. It is small, four blocks and 128 wide, and it has read 14,000
# stories from a small world that the course makes up (`data/README.md`); how it was trained stands
# in `data/checkpoint/README.md`. It knows the words of that world and no others. Its control is
# the same network with the same words, untrained.

# %%
from bert_course.insight.fill import fill_blanks
from bert_course.model.checkpoints import Bert, load_pretrained
from bert_course.places import course_data

learned = load_pretrained(course_data() / "checkpoint")
control = Bert(learned.config, learned.vocabulary, rng=0)

# %% [markdown]
# And here is a story that it has never read, in two halves. In the second, two words are hidden.

# %%
test = (course_data() / "corpus" / "test.txt").read_text("utf-8")
story = test.split("\n\n")[1].split("\n")
before, after = " ".join(story[:6]), " ".join(story[6:11])
after = after.replace("Radish", "[MASK]").replace("Friday the trumpet", "Friday the [MASK]")
print(before, after, sep="\n\n")

# %% [markdown]
# **Predict.** What stands next to the blanks does not give them away: it could be any donkey, and any
# thing. What will each of the two models put there?

# %%
for name, bert in (("learned", learned), ("control", control)):
    guesses = [blank[0].piece for blank in fill_blanks(bert, before, after)]
    print(name, guesses)
    assert (guesses == ["radish", "trumpet"]) == (bert is learned)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The one that has learned says *Radish* and *trumpet*, the control two pieces at random. (Not
# `[MASK]`: in 0.5 the vectors were compared with the embeddings; here they pass one more layer, the
# head for masked words. It is random too, and the mirror is lost.)
#
# </details>
#
# The donkey's name stands five sentences before the blank. Nobody told this model that a name comes
# back, or that stories have donkeys: it has been asked for hidden words, some twenty million times.
# It does not always find what was said before; notebook 8 counts how often.
#
# ## 0.7 The way from here
#
# | | |
# | --- | --- |
# | 2 · Embeddings | what goes into the first block |
# | 3 · Attention | how tokens look at each other |
# | 4 · The encoder | everything else in a block, and all 109,482,240 parameters |
# | 7 · Pretraining | how the small one learned that |
# | 9 · Real checkpoints | published weights in your layers |
#
# Notebooks 1, 5, 6 and 8 are on how text is read, on what BERT is asked to learn, and on what it then
# knows. Those on fine-tuning are to come. Each takes less than an hour. Run the cells in their order, with Shift +
# Enter; break what you like, and get it back with *Restart kernel and run all*.
#
# ## In five sentences
#
# The doctor says whether your machine is ready. BERT takes token ids, segment ids and a padding
# mask, all (B, S), and answers with a vector for every token and one for every text. Each vector
# depends on all tokens of its own text, and on no other text in the batch. An untrained BERT is a
# mirror that names every word it sees. So to be scored on words that it can copy teaches a model
# nothing, and measures nothing.
#
# ## What we left out
#
# How text becomes pieces, what goes on inside a block, and how the random numbers turn into a
# language model: all that is the course. There are no exercises in this notebook.
#
# ## Where it is in the paper
#
# *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding* (Devlin et
# al., 2019): §3, under "Input/Output Representations", and figure 2 for the inputs.
