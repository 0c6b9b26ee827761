"""Published labelled sets: which files they are, and what has to be mended or said of each."""

import pathlib
from typing import NamedTuple

from bert_course.text.labelled import same_text
from bert_course.text.splits import SPLITS, read_splits
from bert_course.text.whole_file import read_whole


class Published(NamedTuple):
    """Where a published set lies, and how it is read.

    Attributes:
        files: {split: places below the data folder, any of which will do}.
        columns: {a beginning of such a place: columns, see `read_rows`}.
        label_names: {label in the file: what it means}.
        articles: {split: slice of the articles}.
    """

    kind: str
    files: dict
    columns: dict = None
    label_names: dict = None
    articles: dict = None


SQUAD = ["squad/squad1.1-train-head.json", "squad/train-v1.1.json"]
SQUAD2 = ["squad/squad2-dev-first5articles.json", "squad/dev-v2.0.json"]
PUBLISHED = {
    "sst2": Published(
        "classify",
        {split: [f"sst2/sentences/{split}.tsv", f"sst2/{split}.tsv"] for split in SPLITS[:2]},
        {
            "sst2/sentences/": {"label": 0, "text": 1},
            "sst2/": {"text": "sentence", "label": "label"},
        },
        {"0": "negative", "1": "positive"},
    ),
    "mrpc": Published(
        "pairs",
        {split: [f"mrpc/msr_paraphrase_{split}.txt"] for split in ("train", "test")},
        {"mrpc/": {"text": "#1 String", "other": "#2 String", "label": "Quality"}},
        {"0": "different", "1": "paraphrase"},
    ),
    "wnut17": Published(
        "tag",
        {
            "train": ["wnut17/wnut17train.conll"],
            "dev": ["wnut17/emerging.dev.conll"],
            "test": ["wnut17/emerging.test.annotated"],
        },
    ),
    "squad": Published(
        "answer",
        dict.fromkeys(SPLITS, SQUAD),
        articles={"train": slice(9), "dev": slice(9, 10), "test": slice(10, 12)},
    ),
    "squad2": Published(
        "answer",
        dict.fromkeys(SPLITS, SQUAD2),
        articles={"train": slice(3), "dev": slice(3, 4), "test": slice(4, 5)},
    ),
    "goemotions": Published(
        "multilabel",
        {split: [f"goemotions/{split}.tsv"] for split in SPLITS},
        {"goemotions/": {"text": 0, "label": 1}},
    ),
    "chnsenticorp": Published(
        "classify",
        {split: [f"chnsenticorp/{split}.tsv"] for split in SPLITS},
        {"chnsenticorp/": {"label": "label", "text": "text_a"}},
        {"0": "negative", "1": "positive"},
    ),
}
EMOTIONS = "goemotions/labels.txt"
MRPC_DEV = 408  # as many rows as GLUE holds out, though not the same


def read_published(name, find):
    """(kind, {split: path}, {split: rows}, notes) of a published set.

    Args:
        find: places below the data folder, any of which will do -> path, see `find_file`.
    """
    published = PUBLISHED[name]
    paths = {split: find(names) for split, names in published.files.items()}
    columns = {split: _columns_of(path, published) for split, path in paths.items()}
    splits, notes = read_splits(published.kind, paths, columns, published.articles)
    label_names = published.label_names
    if name == "goemotions":
        label_names = _emotions(find([EMOTIONS]))
    if label_names:
        splits = {split: _rename(rows, label_names) for split, rows in splits.items()}
    said = SPECIAL[name](splits, paths) if name in SPECIAL else []
    return published.kind, paths, splits, notes + said


def _columns_of(path, published):
    """Those of the place that this path ends in: a set may come in two layouts."""
    place = "/" + pathlib.Path(path).as_posix()
    columns = published.columns or {}
    return next((found for start, found in columns.items() if f"/{start}" in place), None)


def _emotions(path):
    return {str(number): name for number, name in enumerate(read_whole(path).split())}


def _rename(rows, names):
    def name_of(label, row):
        if label not in names:
            raise ValueError(
                f"The labels of this set are {', '.join(names)}: the file is damaged, or another. "
                f"Received: {row.place}, with {label!r}"
            )
        return names[label]

    return [
        row._replace(
            label=tuple(sorted(name_of(label, row) for label in row.label))
            if isinstance(row.label, tuple)
            else name_of(row.label, row)
        )
        for row in rows
    ]


def _finish_sst2(splits, paths):
    if "sentences" in pathlib.Path(paths["train"]).parts:
        return []
    return [
        "Most rows of train are phrases, cut from sentences that may stand in train as a whole: "
        "a row a phrase, as GLUE has it."
    ]


def _finish_mrpc(splits, paths):
    paths["dev"] = paths["train"]
    splits["train"], splits["dev"] = splits["train"][:-MRPC_DEV], splits["train"][-MRPC_DEV:]
    return [f"The set has no dev: the last {MRPC_DEV} rows of train are held out for it."]


def _finish_squad(splits, paths):
    return [
        "Of twelve articles, the first nine are for training, the tenth is dev, the last two are "
        "test: these are not the published splits, nor are the scores comparable."
    ]


def _finish_squad2(splits, paths):
    return [
        "Of five articles of the published dev set, the first three are for training, the fourth "
        "is dev, the last is test: scores are not comparable with published ones."
    ]


def _finish_chnsenticorp(splits, paths):
    """The same reviews stand in several files: dev and test stay whole, train loses them."""
    texts = {split: {same_text(row) for row in rows} for split, rows in splits.items()}
    held_out = texts["dev"] | texts["test"]
    kept = [row for row in splits["train"] if same_text(row) not in held_out]
    removed, splits["train"] = len(splits["train"]) - len(kept), kept
    return [
        f"{len(texts['dev'] & texts['train'])} texts of dev and "
        f"{len(texts['test'] & texts['train'])} of test also stood in train, some of them several "
        f"times: these {removed} rows were removed from train."
    ]


SPECIAL = {
    "sst2": _finish_sst2,
    "mrpc": _finish_mrpc,
    "squad": _finish_squad,
    "squad2": _finish_squad2,
    "chnsenticorp": _finish_chnsenticorp,
}
