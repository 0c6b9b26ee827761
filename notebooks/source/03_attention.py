# %% [markdown]
# # 3 · Attention
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/03_attention.ipynb)
#
# **You will be able to**
#
# - write attention as a loop, as a formula and as a Keras layer, and show that the three agree;
# - say what √D and the padding mask are for, by taking each away and measuring what breaks;
# - name the parameters of BERT-base that do nothing at all. (There are 9,216 of them.)
#
# Time: half an hour to read; it runs in under a minute on a CPU, and no faster on a GPU.

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

from bert_course.insight.show import attention_heads, attention_map, describe, show_source
from bert_course.model.attention import (
    SelfAttention,
    attention,
    attention_weights,
    padding_bias,
)
from bert_course.model.config import BASE, BertConfig
from keras import layers, ops  # after bert_course.model, which keeps the backend's banner quiet

# %% [markdown]
# ## 3.1 A dictionary that answers softly
#
# A Python dictionary answers a *query* if it holds exactly that *key*, and then with exactly one
# *value*. Ask this one for `"feline"` and it gives up:

# %%
dictionary = {"cat": "purrs", "dog": "barks", "tram": "rattles"}
print(dictionary.get("feline"))

# %% [markdown]
# Now let queries and keys be vectors. Then a query need not equal a key, it can be *near* one.
# Below, the first number of a key says how much of an animal the thing is, the second how much it
# likes company. The values are vectors too: how much each thing purrs, barks, rattles.

# %%
keys = np.array([[2.0, -2.0], [2.0, 2.0], [-2.0, 0.0]])  # cat, dog, tram
values = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
queries = np.array([[2.0, -1.0], [2.0, 0.0]])  # something feline; some animal or other

# %% [markdown]
# How near is a query to a key? Multiply them number by number and add up. A *softmax* turns these
# scores into weights that are positive and sum to 1, and the answer is the mean of all values
# under these weights. That is attention, all of it. As a loop:


# %%
def one_answer(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key)) / len(query) ** 0.5 for key in keys]
    exponentials = [np.exp(score) for score in scores]
    weights = [e / sum(exponentials) for e in exponentials]
    return sum(weight * value for weight, value in zip(weights, values))


print(one_answer(queries[0], keys, values).round(3))

# %% [markdown]
# It gets an answer that mostly purrs, with a trace of a bark. (Divided by `len(query) ** 0.5`?
# That is the √D of the formula. Section 3.2 takes it away to see why it is there.)
#
# **Predict.** The second query, `[2, 0]`, asks for an animal and does not care for company. It is
# just as near to the cat as to the dog. What does it get: the cat's value, the dog's, or neither?

# %%
answer = one_answer(queries[1], keys, values)
assert np.isclose(answer[0], answer[1])
print("purrs", answer[0].round(3), " barks", answer[1].round(3), " rattles", answer[2].round(3))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Half of each: an animal that half purrs and half barks. Attention never picks; it *mixes*. A hard
# choice is only the limit when one score leaves all others behind. That is what makes it
# learnable: a mix changes smoothly when the scores do, so there is a gradient, and a choice has
# none.
#
# </details>
#
# Stack all queries into a matrix Q, all keys into K, all values into V, and the loop becomes one
# line:
#
# $$\text{Attention}(Q, K, V) = \text{softmax}\!\left(\frac{QK^\top}{\sqrt{D}}\right)V$$
#
# The package has it in just this form. Is it the same as the loop?

# %%
naive = np.stack([one_answer(query, keys, values) for query in queries])
np.testing.assert_allclose(naive, attention(queries, keys, values), atol=1e-6)
print("loop = package: True")

# %% [markdown]
# It is, so here is the code that this course, its tests and its training runs use. Read it; apart
# from the mask and the dropout there is nothing in it that you have not just seen.

# %%
show_source(attention, attention_weights, padding_bias)

# %% [markdown]
# One detail of it is worth a second look: the *query* is divided by √D, not the scores. The result
# is the same, but there are S × D numbers in the queries and S × S in the scores, and in half
# precision a large score may not fit before it is divided. Good code is full of such small
# reorderings. What keeps them honest is the line with `assert_allclose`.
#
# ## 3.2 Why √D
#
# A score is a sum of D products. If the numbers in queries and keys are independent, each with
# variance 1, then every product has variance 1 as well, and D of them add up.
#
# **Predict.** BERT-base has heads of width D = 64. By what factor are scores of width 64 spread
# out more than scores of width 1: 64, 8, or not at all?

# %%
rng = np.random.default_rng(0)
widths = [1, 4, 16, 64, 256, 1024]
spread = {}
for width in widths:
    query, key = rng.standard_normal((2, 10_000, width))
    spread[width] = (query * key).sum(axis=1).std()
    print(f"D = {width:4}   standard deviation {spread[width]:6.2f}   √D = {width**0.5:5.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# By 8. The *variance* grows like D, the spread (its root) like √D. Dividing by √D brings it back
# to 1 whatever the width.
#
# </details>
#
# So what, one may ask: scores of ±8 instead of ±1. But the scores go into an exponential. Here are
# the weights that one query gives to 16 keys, with and without the division, sorted:

# %%
query, key = rng.standard_normal((1, 64)), rng.standard_normal((16, 64))
with_root = np.sort(np.asarray(attention_weights(query, key))[0])[::-1]
without_root = np.sort(np.asarray(attention_weights(query * 8, key))[0])[::-1]  # undoes the /√64
print("with √D   ", with_root[:5].round(3))
print("without √D", without_root[:5].round(3))

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
for ax, weights, title in zip(axes, (with_root, without_root), ("with √D", "without √D")):
    ax.bar(range(16), weights, color="#31446b")
    ax.set(title=title, xlabel="keys, nearest first", ylim=(0, 1))
axes[0].set_ylabel("weight")
plt.show()
describe(
    f"two bar charts of 16 weights. With √D they fall gently from {with_root[0]:.2f}; "
    f"without, the first has {without_root[0]:.2f} and nearly all others are flat on the floor."
)

# %% [markdown]
# Without the root two keys share nearly all the weight, and not because a model learned to look at
# them: these are random numbers. (The premise was numbers of variance 1. A fresh BERT's queries
# are smaller than that, so it begins more gently; how large they get is for training to find out,
# and it should not depend on how wide a head happens to be.) And here is what it costs. The slope
# of a softmax at a weight $w$ is $w(1-w)$: next to nothing where $w$ is next to 0 or 1. No slope,
# no gradient, no learning. The table has this slope, summed over the 16 keys:

# %%
widths = np.array([4, 16, 64, 256, 1024])
slopes = {"with √D": [], "without √D": []}
for width in widths:
    query, key = rng.standard_normal((1000, width)), rng.standard_normal((16, width))
    for label, factor in (("with √D", 1), ("without √D", width**0.5)):
        weights = np.asarray(attention_weights(query * factor, key))
        slopes[label].append((weights * (1 - weights)).sum(axis=-1).mean())
    print(f"D = {width:4}   " + "   ".join(f"{k} {v[-1]:.3f}" for k, v in slopes.items()))
assert slopes["without √D"][-1] < 0.2 * slopes["with √D"][-1]

# %%
fig, ax = plt.subplots(figsize=(5.5, 3))
for (label, slope), colour in zip(slopes.items(), ("#31446b", "#b8a24a")):
    ax.plot(widths, slope, marker="o", label=label, color=colour)
ax.set(xscale="log", xlabel="D, the width of a head", ylabel="slope, summed over keys", ylim=(0, 1))
ax.set_xticks(widths, widths)
ax.legend()
plt.show()
describe(
    "slope of the softmax, summed over 16 keys, against the width D. With √D it stays near "
    f"{slopes['with √D'][-1]:.1f}; without, it sinks to {slopes['without √D'][-1]:.2f} at D = 1024."
)

# %% [markdown]
# With the division the slope does not care how wide a head is. That is the whole reason for the
# root, and the paper gives it in a footnote.
#
# ## 3.3 What the padding mask does, and what it does not
#
# Sentences differ in length; a batch is a rectangle. So short sentences are filled up with
# `[PAD]`, and attention must not look there. A padding mask says which positions are real: **True
# = real token**, in all of this course.
#
# The naive cure: compute the weights as always, set those of padding to 0, and divide so that each
# row sums to 1 again.

# %%
tokens = ["[CLS]", "the", "tram", "[SEP]", "[PAD]", "[PAD]"]
padding_mask = np.array([[True, True, True, True, False, False]])
hidden = rng.standard_normal((1, 1, 6, 8))  # (B, A, S, D)


# %%
def naive_padded_weights(query, key, padding_mask):
    weights = np.asarray(attention_weights(query, key))
    weights = weights * padding_mask[:, None, None, :]  # (B, 1, 1, S): the keys, for all queries
    return weights / weights.sum(axis=-1, keepdims=True)


naive = naive_padded_weights(hidden, hidden, padding_mask)
weights = np.asarray(attention_weights(hidden, hidden, padding_mask))
np.testing.assert_allclose(naive, weights, atol=1e-6)
print("naive = package: True")

# %% [markdown]
# **Predict.** The package does not divide twice. It adds a hugely negative number to the scores of
# padding *before* the softmax, and $e^{-\text{huge}}$ is 0. In the picture below, which cells will
# be 0: the last two rows, the last two columns, or both?

# %%
attention_map(weights[0, 0], tokens, "padding masked")
plt.show()
assert (weights[0, 0][:, 4:] == 0).all() and (weights[0, 0][4:, :4] > 0).any()
describe(
    "a 6 × 6 attention map. The two [PAD] columns are exactly 0 in every row. "
    "The two [PAD] rows are not: they spread their weight over the four real tokens."
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The columns only. Nobody looks *at* padding; but the padding positions themselves go on looking
# at the real tokens, and get vectors like everyone else. Those vectors mean nothing, and they do
# no harm, because no one looks at them in the next layer either. Just never read them: a mean over
# all positions that forgets the mask is among the commonest bugs in code that uses BERT.
#
# </details>
#
# The promise of the mask is this: *what stands in the padding changes nothing at the real
# positions.* Let us hold the package to it, with a control that must fail.

# %%
other_padding = hidden.copy()
other_padding[:, :, 4:] = 100 * rng.standard_normal((1, 1, 2, 8))  # garbage, and loud
before = np.asarray(attention(hidden, hidden, hidden, padding_mask))[0, 0, :4]
after = np.asarray(attention(other_padding, other_padding, other_padding, padding_mask))[0, 0, :4]
no_mask = np.asarray(attention(other_padding, other_padding, other_padding))[0, 0, :4]
np.testing.assert_allclose(before, after, atol=1e-6)
print(f"with the mask    largest change {np.abs(after - before).max():.4f}")
print(f"without          largest change {np.abs(no_mask - before).max():.0f}")
assert np.abs(no_mask - before).max() > 1

# %% [markdown]
# Now break it on purpose. Half of the world's code has True for *padding* (PyTorch's
# `key_padding_mask` does), so sooner or later you will hand over a mask that is upside down.
# Nothing raises an error:

# %%
upside_down = np.asarray(attention_weights(hidden, hidden, ~padding_mask))
attention_map(upside_down[0, 0], tokens, "mask upside down")
plt.show()
print("weight on real tokens:", upside_down[0, 0][:, :4].sum())
describe("the same map with the mask inverted: all weight lies on the two [PAD] columns.")

# %% [markdown]
# Every token of this text now sees nothing but padding: to each, all the others have vanished. (In
# a text *without* padding the mask then hides all positions alike, and every token sees the same
# mean of all.) Nothing stops you: the residual of notebook 4 still brings each token its own word.
# That is why the mask here is never called just "mask".
#
# One more trap, in numbers. How negative is "hugely negative"? Tutorials like −1e9.

# %%
with np.errstate(all="ignore"):
    scores = np.full(2, -1e9).astype("float16")  # a row that is all padding
    exponentials = np.exp(scores - scores.max())
print("in float16:", scores, "  its softmax:", exponentials / exponentials.sum())

# %% [markdown]
# Half precision ends at 65,504, so −1e9 becomes −∞, and in a row of padding alone −∞ − (−∞) is not
# a number. One such row turns the loss of the whole batch into NaN. The package asks the number
# format itself how low it can go, and takes half of that, so that adding a score cannot overflow
# either:

# %%
all_padding = np.zeros((1, 6), bool)
half = hidden.astype("float16")
weights = ops.convert_to_numpy(attention_weights(half, half, all_padding))
assert np.isfinite(weights).all()
print(weights.dtype, "a row of nothing but padding:", weights[0, 0, 0].round(3))

# %% [markdown]
# ## 3.4 Queries, keys and values of one's own, and many heads
#
# Where do queries, keys and values come from? So far we wrote them by hand, or took the same
# vectors for all three. In BERT there is only one vector for each token, $x$, and three matrices
# that are learned like all other weights. They make of it what the token asks for, what it offers
# to be found by, and what it has to give:
#
# $$q = xW^Q + b^Q \qquad k = xW^K + b^K \qquad v = xW^V + b^V$$
#
# Because all three are made from the same text, this is *self*-attention. Without the matrices, a
# token could only look for tokens like itself:

# %%
vectors = rng.standard_normal((6, 64))
query_matrix, key_matrix = rng.standard_normal((2, 64, 64)) / 8
plain = np.asarray(attention_weights(vectors, vectors))
learned = np.asarray(attention_weights(vectors @ query_matrix, vectors @ key_matrix))
print("weight on oneself, without matrices:", plain.diagonal().round(2))
print("weight on oneself, with (random) ones:", learned.diagonal().round(2))
assert plain.diagonal().min() > 0.9 > 0.6 > learned.diagonal().mean()

# %% [markdown]
# One softmax makes one mixture. But a word may need its subject, its adjective and the end of its
# sentence at once. So BERT cuts the width H into A slices of D = H / A, and lets each attend on
# its own. Cutting is where the most treacherous bug of this notebook lives. Here are two ways to
# get from (S, H) to (A, S, D); both run, and both have the right shape:

# %%
length, num_heads, head_dim = 3, 2, 2
projected = np.array([["a0", "a1", "a2", "a3"], ["b0", "b1", "b2", "b3"], ["c0", "c1", "c2", "c3"]])
one_way = projected.reshape(length, num_heads, head_dim).transpose(1, 0, 2)
other_way = projected.reshape(num_heads, length, head_dim)
print(one_way.shape, other_way.shape)

# %% [markdown]
# **Predict.** Rows are positions a, b, c. What must head 0 hold: which letters, which numbers?
# Which of the two ways gives it that?

# %%
print("reshape, then transpose:\n", one_way[0])
print("reshape alone:\n", other_way[0])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Head 0 must hold the first two numbers of *every* position: a0 a1, b0 b1, c0 c1. Reshaping alone
# deals out the numbers in the order they lie in memory, so that "position 1" of head 0 is really
# the second half of position a. A model built so trains, badly, and never says why.
#
# </details>
#
# The layer in the package does the former, between four matrices W. You can now read all of it:

# %%
show_source(SelfAttention)

# %% [markdown]
# Is it what everybody else means by multi-head attention? Keras has its own layer. Give both the
# same weights, and they must give the same answer.

# %%
config = BertConfig(vocab_size=100, num_layers=1, hidden_dim=12, num_heads=3, intermediate_dim=24)
ours = SelfAttention(config, np.random.default_rng(1))
theirs = layers.MultiHeadAttention(num_heads=3, key_dim=4)
x = rng.standard_normal((2, 6, 12)).astype("float32")  # (B, S, H)
padding_mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]], bool)
ours(x, padding_mask), theirs(x, x)  # the first call makes the weights
print([tuple(w.shape) for w in theirs.get_weights()])

# %% [markdown]
# Keras keeps the heads on an axis of their own, (H, A, D), where we let them stand side by side,
# (H, H). The same numbers in the same order, so a reshape carries them over. We make the biases
# random first: at 0 they would prove nothing.

# %%
for ours_weight, their_weight in zip(ours.trainable_weights, theirs.trainable_weights):
    ours_weight.assign(0.5 * rng.standard_normal(ours_weight.shape))
    their_weight.assign(ops.reshape(ours_weight, their_weight.shape))
keras_answer = theirs(x, x, attention_mask=padding_mask[:, None, :])
np.testing.assert_allclose(ours(x, padding_mask), keras_answer, atol=1e-5)
print("ours = Keras's: True")

# %% [markdown]
# So: three heads, three maps, each a different mixture of the same six tokens. (The weights are
# random; there is nothing to be read in these maps. Notebook 8 is about maps in which there is,
# and about those that only look it.)

# %%
maps = ops.convert_to_numpy(ours.attention_weights(x, padding_mask))  # (B, A, S, S)
attention_heads(maps[1], ["[CLS]", "the", "tram", "[SEP]", "[PAD]", "[PAD]"])
plt.show()
describe("three 6 × 6 maps with random weights, all different, all with two empty [PAD] columns.")

# %% [markdown]
# **Predict.** BERT-base has 12 heads. How many more parameters does its attention have than a
# layer of the same width with one head?


# %%
def count(num_heads):
    sizes = BertConfig(hidden_dim=768, num_heads=num_heads)
    layer = SelfAttention(sizes, np.random.default_rng(0))
    layer(np.zeros((1, 2, 768), "float32"))
    return sum(int(np.prod(w.shape)) for w in layer.trainable_weights)


print("heads 1, 12, 768:", count(1), count(12), count(768))
assert count(1) == count(12) == 4 * (768 * 768 + 768)

# %% [markdown]
# <details><summary>Answer</summary>
#
# None. Heads are a way to *cut* a width, not to add to it: always 4 matrices of H × H and 4
# biases. Nor do they cost more multiplications. What more heads take away is the width D in which
# each can tell keys apart.
#
# </details>
#
# ## 3.5 A head with a right answer
#
# Can attention do something definite, like *look at the word before*? Let us not train it but
# build it, so that we know what the map has to look like. Give each position a direction of its
# own (one-hot), let the query of position i ask for the key of position i − 1, and turn the volume
# up.

# %%
words = ["she", "sells", "sea", "shells"]
keys = np.eye(4)  # one direction for each position
queries = 20 * np.roll(keys, 1, axis=0)  # row i holds the key of position i - 1, loudly
sharp = np.asarray(attention_weights(queries, keys))
attention_map(sharp, words, "look at the word before")
plt.show()
describe("a 4 × 4 map with one bright cell a row: each word looks at the one before it.")

# %% [markdown]
# The first word has none before it, and goes round to the last: a wheel, since that is what we
# built. Real models have heads much like this, found by training. The point to keep: such a map
# *has* a right answer, and we could check it.

# %%
assert (sharp.argmax(axis=-1) == [3, 0, 1, 2]).all() and sharp.max(axis=-1).min() > 0.99
print("looks at:", [words[i] for i in sharp.argmax(axis=-1)])

# %% [markdown]
# ## 3.6 The parameters that do nothing
#
# Attention has four biases: for queries, keys, values and the output. You would expect that each
# does something. Let us be rough with them one at a time: set each to large random numbers, and
# see how far the output moves.
#
# **Predict.** Which moves it most, and which least?

# %%
moved = {}
before = ops.convert_to_numpy(ours(x, padding_mask))
for name in ("query", "key", "value", "join"):
    bias = getattr(ours, name).bias
    kept = ops.convert_to_numpy(bias)
    bias.assign(5 * rng.standard_normal(bias.shape))
    moved[name] = np.abs(ops.convert_to_numpy(ours(x, padding_mask)) - before).max()
    bias.assign(kept)
    print(f"{name:6} bias made random: output moves by {moved[name]:.2f}")
assert moved["key"] < 1e-4 and min(moved["query"], moved["value"], moved["join"]) > 0.5

# %% [markdown]
# <details><summary>Answer</summary>
#
# The biases of queries, values and output move it a good deal. But the bias of the **keys moves it
# not at all**. Add a vector b to every key: the score of query q with *each* key grows by the same
# q·b. And a softmax does not see what is added to all its inputs alike, just as it does not see
# the mask's constant in a row that is all padding.
#
# </details>
#
# The values' bias is needed no more, though it moves the output: since weights sum to 1, all of it
# arrives at the output matrix, and the output's own bias can take it over.

# %%
value_bias, kernel = ours.value.bias, ours.join.kernel
ours.join.bias.assign_add(ops.matmul(value_bias[None], kernel)[0])
value_bias.assign(ops.zeros_like(value_bias))
np.testing.assert_allclose(ours(x, padding_mask), before, atol=1e-4)
print("the same without a bias of the values: True")

# %% [markdown]
# But the keys' can be dropped and nothing need take it over. Such biases are in every BERT ever
# published: H of them in each block. Their gradient is zero up to rounding noise, and noise is all
# that training can have put there. In a real model, all-MiniLM-L6-v2, the largest bias of any
# query is 1.35, and the largest of any key is 0.005. (Read from its `model.safetensors` with numpy
# in November 2026; notebook 9 shows how.) How many such numbers does BERT-base carry?

# %%
useless = BASE.num_layers * BASE.hidden_dim
print(f"key biases of BERT-base: {useless:,}")
assert useless == 9_216

# %% [markdown]
# Why keep them? Because exactness is the aim here: a published checkpoint has them, and ours must
# load it to the last number. But note how you came to know it: not from a paper, from being rough
# with a layer and measuring. That is how you will read the rest of this course.
#
# ## In five sentences
#
# Attention answers a query with the mean of all values, weighted by how near their keys are.
# Without √D the weights of wide heads collapse onto one or two keys and the gradient dies. The
# padding mask keeps everyone from looking *at* padding; padding itself still looks. Heads cut the
# width into slices that attend on their own, at no cost in parameters. And the bias of the keys
# does nothing, which you can prove in ten lines.
#
# ## What we left out
#
# Masks that hide the future (GPT needs them, BERT sees both sides), attention from one text to
# another, and the fused kernels that never write the S × S map to memory. Their results are the
# same: for speed, not for meaning.
#
# ## Where it is in the paper
#
# *Attention Is All You Need* (Vaswani et al., 2017): §3.2.1 for the formula, footnote 4 for √D,
# §3.2.2 for heads. BERT (Devlin et al., 2019) refers to it in §3 without repeating it.
