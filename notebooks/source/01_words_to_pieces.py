# %% [markdown]
# # 1 · Words to pieces
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/bert_course/blob/main/notebooks/01_words_to_pieces.ipynb)
#
# **You will be able to**
#
# - cut words into pieces in ten lines, and show that they fall as in the published library;
# - learn the pieces from a text, and say which factor is missing from the formula most often
#   taught;
# - tell when a word that stands in the vocabulary is unknown all the same.
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
from collections import Counter
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from bert_course.insight.show import curves, describe, share_bars, show_source
from bert_course.model.config import BASE
from bert_course.places import course_data, real_data
from bert_course.text.wordpiece import WordPieceTokenizer, learn_vocabulary, longest_pieces

# %% [markdown]
# ## 1.1 Words, or letters?
#
# BERT reads numbers. Each is the place of something in a list, its vocabulary, and for each place
# there is a row in a table, which notebook 2 is about. What should the list hold? Words, one would
# think. Here is the first of the stories put aside for testing, and then all stories, as words in
# lower case. (Punctuation marks count as words.)


# %%
def naive_words(text):
    for mark in ".,:;!?“”":
        text = text.replace(mark, f" {mark} ")
    return text.lower().split()


corpus = course_data() / "corpus"
train = (corpus / "train.txt").read_text(encoding="utf-8")
test = (corpus / "test.txt").read_text(encoding="utf-8")
counts, test_counts = Counter(naive_words(train)), Counter(naive_words(test))
print(test.partition("\n\n")[0])
print(f"\ntrain: {counts.total():,} words, {len(counts):,} different ones")
print(f"test:  {test_counts.total():,} words, {len(test_counts):,} different ones")
table = BASE.vocab_size * BASE.hidden_dim
print(
    f"BERT-base: {BASE.vocab_size:,} rows of {BASE.hidden_dim} numbers: {table / 1e6:.1f} million"
)

# %% [markdown]
# A row for every word is dear: BERT-base's table is a fifth of its 109 million numbers (notebook
# 0). So the list gets the most frequent words, and all others share one entry: `[UNK]`, unknown.
#
# **Predict.** We take the 500 most frequent of our words, about a quarter of them. Of 100 words in
# the test stories, how many become `[UNK]`?


# %%
def unknown_share(size):
    known = {word for word, _ in counts.most_common(size)}
    return sum(n for word, n in test_counts.items() if word not in known) / test_counts.total()


print(f"a list of 500 words: {unknown_share(500):.1%} unknown")

# %% [markdown]
# <details><summary>Answer</summary>
#
# About 13, one or two in every sentence. Words are not used equally often, so it is far fewer than
# three quarters. But those left out are mostly the ones that a sentence is about, a windmill or
# carrots.
#
# </details>

# %%
sizes = [100, 200, 300, 500, 700, 1000, 1400, 2000, len(counts)]
ranks = {word: rank for rank, (word, _) in enumerate(counts.most_common())}
unknown = {
    "of all words": [unknown_share(size) for size in sizes],
    "of different words": [np.mean([ranks[w] >= size for w in test_counts]) for size in sizes],
}
curves(unknown, sizes, xlabel="words in the list", ylabel="share that is unknown")
plt.show()
assert unknown["of all words"][-1] == unknown["of different words"][-1] == 0
describe(
    f"of all words in the test stories {unknown['of all words'][0]:.0%} are unknown to a list of "
    f"100 and {unknown_share(1000):.0%} to one of 1,000; of the different words, "
    f"{unknown['of different words'][0]:.0%} and {unknown['of different words'][5]:.0%}."
)

# %% [markdown]
# Our world is so small that a list of all its words has an end. English has none. Of 27 novels,
# take one away and list the 30,522 most frequent words of the others, as many as BERT-base has
# pieces. Of the words in the novel left out, 1.9 % are not in the list, and even a list of *all*
# words in the other 26 lacks 1.5 %. All 27 have 46,320 different words, 36 million numbers with a
# row for each. (Novels of Standard Ebooks, each left out in turn, November 2026.)
#
# Letters, then. There are few of them and they are never unknown. But they are many to the
# sentence, and attention (notebook 3) compares each with each:

# %%
sentences = [line for line in test.split("\n") if line]
letters = np.mean([len(sentence) for sentence in sentences])
words = np.mean([len(naive_words(sentence)) for sentence in sentences])
print(f"a sentence: {words:.1f} words, or {letters:.1f} characters")
print(f"pairs for attention to compare: {(letters / words) ** 2:.0f} times as many")

# %% [markdown]
# So between the two: frequent words whole, rare ones in pieces, letters for the worst case.
#
# ## 1.2 The longest first
#
# A piece that begins a word is written plainly, one that goes on carries `##`. Given a list of
# pieces, how is a word cut? BERT takes the longest piece that the word begins with, then the
# longest that the rest begins with, and so on. If at some point there is none, the *whole* word is
# unknown.


# %%
def naive_pieces(word, vocabulary):
    pieces = []
    while word:
        mark = "##" if pieces else ""
        ends = [end for end in range(1, len(word) + 1) if mark + word[:end] in vocabulary]
        if not ends:
            return ["[UNK]"]
        pieces.append(mark + word[: ends[-1]])
        word = word[ends[-1] :]
    return pieces


# %%
tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
vocabulary = tokenizer.vocabulary.ids  # {piece: its number}
print(f"{len(vocabulary):,} pieces")
for word in ("village", "applestead", "hedgehogs", "embeddings"):
    print(f"{word:12}", naive_pieces(word, vocabulary))

# %% [markdown]
# Is that what the package does?

# %%
for word in counts | test_counts:
    assert naive_pieces(word, vocabulary) == longest_pieces(word, vocabulary)
print(f"naive = package on {len(counts | test_counts):,} words: True")
show_source(longest_pieces)

# %% [markdown]
# It begins at the long end and stops at the first hit, which is faster. Otherwise it is yours.
#
# *The longest first* sounds like *the fewest pieces*. Here are ten pieces from the vocabulary of
# BERT-base.
#
# **Predict.** In how many pieces will *needlessly* be cut, and *mistrust*?

# %%
ten = {"need", "##lessly", "needles", "##sl", "##y", "mis", "##trust", "mist", "##rus", "##t"}
for word in ("needlessly", "mistrust"):
    print(f"{word:10}", naive_pieces(word, ten))

# %% [markdown]
# <details><summary>Answer</summary>
#
# In three each, though two would do: *need* + *lessly*, *mis* + *trust*. Longest first never looks
# ahead. It sees *needles* and *mist*, takes them, and has to live with the rest. BERT-base cuts
# both just so (published uncased `vocab.txt`, November 2026; section 1.8).
#
# </details>
#
# It can do worse than that. Take away the one piece that saved it, and try again:

# %%
print("needlessly", naive_pieces("needlessly", ten - {"##sl"}))

# %% [markdown]
# Unknown, with *need* and *##lessly* still in the list. A proper vocabulary prevents this by
# holding each of its letters twice, plain and with `##`. Then a cut can always go on.

# %%
alphabet = "abcdefghijklmnopqrstuvwxyz"
assert all(letter in vocabulary and f"##{letter}" in vocabulary for letter in alphabet)
rng = np.random.default_rng(0)
babble = ["".join(rng.choice(list(alphabet), rng.integers(1, 15))) for _ in range(10_000)]
print("unknown of 10,000 random words:", sum(longest_pieces(w, vocabulary) is None for w in babble))

# %% [markdown]
# And how often does it cost a piece? To know that takes a function that looks ahead.


# %%
def fewest_pieces(word, vocabulary, mark=""):
    if not word:
        return []
    cuts = []
    for end in range(1, len(word) + 1):
        rest = None
        if mark + word[:end] in vocabulary:
            rest = fewest_pieces(word[end:], vocabulary, "##")
        if rest is not None:
            cuts.append([mark + word[:end], *rest])
    return min(cuts, key=len, default=None)


# %%
cuts = {
    word: (longest_pieces(word, vocabulary), fewest_pieces(word, vocabulary)) for word in counts
}
longer = {word: cut for word, cut in cuts.items() if len(cut[0]) > len(cut[1])}
for word, (longest, fewest) in sorted(longer.items())[:6]:
    print(f"{word:10} {' '.join(longest):20} could be {' '.join(fewest)}")
print(f"{len(longer)} of {len(counts):,} words")
assert 0 < len(longer) < 0.02 * len(counts)

# %% [markdown]
# Seldom. Should one mend it? In a new model one may. In a published one it would be a mistake: all
# its life BERT-base has read *needles ##sl ##y*. A cleverer cut shows it *need* and *##lessly*,
# which it knows, side by side, where it has seldom or never seen them. The rule belongs to the
# weights as much as the vocabulary.
#
# ## 1.3 Where the pieces come from
#
# Nobody wrote the list. It is learned: begin with letters, look at all pairs of neighbours, join
# the best pair everywhere, repeat until the list is long enough. A word counts as often as it
# occurs.


# %%
def join(cut, left, right):
    result = []
    for piece in cut:
        if result and piece == right and result[-1] == left:
            result[-1] = left + right[2:]
        else:
            result.append(piece)
    return result


# %% [markdown]
# That joins a pair in one word. Next, the loop:


# %%
def count_pieces(cuts, counts):
    single, pairs = Counter(), Counter()
    for word, cut in cuts.items():
        for piece in cut:
            single[piece] += counts[word]
        for pair in pairwise(cut):
            pairs[pair] += counts[word]
    return single, pairs


# %%
def naive_learn(counts, size, score):
    cuts = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in counts}
    pieces = sorted({piece for cut in cuts.values() for piece in cut})
    while len(pieces) < size:
        single, pairs = count_pieces(cuts, counts)
        if not pairs:
            break
        total = single.total()
        scores = {p: score(n, single[p[0]], single[p[1]], total) for p, n in pairs.items()}
        left, right = max(sorted(pairs), key=scores.get)
        cuts = {w: join(cut, left, right) if left in cut else cut for w, cut in cuts.items()}
        if left + right[2:] not in pieces:
            pieces.append(left + right[2:])
    return pieces, cuts


# %% [markdown]
# Everything hangs on what is "best". Here are three scores for a pair that occurs `n` times, made
# of pieces that occur `a` and `b` times, where there are `total` pieces in all:

# %%
from math import log


def frequency(n, a, b, total):
    return n  # byte-pair encoding, as in GPT


def ratio(n, a, b, total):
    return n / (a * b)  # how much more often than by chance: WordPiece, as it is mostly taught


def likelihood(n, a, b, total):
    return n * log(n * total / (a * b))  # the same as a logarithm, for each of the n


# %% [markdown]
# The third needs a word. Were pieces drawn blindly, each as often as it occurs, the pair would
# come up `a * b / total` times. It came up `n` times. The score is the logarithm of how much
# oftener that is, once for each of the `n`.
#
# The paper that WordPiece comes from joins the pair that raises the likelihood of the text most.
# Ours only comes near it: it counts what happens to `n` pairs, and not that `a` and `b` become
# rarer elsewhere.
#
# Ten words will do to see them differ.
#
# **Predict.** The commonest pair in these ten is `##e ##r`. Which of the three scores join it
# first, and which does not?

# %%
ten_words = "baker bakes farmer fisher painter paints potter teacher weaver weaves".split()
ten_counts = {word: counts[word] for word in ten_words}
for score in (frequency, ratio, likelihood):
    pieces, _ = naive_learn(ten_counts, 52, score)
    joins = [piece for piece in pieces if len(piece.removeprefix("##")) > 1]
    _, cuts = naive_learn(ten_counts, 40, score)
    print(f"{score.__name__:10}  ##er is join number {joins.index('##er') + 1:2}; after 22 joins:")
    print(" " * 11, ", ".join(" ".join(cuts[word]) for word in ("baker", "paints", "painter")))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Frequency and likelihood join it at once. The ratio divides by how often `##e` and `##r` occur,
# and they occur everywhere, so 32 others come first. It likes letters that are seldom seen apart.
#
# </details>
#
# Ten words are a toy. Here is the whole training corpus, 400 pieces by each score, and the measure
# that a vocabulary is for: pieces per word of the test stories.
#
# **Predict.** Fewer pieces are better. Which score wins, and is it a close race?


# %%
def pieces_per_word(vocabulary):
    total = sum(n * len(longest_pieces(word, vocabulary)) for word, n in test_counts.items())
    return total / test_counts.total()


letters = {piece for word in counts for piece in (word[0], *(f"##{c}" for c in word[1:]))}
print(f"letters only {pieces_per_word(letters):.2f} pieces per word")
learned, per_word = {}, {}
sizes = range(100, 401, 50)
for score in (frequency, ratio, likelihood):
    name = score.__name__
    learned[name], _ = naive_learn(counts, 400, score)
    per_word[name] = [pieces_per_word(set(learned[name][:size])) for size in sizes]
    print(f"{name:12} {per_word[name][-1]:.2f} pieces per word; the last:", *learned[name][-8:])
assert per_word["ratio"][-1] > 1.6 * per_word["likelihood"][-1]
assert abs(per_word["frequency"][-1] / per_word["likelihood"][-1] - 1) < 0.05

# %%
curves(per_word, sizes, xlabel="pieces in the vocabulary", ylabel="pieces per word")
plt.ylim(1, None)
plt.show()
describe(
    f"pieces per test word against pieces in the vocabulary. From {per_word['ratio'][0]:.1f} or "
    f"less, frequency and likelihood fall together to {per_word['likelihood'][-1]:.1f}; the ratio "
    f"stays near {per_word['ratio'][-1]:.1f}."
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Frequency and likelihood run side by side, frequency a little ahead. The ratio hardly gets off
# the ground: 340 joins have made the text a ninth shorter, those of the others half as long.
#
# </details>
#
# What has it done with them? Look at its last eight: it spells out rare words, letter by letter.
# Yet this is how WordPiece is usually taught. (In Hugging Face's course, for one, which calls it a
# guess, as Google never published its learner.) It lacks one factor, `n`. It asks how *surprising*
# a pair is, and forgets to ask how *often* one is surprised. Real text agrees: with 8,000 pieces
# from 5 MB of novels, 2.28 pieces per word of other chapters against 1.10 (November 2026).
#
# And if one does count that `a` and `b` become rarer?


# %%
def with_loss(n, a, b, total):  # exact, but for twins like ##s ##s, where a falls by 2 n
    def x_log_x(x):
        return x * log(x) if x else 0

    after = x_log_x(n) + x_log_x(a - n) + x_log_x(b - n) - x_log_x(total - n)
    return after - (x_log_x(a) + x_log_x(b) - x_log_x(total))


stricter, _ = naive_learn(counts, 400, with_loss)
others = len(set(stricter) - set(learned["likelihood"]))
same = [one == other for one, other in zip(stricter, learned["likelihood"])]
print(f"{others} of 400 pieces are others, the first at place {same.index(False) + 1}")
print(f"{pieces_per_word(set(stricter)):.2f} pieces per word")

# %% [markdown]
# A fifth of the pieces change, and the text gets longer, not shorter. Plain frequency cuts
# shortest of all. Why does the package take likelihood, then? Because it is close to what the
# paper asks for. It does not matter much. What matters is `n`, which the ratio has not.
#
# Is it our loop that the package runs, join by join?

# %%
package = learn_vocabulary(train.split("\n"), 500)
joins = [piece for piece in learned["likelihood"] if len(piece.removeprefix("##")) > 1]
start = package.index(joins[0])
assert package[start : start + len(joins)] == joins
print(f"naive = package in {len(joins)} joins: True")
show_source(learn_vocabulary)

# %% [markdown]
# Ours recounts everything after every join, the package only words that changed. So was the
# course's `vocab.txt` made. Which words does it cut?

# %%
parts = np.array([len(longest_pieces(word, vocabulary)) for word in ranks])  # by rank
rows = {}
for first in range(0, len(parts), 250):
    some = parts[first : first + 250]
    row = {"whole": sum(some == 1), "two pieces": sum(some == 2), "three or more": sum(some > 2)}
    rows[f"{first + 1:,} to {first + len(some):,}"] = row
share_bars(rows, "Words by rank, the most frequent at the top")
plt.show()
first, last = (parts[:500] > 1).mean(), (parts[1500:] > 1).mean()
assert first < 0.05 < 0.8 < last
middle = rows["1,001 to 1,250"]["three or more"] / 250
describe(
    f"of the first 500 words {first:.1%} are cut, from 1,501 on {last:.1%}. Three pieces or more "
    f"are commonest from 1,001 to 1,250, with {middle:.0%}."
)

# %% [markdown]
# Frequent words whole, rare ones in pieces, as we wished. Nobody told it so; it follows from `n`.
# But the rarest are not cut smallest. They are villages, whose names are rare and whose parts are
# not: the small world makes 648 names from 36 beginnings and 18 endings. So for once we know where
# the seams are. Did the pieces find them?

# %%
from bert_course.world.words import VILLAGES

endings = [name.removeprefix("Amber") for name in VILLAGES if name.startswith("Amber")]
missed, by_chance = [], []
names = [name.lower() for name in VILLAGES]
for name in names:
    ending = next(ending for ending in endings if name.endswith(ending))
    if longest_pieces(name, vocabulary) != [name.removesuffix(ending), f"##{ending}"]:
        missed.append(longest_pieces(name, vocabulary))
    by_chance.append(1 / (len(name) - 1))
print(f"cut at the seam: all of {len(VILLAGES)} but {len(missed)}:", *missed)
print(f"by chance it would be one in {1 / np.mean(by_chance):.0f}")
villages = np.mean(np.isin(list(ranks)[1500:], names))
print(f"of the words from 1,501 on, villages are {villages:.0%}")
assert len(missed) < 0.1 * len(VILLAGES) and np.mean(by_chance) < 0.2

# %% [markdown]
# They did, but for *honeycombe*: beekeepers sell honeycombs, and the longest comes first. All
# these names stand in the training stories, so this is no test of new ones. Make some up, then,
# and ask what pieces have gained us at all:

# %%
for size, pieces in ((500, package), (2000, vocabulary)):
    longer_text = pieces_per_word(set(pieces))  # would stop at an unknown word
    print(f"{size:5,} words: {unknown_share(size):6.2%} unknown", end="; ")
    print(f"{size:5,} pieces: none, and {longer_text:.2f} pieces per word")
for word in ("spoonbury", "umbrellas", "haystackford"):
    assert word not in counts
    print(f"{word:12}", *longest_pieces(word, vocabulary))

# %% [markdown]
# Within this small world, little: it has hardly more words than we have pieces. A list of 2,000
# words leaves three in a thousand unknown, and to save these our sentences grow by 9 %. With 500,
# pieces save one word in eight, and sentences grow by two thirds.
#
# The gain is in new words, which no list from these stories can have. *spoonbury* and *umbrellas*
# are cut into parts that BERT has met in other words. *haystackford* is cut badly: the stack is
# lost. The vocabulary knows how often letters stand together, and nothing of what they mean. Even
# so, more is left than in `[UNK]`.
#
# ## 1.4 Unknown all the same
#
# Each letter is in the list, so nothing can be unknown any more. You may have read so. Test it.
#
# **Predict.** *lantern* is a piece, and 🙂 is not in the list. What does the tokenizer make of
# `lantern🙂`: the lantern and `[UNK]`, its letters and `[UNK]`, or something else?

# %%
for text in ("lantern", "lantern 🙂", "lantern🙂", "lantern!", "lantern7"):
    print(f"{text:10}", tokenizer.tokenize(text))

# %% [markdown]
# <details><summary>Answer</summary>
#
# `[UNK]`, and nothing else: the lantern is gone. Words end at spaces and at punctuation, and an
# emoji is neither, so it belongs to the word. One letter that is not in the list, and the whole
# word is unknown.
#
# </details>
#
# (Our stories have no digits, hence the last line. BERT-base has digits, and no 🙂.) That is one
# way to be unknown. The second you have seen, a cut that runs into a dead end. The third is to be
# long:

# %%
for times in (14, 15):
    cut = tokenizer.tokenize("lantern" * times)
    print(f"{7 * times} letters: {len(cut)} pieces, the first is {cut[0]}")

# %% [markdown]
# Beyond 100 letters the library gives up, and so do we. (Google's own code: beyond 200.)
#
# So much for odd words. One mistake does this to plain ones. The course's vocabulary is *uncased*:
# text is lower-cased first. Somebody loads it and forgets to say so.

# %%
forgetful = WordPieceTokenizer(tokenizer.vocabulary, lowercase=False)
print(forgetful.tokenize("Ginger lives next door."))
spoiled = sum("[UNK]" in forgetful.tokenize(sentence) for sentence in sentences)
healthy = sum("[UNK]" in tokenizer.tokenize(sentence) for sentence in sentences)
print(
    f"sentences with an unknown word: {spoiled / len(sentences):.0%}, "
    f"and {healthy} with lower-casing"
)
assert healthy == 0 and spoiled == len(sentences)

# %% [markdown]
# In every single sentence something is gone, and every name with it. No error, no warning.
# (Against just this, checkpoints carry a small file, `tokenizer_config.json`, that says
# `"do_lower_case": true`.)
#
# Lower-casing has a price. Some words of the small world are names as well:

# %%
print(tokenizer.tokenize("Ginger likes ginger, and Pudding likes pudding."))
assert tokenizer.ids("Ginger") == tokenizer.ids("ginger")
assert tokenizer.ids("a Résumé") == tokenizer.ids("a resume")

# %% [markdown]
# Who is who, BERT must find in the sentence. Accents go with the capitals: *résumé* and *resume*
# have the same pieces.
#
# ## 1.5 Piece for piece
#
# Before the pieces, then: take letters apart from their accents and drop these, lower the case,
# put spaces around punctuation. With that, the naive tokenizer is complete.

# %%
import unicodedata


def naive_tokenize(text, vocabulary):
    letters = unicodedata.normalize("NFD", text.lower())  # é becomes e and an accent
    letters = [c for c in letters if unicodedata.category(c) != "Mn"]  # Mn: an accent
    spaced = [f" {c} " if unicodedata.category(c)[0] == "P" else c for c in letters]
    words = "".join(spaced).split()
    return [piece for word in words for piece in naive_pieces(word, vocabulary)]


# %% [markdown]
# Three tokenizers on all test sentences: ours, the package's, and that of Hugging Face's library
# `tokenizers`.

# %%
from tokenizers import BertWordPieceTokenizer

published = BertWordPieceTokenizer(vocabulary)
for sentence in sentences:
    pieces = published.encode(sentence, add_special_tokens=False).tokens
    assert pieces == tokenizer.tokenize(sentence) == naive_tokenize(sentence, vocabulary)
print(f"naive = package = tokenizers on {len(sentences):,} sentences: True")

# %% [markdown]
# Equal, on tame sentences. Now wild ones: letters with accents, Chinese and Korean, what looks
# like punctuation, what looks like nothing. The vocabulary gets all of them, lest `[UNK]` cover up
# the differences.
#
# **Predict.** In how many of 2,000 wild strings will the naive tokenizer be wrong?

# %%
wild = [*"aebrt .,!-$^~’éñßøŁİΣςǅ雪한がﬁ½²🙂", *"\u0301\u200b\u00ad\u00a0\t\ufffd"]
more = [form for c in wild for form in c.lower() + unicodedata.normalize("NFD", c.lower())]
pieces = [*vocabulary, *(mark + form for form in more if form.strip() for mark in ("", "##"))]
pieces = list(dict.fromkeys(pieces))  # each once
wide = WordPieceTokenizer(pieces)
published = BertWordPieceTokenizer(wide.vocabulary.ids)
rng = np.random.default_rng(1)
texts = ["".join(rng.choice(wild, rng.integers(1, 13))) for _ in range(2000)]
right = [published.encode(text, add_special_tokens=False).tokens for text in texts]


# %%
def wrong(tokenize):
    return [text for text, pieces in zip(texts, right) if tokenize(text) != pieces]


naive_wrong = wrong(lambda text: naive_tokenize(text, wide.vocabulary.ids))
assert not wrong(wide.tokenize)
print(f"naive: {len(naive_wrong):,} of 2,000 wrong; package: {len(wrong(wide.tokenize))}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# In two of three. `$` and `^` are symbols to Unicode, not punctuation; a Chinese character is a
# word by itself; the zero-width space (U+200B) and the soft hyphen (U+00AD) must vanish.
#
# </details>
#
# None of this was in the idea. It is in the published code, so it is in the weights. What the
# package reads in a single character:

# %%
from bert_course.text.words import Readings

show_source(Readings.read)

# %% [markdown]
# Does only the naive version trip? Here is a library in wide use, keras-hub, with the settings
# that suit an uncased vocabulary. (The output is not compared: another version may do better.)

# %% tags=["nbval-ignore-output"]
import warnings

from bert_course.quiet import parked_stderr

warnings.filterwarnings("ignore", message="IProgress")
try:
    with parked_stderr():
        import keras_hub
    settings = {"lowercase": True, "strip_accents": True, "dtype": "string"}
    theirs = keras_hub.models.BertTokenizer(vocabulary=pieces, **settings)
    theirs_wrong = wrong(lambda text: [str(piece) for piece in theirs(text)])
    print(f"keras-hub {keras_hub.__version__}: {len(theirs_wrong):,} of 2,000 wrong")
    rows = zip(sentences, theirs(sentences))
    tame = sum([str(piece) for piece in row] != wide.tokenize(line) for line, row in rows)
    print(f"and {tame} of {len(sentences):,} test sentences")
except ImportError as error:  # on Windows
    print("cannot be tried here:", error)

# %% [markdown]
# Three in four of the wild, none of the tame (keras-hub 0.32, November 2026). To it an invisible
# character ends a word and a no-break space (U+00A0) does not; *ß* is *ss*, *ς* is *σ*, *ﬁ* is *f*
# and *i*; `½`, `²` and *ǅ* are unknown; Korean syllables stay whole. Some of that may be wiser
# than the published code. It is not what the weights have seen. And ask for `strip_accents`: with
# `lowercase` alone, *crème brûlée* is `[UNK] [UNK]` in our vocabulary.
#
# ## 1.6 What BERT is handed
#
# BERT reads one text or two, between special pieces, and for each piece the number of its text.
# `encode` makes all of it at once:

# %%
encoding = tokenizer.encode("Who bakes buns?", "Hugo, of Swanford.")
print(*encoding.tokens)
print("segment ids", *encoding.segment_ids)
print("ids        ", *encoding.ids)

# %% [markdown]
# BERT-base has 512 places, and what does not fit is cut off.
#
# **Predict.** Two texts of 60 and 10 pieces, and room for 40. How many are left of each: 40 and 0,
# 34 and 6, or 30 and 10?

# %%
encoding = tokenizer.encode("apple " * 60, "honey " * 10, max_length=43)  # with [CLS] [SEP] [SEP]
print(encoding.tokens.count("apple"), "and", encoding.tokens.count("honey"))

# %% [markdown]
# <details><summary>Answer</summary>
#
# 30 and 10. Only the longer text gives up its end. Were the whole cut at its end, a short question
# behind a long page would be gone.
#
# </details>
#
# And what if somebody writes a special piece into a text? For `[MASK]` you will want that. But the
# same door is open to everyone:

# %%
review = "It was fine. [SEP] It was awful."
encoding = tokenizer.encode(review)
print(*encoding.tokens)
written = [offset for token, offset in zip(encoding.tokens, encoding.offsets) if token == "[SEP]"]
print("the two [SEP] stand in the text at", written)
print(*tokenizer.encode(review.replace("[", "[ ")).tokens)
assert encoding.ids == BertWordPieceTokenizer(vocabulary).encode(review).ids

# %% [markdown]
# The model sees a seam where there was none. The published tokenizers do the same. So never look
# for the second text by searching for `[SEP]`. Ask the segment ids, or the offsets: they are (0,
# 0) for what the tokenizer put in itself. And where strangers write, put a space behind each
# bracket first, as in the last line.
#
# ## 1.7 And back
#
# The naive way back glues the pieces together again.
#
# **Predict.** Of 100 test sentences, how many come back just as they were?


# %%
def naive_decode(tokens):
    return " ".join(tokens).replace(" ##", "")


def without_spaces(text):
    return text.replace(" ", "")


back = [naive_decode(tokenizer.tokenize(sentence)) for sentence in sentences]
tidy = [tokenizer.decode(tokenizer.ids(sentence)) for sentence in sentences]
for name, results in (("naive", back), ("package", tidy)):
    exact = np.mean([s == result for s, result in zip(sentences, results)])
    lower = np.mean([s.lower() == result for s, result in zip(sentences, results)])
    print(f"{name:7}  exact {exact:4.0%}   but for capitals {lower:4.0%}")
assert [without_spaces(s.lower()) for s in sentences] == [without_spaces(s) for s in back]

# %% [markdown]
# <details><summary>Answer</summary>
#
# None: each has a capital letter, and pieces have none. Nor do they say where there were spaces.
# The package moves full stops and commas back to their words, which is a guess, and wrong for
# quotes. No letter or mark is lost, as the last line asserts.
#
# </details>
#
# Decoding is for looking at things. For what must be exact there are the offsets: where each piece
# begins and ends in the text as it was written.

# %%
sentence = "“Crème brûlée!” cried Ginger."
encoding = tokenizer.encode(sentence)
for token, (begin, end) in zip(encoding.tokens, encoding.offsets):
    print(f"{token:7} {begin:3} {end:3}  {sentence[begin:end]}")

# %% [markdown]
# Accents and capitals are back. A test of all offsets at once: strung together, the slices must
# give each sentence again, without its spaces.

# %%
for sentence in sentences:
    slices = [sentence[begin:end] for begin, end in tokenizer.encode(sentence).offsets]
    assert "".join(slices) == without_spaces(sentence)
print("every letter, once: True")

# %% [markdown]
# ## 1.8 With the published vocabularies
#
# They are not in this repository. If `BERT_COURSE_DATA` names a folder with them (see the README),
# these cells hold package and library against each other, and check what was said of BERT-base.

# %%
data, checked = real_data(), {}
if data and not ((data / "vocab").exists() and (data / "books").exists()):
    data = None
if data:
    novel = (data / "books" / "jane-austen_emma.txt").read_text(encoding="utf-8").split("\n")
    for name in ("base-uncased", "base-cased", "base-chinese", "base-multilingual-cased"):
        file, small = str(data / "vocab" / f"bert-{name}.vocab.txt"), not name.endswith("-cased")
        ours = WordPieceTokenizer(file, lowercase=small)
        theirs = BertWordPieceTokenizer(file, lowercase=small)
        for line in novel[:1000] + texts:
            assert ours.tokenize(line) == theirs.encode(line, add_special_tokens=False).tokens
        checked[name] = len(novel[:1000] + texts)

# %%
if data:
    base = WordPieceTokenizer(data / "vocab" / "bert-base-uncased.vocab.txt")
    for word in ("needlessly", "mistrust"):
        assert base.tokenize(word) == naive_pieces(word, ten)
    assert ten < set(base.vocabulary.ids) and base.tokenize("lantern🙂") == ["[UNK]"]
    assert all(piece in base.vocabulary.ids for c in alphabet for piece in (c, f"##{c}"))
    words = {word for line in novel for word in naive_words(line) if word.isascii()}
    found = [w for w in words if w.isalpha() and len(w) < 25]
    cut = {w: len(longest_pieces(w, base.vocabulary.ids)) for w in found}
    checked["words of the novel"] = len(found)
    checked["cut into more pieces than need be"] = sum(
        cut[w] > len(fewest_pieces(w, base.vocabulary.ids)) for w in found if cut[w] > 2
    )

# %% [markdown]
# Done in November 2026, with `tokenizers` 0.23, Google's four published `vocab.txt` and the *Emma*
# of Standard Ebooks: piece for piece the same on 1,000 lines and the 2,000 wild strings, for each
# vocabulary. *needlessly*, *mistrust* and the lantern fare as was said. Of 6,879 different words
# in the novel, BERT-base cuts 11 into more pieces than need be.

# %% tags=["nbval-ignore-output"]
print("here: BERT_COURSE_DATA" if data else "not here: set BERT_COURSE_DATA, see README")
for what, number in checked.items():
    print(f"{what:36} {number:,}")

# %% [markdown]
# ## In five sentences
#
# A list of words leaves rare and new ones unknown and a list of letters makes sentences long, so
# BERT reads pieces, cut by taking the longest that fits, again and again. The longest first is not
# the fewest, and it is right all the same, because it is what the weights were trained with.
# Pieces are learned by joining neighbours that often meet, or often and against chance, with
# little between the two; the ratio that is mostly taught forgets how often, and cuts the same
# stories into nearly twice as many pieces. A single letter that is not in the list makes a whole
# word unknown, a forgotten lower-casing makes every name unknown, and nobody is told. Offsets lead
# back to the text as it was written; decoding does not.
#
# ## What we left out
#
# Pieces of bytes, as in GPT, which know no unknown word; the unigram model of SentencePiece, which
# does look ahead when it cuts; languages that write no spaces. And `bert_course/text/in_graph.py`,
# which puts the vocabulary inside a TensorFlow graph.
#
# ## Where it is in the paper
#
# BERT (Devlin et al., 2019), §3, "Input/Output Representations": 30,000 word pieces, `[CLS]`,
# `[SEP]`, segments. The paper takes the pieces from Wu et al. (2016), *Google's Neural Machine
# Translation System*, §4.1, and these come from Schuster and Nakajima (2012), *Japanese and Korean
# Voice Search*, whose §3 has the likelihood. The 512 places are in BERT's appendix A.2. The
# longest first, the characters of section 1.5 and `[UNK]` for the whole word are in none of these
# papers. They are in `tokenization.py` at github.com/google-research/bert.
