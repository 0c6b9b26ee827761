"""finetune, predict and export from the command line: what they print, write and refuse.

Here and not beside the other commands' tests, for the hostile files are those of
test_opening_tasks.py.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from small_tasks import KINDS, run_quickly, small_task, tiny_bert
from test_opening_tasks import HOSTILE, UNREADABLE, put_hostile

from bert_course.__main__ import main, parse
from bert_course.commands.finetune import (
    print_classes,
    print_cut_pairs,
    print_without_reading,
    recipe_from,
    with_first_rows,
)
from bert_course.commands.finetuning_report import one_line, summary, without_reading
from bert_course.commands.predict import places_of_words, with_places
from bert_course.model.checkpoints import save_pretrained
from bert_course.model.config import TINY
from bert_course.text.labelled import Row
from bert_course.training import finetuned
from bert_course.training.finetuned import load_finetuned, save_finetuned
from bert_course.training.finetuning import Recipe
from bert_course.training.kinds import Answers, Classes, SeveralLabels


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save_pretrained(tiny_bert(), folder)
    return folder


# ------------------------------------------------------------------------------- files of each kind

SUFFIX = {"tag": "conll", "answer": "json"}


def as_file(kind, rows):
    """Rows -> the content of a file that has them."""
    if kind == "tag":
        sentences = [zip(row.text, row.label, strict=True) for row in rows]
        return "\n".join("".join(f"{w}\t{t}\n" for w, t in each) for each in sentences)
    if kind == "answer":
        paragraphs = [
            {
                "context": row.text,
                "qas": [{"id": f"q{n}", "question": row.other, "answers": answers}],
            }
            for n, row in enumerate(rows)
            for answers in [[{"text": text, "answer_start": start} for start, text in row.label]]
        ]
        return json.dumps({"data": [{"paragraphs": paragraphs}]})
    names = "text\tother\tlabel" if kind == "pairs" else "text\tlabel"
    lines = [names]
    for row in rows:
        label = ",".join(row.label) if kind == "multilabel" else row.label
        lines.append("\t".join(cell for cell in (row.text, row.other, label) if cell is not None))
    return "\n".join(lines) + "\n"


def write_files(kind, folder, rows=16):
    """Paths of train, dev and test."""
    task = small_task(kind, rows)
    paths = [folder / f"{split}.{SUFFIX.get(kind, 'tsv')}" for split in ("train", "dev", "test")]
    for path, split in zip(paths, (task.train, task.dev, task.test), strict=True):
        path.write_text(as_file(kind, split), "utf-8")
    return paths


def finetune(checkpoint, out, *more, kind="classify"):
    where = ["--checkpoint", str(checkpoint), "--out", str(out), "--epochs", "1", "--rate", "1e-2"]
    return main(["finetune", "--task", kind, *where, *map(str, more)])


@pytest.fixture(scope="module", params=KINDS)
def finished(request, checkpoint, tmp_path_factory):
    """(kind, folder of its files and of the run, what was printed)."""
    folder, kind, printed = tmp_path_factory.mktemp(request.param), request.param, io.StringIO()
    train, dev, test = write_files(kind, folder)
    files = ["--train", train, "--dev", dev, "--test", test, "--seeds", 0, 1]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        run_quickly(patch)
        assert finetune(checkpoint, folder / "run", *files, kind=kind) == 0
    return kind, folder, printed.getvalue()


def test_finetune(finished):
    kind, folder, printed = finished
    run, metrics = folder / "run", json.loads((folder / "run" / "metrics.json").read_text("utf-8"))
    lines = printed.splitlines()
    assert "your files: 16 rows to learn from, 24 to choose by, 24 to test on" in lines
    assert [line[:15] for line in lines if line.startswith("seed")] == [
        "seed 0 epoch  1",
        "seed 1 epoch  1",
    ]
    assert any(line.startswith("test ") and line.endswith("(2 seeds)") for line in lines)
    assert lines[-1] == f"the model is in {run / 'checkpoint'}, scores and guesses beside it"
    assert (metrics["kind"], metrics["rows"]) == (kind, {"train": 16, "dev": 24, "test": 24})
    for split, file in metrics["files"].items():
        content = (folder / file["file"]).read_bytes()
        assert file["file"].startswith(split)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert metrics["recipe"]["rate"] == 0.01 and metrics["recipe"]["epochs"] == 1
    assert [result["seed"] for result in metrics["seeds"]] == [0, 1]
    assert {"python", "bert_course", "keras", "numpy", metrics["backend"]} <= metrics[
        "versions"
    ].keys()
    tuned = load_finetuned(run / "checkpoint")
    scores = [result["dev"][tuned.kind.metric] for result in metrics["seeds"]]
    name = f"dev {tuned.kind.metric}"
    assert metrics["scores"][name] == {
        "mean": np.mean(scores),
        "sd": pytest.approx(np.std(scores, ddof=1)),
        "seeds": 2,
    }
    said = [line for line in lines if "of always answering" in line]
    answers = {"classify": 1, "pairs": 1, "multilabel": 2}.get(kind, 0)
    assert [line.split()[0] for line in said] == ["dev", "test"] * answers
    assert len(metrics["without_reading"]) == answers
    table = (run / "predictions.tsv").read_text("utf-8").splitlines()
    assert [line.count("\t") for line in table] == [5] * 25
    for line in table[1:]:
        _, _, guess, score, *_ = line.split("\t")
        assert len(re.findall(r"-?\d+\.\d{3}", score)) == guesses_in(kind, guess)
    is_picture = kind in ("classify", "pairs", "tag")
    assert (run / "confusion.png").exists() == is_picture
    if is_picture:
        assert (run / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert not list(folder.rglob("*.partial"))


def test_predict(finished, tmp_path, capsys, monkeypatch):
    """Texts, a file with them and a pipe get the same answers, with places in the text."""
    run_quickly(monkeypatch)
    kind, folder, _ = finished
    texts = {
        "pairs": ["hen sings\tred sun", "glad\tice?"],
        "answer": ["who?\tThe  hen, ánn\u2028sings.", "where?\tann " + "hen " * 40 + "bob"],
        "tag": ["Ánn's hens-sing: «bob» " + "ice " * 40, "ann bob zebra."],
    }.get(kind, ["glad\u2028hens\x0b", "red 'ice' " * 30])
    loaded = load_finetuned(folder / "run" / "checkpoint")
    monkeypatch.setattr(finetuned, "load_finetuned", lambda _: loaded)  # which takes a while
    model = ["--model", str(folder / "run" / "checkpoint")]
    assert main(["predict", *model, *texts]) == 0
    told = capsys.readouterr().out.splitlines()
    (tmp_path / "texts").write_bytes("\ufeff{}\r\n\r\n{}".format(*texts).encode())
    assert main(["predict", *model, "--file", str(tmp_path / "texts")]) == 0
    of_file = capsys.readouterr().out.splitlines()
    assert [f"{{{line.partition(', ')[2]}" for line in of_file] == told
    assert [json.loads(line)["line"] for line in of_file] == [1, 3]  # where they stand
    pipe = io.TextIOWrapper(io.BytesIO((tmp_path / "texts").read_bytes()))
    monkeypatch.setattr(sys, "stdin", pipe)
    assert main(["predict", *model, "--file", "-"]) == 0
    assert capsys.readouterr().out.splitlines() == of_file
    answers = [json.loads(line) for line in told]
    assert len(answers) == 2
    for text, answer in zip(texts, answers, strict=True):
        if kind == "tag":
            assert len(answer["words"]) == len(answer["tags"]) == len(answer["scores"])
            for span in answer["spans"]:
                assert text[span["begin"] : span["end"]] == span["text"] != ""
        elif kind == "answer":
            context = text.partition("\t")[2]
            assert context[answer["begin"] : answer["end"]] == answer["text"] != ""
        elif kind == "multilabel":
            assert set(answer["labels"]) <= set(answer["scores"]) == {"glad", "red"}
        else:
            assert answer["label"] == max(answer["scores"], key=answer["scores"].get)


def test_entities_stand_where_the_text_has_them(checkpoint, tmp_path, capsys):
    """A model that was taught: not only are the places right, the words are found."""
    train, dev, _ = write_files("tag", tmp_path, rows=96)
    more = ["--train", train, "--dev", dev, "--epochs", 4, "--rate", 2e-2]
    assert finetune(checkpoint, tmp_path / "run", *more, kind="tag") == 0
    capsys.readouterr()
    model = ["--model", str(tmp_path / "run" / "checkpoint")]
    assert main(["predict", *model, "The  hen sings,ÁNN  runs."]) == 0
    [span] = json.loads(capsys.readouterr().out)["spans"]
    assert span == {"type": "PER", "begin": 15, "end": 18, "text": "ÁNN"}


def test_words_of_a_text():
    text = "Ann's hens-eat 3.5 «ice»_x"
    words = [text[begin:end] for begin, end in places_of_words(text)]
    assert words == ["Ann's", "hens-eat", "3", ".", "5", "«", "ice", "»", "_x"]


def test_predicted_tags_are_sound():
    """The network may say I where an entity begins; scores and notebook 11 look at what it said."""
    row = Row(["Ann", "sings"], None, None, "text 1")
    spans = [{"type": "PER", "first": 0, "last": 0, "text": "Ann"}]
    said = with_places("Ann sings", row, {"tags": ["I-PER", "O"], "spans": spans})
    assert said["tags"] == ["B-PER", "O"]
    assert said["spans"] == [{"type": "PER", "begin": 0, "end": 3, "text": "Ann"}]


# ----------------------------------------------------------------------------- options, notes, sums


def test_options_reach_the_recipe():
    more = "--epochs 7 --batch 8 --rate 0.1 --max-length 64 --dropout 0.3 --smoothing 0.2".split()
    more += "--layer-decay 0.9 --patience 2 --precision float32 --weighted --frozen".split()
    options = parse(["finetune", "--task", "sentiment", "--out", "x", *more])
    assert recipe_from(options, TINY) == Recipe(
        epochs=7,
        batch_size=8,
        rate=0.1,
        max_length=64,
        dropout=0.3,
        smoothing=0.2,
        layer_decay=0.9,
        patience=2,
        precision="float32",
        weighted=True,
        frozen=True,
    )
    plain = recipe_from(parse(["finetune", "--task", "sentiment", "--out", "x"]), TINY)
    assert plain == Recipe(precision=plain.precision, rate=pytest.approx(3e-4))  # 5e-5 at 768


def test_no_more_is_read_at_once_than_the_model_can():
    """Settings are written down as they are used."""
    short = dataclasses.replace(TINY, max_length=32)
    more = ["finetune", "--task", "sentiment", "--out", "x"]
    assert recipe_from(parse(more), short).max_length == 32
    with pytest.raises(ValueError, match=r"--max-length must be at most 32, .*Received: 33"):
        recipe_from(parse([*more, "--max-length", "33"]), short)


def test_the_first_rows_must_have_all_classes():
    task = small_task(train=labelled("a", "a", "b"), labels=["a", "b"])
    assert len(with_first_rows(task, 3).train) == 3
    with pytest.raises(
        ValueError, match=r"among the first --rows: .*Received: 2, without any of b$"
    ):
        with_first_rows(task, 2)


def test_options_for_own_files_go_with_own_files(checkpoint, tmp_path, capsys):
    for more in (("--labels", "a", "b"), ("--columns", "text=a")):
        assert finetune(checkpoint, tmp_path / "run", *more, kind="sentiment") == 2
        assert "must go with your own files" in capsys.readouterr().err


def test_what_train_has_is_counted(capsys):
    words = [Row(["Ann", "B", "runs"], None, ["B-PER", "I-PER", "O"], "here")] * 2
    for kind, rows, said in (
        ("classify", labelled("a", "b", "a"), "2 classes: a 2, b 1\n"),
        ("multilabel", labelled(("a", "b"), (), ("a",)), "2 classes: a 2, b 1\n"),
        ("tag", words, "1 types of entities: PER 2\n"),
        ("answer", labelled([(0, "hen")], []), "answers: 1 of 2 questions have one\n"),
    ):
        print_classes(small_task(kind, train=rows))
        assert capsys.readouterr().out == said


def test_pairs_that_are_cut_are_counted(capsys):
    rows = [Row("hen", "ice", "a", "here"), Row("hen sings", "ice melts", "b", "here")]
    task, tokenizer = small_task("pairs", train=rows), tiny_bert().tokenizer
    print_cut_pairs(task, tokenizer, 7)
    print_cut_pairs(task._replace(kind="classify"), tokenizer, 6)
    assert capsys.readouterr().out == ""
    print_cut_pairs(task, tokenizer, 6)
    assert "1 of the first 2 pairs are longer than 6 pieces" in capsys.readouterr().out


def test_a_folder_below_a_file_is_refused(checkpoint, tmp_path, capsys):
    (tmp_path / "file").write_text("a file")
    out = tmp_path / "file" / "within" / "run"
    assert finetune(checkpoint, out, "--train", "a.tsv", "--dev", "b.tsv") == 2
    assert f"--out {out}, and {tmp_path / 'file'} is a file" in capsys.readouterr().err


def test_rows_columns_scratch_and_resume(checkpoint, tmp_path, capsys, monkeypatch):
    run_quickly(monkeypatch)
    lines = [
        "gold\tsentence",
        *(f"{'ab'[n % 2]}\then sings {n}" for n in range(9)),
        "a\then  sings 1",
    ]
    (tmp_path / "train.tsv").write_text("\n".join(lines), "utf-8")
    more = ["--train", tmp_path / "train.tsv", "--dev", tmp_path / "train.tsv", "--rows", 6]
    more += ["--columns", "text=sentence", "label=gold", "--scratch"]
    assert finetune(checkpoint, tmp_path / "run", *more, "--resume") == 0  # nothing is there yet
    printed = capsys.readouterr().out
    assert printed.startswith(f"there is nothing to go on with in {tmp_path / 'run'}")
    assert "Texts of train that stand there with different labels: 1." in printed
    assert "your files: 6 rows to learn from, 10 to choose by, 0 to test on" in printed
    table = (tmp_path / "run" / "predictions.tsv").read_text("utf-8").splitlines()
    assert len(table) == 11  # without a test they are of dev
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    assert metrics["predictions"].startswith("of dev")
    assert any("different labels" in note for note in metrics["notes"])
    assert finetune(checkpoint, tmp_path / "run", *more) == 2
    assert f"--resume. Received: --out {tmp_path / 'run'}, which" in capsys.readouterr().err
    assert finetune(checkpoint, tmp_path / "run", *more, "--resume") == 0
    assert finetune(checkpoint, tmp_path / "run", *more[:-1], "--resume") == 2
    assert "recipe.scratch was True and is False" in capsys.readouterr().err


def test_the_checkpoint_is_our_own_if_none_is_named():
    options = parse(["finetune", "--task", "sentiment", "--out", "x"])
    assert (options.checkpoint / "model.safetensors").exists()


def test_sums_over_seeds():
    results = [{"dev": {"f1": f1, "per_class": {}}, "test": None} for f1 in (0.5, 0.7)]
    assert summary(results) == {"dev f1": (0.6, pytest.approx(0.02**0.5), 2)}
    assert summary(results[:1]) == {"dev f1": (0.5, None, 1)}


def labelled(*labels):
    return [Row("hen", None, label, "here") for label in labels]


def test_what_not_reading_reaches(capsys):
    train = labelled("a", "b", "b")
    task = small_task(train=train, dev=train[:2], test=[], labels=["a", "b"])
    answers = without_reading(Classes(task.labels), task)
    most = "b, the most frequent of train"
    assert answers == [{"answer": most, "scores": {"dev accuracy": 0.5}}]
    for score, end in ((0.5, "0.5000, which this model does not beat\n"), (0.6, "0.5000\n")):
        print_without_reading(answers, {"dev accuracy": (score, None, 1)})
        assert capsys.readouterr().out == f"dev accuracy of always answering {most}: {end}"


def test_what_not_reading_reaches_where_there_are_several_labels_or_answers():
    rows = labelled(("a", "b"), ("a",), (), ("a",))
    task = small_task("multilabel", train=rows, dev=rows, test=[], labels=["a", "b"])
    every, none = without_reading(SeveralLabels(task.labels), task)
    assert every["scores"]["dev macro_f1"] == pytest.approx((6 / 7 + 2 / 5) / 2)  # 2p / (1 + p)
    assert none["scores"]["dev macro_f1"] == 0
    rows = labelled([(0, "hen")], [], [])
    task = small_task("answer", train=rows, dev=rows, test=[])
    [nothing] = without_reading(Answers(), task)
    assert nothing["scores"]["dev f1"] == pytest.approx(2 / 3)
    assert without_reading(Answers(), task._replace(dev=rows[:1])) == []


def guesses_in(kind, guess):
    """How many scores stand beside this guess in predictions.tsv."""
    if kind == "multilabel":
        return len(guess.split(",")) if guess else 0
    return len(guess.split()) if kind == "tag" else 1


def test_a_cell_is_one_line():
    assert one_line(" a\tb\r\n c\u2028d\x85") == "a b c d"


# ------------------------------------------------------------------------------------------- export


def test_export(checkpoint, tmp_path, capsys, monkeypatch):
    """What is served says what predict says, of any string."""
    texts = [
        "glad hens sing",
        "Gläd HÉNS, zebra!",
        "a [MASK] [SEP] sings",
        "",
        "好 hen",
        *("ice " * count + "glad hens sing" for count in range(40)),  # a window, or several
    ]
    tf = pytest.importorskip("tensorflow", reason="a SavedModel is TensorFlow's")
    pytest.importorskip("tensorflow_text", reason="the tokenizer in a graph is not installed")
    run_quickly(monkeypatch)
    train, dev, _ = write_files("classify", tmp_path)
    more = ["--train", train, "--dev", dev, "--rate", "0.05", "--epochs", "3"]
    assert finetune(checkpoint, tmp_path / "run", *more) == 0
    model, served = tmp_path / "run" / "checkpoint", tmp_path / "new" / "served"
    served.mkdir(parents=True)  # an empty folder will do
    assert main(["export", "--model", str(model), "--out", str(served)]) == 0
    printed = capsys.readouterr().out
    assert "for the labels no, yes. To call it:" in printed
    example = printed.partition("To call it:")[2].replace("…", texts[0])
    called = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True)
    assert "probabilities" in called.stdout, called.stderr  # also where nothing was imported before
    answer = tf.saved_model.load(str(served)).signatures["serving_default"](
        texts=tf.constant(texts)
    )
    assert answer["labels"].numpy().tolist() == [[b"no", b"yes"]] * len(texts)
    tuned = load_finetuned(model)
    rows = [small_task().dev[0]._replace(text=text) for text in texts]
    guesses = tuned.predict(rows)
    expected = [list(guess["scores"].values()) for guess in guesses]
    np.testing.assert_allclose(answer["probabilities"].numpy(), expected, atol=1e-5)
    chosen = [[guess["label"] == label for label in ("no", "yes")] for guess in guesses]
    np.testing.assert_array_equal(answer["chosen"].numpy(), chosen)
    assert np.ptp(np.array(expected)[:, 0]) > 1e-3  # they are not all alike
    assert [path.name for path in served.parent.iterdir()] == ["served"]
    assert main(["export", "--model", str(model), "--out", str(served)]) == 2
    assert f"in a new folder, or an empty one. Received: {served}" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    monkeypatch.delitem(sys.modules, "bert_course.training.exporting")
    monkeypatch.delitem(sys.modules, "bert_course.text.in_graph")
    assert main(["export", "--model", str(model), "--out", str(tmp_path / "other")]) == 2
    assert "needs tensorflow and tensorflow-text" in capsys.readouterr().err


def test_export_of_pairs(checkpoint, tmp_path, monkeypatch):
    """Two strings at once; the longer is cut."""
    tf = pytest.importorskip("tensorflow", reason="a SavedModel is TensorFlow's")
    pytest.importorskip("tensorflow_text", reason="the tokenizer in a graph is not installed")
    run_quickly(monkeypatch)
    train, dev, _ = write_files("pairs", tmp_path)
    more = ["--train", train, "--dev", dev, "--rate", "0.05", "--epochs", "3"]
    assert finetune(checkpoint, tmp_path / "run", *more, kind="pairs") == 0
    model, served = tmp_path / "run" / "checkpoint", tmp_path / "served"
    assert main(["export", "--model", str(model), "--out", str(served)]) == 0
    texts = ["ice melts", "ice " * 40, "", "glad hen", "ice " * 40]
    others = ["a glad hen", "a red hen", "glad", "", "glad " * 40]
    served = tf.saved_model.load(str(served)).signatures["serving_default"]
    answer = served(texts=tf.constant(texts), others=tf.constant(others))
    tuned, row = load_finetuned(model), small_task("pairs").dev[0]
    rows = [row._replace(text=a, other=b) for a, b in zip(texts, others, strict=True)]
    expected = [list(guess["scores"].values()) for guess in tuned.predict(rows)]
    np.testing.assert_allclose(answer["probabilities"].numpy(), expected, atol=1e-5)
    assert np.ptp(np.array(expected)[:, 0]) > 1e-3  # they are not all alike
    with pytest.raises(tf.errors.InvalidArgumentError, match="its own of others: as many"):
        served(texts=tf.constant(texts), others=tf.constant(others[:1]))


def test_export_of_several_labels(finished, tmp_path):
    """What is chosen is what predict says, by the threshold that was tuned."""
    kind, folder, _ = finished
    if kind != "multilabel":
        pytest.skip("one kind has a threshold for each label")
    tf = pytest.importorskip("tensorflow", reason="a SavedModel is TensorFlow's")
    pytest.importorskip("tensorflow_text", reason="the tokenizer in a graph is not installed")
    served = tmp_path / "served"
    rows, tuned = small_task(kind).dev, load_finetuned(folder / "run" / "checkpoint")
    scores = np.array([list(guess["scores"].values()) for guess in tuned.predict(rows)])
    tuned.kind.threshold = float(np.quantile(scores, 0.8)) + 1e-6
    save_finetuned(tuned, tmp_path / "other")
    assert main(["export", "--model", str(tmp_path / "other"), "--out", str(served)]) == 0
    texts = tf.constant([row.text for row in rows])
    answer = tf.saved_model.load(str(served)).signatures["serving_default"](texts=texts)
    guesses = [guess["labels"] for guess in tuned.predict(rows)]
    chosen = [[label in labels for label in tuned.kind.labels] for labels in guesses]
    np.testing.assert_array_equal(answer["chosen"].numpy(), chosen)
    assert 0.1 < np.mean(chosen) < 0.3
    assert np.mean(scores >= 0.5) > 0.4 or np.mean(scores >= 0.5) < 0.1  # a half chooses others


def test_some_models_are_not_exported(finished, tmp_path, capsys):
    kind, folder, _ = finished
    if kind in ("classify", "multilabel", "pairs"):
        pytest.skip("this kind is exported")
    pytest.importorskip("tensorflow_text", reason="the tokenizer in a graph is not installed")
    model = str(folder / "run" / "checkpoint")
    assert main(["export", "--model", model, "--out", str(tmp_path / "served")]) == 2
    assert f"a model of kind '{kind}'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------- what is refused


def refusal(capsys, command):
    """The one paragraph that was said instead of a traceback."""
    said = capsys.readouterr().err
    assert said.startswith(f"python -m bert_course {command}: ")
    assert said.count("\n") == 1 and "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--task", "classify", "--train", "t.tsv"], "--train to learn from and --dev to choose"),
        (["--task", "classify", "--test", "t.tsv"], "Received: --train None --dev None"),
        (["--task", "classify"], "--task classify is a kind of task: name your files"),
        (["--task", "sentimental"], "A task is one of sentiment, "),
        (["--task", "topics", "--train", "t.tsv", "--dev", "d.tsv"], "has files of its own"),
        (["--task", "sentiment", "--rows", "0"], "--rows must be 1 or more. Received: 0"),
        (["--task", "tag", "--columns", "text"], "--columns takes pairs such as"),
        (["--task", "tag", "--columns", "label="], "Received: label="),
        (["--task", "sentiment", "--seeds", "-1"], "none below 0. Received: [-1]"),
        (["--task", "sentiment", "--epochs", "0"], "epochs must be a whole number"),
        (["--task", "sentiment", "--precision", "float3"], "float3"),
        (["--task", "sentiment", "--rate", "nan"], "rate must be above 0"),
    ],
)
def test_what_finetune_refuses(more, expected, checkpoint, tmp_path, capsys):
    if "--columns" in more:
        more = [*more, "--train", "t.tsv", "--dev", "d.tsv"]
    command = ["finetune", "--checkpoint", str(checkpoint), "--out", str(tmp_path / "run")]
    assert main([*command, *more]) == 2
    assert expected in refusal(capsys, "finetune")
    assert not (tmp_path / "run").exists()


def test_an_out_with_files_of_others(checkpoint, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text("mine")
    train, dev, _ = write_files("classify", tmp_path)
    assert finetune(checkpoint, tmp_path / "run", "--train", train, "--dev", dev) == 2
    assert "A run begins in a new folder, or an empty one" in refusal(capsys, "finetune")
    assert finetune(checkpoint, tmp_path / "run", "--train", train, "--dev", dev, "--resume") == 2
    assert "--resume goes on with a run that finetune has begun" in refusal(capsys, "finetune")
    assert (tmp_path / "run" / "metrics.json").read_text() == "mine"


def test_going_on_from_a_model_that_was_fine_tuned(one_model, tmp_path, capsys, monkeypatch):
    """Its body, for another task; and what there is to say of the texts before."""
    run_quickly(monkeypatch)
    train = tmp_path / "train.tsv"
    lines = [
        "text\tlabel",
        "zebra lynx\tRed",
        "hen ox gnu\tred",
        "yak\tb",
        "emu hen\tb",
        "ice\tRed",
    ]
    train.write_text("\n".join(lines), "utf-8")
    assert finetune(one_model, tmp_path / "run", "--train", train, "--dev", train) == 0
    printed = capsys.readouterr().out
    assert "Labels that differ in letter case only: Red and red." in printed
    assert "3 classes: Red 2, b 2, red 1\n" in printed
    assert re.search(r"\n\d\d% of the pieces are \[UNK\], for the vocabulary", printed)


def test_an_out_that_is_a_file(checkpoint, tmp_path, capsys):
    (tmp_path / "run").write_text("mine")
    train, dev, _ = write_files("classify", tmp_path)
    assert finetune(checkpoint, tmp_path / "run", "--train", train, "--dev", dev) == 2
    assert str(tmp_path / "run") in refusal(capsys, "finetune")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_rate_that_is_too_high(checkpoint, tmp_path, capsys, monkeypatch):
    run_quickly(monkeypatch)
    train, dev, _ = write_files("classify", tmp_path)
    more = ["--train", train, "--dev", dev, "--rate", "1e39"]
    assert finetune(checkpoint, tmp_path / "run", *more) == 3
    assert "no finite number in epoch 1" in refusal(capsys, "finetune")
    assert not (tmp_path / "run" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Give texts, or a --file of them, and not both. Received: 0 texts"),
        (["hen", "--file", "x"], "and not both. Received: 1 texts, --file x"),
        (["--file", "nowhere"], "--file must name a text file. Received: nowhere (No such"),
        (["--file", "."], "--file must name a text file. Received: . ("),
        (["--file", "blank"], "A file must hold text. Received: blank, which is empty"),
        (["--file", "latin"], "Received: latin, line 2, with the byte 0xe9"),
        (["hen", " "], "A text must not be blank. Received: text 2"),
        (["\u200b"], "A text must not be blank. Received: text 1"),
        (["hen\udc80"], "Received: text 1, with one half alone"),
        (["--file", "tabs"], "Received: tabs, line 3, with 1 tabs"),
    ],
)
def test_what_predict_refuses(arguments, expected, one_model, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blank").write_text(" \n\t\n")
    (tmp_path / "latin").write_bytes("hen\né".encode("latin-1"))
    (tmp_path / "tabs").write_text("hen\n\nhen\tsun\n")
    assert main(["predict", "--model", str(one_model), *arguments]) == 2
    assert expected in refusal(capsys, "predict")


@pytest.fixture(scope="module")
def one_model(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    train, dev, _ = write_files("classify", folder)
    with pytest.MonkeyPatch.context() as patch:
        run_quickly(patch)
        assert finetune(checkpoint, folder / "run", "--train", train, "--dev", dev) == 0
    return folder / "run" / "checkpoint"


def test_how_many_texts_there_must_be(finished, capsys):
    kind, folder, _ = finished
    text, expected = {
        "pairs": ("hen", "reads first text and second text, with a tab between them. "),
        "answer": ("hen", "reads question and context, with a tab between them. "),
    }.get(kind, ("hen\tsun", "reads one text, without a tab in it. "))
    model = str(folder / "run" / "checkpoint")
    assert main(["predict", "--model", model, text]) == 2
    expected += f"Received: text 1, with {text.count(chr(9))} tabs"
    assert expected in refusal(capsys, "predict")


# ------------------------------------------------------------------------------------ hostile files


@pytest.mark.parametrize("name", [*HOSTILE, *UNREADABLE], ids=lambda name: name[:30])
def test_a_hostile_file_is_refused_in_a_sentence_with_its_name(name, checkpoint, tmp_path, capsys):
    path, out = put_hostile(name, tmp_path), tmp_path / "run"
    kind = {"json": "answer", "conll": "tag"}.get(name.rpartition(".")[2], "classify")
    good = write_files(kind, tmp_path)[1]
    for train, dev in ((path, good), (good, path)):
        assert finetune(checkpoint, out, "--train", train, "--dev", dev, kind=kind) == 2
        assert name in refusal(capsys, "finetune")
        assert not out.exists()


def test_there_are_many():
    assert len(HOSTILE) + len(UNREADABLE) >= 40


def spoil(name, change):
    def spoiled(folder):
        path = folder / name
        content = change(path.read_bytes()) if path.exists() else change(b"")
        path.unlink(missing_ok=True)
        if content is None:
            path.mkdir()
        elif content is not ...:
            path.write_bytes(content)

    return spoiled


def with_field(**fields):
    return lambda content: json.dumps(json.loads(content) | fields).encode()


FOLDERS = {
    "no config": spoil("config.json", lambda _: ...),
    "empty config": spoil("config.json", lambda _: b""),
    "config is a list": spoil("config.json", lambda _: b"[1]"),
    "config is deep": spoil("config.json", lambda _: b"[" * 100_000),
    "config is binary": spoil("config.json", lambda _: bytes(range(256))),
    "config is a folder": spoil("config.json", lambda _: None),
    "no width": spoil("config.json", with_field(hidden_size=0)),
    "text for a width": spoil("config.json", with_field(hidden_size="wide")),
    "list for a width": spoil("config.json", with_field(hidden_size=[16])),
    "width of nothing": spoil("config.json", with_field(hidden_size=None)),
    "another width": spoil("config.json", with_field(hidden_size=32)),
    "more layers": spoil("config.json", with_field(num_hidden_layers=2)),
    "another architecture": spoil("config.json", with_field(model_type="gpt2")),
    "strange activation": spoil("config.json", with_field(hidden_act=["gelu"])),
    "no vocabulary": spoil("vocab.txt", lambda _: ...),
    "empty vocabulary": spoil("vocab.txt", lambda _: b""),
    "vocabulary is a folder": spoil("vocab.txt", lambda _: None),
    "vocabulary is cut": spoil("vocab.txt", lambda content: content[: len(content) // 2]),
    "vocabulary is binary": spoil("vocab.txt", lambda _: bytes(range(256))),
    "vocabulary without [CLS]": spoil("vocab.txt", lambda content: content.replace(b"[CLS]", b"c")),
    "case is a word": spoil("tokenizer_config.json", lambda _: b'{"do_lower_case": "yes"}'),
    "no weights": spoil("model.safetensors", lambda _: ...),
    "empty weights": spoil("model.safetensors", lambda _: b""),
    "weights are a folder": spoil("model.safetensors", lambda _: None),
    "weights are cut": spoil("model.safetensors", lambda content: content[:-9]),
    "weights are zeros": spoil("model.safetensors", lambda content: bytes(len(content))),
    "weights say they are huge": spoil("model.safetensors", lambda content: b"\xff" * 7 + content),
    "weights lack a tensor": spoil("model.safetensors", lambda c: c.replace(b"Layer", b"layer", 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_hostile_checkpoint_or_model(name, checkpoint, one_model, tmp_path, capsys):
    broken = shutil.copytree(one_model, tmp_path / "broken")
    FOLDERS[name](broken)
    assert main(["predict", "--model", str(broken), "hen"]) == 2
    assert str(broken) in refusal(capsys, "predict")
    broken = shutil.copytree(checkpoint, tmp_path / "broken checkpoint")
    FOLDERS[name](broken)
    train, dev, _ = write_files("classify", tmp_path)
    assert finetune(broken, tmp_path / "run", "--train", train, "--dev", dev) == 2
    assert str(broken) in refusal(capsys, "finetune")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_is_no_folder_of_a_model(name, tmp_path, capsys):
    (tmp_path / "file").write_text("hen")
    (tmp_path / "empty").mkdir()
    train, dev, _ = write_files("classify", tmp_path)
    path, out = str(tmp_path / name), tmp_path / "out"
    assert finetune(path, out, "--train", train, "--dev", dev) == 2
    assert path in refusal(capsys, "finetune")
    for command in (["predict", "hen"], ["export", "--out", str(out)]):
        assert main([*command, "--model", path]) == 2
        assert path in refusal(capsys, command[0])
    assert not out.exists()
