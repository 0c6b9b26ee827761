"""What is read in a character, for every character of Unicode."""

import json
import string
import sys
import unicodedata

import pytest
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from bert_course.text.words import Readings, is_punctuation, split_words

UNCASED, CASED = Readings(True, True), Readings(False, False)

# Capital letters that Unicode has named since 2024: the `tokenizers` library knows their small
# letters, Python 3.13 not yet. Published vocabularies have none of them.
NEW_CAPITALS = {
    *range(0x10D50, 0x10D66),
    *range(0x16EA0, 0x16EB9),
    *(0x1C89, 0xA7CB, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA, 0xA7DC),
}
NEW_VOWEL = 0x11938  # of two letters since 2020; a letter by itself in the library


@pytest.mark.parametrize(
    ("text", "uncased", "cased"),
    [
        ("Don't  stop!", "don ' t stop !", "Don ' t stop !"),
        ("naïve Ångström", "naive angstrom", "naïve Ångström"),
        ("e\u0301t\u00e9", "ete", "e\u0301t\u00e9"),  # an accent after its letter, and upon it
        ("日本", "日 本", "日 本"),
        ("カタ 한", "カタ \u1112\u1161\u11ab", "カタ 한"),  # kana: a word; Hangul: into its letters
        ("tab\tline\nwide\u3000hard\u00a0end\u2028.", "tab line wide hard end .", None),
        ("zero\u200bwidth, bell\x07s", "zerowidth , bells", None),
        ("\ufeff\x00\ufffd", "", ""),
        ("$5+5", "$ 5 + 5", None),  # $ and + are punctuation, for they are in ASCII
        ("£5±5", "£5±5", None),  # £ and ± are not
        ("a\u2260b;\u037e", "a = b ; ;", "a\u2260b ; \u037e"),  # ≠ is = with a mark
        ("ΟΔΟΣ", "οδοσ", "ΟΔΟΣ"),
        ("İẞ", "iß", "İẞ"),
        ("👩\u200d👧 ❤\ufe0f", "👩👧 ❤", "👩👧 ❤\ufe0f"),
        ("a[MASK]b [mask]", "a [MASK] b [ mask ]", None),
        ("[[SEP]]", "[ [SEP] ]", None),
    ],
)
def test_words(text, uncased, cased):
    assert split_words(text, UNCASED) == uncased.split()
    assert split_words(text, CASED) == (uncased if cased is None else cased).split()


def test_letters_and_accents_are_two_questions():
    assert split_words("Éa", Readings(lowercase=True, strip_accents=False)) == ["éa"]
    assert split_words("Éa", Readings(lowercase=False, strip_accents=True)) == ["Ea"]


def test_published_cases_of_single_characters(course_data):
    cases = json.loads((course_data / "tokenization/unit_cases.json").read_text("utf-8"))["chars"]
    assert {CASED.read(c) for c in cases["whitespace_true"]} == {" "}
    assert " " not in {CASED.read(c) for c in cases["whitespace_false"]}
    assert {CASED.read(c) for c in cases["control_true"]} == {""}
    assert "" not in {CASED.read(c) for c in cases["control_false"]}
    assert all(is_punctuation(c) for c in cases["punct_true"])
    assert not any(is_punctuation(c) for c in cases["punct_false"])


def nearly_all_of_unicode():
    """All characters that have a name, and some of the half million others."""
    for code in range(sys.maxunicode + 1):
        kind = unicodedata.category(chr(code))
        nameless = kind in ("Cn", "Co") and code not in NEW_CAPITALS
        if kind != "Cs" and (code % 97 == 0 or not nameless):
            yield chr(code)


@pytest.mark.parametrize(("lowercase", "strip_accents"), [(True, True), (False, False)])
def test_every_character_is_read_as_in_the_tokenizers_library(lowercase, strip_accents):
    normalizer = BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    splitter = BertPreTokenizer()
    readings = Readings(lowercase, strip_accents)
    different = set()
    for character in nearly_all_of_unicode():
        theirs = splitter.pre_tokenize_str(normalizer.normalize_str(f"a{character}a"))
        ours = f"a{readings[ord(character)]}a"
        assert ours.split() == [word for word in ours.split(" ") if word]  # no other blanks
        if ours.split() != [word for word, _ in theirs]:
            different.add(ord(character))
    assert different == (NEW_CAPITALS | {NEW_VOWEL} if lowercase else set())


def test_no_published_vocabulary_has_the_characters_that_are_read_differently(course_data):
    new = {chr(code) for code in (*NEW_CAPITALS, NEW_VOWEL)}
    for path in (course_data / "vocab").glob("*.txt"):
        assert not new & set(path.read_text("utf-8"))


def test_ascii_punctuation_stands_alone():
    assert split_words(f"x{'x'.join(string.punctuation)}x", CASED)[1::2] == list(string.punctuation)
