"""What the README promises an engineer is run as it stands there."""

import re
from pathlib import Path

import numpy as np

from bert_course.__main__ import main
from bert_course.model.checkpoints import Bert, load_pretrained, save_pretrained
from bert_course.model.config import BertConfig
from bert_course.places import course_data

README_TEXT = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", README_TEXT, re.DOTALL)


def test_the_lines_for_engineers_run(tmp_path, monkeypatch):
    code = CODE[0]
    assert len([line for line in code.splitlines() if line]) <= 12
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] the baker sells bread .".split()
    config = BertConfig(len(words), num_layers=1, hidden_dim=8, num_heads=2, intermediate_dim=16)
    monkeypatch.chdir(tmp_path)
    save_pretrained(Bert(config, words), tmp_path / "data" / "checkpoint")
    names = {}
    exec(code, names)
    assert names["vectors"].shape == (1, 7, 8)
    assert names["text"].tokens == "[CLS] the baker sells bread . [SEP]".split()
    assert load_pretrained("my-copy").config == config


def test_the_lines_for_pretraining_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"python -m bert_course (vocabulary|examples)( [^#\n]*)", README_TEXT)
    assert [name for name, _ in commands] == ["vocabulary", "examples"]
    for name, options in commands:
        options = options.replace("FILE...", str(course_data() / "corpus" / "test.txt"))
        assert main([name, *options.split()]) == 0
    assert len(CODE) == 2
    names = {}
    exec(CODE[1], names)
    assert names["batch"]["token_ids"].shape == (32, 128)
    assert np.all(names["batch"]["masked_weights"].sum(axis=1) >= 1)
