"""Fine-tuning: toy tasks are learned; killed and resumed it ends alike; what each option does."""

import dataclasses
import errno
import os
import shutil
import signal

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import Crash, after_save, crash
from small_tasks import (
    KINDS,
    body_of,
    run_quickly,
    small_task,
    some_words,
    state_of,
    tiny_bert,
    tiny_recipe,
    weights_of,
    without_times,
)

from bert_course.text.labelled import Row
from bert_course.training import finetuning
from bert_course.training.finetuned import Finetuned
from bert_course.training.finetuning import (
    POOL,
    Training,
    batches_by_length,
    depth_below_head,
    finetune,
    weights_of_classes,
)
from bert_course.training.stopping import Stopped

BERT = tiny_bert()
TASK = small_task(rows=16)
RANDOM = tiny_recipe(batch_size=8, dropout=0.1)  # two steps an epoch


@pytest.fixture
def quickly(monkeypatch):
    run_quickly(monkeypatch)


# ------------------------------------------------------------------------------------ it learns


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("error:Gradients do not exist")
def test_each_kind_learns_a_task_that_hangs_on_a_word(kind):
    """Several labels take longer, and with seed 0 so tiny a body does not come to the end."""
    task, before = small_task(kind), body_of(BERT)
    epochs, patience, seed = (24, 8, 1) if kind == "multilabel" else (12, 4, 0)
    recipe = tiny_recipe(epochs, rate=2e-2, patience=patience)
    tuned = finetune(BERT, task, recipe=recipe, seeds=[seed])
    [result] = tuned.results
    assert result["dev"][tuned.kind.metric] == 1
    assert result["test"][tuned.kind.metric] > 0.9
    assert tuned.kind.score(task.test, tuned.predict(task.test)) == result["test"]
    untrained = Finetuned(BERT, kind, task.labels)
    assert untrained.kind.score(task.dev, untrained.predict(task.dev))[tuned.kind.metric] < 0.8
    assert body_of(BERT) == before != body_of(tuned)


# ----------------------------------------------------------------- what the weights depend on


def run(out=None, recipe=RANDOM, task=TASK, **more):
    return finetune(BERT, task, out, recipe, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run with the seeds 0 and 1, and what it answered. Not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        run_quickly(patch)
        return out, run(out, seeds=(0, 1))


def test_the_same_seed_is_the_same_model_and_another_is_another(whole, tmp_path, quickly):
    out, tuned = whole
    assert [result["seed"] for result in tuned.results] == [0, 1]
    alone = run(tmp_path / "alone", seeds=[1])
    assert state_of(tmp_path / "alone" / "seed-1") == state_of(out / "seed-1")
    assert without_times(alone.results) == without_times(tuned.results[1:])
    zero, one = state_of(out / "seed-0"), state_of(out / "seed-1")
    names = [name for name in zero if name.startswith(("model", "best", "optimizer"))]
    assert sum(zero[name] != one[name] for name in names) > 0.9 * len(names)


def test_without_a_folder_it_is_the_same_and_the_best_seed_is_kept(whole, quickly):
    out, tuned = whole
    again = run(seeds=(0, 1))
    assert without_times(again.results) == without_times(tuned.results)
    assert weights_of(again) == weights_of(tuned)
    scores = [result["dev"]["accuracy"] for result in again.results]
    best = state_of(out / f"seed-{int(np.argmax(scores))}")
    names = sorted(name for name in best if name.startswith("best/"))
    assert b"".join(best[name] for name in names) == weights_of(tuned)


def test_the_body_is_that_of_the_model_and_the_head_is_new(quickly):
    still = tiny_recipe(1, rate=1e-12)
    tuned, other = run(recipe=still), finetune(tiny_bert(1), TASK, recipe=still)
    for weight, given_ in zip(tuned.encoder.get_weights(), BERT.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(weight, given_, atol=1e-6)
    assert not np.allclose(tuned.encoder.get_weights()[0], other.encoder.get_weights()[0])
    kernel, bias = tuned.head.get_weights()
    assert 0.01 < kernel.std() < 0.03
    assert np.abs(bias).max() < 1e-6


def test_before_it_has_learned_each_label_is_as_likely_as_it_is_frequent(quickly):
    """With a rate of almost nothing; from biases of 0 all chances would be near a half."""
    rows = [
        Row(row.text, None, ("red",) if n < 6 else (), "here") for n, row in enumerate(TASK.dev)
    ]
    task = TASK._replace(kind="multilabel", labels=["glad", "red"], train=rows * 4, dev=rows)
    tuned = finetune(BERT, task, recipe=tiny_recipe(1, rate=1e-12))
    shares = {"glad": 0.5 / 97, "red": 24.5 / 97}
    for guess in tuned.predict(rows):
        assert guess["scores"] == pytest.approx(shares, rel=0.3)


# ---------------------------------------------------------------------------- killed and resumed


@pytest.fixture
def lost(tmp_path, quickly, monkeypatch):
    """The folder of a run whose process ended after its first epoch."""
    with monkeypatch.context() as patch:
        after_save(patch, 1, crash)
        with pytest.raises(Crash):
            run(tmp_path / "lost")
    return tmp_path / "lost"


def test_killed_and_resumed_it_ends_with_the_same_bytes(whole, tmp_path, quickly, monkeypatch):
    """Killed in the first seed and in the second; then asked once more for what is finished."""
    out, tuned = tmp_path / "run", whole[1]
    for epoch in (1, 2):
        with monkeypatch.context() as patch:
            after_save(patch, epoch, crash)
            with pytest.raises(Crash):
                run(out, seeds=(0, 1), resume=True)
    assert not (out / "seed-1").exists()
    for _ in range(2):
        seen = []
        resumed = run(out, seeds=(0, 1), resume=True, report=seen.append)
        for seed in ("seed-0", "seed-1"):
            assert state_of(out / seed) == state_of(whole[0] / seed)
        assert weights_of(resumed) == weights_of(tuned)
        assert without_times(resumed.results) == without_times(tuned.results)
    assert seen == []  # the second time nothing was left to do


def test_compiled_and_resumed_it_ends_with_the_same_bytes(tmp_path, monkeypatch):
    """TensorFlow compiles for the shapes it has met; in another process it meets others first."""
    rng = np.random.default_rng(0)
    longer = [
        row._replace(text=" ".join([row.text, *some_words(rng)[: rng.integers(9)]]))
        for row in small_task(rows=40).train
    ]
    options = {"task": TASK._replace(train=longer), "recipe": tiny_recipe(3, batch_size=8)}
    run(tmp_path / "whole", seeds=(0, 1), **options)
    with monkeypatch.context() as patch:
        after_save(patch, 1, crash)
        with pytest.raises(Crash):
            run(tmp_path / "killed", **options)
    run(tmp_path / "killed", resume=True, **options)
    assert state_of(tmp_path / "killed" / "seed-0") == state_of(tmp_path / "whole" / "seed-0")
    run(tmp_path / "alone", seeds=(1,), **options)
    assert state_of(tmp_path / "alone" / "seed-1") == state_of(tmp_path / "whole" / "seed-1")


@pytest.mark.parametrize("part", ["seed_generator", "momentum", "iteration", "nothing"])
def test_each_part_of_a_state_is_needed(part, whole, lost, quickly, monkeypatch):
    """With one of them as it was in the beginning, a run leads elsewhere."""
    variables = Training.variables

    def some(training):
        return {n: v for n, v in variables(training).items() if part not in v.path}

    monkeypatch.setattr(Training, "variables", some)
    run(lost, resume=True)
    ours, theirs = state_of(lost / "seed-0"), state_of(whole[0] / "seed-0")
    same = all(ours[name] == theirs[name] for name in ours if name.startswith("model/"))
    assert same == (part == "nothing")


def test_a_signal(tmp_path, quickly):
    def report(line):
        assert line["seed"] == 0
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(
        Stopped, match=r"stopped by SIGTERM after 1 of 2 epochs.*--resume"
    ) as stopped:
        run(tmp_path / "run", report=report)
    assert stopped.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    run(tmp_path / "whole")
    run(tmp_path / "run", resume=True)
    assert state_of(tmp_path / "run" / "seed-0") == state_of(tmp_path / "whole" / "seed-0")


def test_a_disk_that_is_full(tmp_path, quickly, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    after_save(monkeypatch, 1, lambda folder: monkeypatch.setattr(os, "replace", no_space))
    with pytest.raises(Stopped, match=r"could not be saved.*batch-000000001") as stopped:
        run(tmp_path / "run")
    assert stopped.value.exit_code == 4


@pytest.mark.parametrize(
    ("rows", "rate", "what"),
    [(16, 1e30, "the loss is no finite number in epoch 1"), (8, 1e39, "a weight is no finite")],
)
def test_a_rate_that_is_too_high(rows, rate, what, tmp_path, quickly):
    wild = tiny_recipe(batch_size=8, rate=rate, warm_up=0.0)
    with pytest.raises(Stopped, match=f"{what}.*try a third") as stopped:
        run(tmp_path / "run", wild, small_task(rows=rows))
    assert stopped.value.exit_code == 3
    assert list((tmp_path / "run" / "seed-0" / "states").iterdir()) == []


def test_with_a_scaled_loss_too(tmp_path):
    """In float16 Keras wraps the optimizer. Each seed begins with a fresh scale."""
    scaled = tiny_recipe(precision="mixed_float16", epochs=1)
    both = run(tmp_path / "both", scaled, seeds=(0, 1))
    alone = run(tmp_path / "alone", scaled, seeds=(1,))
    assert all(np.isfinite(weight).all() for weight in both.model.get_weights())
    assert both.results[1]["dev"] == alone.results[0]["dev"]
    assert state_of(tmp_path / "both" / "seed-1") == state_of(tmp_path / "alone" / "seed-1")


@pytest.mark.parametrize(
    ("size", "way_out"), [(8, "with --batch 4, shorter texts"), (1, "with shorter texts")]
)
def test_a_batch_that_does_not_fit_the_memory(size, way_out, tmp_path, monkeypatch):
    def no_room(*_):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")

    monkeypatch.setattr(finetuning.Training, "train", no_room)
    with pytest.raises(Stopped, match=f"{size} sequences at once .*{way_out}") as stopped:
        run(tmp_path / "run", tiny_recipe(batch_size=size))
    assert stopped.value.exit_code == 5


# ------------------------------------------------------------------------- which epoch is kept


def with_scores(patch, scores, seen):
    """Let dev say these scores, one after each epoch; note the weights that it was asked of."""

    def measure(training, split):
        seen.setdefault(training.epoch, weights_of(training.tuned))
        return {"accuracy": scores[training.epoch - 1]}, training.epoch / 10

    patch.setattr(Training, "measure", measure)


def test_the_first_of_the_best_epochs_is_kept(quickly, monkeypatch, tmp_path):
    seen = {}
    with_scores(monkeypatch, [0.1, 0.9, 0.9, 0.5], seen)
    tuned = run(tmp_path, tiny_recipe(4, batch_size=16))
    assert tuned.results[0]["best_epoch"] == 2
    assert tuned.kind.threshold == tuned.results[0]["threshold"] == 0.2
    assert weights_of(tuned) == seen[2] != seen[4]
    assert [line["accuracy"] for line in tuned.results[0]["history"]] == [0.1, 0.9, 0.9, 0.5]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (None, 6)])
def test_patience_ends_early(patience, epochs, quickly, monkeypatch, tmp_path):
    with_scores(monkeypatch, [0.1, 0.3, 0.2, 0.3, 0.9, 0.9], {})
    for _ in range(2):  # the second time it goes on with a run that has ended
        tuned = run(tmp_path, tiny_recipe(6, batch_size=16, patience=patience), resume=True)
        assert len(tuned.results[0]["history"]) == epochs


# ------------------------------------------------------------------------- what the options do


def moved(tuned, part, bert):
    """How far the weight of a part that moved farthest has moved."""
    after = {v.path: keras.ops.convert_to_numpy(v) for v in tuned.encoder.weights}
    paths = [path for path in after if part in path and path.endswith("kernel")]
    before = {v.path: keras.ops.convert_to_numpy(v) for v in bert.encoder.weights}
    return max(np.abs(after[path] - before[path]).max() for path in paths)


def test_from_scratch_each_seed_has_a_body_of_its_own(quickly):
    """With a rate of almost nothing, matrices end as they began; biases, which were 0, do not."""

    def matrices(tuned):
        return [w.tobytes() for w in tuned.encoder.get_weights() if w.ndim == 2]

    bodies = {}
    for scratch, seed in ((False, 0), (False, 1), (True, 0), (True, 1)):
        tuned = run(recipe=tiny_recipe(1, rate=1e-30, scratch=scratch), seeds=[seed])
        bodies[scratch, seed] = matrices(tuned)
    assert bodies[False, 0] == bodies[False, 1]
    assert len({str(body) for body in bodies.values()}) == 3
    again = run(recipe=tiny_recipe(1, rate=1e-30, scratch=True), seeds=[1, 0])
    assert matrices(again) in (bodies[True, 0], bodies[True, 1])


def test_frozen_leaves_the_body_as_it_is(quickly):
    tuned = run(recipe=tiny_recipe(1, frozen=True))
    assert body_of(tuned) == body_of(BERT)
    assert np.abs(tuned.head.get_weights()[1]).max() > 1e-3
    assert body_of(run(recipe=tiny_recipe(1))) != body_of(BERT)


@pytest.mark.parametrize(("decay", "shares"), [(0.5, [0.25, 0.5, 1]), (1.0, [1, 1, 1])])
def test_lower_blocks_learn_more_slowly(decay, shares, quickly):
    """AdamW's first step is as long as the rate, whatever the gradient."""
    bert = tiny_bert(num_layers=2)
    one_step = tiny_recipe(1, batch_size=16, rate=1e-3, warm_up=0.0, layer_decay=decay)
    tuned = finetune(bert, TASK, recipe=one_step)
    steps = [moved(tuned, part, bert) for part in ("block_0", "block_1", "pooler")]
    np.testing.assert_allclose(steps, np.array(shares) * 1e-3, rtol=0.1)


def test_depths():
    paths = ["embeddings/token/embeddings", "block_0/expand/kernel", "block_2/norm/gamma"]
    paths += ["pooler/kernel", "classifier/classify/bias"]
    assert [depth_below_head(path, 3) for path in paths] == [4, 3, 1, 0, 0]


def test_weighted_classes_count_alike():
    """Nothing tells these texts apart, so that chances come to those of the classes."""
    labels = ["yes"] * 4 + ["no"] * 28
    task = TASK._replace(train=[Row("hen sings", None, label, "here") for label in labels])
    assert weights_of_classes(task).tolist() == pytest.approx([32 / 2 / 28, 32 / 2 / 4])
    for weighted, chance in ((False, 4 / 32), (True, 0.5)):
        recipe = tiny_recipe(15, batch_size=32, rate=3e-2, weighted=weighted)
        training = Training(BERT, task, recipe, None)
        training.begin(0)
        for training.epoch in range(recipe.epochs):
            training.train(0)
        [guess] = training.tuned.predict(task.train[:1])
        assert guess["scores"]["yes"] == pytest.approx(chance, abs=0.1)


def test_smoothing_and_dropout_change_what_is_learned(quickly):
    plain = weights_of(run(recipe=tiny_recipe(1)))
    assert weights_of(run(recipe=tiny_recipe(1, smoothing=0.1))) != plain
    assert weights_of(run(recipe=tiny_recipe(1, dropout=0.1))) != plain


def test_without_a_rate_small_models_take_larger_steps(quickly):
    training = Training(BERT, TASK, tiny_recipe(rate=None), None)
    assert training.tuned.model.optimizer._learning_rate.rate == pytest.approx(5e-5 * 768 / 16)


# ------------------------------------------------------------------------------------- batches

LENGTHS = st.lists(st.integers(1, 99), min_size=1, max_size=300).map(np.array)


@given(LENGTHS, st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=50)
def test_every_text_is_in_one_batch(lengths, size, seed):
    batches = batches_by_length(lengths, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in batches)
    assert len(batches) == -(-len(lengths) // size)


def test_batches_are_others_each_epoch_and_in_no_order_of_length():
    lengths = np.arange(2000) % 90
    first, second = (
        {tuple(sorted(batch)) for batch in batches_by_length(lengths, 8, np.random.default_rng(n))}
        for n in (0, 1)
    )
    assert not first & second
    batches = batches_by_length(lengths, 8, np.random.default_rng(0))
    mean = [lengths[batch].mean() for batch in batches]
    assert abs(np.corrcoef(mean, np.arange(len(mean)))[0, 1]) < 0.2
    assert len(lengths) > 4 * 8 * POOL


def test_little_is_padded():
    rng = np.random.default_rng(0)
    lengths = np.minimum(rng.geometric(0.04, 1000) + 3, 128)

    def padding(batches):
        return sum(lengths[batch].max() * len(batch) - lengths[batch].sum() for batch in batches)

    random = np.split(rng.permutation(992), 62)
    assert padding(batches_by_length(lengths, 16, rng)) < padding(random) / 3


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1. Received: 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1. Received: 2.5"),
        ({"max_length": 7}, "max_length must be a whole number of at least 8. Received: 7"),
        ({"patience": 0}, "patience must be a whole number of at least 1. Received: 0"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1. Received: 1"),
        ({"smoothing": -0.1}, "smoothing must be at least 0 and below 1. Received: -0.1"),
        ({"warm_up": float("nan")}, "warm_up must be at least 0 and below 1. Received: nan"),
        ({"rate": 0.0}, "rate must be above 0, such as 5e-5. Received: 0.0"),
        ({"layer_decay": 1.5}, "layer_decay must be above 0 and at most 1. Received: 1.5"),
        ({"precision": "float3"}, "float3"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_recipe_that_makes_no_sense(change, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        run(tmp_path / "run", dataclasses.replace(RANDOM, **change))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,)])
def test_strange_seeds(seeds):
    with pytest.raises(ValueError, match=r"one or more different numbers.*Received: \["):
        run(seeds=seeds)


@pytest.mark.parametrize("kind", ["tag", "answer", "multilabel"])
def test_classes_are_weighted_where_a_text_has_one(kind):
    with pytest.raises(ValueError, match=f"where a text has one label.*of kind '{kind}'"):
        run(recipe=tiny_recipe(weighted=True), task=small_task(kind, 4))


def test_another_run_is_there(whole, tmp_path, quickly):
    with pytest.raises(ValueError, match="A run is there already: go on with it"):
        run(whole[0])
    out = shutil.copytree(whole[0], tmp_path / "run")
    for more, difference in (
        ({"recipe": dataclasses.replace(RANDOM, rate=0.5)}, r"recipe\.rate was 0\.01 and is 0\.5"),
        ({"task": small_task(rows=15)}, r"rows was \w{64} and is \w{64}"),
        ({"task": TASK._replace(dev=TASK.dev[1:])}, r"rows was \w{64} and is \w{64}"),
    ):
        with pytest.raises(ValueError, match=difference):
            run(out, resume=True, **more)
    with pytest.raises(ValueError, match=r"model was \d+ and is \d+"):
        finetune(tiny_bert(1), TASK, out, RANDOM, resume=True)
    elsewhere = TASK._replace(train=[row._replace(place="elsewhere") for row in TASK.train])
    run(out, resume=True, task=elsewhere)


def test_metrics_that_were_changed(lost):
    (lost / "seed-0" / "metrics.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"a line for each epoch.*seed-0, with 0 for 1"):
        run(lost, resume=True)
