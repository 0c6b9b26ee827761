"""Text -> words: what BERT reads in each character, and where it sees a word end."""

import re
import string
import unicodedata

from bert_course.text.vocabulary import SPECIAL

LONGEST_WORD = 100  # characters; longer ones are unknown
SPECIAL_PIECE = re.compile(f"({'|'.join(map(re.escape, SPECIAL))})")

# Punctuation, marks and format characters that Unicode has named since 2015. The tables of the
# published tokenizers are older: to them, and so to us on any Python, these are letters.
NEWCOMERS = """
61d 7fd 890-891 898-89f 8ca-8e2 9fd-9fe a76 afa-aff b55 c04 c3c c77 c84 d00 d3b-d3c d81 eba ece
180f 1885-1886 1abf-1ace 1b7d-1b7e 1df6-1dfb 2e43-2e4f 2e52-2e5d a82c a8c5 a8ff a9bd
10d24-10d27 10eab-10ead 10efd-10eff 10f46-10f50 10f55-10f59 10f82-10f89 11070 11073-11074
110c2 110cd 111cf 1123e 11241 1133b 11438-1143f 11442-11444 11446 1144b-1144f 1145a-1145b
1145d-1145e 11660-1166c 116b9 1182f-11837 11839-1183b 1193b-1193c 1193e 11943-11946
119d4-119d7 119da-119db 119e0 119e2 11a01-11a0a 11a33-11a38 11a3b-11a47 11a51-11a56
11a59-11a5b 11a8a-11a96 11a98-11a9c 11a9e-11aa2 11b00-11b09 11c30-11c36 11c38-11c3d 11c3f
11c41-11c45 11c70-11c71 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a
11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97 11ef3-11ef4 11ef7-11ef8 11f00-11f01
11f36-11f3a 11f40 11f42-11f4f 11fff 12ff1-12ff2 13430-13440 13447-13455 16e97-16e9a 16f4f
16fe2 16fe4 1cf00-1cf2d 1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024
1e026-1e02a 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e944-1e94a 1e95e-1e95f"""
RECLASSIFIED = {"\u1734": "Mn", "\u166d": "Po", "\U000111c9": "Po"}  # {character: what it was}
# Chinese characters: the blocks that Google's code names, but for 2b820 to 2b91f, which the
# `tokenizers` library leaves out. Korean and kana are not here.
CHINESE = """
4e00-9fff 3400-4dbf 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf f900-faff 2f800-2fa1f"""


def ranges(hexadecimal):
    """'61d 890-891' -> [range(0x61d, 0x61e), range(0x890, 0x892)]"""
    ends = [numbers.split("-") for numbers in hexadecimal.split()]
    return [range(int(pair[0], 16), int(pair[-1], 16) + 1) for pair in ends]


NEWCOMERS = frozenset(chr(code) for numbers in ranges(NEWCOMERS) for code in numbers)
CHINESE = ranges(CHINESE)


def category(character):
    """Unicode's two letters for a kind of character, as the published tokenizers know it."""
    if character in NEWCOMERS:
        return "Lo"  # letter, other
    return RECLASSIFIED.get(character) or unicodedata.category(character)


def is_blank(character):
    return character in "\t\n\r" or category(character).startswith("Z")


def is_invisible(character):
    """Control and format characters, and those that stand for nothing at all."""
    return character in "\0\ufffd" or category(character) in ("Cc", "Cf", "Co", "Cs")


def is_mark(character):
    """An accent apart from its letter, among others."""
    return category(character) == "Mn"


def is_punctuation(character):
    """Also what ASCII has beside letters and digits: in Unicode $ is no punctuation."""
    return character in string.punctuation or category(character).startswith("P")


def is_chinese(character):
    return any(ord(character) in block for block in CHINESE)


class Readings(dict):
    """{code point: what is read there}, worked out when a character is met for the first time.

    Made for `str.translate`: afterwards blanks, and nothing else, stand between words.

    Args:
        lowercase: whether É is read as é.
        strip_accents: whether é is read as e; if None, it is when text is lower-cased.
    """

    def __init__(self, lowercase=True, strip_accents=None):
        super().__init__()
        self.lowercase = lowercase
        self.strip_accents = lowercase if strip_accents is None else strip_accents

    def __missing__(self, code):
        self[code] = reading = self.read(chr(code))
        return reading

    def read(self, character):
        if is_blank(character):
            return " "
        if is_invisible(character):
            return ""
        letters = character
        if self.strip_accents:
            letters = unicodedata.normalize("NFD", letters)  # é -> e and its accent
            letters = "".join(letter for letter in letters if not is_mark(letter))
        if self.lowercase:
            letters = letters.lower()
        apart = is_chinese(character)
        return "".join(f" {c} " if apart or is_punctuation(c) else c for c in letters)


def split_words(text, readings):
    """Words and punctuation signs, each read as `readings` say; special pieces as they are."""
    if "[" not in text:  # as nearly everywhere: a first reading takes 7 % less time
        return text.translate(readings).split()
    words = []
    for part in SPECIAL_PIECE.split(text):
        words += [part] if part in SPECIAL else part.translate(readings).split()
    return words
