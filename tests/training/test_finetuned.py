"""A fine-tuned model in its folder: it guesses as before, and what does not fit is refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_tasks import CONFIG, KINDS, PIECES, run_quickly, small_task, tiny_bert, weights_of

from bert_course.training.finetuned import (
    STEP,
    Finetuned,
    fields_for_transformers,
    load_finetuned,
    save_finetuned,
    width_of,
)
from bert_course.training.windows import Window

BERT = tiny_bert()


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    run_quickly(monkeypatch)


def make(kind, **options):
    """With a head whose guesses differ from text to text."""
    tuned = Finetuned(BERT, kind, small_task(kind, 2).labels, **options)
    kernel = tuned.head.trainable_variables[0]
    kernel.assign(np.random.default_rng(0).standard_normal(kernel.shape))
    return tuned


@pytest.mark.parametrize("kind", KINDS)
def test_it_guesses_as_before(kind, tmp_path):
    tuned, rows = make(kind, max_length=20, dropout=0.1), small_task(kind, 2).test
    if kind in ("multilabel", "answer"):
        tuned.kind.threshold = 0.25
    save_finetuned(tuned, tmp_path / "new" / "folder")
    loaded = load_finetuned(tmp_path / "new" / "folder")
    assert loaded.predict(rows) == tuned.predict(rows)
    assert weights_of(loaded) == weights_of(tuned)
    assert (loaded.kind_name, loaded.kind.labels) == (kind, tuned.kind.labels)
    assert (loaded.kind.threshold, loaded.max_length) == (tuned.kind.threshold, 20)
    assert not any(".partial" in path.name for path in tmp_path.rglob("*"))
    assert loaded.predict([]) == []


def test_how_texts_are_batched_changes_no_guess():
    tuned, rows = make("classify"), small_task("classify", 2).test
    windows = tuned.windows(rows)
    at_once, one_by_one = (tuned.guess(rows, windows, batch_size) for batch_size in (99, 1))
    assert [g["label"] for g in at_once] == [g["label"] for g in one_by_one]
    assert len({round(g["scores"]["yes"], 4) for g in at_once}) > 12  # they are not all alike
    for one, other in zip(at_once, one_by_one, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_a_batch():
    tuned = make("classify", max_length=20)
    short, long = Window(0, [2, 9, 3], [0, 0, 0], []), Window(1, [2, 9, 9, 3], [0, 0, 1, 1], [])
    batch = tuned.inputs([short, long])
    assert batch["token_ids"].shape == (2, STEP)
    assert batch["token_ids"][0, :4].tolist() == [2, 9, 3, tuned.tokenizer.vocabulary.pad]
    assert batch["segment_ids"].sum(axis=1).tolist() == [0, 2]
    assert batch["padding_mask"].sum(axis=1).tolist() == [3, 4]


@pytest.mark.parametrize(("length", "most", "width"), [(1, 99, 8), (8, 99, 8), (9, 99, 16),
                                                       (9, 12, 12), (12, 12, 12)])  # fmt: skip
def test_widths_are_few(length, most, width):
    assert width_of([Window(0, [0] * length, [], []), Window(1, [0], [], [])], most) == width


def test_no_window_is_longer_than_the_model_reads():
    assert Finetuned(BERT, "classify", ["a", "b"], max_length=512).max_length == CONFIG.max_length


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [("classify", "SequenceClassification"), ("tag", "TokenClassification"),
     ("answer", "QuestionAnswering")],
)  # fmt: skip
def test_transformers_opens_it(kind, architecture, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed: theirs is not compared")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tuned, row = make(kind), small_task(kind, 2).test[0]
    save_finetuned(tuned, tmp_path)
    theirs = getattr(transformers, f"BertFor{architecture}").from_pretrained(tmp_path)
    assert theirs.config.architectures == [f"BertFor{architecture}"]
    batch = tuned.inputs(tuned.windows([row]))
    names = {"token_ids": "input_ids", "segment_ids": "token_type_ids"}
    names["padding_mask"] = "attention_mask"
    outputs = theirs.eval()(**{names[n]: torch.tensor(a).long() for n, a in batch.items()})
    read, ours = batch["padding_mask"][0], tuned.model.predict_on_batch(batch)[0]
    if kind == "answer":
        theirs = np.stack([outputs.start_logits.detach()[0], outputs.end_logits.detach()[0]])
        np.testing.assert_allclose(ours[:, read], theirs[:, read], atol=1e-5)
    else:
        theirs = outputs.logits.detach().numpy()[0]
        keep = read if kind == "tag" else slice(None)
        np.testing.assert_allclose(ours[keep], theirs[keep], atol=1e-5)


def test_config_names_the_labels():
    fields = fields_for_transformers("multilabel", ["food", "work"])
    assert fields == {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {"0": "food", "1": "work"},
        "label2id": {"food": 0, "work": 1},
        "problem_type": "multi_label_classification",
    }
    assert fields_for_transformers("answer", []) == {"architectures": ["BertForQuestionAnswering"]}


# ------------------------------------------------------------------------------ what is refused


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save_finetuned(make("multilabel"), folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "7", '"kind"', "{}", "[" * 100_000, "\xff",
        {"kind": "sort"}, {"kind": None}, {"kind": ["tag"]}, {"kind": "answer"},
        {"labels": []}, {"labels": "yes"}, {"labels": [1, 2]}, {"labels": None},
        {"threshold": None}, {"threshold": "high"}, {"threshold": [0.5]},
        {"max_length": 0}, {"max_length": -3}, {"max_length": "long"}, {"max_length": 2.5},
        {"max_length": True}, {"max_length": float("inf")}, {"more": 1},
    ],
    ids=lambda content: str(content)[:20],
)  # fmt: skip
def test_a_task_that_is_damaged(content, folder):
    path = folder / "task.json"
    if isinstance(content, dict):
        content = json.dumps(json.loads(path.read_text("utf-8")) | content)
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=f"with a task.json.*{folder}, where it is missing or dam"):
        load_finetuned(folder)


def test_a_task_that_is_missing(folder):
    (folder / "task.json").unlink()
    with pytest.raises(ValueError, match="where it is missing or damaged"):
        load_finetuned(folder)
    with pytest.raises(ValueError, match="where it is missing or damaged"):
        load_finetuned(folder / "nowhere")


@pytest.mark.parametrize("change", ["labels", "kind", "bias", "no head"])
def test_a_head_that_does_not_fit(change, folder):
    task = json.loads((folder / "task.json").read_text("utf-8"))
    if change in ("labels", "kind"):
        other = {"labels": {"labels": ["a", "b", "c"]}, "kind": {"kind": "answer", "labels": []}}
        (folder / "task.json").write_text(json.dumps(task | other[change]), "utf-8")
    else:
        tensors = load_file(folder / "model.safetensors")
        tensors["classifier.bias"] = np.zeros((2, 2), "float32")
        if change == "no head":
            tensors = {n: t for n, t in tensors.items() if not n.startswith("classifier")}
        save_file(tensors, folder / "model.safetensors")
    with pytest.raises(
        ValueError, match=f"those of the task in task.json.*{folder}, where the head"
    ):
        load_finetuned(folder)


def test_the_vocabulary_goes_with_the_model(saved):
    assert load_finetuned(saved).vocabulary == PIECES
