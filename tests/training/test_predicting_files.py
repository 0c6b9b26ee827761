"""predict --file, read as the file's ending says: tables, words, questions, lines of text."""

import io
import json
import sys

import pytest
from small_tasks import KINDS, run_quickly, small_task, tiny_bert

from bert_course.__main__ import main
from bert_course.training import finetuned
from bert_course.training.finetuned import Finetuned, save_finetuned

SQUAD = {
    "data": [
        {
            "paragraphs": [
                {
                    "context": "ann sings",
                    "qas": [{"id": "a7", "question": "who?"}, {"id": "b", "question": "where?"}],
                }
            ]
        }
    ]
}
FILES = {  # kind: (name, content, where its texts stand, how predict shows them)
    "classify": (
        "dev.tsv",
        "label\tsentence\nyes\thens sing\n\nno\tred sun\n",
        [{"line": 2}, {"line": 4}],
        ["hens sing", "red sun"],
    ),
    "multilabel": (
        "dev.jsonl",
        '{"text": "glad\\thens", "labels": ["glad"]}\n{"text": "red sun"}\n',
        [{"line": 1}, {"line": 2}],
        ["glad\thens", "red sun"],
    ),
    "pairs": (
        "dev.CSV",
        'other,text,label\n"red, sun",hens sing,yes\n',
        [{"line": 2}],
        ["hens sing\tred, sun"],
    ),
    "tag": (
        "dev.conll",
        "ann PER\nsings O\n\nNew York\tB-LOC\n.\tO\n",
        [{"line": 1}, {"line": 4}],
        ["ann sings", "New York ."],
    ),
    "answer": (
        "dev.json",
        json.dumps(SQUAD),
        [{"question": "a7"}, {"question": "b"}],
        ["who?\tann sings", "where?\tann sings"],
    ),
}


@pytest.fixture(scope="module")
def models():
    """Of each kind one that has learned nothing."""
    labels = {kind: small_task(kind, 4).labels for kind in KINDS}
    return {kind: Finetuned(tiny_bert(), kind, labels[kind], 32) for kind in KINDS}


@pytest.fixture
def predict(models, tmp_path, monkeypatch):
    """(kind of model, name of the file, its content) -> the exit code of predict."""
    run_quickly(monkeypatch)
    monkeypatch.chdir(tmp_path)

    def call(kind, name, content, *more):
        monkeypatch.setattr(finetuned, "load_finetuned", lambda _: models[kind])
        (tmp_path / name).write_bytes(content.encode("utf-8"))
        return main(["predict", "--model", "none", "--file", name, *more])

    return call


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_as_finetune_reads_it(kind, predict, capsys):
    name, content, places, inputs = FILES[kind]
    assert predict(kind, name, content) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["input"] for each in said] == inputs
    assert [{key: each[key] for key in each if key in ("line", "question")} for each in said] == (
        places
    )


def test_entities_stand_in_the_words_with_spaces_between(predict, models, capsys, monkeypatch):
    guess = {"tags": ["B-LOC", "O"], "scores": [1.0, 1.0]}
    span = {"type": "LOC", "first": 0, "last": 0, "text": "New York"}
    monkeypatch.setattr(models["tag"], "predict", lambda rows: [guess | {"spans": [span]}])
    assert predict("tag", "dev.conll", "New York\tB-LOC\n.\tO\n") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["words"], said["input"]) == (["New York", "."], "New York .")
    assert said["spans"] == [{"type": "LOC", "begin": 0, "end": 8, "text": "New York"}]


def test_columns_are_named_and_notes_stand_beside_the_answers(predict, capsys):
    content = "ticket\tgold\nhens sing\tyes\n\nred sun\tno\n"
    assert predict("classify", "dev.tsv", content, "--columns", "text=ticket", "label=gold") == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["line"] for line in printed.out.splitlines()] == [2, 4]
    assert printed.err == "dev.tsv: empty lines were passed over, 1 of them (line 3).\n"


@pytest.mark.parametrize("name", ["texts", "texts.txt", "texts.log"])
def test_other_files_have_a_text_a_line(name, predict, capsys):
    assert predict("classify", name, "text,label\n\nhens sing,yes\n") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["line"], each["input"]) for each in said] == [
        (1, "text,label"),
        (3, "hens sing,yes"),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "content", "more", "message"),
    [
        ("classify", "dev.tsv", "hens\tyes\n", [], "The column of the text must have a usual name"),
        ("tag", "dev.tsv", "ann\tO\n", [], "kind 'tag', must be .conll, or have a text a line"),
        ("classify", "dev.conll", "ann\tO\n", [], "must be .tsv or .csv or .jsonl, or have a text"),
        ("answer", "dev.jsonl", "{}", [], "kind 'answer', must be .json, or have a text a line"),
        ("classify", "texts", "hens\n", ["--columns", "text=a"], "leave it out. Received: texts"),
        ("tag", "dev.conll", "ann\n", ["--columns", "text=a"], "leave it out. Received: dev.conll"),
        ("classify", "texts", "hens\n", ["--columns", "text"], "--columns takes pairs"),
        ("classify", "texts", "hens\0", [], "Text must have no zero bytes"),
    ],
)
def test_files_that_are_refused(kind, name, content, more, message, predict, capsys):
    assert predict(kind, name, content, *more) == 2
    assert message in capsys.readouterr().err


def test_columns_of_texts_that_are_no_file(models, capsys, monkeypatch):
    monkeypatch.setattr(finetuned, "load_finetuned", lambda _: models["classify"])
    assert main(["predict", "--model", "none", "hens", "--columns", "text=a"]) == 2
    assert "--columns must go with a table" in capsys.readouterr().err


def test_a_pipe_that_is_not_utf8(models, capsys, monkeypatch):
    monkeypatch.setattr(finetuned, "load_finetuned", lambda _: models["classify"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hen\ncaf\xe9\n")))
    assert main(["predict", "--model", "none", "--file", "-"]) == 2
    said = capsys.readouterr().err
    assert "Text must be UTF-8" in said and "Received: -, line 2, with the byte 0xe9" in said


def test_the_folder_of_a_run_is_not_yet_the_model(models, tmp_path, capsys):
    model = tmp_path / "run" / "checkpoint"
    save_finetuned(models["classify"], model)
    assert main(["predict", "--model", str(tmp_path / "run"), "hens"]) == 2
    assert f"writes, which is {model}. Received: {tmp_path / 'run'}" in capsys.readouterr().err
    assert main(["predict", "--model", str(model), "hens"]) == 0
