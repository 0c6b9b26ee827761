import numpy as np
import pytest

from bert_course.model.tensor_names import (
    from_google,
    from_hugging_face,
    hugging_face_name,
    is_transposed,
)

# (ours, Hugging Face's, Google's), as they stand in published checkpoints.
NAMES = [
    (
        "embeddings/token/embeddings",
        "bert.embeddings.word_embeddings.weight",
        "bert/embeddings/word_embeddings",
    ),
    (
        "embeddings/position/embeddings",
        "bert.embeddings.position_embeddings.weight",
        "bert/embeddings/position_embeddings",
    ),
    (
        "embeddings/segment/embeddings",
        "bert.embeddings.token_type_embeddings.weight",
        "bert/embeddings/token_type_embeddings",
    ),
    (
        "embeddings/norm/gamma",
        "bert.embeddings.LayerNorm.weight",
        "bert/embeddings/LayerNorm/gamma",
    ),
    ("embeddings/norm/beta", "bert.embeddings.LayerNorm.bias", "bert/embeddings/LayerNorm/beta"),
    (
        "block_0/attention/query/kernel",
        "bert.encoder.layer.0.attention.self.query.weight",
        "bert/encoder/layer_0/attention/self/query/kernel",
    ),
    (
        "block_3/attention/key/bias",
        "bert.encoder.layer.3.attention.self.key.bias",
        "bert/encoder/layer_3/attention/self/key/bias",
    ),
    (
        "block_11/attention/value/kernel",
        "bert.encoder.layer.11.attention.self.value.weight",
        "bert/encoder/layer_11/attention/self/value/kernel",
    ),
    (
        "block_23/attention/join/kernel",
        "bert.encoder.layer.23.attention.output.dense.weight",
        "bert/encoder/layer_23/attention/output/dense/kernel",
    ),
    (
        "block_1/attention_norm/gamma",
        "bert.encoder.layer.1.attention.output.LayerNorm.weight",
        "bert/encoder/layer_1/attention/output/LayerNorm/gamma",
    ),
    (
        "block_1/expand/kernel",
        "bert.encoder.layer.1.intermediate.dense.weight",
        "bert/encoder/layer_1/intermediate/dense/kernel",
    ),
    (
        "block_1/shrink/bias",
        "bert.encoder.layer.1.output.dense.bias",
        "bert/encoder/layer_1/output/dense/bias",
    ),
    (
        "block_1/output_norm/beta",
        "bert.encoder.layer.1.output.LayerNorm.bias",
        "bert/encoder/layer_1/output/LayerNorm/beta",
    ),
    ("pooler/kernel", "bert.pooler.dense.weight", "bert/pooler/dense/kernel"),
    (
        "masked_words/transform/kernel",
        "cls.predictions.transform.dense.weight",
        "cls/predictions/transform/dense/kernel",
    ),
    (
        "masked_words/norm/gamma",
        "cls.predictions.transform.LayerNorm.weight",
        "cls/predictions/transform/LayerNorm/gamma",
    ),
    ("masked_words/bias", "cls.predictions.bias", "cls/predictions/output_bias"),
    (
        "next_sentence/classify/kernel",
        "cls.seq_relationship.weight",
        "cls/seq_relationship/output_weights",
    ),
    (
        "next_sentence/classify/bias",
        "cls.seq_relationship.bias",
        "cls/seq_relationship/output_bias",
    ),
]


@pytest.mark.parametrize(("ours", "hugging_face", "google"), NAMES)
def test_a_tensor_has_three_names(ours, hugging_face, google):
    assert hugging_face_name(ours) == hugging_face
    assert list(from_hugging_face({hugging_face: 0})) == [hugging_face]
    assert list(from_google({google: np.zeros((2, 3))})) == [hugging_face]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bert.embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
        (
            "bert.encoder.layer.0.output.LayerNorm.beta",
            "bert.encoder.layer.0.output.LayerNorm.bias",
        ),
        ("embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"),
        ("embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
        ("encoder.layer.4.output.dense.bias", "bert.encoder.layer.4.output.dense.bias"),
        ("pooler.dense.weight", "bert.pooler.dense.weight"),
        ("classifier.weight", "classifier.weight"),
        ("cls.predictions.decoder.weight", "cls.predictions.decoder.weight"),
    ],
)
def test_older_names_of_hugging_face_are_made_new(old, new):
    assert from_hugging_face({old: 0}) == {new: 0}


@pytest.mark.parametrize("name", ["embeddings.position_ids", "bert.embeddings.position_ids"])
def test_what_hugging_face_stores_beside_weights_is_dropped(name):
    assert from_hugging_face({name: 0, "bert.pooler.dense.bias": 1}) == {
        "bert.pooler.dense.bias": 1
    }


@pytest.mark.parametrize(
    "name",
    ["global_step", "bert/pooler/dense/kernel/adam_m", "bert/embeddings/word_embeddings/adam_v"],
)
def test_what_google_stores_beside_weights_is_dropped(name):
    kept = from_google({name: np.zeros((2, 3)), "bert/pooler/dense/bias": np.ones(2)})
    assert list(kept) == ["bert.pooler.dense.bias"]


@pytest.mark.parametrize(("ours", "hugging_face", "google"), NAMES)
def test_matrices_and_no_tables_are_turned(ours, hugging_face, google):
    assert is_transposed(ours) == ours.endswith("kernel")
    tensor = np.arange(6).reshape(2, 3)
    (given,) = from_google({google: tensor}).values()
    # Google's next sentence matrix is (out, in), as Hugging Face's are; its others are (in, out).
    expected = tensor.T if google.endswith("/kernel") else tensor
    np.testing.assert_array_equal(given, expected)
