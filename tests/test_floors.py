"""Who may import whom in `bert_course`: the floors of the house, and the walls between its rooms.

A wall that must move is moved in the tables here, in the same change, with its reason beside it.
"""

import ast
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent

# What each module may import from the package, from the ground up. Names are short: `model.config`
# is bert_course.model.config, `model` is its __init__.py, and "" that of bert_course itself.
INSIDE = {
    "": [],
    "quiet": [],
    "places": [],
    "files": [],
    "model": ["quiet"],  # loads Keras without its backend's banner
    "model.config": [],
    "model.parts": [],
    "model.attention": ["model.parts"],
    "model.embeddings": ["model.parts"],
    "model.heads": ["model.parts"],
    "model.encoder": ["model.parts", "model.attention", "model.embeddings"],
    "model.tensor_names": [],
    "model.tensor_files": ["files"],
    "model.google_files": [],
    # parts has two numbers that a config.json states and every layer here shares
    "model.config_files": ["model.config", "model.parts"],
    "model.checkpoint_folder": ["model.tensor_names", "model.tensor_files", "model.google_files"],
    "model.checkpoints": [
        "files",
        "model.encoder",
        "model.heads",
        "model.tensor_names",
        "model.tensor_files",
        "model.config_files",
        "model.checkpoint_folder",
        "text.vocabulary",
        "text.wordpiece",
    ],
    "text": [],
    "text.vocabulary": ["files"],
    "text.masking": [],
    "text.cutting": [],
    "text.strangers": [],
    "text.pairs": ["text.cutting", "text.strangers"],
    "text.words": ["text.vocabulary"],
    "text.learn": ["text.vocabulary", "text.words"],
    "text.wordpiece": ["text.vocabulary", "text.words", "text.learn"],
    "text.in_graph": ["text.vocabulary", "text.words"],
    "text.sentences": [],
    "text.counting": [],
    "text.documents": ["text.sentences"],
    "text.whole_file": [],
    "text.separated": ["text.whole_file"],
    "text.columns": ["text.separated"],
    "text.labelled": ["text.columns", "text.separated"],
    "text.tagged": ["text.labelled", "text.separated", "text.whole_file"],
    "text.questions": ["text.labelled", "text.separated", "text.whole_file"],
    "text.splits": ["text.labelled", "text.questions", "text.tagged"],
    "text.growing": [],
    "text.padding": [],
    "text.workers": [],
    "text.seeds": [],
    "text.corpus_ids": [
        "text.documents",
        "text.growing",
        "text.pairs",
        "text.vocabulary",
        "text.workers",
    ],
    "text.example_folder": ["files", "text.vocabulary"],
    "text.example_writer": [
        "text.corpus_ids",
        "text.example_folder",
        "text.growing",
        "text.pairs",
        "text.seeds",
    ],
    # hands write_examples on, so that what writes and what opens are found in one place
    "text.examples": [
        "text.example_folder",
        "text.example_writer",
        "text.masking",
        "text.seeds",
        "text.wordpiece",  # to say with what the text was cut
    ],
    "training": [],
    "training.hardware": [],
    "training.downloads": ["files", "places"],
    "training.published": ["text.labelled", "text.splits", "text.whole_file"],
    "training.tasks": [
        "places",
        "text.labelled",
        "text.separated",
        "text.splits",
        "training.downloads",
        "training.published",
    ],
    "training.optimization": [],
    "training.cost": [],
    "training.evaluation": ["text.counting"],
    "training.span_metrics": [],
    # hands the other's on, so that every score is found in one place
    "training.metrics": ["training.span_metrics"],
    "training.run_folder": ["files", "model.tensor_files"],
    "training.stopping": [],
    # knows the layers whose weights it sets, and the deviation they are drawn with
    "training.initial_weights": ["model.encoder", "model.parts"],
    "training.windows": [],
    "training.kinds": ["model.heads", "training.metrics", "training.windows"],
    "training.finetuned": [
        "files",
        "model.checkpoints",
        "model.encoder",
        "model.tensor_files",
        "model.tensor_names",
        "text.padding",
        "training.kinds",
    ],
    "training.exporting": ["text.in_graph"],
    "training.finetuning": [
        "model.encoder",  # a new body for each seed, where nothing is pretrained
        "text.padding",
        "text.splits",
        "training.finetuned",
        "training.hardware",
        "training.optimization",
        "training.run_folder",
        "training.speed",
        "training.stopping",
        "training.windows",
    ],
    "training.speed": [
        "model.attention",
        "model.encoder",
        "model.heads",
        "model.parts",
        "training.hardware",
        "training.optimization",
    ],
    "training.pretraining": [
        "model.checkpoints",
        "model.config",
        "text.examples",
        "training.cost",
        "training.evaluation",
        "training.hardware",
        "training.initial_weights",
        "training.optimization",
        "training.run_folder",
        "training.speed",
        "training.stopping",
    ],
    "training.memory": ["training.pretraining"],
    "insight": [],
    "insight.inside": [],
    "insight.show": ["files"],
    "insight.batches": ["text.padding"],
    "insight.fill": [],
    "insight.scores": ["insight.batches"],
    "insight.probes": [
        "insight.batches",
        "insight.inside",
        "model.checkpoints",
        "text.wordpiece",
    ],
    "insight.attributions": ["insight.batches", "insight.inside"],
    "world": [],
    "world.words": [],
    "world.plots": [],
    "world.choices": [],
    "world.frames": ["world.choices", "world.words"],
    "world.story": ["world.choices", "world.frames", "world.plots", "world.words"],
    "world.ceiling": ["text.counting", "world.choices"],
    "world.minimal_pairs": ["world.choices", "world.story", "world.words"],
    "world.tasks": ["world.minimal_pairs", "world.story"],
    "world.build": [
        "text.counting",
        "text.wordpiece",
        "world.ceiling",
        "world.minimal_pairs",
        "world.story",
        "world.tasks",
    ],
    "world.held_out": [
        "text.pairs",
        "world.build",
        "world.ceiling",
        "world.story",
    ],
    "world.datasheet": ["world.build", "world.minimal_pairs", "world.plots", "world.tasks"],
    # doctor builds a small encoder, to see that the backend computes what it should.
    "doctor": ["places", "model", "model.config", "model.encoder", "training.hardware"],
    "commands": [],
    "commands.examples": ["text.documents", "text.examples", "text.wordpiece"],
    "commands.vocabulary": ["text.documents", "text.vocabulary", "text.wordpiece"],
    "commands.world": ["files", "world.build", "world.datasheet"],
    # reads a fine-tuned model too, to say that it fills no blanks
    "commands.fill_mask": ["insight.fill", "places", "training.finetuned"],
    "commands.pretrain": [
        "model.checkpoints",
        "insight.show",
        "model",
        "model.config",
        "text.examples",
        "training.hardware",
        "training.memory",
        "training.pretraining",
        "training.run_folder",
    ],
    "commands.finetune": [
        "commands.finetuning_report",
        "files",
        "model.checkpoints",
        "places",
        "quiet",
        "text.separated",  # its list of names, of a bearable length
        "training.finetuned",
        "training.finetuning",
        "training.hardware",
        "training.tasks",
    ],
    "commands.finetuning_report": ["files", "insight.show", "training.metrics"],
    "commands.predict": [
        "commands.finetune",  # whose --columns it has too
        "quiet",
        "text.labelled",
        "text.splits",
        "text.tagged",
        "text.whole_file",
        "training.finetuned",
    ],
    "commands.export": ["files", "quiet", "training.exporting", "training.finetuned"],
    "commands.model_card": ["training.hardware"],
    "commands.plans": [
        "commands.pretrain",
        "files",
        "model.checkpoints",
        "model.config",
        "places",
        "text.examples",
        "training.hardware",
        "training.pretraining",
        "world.held_out",
    ],
    "commands.demo": [
        "commands.model_card",
        "commands.plans",
        "files",
        "insight.scores",
        "insight.show",
        "model.checkpoints",
        "places",
        "text.wordpiece",
        "training.evaluation",
        "training.run_folder",
        "training.stopping",
        "world.build",
        "world.held_out",
    ],
    "__main__": [
        "commands.demo",
        "commands.examples",
        "commands.export",
        "commands.fill_mask",
        "commands.finetune",
        "commands.predict",
        "commands.pretrain",
        "commands.vocabulary",
        "commands.world",
        "doctor",
    ],
}

# The libraries that a room may import; a module with a row of its own has that one instead.
OUTSIDE = {
    "model": ["keras", "numpy", "safetensors"],
    "text": ["numpy"],
    "training": ["keras", "numpy"],
    "insight": ["numpy", "matplotlib"],
    "world": ["numpy"],
    "commands": ["tqdm"],  # says how far a long command is
    "commands.demo": ["numpy"],
    "commands.finetuning_report": ["keras", "numpy"],
    "commands.model_card": ["numpy"],
    "commands.pretrain": ["tqdm", "tensorboard", "tensorflow"],  # if asked to
    "quiet": ["keras"],
    "doctor": ["numpy", "packaging"],  # compares what is installed with requirements.txt
    "insight.batches": ["numpy"],
    "insight.fill": ["keras", "numpy"],
    "insight.scores": ["keras", "numpy"],
    "insight.probes": ["keras", "numpy", "sklearn"],  # linear classifiers
    # Keras has no gradient of its own that all backends share
    "insight.attributions": ["keras", "numpy", "tensorflow", "jax", "torch"],
    "insight.inside": ["keras", "numpy"],  # computes what a model does not hand out
    "insight.show": ["numpy", "matplotlib", "IPython"],  # shows tables and sources in a notebook
    "model.attention": ["keras", "ml_dtypes"],  # knows how low bfloat16 can go
    "training.metrics": ["numpy"],
    "training.span_metrics": ["numpy"],
    # A backend by name only where its own thing is used: all else runs on any that Keras has.
    "training.exporting": ["tensorflow"],  # a SavedModel is TensorFlow's
    "training.speed": ["keras", "tensorflow"],  # what is faster there than Keras's own way
    "model.google_files": ["numpy", "tensorflow"],  # reads the files of Google's checkpoints
    "model.tensor_files": ["numpy", "safetensors", "torch"],  # reads pytorch_model.bin, a pickle
    "text.in_graph": ["numpy", "tensorflow", "tensorflow_text"],  # a tokenizer inside its graph
}

# Rooms that stand beside the others: only notebooks, tests and the command line open their doors.
SIDE_CARS = {"insight", "world", "exercises"}


def room(module):
    return module.partition(".")[0]


def walls_broken(table):
    """What no row of INSIDE may say."""
    for module, names in table.items():
        for name in names:
            here, there = room(module), room(name)
            if there in SIDE_CARS - {here} and here not in ("__main__", "commands"):
                yield f"{module} -> {name}: nothing in the package leans on a side-car"
            if here == "text" and there in ("model", "training"):
                yield f"{module} -> {name}: text stands without any model"
            if here == "model" and there == "text" and module != "model.checkpoints":
                yield f"{module} -> {name}: only checkpoints carry a tokenizer through"


def read_package():
    """{"model.config": its source, ...} for every file of the package."""
    package = ROOT / "bert_course"
    sources = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        sources[".".join(part for part in parts if part != "__init__")] = path.read_text("utf-8")
    return sources


def imports_of(source):
    """Every dotted name that a source imports, at its top or inside a function.

    `from a.b import c` gives "a.b.c", for c may be a module; `import_module("a.b.c")` gives the
    same.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from (f"{start}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value)


def complaints(sources):
    """What is wrong with the imports of these modules, a sentence each."""
    graph = {}
    for module, source in sources.items():
        graph[module] = set()
        if module not in INSIDE:
            yield f"{module} is not in the table INSIDE: add it, with the reason for its imports"
            continue
        libraries = OUTSIDE.get(module, OUTSIDE.get(room(module), []))
        for name in sorted(set(imports_of(source))):
            top, _, rest = name.partition(".")
            if top == "bert_course":
                imported = rest if rest in sources else rest.rpartition(".")[0]
                graph[module].add(imported)
                if imported not in INSIDE[module]:
                    yield f"{module} may not import {name}"
            elif top == "":
                yield f"{module} imports {name}: write the whole name, which also works in a cell"
            elif top not in sys.stdlib_module_names and top not in libraries:
                yield f"{module} may not import {name}"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"imports run in a circle: {' -> '.join(reversed(error.args[1]))}"


def test_every_module_imports_only_what_its_floor_allows():
    assert list(complaints(read_package())) == []


def test_the_table_has_no_module_that_is_gone():
    assert sorted(set(INSIDE) - set(read_package())) == []


def test_the_table_keeps_the_walls():
    assert list(walls_broken(INSIDE)) == []


def test_the_package_asks_for_the_libraries_it_imports():
    """Not for those of one backend, though: which backend to install is the user's choice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {Requirement(line).name for line in project["dependencies"]}
    imported = {library.lower() for libraries in OUTSIDE.values() for library in libraries}
    imported = {"scikit-learn" if name == "sklearn" else name for name in imported}
    assert asked == imported - {"jax", "tensorboard", "tensorflow", "tensorflow_text", "torch"}


@pytest.mark.parametrize(
    ("module", "offence", "expected"),
    [
        ("model.config", "import keras, torch", "model.config may not import torch"),
        ("model.config", "from bert_course.model import encoder", "may not import"),
        ("model.config", "from bert_course.model.encoder import build_encoder", "may not import"),
        ("model.attention", "from bert_course.insight.show import f", "may not import"),
        ("model.encoder", "def f():\n    import tensorflow.io", "may not import tensorflow.io"),
        ("model.encoder", "import importlib\nimportlib.import_module('jax')", "may not import jax"),
        ("model.encoder", "from .config import BertConfig", "write the whole name"),
        ("model.new", "", "model.new is not in the table"),
        ("model.parts", "import bert_course.model.attention", "in a circle"),
    ],
)
def test_an_offence_is_seen(module, offence, expected):
    sources = {**read_package(), module: offence}
    assert any(expected in complaint for complaint in complaints(sources))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("text.masking", "model.config"),
        ("model.encoder", "text.wordpiece"),
        ("training.finetuning", "insight.show"),
        ("insight.probes", "world.grammar"),
    ],
)
def test_a_row_that_breaks_a_wall_is_seen(module, name):
    assert len(list(walls_broken({module: [name]}))) == 1


def test_the_doors_in_the_walls():
    table = {"model.checkpoints": ["text.wordpiece"], "__main__": ["world.grammar"]}
    assert list(walls_broken(table)) == []
