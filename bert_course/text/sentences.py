"""A paragraph -> its sentences, by rules for English; the stops of Chinese and Japanese too."""

import re

# Where a sentence may end: a stop, the quotes and brackets that close after it, and a space.
# A curly quote may stand apart, as in “… he said ‘No.’ ” but not in: No. ’Tis nothing.
# ++ and *+ never try again with less: a line of a million dots takes no longer than any other.
MAYBE_END = re.compile(
    r"""(?<![.!?…])(?P<stop>[.!?…]++(?:\s[.…]++)*+)  # . ! ? … also . . . and a … after the stop
        (?P<closing>["'”’»)\]]*+(?:\s[”’](?!\w))*+)
        (?:\s++|$)
      | (?P<wide_stop>[。！？｡]++[”’」』）》]*+)""",  # these end a sentence wherever they stand
    re.VERBOSE,
)
NEXT_WORD = re.compile(r"""[\s"'“‘«‹(\[—–*_¿¡-]*(?P<word>\w+[.,:;)]?|.?)""")
LAST_WORD = re.compile(r"""[^\s"'“‘«(\[—–]*\Z""")

# Never the last word of a sentence.
TITLES = frozenset(
    "Mr Mrs Ms Mx Messrs Mme Mlle Dr Drs Prof Rev Hon St Ste Mt Ft Fr Capt Cpl Col Cmdr Gen Gov "
    "Lieut Lt Maj Pres Sen Sgt Supt Insp Adm Brig vs cf viz e.g i.e E.g I.e Cf".split()
)
# Abbreviations before a number; otherwise words like any other, as in: No. He did not.
BEFORE_NUMBERS = frozenset(
    "No Nos no nos Vol Vols vol vols Ch Chap ch chap Sec sec Art art Fig Figs fig figs Eq eq "
    "p pp ca c v vv op Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec".split()
)
# These may end a sentence, or not: the next word decides.
PERHAPS_LAST = frozenset(
    "al Jr Sr Esq Co Inc Ltd Corp Bros Dept Ave Blvd Rd Mem Ph Jan Feb Mar Apr Jun Jul Aug Sep "
    "Sept Oct Nov Dec ft oz lb lbs approx".split()
)
STARTERS = frozenset(
    "The A An This That These Those There Then He She It I We You They His Her Its My Our Your "
    "Their And But Or So If When While As At In On For From With After Before Since Though "
    "Although Because Not No Yes Now What Who Why How Where Which One Some Both All Every Each "
    "Here Only Even Once Perhaps However".split()
)
TIMES = frozenset("a.m p.m A.M P.M".split())
CALENDAR = frozenset(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May "
    "June July August September October November December".split()
)
# After a quotation: “Stop!” Mr. Brown cried.
SPEAKER = re.compile(
    r"(?:I|(?:(?:Mr|Mrs|Ms|Miss|Dr)\.?\s)?[A-Z][\w’-]+(?:\s[A-Z][\w’-]+)?)\s(?:\w+ly\s)?"
    r"(?:added|answered|asked|began|called|continued|cried|demanded|echoed|exclaimed|gasped|"
    r"inquired|insisted|interrupted|laughed|murmured|muttered|observed|persisted|protested|"
    r"queried|remarked|repeated|replied|returned|roared|said|screamed|shouted|shrieked|sighed|"
    r"sobbed|suggested|thought|went on|whispered)\b"
)
NUMBERING = re.compile(r"[(“]?(?:\d{1,3}|[IVXLC]+|[A-Za-z])")  # 1. Wash the rice.
NUMBER = re.compile(r"\d|[IVX]{2,}|[IVX]+[.,:;)]")  # “Vol. I, page 2”, but “No. I did not.”


def split_sentences(paragraph):
    """'He left. Why?' -> ['He left.', 'Why?']: nothing but the space between them is lost."""
    sentences, start = [], 0
    for found in MAYBE_END.finditer(paragraph):
        if found["wide_stop"] or _is_end(paragraph, start, found):
            sentences.append(paragraph[start : found.end()].strip())
            start = found.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _is_end(paragraph, start, found):
    after = paragraph[found.end() : found.end() + 60]
    next_word = NEXT_WORD.match(after)["word"]
    if next_word.islower() or next_word in (",", ";", ":", ")"):
        return False  # “Stop!” he cried.
    if found["closing"]:
        return found["stop"] == "." or not _names_the_speaker(after, next_word)
    if found["stop"] == ".":
        before = paragraph[max(start, found.start() - 40) : found.start()]
        return _full_stop_is_end(before, next_word)
    return found["stop"] not in ("…", "...") or next_word != "I"  # “Well … I suppose so.”


def _names_the_speaker(after, next_word):
    return bool(SPEAKER.match(after)) and (next_word == "I" or next_word not in STARTERS)


def _full_stop_is_end(before, next_word):
    last = LAST_WORD.search(before)[0]
    if last in TITLES or NUMBERING.fullmatch(before.strip()):
        return False
    if last in BEFORE_NUMBERS and NUMBER.match(next_word):
        return False
    if last in TIMES:
        return next_word not in CALENDAR
    if last in PERHAPS_LAST or _is_initial(last, before) or "." in last:
        return next_word.rstrip(",:;)") in STARTERS  # “George W. Bush”, but “plan B. The”
    return True


def _is_initial(last, before):
    """“J. Smith”, but not “taller than I. Smith”."""
    after_a_small_word = before[:-2].endswith(tuple("abcdefghijklmnopqrstuvwxyz"))
    return len(last) == 1 and last.isalpha() and not (last == "I" and after_a_small_word)
