"""`python -m bert_course world`: the small world -> the files of data/."""

import pathlib

from tqdm import tqdm

from bert_course.files import write_whole
from bert_course.world.build import (
    build_ceiling,
    build_corpus,
    build_minimal_pairs,
    build_tasks,
    build_vocabulary,
)
from bert_course.world.datasheet import build_datasheet


def add_to(commands):
    parser = commands.add_parser("world", help="the small world: corpus, labelled sets, ceiling")
    parser.set_defaults(run=run)
    parser.add_argument("--out", required=True, metavar="FOLDER", help="data/, or another one")


def run(options):
    files = build_corpus(progress)
    train_text = files["corpus/train.txt"].decode("utf-8").removesuffix("\n")
    files |= build_vocabulary(train_text)
    vocabulary = files["vocab.txt"].decode("utf-8").removesuffix("\n").split("\n")
    files |= build_ceiling(train_text, vocabulary, progress)
    files |= build_minimal_pairs(progress)
    files |= build_tasks(progress)
    files |= build_datasheet(files)
    for name, content in files.items():
        path = pathlib.Path(options.out, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(content, path)
    print(f"{options.out}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")


def progress(things, name, count):
    """`things`, with a bar where somebody watches."""
    return tqdm(things, desc=name, total=count, unit="story", disable=None, leave=False)
