"""python -m bert_course: what it prints, and that it never fails with a traceback."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from bert_course.__main__ import main
from bert_course.text.examples import open_examples
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.wordpiece import learn_vocabulary

COMMAND = [sys.executable, "-m", "bert_course"]
WORDS = "the a hen boat sings sleeps came went . The".split()
SENTENCES = "the hen sings .\na boat came .\nthe hen sleeps .\n\na hen went .\nthe boat sings .\n"
PARAGRAPHS = "The hen sings. The boat came.\nThe hen went.\n\nThe boat sleeps. The hen came.\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with a corpus and a vocabulary."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(SENTENCES, "utf-8")
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]) + "\n", "utf-8")
    return tmp_path


def arguments(*more, corpus="corpus.txt", vocab="vocab.txt", out="out"):
    start = ["examples", "--corpus", *corpus.split(), "--vocab", vocab, "--out", out]
    return [*start, "--max-length", "16", *more]


def test_examples(place, capsys):
    assert main(arguments()) == 0
    printed = capsys.readouterr()
    first, second, third, last = printed.out.splitlines()
    assert first == "2 documents (2 with a sentence a line, as guessed)"
    assert second == "5 sentences, 20 word pieces, 0.0% [UNK]"
    header = open_examples(place / "out").header
    assert third == (
        f"{header['examples']} examples in out, {header['fill']:.1%} full; "
        f"each piece {header['tokens'] / 20:.2f} times on average"
    )
    assert " s" in last
    assert printed.err == ""  # no progress but on a terminal


def test_options_reach_the_examples(place):
    more = "--seed 3 --copies 2 --cased --layout paragraphs".split()
    assert main(arguments(*more)) == 0
    header = open_examples(place / "out").header
    expected = {"max_length": 16, "seed": 3, "copies": 2, "lowercase": False}
    assert header["settings"] == expected | {"strip_accents": False}
    assert header["layouts"] == {"paragraphs": 2}


def test_files_of_both_layouts(place, capsys):
    (place / "other.txt").write_text(PARAGRAPHS, "utf-8")
    assert main(arguments(corpus="corpus.txt other.txt")) == 0
    expected = "4 documents (2 with a sentence a line and 2 with a paragraph a line, as guessed)"
    assert capsys.readouterr().out.startswith(expected)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_from_a_shell(place, processes):
    run = subprocess.run(
        [*COMMAND, *arguments("--processes", processes)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.stdout.startswith("2 documents")
    assert run.stderr == ""
    assert ("in the largest other" in run.stdout) == (processes == "2")


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are others there")
def test_progress_on_a_terminal(place):
    import termios

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [*COMMAND, *arguments()], stderr=theirs, stdout=subprocess.DEVNULL, check=True, env=env
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    assert "reading: 100%" in shown
    assert "pairing: 100%" in shown
    os.close(ours)


@pytest.mark.parametrize(
    ("more", "names", "expected"),
    [
        ([], {"corpus": "nowhere.txt"}, "Received: nowhere.txt (No such file"),
        ([], {"corpus": "vocab.txt"}, "At least 2 documents"),
        ([], {"vocab": "nowhere.txt"}, "A vocabulary is a file with one piece a line"),
        ([], {"vocab": "corpus.txt"}, "A vocabulary must hold BERT's special pieces"),
        ([], {"out": "mine"}, "Only a folder of examples is replaced"),
        ([], {"out": "corpus.txt"}, "Examples are written as a folder"),
        ([], {"out": "corpus.txt/out"}, "corpus.txt"),
        (["--max-length", "2"], {}, "max_length must lie between"),
        (["--copies", "0"], {}, "copies must be a whole number, 1 or more. Received: 0"),
        (["--processes", "0"], {}, "At least one process has to do the work"),
        (["--seed", "-1"], {}, "seed must be a whole number, 0 or more. Received: -1"),
    ],
)
def test_an_error_is_one_paragraph_and_status_2(place, capsys, more, names, expected):
    (place / "mine").mkdir()
    (place / "mine" / "notes.txt").write_text("mine")
    before = sorted(place.rglob("*"))
    assert main(arguments(*more, **names)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("python -m bert_course examples: ")
    assert expected in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    "wrong", [[], ["dance"], ["examples"], arguments("--layout", "words"), arguments("--seed", "x")]
)
def test_a_command_that_there_is_not(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    assert "usage: python -m bert_course" in capsys.readouterr().err


def test_a_full_disk_is_said(place, capsys, monkeypatch):
    def fill_up(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)
    assert main(arguments()) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(path.name for path in place.iterdir()) == ["corpus.txt", "vocab.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c(place, processes):
    """As in a terminal, where it reaches all processes at once."""
    (place / "corpus.txt").write_text(SENTENCES * 200_000, "utf-8")
    run = subprocess.Popen(
        [*COMMAND, *arguments("--processes", processes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts what it puts in the background with Ctrl-C ignored: these tests, perhaps.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    ids = place / ".out.partial" / "ids" / "ids.npy"
    while run.poll() is None and not (ids.exists() and ids.stat().st_size):
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate()
    assert run.returncode == 130
    assert out == ""
    assert err == "\npython -m bert_course: interrupted; nothing is half written\n"
    assert sorted(path.name for path in place.iterdir()) == ["corpus.txt", "vocab.txt"]


def test_a_vocabulary_with_capitals_wants_text_with_capitals(place, capsys):
    (place / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS, "London", "Paris"]), "utf-8")
    assert main(arguments()) == 2
    assert "3 pieces with capital letters, which text in lower case" in capsys.readouterr().err
    assert main(arguments("--cased")) == 0


def test_unknown_words_are_told(place, capsys):
    (place / "corpus.txt").write_text("the hen sings .\n\na ship sailed .\n", "utf-8")
    assert main(arguments()) == 0
    assert "8 word pieces, 25.0% [UNK]" in capsys.readouterr().out


def test_a_vocabulary_is_learned(place, capsys):
    command = "vocabulary --corpus corpus.txt --size 60 --out learned.txt".split()
    assert main(command) == 0
    learned = (place / "learned.txt").read_text("utf-8").split("\n")[:-1]
    assert learned == learn_vocabulary(SENTENCES.split("\n"), 60)
    assert capsys.readouterr().out == f"{len(learned)} pieces in learned.txt\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("--out .", "a file in a folder that exists. Received: ."),
        ("--out nowhere/learned.txt", "Received: nowhere/learned.txt"),
        ("--out learned.txt --size 3", "size must leave room.*Received: 3"),
        ("--out learned.txt --corpus nothing.txt", "nothing.txt"),
    ],
)
def test_a_vocabulary_that_is_not_learned(place, capsys, more, expected):
    before = sorted(place.iterdir())
    assert main(["vocabulary", "--corpus", "corpus.txt", *more.split()]) == 2
    assert re.search(expected, capsys.readouterr().err)
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize("name", ["README.md", "vocab.txt"])
def test_the_world_is_not_written_over_other_files(place, capsys, name):
    (place / "mine").mkdir()
    (place / "mine" / name).write_text("mine")
    assert main(["world", "--out", "mine"]) == 2
    assert "choose a new one. Received: mine" in capsys.readouterr().err
    assert (place / "mine" / name).read_text() == "mine"


def test_the_world_is_not_written_to_a_file(place, capsys):
    assert main(["world", "--out", "corpus.txt"]) == 2
    assert "corpus.txt, which is a file" in capsys.readouterr().err
