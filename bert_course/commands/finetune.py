"""`python -m bert_course finetune`: a model and labelled texts -> a model for that task."""

import pathlib
from collections import Counter

from bert_course.files import is_taken
from bert_course.places import course_data
from bert_course.quiet import start_keras
from bert_course.text.separated import listed

MOST_CLASSES = 20  # that are counted aloud
LOOKED_AT, BEARABLE = 200, 0.02  # texts of train; the share of their pieces that may be unknown
OPTIONS = {  # option: (field of Recipe, type, help)
    "--epochs": ("epochs", int, "at most (4)"),
    "--batch": ("batch_size", int, "texts at once (16)"),
    "--rate": ("rate", float, "highest learning rate (5e-5 times 768 / width)"),
    "--max-length": ("max_length", int, "pieces that are read at once (128)"),
    "--dropout": ("dropout", float, "(0.1)"),
    "--smoothing": ("smoothing", float, "of labels (0)"),
    "--layer-decay": (
        "layer_decay",
        float,
        "rate of a block, times that of the one above (1)",
    ),
    "--patience": ("patience", int, "stop after so many epochs without a better score (never)"),
    "--precision": ("precision", str, "float32, mixed_bfloat16, ... (what suits the machine)"),
}


def add_to(commands):
    parser = commands.add_parser(
        "finetune",
        help="a model and labelled texts -> a model for that task",
        description="Fine-tune on a built-in task (sentiment, pairs, entities, questions, topics), "
        "on a published one (sst2, mrpc, wnut17, squad, squad2, goemotions, chnsenticorp), or on "
        "your own files: then --task is their kind (classify, pairs, tag, answer, multilabel), "
        "and --train and --dev name them.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--task", required=True, metavar="NAME", help="of a task, or kind of your files")
    add(
        "--checkpoint",
        default=course_data() / "checkpoint",
        metavar="FOLDER",
        help="to begin with (the course's small one, which knows its small world only)",
    )
    add("--scratch", action="store_true", help="begin with random weights, for comparison")
    add("--out", required=True, metavar="FOLDER", help="for scores, guesses and the model")
    add("--resume", action="store_true", help="go on with the run in --out")
    add("--train", metavar="FILE", help="of your own, to learn from")
    add("--dev", metavar="FILE", help="to choose the epoch by")
    add("--test", metavar="FILE", help="to be scored on once, at the end")
    add("--columns", nargs="+", default=[], metavar="ROLE=NAME", help="such as label=gold")
    add("--labels", nargs="+", metavar="LABEL", help="all labels (those in --train)")
    add("--download", action="store_true", help="fetch a published task that is not here")
    add("--rows", type=int, metavar="N", help="learn from the first N rows only")
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="a run for each (0)")
    for option, (name, kind, help_) in OPTIONS.items():
        add(option, dest=name, type=kind, metavar=kind.__name__.upper(), help=help_)
    add("--weighted", action="store_true", help="let rare classes count as much as others")
    add("--frozen", action="store_true", help="train the head only")


def run(options):
    out = pathlib.Path(options.out).expanduser()
    refuse_strange_folder(out, options.resume)
    task = task_from(options)
    for note in task.notes:
        print(note)
    print(
        f"{task.name}: {len(task.train):,} rows to learn from, {len(task.dev):,} to choose by, "
        f"{len(task.test):,} to test on",
        flush=True,
    )
    print_classes(task)
    start_keras()
    from bert_course.commands.finetuning_report import (
        without_reading,
        write_report,
    )
    from bert_course.training.finetuned import read_body, save_finetuned
    from bert_course.training.finetuning import finetune

    bert = read_body(options.checkpoint)
    print_unknown_pieces(task, bert.tokenizer)
    recipe = recipe_from(options, bert.config)
    print_cut_pairs(task, bert.tokenizer, recipe.max_length)
    begin = "the sizes and pieces of " if options.scratch else ""
    print(
        f"beginning with {begin}{options.checkpoint}: {len(bert.vocabulary):,} pieces; rate "
        f"{recipe.rate:.1e}",
        flush=True,
    )
    tuned = finetune(bert, task, out, recipe, options.seeds, options.resume, print_epoch)
    save_finetuned(tuned, out / "checkpoint")
    to_beat = without_reading(tuned.kind, task)
    scores = write_report(tuned, task, recipe, out, f"{begin}{options.checkpoint}", to_beat)
    for name, (mean, deviation, count) in scores.items():
        print(f"{name}: {mean:.4f}" + (f" ± {deviation:.4f} ({count} seeds)" if count > 1 else ""))
    print_without_reading(to_beat, scores)
    print(f"the model is in {out / 'checkpoint'}, scores and guesses beside it")
    return 0


def refuse_strange_folder(out, resume):
    """Before anything is read or trained, or what is there is written over."""
    above = [folder for folder in out.parents if folder.exists() and not folder.is_dir()]
    if above:
        raise ValueError(
            f"--out must name a folder, in folders. Received: --out {out}, and {above[0]} is a file"
        )
    if resume and is_taken(out) and not any(out.glob("seed-*")):
        raise ValueError(
            "--resume goes on with a run that finetune has begun: name its folder. "
            f"Received: --out {out}, which holds no run"
        )
    if resume and not is_taken(out):
        print(f"there is nothing to go on with in {out}: a new run begins", flush=True)
    if is_taken(out) and not resume:
        raise ValueError(
            "A run begins in a new folder, or an empty one; go on with one that is there with "
            f"--resume. Received: --out {out}, which is there already"
        )


def print_classes(task):
    """How many rows of train each has, or how many entities; of answers, how many rows have one."""
    if task.kind == "answer":
        count = sum(bool(row.label) for row in task.train)
        print(f"answers: {count:,} of {len(task.train):,} questions have one", flush=True)
        return
    of_row = {
        "multilabel": lambda row: row.label,
        "tag": lambda row: [tag[2:] for tag in row.label if tag[0] == "B"],
    }.get(task.kind, lambda row: [row.label])
    counts = Counter(label for row in task.train for label in of_row(row)).most_common()
    shown = listed((f"{label} {count:,}" for label, count in counts), MOST_CLASSES)
    what = "types of entities" if task.kind == "tag" else "classes"
    print(f"{len(counts)} {what}: {shown}", flush=True)


def print_unknown_pieces(task, tokenizer):
    """Whether the checkpoint's vocabulary can spell the texts at all."""
    texts = [row.text for row in task.train[:LOOKED_AT]]
    texts = [" ".join(text) if isinstance(text, list) else text for text in texts]
    texts += [row.other for row in task.train[:LOOKED_AT] if row.other is not None]
    ids = [piece for text in texts for piece in tokenizer.ids(text)]
    share = ids.count(tokenizer.vocabulary.unk) / max(len(ids), 1)
    if share > BEARABLE:
        print(
            f"{share:.0%} of the pieces are [UNK], for the vocabulary of the checkpoint cannot "
            "spell their words: another checkpoint may suit these texts better",
            flush=True,
        )


def print_cut_pairs(task, tokenizer, max_length):
    """How many pairs do not fit: a single text is read in windows, but two are read as one row."""
    if task.kind != "pairs":
        return
    rows = task.train[:LOOKED_AT]
    longest = max_length - 3  # [CLS] A [SEP] B [SEP]
    cut = sum(
        len(tokenizer.ids(row.text)) + len(tokenizer.ids(row.other)) > longest for row in rows
    )
    if cut:
        print(
            f"{cut} of the first {len(rows)} pairs are longer than {max_length} pieces and are cut "
            "at the end of the longer text: choose another --max-length if that hurts",
            flush=True,
        )


def task_from(options):
    from bert_course.training.tasks import KINDS, open_files, open_task

    if options.train or options.dev or options.test:
        if not (options.train and options.dev):
            raise ValueError(
                "Your own files are --train to learn from and --dev to choose by; hold some rows "
                f"of one back for the other. Received: --train {options.train} --dev {options.dev}"
            )
        task = open_files(
            options.task,
            options.train,
            options.dev,
            options.test,
            columns_from(options.columns),
            options.labels,
        )
    elif options.columns or options.labels:
        raise ValueError(
            "--columns and --labels must go with your own files, --train and --dev: leave them "
            f"out. Received: the task {options.task}"
        )
    elif options.task in KINDS and options.task != "pairs":
        raise ValueError(
            f"--task {options.task} is a kind of task: name your files with --train and --dev. "
            "Received: none"
        )
    else:
        task = open_task(options.task, options.download)
    if options.rows is not None and options.rows < 1:
        raise ValueError(f"--rows must be 1 or more. Received: {options.rows}")
    return with_first_rows(task, options.rows)


def with_first_rows(task, count):
    """The task with so many rows to learn from, which must still have all classes."""
    train = task.train[:count]
    if task.kind in ("classify", "pairs"):
        absent = sorted(set(task.labels) - {row.label for row in train})
        if absent:
            raise ValueError(
                "Each class must have rows among the first --rows: take more, or shuffle the file. "
                f"Received: {count}, without any of {listed(absent)}"
            )
    return task._replace(train=train)


def columns_from(given):
    columns = {}
    for each in given:
        role, equals, name = each.partition("=")
        if not (equals and name):
            raise ValueError(
                f"--columns takes pairs such as text=sentence label=gold. Received: {each}"
            )
        columns[role] = name
    return columns or None


def recipe_from(options, config):
    from bert_course.training.finetuning import Recipe, usual_rate
    from bert_course.training.hardware import choose_precision

    chosen = {
        name: getattr(options, name)
        for name, *_ in OPTIONS.values()
        if getattr(options, name) is not None
    }
    if options.max_length is not None and options.max_length > config.max_length:
        raise ValueError(
            f"--max-length must be at most {config.max_length}, the positions that this checkpoint "
            f"has learned; longer texts are read in windows. Received: {options.max_length}"
        )
    chosen["max_length"] = min(chosen.get("max_length", Recipe.max_length), config.max_length)
    chosen = {"precision": choose_precision(), "rate": usual_rate(config)} | chosen
    switches = {name: getattr(options, name) for name in ("weighted", "frozen", "scratch")}
    return Recipe(**switches, **chosen)


def print_without_reading(answers, scores):
    """Beside what was reached, what reading nothing would reach."""
    for found in answers:
        for name, score in found["scores"].items():
            beaten = "" if scores[name][0] > score else ", which this model does not beat"
            print(f"{name} of always answering {found['answer']}: {score:.4f}{beaten}")


def print_epoch(line):
    metric = next(name for name in line if name not in ("seed", "epoch", "loss", "seconds"))
    print(
        f"seed {line['seed']} epoch {line['epoch']:2}  loss {line['loss']:.4f}  "
        f"dev {metric} {line[metric]:.4f}  {line['seconds']:.1f} s, "
        f"{line['left']:.0f} s left",
        flush=True,
    )
