"""pretrain, fill-mask and demo from the command line: what they print, write and refuse."""

import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bert_course.__main__ import main, parse
from bert_course.commands import demo, plans
from bert_course.commands.pretrain import draw, held_out_batches, recipe_from
from bert_course.insight import scores
from bert_course.insight.fill import fill_blanks
from bert_course.insight.scores import minimal_pair_scores
from bert_course.model.checkpoints import Bert, load_pretrained, save_pretrained
from bert_course.model.config import BertConfig
from bert_course.places import course_data
from bert_course.text.vocabulary import read_vocabulary
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.training.evaluation import evaluate
from bert_course.training.pretraining import Recipe
from bert_course.training.run_folder import read_metrics
from bert_course.training.stopping import Stopped
from bert_course.world.held_out import pair_batches, story_batches

SMALL = ["--layers", "1", "--width", "16", "--heads", "2", "--inner", "32", "--max-length", "32"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Examples of a few stories, to train on and to hold out."""
    folder = tmp_path_factory.mktemp("commands")
    stories = (course_data() / "corpus" / "validation.txt").read_text("utf-8").split("\n\n")
    for name, some in (("train", stories[:40]), ("held_out", stories[40:60])):
        (folder / f"{name}.txt").write_text("\n\n".join(some) + "\n", "utf-8")
        corpus, vocab = str(folder / f"{name}.txt"), str(course_data() / "vocab.txt")
        where = ["--vocab", vocab, "--out", str(folder / name), "--max-length", "32"]
        assert main(["examples", "--corpus", corpus, *where]) == 0
    return folder


def pretrain(folder, out, *more, steps=4):
    where = ["--examples", str(folder / "train"), "--out", str(folder / out)]
    return main(["pretrain", *where, "--steps", str(steps), "--every", "2", *SMALL, *more])


def test_pretrain(folder, capsys):
    assert pretrain(folder, "run", "--held-out", str(folder / "held_out")) == 0
    printed = capsys.readouterr()
    assert printed.err == ""  # no bar but on a terminal
    heading, unigram, bigram, *lines, last = printed.out.splitlines()
    assert heading.split()[0] == "batch"
    assert (unigram.split()[0], bigram.split()[0]) == ("unigram", "bigram")
    assert [line.split()[0] for line in lines] == ["0", "2", "4"]
    assert last == f"the model is in {folder / 'run' / 'checkpoint'}"
    assert (folder / "run" / "curve.png").read_bytes().startswith(b"\x89PNG")
    bert = load_pretrained(folder / "run" / "checkpoint")
    assert (bert.config.num_layers, bert.config.hidden_dim) == (1, 16)
    assert read_metrics(folder / "run")[-1]["share_of_peak"] > 0


def test_a_resume_that_forgets_what_was_held_out(folder, capsys):
    more = ["--held-out", str(folder / "held_out")]
    assert pretrain(folder, "forgetful", *more, steps=2) == 0
    metrics = folder / "forgetful" / "metrics.jsonl"
    first, *_ = metrics.read_text("utf-8").splitlines()
    later = '{"batch": 4, "train_loss": 5.0}'  # a line as there is where nothing is held out
    metrics.write_text(f"{first}\n{first}\n{later}\n", "utf-8")
    draw(folder / "forgetful")
    assert (folder / "forgetful" / "curve.png").exists()


def test_a_folder_at_home(folder, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    where = ["--examples", str(folder / "train"), "--held-out", str(folder / "held_out")]
    assert main(["pretrain", *where, "--steps", "1", *SMALL, "--out", "~/tilde"]) == 0
    assert (folder / "tilde" / "curve.png").exists()


def test_pretrain_without_anything_held_out(folder, capsys):
    assert pretrain(folder, "alone") == 0
    assert "accuracy" in capsys.readouterr().out
    assert not (folder / "alone" / "curve.png").exists()


def test_options_reach_the_recipe(folder):
    more = "--rate 0.01 --warm-up 1 --batch 8 --accumulate 2 --seed 3 --optimizer lamb".split()
    more += "--whole-words --beta-2 0.98 --initial-std 0.05 --waves --share 0.3".split()
    more += "--alike --weight-decay 0.05 --dropout 0.2".split()
    more += ["--precision", "mixed_float16"]
    command = ["pretrain", "--examples", str(folder / "train"), "--out", "x", "--steps", "2"]
    recipe = recipe_from(parse([*command, *SMALL, *more]))
    config = BertConfig(
        len(read_vocabulary(course_data() / "vocab.txt")), 1, 16, 2, 32, 32, dropout=0.2
    )
    expected = Recipe(
        config,
        steps=(2,),
        batch_size=(8,),
        rate=0.01,
        warm_up=1,
        accumulate=2,
        optimizer="lamb",
        beta_2=0.98,
        initial_std=0.05,
        waves=True,
        alike=True,
        weight_decay=0.05,
        share=0.3,
        whole_words=True,
        seed=3,
        precision="mixed_float16",
    )
    assert recipe == expected


@pytest.mark.parametrize(("memory", "batch", "accumulate"), [(2**30, 8, 1), (1.5 * 2**20, 2, 4)])
def test_a_batch_is_cut_as_the_memory_asks(folder, capsys, monkeypatch, memory, batch, accumulate):
    monkeypatch.setattr("bert_course.training.hardware.device_memory", lambda: memory)
    monkeypatch.setattr("bert_course.training.memory.FRAMEWORK", 0)
    command = ["pretrain", "--examples", str(folder / "train"), "--out", "x", "--steps", "2"]
    recipe = recipe_from(parse([*command, *SMALL, "--batch", "8", "--accumulate", "auto"]))
    assert (recipe.batch_size, recipe.accumulate) == ((batch,), accumulate)
    assert f"--batch {batch} --accumulate {accumulate}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("batch", "rows"), [("8", 8), ("512", 32)])
def test_held_out_batches_are_no_larger_than_those_to_learn_from(folder, batch, rows):
    where = ["--examples", str(folder / "train"), "--held-out", str(folder / "held_out")]
    options = parse(["pretrain", *where, "--out", "x", "--steps", "2", *SMALL, "--batch", batch])
    batches = held_out_batches(options, recipe_from(options), count=64)
    assert [len(each["token_ids"]) for each in batches] == [rows] * (64 // rows)


def test_accumulate_is_a_number_or_auto(folder, capsys):
    with pytest.raises(SystemExit):
        pretrain(folder, "many", "--accumulate", "many")
    assert "must be a whole number, or auto. Received: 'many'" in capsys.readouterr().err


def test_tensorboard(folder):
    pytest.importorskip(
        "tensorboard", reason="tensorboard is not installed: its files are not tested"
    )
    assert pretrain(folder, "board", "--tensorboard", str(folder / "events"), steps=2) == 0
    assert any(path.stat().st_size > 100 for path in (folder / "events").iterdir())


def test_tensorboard_that_is_not_installed(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert pretrain(folder, "no_board", "--tensorboard", str(folder / "no_events")) == 2
    assert "--tensorboard takes the packages tensorflow and tensorboard" in capsys.readouterr().err
    assert not (folder / "no_board").exists()


@pytest.mark.parametrize(
    ("more", "code", "expected"),
    [
        (["--rate", "-1"], 2, "rate must be above 0"),
        (["--heads", "3"], 2, "hidden_dim must be a multiple of num_heads"),
        (["--max-length", "16"], 2, "max_length must be at least the examples' 32 tokens"),
        (["--held-out", "nowhere"], 2, "Examples lie in a folder"),
        (["--every", "0"], 2, "every must be a whole number"),
        (["--rate", "1e30", "--warm-up", "0"], 3, "the loss is no finite number after"),
    ],
)
def test_an_error_is_one_paragraph_with_its_status(folder, capsys, more, code, expected):
    assert pretrain(folder, f"wrong{more[0]}{code}", *more) == code
    printed = capsys.readouterr().err
    assert printed.startswith("python -m bert_course pretrain: ")
    assert expected in printed
    assert printed.count("\n") == 1


def test_a_second_run_in_a_folder_says_how_to_go_on(folder, capsys):
    assert pretrain(folder, "twice", steps=1) == 0
    assert pretrain(folder, "twice", steps=1) == 2
    assert "go on with it (--resume" in capsys.readouterr().err
    assert pretrain(folder, "twice", "--resume", steps=1) == 0


# --------------------------------------------------------------------------------- fill-mask


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model that would put "hen" in every blank."""
    pieces = WordPieceTokenizer(course_data() / "vocab.txt").vocabulary.pieces
    config = BertConfig(len(pieces), 1, 8, 2, 8, max_length=16)
    bert = Bert(config, pieces)
    bias = np.zeros(len(pieces), "float32")
    bias[pieces.index("hen")] = 9
    bert.pretraining_model.get_layer("masked_words").bias.assign(bias)
    folder = tmp_path_factory.mktemp("checkpoint")
    save_pretrained(bert, folder)
    return folder


def test_fill_mask(checkpoint, capsys):
    texts = ["the [MASK] sings and the [MASK] dances.", "a [MASK]."]
    assert main(["fill-mask", "--checkpoint", str(checkpoint), "--top", "2", *texts]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [texts[0], texts[0], texts[1]]
    assert [line.split()[1] for line in lines[1::3]] == ["hen"] * 3


def test_the_chances_are_those_of_the_model(checkpoint):
    bert = load_pretrained(checkpoint)
    [guesses] = fill_blanks(bert, "a [MASK].", top=len(bert.vocabulary))
    assert sum(guess.probability for guess in guesses) == pytest.approx(1, abs=1e-4)
    assert [g.probability for g in guesses] == sorted(g.probability for g in guesses)[::-1]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("a hen.", [], "A text needs a blank to fill"),
        ("a [MASK] " * 9, [], "A text may have 16 pieces"),
        ("a [MASK].", ["--top", "0"], "--top must be 1 or more"),
    ],
)
def test_a_text_that_cannot_be_filled(checkpoint, capsys, text, more, expected):
    assert main(["fill-mask", "--checkpoint", str(checkpoint), *more, text]) == 2
    assert expected in capsys.readouterr().err


def test_a_model_that_fills_no_blanks(checkpoint, tmp_path, capsys):
    """One that was fine-tuned, as anybody's is: it has a head of its own, and none for words."""
    tensors = load_file(checkpoint / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("cls.")}
    shutil.copytree(checkpoint, tmp_path / "tuned")
    head = {"classifier.weight": np.zeros((2, 8), "float32")}
    save_file(kept | head, tmp_path / "tuned" / "model.safetensors")
    assert main(["fill-mask", "--checkpoint", str(tmp_path / "tuned"), "a [MASK]."]) == 2
    said = capsys.readouterr().err
    assert "must have a masked word head" in said and "give a pretrained checkpoint" in said
    assert f"Received: --checkpoint {tmp_path / 'tuned'}" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("told", "best"),
    [
        ("Everyone in Clovermere knew Yusuf, the baker. On Saturday there", "was"),
        ("Everyone in Clovermere knows Yusuf, the baker. On Saturday there", "is"),
    ],
)
def test_the_courses_own_checkpoint(told, best, capsys):
    """The tense is that of the sentence before, and nothing nearer tells it."""
    assert main(["fill-mask", "--top", "1", f"{told} [MASK] a market in Clovermere."]) == 0
    assert capsys.readouterr().out.split()[-1] == best


def test_its_card_has_its_measured_figures():
    card = (course_data() / "checkpoint" / "README.md").read_text("utf-8")
    bert = load_pretrained(course_data() / "checkpoint")
    assert f"{bert.pretraining_model.count_params():,} parameters" in card
    batches = story_batches(bert.tokenizer, 288, count=60) + pair_batches(bert.tokenizer, 288)
    scores = evaluate(bert.pretraining_model, batches)
    accuracy, next_sentence = (
        float(re.search(rf"\| {row}.* \| (\S+) \|", card)[1])
        for row in ("masked words, right guesses", "next sentence or a stranger's")
    )
    # the card's are of all 400 stories and of 3,200 pairs; of 60 stories, and of the 430 pairs of
    # one cutting, they are 0.011 from these in one of three samples
    assert scores["masked_words_accuracy"] == pytest.approx(accuracy, abs=0.04)
    assert scores["next_sentence_accuracy"] == pytest.approx(next_sentence, abs=0.03)


def test_its_card_has_the_minimal_pairs_of_these_very_weights():
    """Exact, so that a card that was made of other weights is found out."""
    folder = course_data()
    card = (folder / "checkpoint" / "README.md").read_text("utf-8")
    lines = (folder / "minimal_pairs.tsv").read_text("utf-8").splitlines()
    rules = [f"agreement {where}" for where in ("with the word before", "across a phrase")]
    rows = [row for row in (line.split("\t") for line in lines) if row[0] in rules]
    shares = minimal_pair_scores(load_pretrained(folder / "checkpoint"), rows)
    assert [f"| {rule} | {shares[rule]:.3f} |" in card for rule in rules] == [True, True]


# -------------------------------------------------------------------------------------- demo


def test_sentences_of_people(tmp_path):
    """Karl's own sentences; not those without a he or she, nor those of other stories."""
    stories = "Karl cut himself.\nIt rains.\nHis hen sings.\nThe sheep.\n\nShe sings.\nHe runs.\n"
    (tmp_path / "corpus.txt").write_text(stories, "utf-8")
    path = plans.write_sentences_of_people(tmp_path / "corpus.txt", tmp_path / "out" / "people.txt")
    assert path.read_text("utf-8") == "Karl cut himself.\nHis hen sings.\n"


def small_plan(monkeypatch, name, steps):
    small = {"width": 16, "heads": 2, "warm_up": 2, "corpus": "validation.txt"}
    plan = plans.PLANS[name]._replace(**small, steps=steps)
    monkeypatch.setitem(plans.PLANS, name, plan)
    monkeypatch.setattr(demo, "PAIRS", 64)


def test_demo(tmp_path, capsys, monkeypatch):
    """All of it, but for the time that learning takes."""
    small_plan(monkeypatch, "demo", (4,))
    assert main(["demo", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for expected in (
        "trigram",
        "ceiling of 64 tokens 0.842",
        "ceiling of stories   0.906",
        "this model",
        "next sentence or a stranger's",
        "at best",
    ):
        assert expected in out
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert load_pretrained(tmp_path / "run" / "checkpoint").config.hidden_dim == 16
    blanks = out.partition("never read\n")[2].splitlines()[1:]
    assert sum("____" in line for line in blanks) == demo.SHOWN


def test_a_plan_that_goes_on_with_a_model(tmp_path, capsys, monkeypatch):
    """A plan that goes on with a model, on three lengths, and writes a card."""
    small_plan(monkeypatch, "third", (1, 1, 1))
    lengths = {"layers": 1, "lengths": (24, 64, 288), "batch_size": (4, 4, 4)}
    plan = plans.PLANS["third"]._replace(**lengths)
    monkeypatch.setitem(plans.PLANS, "third", plan)
    monkeypatch.setattr(scores, "minimal_pair_scores", lambda bert, pairs: {"who wins": 0.625})
    pieces = list(read_vocabulary(course_data() / "vocab.txt").pieces)
    save_pretrained(Bert(plans.recipe_of(plan, 0).config, pieces), tmp_path / "first")
    where = ["--checkpoint", str(tmp_path / "first"), "--out", str(tmp_path / "third")]
    assert main(["demo", "--plan", "third", *where]) == 0
    out = capsys.readouterr().out
    assert "ceiling of stories" in out and "ceiling of 64" not in out
    assert "0.625 who wins" in out
    card = (tmp_path / "third" / "run" / "checkpoint" / "README.md").read_text("utf-8")
    assert f"demo --plan third {' '.join(where[:2])} --seed 0 {' '.join(where[2:])}" in card
    assert "| who wins | 0.625 |" in card


def test_a_demo_that_is_stopped_says_how_it_goes_on(tmp_path, capsys, monkeypatch):
    small_plan(monkeypatch, "demo", (4,))

    def stop(*_):
        raise Stopped("stopped", code)

    monkeypatch.setattr(demo, "pretrain_on_stories", stop)
    typed = f"python -m bert_course demo --plan demo --seed 0 --out {tmp_path} --resume"
    for code, way_on in (
        (130, f"stopped. Here that is: {typed}"),
        (5, "stopped. (These are options of `python -m bert_course pretrain`; the demo has none.)"),
    ):
        assert main(["demo", "--out", str(tmp_path)]) == code
        assert way_on in capsys.readouterr().err


def test_a_card_says_what_was_typed():
    options = SimpleNamespace(plan="third", checkpoint="TWO", seed=2, out="THREE", resume=True)
    typed = "python -m bert_course demo --plan third --checkpoint TWO --seed 2 --out THREE"
    assert demo.command(options) == typed
    options = SimpleNamespace(plan="checkpoint", checkpoint=None, seed=0, out="ONE")
    typed = "python -m bert_course demo --plan checkpoint --seed 0 --out ONE"
    assert demo.command(options) == typed


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        (["--plan", "further"], "name it with --checkpoint"),
        (["--plan", "checkpoint", "--checkpoint", "x"], "leave --checkpoint out"),
        (["--checkpoint", "x"], "leave --checkpoint out"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_plan_goes_on_with_a_model_or_begins_with_none(given, way_out, tmp_path, capsys):
    assert main(["demo", *given, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert way_out in said and "Received: --plan" in said
    assert not (tmp_path / "out").exists()


def test_held_out_examples_of_another_vocabulary(folder, tmp_path, capsys):
    (tmp_path / "vocab.txt").write_text(
        (course_data() / "vocab.txt").read_text("utf-8").replace("\nbaker\n", "\nbakers\n"), "utf-8"
    )
    where = ["--vocab", str(tmp_path / "vocab.txt"), "--out", str(tmp_path / "other")]
    corpus = str(folder / "held_out.txt")
    assert main(["examples", "--corpus", corpus, *where, "--max-length", "32"]) == 0
    assert pretrain(folder, "never", "--held-out", str(tmp_path / "other")) == 2
    assert "must be made with the vocabulary of those to learn from" in capsys.readouterr().err


def test_the_demo_leaves_another_run_alone(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "A run is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert main(["demo", "--resume"]) == 2
    assert "--resume goes on with the run in --out" in capsys.readouterr().err


def test_pretraining_goes_on_from_a_checkpoint(folder, capsys):
    assert pretrain(folder, "first") == 0
    model = str(folder / "first" / "checkpoint")
    where = ["--examples", str(folder / "train"), "--out", str(folder / "second"), "--steps", "2"]
    assert main(["pretrain", *where, "--checkpoint", model]) == 0
    assert load_pretrained(folder / "second" / "checkpoint").config.hidden_dim == 16
    assert (
        main(
            [
                "pretrain",
                *where[:-4],
                "--out",
                "x",
                "--steps",
                "2",
                "--width",
                "32",
                "--checkpoint",
                model,
            ]
        )
        == 2
    )
    assert "only dropout may be changed" in capsys.readouterr().err
