"""How likely a masked-word model finds whole sentences, and which of two it prefers."""

import numpy as np
from keras import ops

from bert_course.insight.batches import by_width, encode_all, portions


def piece_log_probabilities(bert, sentences, contexts=None, rest_of_word=True):
    """log P(pieceᵢ | all pieces that are seen), each piece of a sentence hidden in turn.

    What BERT was trained to say of a piece, it says of a hidden one. The least of a sentence's
    numbers is of the piece that fits the rest worst.

    Args:
        contexts, rest_of_word: as for `pseudo_log_likelihood`.

    Returns:
        For each sentence an array, with a number for each of its pieces.
    """
    encodings = encode_all(bert, _with_contexts(sentences, contexts))
    return _of_hidden(bert, encodings, list(map(_sentence, encodings)), rest_of_word)


def pseudo_log_likelihood(bert, sentences, contexts=None, rest_of_word=True):
    """Σᵢ log P(pieceᵢ | all pieces that are seen), each piece of a sentence hidden in turn: (N,).

    Paper: Masked Language Model Scoring (Salazar et al., 2020).
    Differs from the paper: with a piece, the rest of its word to the right is hidden too, as in A
    Better Way to Do Masked Language Model Scoring (Kauf & Ivanova, 2023). Seen, it would give the
    piece away, so that a word of many pieces would count as a likely one.

    Args:
        contexts: for each sentence, the text before it, which may be "". It is the first text of a
            pair, and never hidden.
        rest_of_word: False for the first paper's score. Words of one piece have the same in both.
    """
    return _sums(piece_log_probabilities(bert, sentences, contexts, rest_of_word))


def _with_contexts(sentences, contexts):
    if contexts is None:
        return sentences
    if len(contexts) != len(sentences):
        raise ValueError(
            "There must be one context for each sentence, '' where it has none. Received: "
            f"{len(contexts)} contexts, {len(sentences)} sentences"
        )
    pairs = zip(contexts, sentences, strict=True)
    return [(context, sentence) if context else sentence for context, sentence in pairs]


def _sentence(encoding):
    """(first, last) of the pieces of the last text; at `last` stands [SEP]."""
    first = encoding.segment_ids.index(1) if 1 in encoding.segment_ids else 1
    last = len(encoding.ids) - 1
    if first == last:
        raise ValueError(
            "A sentence must have pieces to hide: leave out those that are blank. "
            f"Received: {' '.join(encoding.tokens)}"
        )
    return first, last


def _of_hidden(bert, encodings, spans, rest_of_word=True):
    """log P of the pieces from first to last, (first, last) being the spans: an array for each."""
    found = [np.empty(last - first) for first, last in spans]
    for places, batch in by_width(bert, encodings):
        rows, begins, ends = [], [], []  # of each piece: where it stands, where what is hidden ends
        for row, place in enumerate(places):
            for begin in range(*spans[place]):
                rows.append(row)
                begins.append(begin)
                ends.append(_end_of_word(bert, encodings[place].ids, begin + 1, rest_of_word))
        rows, begins, ends = np.array(rows), np.array(begins, "int32"), np.array(ends)
        logs = [
            _log_probability(bert, batch, rows[portion], begins[portion], ends[portion])
            for portion in portions(len(rows), batch["token_ids"].shape[1])
        ]
        for row, begin, log in zip(rows, begins, np.concatenate(logs), strict=True):
            found[places[row]][begin - spans[places[row]][0]] = log
    return found


def _sums(arrays):
    return np.array([array.sum() for array in arrays])


def _end_of_word(bert, ids, end, rest_of_word=True):
    while rest_of_word and bert.tokenizer.vocabulary.continues[ids[end]]:
        end += 1
    return end


def _log_probability(bert, batch, rows, begins, ends):
    """log P of the pieces at `begins`, while all from there to `ends` is hidden."""
    inputs = {name: array[rows] for name, array in batch.items()}
    token_ids = inputs["token_ids"]  # (B, S), a copy
    hidden_ids = token_ids[np.arange(len(rows)), begins]
    place = np.arange(token_ids.shape[1])
    token_ids[(place >= begins[:, None]) & (place < ends[:, None])] = bert.tokenizer.vocabulary.mask
    inputs["masked_positions"] = begins[:, None]
    logits = bert.pretraining_model.predict_on_batch(inputs)["masked_words"][:, 0]  # (B, V)
    log_probabilities = ops.convert_to_numpy(ops.log_softmax(logits))
    return log_probabilities[np.arange(len(rows)), hidden_ids]


def minimal_pair_scores(bert, rows, changed_only=False):
    """{phenomenon: share of its pairs whose good sentence has the higher score}.

    Whoever knows nothing need not be near 0.5: score an untrained model beside.

    Args:
        rows: (phenomenon, context, good, bad), as `MinimalPair`s or as read from
            minimal_pairs.tsv.
        changed_only: whether the scores are of the word that good and bad differ in, not of all
            their pieces. This takes a tenth of the time, and is no mere shortcut: all else being
            the same, the two sentences are as likely as these two words are there.
    """
    phenomena, contexts, good, bad = map(list, zip(*rows, strict=True))
    encodings = encode_all(bert, _with_contexts(good + bad, contexts + contexts))
    spans = list(map(_sentence, encodings))
    if changed_only:
        pairs = zip(encodings[: len(good)], encodings[len(good) :], strict=True)
        changed = [_changed(bert, one.ids, other.ids) for one, other in pairs]
        spans = [span for spans in zip(*changed, strict=True) for span in spans]
    scores = _sums(_of_hidden(bert, encodings, spans))
    is_right = scores[: len(good)] > scores[len(good) :]
    return {
        phenomenon: float(is_right[np.equal(phenomena, phenomenon)].mean())
        for phenomenon in dict.fromkeys(phenomena)
    }


def _changed(bert, *both):
    """Two lists of ids -> (first, last) in each of them, with the words that differ between."""
    shortest = min(map(len, both))
    differs = [one != other for one, other in zip(*both, strict=False)]
    from_end = [one != other for one, other in zip(*map(reversed, both), strict=False)]
    first = differs.index(True) if any(differs) else shortest
    same = from_end.index(True) if any(from_end) else shortest
    while first < shortest and any(bert.tokenizer.vocabulary.continues[ids[first]] for ids in both):
        first -= 1  # back to where the word begins
    if any(len(ids) - same <= first for ids in both):
        raise ValueError(
            "The sentences of a minimal pair must have different words at one place. Received: "
            + " and ".join(repr(bert.tokenizer.decode(ids)) for ids in both)
        )
    return [(first, _end_of_word(bert, ids, len(ids) - same)) for ids in both]
