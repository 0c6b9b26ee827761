"""What the README promises an engineer is run as it stands there."""

import re
from pathlib import Path

from bert_course.model.checkpoints import Bert, load_pretrained, save_pretrained
from bert_course.model.config import BertConfig

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_lines_for_engineers_run(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 12
    words = "[PAD] [CLS] [SEP] the baker sells bread .".split()
    config = BertConfig(len(words), num_layers=1, hidden_dim=8, num_heads=2, intermediate_dim=16)
    monkeypatch.chdir(tmp_path)
    save_pretrained(Bert(config, words), "all-MiniLM-L6-v2")
    names = {}
    exec(code, names)
    assert names["vectors"].shape == (1, 7, 8)
    assert load_pretrained("my-copy").config == config
