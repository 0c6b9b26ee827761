"""What a linear classifier can read off each layer, and off what is no layer of this model."""

from typing import NamedTuple

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bert_course.insight.batches import by_width, encode_all, portions
from bert_course.insight.inside import encoder_blocks
from bert_course.model.checkpoints import Bert
from bert_course.text.wordpiece import Encoding


class Spots(NamedTuple):
    """The N places in some texts that a probe looks at.

    encodings: the texts as BERT reads them.
    spans: for each encoding, a list of spots: (begin, end) of the pieces whose mean is taken.
    names: for each of the N spots, one text after the other, the text or word that it stands for,
        as BERT reads it.
    """

    encodings: list
    spans: list
    names: list


def text_spots(bert, texts, pool="mean"):
    """One spot for each text or pair of texts.

    Args:
        pool: "mean" of all its tokens, or its "cls".
    """
    _check_pool(pool, ("mean", "cls"))
    encodings = encode_all(bert, texts)
    spans = [[(0, len(e.ids) if pool == "mean" else 1)] for e in encodings]
    return Spots(encodings, spans, [" ".join(e.tokens) for e in encodings])


def word_spots(bert, sentences, pool="first"):
    """One spot for each word of sentences that are lists of words.

    Args:
        pool: the "first" piece of a word, as in BERT, §5.3; or the "mean" of all of them.
    """
    _check_pool(pool, ("first", "mean"))
    pieces = bert.tokenizer.vocabulary.pieces
    encodings, spans, names = [], [], []
    for words in sentences:
        encoding, places = _encode_words(bert.tokenizer, words)
        encodings.append(encoding)
        spans.append([(begin, begin + 1 if pool == "first" else end) for begin, end in places])
        names += [" ".join(pieces[i] for i in encoding.ids[begin:end]) for begin, end in places]
    return Spots(encodings, spans, names)


def _check_pool(pool, known):
    if pool not in known:
        raise ValueError(f"pool must be {' or '.join(map(repr, known))}. Received: {pool!r}")


def _encode_words(tokenizer, words):
    """Words -> their `Encoding` together, and (begin, end) of the pieces of each."""
    vocabulary = tokenizer.vocabulary
    ids, places = [vocabulary.cls], []
    for word in words:
        of_word = tokenizer.ids(word)
        if not of_word:
            raise ValueError(
                "Every word must have something that BERT reads, for there is nothing else to "
                f"probe: leave out blank words and their labels. Received: {word!r} in {words}"
            )
        places.append((len(ids), len(ids) + len(of_word)))
        ids += of_word
    ids.append(vocabulary.sep)
    tokens = [vocabulary.pieces[i] for i in ids]
    return Encoding(ids, tokens, [0] * len(ids), [(0, 0)] * len(ids)), places


def layer_features(bert, spots):
    """What leaves the embeddings and every block at the spots, as one array (L + 1, N, H)."""
    layers = [bert.encoder.get_layer("embeddings"), *encoder_blocks(bert.encoder)]
    every_layer = keras.Model(bert.encoder.input, [layer.output for layer in layers])
    first = np.cumsum([0, *map(len, spots.spans)])  # the number of each text's first spot
    features = np.empty((len(layers), first[-1], bert.config.hidden_dim), "float32")
    for places, batch in by_width(bert, spots.encodings):
        for portion in portions(*batch["token_ids"].shape):
            part = {name: array[portion] for name, array in batch.items()}
            states = every_layer(part, training=False)
            states = np.stack([keras.ops.convert_to_numpy(s) for s in states])  # (L + 1, B, S, H)
            for row, place in enumerate(places[portion]):
                found = features[:, first[place] : first[place + 1]]
                for number, (begin, end) in enumerate(spots.spans[place]):
                    found[:, number] = states[:, row, begin:end].mean(axis=1)
    return features


def static_features(bert, spots):
    """The rows of the token table at the spots (N, H): words without order or neighbours."""
    table = keras.ops.convert_to_numpy(bert.encoder.get_layer("embeddings").token.embeddings)
    ids = [
        encoding.ids[begin:end]
        for encoding, spans in zip(spots.encodings, spots.spans, strict=True)
        for begin, end in spans
    ]
    return np.stack([table[of_spot].mean(axis=0) for of_spot in ids])


def probe(features, labels, test_features, test_labels):
    """The share of the test labels that a linear classifier tells from the features.

    Logistic regression, on features that are first given the mean 0 and the deviation 1: otherwise
    the layer with the largest numbers would be the least held back by the penalty on weights.

    Args:
        features: (N, H); test_features: another number of rows.
    """
    for rows, names in ((features, labels), (test_features, test_labels)):
        if len(rows) != len(names):
            raise ValueError(
                "There must be one label for each text or word, in one list for all sentences. "
                f"Received: {len(rows)} rows of features, {len(names)} labels"
            )
    # tol: with scikit-learn's own it takes three times as long, for the same accuracy to 0.1 %.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-3, max_iter=1000))
    return float(classifier.fit(features, labels).score(test_features, test_labels))


def control_labels(names, labels, rng):
    """A label drawn from `labels` for each different name, the same wherever the name stands.

    Nothing but the name itself tells the label. What a probe gets right with these, it has learned
    by heart; what it gets right beyond that with the true labels is its selectivity.

    Paper: Designing and Interpreting Probes with Control Tasks (Hewitt & Liang, 2019).
    """
    different, which = np.unique(names, return_inverse=True)
    return rng.choice(np.asarray(labels), size=len(different))[which]


def probe_table(bert, spots, labels, test_spots, test_labels, rng=0):
    """{row: [a probe's accuracy on the embeddings and on every block]}, the model and its controls.

    "random labels" are `control_labels`: where every name is a whole text, no test text is among
    those learned from, so that they are merely shuffled. The "token table" and the "most frequent
    label" are the same for all layers.
    """
    rng = np.random.default_rng(rng)
    names = spots.names + test_spots.names
    random_labels = control_labels(names, labels, rng)
    untrained = Bert(bert.config, bert.vocabulary, bert.lowercase, rng)
    here, there = layer_features(bert, spots), layer_features(bert, test_spots)

    def of_layers(features, labels, test_features, test_labels):
        layers = zip(features, test_features, strict=True)
        return [probe(one, labels, other, test_labels) for one, other in layers]

    static = static_features(bert, spots), static_features(bert, test_spots)
    frequent = max(sorted(set(labels)), key=list(labels).count)
    blank = layer_features(untrained, spots), layer_features(untrained, test_spots)
    at_random = random_labels[: len(labels)], random_labels[len(labels) :]
    return {
        "this model": of_layers(here, labels, there, test_labels),
        "random labels": of_layers(here, at_random[0], there, at_random[1]),
        "untrained": of_layers(blank[0], labels, blank[1], test_labels),
        "token table": [probe(static[0], labels, static[1], test_labels)] * len(here),
        "most frequent label": [float(np.mean(np.equal(test_labels, frequent)))] * len(here),
    }
