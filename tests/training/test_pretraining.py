"""Pretraining: killed and resumed it ends alike; what it refuses; what it minimises."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from killed_runs import ACCUMULATE, EVERY, KILLS_FROM_OUTSIDE, KILLS_WHILE_SAVING, STEPS
from safetensors.numpy import load_file
from small_runs import (
    CONFIG,
    PIECES,
    TIMES,
    Crash,
    after_save,
    crash,
    held_out,
    numbers,
    recipe,
    result,
    with_config,
    write_small_examples,
)

from bert_course.model.checkpoints import Bert, load_pretrained
from bert_course.text.examples import Examples, open_examples
from bert_course.training import pretraining
from bert_course.training.evaluation import INPUTS
from bert_course.training.pretraining import Watch, compile_for_pretraining, pretrain
from bert_course.training.run_folder import RunFolder, read_metrics
from bert_course.training.stopping import Stopped

BACKEND = keras.backend.backend()


def lose_the_rest(monkeypatch, batch, short, out, run=None, **watch):
    """A run that crashed after so many batches, the state of which it had just saved."""
    with monkeypatch.context() as patch:
        after_save(patch, batch, crash)
        with pytest.raises(Crash):
            pretrain(run or recipe(6), short, out, watch=Watch(save_seconds=0, **watch))


# ---------------------------------------------------------------------------- killed and resumed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.skipif(BACKEND != "tensorflow", reason="one backend is enough: see the next test")
def test_killed_twenty_times_it_ends_with_the_same_bytes(short, long, tmp_path, quickly):
    """With dropout, two lengths, two batches a step; killed at random, and in the midst of saves.

    The run that nothing disturbs is this process's own: so a fork computes what others do.
    """
    script = Path(__file__).with_name("killed_runs.py")
    command = [sys.executable, script, short, long, tmp_path / "killed", "0"]
    root = str(script.parents[2])
    environment = os.environ | {"PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=environment) as process:
        watch, whole = Watch(held_out(short, 1), EVERY), tmp_path / "whole"
        pretrain(recipe(STEPS, accumulate=ACCUMULATE), [short, long], whole, watch=watch)
        told, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    attempts = json.loads(told)
    last = sum(STEPS) * ACCUMULATE

    killed = [attempt for attempt in attempts if attempt["status"] == -signal.SIGKILL]
    assert len(killed) == KILLS_FROM_OUTSIDE + KILLS_WHILE_SAVING == 20
    assert all(attempt["to"] < last for attempt in killed)
    assert len({attempt["to"] for attempt in killed}) >= 8  # at various moments
    halves = {name for attempt in killed for name in attempt["partial"]}
    assert any("batch" in name for name in halves)  # in the midst of saving a state
    polite = {a["how"]: a["status"] for a in attempts if a["how"].startswith("SIG")}
    assert polite == {"SIGTERM": 143, "SIGINT": 130}
    assert f"stopped by Ctrl-C after {attempts[11]['to']} of {last} batches" in errors
    assert (attempts[-1]["status"], attempts[-1]["to"]) == (0, last)
    assert attempts[-1]["partial"] == []  # and nothing is left of all that

    assert result(tmp_path / "killed") == result(whole)
    assert numbers(tmp_path / "killed") == numbers(whole)
    assert len(numbers(whole)) == 7  # at 0, 7, 14, 18 (another length), 21, 28, 30


def test_compiled_and_on_any_backend_too(short, tmp_path, monkeypatch):
    """On a GPU with JAX or torch, products may be summed in another order each time; here not."""
    pretrain(recipe(5), short, tmp_path / "whole", watch=Watch(every=4))
    lose_the_rest(monkeypatch, 3, short, tmp_path / "lost", recipe(5), every=4)
    pretrain(recipe(5), short, tmp_path / "lost", resume=True, watch=Watch(every=4))
    assert result(tmp_path / "lost") == result(tmp_path / "whole")
    assert numbers(tmp_path / "lost") == numbers(tmp_path / "whole")
    line = read_metrics(tmp_path / "whole")[1]
    assert line.keys() >= TIMES - {"matmul_peak"}
    assert 0 < line["useful_tokens_per_second"] < line["tokens_per_second"]
    assert 0 < line["share_of_peak"] < 1


@pytest.fixture
def lost(short, tmp_path, quickly, monkeypatch):
    """The folder of a run of six batches that crashed after the third."""
    lose_the_rest(monkeypatch, 3, short, tmp_path / "lost")
    return tmp_path / "lost"


@pytest.mark.parametrize("part", ["seed_generator_state", "momentum", "iteration", "nothing"])
def test_each_part_of_a_state_is_needed(part, lost, short, whole):
    """A state in which one of them is as it was in the beginning leads elsewhere."""
    path = RunFolder.states(RunFolder(lost, json.loads((lost / "run.json").read_text()), True))[-1]
    state = load_file(path)
    state.pop("check")
    changed = [name for name in state if part in name]
    assert changed or part == "nothing"
    for name in changed:
        state[name] = np.zeros_like(state[name])
    RunFolder(lost, json.loads((lost / "run.json").read_text()), True).save(3, state)
    pretrain(recipe(6), short, lost, resume=True)
    assert (result(lost)["checkpoint"] == result(whole)["checkpoint"]) == (part == "nothing")


def test_a_damaged_state_gives_way_to_the_one_before(lost, short, whole):
    newest = max((lost / "states").iterdir())
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)
    pretrain(recipe(6), short, lost, resume=True)
    assert result(lost) == result(whole)


def test_no_run_there_is_begun_and_a_finished_one_stays(short, whole, tmp_path, quickly):
    shutil.copytree(whole, tmp_path / "run")
    bert = pretrain(recipe(6), short, tmp_path / "run", resume=True, watch=Watch(held_out(short)))
    assert result(tmp_path / "run") == result(whole)
    assert numbers(tmp_path / "run") == numbers(whole)
    pretrain(recipe(1), short, tmp_path / "new", resume=True)
    assert [line["batch"] for line in numbers(tmp_path / "new")] == [0, 1]
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(bert.encoder.get_layer("embeddings").token.embeddings),
        load_file(whole / "checkpoint" / "model.safetensors")[
            "bert.embeddings.word_embeddings.weight"
        ],
    )


# ------------------------------------------------------------------ what the weights depend on


def test_how_it_is_watched_changes_nothing(short, whole, tmp_path, quickly):
    seen = []
    watch = Watch(held_out(short, 1), every=1, report=seen.append, save_seconds=0)
    pretrain(recipe(6), short, tmp_path / "run", watch=watch)
    assert result(tmp_path / "run") == result(whole)
    assert [line["batch"] for line in seen] == list(range(7))
    assert seen == read_metrics(tmp_path / "run")
    assert numbers(whole)[0]["baselines"]["unigram"]["count"] > 0
    assert "held_out_masked_words_accuracy" in seen[0]
    assert len(list((tmp_path / "run" / "states").iterdir())) == 2


def test_another_seed_is_another_model(short, whole, tmp_path, quickly):
    pretrain(recipe(6, seed=1), short, tmp_path / "run")
    assert result(tmp_path / "run")["checkpoint"] != result(whole)["checkpoint"]


def test_the_model_can_be_loaded(whole, short):
    bert = load_pretrained(whole / "checkpoint")
    assert bert.config == CONFIG
    assert bert.vocabulary == list(open_examples(short).vocabulary.pieces)


# -------------------------------------------------------------------------- how a run may end


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize(
    ("number", "name", "exit_code"),
    [(signal.SIGTERM, "SIGTERM", 143), (signal.SIGINT, "Ctrl-C", 130)],
)
def test_a_signal(number, name, exit_code, short, whole, tmp_path, quickly, monkeypatch):
    before, out = handlers(), tmp_path / "run"
    with monkeypatch.context() as patch:
        after_save(patch, 2, lambda folder: os.kill(os.getpid(), number))
        with pytest.raises(Stopped) as stopped:
            pretrain(recipe(6), short, out, watch=Watch(held_out(short), 4, save_seconds=0))
    batch = int(max((out / "states").iterdir()).name[6:15])
    assert str(stopped.value) == (
        f"stopped by {name} after {batch} of 6 batches; the state is saved in {out}: the same "
        "command with --resume goes on"
    )
    assert batch in (2, 3)
    assert stopped.value.exit_code == exit_code
    assert handlers() == before
    pretrain(recipe(6), short, out, resume=True, watch=Watch(held_out(short), 4))
    assert result(out) == result(whole)
    assert numbers(out) == numbers(whole)


def test_a_signal_during_an_evaluation(short, whole, tmp_path, quickly):
    def report(line):
        if line["batch"] == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    out = tmp_path / "run"
    with pytest.raises(Stopped, match="after 4 of 6 batches"):
        pretrain(recipe(6), short, out, watch=Watch(held_out(short), 4, report))
    assert (out / "states" / "batch-000000004.safetensors").exists()
    pretrain(recipe(6), short, out, resume=True, watch=Watch(held_out(short), 4))
    assert result(out) == result(whole)
    assert numbers(out) == numbers(whole)


def test_a_thread_of_its_own_will_do(short, tmp_path, quickly):
    arguments = (recipe(1), short, tmp_path / "run")
    thread = threading.Thread(target=pretrain, args=arguments)
    thread.start()
    thread.join()
    assert (tmp_path / "run" / "checkpoint" / "model.safetensors").exists()


def plant_nan(patch, step):
    """Let a batch have a question that weighs nan."""
    batch = Examples.batch

    def strange_batch(examples, number):
        arrays = batch(examples, number)
        if number == step:
            arrays["masked_weights"] = arrays["masked_weights"] * np.float32("nan")
        return arrays

    patch.setattr(Examples, "batch", strange_batch)


def test_a_loss_that_is_no_number(short, whole, tmp_path, quickly, monkeypatch):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        plant_nan(patch, 3)
        with pytest.raises(Stopped) as stopped:
            pretrain(recipe(6), short, out, watch=Watch(save_seconds=0))
    assert stopped.value.exit_code == 3
    assert str(stopped.value) == (
        "the loss is no finite number after 4 batches. Likely causes: a learning rate too high "
        "(0.01: try a third), or too short a warm-up (0 steps). "
        f"The last good state is {out}/states/batch-000000003.safetensors; to use its model, begin "
        f"in a new folder with a lower --rate and --checkpoint {out}/checkpoint"
    )
    for array in load_file(out / "states" / "batch-000000003.safetensors").values():
        assert np.isfinite(array).all()
    pretrain(recipe(6), short, out, resume=True)
    assert result(out)["checkpoint"] == result(whole)["checkpoint"]


def test_too_high_a_rate(short, tmp_path, quickly):
    wild = recipe(8, rate=1e30, warm_up=1)
    with pytest.raises(Stopped, match=r"1e\+30: try a third.*too short a warm-up \(1 steps\)") as s:
        pretrain(wild, short, tmp_path / "run")
    assert s.value.exit_code == 3
    assert "No state was saved before" in str(s.value)


def test_weights_that_are_no_numbers_are_never_saved(short, tmp_path, quickly, monkeypatch):
    """Where nobody looks, as at the place of a position that no example has, no loss tells."""
    made = []
    monkeypatch.setattr(pretraining, "Bert", lambda *a, **k: made.append(Bert(*a, **k)) or made[0])

    def spoil(line):
        table = made[0].encoder.get_layer("embeddings").position.embeddings
        array = np.array(keras.ops.convert_to_numpy(table))
        array[-1] = np.nan if line["batch"] == 3 else 0
        table.assign(array)

    match = r"embeddings is no finite number after 3 batches.*batch-000000002"
    with pytest.raises(Stopped, match=match) as stopped:
        pretrain(recipe(6), short, tmp_path / "run", watch=Watch([], 3, spoil, save_seconds=0))
    assert stopped.value.exit_code == 3
    assert len(list((tmp_path / "run" / "states").iterdir())) == 2
    saved = load_file(tmp_path / "run" / "checkpoint" / "model.safetensors")
    assert all(np.isfinite(array).all() for array in saved.values())


def no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_is_full(call, short, whole, tmp_path, quickly, monkeypatch):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        after_save(patch, 2, lambda folder: patch.setattr(os, call, no_space))
        with pytest.raises(Stopped) as stopped:
            pretrain(recipe(6), short, out, watch=Watch(save_seconds=0))
    assert stopped.value.exit_code == 4
    assert str(stopped.value) == (
        "the state after 2 batches could not be saved ([Errno 28] No space left on device). The "
        f"last good state is {out}/states/batch-000000002.safetensors: make room, or bring the "
        "folder back, then go on with --resume"
    )
    assert not list(out.rglob("*.partial"))
    pretrain(recipe(6), short, out, resume=True)
    assert result(out) == result(whole)


def test_a_folder_that_vanishes(short, tmp_path, quickly, monkeypatch):
    after_save(monkeypatch, 2, shutil.rmtree)
    with pytest.raises(Stopped, match=r"could not be saved \(.*No such file") as stopped:
        pretrain(recipe(6), short, tmp_path / "run", watch=Watch(save_seconds=0))
    assert stopped.value.exit_code == 4
    assert "No state was saved before" in str(stopped.value)


def test_it_goes_on_with_the_weights_of_a_model(short, whole, tmp_path, quickly):
    """Six batches at a rate of nearly nothing: what comes out is what went in, and no other."""
    start, slow = load_pretrained(whole / "checkpoint"), recipe(6, rate=1e-12)
    before = [np.array(w) for w in start.pretraining_model.get_weights()]
    on = pretrain(slow, short, tmp_path / "on", start=start).pretraining_model.get_weights()
    anew = pretrain(slow, short, tmp_path / "anew").pretraining_model.get_weights()
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(on, before, strict=True))
    assert not all(np.allclose(a, b, atol=1e-3) for a, b in zip(anew, before, strict=True))
    after = start.pretraining_model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))


# ---------------------------------------------------------------------------- what is refused


def refused(match, *arguments, **options):
    with pytest.raises(ValueError, match=match):
        pretrain(*arguments, **options)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"steps": 7}, r"recipe\.steps was \[6\] and is \[7\]"),
        ({"batch_size": 8}, r"recipe\.batch_size was \[4\] and is \[8\]"),
        ({"rate": 2e-3}, r"recipe\.rate was 0\.01 and is 0\.002"),
        ({"warm_up": 2}, r"recipe\.warm_up was None and is 2"),
        ({"accumulate": 2}, r"recipe\.accumulate was 1 and is 2"),
        ({"optimizer": "lamb"}, r"recipe\.optimizer was adamw and is lamb"),
        ({"beta_2": 0.98}, r"recipe\.beta_2 was 0\.999 and is 0\.98"),
        ({"initial_std": 0.05}, r"recipe\.initial_std was 0\.02 and is 0\.05"),
        ({"waves": True}, r"recipe\.waves was False and is True"),
        ({"alike": True}, r"recipe\.alike was False and is True"),
        ({"weight_decay": 0.1}, r"recipe\.weight_decay was 0\.01 and is 0\.1"),
        ({"share": 0.3}, r"recipe\.share was 0\.15 and is 0\.3"),
        ({"whole_words": True}, r"recipe\.whole_words was False and is True"),
        ({"seed": 1}, r"recipe\.seed was 0 and is 1"),
        ({"precision": "mixed_bfloat16"}, r"recipe\.precision was float32 and is mixed_bfloat16"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_recipe(change, difference, short, whole):
    refused(difference, dataclasses.replace(recipe(6), **change), short, whole, resume=True)


def test_every_part_of_a_recipe_is_remembered(whole):
    there = json.loads((whole / "run.json").read_text("utf-8"))["recipe"]
    assert there.keys() == {field.name for field in dataclasses.fields(recipe())}
    assert there["config"] == dataclasses.asdict(CONFIG)


def test_another_config(short, whole):
    match = r"recipe\.config\.dropout was 0\.1 and is 0\.0"
    refused(match, with_config(recipe(6), dropout=0.0), short, whole, resume=True)


def test_another_corpus(whole, tmp_path):
    other = write_small_examples(tmp_path / "other", seed=1)
    refused(r"examples\.0\.token_ids\.npy was \w{64} and is", recipe(6), other, whole, resume=True)


def test_another_vocabulary(short, whole, tmp_path):
    other = write_small_examples(tmp_path / "other", pieces=[*PIECES[:-1], "x19"])
    refused(r"vocabulary was \w{64} and is \w{64}", recipe(6), other, whole, resume=True)
    refused("made with one vocabulary", recipe((3, 3)), [short, other], tmp_path / "run")


def test_another_backend(short, whole, tmp_path):
    out = shutil.copytree(whole, tmp_path / "run")
    described = json.loads((out / "run.json").read_text("utf-8")) | {"backend": "theano"}
    (out / "run.json").write_text(json.dumps(described), "utf-8")
    refused(f"backend was theano and is {BACKEND}", recipe(6), short, out, resume=True)


def test_another_start(short, whole, tmp_path):
    start = load_pretrained(whole / "checkpoint")
    match = r"start was None and is \d+"
    refused(match, recipe(6), short, whole, resume=True, start=start)
    wide = with_config(recipe(6), hidden_dim=32)
    refused("only dropout may be changed", wide, short, tmp_path / "run", start=start)
    other = write_small_examples(tmp_path / "other", pieces=[*PIECES[:-1], "x19"])
    match = f"vocabulary that a model has.*Received: {other}"
    refused(match, recipe(6), other, tmp_path / "run", start=start)
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_there_without_resume(short, whole):
    refused("A run is there already: go on with it", recipe(6), short, whole)


def test_a_state_of_another_version(lost, short):
    state = load_file(max((lost / "states").iterdir()))
    state.pop("check")
    name = next(name for name in state if "word" in name or "kernel" in name)
    del state[name]
    RunFolder(lost, json.loads((lost / "run.json").read_text()), True).save(4, state)
    match = f"hold every variable .*lacking {name}"
    refused(match, recipe(6), short, lost, resume=True)


@pytest.mark.parametrize(
    ("strange", "match"),
    [
        (recipe(0), "steps must be a whole number.*Received: 0 for 1"),
        (recipe(2.5), "steps must be a whole number.*Received: 2.5 for 1"),
        (recipe((3, 3)), "steps must be a whole number.*Received: 3, 3 for 1"),
        (recipe(True), "steps must be a whole number.*Received: True"),
        (recipe(batch_size=0), "batch_size must be a whole number.*Received: 0"),
        (recipe(batch_size=(4, 4)), "batch_size must be a whole number.*Received: 4, 4 for 1"),
        (recipe(accumulate=0), "accumulate must be a whole number.*Received: 0"),
        (recipe(accumulate=1.5), "accumulate must be a whole number.*Received: 1.5"),
        (recipe(rate=0), "rate must be above 0.*Received: 0"),
        (recipe(share=2.0), "share must lie between 0 and 1.*Received: 2.0"),
        (recipe(precision="bfloat16"), "precision must be one of.*Received: 'bfloat16'"),
        (recipe(rate=float("nan")), "rate must be above 0.*Received: nan"),
        (recipe(optimizer="sgd"), "optimizer must be one of adamw, lamb, muon. Received: 'sgd'"),
        (recipe(warm_up=6), "Warm-up must end before.*Received: warm_up=6, steps=6"),
        (with_config(recipe(), vocab_size=99), r"vocab_size=26\). Received: 99"),
        (with_config(recipe(), max_length=8), "the examples' 16 tokens.*Received: 8"),
    ],
    ids=str,
)
def test_a_recipe_that_makes_no_sense(strange, match, short, tmp_path):
    refused(match, strange, short, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("every", [0, -5, 2.5])
def test_evaluations_that_make_no_sense(every, short, tmp_path):
    with pytest.raises(ValueError, match=f"every must be a whole number.*Received: {every}"):
        pretrain(recipe(), short, tmp_path / "run", watch=Watch(every=every))
    assert not (tmp_path / "run").exists()


def test_with_a_scaled_loss_too(short, tmp_path):
    """In float16 Keras wraps the optimizer, and the wrapper has a state of its own."""
    scaled = recipe(4, precision="mixed_float16")
    pretrain(scaled, short, tmp_path / "whole")

    def stop(line):
        if line["batch"] == 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped):
        pretrain(scaled, short, tmp_path / "run", watch=Watch(every=1, report=stop))
    pretrain(scaled, short, tmp_path / "run", resume=True, watch=Watch(every=1))
    assert result(tmp_path / "run") == result(tmp_path / "whole")


def test_two_runs_at_once(short, tmp_path, quickly):
    out = tmp_path / "run"

    def report(line):
        refused("One run at a time trains in a folder", recipe(1), short, out, resume=True)
        refused_while_running.append(line)

    refused_while_running = []
    pretrain(recipe(1), short, out, watch=Watch(report=report))
    assert len(refused_while_running) == 2


# --------------------------------------------------------------------------- what is minimised


@pytest.fixture
def bert(short, quickly):
    """Compiled, without dropout, for batches that are learned at a rate that shows."""

    def make(accumulate=1):
        still = with_config(recipe(4, accumulate=accumulate), dropout=0.0)
        bert = Bert(still.config, PIECES, rng=0)
        compile_for_pretraining(bert.pretraining_model, still, 4)
        return bert.pretraining_model

    return make


def as_keras_wants(batch):
    tasks = pretraining.tasks_of(batch)
    return (
        {name: batch[name] for name in INPUTS},
        {task: labels for task, labels, _ in tasks},
        {task: weights for task, _, weights in tasks},
    )


def surprise(logits, labels):
    logits = np.float64(keras.ops.convert_to_numpy(logits))
    chosen = np.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - chosen


def test_the_loss_is_a_mean_over_masked_words_and_not_over_slots(short, bert):
    batch = open_examples(short, batch_size=6, slots=8).batch(0)
    model = bert()
    inputs, labels, weights = as_keras_wants(batch)
    asked = batch["masked_weights"]
    assert asked.mean() < 0.5
    outputs = model(inputs)
    words = surprise(outputs["masked_words"], batch["masked_labels"])
    pairs = surprise(outputs["next_sentence"], batch["next_sentence_labels"])
    losses = model.test_on_batch(inputs, labels, weights, return_dict=True)
    assert losses["masked_words_loss"] == pytest.approx((words * asked).sum() / asked.sum(), 1e-5)
    assert losses["next_sentence_loss"] == pytest.approx(pairs.mean(), 1e-5)
    assert losses["loss"] == pytest.approx(
        losses["masked_words_loss"] + losses["next_sentence_loss"], 1e-5
    )
    assert (words * asked).mean() < 0.5 * float(losses["masked_words_loss"])  # another number


def test_gradients_of_two_batches_are_taken_as_their_mean(short, bert):
    batch = open_examples(short, batch_size=8).batch(0)
    batch["masked_weights"] = np.ones_like(batch["masked_weights"])  # equally many in each half
    halves = [{name: array[part] for name, array in batch.items()} for part in np.s_[:4, 4:]]
    weights = []
    for accumulate, batches in ((1, [batch]), (2, halves), (1, halves[:1])):
        model = bert(accumulate)
        for each in batches:
            model.train_on_batch(*as_keras_wants(each))
        weights.append(
            np.concatenate([keras.ops.convert_to_numpy(v).ravel() for v in model.weights])
        )
    at_once, in_halves, first_half = weights
    moved = np.abs(at_once - first_half).max()
    assert moved > 1e-3
    # AdamW's first step is as long where a gradient is small: there, rounding shows.
    assert np.median(np.abs(at_once - in_halves)) < 1e-6
    assert (
        np.mean(np.abs(at_once - in_halves) > 1e-4)
        < 0.01
        < 0.2
        < np.mean(np.abs(at_once - first_half) > 1e-4)
    )
