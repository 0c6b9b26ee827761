"""Writing checkpoints: nothing is lost, other programs read them, no crash spoils one."""

import builtins
import copy
import importlib.metadata
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from packaging.version import Version
from safetensors.numpy import load_file, save_file
from small_berts import (
    JIT,
    MIXED_CASE_PIECES,
    PIECES,
    SMALL,
    answers,
    assert_same_weights,
    largest_difference,
    random_batch,
    randomise,
    small,
    weights_of,
)

from bert_course import files
from bert_course.model.checkpoints import Bert, load_pretrained, save_pretrained


def random_bert(config=SMALL, pieces=PIECES, lowercase=True, seed=3):
    bert = Bert(config, pieces, lowercase)
    randomise(bert.pretraining_model, seed)
    return bert


def files_in(folder):
    """{name: content} of a folder, hidden files too; {} if there is none."""
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


# ------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize(
    ("activation", "pieces", "lowercase"),
    [("gelu", PIECES, True), ("gelu", PIECES, False), ("gelu_tanh", MIXED_CASE_PIECES, False)],
)
def test_what_is_saved_is_loaded_to_the_last_bit(activation, pieces, lowercase, tmp_path):
    bert = random_bert(small(activation=activation, dropout=0.25), pieces, lowercase)
    save_pretrained(bert, tmp_path / "new" / "folder")
    loaded = load_pretrained(str(tmp_path / "new" / "folder"))
    assert loaded.config == bert.config
    assert loaded.vocabulary == bert.vocabulary
    assert loaded.lowercase == bert.lowercase
    assert loaded.untrained == ()
    assert_same_weights(loaded, bert)
    batch = random_batch(SMALL)
    assert answers(loaded.encoder, batch)["pooled_output"].tobytes() == (
        answers(bert.encoder, batch)["pooled_output"].tobytes()
    )


def test_a_folder_has_four_files_and_nothing_else(folder):
    expected = {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    assert files_in(folder).keys() == expected


def test_a_trained_model_is_saved_as_it_stands(tmp_path):
    bert = random_bert()
    batch = random_batch(SMALL)
    before = weights_of(bert.pretraining_model)
    losses = {"masked_words": "mse", "next_sentence": "mse"}
    bert.pretraining_model.compile("sgd", loss=losses, jit_compile=JIT)
    labels = {"masked_words": np.ones((2, 3, 30)), "next_sentence": np.ones((2, 2))}
    bert.pretraining_model.fit(batch, labels, epochs=2, verbose=0)
    save_pretrained(bert, tmp_path)
    loaded = load_pretrained(tmp_path)
    assert_same_weights(loaded, bert)
    after = weights_of(loaded.pretraining_model)
    unmoved = [path for path in before if (after[path] == before[path]).all()]
    assert all("key/bias" in path for path in unmoved)  # softmax is blind to these


def test_frozen_weights_are_saved_and_loaded_too(bert, tmp_path):
    bert.encoder.trainable = False
    save_pretrained(bert, tmp_path)
    assert_same_weights(load_pretrained(tmp_path), bert)
    bert.encoder.trainable = True


def without_next_sentence(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({n: t for n, t in tensors.items() if "seq_relationship" not in n}, path)


def test_a_part_that_is_still_random_is_not_saved_as_if_it_were_trained(bert, tmp_path):
    save_pretrained(bert, tmp_path / "a")
    without_next_sentence(tmp_path / "a")
    with pytest.warns(UserWarning, match="still random: next sentence head"):
        loaded = load_pretrained(tmp_path / "a")
    save_pretrained(loaded, tmp_path / "b")
    assert not any("seq_relationship" in n for n in load_file(tmp_path / "b/model.safetensors"))


def test_a_part_that_has_been_trained_since_is_saved(bert, tmp_path):
    save_pretrained(bert, tmp_path / "a")
    without_next_sentence(tmp_path / "a")
    with pytest.warns(UserWarning):
        loaded = load_pretrained(tmp_path / "a")
    bias = loaded.pretraining_model.get_layer("next_sentence").classify.bias
    bias.assign(bias + 1.0)
    assert loaded.untrained == ()
    save_pretrained(loaded, tmp_path / "b")
    assert_same_weights(load_pretrained(tmp_path / "b"), loaded)


def test_a_foreign_config_is_not_overwritten(bert, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "roberta"}')
    with pytest.raises(ValueError, match="holds another model"):
        save_pretrained(bert, tmp_path)
    assert (tmp_path / "config.json").read_text() == '{"model_type": "roberta"}'


def test_a_file_in_the_folders_place_is_refused(bert, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ValueError, match=r"A checkpoint is a folder\. Received: .*which is a file"):
        save_pretrained(bert, tmp_path / "taken")


def test_the_home_folder_is_understood(bert, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save_pretrained(bert, "~/saved")
    assert_same_weights(load_pretrained("~/saved"), bert)


@pytest.mark.parametrize("piece", ["two\nlines", "carriage\r", 7])
def test_a_piece_that_would_not_come_back_is_refused(piece, bert):
    vocabulary = [piece, *bert.vocabulary[1:]]
    with pytest.raises(ValueError, match=r"stands on one line of vocab\.txt.*Received: "):
        Bert(bert.config, vocabulary)


# ---------------------------------------------------------------------------------- other programs


@pytest.mark.parametrize("library", ["keras_hub", "keras_nlp"])
def test_keras_hub_opens_the_folder_and_answers_alike(library, tmp_path):
    models = pytest.importorskip(library).models
    if Version(importlib.metadata.version("keras-hub")) < Version("0.32"):
        pytest.skip("keras-hub 0.26 knows γ and β only as gamma and beta; tested from 0.32 on")
    bert = random_bert(small(activation="gelu_tanh"))  # the one that keras_hub has
    save_pretrained(bert, tmp_path)
    backbone = models.BertBackbone.from_preset(str(tmp_path))
    batch = random_batch(SMALL)
    real = batch["padding_mask"]
    ours, theirs = answers(bert.encoder, batch), answers(backbone, batch)
    assert largest_difference(ours["sequence_output"][real], theirs["sequence_output"][real]) < 1e-5
    assert largest_difference(ours["pooled_output"], theirs["pooled_output"]) < 1e-5


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
def test_transformers_opens_the_folder_and_answers_alike(activation, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    bert = random_bert(small(activation=activation))
    save_pretrained(bert, tmp_path)
    theirs, report = transformers.BertForPreTraining.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert {kind: list(names) for kind, names in report.items() if names} == {}
    batch = random_batch(SMALL)
    batch["masked_positions"] = np.tile(np.arange(5), (2, 1))
    with torch.no_grad():
        outputs = theirs.eval()(
            torch.tensor(batch["token_ids"]).long(),
            attention_mask=torch.tensor(batch["padding_mask"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
        )
    ours = answers(bert.pretraining_model, batch)
    words = outputs.prediction_logits.numpy()[:, :5]
    assert largest_difference(ours["masked_words"], words) < 1e-5 * np.abs(words).max()
    assert largest_difference(ours["next_sentence"], outputs.seq_relationship_logits.numpy()) < 1e-5
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0.1


# ------------------------------------------------------------------ a folder that is there already


def add_to_config(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | fields), "utf-8")


def test_a_model_may_be_saved_again(later_bert, folder):
    add_to_config(folder, a_note="of mine")
    save_pretrained(later_bert, folder)
    assert_same_weights(load_pretrained(folder), later_bert)
    assert b"a_note" in files_in(folder)["config.json"]  # and what else stood there is kept


@pytest.mark.filterwarnings("error::UserWarning")
def test_saving_again_does_not_repeat_what_loading_warned_of(bert, folder):
    add_to_config(folder, attention_probs_dropout_prob=0.25)
    before = files_in(folder)
    save_pretrained(bert, folder)
    assert files_in(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        {"config": small(num_layers=1)},
        {"config": small(activation="gelu_tanh")},
        {"vocabulary": PIECES},
        {"lowercase": True},
    ],
    ids=str,
)
def test_another_model_is_not_overwritten(change, bert, folder):
    other = copy.copy(bert)
    vars(other).update(change)
    before = files_in(folder)
    with pytest.raises(ValueError, match=r"holds another model .*: choose a new folder, or delete"):
        save_pretrained(other, folder)
    assert files_in(folder) == before


@pytest.mark.parametrize(
    ("config", "weights"),
    [
        ("bert_config.json", "bert_model.ckpt.index"),
        ("config.json", "model-00001-of-00002.safetensors"),
        ("config.json", "pytorch_model.bin"),
        ("adapter_config.json", "adapter_model.safetensors"),
    ],
)
def test_a_folder_with_other_weights_is_not_written_to(config, weights, bert, tmp_path):
    for name in (config, weights, "vocab.txt"):
        (tmp_path / name).write_text("{}")
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match="holds another model"):
        save_pretrained(bert, tmp_path)
    assert files_in(tmp_path) == before


# ----------------------------------------------------------------------------------------- crashes


class Crash(BaseException):
    """The end of the process, or nearly."""


def crash_at(monkeypatch, what, k):
    """Let the k-th call of `what` crash: opening a file, writing half of it, flushing, renaming."""
    calls = itertools.count()
    real_open = builtins.open

    def crashing(function):
        def call(*args, **kwargs):
            if next(calls) == k:
                raise Crash
            return function(*args, **kwargs)

        return call

    def open_with_crashing_write(*args, **kwargs):
        file = real_open(*args, **kwargs)
        whole_write = file.write

        def write(content):
            if next(calls) == k:
                whole_write(content[: len(content) // 2])
                raise Crash
            return whole_write(content)

        return FileWith(file, write)

    if what == "open":
        monkeypatch.setattr(files, "open", crashing(real_open), raising=False)
    elif what == "write":
        monkeypatch.setattr(files, "open", open_with_crashing_write, raising=False)
    else:
        monkeypatch.setattr(os, what, crashing(getattr(os, what)))


class FileWith:
    """A file with another `write`."""

    def __init__(self, file, write):
        self.file, self.write = file, write

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def crashes_while_saving(bert, folder, what, monkeypatch):
    """Save with a crash at the first call, at the second …; yield after each; end without one."""
    for k in itertools.count():
        with monkeypatch.context() as patch:
            crash_at(patch, what, k)
            try:
                save_pretrained(bert, folder)
            except Crash:
                crashed = True
            else:
                crashed = False
        if not crashed:
            assert k > 0, f"saving called no {what}"
            return
        yield k


STEPS = ["open", "write", "fsync", "replace"]


@pytest.mark.parametrize("what", STEPS)
def test_a_crash_leaves_the_old_model_whole(what, later_bert, folder, monkeypatch):
    before = files_in(folder)
    for _ in crashes_while_saving(later_bert, folder, what, monkeypatch):
        assert files_in(folder) == before
    after = files_in(folder)  # the last time there was no crash
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"model.safetensors"}


@pytest.mark.parametrize("what", STEPS)
def test_a_crash_in_a_new_folder_leaves_no_model_and_nothing_in_the_way(
    what, bert, folder, other_bert, tmp_path, monkeypatch
):
    save_pretrained(other_bert, tmp_path / "other")
    whole, whole_other = files_in(folder), files_in(tmp_path / "other")
    new = tmp_path / "new"
    for _ in crashes_while_saving(bert, new, what, monkeypatch):
        left = files_in(new)
        assert "model.safetensors" not in left
        assert all(content == whole[name] for name, content in left.items())  # nor half a file
        # An attempt with another model, say with the next setting, is not refused either.
        save_pretrained(other_bert, new)
        assert files_in(new) == whole_other
        for path in new.iterdir():
            path.unlink()
    assert files_in(new) == whole


ROOT = Path(__file__).resolve().parents[2]
KILLED_WHILE_SAVING = """
import os, signal, sys
from bert_course.model.checkpoints import load_pretrained, save_pretrained

bert = load_pretrained(sys.argv[1])
for variable in bert.pretraining_model.trainable_variables:
    variable.assign(variable * 0)
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
save_pretrained(bert, sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_process_leaves_the_old_model_whole(bert, folder):
    before = files_in(folder)
    process = [sys.executable, "-c", KILLED_WHILE_SAVING, folder]
    killed = subprocess.run(process, cwd=ROOT, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    left = files_in(folder)
    partial = left.keys() - before.keys()
    assert len(partial) == 1  # so it was in the middle of it
    assert {name: left[name] for name in before} == before
    assert_same_weights(load_pretrained(folder), bert)
    save_pretrained(bert, folder)  # what was left does not disturb the next save
    assert files_in(folder) == before


def test_what_a_killed_first_save_leaves_is_not_in_the_way(bert, folder):
    whole = files_in(folder)
    (folder / "model.safetensors").rename(folder / ".model.safetensors.partial")
    (folder / "vocab.txt").unlink()
    save_pretrained(bert, folder)
    assert files_in(folder) == whole


def test_a_failed_write_says_why_and_leaves_nothing_behind(folder, bert, monkeypatch):
    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    before = files_in(folder)
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left on device"):
        save_pretrained(bert, folder)
    assert files_in(folder) == before
