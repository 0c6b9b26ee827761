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
    refuse_foreign_folder(pathlib.Path(options.out))
    files = build_corpus(progress)
    train_text = files["corpus/train.txt"].decode("utf-8").removesuffix("\n")
    files |= build_vocabulary(train_text)
    vocabulary = files["vocab.txt"].decode("utf-8").removesuffix("\n").split("\n")
    files |= build_ceiling(train_text, vocabulary, progress)
    files |= build_minimal_pairs(vocabulary, progress)
    files |= build_tasks(progress)
    files |= build_datasheet(files)
    for name, content in files.items():
        path = pathlib.Path(options.out, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(content, path)
    print(f"{options.out}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")
    return 0


def refuse_foreign_folder(folder):
    """Files are written over those of an earlier run, never over somebody's own."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"The files go in a folder. Received: {folder}, which is a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / "ceiling.json").exists():
        raise ValueError(
            "Only a folder that this command has written is written again: choose a new one. "
            f"Received: {folder}, which holds other things"
        )


def progress(things, name, count):
    """`things`, with a bar where somebody watches."""
    return tqdm(things, desc=name, total=count, unit="story", disable=None, leave=False)
