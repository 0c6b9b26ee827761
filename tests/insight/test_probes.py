import numpy as np
import pytest

from bert_course.insight import batches
from bert_course.insight.batches import batch_of
from bert_course.insight.inside import hidden_states
from bert_course.insight.probes import (
    control_labels,
    layer_features,
    probe,
    probe_table,
    static_features,
    text_spots,
    word_spots,
)

WORDS = [["the", "walkers", "sleeps", "."], ["cats"], ["a", "playing", "Dog", ",", "old"]]


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(batches, "ROOM", 32)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("pool", ["mean", "cls"])
def test_features_of_texts_are_those_of_one_text_at_a_time(bert, sentences, pool):
    texts = [*sentences[:9], ("the cat", "sees a dog .")]
    features = layer_features(bert, text_spots(bert, texts, pool))
    assert features.shape == (3, 10, 8)
    for number, text in enumerate(texts):
        states = hidden_states(bert.encoder, batch_of(bert, [text]))[:, 0]  # (L + 1, S, H)
        alone = states.mean(axis=1) if pool == "mean" else states[:, 0]
        np.testing.assert_allclose(features[:, number], alone, atol=1e-5)
        other = features[:, (number + 1) % 10]  # negative control: the text behind it
        assert np.abs(other - alone).max() > 1e-2


def test_the_pieces_of_words(bert):
    assert word_spots(bert, WORDS).spans == [
        [(1, 2), (2, 3), (5, 6), (6, 7)],
        [(1, 2)],
        [(1, 2), (2, 3), (4, 5), (5, 6), (6, 7)],
    ]
    spots = word_spots(bert, WORDS, pool="mean")
    assert spots.spans[0] == [(1, 2), (2, 5), (5, 6), (6, 7)]
    assert spots.names[1] == "walk ##er ##s"
    assert spots.names[-3] == "dog"  # as BERT reads it
    joined = [bert.tokenizer.encode(" ".join(words)).ids for words in WORDS]
    assert [encoding.ids for encoding in spots.encodings] == joined


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("pool", ["first", "mean"])
def test_features_of_words_are_those_of_one_sentence_at_a_time(bert, pool):
    spots = word_spots(bert, WORDS, pool)
    features = layer_features(bert, spots)
    assert features.shape == (3, 10, 8)
    states = hidden_states(bert.encoder, batch_of(bert, [" ".join(WORDS[0])]))[:, 0]
    begin, end = (2, 3) if pool == "first" else (2, 5)
    np.testing.assert_allclose(features[:, 1], states[:, begin:end].mean(axis=1), atol=1e-5)
    states = hidden_states(bert.encoder, batch_of(bert, [" ".join(WORDS[2])]))[:, 0]
    np.testing.assert_allclose(features[:, 7], states[:, 4], atol=1e-5)


def test_static_features_know_the_word_and_nothing_else(bert):
    spots = word_spots(bert, [["a", "cat"], ["cat", "cat", "cats"]], pool="mean")
    static = static_features(bert, spots)
    table = np.array(bert.encoder.get_layer("embeddings").token.embeddings)
    ids = bert.tokenizer.vocabulary.ids
    np.testing.assert_array_equal(static[1:4], np.stack([table[ids["cat"]]] * 3))
    both = (table[ids["cat"]] + table[ids["##s"]]) / 2
    np.testing.assert_allclose(static[4], both, atol=1e-6)
    there = layer_features(bert, spots)[:, 1:4]
    assert (np.ptp(there, axis=1).max(axis=-1) > 1e-2).all()  # negative control: places differ


def planted(rng, labels, noise=1.0):
    """Features of which one direction tells the label, and the others nothing."""
    features = noise * rng.standard_normal((len(labels), 6))
    return features + np.outer(2 * (labels == "glad"), [1, -1, 0, 2, 0, 0])


def test_a_probe_finds_what_is_there_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    labels, test_labels = (rng.choice(["glad", "glum"], size=n) for n in (400, 1000))
    features, test_features = planted(rng, labels), planted(rng, test_labels)
    assert probe(features, labels, test_features, test_labels) > 0.95
    noise = rng.standard_normal((400, 6))
    assert 0.4 < probe(noise, labels, rng.standard_normal((1000, 6)), test_labels) < 0.6
    shuffled = probe(features, rng.permutation(labels), test_features, test_labels)
    assert 0.2 < shuffled < 0.8


def test_a_probe_does_not_mind_how_large_numbers_are():
    rng = np.random.default_rng(0)
    labels, test_labels = (rng.choice(["glad", "glum"], size=300) for _ in range(2))
    features, test_features = planted(rng, labels), planted(rng, test_labels)
    found = probe(features, labels, test_features, test_labels)
    for size in (1e-4, 1e4):
        same = probe(size * features + size, labels, size * test_features + size, test_labels)
        assert same == pytest.approx(found, abs=0.005)


def test_control_labels_stick_to_names_and_come_as_often_as_labels_do():
    names = [f"word {number % 500}" for number in range(5000)]
    labels = control_labels(names, ["O"] * 80 + ["B"] * 20, np.random.default_rng(0))
    assert (labels[:500] == labels[500:1000]).all()
    assert 0.7 < np.mean(labels == "O") < 0.9
    again = control_labels(names, ["O"] * 80 + ["B"] * 20, np.random.default_rng(1))
    assert (labels != again).any()


@pytest.fixture(scope="module")
def table(bert):
    """A table of two-word sentences, and its test labels: is the word before this one a cat?"""
    rng = np.random.default_rng(0)

    def draw(count):
        firsts = rng.choice(["cat", "dog", "bird"], size=count)
        seconds = rng.choice(["sees", "feeds", "sleeps", "walk", "play"], size=count)
        spots = word_spots(bert, np.stack([firsts, seconds], axis=1).tolist())
        labels = [label for w in firsts for label in ("O", "yes" if w == "cat" else "no")]
        return spots, labels

    train, labels = draw(200)
    test, test_labels = draw(100)
    return probe_table(bert, train, labels, test, test_labels), test_labels


def test_the_table_tells_what_needs_neighbours_from_what_words_say(table):
    rows, _ = table
    assert all(len(accuracies) == 3 for accuracies in rows.values())
    this, words = rows["this model"], rows["token table"]
    assert this[2] > 0.95 > 0.9 > this[0]  # no block, no neighbours
    assert words[0] < 0.9


def test_the_rows_of_the_table_that_no_layer_changes(table):
    rows, labels = table
    assert rows["most frequent label"] == [labels.count("O") / len(labels)] * 3
    assert len(set(rows["token table"])) == 1


def test_random_labels_of_words_are_learned_by_heart(table):
    rows, _ = table
    assert rows["random labels"][0] > 0.95  # eight words: the layer is wide enough for all


def test_random_labels_of_new_texts_cannot_be_learned(bert):
    """Nor can a label that says which animal is in the text, once it is drawn anew."""
    rng = np.random.default_rng(0)
    pieces = "the a sees feeds old play walk , . on".split()
    labels = rng.choice(["cat", "dog"], size=600)
    texts = [" ".join([*rng.choice(pieces, size=6), label]) for label in labels]
    train, test = text_spots(bert, texts[:300]), text_spots(bert, texts[300:])
    rows = probe_table(bert, train, labels[:300], test, labels[300:])
    assert min(rows["token table"]) > 0.95
    assert max(rows["random labels"]) < 0.62


def test_a_table_with_one_seed_is_one_table(bert, sentences):
    train, test = text_spots(bert, sentences[:20]), text_spots(bert, sentences[20:])
    one, same, other = (
        probe_table(bert, train, [0, 1] * 10, test, [0, 1] * 5, rng) for rng in (5, 5, 6)
    )
    assert one == same
    assert one["random labels"] != other["random labels"] or one["untrained"] != other["untrained"]


def test_as_many_labels_as_rows():
    rows = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"one label for each .*Received: 3 rows .*, 2 labels"):
        probe(rows, [0, 1], rows, [0, 1, 1])
    with pytest.raises(ValueError, match=r"Received: 3 rows .*, 4 labels"):
        probe(rows, [0, 1, 1], rows, [0, 1, 1, 0])


def test_words_that_are_blank_are_refused(bert):
    with pytest.raises(ValueError, match=r"Every word must have something .*Received: ' ' in"):
        word_spots(bert, [["a", " ", "cat"]])


def test_pools_that_are_not_known_are_refused(bert):
    with pytest.raises(ValueError, match=r"pool must be 'mean' or 'cls'\. Received: 'max'"):
        text_spots(bert, ["a cat"], pool="max")
    with pytest.raises(ValueError, match=r"pool must be 'first' or 'mean'\. Received: 'cls'"):
        word_spots(bert, [["cat"]], pool="cls")
