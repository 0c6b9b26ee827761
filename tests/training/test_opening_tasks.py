"""Tasks: the built-in ones, the published ones, the user's own, and files that are no task."""

import hashlib
import json
import os

import pytest

from bert_course.training.tasks import KINDS, TASKS, open_files, open_task

CLASSES = "text\tlabel\nThe hen sings.\tglad\nThe ice melts.\tglum\nIt rains.\tglum\n"
SAD = "text\tlabel\nA boat.\tsad\n"
WORDS = "Ann\tB-PER\nsings\tO\n\nIt\tO\nrains\tO\n"


QUESTIONS = (
    '{"data": [{"paragraphs": [{"context": "Ann sings.", "qas": [{"id": "q", "question": "Who?", '
    '"answers": [{"text": "Ann", "answer_start": 0}]}]}]}]}'
)
UNANSWERED = QUESTIONS.replace('{"text": "Ann", "answer_start": 0}', "")


@pytest.fixture
def file(tmp_path):
    def write(content, name="train.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


# ----------------------------------------------------------------------------------------- built in


@pytest.mark.parametrize(
    ("name", "kind", "labels"),
    [
        ("sentiment", "classify", ["glad", "glum"]),
        ("pairs", "pairs", ["other", "same"]),
        (
            "entities",
            "tag",
            "O B-PERSON I-PERSON B-PET I-PET B-PLACE I-PLACE B-THING I-THING".split(),
        ),
        ("questions", "answer", []),
        ("topics", "multilabel", "animals feelings food trade travel weather work".split()),
    ],
)
def test_built_in_tasks(name, kind, labels):
    task = open_task(name)
    assert task[:3] == (name, kind, labels)
    assert [len(task.train), len(task.dev), len(task.test)] == [400, 200, 400]
    assert task.notes == []
    assert list(task.files) == ["train", "dev", "test"]


def test_a_task_has_the_hashes_of_its_files(file):
    task = open_files("classify", file(CLASSES), file(CLASSES, "dev.tsv"))
    sha256 = hashlib.sha256(CLASSES.encode()).hexdigest()
    assert task.files == {
        "train": {"file": "train.tsv", "sha256": sha256},
        "dev": {"file": "dev.tsv", "sha256": sha256},
    }
    assert task.test == []


def test_a_task_that_there_is_not():
    with pytest.raises(ValueError, match=r"one of sentiment, .*chnsenticorp. Received: 'sst3'"):
        open_task("sst3")


# ---------------------------------------------------------------------------------------- published


@pytest.mark.parametrize(
    ("name", "kind", "counts", "labels"),
    [
        ("sst2", "classify", (6920, 872, 0), 2),
        ("mrpc", "pairs", (4076 - 408, 408, 1725), 2),
        ("wnut17", "tag", (3394, 1009, 1287), 13),
        ("squad", "answer", (3012, 274, 1084), 0),
        ("squad2", "answer", (950, 210, 247), 0),
        ("goemotions", "multilabel", (43410, 5426, 5427), 28),
        ("chnsenticorp", "classify", (9600 - 687, 1200, 1200), 2),
    ],
)
def test_published_tasks(course_data, name, kind, counts, labels):
    task = open_task(name)
    assert task[:2] == (name, kind)
    assert (len(task.train), len(task.dev), len(task.test)) == counts
    assert len(task.labels) == labels
    assert list(task.files) == ["train", "dev", "test"][: len(task.files)]
    assert not any("guessed" in note for note in task.notes)


def test_every_published_task_is_tested():
    assert set(TASKS) - set("sentiment pairs entities questions topics".split()) == set(
        "sst2 mrpc wnut17 squad squad2 goemotions chnsenticorp".split()
    )


def test_sst2_as_glue_has_it_has_the_same_dev(course_data, tmp_path, monkeypatch):
    """Its columns are the other way round."""
    sentences = open_task("sst2")
    (tmp_path / "sst2").mkdir()
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / "sst2" / name).symlink_to(course_data / "sst2" / name)
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path))
    phrases = open_task("sst2")
    assert len(phrases.train) == 67349
    dev = [{(row.text.strip(), row.label) for row in task.dev} for task in (sentences, phrases)]
    assert len(dev[0] & dev[1]) / 872 > 0.9  # the others have brackets, spelled in another way
    signs = [[row.label for row in task.dev].count("positive") for task in (sentences, phrases)]
    assert signs == [444, 444]
    assert "phrases" in phrases.notes[0]
    assert "Rows of train that repeat another one: 366." in phrases.notes


def test_mrpc_holds_out_the_end_of_train(course_data):
    task = open_task("mrpc")
    assert task.files["dev"] == task.files["train"]
    assert "the last 408 rows of train are held out" in task.notes[0]
    rows = task.train + task.dev
    assert [int(row.place.rpartition(" ")[2]) for row in rows] == list(range(2, 4078))
    assert sum('"' in row.text + row.other for row in rows) > 100


def test_goemotions_have_their_names(course_data):
    task = open_task("goemotions")
    assert task.labels == sorted(task.labels) and "neutral" in task.labels
    assert (task.train[0].text[:9], task.train[0].label) == ("My favour", ("neutral",))
    several = sum(len(row.label) > 1 for row in task.train)
    assert several / len(task.train) == pytest.approx(0.16, abs=0.005)
    rarest = min(sum(name in row.label for row in task.train) for name in task.labels)
    assert rarest == 77


def test_chnsenticorp_loses_what_is_tested_on(course_data):
    task = open_task("chnsenticorp")
    assert task.notes[0].startswith("335 texts of dev and 330 of test also stood in train")
    held_out = {row.text for row in task.dev + task.test}
    assert not any(row.text in held_out for row in task.train)


def test_squads_articles_are_in_one_split_alone(course_data):
    task = open_task("squad")
    train, dev, test = ({row.text for row in rows} for rows in task[3:6])
    assert not train & dev and not train & test and not dev & test
    assert "nor are the scores comparable" in task.notes[0]


@pytest.fixture
def nothing_there(tmp_path, monkeypatch):
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "cache"))


def test_a_published_task_that_is_not_there(nothing_there):
    with pytest.raises(ValueError, match=r"mrpc/msr_paraphrase_train.txt .*allow the download"):
        open_task("mrpc")


def test_a_published_task_is_fetched_if_that_is_allowed(nothing_there):
    asked = []

    def fetch(address):
        asked.append(address)
        raise OSError("no network")

    with pytest.raises(ValueError, match="no network"):
        open_task("goemotions", download=True, fetch=fetch)
    assert asked[0].endswith("goemotions/data/train.tsv")


def test_a_label_that_a_published_set_does_not_have(nothing_there, tmp_path):
    (tmp_path / "sst2").mkdir()
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / "sst2" / name).write_text("sentence\tlabel\nA\t0\nB\t7\n")
    with pytest.raises(ValueError, match=r"labels of this set are 0, 1.*line 3, with '7'"):
        open_task("sst2")


# --------------------------------------------------------------------------------------- your files


def test_what_is_the_same_is_said(file):
    train = file(CLASSES + "The hen  sings.\tglum\nIt rains.\tglum\n")
    dev = file("text\tlabel\nThe hen sings. \tglad\nA boat.\tglum\n", "dev.tsv")
    task = open_files("classify", train, dev, dev, columns={"text": "text", "label": "label"})
    assert (len(task.train), len(task.dev)) == (5, 2)
    assert task.notes == [
        "Rows of train that repeat another one: 1.",
        "Texts of train that stand there with different labels: 1.",
        "Rows of dev that also stand in train, on which a score shows memory only: 1 of 2.",
        "Rows of test that also stand in train, on which a score shows memory only: 1 of 2.",
    ]


def test_of_a_pair_both_texts_must_be_the_same(file):
    columns = {"text": "text", "other": "other", "label": "label"}
    train = file("text\tother\tlabel\nA\tB\t0\nA\tC\t1\n")
    dev = file("text\tother\tlabel\nA\tD\t0\nB\tA\t1\n", "dev.tsv")
    assert open_files("pairs", train, dev, columns=columns).notes == []


def test_a_guess_is_said_once(file):
    lines = CLASSES.replace("text\tlabel\n", "")
    task = open_files("classify", file(lines), file(lines.replace("It", "He"), "dev.tsv"))
    assert sum("guessed" in note for note in task.notes) == 1


def test_labels_that_are_absent_are_said(file):
    """A macro mean counts them as 0; the F1 of entities is no mean over types."""
    dev = file("text\tlabel\nA boat.\tglum\n", "dev.tsv")
    for kind in ("classify", "multilabel"):
        task = open_files(kind, file(CLASSES), dev)
        assert task.notes == ["Labels that dev has no row of, whose F1 there counts as 0: glad."]
    assert open_files("tag", file(WORDS), file("It\tO\n", "dev.conll")).notes == []


def test_labels_that_may_be_none_or_several_or_one_are_said(file):
    labels = ["nan", "1", "1.0", "a; b", "A; b", "2"]
    path = file("text\tlabel\n" + "".join(f"Hen {n}.\t{x}\n" for n, x in enumerate(labels)))
    columns = {"text": "text", "label": "label"}
    notes = open_files("classify", path, path, columns=columns).notes
    for note in (
        "Labels that differ in letter case only: A; b and a; b.",
        "Labels that are equal: 1 and 1.0.",
        "Labels that may stand for no label: nan.",
        "Labels with brackets, quotes or bars in them: A; b, a; b. Is each of them one? "
        "Several are separated by commas.",
    ):
        assert note in notes


def test_repairs_are_said(file):
    task = open_files("tag", file("Ann\tI-PER\n"), file(WORDS, "dev.conll"))
    assert task.labels == ["O", "B-PER", "I-PER"]
    assert "became B-X, 1 of them" in task.notes[0]


@pytest.mark.parametrize(
    ("kind", "train", "dev", "more", "message"),
    [
        ("classify", CLASSES, SAD, {}, r"train.tsv, which are glad, glum.*dev.tsv.*'sad'"),
        ("multilabel", CLASSES, "text\tlabel\nA\tglad,sad\n", {}, r"dev.tsv, line 2, with 'sad'"),
        ("tag", WORDS, "It\tB-LOC\n", {}, r"which are PER: .*dev.tsv, line 1, with 'LOC'"),
        ("classify", "text\tlabel\nA\tx\nB\tx\n", CLASSES, {}, r"fewer than 2 .*train.tsv, with x"),
        ("tag", "It\tO\n", WORDS, {}, r"fewer than 1 classes.*train.tsv, with none"),
        ("multilabel", "text\tlabel\nA\t\n", CLASSES, {}, r"fewer than 1 .*train.tsv, with none"),
        ("multilabel", CLASSES, "text\tlabel\nA\t\n", {}, r"Some row of dev must .*whose 1 rows"),
        ("answer", QUESTIONS, UNANSWERED, {}, r"Some row of dev must have an answer.*whose 1 rows"),
        ("answer", UNANSWERED, QUESTIONS, {}, r"Some row of train must have an answer.*whose 1 "),
        ("classify", CLASSES, CLASSES, {"labels": ["glad", "glum", "sad"]}, r"none of sad"),
        ("classify", CLASSES, CLASSES, {"labels": ["glad"]}, r"listed, which are glad: .*line 3"),
        ("tag", WORDS, WORDS, {"labels": ["O", "B-PER", "I-LOC"]}, r"none of LOC"),
        ("tag", WORDS, WORDS, {"columns": {"text": 0}}, r"files for 'tag' are none.*'text': 0"),
        ("sort", CLASSES, CLASSES, {}, r"one of classify, pairs, tag, .*: 'sort'"),
    ],
)  # fmt: skip
def test_what_is_refused(file, kind, train, dev, more, message):
    with pytest.raises(ValueError, match=message):
        open_files(kind, file(train), file(dev, "dev.tsv"), **more)


def rows_of(labels):
    return "text\tlabel\n" + "".join(f"The hen sings {n}.\t{x}\n" for n, x in enumerate(labels))


def test_texts_are_no_labels(file):
    for labels, kind in (
        ([f"class {n % 201}" for n in range(1000)], "classify"),
        ([f"class {n}" for n in range(11)] + ["class 0"] * 10, "classify"),
        ([f"class {n},word" for n in range(21)], "multilabel"),
    ):
        path = file(rows_of(labels))
        with pytest.raises(ValueError, match=r"look like texts.*train.tsv, with \d+ different"):
            open_files(kind, path, path)
        names = {name for label in labels for name in label.split(",")}
        names = names if kind == "multilabel" else set(labels)
        assert open_files(kind, path, path, labels=names).labels == sorted(names)
    path = file(rows_of([f"class {n % 200}" for n in range(1000)]))
    assert len(open_files("classify", path, path).labels) == 200
    path = file(rows_of([f"class {n}" for n in range(10)]))
    assert len(open_files("classify", path, path).labels) == 10


# ------------------------------------------------------------------------------------ hostile files

ANSWER = {"text": "Ann", "answer_start": 0}
QUESTION = {"id": "q", "question": "Who?", "answers": [ANSWER]}
SQUAD = {"data": [{"paragraphs": [{"context": "Ann sings.", "qas": [QUESTION]}]}]}
GOOD = {
    "classify": ("train.tsv", CLASSES),
    "multilabel": ("train.tsv", CLASSES),
    "pairs": ("train.tsv", "text\tother\tlabel\nA hen.\tA bird.\t1\nIce.\tFire.\t0\n"),
    "tag": ("train.conll", WORDS),
    "answer": ("train.json", json.dumps(SQUAD)),
}
HOSTILE = {
    "empty.tsv": b"",
    "blank.tsv": b"\n\n  \n\t\n",
    "mark_only.tsv": b"\xef\xbb\xbf",
    "two_marks.tsv": b"\xef\xbb\xbf\xef\xbb\xbf",
    "zeros.tsv": bytes(1000),
    "zero_within.tsv": b"text\tlabel\na\0b\tx\nc\ty\n",
    "random.tsv": bytes(range(256)) * 40,
    "elf.csv": b"\x7fELF\x02\x01\x01" + bytes(90),
    "zip.csv": b"PK\x03\x04\x14\x00" + bytes(range(200)),
    "picture.jsonl": b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
    "utf16.tsv": CLASSES.encode("utf-16"),
    "utf16_chinese.tsv": b"\xff\xfe" + "好坏".encode("utf-16-le") * 50,
    "utf32.csv": CLASSES.encode("utf-32"),
    "latin1.tsv": "text\tlabel\nCafé\tx\nThé\ty\n".encode("latin-1"),
    "cut_character.tsv": "text\tlabel\né\tx\né".encode()[:-1],
    "header_only.tsv": b"text\tlabel\n",
    "header_only.csv": b"text,label",
    "header_twice.tsv": b"text\tlabel\ntext\tlabel\n",
    "ragged.tsv": b"text\tlabel\na\tx\nb\nc\ty\tz\n",
    "ragged.csv": b"text,label\na,x\nb,c,d\n",
    "one_column.tsv": b"a\nb\nc\n",
    "semicolons.csv": b"text;label\na;x\nb;y\n",
    "tabs_only.tsv": b"\t\t\t\n\t\t\t\n",
    "commas_only.csv": b",,,,\n" * 20,
    "open_quote.csv": b'text,label\n"a,x\nb,y\n',
    "open_quote_at_end.csv": b'text,label\na,x\nb,"',
    "stray_quote.csv": b'text,label\n"a" b,x\n"c",y\n',
    "quotes_only.csv": b'"' * 1001,
    "old_mac.csv": b"text,label\ra,x\rb,y\r",
    "huge_line.tsv": b"text\tlabel\n" + b"a" * 1_100_000 + b"\tx\n",
    "many_columns.tsv": b"\t".join(b"%d" % n for n in range(20_000)) + b"\n",
    "labels_missing.tsv": b"text\tlabel\na\t\nb\tx\n",
    "texts_missing.csv": b"text,label\n,x\n ,y\n",
    "same_names.tsv": b"text\ttext\tlabel\tlabel\na\tb\tx\ty\n",
    "cut.json": b'{"data": [{"paragraphs": [{"context": "A',
    "cut.jsonl": b'{"text": "a", "label": "x"}\n{"text": "b", "la',
    "list.json": b"[1, 2, 3]",
    "lists.jsonl": b'["a", "x"]\n["b", "y"]\n',
    "null.json": b"null",
    "number.jsonl": b"7\n8\n",
    "long_number.jsonl": b'{"text": "a", "label": ' + b"7" * 9000 + b"}",
    "not_a_number.jsonl": b'{"text": NaN, "label": Infinity}\n',
    "deep.json": b"[" * 200_000 + b"]" * 200_000,
    "deep.jsonl": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "junk.json": b'{"data": [{"paragraphs": [{"context": ["A"], "qas": {"id": []}}]}]}',
    "junk.jsonl": b'{"text": {"text": []}, "label": [[], {}]}\n{"text": null}\n',
    "empty_object.jsonl": b"{}\n{}\n",
    "empty_data.json": b'{"data": []}',
    "empty_paragraphs.json": b'{"data": [{"paragraphs": []}, {"paragraphs": [{}]}]}',
    "half_character.jsonl": b'{"text": "\\ud83d", "label": "\\udc00"}\n' * 2,
    "half_character.json": json.dumps(SQUAD).replace("Ann", "\\ud800").encode(),
    "wild_offset.json": json.dumps(SQUAD).replace(": 0}", ": -1e400}").encode(),
    "far_offset.json": json.dumps(SQUAD).replace(": 0}", ": " + "9" * 300 + "}").encode(),
    "stray_tags.conll": b"Ann\tPER\nsings\tO\n",
    "one_column.conll": b"Ann\nsings\n",
    "ragged.conll": b"Ann\tB-PER\nsings\n",
    "no_words.conll": b"\tB-PER\n\tO\n",
    "controls.tsv": b"text\tlabel\n\x01\x02\tx\n\x7f\ty\n",
    "program.py": b"import os\nprint(1)\n",
}


def put_hostile(name, folder):
    path = folder / name
    if name in HOSTILE:
        path.write_bytes(HOSTILE[name])
    elif name == "folder.tsv":
        path.mkdir()
    elif name == "loop.csv":
        path.symlink_to(path)
    elif name == "dangling.jsonl":
        path.symlink_to(folder / "gone.jsonl")
    elif name == "pipe.tsv":
        os.mkfifo(path)
    elif name == "secret.tsv":
        path.write_text(CLASSES)
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("who runs this may read every file")
    return path


UNREADABLE = ["folder.tsv", "loop.csv", "dangling.jsonl", "pipe.tsv", "secret.tsv", "nowhere.tsv"]
UNREADABLE += ["x" * 5000 + ".tsv"]


@pytest.mark.parametrize("name", [*HOSTILE, *UNREADABLE], ids=lambda name: name[:30])
@pytest.mark.skipif(os.name == "nt", reason="links and pipes are made as POSIX has them")
def test_a_hostile_file_gives_a_task_or_a_sentence_with_its_name(name, tmp_path):
    path = put_hostile(name, tmp_path)
    for kind in KINDS:
        good = tmp_path / GOOD[kind][0]
        good.write_text(GOOD[kind][1], "utf-8")
        for splits in ((path, good), (good, path), (good, good, path), (path, path)):
            try:
                task = open_files(kind, *splits)
            except ValueError as error:
                assert type(error) is ValueError, (kind, error)
                assert name in str(error), (kind, error)
                str(error).encode("utf-8")
                assert len(str(error)) < 1000 + 2 * len(str(path))
            else:
                assert task.train and task.dev


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_file_beside_the_hostile_ones_is_good(kind, file):
    path = file(GOOD[kind][1], GOOD[kind][0])
    assert open_files(kind, path, path, path).kind == kind


# One label is enough where there may be none.
HARMLESS = {
    ("multilabel", "header_twice.tsv"),
    ("multilabel", "labels_missing.tsv"),
    ("multilabel", "same_names.tsv"),
}


def test_there_are_many_hostile_files_and_nearly_all_are_refused_by_every_kind(tmp_path):
    assert len(HOSTILE) + len(UNREADABLE) >= 40
    accepted = set()
    for name in HOSTILE:
        path = put_hostile(name, tmp_path)
        for kind in KINDS:
            try:
                open_files(kind, path, path)
            except ValueError:
                continue
            accepted.add((kind, name))
    assert accepted == HARMLESS
