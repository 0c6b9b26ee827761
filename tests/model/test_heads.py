import keras
import numpy as np
import pytest
from small_berts import (
    JIT,
    SMALL,
    answers,
    gelu_erf,
    largest_difference,
    random_batch,
    randomise,
    small,
    to_numpy,
    weights_of,
)

from bert_course.model.encoder import build_encoder
from bert_course.model.heads import (
    ClassHead,
    NextSentenceHead,
    SpanHead,
    TagHead,
    build_pretraining_model,
    pick_positions,
)

TABLE = "embeddings/token/embeddings"


def pretraining_model(config=SMALL, scale=0.5):
    """The whole model, and the encoder inside it."""
    encoder = build_encoder(config)
    model = build_pretraining_model(encoder, config)
    randomise(model, scale=scale)
    return model, encoder


def random_states(seed=0):
    return np.random.default_rng(seed).standard_normal((2, 5, 8)).astype("float32")


# -------------------------------------------------------------------------- the pretraining heads


def test_positions_are_picked_in_their_order_and_as_often_as_named():
    states = random_states()
    positions = np.array([[4, 0, 4], [1, 1, 2]])
    expected = [[states[b, p] for p in positions[b]] for b in range(2)]
    np.testing.assert_array_equal(to_numpy(pick_positions(states, positions)), expected)


def test_masked_word_logits_equal_a_gather_and_the_token_table():
    model, encoder = pretraining_model()
    batch = random_batch(SMALL)
    states = answers(encoder, batch)["sequence_output"].astype("float64")
    weights, logits = weights_of(model), answers(model, batch)["masked_words"]
    for b, p in np.ndindex(2, 3):
        state = states[b, batch["masked_positions"][b, p]]
        x = state @ weights["masked_words/transform/kernel"]
        x = gelu_erf(x + weights["masked_words/transform/bias"])
        x = (x - x.mean()) / x.std()
        x = x * weights["masked_words/norm/gamma"] + weights["masked_words/norm/beta"]
        expected = [x @ row for row in weights[TABLE]] + weights["masked_words/bias"]
        np.testing.assert_allclose(logits[b, p], expected, atol=1e-4, rtol=1e-5)


def test_next_sentence_logits_are_of_the_pooled_output():
    model, encoder = pretraining_model()
    batch = random_batch(SMALL)
    weights = weights_of(model)
    expected = answers(encoder, batch)["pooled_output"] @ weights["next_sentence/classify/kernel"]
    expected += weights["next_sentence/classify/bias"]
    np.testing.assert_allclose(answers(model, batch)["next_sentence"], expected, atol=1e-6)


def test_the_masked_word_head_has_no_table_of_its_own():
    model, _ = pretraining_model()
    shape = (SMALL.vocab_size, SMALL.hidden_dim)
    tables = [v.path for v in model.variables if set(v.shape) == set(shape)]
    assert tables == [TABLE]
    paths = [v.path for v in model.variables]
    assert len(set(paths)) == len(paths)


def test_changing_the_token_table_changes_the_logits():
    model, encoder = pretraining_model()
    batch = random_batch(SMALL)
    batch["token_ids"] %= 20  # word 25 is not in the text: only the head sees its row
    before = answers(model, batch)["masked_words"]
    table = encoder.get_layer("embeddings").token.embeddings
    table.assign(to_numpy(table) + 0.5 * (np.arange(30) == 25)[:, None])
    after = answers(model, batch)["masked_words"]
    assert np.abs(after - before)[..., 25].min() > 1e-3
    np.testing.assert_array_equal(np.delete(after, 25, -1), np.delete(before, 25, -1))


def losses():
    return {
        name: keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        for name in ("masked_words", "next_sentence")
    }


def random_labels(batch):
    rng = np.random.default_rng(5)
    return {
        "masked_words": rng.integers(20, size=batch["masked_positions"].shape),
        "next_sentence": rng.integers(2, size=len(batch["token_ids"])),
    }


@pytest.mark.parametrize("head", ["masked_words", "next_sentence"])
def test_the_gradient_of_masked_words_reaches_every_row_of_the_token_table(head):
    model, _ = pretraining_model(small(dropout=0))
    batch = random_batch(SMALL)
    batch["token_ids"] %= 20
    before = weights_of(model)[TABLE]
    weights = {"masked_words": 0.0, "next_sentence": 0.0, head: 1.0}
    model.compile(keras.optimizers.SGD(0.1), loss=losses(), loss_weights=weights, jit_compile=JIT)
    model.train_on_batch(batch, random_labels(batch))
    moved = np.abs(weights_of(model)[TABLE] - before).max(-1)
    assert (moved[np.unique(batch["token_ids"][batch["padding_mask"]])] > 0).all()
    absent = moved[20:]  # words that only the softmax over all words can move
    assert (absent > 0).all() if head == "masked_words" else (absent == 0).all()


def test_training_lowers_the_loss_of_both_heads():
    model, _ = pretraining_model(small(dropout=0))
    batch = random_batch(SMALL)
    labels = random_labels(batch)
    model.compile(keras.optimizers.Adam(1e-2), loss=losses(), jit_compile=JIT)
    history = model.fit(batch, labels, batch_size=4, epochs=20, verbose=0).history
    for name in ("masked_words", "next_sentence"):
        assert history[f"{name}_loss"][-1] < history[f"{name}_loss"][0] / 2


# ------------------------------------------------------------------------------ the heads of tasks


def head_of(kind):
    rng = np.random.default_rng(0)
    return {
        "next sentence": lambda: NextSentenceHead(rng),
        "class": lambda: ClassHead(3, SMALL, rng),
        "tag": lambda: TagHead(4, SMALL, rng),
        "span": lambda: SpanHead(rng),
    }[kind]()


@pytest.mark.parametrize(
    ("kind", "of_tokens", "logits"),
    [("next sentence", False, 2), ("class", False, 3), ("tag", True, 4), ("span", True, 2)],
)
def test_a_head_is_one_matrix_and_a_bias(kind, of_tokens, logits):
    states = random_states()
    states = states if of_tokens else states[:, 0]
    head = head_of(kind)
    head(states)
    randomise(head)
    kernel, bias = (to_numpy(weight) for weight in head.trainable_variables)
    given = to_numpy(head(states))
    assert given.shape == (*states.shape[:-1], logits)
    np.testing.assert_allclose(given, states @ kernel + bias, atol=1e-6)


@pytest.mark.parametrize(("kind", "drops"), [("class", True), ("tag", True), ("span", False)])
def test_dropout_before_a_head(kind, drops):
    states = random_states()
    states = states[:, 0] if kind == "class" else states
    head = head_of(kind)
    still, moved = to_numpy(head(states)), to_numpy(head(states, training=True))
    assert (largest_difference(still, moved) > 0) == drops


@pytest.mark.parametrize("kind", ["next sentence", "class", "tag", "span"])
def test_logits_are_float32_in_mixed_precision(kind, dtype_policy):
    dtype_policy("mixed_bfloat16")
    states = random_states()
    given = head_of(kind)(states if kind in ("tag", "span") else states[:, 0])
    assert keras.backend.standardize_dtype(given.dtype) == "float32"


def test_pretraining_logits_are_float32_in_mixed_precision(dtype_policy):
    batch = random_batch(SMALL)
    expected = answers(pretraining_model(scale=0.2)[0], batch)
    dtype_policy("mixed_bfloat16")
    given = answers(pretraining_model(scale=0.2)[0], batch)
    for name, logits in given.items():
        assert logits.dtype == "float32"
        assert 0 < largest_difference(logits, expected[name]) < 0.1


def test_a_longer_text_or_more_masks_need_no_new_model():
    model, _ = pretraining_model()
    for length, masks in ((4, 1), (12, 3)):
        batch = random_batch(SMALL, [4, 4], padded_to=length)
        batch["masked_positions"] = batch["masked_positions"][:, :masks]
        assert answers(model, batch)["masked_words"].shape == (2, masks, 30)
