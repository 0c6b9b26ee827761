# %% [markdown]
# # 5 · Masked words
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/05_masked_words.ipynb)
#
# **You will be able to**
#
# - choose 15 % of a text and hide it as BERT does, and show that a loop and the package draw
#   alike;
# - say what each part of 80/10/10 is for, by training without it and measuring what is missing;
# - unmask two mistakes from tutorials one meets, both of which make the loss look better.
#
# Time: three quarters of an hour to read; its eleven short trainings take about a minute on a CPU,
# and no GPU is needed: the model is too small to keep one busy.

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
from itertools import islice

import matplotlib.pyplot as plt
import numpy as np

from bert_course.insight.show import curves, describe, heat_map, show_source
from bert_course.places import course_data
from bert_course.text.documents import read_documents
from bert_course.text.masking import draw_budget, mask_tokens, replace_words
from bert_course.text.wordpiece import WordPieceTokenizer

# %% [markdown]
# ## 5.1 Which words are asked for
#
# *He whistles all day, for the tune is …* You can finish that, and nobody ever labelled a sentence
# for you. Cover a word, remember what it was: every text is full of questions that come with their
# answers. BERT learns from these, and from the sentence pairs of notebook 6, and from nothing
# else.
#
# The texts here come from the small world of the course (`data/README.md`). To learn something in
# seconds, a small model needs a small subject: sentences in which one half gives the reason for
# the other.

# %%
tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
vocabulary = tokenizer.vocabulary


def with_reason(part):
    documents = read_documents(course_data() / "corpus" / f"{part}.txt", layout="sentences")
    return [sentence for document in documents for sentence in document if ", for " in sentence]


train = with_reason("train")
held_out = [s for s in with_reason("validation") + with_reason("test") if s not in set(train)]
print(f"{len(train):,} to train on; {len(held_out)} others, none of which is among them")
print(*held_out[:4], sep="\n")


# %%
def as_rows(sentences, length=32):
    rows = np.full((len(sentences), length), vocabulary.pad, "int32")
    for row, sentence in zip(rows, sentences):
        ids = tokenizer.encode(sentence, max_length=length).ids
        row[: len(ids)] = ids
    return rows  # (N, S)


train_rows, held_out_rows = as_rows(train), as_rows(held_out)
print(" ".join(vocabulary.pieces[i] for i in held_out_rows[0]))

# %% [markdown]
# A share of 15 % is asked for. Of what? Of the pieces of the text: nobody learns anything from
# guessing that a `[SEP]` is a `[SEP]`, or that padding is padding. And 15 % of 10 pieces is one
# and a half. You could round.
#
# **Predict.** Rows of 10 pieces, and rows of 16. Python rounds 1.5 to 2, and 2.4 to 2. Which share
# of the words is then asked for, in the first rows and in the second?

# %%
rng = np.random.default_rng(0)
lengths = np.arange(7, 41)
rounded, drawn = [], []
for n in lengths:
    rows = np.full((4000, n + 2), tokenizer.ids("tune")[0])  # n pieces between [CLS] and [SEP]
    rows[:, 0], rows[:, -1] = vocabulary.cls, vocabulary.sep
    rounded.append(round(0.15 * n) / n)
    drawn.append(mask_tokens(rows, rng, vocabulary).weights.sum() / (4000 * n))
print(f"rounded: {rounded[10 - 7]:.1%} of 10, {rounded[16 - 7]:.1%} of 16")
print(f"package: {drawn[10 - 7]:.1%} of 10, {drawn[16 - 7]:.1%} of 16")
assert np.abs(np.array(drawn) - 0.15).max() < 0.005 < 0.05 <= max(rounded) - 0.15

# %% [markdown]
# <details><summary>Answer</summary>
#
# 20 % of the first, 12.5 % of the second. The package rounds down, and then draws luck for what is
# left: 1.5 becomes 1 or 2, each half of the time, so that the mean is exact for every length.
#
# </details>

# %%
ax = curves({"rounded": rounded, "package": drawn}, lengths, xlabel="pieces in a row")
ax.set(ylabel="share asked for", ylim=(0, 0.23))
plt.show()
describe(
    f"the share asked for, by length. Rounded, it jumps between {min(rounded):.3f} and "
    f"{max(rounded):.3f}; the package stays within {np.abs(np.array(drawn) - 0.15).max():.3f} "
    "of 0.15."
)

# %% [markdown]
# Rounding makes saw teeth: of two sentences, one of 9 pieces and one of 10, the longer is asked
# twice, the shorter once. Google's code rounds 15 % of the whole row, `[CLS]` and `[SEP]` counted
# in; its rows are 128 or 512 long, where a tooth is small. (Below 7 pieces the package too asks
# for more than 15 %, since it asks for at least one.) Here is the package's rule as a loop, and a
# function that says which places were chosen:


# %%
def naive_choice(row, rng):
    ordinary = [place for place, piece in enumerate(row) if vocabulary.is_ordinary[piece]]
    budget = 0.15 * len(ordinary)
    count = int(budget) + (rng.random() < budget % 1)
    return rng.choice(ordinary, max(count, 1), replace=False)


def asked_places(masked):
    asked = np.zeros(masked.inputs.shape, bool)
    rows, slots = np.nonzero(masked.weights)
    asked[rows, masked.positions[rows, slots]] = True
    return asked  # (B, S)


# %% [markdown]
# Both draw at random, so they cannot be equal number by number. They can be equal *in
# distribution*: ask each 20,000 times about one sentence, and compare how often each place is
# chosen, and how often one, two or three at once.

# %%
row, draws = held_out_rows[0], 20_000
loop = np.zeros((draws, len(row)), bool)
for chosen in loop:
    chosen[naive_choice(row, rng)] = True
package = asked_places(mask_tokens(np.tile(row, (draws, 1)), rng, vocabulary))
np.testing.assert_allclose(loop.mean(axis=0), package.mean(axis=0), atol=0.015)
how_many = [np.bincount(each.sum(axis=1), minlength=6) / draws for each in (loop, package)]
np.testing.assert_allclose(*how_many, atol=0.015)
never = {vocabulary.pieces[i] for i, often in zip(row, package.mean(axis=0)) if often == 0}
print("loop = package: True; never chosen:", *sorted(never))

# %% [markdown]
# ## 5.2 What the model reads instead
#
# A chosen piece is not always hidden. Of ten, eight become `[MASK]`, one becomes any word of the
# vocabulary, and one stays what it is. Each has luck of its own:


# %%
ordinary_ids = np.flatnonzero(vocabulary.is_ordinary)


def naive_shown(piece, rng):
    luck = rng.random()
    if luck < 0.8:
        return vocabulary.mask
    if luck < 0.9:
        return rng.choice(ordinary_ids)
    return piece


# %%
masked = mask_tokens(train_rows, rng, vocabulary)
rows, slots = np.nonzero(masked.weights)
asked = masked.labels[rows, slots]
package = masked.inputs[rows, masked.positions[rows, slots]]
loop = np.array([naive_shown(piece, rng) for piece in asked])
for name, shown in (("loop", loop), ("package", package)):
    is_mask, is_kept = (shown == vocabulary.mask).mean(), (shown == asked).mean()
    print(f"{name:7} [MASK] {is_mask:.2f}, kept {is_kept:.2f}, another {1 - is_mask - is_kept:.2f}")
    assert abs(is_mask - 0.8) < 0.01 and abs(is_kept - 0.1) < 0.01

# %% [markdown]
# **Predict.** Now be the model. You are asked for the word at a place, and what stands there is
# not `[MASK]` but a word. How likely is it the right one?

# %%
shows_word = package != vocabulary.mask
trust = (package == asked)[shows_word].mean()
print(f"right in {trust:.2f} of {shows_word.sum():,} cases")
assert abs(trust - 0.5) < 0.04

# %% [markdown]
# <details><summary>Answer</summary>
#
# One half: one in ten kept, one in ten exchanged. A word at a place that is asked for is a witness
# who lies every second time. The model has to read it, and to check it against the rest of the
# sentence.
#
# </details>
#
# Nor is it told beforehand at which words it will be asked: any word of a sentence may be such a
# witness. Section 5.7 will show what this does to a model. The package does the same for a whole
# batch at once. Here are its two draws of luck: how many to ask for, and what to show instead.

# %%
show_source(draw_budget, replace_words)

# %% [markdown]
# ## 5.3 What a question costs
#
# A row of the batch has a number of *slots*, P. Each holds a position to ask about, the right
# answer, and a weight. Rows with fewer questions than slots leave some empty, with weight 0:

# %%
few = mask_tokens(held_out_rows[:4], 1, vocabulary)
for positions, labels, weights in zip(few.positions, few.labels, few.weights):
    print(positions, [vocabulary.pieces[i] for i in labels], weights.astype(int))

# %% [markdown]
# Why slots? Because answers are expensive: one is a score for each of the V pieces. Here is a
# small BERT with the head that gives them. The head multiplies with the token table, the one
# through which the words came in.

# %%
from bert_course.model.config import BASE, BertConfig
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import MaskedWordHead
import keras  # after bert_course.model, which keeps the backend's banner quiet

sizes = BertConfig(
    vocab_size=len(vocabulary), num_layers=2, hidden_dim=64, num_heads=2, intermediate_dim=256,
    max_length=32, dropout=0.0,
)  # fmt: skip


# %%
def build_model():
    rng = np.random.default_rng(0)
    encoder = build_encoder(sizes, rng)
    positions = keras.Input((None,), dtype="int32", name="masked_positions")
    head = MaskedWordHead(sizes, rng, encoder.get_layer("embeddings").token)
    logits = head(encoder.output["sequence_output"], positions)  # (B, P, V)
    return keras.Model({**encoder.input, "masked_positions": positions}, logits)


def as_batch(masked):
    ids = masked.inputs
    sentences = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids != vocabulary.pad}
    return {**sentences, "masked_positions": masked.positions}


# %% [markdown]
# The naive way asks everywhere and throws away what it does not need. The package picks the P
# vectors first. The answers are the same:

# %%
model = build_model()
picked = model.predict_on_batch(as_batch(few))  # (B, P, V)
everywhere = few._replace(positions=np.tile(np.arange(32, dtype="int32"), (4, 1)))
all_logits = model.predict_on_batch(as_batch(everywhere))  # (B, S, V)
naive = np.take_along_axis(all_logits, few.positions[..., None], axis=1)
np.testing.assert_allclose(naive, picked, atol=1e-5)
print("ask everywhere, then pick = package: True")
show_source(MaskedWordHead.call)

# %% [markdown]
# The cost is not. Count the multiplications for one row, in the blocks and in the head:


# %%
def share_of_head(sizes, length, slots):
    H, inside = sizes.hidden_dim, sizes.intermediate_dim
    block = 4 * H * H + 2 * H * inside + 2 * length * H  # for each position, notebooks 3 and 4
    blocks = length * sizes.num_layers * block
    head = slots * (H * H + H * sizes.vocab_size)
    return head / (blocks + head)


for name, sizes_of, length, slots in (("ours", sizes, 32, 5), ("BERT-base", BASE, 128, 20)):
    shares = [share_of_head(sizes_of, length, asked) for asked in (length, slots)]
    print(
        f"{name:9} the head: {shares[0]:.0%} if asked everywhere, {shares[1]:.0%} in {slots} slots"
    )

# %% [markdown]
# Asked everywhere, our little model would spend more than half of its multiplications on answers
# that nobody wants.
#
# Now the loss. The paper's is the mean over the *questions*: minus the logarithm of the
# probability given to the right answer, added up with the weights, divided by the sum of the
# weights. Keras can do that, if you say so. If you don't, its default divides by the number of
# slots.
#
# **Predict.** The model is untrained. To it, all 2,000 pieces are about equally likely, so its
# loss is near ln 2000 = 7.60. About half of the slots are empty. What does Keras's default say?

# %%
masked = mask_tokens(train_rows[:512], 0, vocabulary)
logits = model.predict_on_batch(as_batch(masked)).astype("float64")  # (B, P, V)
log_sum = np.log(np.exp(logits).sum(axis=-1))
losses = log_sum - np.take_along_axis(logits, masked.labels[..., None], axis=-1)[..., 0]
naive_loss = (losses * masked.weights).sum() / masked.weights.sum()

# %%
loss = keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, reduction="mean_with_sample_weight"
)
by_default = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
answers = (masked.labels, logits, masked.weights)
np.testing.assert_allclose(naive_loss, loss(*answers), rtol=1e-4)
filled = masked.weights.mean()
np.testing.assert_allclose(naive_loss * filled, by_default(*answers), rtol=1e-4)
print(f"by hand = mean_with_sample_weight: {naive_loss:.2f}")
print(f"Keras's default, with {filled:.0%} of the slots filled: {naive_loss * filled:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# About half. The empty slots add nothing above the line, and are counted below it.
#
# </details>
#
# A model that knows nothing, with a loss that looks like a good deal of training. Had you compared
# it with a figure from somebody else's paper, you would have been glad. Remember the feeling; it
# comes back twice.
#
# ## 5.4 The right way
#
# First the questions, the same for all models: held-out sentences, whole words hidden (5.8 says
# why), always behind `[MASK]`. And a line to measure by, the *unigram*: it looks at no context and
# always gives the most frequent piece.


# %%
def ask(mask_share, random_share):
    shares = dict(mask_share=mask_share, random_share=random_share)
    return mask_tokens(held_out_rows, 7, vocabulary, whole_words=True, **shares)


questions = ask(1.0, 0.0)
counts = np.bincount(train_rows.ravel(), minlength=len(vocabulary)) * vocabulary.is_ordinary
is_question = questions.weights == 1
unigram = (questions.labels[is_question] == counts.argmax()).mean()
often = vocabulary.pieces[counts.argmax()]
print(f"{is_question.sum()} questions; always “{often}”: {unigram:.2f} right")

# %% [markdown]
# The second line is an oracle, asked the very same questions. It knows how the small world makes
# its sentences, sees the words that are not hidden, and is told every choice made for it that the
# hidden word does not depend on (`data/README.md`), such as the frame of the sentence. So it knows
# for each blank how probable each word is, and on average nobody who sees only the sentence can do
# better. Its accuracy is the *ceiling*, its loss the *floor*.

# %%
from bert_course.world.build import stories
from bert_course.world.ceiling import blanks, score_ceiling
from bert_course.world.story import as_text

told = [islice(stories(part), 400) for part in ("validation", "test")]
made = {as_text(words): words for part in told for story, _ in part for words in story.sentences}
found = []
for sentence, asked in zip(held_out, asked_places(questions)):
    words = made[sentence]
    owner = [word for word in words for _ in tokenizer.ids(word.text)]  # of each piece, its word
    hidden = {word for word, is_asked in zip(owner, asked[1:]) if is_asked}  # behind [CLS]
    found += blanks(words, hidden, tokenizer)[1]
assert len(found) == is_question.sum()
ceiling, floor, _ = score_ceiling(found)
print(f"the same {len(found)} questions: ceiling {ceiling:.2f}, floor {floor:.2f}")

# %% [markdown]
# Everything that follows is trained by one loop: the same first weights, an optimiser that
# remembers nothing of earlier trainings, the same sentences in the same order. Only the *recipe*
# differs, which says what is asked and what is shown. (Notebook 7 does the training properly.)


# %%
def right_way(rows, rng):
    return mask_tokens(rows, rng, vocabulary)


def share_right(masked, weights=None):
    if weights is not None:
        model.set_weights(weights)
    answers = model.predict_on_batch(as_batch(masked)).argmax(axis=-1)  # (B, P)
    return (answers == masked.labels)[masked.weights == 1].mean()


# %%
first_weights = model.get_weights()


def start_again(weights):
    model.set_weights(weights)
    for memory in model.optimizer.variables:
        if memory.name != "learning_rate":
            memory.assign(np.zeros(memory.shape))


# %% [markdown]
# And the loop itself:


# %%
def train_with(recipe, steps=300, start=first_weights, sentences=train_rows):
    start_again(start)
    rng, losses, shares = np.random.default_rng(0), [], []
    for step in range(1, steps + 1):
        masked = recipe(sentences[rng.integers(len(sentences), size=32)], rng)
        model.reset_metrics()  # or older versions of Keras give the mean of all steps so far
        answers = (masked.labels, masked.weights)
        losses.append(float(model.train_on_batch(as_batch(masked), *answers)))
        if step % 25 == 0:
            shares.append(share_right(questions))
    return model.get_weights(), np.array(losses), np.array(shares)


# %% [markdown]
# The optimiser is BERT's, AdamW, with a rate that warms up for 20 steps and then falls:


# %%
def adamw():
    rate = keras.optimizers.schedules.CosineDecay(0.0, 300, warmup_target=5e-3, warmup_steps=20)
    return keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0)


def prepare(optimizer, loss=loss):
    on_jax = keras.backend.backend() == "jax"  # TensorFlow would compile longer than it trains
    model.compile(optimizer, loss, jit_compile=on_jax)


prepare(adamw())
right, right_losses, right_shares = train_with(right_way)


# %% [markdown]
# Look at it, with unigram, ceiling and floor as dotted lines:


# %%
def smooth(losses):
    return losses.reshape(-1, 25).mean(axis=1)  # 25 steps a point


def panels(both_losses, both_shares, log=False):
    _, axes = plt.subplots(1, 2, figsize=(9.5, 3.2))
    steps = 25 * np.arange(1, 1 + len(next(iter(both_shares.values()))))
    curves(both_losses, steps, "loss in training", "steps", log=log, ax=axes[0])
    curves(both_shares, steps, "held-out questions answered", "steps", ax=axes[1])
    lines = [(axes[1], unigram, "unigram"), (axes[1], ceiling, "ceiling")]
    for ax, height, label in [(axes[0], floor, "floor of the held-out questions"), *lines]:
        ax.axhline(height, color="black", linestyle=":", zorder=0)
        place = dict(xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right")
        ax.annotate(label, (0.99, height), (0, 3 if ax is axes[1] else -10), fontsize=9, **place)
    axes[0].set_ylim(None if log else -0.4)
    axes[1].set_ylim(-0.03, 1)
    plt.tight_layout()


# %%
panels({"": smooth(right_losses)}, {"": right_shares})
plt.show()
assert right_shares[-1] > unigram + 0.35 and smooth(right_losses)[-1] > floor
describe(
    "left, the loss falls and stays above the floor of the held-out questions, which are not those "
    "of the training. Right, the share of right answers rises from the unigram's "
    f"{unigram:.2f} past {unigram + 0.35:.2f}; the ceiling is {ceiling:.2f}."
)

# %% [markdown]
# The model reads. Its answers are about sentences it has never seen, several times the unigram's
# share of them is right, and the ceiling is still above it. The two pictures ask different things:
# right, held-out words behind `[MASK]`, and the ceiling is theirs; left, pieces of training
# sentences, a fifth of them not hidden, so that the floor there is a landmark and not a bound.
# This is how training looks when it works. Now for two ways in which it looks better.
#
# ## 5.5 First mistake: nothing is masked
#
# In PyTorch the label −100 means "do not count this one". So tutorials set the labels to −100 at a
# random 85 % of the positions, which is as it should be. Some that one meets then forget the other
# half: the *input* goes to the model as it is, not a word of it masked. In our terms, positions,
# labels and weights of the right way, and the sentence itself for `inputs`:


# %%
def never_masked(rows, rng):
    return mask_tokens(rows, rng, vocabulary)._replace(inputs=rows)


# %% [markdown]
# **Predict.** Same model, same 300 steps, same positions and labels. Which recipe ends with the
# lower loss? And how many of the questions will this model answer?

# %% tags=["nbval-ignore-output"]
copier, copier_losses, copier_shares = train_with(never_masked)
last = {"right": smooth(right_losses)[-1], "copier": smooth(copier_losses)[-1]}
assert last["copier"] < last["right"] / 10
print(f"loss: right way {last['right']:.1f}, copier {last['copier']:.2f}")
assert copier_shares[3:].max() < unigram < right_shares[-1] / 4
print(f"questions answered: right way {right_shares[-1]:.2f}, copier {copier_shares[-1]:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The wrong one, by far; and next to none. The answer stands in the input, at the very place that
# is asked about. So the model learns the shortest way from there to the output, and does not need
# any other word on that way.
#
# </details>
#
# (The last digit of whatever is trained may differ on your machine. The cells assert what the text
# says, with room to spare.)

# %%
both_losses = {"right way": smooth(right_losses), "never masked": smooth(copier_losses)}
panels(both_losses, {"right way": right_shares, "never masked": copier_shares}, log=True)
plt.show()
assert last["copier"] < floor / 2
describe(
    "left, on a log axis, the copier's loss falls through the floor's line and far below; the "
    "right one stays above. Right, the right way climbs, the copier lies flat below the unigram."
)

# %% [markdown]
# Whoever looks at the left picture alone keeps the wrong model. But the left picture holds the
# alarm as well, if you draw the dotted line. **For the same questions, on text never seen, a loss
# below the floor cannot be skill.** For other questions it is a hint where to look. Suspect a leak
# first, as here. Then ask whether the mean counts something else as well, as in 5.6. Then, whether
# the training sentences were simply learned by heart, which is honest, and no help with others.
#
# In fairness to the copier: it never met a `[MASK]`, so perhaps it knows the words and is only
# thrown by a strange sign. Then ask it without the sign. Put an arbitrary word in place of the
# hidden one; or leave the right one there.

# %% tags=["nbval-ignore-output"]
forms = {"hidden": questions, "visible": ask(0.0, 0.0), "a wrong word": ask(0.0, 1.0)}
by_copier, by_right = (
    {name: share_right(form, weights) for name, form in forms.items()}
    for weights in (copier, right)
)
for name in forms:
    print(f"{name:12} copier {by_copier[name]:.2f}, right way {by_right[name]:.2f}")
assert by_copier["a wrong word"] < unigram < 0.3 < by_right["a wrong word"]
assert by_copier["visible"] > 0.9

# %% [markdown]
# It repeats what it reads: the word itself is named, and behind a wrong word next to nothing is
# found. Has it learned nothing, then? One more test: train it *on*, the right way, for 100 steps.
# If it has learned something about our sentences, it is ahead of a fresh model. The control is a
# copier that cannot have: it copied the same words shuffled into a salad, in which no sentence is
# left.

# %%
is_word = vocabulary.is_ordinary[train_rows]  # (N, S)
salad = train_rows.copy()
salad[is_word] = np.random.default_rng(0).permutation(train_rows[is_word])
print(" ".join(vocabulary.pieces[i] for i in salad[0][salad[0] != vocabulary.pad]))
salad_copier, *_ = train_with(never_masked, sentences=salad)

# %% tags=["nbval-ignore-output"]
after = {"fresh": right_shares[3]}  # after 100 steps
for name, weights in (("copier", copier), ("salad copier", salad_copier)):
    after[name] = train_with(right_way, steps=100, start=weights)[2][-1]
assert min(after["copier"], after["salad copier"]) > after["fresh"] + 0.05
assert after["copier"] < after["salad copier"] + 0.1
print("after 100 steps:", *[f"{name} {share:.2f}" for name, share in after.items()], sep="  ")

# %% [markdown]
# A head start there is, and whoever tests without the control calls it knowledge of the language.
# But a model that never saw a sentence has it too. From salad you can learn that there are words,
# and that each is another. Of what words have to do with each other, copying sentences teaches no
# more than salad does, within what one pair of trainings and 694 questions can tell.
#
# ## 5.6 Second mistake: padding counts
#
# Empty slots carry the position 0, the label `[PAD]` and the weight 0. Forget the weight, and the
# model is asked at position 0, where `[CLS]` stands, for `[PAD]`, again and again. (One also meets
# programs that choose 15 % of *all* positions, padding too, and count each. It is a cousin of this
# mistake.) Google's settings have 20 slots for a row; our short sentences fill two or three.


# %%
def twenty_slots(rows, rng):
    return mask_tokens(rows, rng, vocabulary, slots=20)


def padding_counts(rows, rng):
    masked = twenty_slots(rows, rng)
    return masked._replace(weights=np.ones_like(masked.weights))


# %% [markdown]
# **Predict.** What accuracy can a model report here that has not learned a single word?

# %%
reported = padding_counts(train_rows[:512], 0)
always_pad = (reported.labels == vocabulary.pad).mean()
print(f"always “[PAD]”: {always_pad:.0%} right")
assert always_pad > 0.8

# %% [markdown]
# <details><summary>Answer</summary>
#
# As much as there is padding. A learner who sees such a number after a minute of training goes for
# a coffee, in the best of moods.
#
# </details>
#
# Train both ways, with the oldest of optimisers, gradient descent with momentum:


# %%
def descent():
    return keras.optimizers.SGD(0.3, momentum=0.9, global_clipnorm=1.0)


prepare(descent())
_, plain_losses, plain_shares = train_with(twenty_slots, steps=100)
_, padded_losses, padded_shares = train_with(padding_counts, steps=100)
assert share_right(reported) > always_pad - 0.02
print(f"padding counted: reports at least {always_pad - 0.02:.0%} right")

# %%
both_losses = {"weights": smooth(plain_losses), "padding counts": smooth(padded_losses)}
panels(both_losses, {"weights": plain_shares, "padding counts": padded_shares})
plt.show()
assert smooth(padded_losses)[-1] < 1 < 3 < smooth(plain_losses)[-1]
assert padded_shares[-1] < unigram + 0.04 < 2 * unigram < plain_shares[-1]
describe(
    "left, the loss with padding counted drops below 1 and stays there; the right one is above "
    "3. Right, with the weights the model climbs past twice the unigram; without, it stays there."
)

# %% [markdown]
# A loss below 1, an accuracy that would win prizes, and on words it is no better than the unigram.
# Why? You might say: the sum over the real questions is divided by 20 slots a row where it should
# be two or three, so they pull with an eighth of their force. That can be had alone. Keep the
# weights, so that nobody asks for `[PAD]`, and divide by 20 slots all the same, as Keras's default
# does:

# %% tags=["nbval-ignore-output"]
prepare(descent(), by_default)
divided_shares = train_with(twenty_slots, steps=100)[2]
shares = {"right way": plain_shares, "divided": divided_shares, "padding counts": padded_shares}
print(*[f"{name} {share[-1]:.2f}" for name, share in shares.items()], sep=", ")
assert plain_shares[-1] > divided_shares[-1] > padded_shares[-1] + 0.05

# %% [markdown]
# The division costs something; most of the harm remains to be explained, and what remains is the
# one other thing that the mistake does: seven of eight questions are for `[PAD]`.
#
# Why, then, is the mistake still about? Perhaps because of the optimiser that everybody uses. Here
# it is with AdamW:

# %% tags=["nbval-ignore-output"]
prepare(adamw())
_, padded_losses, padded_shares = train_with(padding_counts, steps=200)
print(f"after 200 steps: padding counts {padded_shares[-1]:.2f}, right way {right_shares[7]:.2f}")
assert padded_shares[-1] > 0.7 * right_shares[7] > 3 * unigram
losses_at_200 = [smooth(padded_losses)[-1], smooth(right_losses)[7]]
print(f"losses: {losses_at_200[0]:.2f} and {losses_at_200[1]:.2f}")
assert last["copier"] < losses_at_200[0] < min(floor, losses_at_200[1] / 4)

# %% [markdown]
# This model is not harmed at all, and only its number lies: below the floor, without a leak, since
# most of what its mean counts is padding. Order the three models by their loss. The copier has the
# lowest and knows least. The one that counts padding comes next and is as good as the right one.
# The right one has the highest, and its is the only loss that says how well words are known.
# Compare losses only where the same question was asked.
#
# ## 5.7 What the 80, the 10 and the 10 are for
#
# Why not simply hide all that is asked for? Because a model that is used sees no `[MASK]`. In
# fine-tuning (notebooks 10 to 12) every word is visible. So train two recipes more: one that
# always hides, and one that hides 80 % and keeps 20 %, so that it never shows a wrong word. (If
# you look them up in the paper's table 8: its columns are masked, same and random, in this order.
# Ours are its rows 100/0/0 and 80/20/0.)


# %%
def always_mask(rows, rng):
    return mask_tokens(rows, rng, vocabulary, mask_share=1.0, random_share=0.0)


def never_random(rows, rng):
    return mask_tokens(rows, rng, vocabulary, mask_share=0.8, random_share=0.0)


models = {"always hide": train_with(always_mask)[0], "hide or keep": train_with(never_random)[0]}
models["80/10/10"] = right

# %% [markdown]
# Each gets the same questions in three forms: the word hidden behind `[MASK]`, the word itself
# visible in its place, a wrong word in its place.
#
# **Predict.** The model that only ever saw `[MASK]` fills blanks as well as any. Show it the whole
# sentence, and ask: which word stands *here*? How often does it name the word: nearly always, half
# of the time, a quarter of the time?

# %%
table = {name: [share_right(f, each) for f in forms.values()] for name, each in models.items()}
heat_map(list(table.values()), table, forms, "the true word named", limits=(0, 1))
plt.show()
(all_mask, no_random, paper) = table.values()
assert all_mask[0] > paper[0] - 0.05 and all_mask[1] < 0.45 < paper[1] - 0.1
assert no_random[1] > paper[1] - 0.05 and no_random[2] < min(all_mask[2], paper[2]) - 0.1
describe(
    "three recipes by three questions. Hidden words: always hiding is no worse than 80/10/10. "
    "Visible words: it names less than 0.45, the others more. A wrong word: the recipe that hides "
    "or keeps is the worst."
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# About a quarter of the time. It was never asked at a word that it could see, so at such a place
# it may answer anything.
#
# </details>
#
# Read the table by columns. *Hidden*: the paper's recipe is no better than the others. If filling
# blanks were the aim, nothing in this column would speak for it; the differences are those of one
# training each. *Visible*: only recipes that sometimes keep the word name it more often than not.
# *A wrong word*: here the 10 % exchanged count. A model that never met a lie does not know that it
# could be reading one. The paper's looks at the rest of the sentence, and finds the true word much
# more often. One thing in the table is odd: the recipe that always hides found the true word more
# often over a wrong word than over the right one, where this was built. This notebook does not
# explain it.
#
# How much does it matter in the end? Less than you would think from this table. In the paper's
# table 8, always hiding is as good as 80/10/10 after fine-tuning on MNLI, 84.3 % against 84.2 %.
# Where the vectors are used as they are, to find names, it loses nearly a point: 94.0 against
# 94.9.
#
# ## 5.8 Whole words, and new masks every time
#
# Two refinements that came after the paper. First: many words are cut into pieces (notebook 1).
# Hide one piece, and the rest of the word gives it away. How often? Take all words of our
# sentences, with how often each occurs, and count for each piece how many words would fit around
# it.

# %%
from collections import Counter

words = []
for piece in train_rows[vocabulary.is_ordinary[train_rows]]:
    if vocabulary.continues[piece]:
        words[-1] = (*words[-1], piece)
    else:
        words.append((piece,))
cut = Counter(word for word in words if len(word) > 1)

# %%
gaps = [(word, word[:place], word[place + 1 :]) for word in cut for place in range(len(word))]
fitting = Counter(gap[1:] for gap in gaps)
certain = sum(cut[word] for word, *gap in gaps if fitting[tuple(gap)] == 1)
pieces = sum(cut[word] for word, *_ in gaps)
share = certain / pieces
print(f"{sum(cut.values()):,} words are cut, into {pieces:,} pieces")
print(f"with one piece hidden, only one word fits: for {share:.0%} of these pieces")
assert share > 0.3

# %% [markdown]
# Such a question is answered by spelling, without a look at the sentence. With `whole_words=True`
# all pieces of a word are hidden together or not at all. Is it so?


# %%
def words_hidden_in_part(masked, rows):
    hidden = asked_places(masked)
    inside = vocabulary.continues[rows[:, 1:]]  # this piece and the one before are of one word
    return (hidden[:, 1:] != hidden[:, :-1])[inside].sum()


single = mask_tokens(train_rows, 0, vocabulary)
whole = mask_tokens(train_rows, 0, vocabulary, whole_words=True)
assert words_hidden_in_part(whole, train_rows) == 0 < words_hidden_in_part(single, train_rows)
print("seams within words, hidden on one side only:", words_hidden_in_part(single, train_rows))
print("with whole_words=True:", words_hidden_in_part(whole, train_rows))

# %% [markdown]
# Second: Google drew the masks once, when the data was written, ten different ones for each text,
# and then went over them again and again. One can as well draw anew whenever a text comes by,
# which costs the package next to nothing. What share of the words is asked for at least once?

# %%
asked_ever = {masks: np.zeros(train_rows.shape, bool) for masks in (1, 10, 40)}
for epoch in range(40):
    for masks, ever in asked_ever.items():
        ever |= asked_places(mask_tokens(train_rows, epoch % masks, vocabulary))
    if epoch + 1 in (10, 40):
        one, ten, new = (f"{ever[is_word].mean():.3f}" for ever in asked_ever.values())
        print(f"{epoch + 1} epochs: one mask {one}, ten masks {ten}, new ones each time {new}")
assert asked_ever[10][is_word].mean() < 0.85 < 0.99 < asked_ever[40][is_word].mean()

# %% [markdown]
# Ten fixed masks ask for as many words in ten epochs as new ones do, and then for no others: one
# word in five is never a question, however long you train. New masks go on.
#
# ## In five sentences
#
# Every text is full of questions with known answers, and BERT asks for 15 % of its words, never
# for special pieces or padding. Of these, 80 % are hidden, 10 % exchanged and 10 % kept, so that a
# word at such a place is right half of the time and the model must read it and doubt it. The loss
# is the mean over the questions, and only the vectors that are asked pay for an answer. A model
# that sees the answers reaches a loss below the floor and is no further ahead than one raised on
# salad; one that is paid for padding reports the padding. So draw the unigram, the ceiling and the
# floor first, and measure every recipe by the same questions.
#
# ## What we left out
#
# How to train properly: learning rate, weight decay, length, time (notebook 7). Other shares than
# 15 %, and spans of several words. Objectives that learn from every position, not from one in
# seven.
#
# ## Where it is in the paper
#
# BERT (Devlin et al., 2019): §3.1, task 1, and appendix A.1 for masked words and 80/10/10;
# appendix A.2 for training with them; appendix C.2, table 8, for other mixtures. *RoBERTa* (Liu et
# al., 2019), §4.1, compares fixed with dynamic masks. Whole words, the 20 slots and the rounding
# are in Google's code.
