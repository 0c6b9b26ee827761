"""Text -> word pieces -> ids, and back."""

import os
import re
from typing import NamedTuple

from bert_course.text.learn import learn_vocabulary
from bert_course.text.vocabulary import SPECIAL, Vocabulary, read_vocabulary
from bert_course.text.words import LONGEST_WORD, SPECIAL_PIECE, Readings, split_words

__all__ = ["Encoding", "WordPieceTokenizer", "learn_vocabulary", "longest_pieces"]

MOST_REMEMBERED = 2**18  # chunks, and as many words: some 80 MB of English
LONGEST_REMEMBERED = 32  # characters
WORD = re.compile("[^ ]+")


def longest_pieces(word, vocabulary):
    """The longest piece that the word begins with, then the longest that the rest begins with, …

    Paper: Google's Neural Machine Translation System (Wu et al., 2016), §4.1, has the pieces; that
    the longest is taken, and the ## of all pieces but the first, are from BERT's code.

    Args:
        vocabulary: a set of pieces, or a dictionary with them as keys.

    Returns the list of pieces; None where the vocabulary has nothing to go on with.
    """
    pieces, start, prefix = [], 0, ""
    while start < len(word):
        end = len(word)
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return None
        pieces.append(prefix + word[start:end])
        start, prefix = end, "##"
    return pieces


class Encoding(NamedTuple):
    """A text, or a pair of texts, as BERT reads it; four lists of the same length.

    offsets: for each piece, where it begins and ends in the text it comes from, so that
        text[begin:end] shows how it was written there; (0, 0) for [CLS] and [SEP].
    """

    ids: list
    tokens: list
    segment_ids: list
    offsets: list


class WordPieceTokenizer:
    """Text -> word pieces -> ids, and back, as in the published tokenizers.

    Args:
        vocabulary: a `Vocabulary`, a list of pieces, or the path of a vocab.txt.
        lowercase: whether the vocabulary has lower-case letters only.
        strip_accents: whether é is read as e; if None, it is when text is lower-cased.

    Paper: BERT (Devlin et al., 2018), §3, Input/Output Representations.
    Differs from Google's code, as the `tokenizers` library does: a special piece written in the
    text, such as [MASK], is that piece; a word of more than 100 characters is unknown, not of more
    than 200; Σ is lower-cased to σ also at a word's end; private characters are left out; see also
    NEWCOMERS and CHINESE in words.py.
    """

    def __init__(self, vocabulary, lowercase=True, strip_accents=None):
        self.vocabulary = as_vocabulary(vocabulary)
        self.lowercase = lowercase
        self._readings = Readings(lowercase, strip_accents)
        self.strip_accents = self._readings.strip_accents
        self._ids_of_word = Remembered(self._look_up_word)
        self._ids_of_chunk = Remembered(self._look_up_chunk)
        self._widths = [len(piece.removeprefix("##")) for piece in self.vocabulary.pieces]

    def __reduce__(self):  # for pickle: what is remembered stays at home
        return WordPieceTokenizer, (self.vocabulary, self.lowercase, self.strip_accents)

    def tokenize(self, text):
        """The pieces of a text."""
        return [self.vocabulary.pieces[number] for number in self.ids(text)]

    def ids(self, text):
        """The ids of the pieces of a text.

        A chunk, which is what stands between two blanks, is cut once and then remembered: most of
        a text is chunks met before, and the rest is words met before.
        """
        check_is_text(text)
        ids = []
        for chunk in text.split(" "):
            ids += self._ids_of_chunk[chunk]
        return ids

    def _look_up_chunk(self, chunk):
        ids = []
        for word in split_words(chunk, self._readings):
            ids += self._ids_of_word[word]
        return tuple(ids)

    def _look_up_word(self, word):
        pieces = longest_pieces(word, self.vocabulary.ids) if len(word) <= LONGEST_WORD else None
        if pieces is None:
            return (self.vocabulary.unk,)
        return tuple(self.vocabulary.ids[piece] for piece in pieces)

    def encode(self, text, pair=None, max_length=None):
        """[CLS] text [SEP], or [CLS] text [SEP] pair [SEP], as an `Encoding`.

        Args:
            max_length: of the whole, special pieces included. Pieces are cut off at the end of
                the longer text; at the ends of both where each would fill its half. (If a place
                is left over then, the longer text has it; of two equally long ones, the second.)
        """
        texts = [self._cut(text)] if pair is None else [self._cut(text), self._cut(pair)]
        if max_length is not None:
            texts = truncate(texts, max_length)
        cls, sep = ((special, (0, 0)) for special in (self.vocabulary.cls, self.vocabulary.sep))
        cuts, segment_ids = [cls], [0]
        for segment, cut in enumerate(texts):
            cuts += [*cut, sep]
            segment_ids += [segment] * (len(cut) + 1)
        ids, offsets = map(list, zip(*cuts, strict=True))
        return Encoding(ids, [self.vocabulary.pieces[i] for i in ids], segment_ids, offsets)

    def _cut(self, text):
        """What `ids` gives, with the beginning and end of each piece in the text."""
        check_is_text(text)
        cuts, begin = [], 0
        for part in SPECIAL_PIECE.split(text):
            if part in SPECIAL:
                cuts.append((self.vocabulary.ids[part], (begin, begin + len(part))))
            else:
                cuts += self._cut_words(part, begin)
            begin += len(part)
        return cuts

    def _cut_words(self, text, begin):
        readings = [self._readings[ord(character)] for character in text]
        # A reading may be longer or shorter than its character: what is read at i stands at
        # places[i].
        places = [place for place, reading in enumerate(readings, begin) for _ in reading]
        for word in WORD.finditer("".join(readings)):
            ids = self._ids_of_word[word.group()]
            start = word.start()
            for number in ids:
                known = number != self.vocabulary.unk
                end = start + self._widths[number] if known else word.end()
                yield number, (places[start], places[end - 1] + 1)
                start = end

    def decode(self, ids):
        """A text with these pieces; letter case and blanks may have been others."""
        for number in ids:
            if not 0 <= number < len(self.vocabulary):
                raise ValueError(
                    "An id is the place of a piece in the vocabulary, from 0 to "
                    f"{len(self.vocabulary) - 1}. Received: {number}"
                )
        pieces = [self.vocabulary.pieces[number] for number in ids]
        text = " ".join(piece for piece in pieces if piece not in SPECIAL)
        return re.sub(" ##| (?=[.,!?])", "", text)


def as_vocabulary(vocabulary):
    if isinstance(vocabulary, Vocabulary):
        return vocabulary
    is_path = isinstance(vocabulary, str | os.PathLike)
    return read_vocabulary(vocabulary) if is_path else Vocabulary(vocabulary)


def check_is_text(text):
    if not isinstance(text, str):
        raise ValueError(
            "A tokenizer reads one text, a string; for several, call it for each. "
            f"Received: {type(text).__name__}"
        )


def truncate(texts, max_length):
    """See `WordPieceTokenizer.encode`; texts are one or two lists."""
    room = max_length - len(texts) - 1  # [CLS], and [SEP] after each text
    if room < 0:
        raise ValueError(
            f"max_length must leave room for [CLS] and {len(texts)} [SEP]. Received: {max_length}"
        )
    if len(texts) == 1:
        return [texts[0][:room]]
    of_shorter = min(room // 2, *map(len, texts))
    ends = [of_shorter, room - of_shorter]
    if len(texts[0]) > len(texts[1]):
        ends.reverse()
    return [text[:end] for text, end in zip(texts, ends, strict=True)]


class Remembered(dict):
    """{key: answer}: asked for once, then looked up.

    Forgets everything when full, and does not keep long keys, so that memory is bounded.
    """

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def __missing__(self, key):
        answer = self.answer(key)
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        if len(key) <= LONGEST_REMEMBERED:
            self[key] = answer
        return answer
