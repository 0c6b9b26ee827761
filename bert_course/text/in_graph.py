"""The tokenizer inside a TensorFlow graph, for exporting a model that takes strings."""

import re

from bert_course.text.vocabulary import SPECIAL
from bert_course.text.words import LONGEST_WORD, Readings

try:
    import tensorflow as tf
    import tensorflow_text
except ImportError as error:
    raise ImportError(
        "A tokenizer inside a graph needs tensorflow and tensorflow-text (which is not made for "
        "Windows): pip install tensorflow-text. Without them, give the model ids from "
        f"WordPieceTokenizer. Received: {error}"
    ) from error

# Characters for private use are left out of texts, so these are free to stand for special pieces.
STAND_INS = {chr(0xE000 + place): piece for place, piece in enumerate(SPECIAL)}
PRIVATE = r"\p{Co}"
NAMED = (range(0xD800), range(0xF900, 0x40000), range(0xE0000, 0xE1000))  # has all others in it
UNCHANGED = "\0"  # is itself read as nothing


class InGraphTokenizer(tf.Module):
    """A `WordPieceTokenizer` made of TensorFlow operations, with the same ids.

    Words are cut by tensorflow_text's FastWordpieceTokenizer. How characters are read comes from
    `Readings`: its FastBertTokenizer, which reads them too, takes ﬁ for fi and ② for 2, which BERT
    does not, and does not know [MASK] in a text.

    Args:
        tokenizer: a `WordPieceTokenizer`.
        length: of every row, at most; what is too long is cut off, or goes on in further `windows`.
    """

    def __init__(self, tokenizer, length=128):
        super().__init__()
        if length < 2:
            raise ValueError(f"length must leave room for [CLS] and [SEP]. Received: {length}")
        vocabulary = tokenizer.vocabulary
        self.length = length
        self.pad, self.cls, self.sep = vocabulary.pad, vocabulary.cls, vocabulary.sep
        self.readings = as_table(changes(Readings(tokenizer.lowercase, tokenizer.strip_accents)))
        self.cut = tensorflow_text.FastWordpieceTokenizer(
            vocabulary.pieces,
            token_out_type=tf.int32,
            max_bytes_per_word=4 * LONGEST_WORD,  # a character has at most four
            no_pretokenization=True,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        """Strings (B,) -> the inputs of an encoder: token_ids, segment_ids, padding_mask (B, S)."""
        return self.lay_out(self.ids(texts)[:, : self.length - 2], width=self.length)

    def windows(self, texts):
        """Strings (B,) -> the inputs of W windows (W, S), and which text each is from (W,).

        A window shares half its pieces with the next one, as in training/windows.py.
        """
        ids, room = self.ids(texts), self.length - 2
        step = room // 2
        counts = 1 + tf.maximum(-((room - ids.row_lengths()) // step), 0)  # (B,) rounded up
        of_text = tf.repeat(tf.range(ids.nrows()), counts)
        starts = tf.gather(ids.row_starts(), of_text) + tf.ragged.range(counts).flat_values * step
        ends = tf.minimum(starts + room, tf.gather(ids.row_limits(), of_text))
        return self.lay_out(tf.gather(ids.flat_values, tf.ragged.range(starts, ends))), of_text

    def pairs(self, texts, others):
        """Strings (B,), strings (B,) -> the inputs of an encoder (B, S).

        The longer of two is cut until both have room, as by `truncate` in wordpiece.py.
        """
        ids, other_ids = self.ids(texts), self.ids(others)
        room = tf.constant(self.length - 3, tf.int64)
        lengths, other_lengths = ids.row_lengths(), other_ids.row_lengths()
        of_shorter = tf.minimum(room // 2, tf.minimum(lengths, other_lengths))  # (B,)
        is_longer = lengths > other_lengths
        return self.lay_out(
            beginnings(ids, tf.where(is_longer, room - of_shorter, of_shorter)),
            beginnings(other_ids, tf.where(is_longer, of_shorter, room - of_shorter)),
        )

    def ids(self, texts):
        """Strings (B,) -> ids of their pieces (B, each its own)."""
        return self.cut.tokenize(self.split_words(texts)).merge_dims(1, 2)

    def lay_out(self, *texts, width=None):
        """Ids (B, each its own) of one text or two -> [CLS] ids [SEP] (ids [SEP]) and padding.

        Without a width, rows are as long as the longest of them.
        """
        column = tf.ones((texts[0].nrows(), 1), tf.int32)
        ids, segments = [self.cls * column], [0 * column]
        for segment, text in enumerate(texts):
            ids += [text, self.sep * column]
            segments += [segment * tf.ones_like(text), segment * column]
        ids, shape = tf.concat(ids, axis=1), (None, width)
        return {
            "token_ids": ids.to_tensor(self.pad, shape=shape),
            "segment_ids": tf.concat(segments, axis=1).to_tensor(0, shape=shape),
            "padding_mask": tf.ones_like(ids, tf.bool).to_tensor(False, shape=shape),
        }

    def split_words(self, texts):
        """As `split_words` in words.py: strings (B,) -> words (B, each its own)."""
        texts = tf.strings.regex_replace(texts, PRIVATE, "")
        for stand_in, piece in STAND_INS.items():
            texts = tf.strings.regex_replace(texts, re.escape(piece), stand_in)
        characters = tf.strings.unicode_split(texts, "UTF-8")
        readings = tf.ragged.map_flat_values(self.readings.lookup, characters)
        readings = tf.where(readings == UNCHANGED, characters, readings)
        words = tf.strings.split(tf.strings.reduce_join(readings, axis=-1))
        too_long = tf.strings.length(words, "UTF8_CHAR") > LONGEST_WORD
        return tf.where(too_long, "[UNK]", words)


def beginnings(ids, lengths):
    """Ragged ids (B, each its own) -> of each row no more than its length (B,)."""
    starts = ids.row_starts()
    ends = starts + tf.minimum(ids.row_lengths(), lengths)
    return tf.gather(ids.flat_values, tf.ragged.range(starts, ends))


def changes(readings):
    """{character: what is read there}, of all that are not read as they are."""
    pairs = ((chr(code), readings[code]) for codes in NAMED for code in codes)
    special = {stand_in: f" {piece} " for stand_in, piece in STAND_INS.items()}
    return {character: reading for character, reading in pairs if character != reading} | special


def as_table(dictionary):
    content = tf.lookup.KeyValueTensorInitializer(list(dictionary), list(dictionary.values()))
    return tf.lookup.StaticHashTable(content, UNCHANGED)
