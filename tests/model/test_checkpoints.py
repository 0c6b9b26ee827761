"""Reading checkpoints. The parity figures are printed: `pytest -s -k published tests/model`."""

import json
import pickle
import re
import sys
import warnings

import numpy as np
import pytest
from ml_dtypes import bfloat16
from safetensors.numpy import load_file, save_file
from small_berts import (
    PIECES,
    SMALL,
    answers,
    assert_same_weights,
    largest_difference,
    reference_hidden_states,
    small,
    weights_of,
)

from bert_course.insight.inside import hidden_states
from bert_course.model.checkpoints import Bert, assign_tensors, load_pretrained
from bert_course.model.config_files import expects_lowercase, read_config, read_vocabulary
from bert_course.model.google_files import read_google_tensors
from bert_course.model.tensor_files import read_torch_weights

# ------------------------------------------------------------------------- published checkpoints


@pytest.mark.parametrize(("activation", "theirs"), [("gelu", "erf"), ("gelu_tanh", "tanh")])
def test_a_published_google_checkpoint_answers_as_in_hugging_face(
    activation, theirs, toy_folder, toy_reference
):
    bert = load_pretrained(toy_folder, activation=activation)
    assert bert.untrained == ()
    batch = {
        "token_ids": toy_reference["input_ids"],
        "segment_ids": toy_reference["segment_ids"],
        "padding_mask": toy_reference["input_mask"],
        "masked_positions": np.tile(np.arange(16), (2, 1)),
    }
    ours = answers(bert.encoder, batch) | answers(bert.pretraining_model, batch)
    differences = {
        name: largest_difference(ours[name], toy_reference[f"{reference}_{theirs}"])
        for name, reference in [
            ("sequence_output", "sequence_output"),
            ("pooled_output", "pooled_output"),
            ("masked_words", "mlm_logits"),
            ("next_sentence", "nsp_logits"),
        ]
    }
    print(f"\ntoy of Google's script, {activation}:", in_words(differences))
    assert max(differences.values()) < 1e-6


def in_words(differences):
    return ", ".join(f"{name} {difference:.1e}" for name, difference in differences.items())


def test_a_published_google_checkpoint_has_its_config_and_vocabulary(toy_folder):
    bert = load_pretrained(toy_folder)
    assert bert.config == small(
        vocab_size=15,
        hidden_dim=4,
        num_heads=4,
        max_length=16,
        activation="gelu_tanh",  # what "gelu" means in Google's files
    )
    assert bert.vocabulary[-4:] == ["jack", "a", "dull", "boy"]
    assert bert.lowercase


def minilm_batch(reference):
    return {
        "token_ids": reference["ids"],
        "segment_ids": reference["seg"],
        "padding_mask": reference["mask"].astype(bool),
    }


@pytest.fixture(scope="module")
def minilm_states(minilm, minilm_reference):
    return hidden_states(minilm.encoder, minilm_batch(minilm_reference))


def test_a_published_hugging_face_checkpoint_answers_as_there(
    minilm, minilm_states, minilm_reference
):
    batch, states = minilm_batch(minilm_reference), minilm_states
    real = batch["padding_mask"]
    outputs = answers(minilm.encoder, batch)
    theirs = minilm_reference["hidden"]
    differences = {
        f"layer {i}": largest_difference(states[i][real], theirs[i][real]) for i in range(7)
    }
    pooled = largest_difference(outputs["pooled_output"], minilm_reference["pooled"])
    print("\nMiniLM, at real tokens:", in_words(differences | {"pooled": pooled}))
    at_padding = largest_difference(states[:, ~real], theirs[:, ~real])
    print(f"MiniLM, at padding: {at_padding:.1e}")
    assert max(differences.values()) < 1e-5
    assert pooled < 1e-5
    assert (
        largest_difference(outputs["sequence_output"][real], minilm_reference["last"][real]) < 1e-5
    )
    assert at_padding < 1e-3  # see the next test


def test_both_sides_round_alike_at_padding(minilm, minilm_states, minilm_folder, minilm_reference):
    """At padding ours and Hugging Face's MiniLM are 2e-4 apart, and neither is the more exact.

    Nothing trained what stands there: at some padding positions the model itself makes a change of
    its input a hundred times larger (in double precision too), at real tokens it does not. So
    the rounding of single precision takes both sides equally far from the exact answer.
    """
    batch = minilm_batch(minilm_reference)
    real = batch["padding_mask"]
    tensors = load_file(minilm_folder / "model.safetensors")
    exact = reference_hidden_states(tensors, minilm.config, batch)
    for name, states in [
        ("ours", minilm_states),
        ("Hugging Face's", minilm_reference["hidden"]),
    ]:
        at_real = largest_difference(states[:, real], exact[:, real])
        at_padding = largest_difference(states[:, ~real], exact[:, ~real])
        print(f"\nMiniLM, {name}, from exact: real tokens {at_real:.1e}, padding {at_padding:.1e}")
        assert at_real < 1e-5 < at_padding < 1e-3


def test_the_other_gelu_is_seen(minilm_folder, minilm_reference):
    with pytest.warns(UserWarning, match="still random"):
        bert = load_pretrained(minilm_folder, activation="gelu_tanh")
    batch = minilm_batch(minilm_reference)
    real = batch["padding_mask"]
    last = answers(bert.encoder, batch)["sequence_output"]
    difference = largest_difference(last[real], minilm_reference["last"][real])
    print(f"\nMiniLM with the tanh form, which is not its own: {difference:.1e}")
    assert 1e-4 < difference < 1e-2


def test_a_published_checkpoint_brings_its_tokenizer(minilm, minilm_reference):
    encoding = minilm.tokenizer.encode("This is an example sentence")
    ids, real = minilm_reference["ids"][0], minilm_reference["mask"][0]
    assert encoding.ids == ids[real == 1].tolist()


def test_a_published_checkpoint_without_heads_says_so(minilm):
    assert minilm.untrained == ("masked word head", "next sentence head")
    assert minilm.config == small(
        vocab_size=30522,
        num_layers=6,
        hidden_dim=384,
        num_heads=12,
        intermediate_dim=1536,
        max_length=512,
    )
    assert minilm.vocabulary[101] == "[CLS]"
    assert minilm.lowercase


# ----------------------------------------------------------------------------- Google's own layout


def google_tensors(tensors):
    """From Hugging Face's names to Google's, with what Google's script saves beside the weights."""
    renamed = {}
    for name, tensor in tensors.items():
        name = re.sub(r"\blayer\.(\d+)", r"layer_\1", name).replace(".", "/")
        name = name.replace("LayerNorm/weight", "LayerNorm/gamma")
        name = name.replace("LayerNorm/bias", "LayerNorm/beta")
        name = name.replace("seq_relationship/weight", "seq_relationship/output_weights")
        name = re.sub("(seq_relationship|predictions)/bias", r"\1/output_bias", name)
        name = name.replace("_embeddings/weight", "_embeddings")
        if name.endswith("/weight"):
            name, tensor = name.replace("/weight", "/kernel"), tensor.T
        renamed |= {name: tensor, f"{name}/adam_m": 0 * tensor, f"{name}/adam_v": 0 * tensor}
    return renamed | {"global_step": np.array(20)}


@pytest.fixture
def google_folder(folder):
    """The folder of the small BERT, in Google's layout."""
    tf = pytest.importorskip("tensorflow")
    tensors = google_tensors(load_file(folder / "model.safetensors"))
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[np.ascontiguousarray(tensor) for tensor in tensors.values()],
    )
    (folder / "config.json").rename(folder / "bert_config.json")
    (folder / "model.safetensors").unlink()
    return folder


def test_both_layouts_hold_the_same_model(bert, google_folder):
    loaded = load_pretrained(google_folder)
    assert_same_weights(loaded, bert)
    assert loaded.untrained == ()
    assert loaded.config == small(activation="gelu_tanh")  # what "gelu" means in Google's code
    assert load_pretrained(google_folder, activation="gelu").config == SMALL


# ----------------------------------------------------------------------------- how files may vary


def rewrite_tensors(folder, change):
    """Put what `change` makes of the tensors {name: array} in the place of them."""
    path = folder / "model.safetensors"
    save_file({name: np.ascontiguousarray(t) for name, t in change(load_file(path)).items()}, path)


def rewrite_json(path, **changes):
    """Change fields of a JSON file; ... removes one."""
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    content = {name: value for name, value in content.items() if value is not ...}
    path.write_text(json.dumps(content), encoding="utf-8")


def with_old_names(tensors):
    renames = [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
    for new, old in renames:
        tensors = {name.replace(new, old): t for name, t in tensors.items()}
    return tensors


TABLE, WORD_BIAS = "bert.embeddings.word_embeddings.weight", "cls.predictions.bias"
SAME_MODEL = {
    "as it is saved": lambda tensors: tensors,
    "gamma and beta": with_old_names,
    "position ids": lambda tensors: tensors | {"bert.embeddings.position_ids": np.arange(12)},
    "a copy of the tied table": lambda tensors: (
        tensors | {"cls.predictions.decoder.weight": tensors[TABLE]}
    ),
    "a copy of the word bias": lambda tensors: (
        tensors | {"cls.predictions.decoder.bias": tensors[WORD_BIAS]}
    ),
    "the word bias under the decoder's name only": lambda tensors: {
        "cls.predictions.decoder.bias" if name == WORD_BIAS else name: tensor
        for name, tensor in tensors.items()
    },
    "double precision": lambda tensors: {n: t.astype("float64") for n, t in tensors.items()},
}


@pytest.mark.parametrize("variant", SAME_MODEL)
def test_a_file_may_vary(variant, bert, folder):
    rewrite_tensors(folder, SAME_MODEL[variant])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = load_pretrained(folder)
    assert_same_weights(loaded, bert)
    assert loaded.untrained == ()


@pytest.mark.parametrize("dtype", [np.float16, bfloat16])
def test_tensors_may_be_of_half_precision(dtype, bert, folder):
    rewrite_tensors(folder, lambda tensors: {n: t.astype(dtype) for n, t in tensors.items()})
    loaded = load_pretrained(folder)
    for path, weight in weights_of(bert.pretraining_model).items():
        rounded = weight.astype(dtype).astype("float32")
        np.testing.assert_array_equal(weights_of(loaded.pretraining_model)[path], rounded)


def without(*beginnings):
    return lambda tensors: {n: t for n, t in tensors.items() if not n.startswith(beginnings)}


def of_the_encoder_alone(tensors):
    """As BertModel saves itself: no heads, and no `bert.` before any name."""
    return {n.removeprefix("bert."): t for n, t in without("cls.")(tensors).items()}


@pytest.mark.parametrize(
    ("change", "untrained", "ours"),
    [
        (without("cls.predictions."), ("masked word head",), ["masked_words"]),
        (without("cls.seq_relationship."), ("next sentence head",), ["next_sentence"]),
        (without("bert.pooler."), ("pooler",), ["pooler"]),
        (
            without("bert.pooler.", "cls.seq_relationship."),  # as BertForMaskedLM saves itself
            ("pooler", "next sentence head"),
            ["pooler", "next_sentence"],
        ),
        (
            of_the_encoder_alone,
            ("masked word head", "next sentence head"),
            ["masked_words", "next_sentence"],
        ),
    ],
    ids=["masked words", "next sentence", "pooler", "BertForMaskedLM", "BertModel"],
)
def test_what_a_file_lacks_stays_random_and_is_named(change, untrained, ours, bert, folder):
    rewrite_tensors(folder, change)
    expected = f"still random: {', '.join(untrained)}. Train before use"
    with pytest.warns(UserWarning, match=expected) as caught:
        loaded = load_pretrained(folder)
    ours_alone = [warning for warning in caught if warning.category is UserWarning]
    assert ours_alone[0].filename == __file__  # the line of whoever called
    assert loaded.untrained == untrained
    assert_same_weights(loaded, bert, but=ours)
    for path, weight in weights_of(loaded.pretraining_model).items():
        if path.startswith(tuple(ours)):
            assert np.abs(weight).max() <= 0.04 or path.endswith("gamma"), path  # as drawn


@pytest.mark.parametrize("ignore", ["classifier.", ("classifier.", "dropout.")])
def test_tensors_may_be_left_aside(ignore, bert, folder):
    rewrite_tensors(folder, lambda tensors: tensors | {"classifier.weight": np.zeros((2, 8))})
    with pytest.raises(ValueError, match=r"Surplus: classifier\.weight"):
        load_pretrained(folder)
    loaded = load_pretrained(folder, ignore=ignore)
    assert_same_weights(loaded, bert)


@pytest.mark.parametrize(
    ("hidden_act", "activation"),
    [("gelu", "gelu"), ("gelu_new", "gelu_tanh"), ("gelu_pytorch_tanh", "gelu_tanh")],
)
def test_each_name_of_gelu_is_known(hidden_act, activation, folder):
    rewrite_json(folder / "config.json", hidden_act=hidden_act)
    assert read_config(folder / "config.json") == small(activation=activation)


def test_fields_that_only_other_architectures_need_may_be_missing(folder):
    fields = ("model_type", "position_embedding_type", "is_decoder", "layer_norm_eps")
    rewrite_json(folder / "config.json", **dict.fromkeys(fields, ...))
    assert read_config(folder / "config.json") == SMALL


def test_the_vocabulary_may_have_the_line_ends_of_windows(bert, folder):
    path = folder / "vocab.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_vocabulary(path, SMALL) == bert.vocabulary


@pytest.mark.parametrize(
    ("stated", "piece", "expected"),
    [(True, "Paris", True), (False, "paris", False), (..., "Paris", False), (..., "paris", True)],
)
def test_letter_case_is_as_stated_or_as_the_pieces_look(stated, piece, expected, folder):
    rewrite_json(folder / "tokenizer_config.json", do_lower_case=stated)
    vocabulary = [*PIECES[:-1], piece]  # [CLS] and its like do not count
    assert expects_lowercase(folder, vocabulary) == expected
    (folder / "tokenizer_config.json").unlink()
    assert expects_lowercase(folder, vocabulary) == (piece == "paris")


# --------------------------------------------------------------------------------- what is refused


def refusal(folder, **options):
    """The message with which a folder is refused."""
    with pytest.raises(ValueError) as error:
        load_pretrained(folder, **options)
    return str(error.value)


def replaced(name, make):
    return lambda tensors: tensors | {name: make(tensors[name])}


KEY = "bert.encoder.layer.1.attention.self.key.weight"
WRONG_TENSORS = {
    "missing": (without(KEY), f"must hold every tensor of the model.*Missing: {KEY}$"),
    "many missing": (without("bert.encoder.layer.1"), r"Missing: bert\.encoder.*and 11 more$"),
    "a part of a head": (without(WORD_BIAS), f"Missing: {WORD_BIAS}$"),
    "surplus": (
        lambda tensors: tensors | {"bert.encoder.layer.2.output.dense.bias": np.zeros(8)},
        r"nothing that the model in its config lacks.*ignore=.*"
        r"Surplus: bert\.encoder\.layer\.2\.output\.dense\.bias$",
    ),
    "another shape": (
        replaced(TABLE, lambda table: table[:-1]),
        rf"{TABLE} must have the shape \(30, 8\) that the config asks for. Received: \(29, 8\)",
    ),
    "turned round": (
        replaced("bert.encoder.layer.0.intermediate.dense.weight", np.transpose),
        r"intermediate.dense.weight must have the shape \(16, 8\).* Received: \(8, 16\)",
    ),
    "another table in the decoder": (
        lambda tensors: tensors | {"cls.predictions.decoder.weight": tensors[TABLE] + 1},
        f"decoder.weight must equal {TABLE}, for BERT ties them. Received: two different tensors",
    ),
    "another bias in the decoder": (
        lambda tensors: tensors | {"cls.predictions.decoder.bias": tensors[WORD_BIAS] + 1},
        f"decoder.bias must equal {WORD_BIAS}",
    ),
}


@pytest.mark.parametrize("what", WRONG_TENSORS)
def test_tensors_that_do_not_fit_are_refused_and_none_assigned(what, bert, folder):
    change, message = WRONG_TENSORS[what]
    before = weights_of(bert.pretraining_model)
    tensors = {n: t + 1 for n, t in load_file(folder / "model.safetensors").items()}
    with pytest.raises(ValueError, match=message):
        assign_tensors(bert.pretraining_model, change(tensors), "a file")
    after = weights_of(bert.pretraining_model)
    assert all((after[path] == before[path]).all() for path in before)


def test_a_misfit_names_the_file(folder):
    rewrite_tensors(folder, without(KEY))
    assert refusal(folder).startswith(f"{folder / 'model.safetensors'} must hold every tensor")


def test_truncated_weights_are_refused_wherever_they_end(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for size in (0, 1, 8, header // 2, header, (header + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        message = refusal(folder)
        assert "truncated or damaged: copy or download the file again. Received: " in message
        assert str(path) in message


GOOGLE_FILES = ["bert_model.ckpt.data-00000-of-00001", "bert_model.ckpt.index"]


@pytest.mark.parametrize("name", GOOGLE_FILES)
@pytest.mark.parametrize("damage", ["empty", "half", "last byte gone", "one byte changed"])
def test_a_damaged_google_checkpoint_is_refused(name, damage, google_folder):
    path = google_folder / name
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    path.write_bytes(
        {
            "empty": b"",
            "half": whole[: len(whole) // 2],
            "last byte gone": whole[:-1],
            "one byte changed": bytes(changed),
        }[damage]
    )
    message = refusal(google_folder)
    assert "truncated or damaged: copy or download both its files again. Received: " in message
    assert str(google_folder / "bert_model.ckpt") in message


def test_half_a_google_checkpoint_is_refused(google_folder):
    (google_folder / GOOGLE_FILES[0]).unlink()
    assert "truncated or damaged: copy or download both its files again" in refusal(google_folder)
    (google_folder / GOOGLE_FILES[1]).unlink()
    assert "weights in bert_model.ckpt.index and .data-00000-of-00001" in refusal(google_folder)


def test_google_knows_one_gelu(google_folder):
    rewrite_json(google_folder / "bert_config.json", hidden_act="gelu_new")
    assert refusal(google_folder).endswith("hidden_act must be one of gelu. Received: 'gelu_new'")


def test_google_files_need_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ValueError, match=r"only with TensorFlow installed: .*Hugging Face's"):
        read_google_tensors("bert_model.ckpt")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "roberta"),
        ("model_type", "albert"),
        ("model_type", "distilbert"),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("layer_norm_eps", 1e-5),
    ],
)
def test_another_architecture_is_refused(field, value, folder):
    rewrite_json(folder / "config.json", **{field: value})
    message = refusal(folder)
    assert "builds BERT and no other architecture" in message
    assert f"{field} must be " in message
    assert message.endswith(f"Received: {value!r}")


@pytest.mark.parametrize("value", ["relu", "silu", None, ["gelu"]])
def test_another_activation_is_refused(value, folder):
    rewrite_json(folder / "config.json", hidden_act=value)
    assert refusal(folder).endswith(
        f"hidden_act must be one of gelu, gelu_new, gelu_pytorch_tanh. Received: {value!r}"
    )


def test_a_second_dropout_is_left_aside_with_a_warning(folder):
    rewrite_json(folder / "config.json", attention_probs_dropout_prob=0.25)
    with pytest.warns(UserWarning, match="attention_probs_dropout_prob differs.*takes the latter"):
        bert = load_pretrained(folder)
    assert bert.config.dropout == 0.1


@pytest.mark.parametrize("field", ["hidden_size", "hidden_act", "type_vocab_size"])
def test_a_missing_field_is_named(field, folder):
    rewrite_json(folder / "config.json", **{field: ...})
    expected = f"{folder / 'config.json'} must name every size of the model. Missing: {field}"
    assert refusal(folder) == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_size", "8", "hidden_dim must be a whole number of at least 1. Received: '8'"),
        ("hidden_size", 8.0, "hidden_dim must be a whole number of at least 1. Received: 8.0"),
        ("num_hidden_layers", True, "num_layers must be a whole number .* Received: True"),
        ("vocab_size", None, "vocab_size must be a whole number .* Received: None"),
        ("hidden_dropout_prob", "0.1", "dropout is the share .* Received: '0.1'"),
        ("hidden_dropout_prob", False, "dropout is the share .* Received: False"),
        ("num_attention_heads", 3, "hidden_dim must be a multiple of num_heads"),
    ],
)
def test_a_field_of_another_kind_is_refused(field, value, message, folder):
    rewrite_json(folder / "config.json", **{field: value})
    with pytest.raises(ValueError, match=message) as error:
        load_pretrained(folder)
    assert str(error.value).startswith(f"{folder / 'config.json'}: ")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b"{broken", b"", b"[]", b"3", b"\xff\xfe{}"])
def test_broken_json_is_refused(name, content, folder):
    (folder / name).write_bytes(content)
    assert refusal(folder).startswith(
        f"The file must hold a JSON object. Received: {folder / name}"
    )


def test_a_letter_case_that_is_no_bool_is_refused(folder):
    rewrite_json(folder / "tokenizer_config.json", do_lower_case="false")
    assert refusal(folder).endswith("do_lower_case must be true or false. Received: 'false'")


@pytest.mark.parametrize("lines", [29, 31])
def test_a_vocabulary_of_another_length_is_refused(lines, folder):
    (folder / "vocab.txt").write_text("word\n" * lines)
    message = refusal(folder)
    assert f"{folder / 'vocab.txt'} must have a line for each row of the token table" in message
    assert message.endswith(f"Received: {lines} lines, vocab_size=30")


def test_a_vocabulary_that_is_not_utf_8_is_refused(folder):
    (folder / "vocab.txt").write_bytes("é\n".encode("latin-1") * 30)
    expected = f"A vocabulary is UTF-8 text. Received: {folder / 'vocab.txt'}"
    assert refusal(folder).startswith(expected)


@pytest.mark.parametrize(("lowercase", "pieces"), [(True, ["w1", "w2"]), (False, ["[UNK]", "w2"])])
def test_the_tokenizer_has_the_vocabulary_and_its_letter_case(lowercase, pieces):
    tokenizer = Bert(SMALL, PIECES, lowercase=lowercase).tokenizer
    assert tokenizer.tokenize("W1 w2") == pieces
    assert tokenizer.vocabulary.pieces == PIECES


def test_without_special_pieces_only_the_tokenizer_is_missing():
    bert = Bert(SMALL, [f"w{i}" for i in range(30)])
    with pytest.raises(ValueError, match=r"special pieces.*Missing: \[PAD\]"):
        _ = bert.tokenizer


def test_a_bert_needs_a_vocabulary_of_its_size():
    expected = "as many pieces as the config says. Received: 29 pieces, vocab_size=30"
    with pytest.raises(ValueError, match=expected):
        Bert(SMALL, PIECES[1:])


def test_a_folder_without_vocabulary_is_refused(folder):
    (folder / "vocab.txt").unlink()
    message = refusal(folder)
    assert "has a vocab.txt, a word piece a line: take the one that was published" in message
    assert message.endswith(f"Received: {folder}, which has none")


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    message = refusal(folder)
    assert "has its weights in model.safetensors" in message
    assert message.endswith(
        f"Received: {folder}, which has no such file (an interrupted save or download?)"
    )


def test_weights_in_several_files_are_refused(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "several files are not read: join them into one model.safetensors" in refusal(folder)


def test_a_folder_without_config_is_refused(tmp_path):
    assert refusal(tmp_path) == (
        "A checkpoint folder has a config.json (Hugging Face's layout) or a bert_config.json "
        f"(Google's). Received: {tmp_path}, which has neither"
    )


def test_what_is_no_folder_is_refused(tmp_path, folder):
    for path in (tmp_path / "nowhere", folder / "config.json"):
        assert refusal(path) == f"A checkpoint is a folder. Received: {path}, which is not one"


# ------------------------------------------------------------------------------- pytorch_model.bin


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def pickled(torch, folder):
    """The folder with its weights in a pytorch_model.bin, and the path of that."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    torch.save({name: torch.tensor(tensor) for name, tensor in tensors.items()}, path)
    return path


def test_a_pickle_of_tensors_is_read(bert, folder, pickled):
    assert_same_weights(load_pretrained(folder), bert)


def test_a_pickle_of_parameters_is_read(bert, folder, pickled, torch):
    tensors = torch.load(pickled, weights_only=True)
    torch.save({n: torch.nn.Parameter(t.bfloat16()) for n, t in tensors.items()}, pickled)
    assert_same_weights(load_pretrained(folder), bert, tolerance=0.02)


class Trap:
    """Makes a folder when unpickled: any code could run in its place."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_not_run(legacy, folder, pickled, torch, tmp_path):
    trap = tmp_path / "sprung"
    content = {"bert.pooler.dense.bias": Trap(str(trap))}
    if legacy:
        pickled.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, pickled)
    message = refusal(folder)
    assert "holds more than tensors, so it was not run: convert it to model.safeten" in message
    assert not trap.exists()
    if not legacy:  # negative control: the trap is a trap
        torch.load(pickled, weights_only=False)
        assert trap.exists()


@pytest.mark.parametrize("size", [0, 100, -1])
def test_a_truncated_pickle_is_refused(size, folder, pickled):
    pickled.write_bytes(pickled.read_bytes()[:size])
    assert "The file is damaged or holds more than tensors" in refusal(folder)


def test_a_pickle_is_not_read_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    expected = "torch is not installed: `pip install torch`, or convert it to model.safetensors"
    with pytest.raises(ValueError, match=expected):
        read_torch_weights("pytorch_model.bin")
