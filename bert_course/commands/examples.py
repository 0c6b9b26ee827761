"""`python -m bert_course examples`: text -> pretraining examples."""

import pathlib
import sys
import time

from tqdm import tqdm

from bert_course.text.documents import LAYOUTS, PARAGRAPHS, SENTENCES
from bert_course.text.examples import write_examples
from bert_course.text.wordpiece import WordPieceTokenizer

try:
    import resource
except ImportError:  # Windows
    resource = None

WITH = {SENTENCES: "a sentence a line", PARAGRAPHS: "a paragraph a line"}


def add_to(commands):
    parser = commands.add_parser(
        "examples",
        help="text -> pretraining examples",
        description="Cut text into pairs [CLS] A [SEP] B [SEP], half of them true next sentences, "
        "half with a B from another document, and store them for training.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--corpus", nargs="+", required=True, metavar="FILE", help="UTF-8 text, see --layout")
    add("--vocab", required=True, metavar="FILE", help="vocab.txt, a word piece a line")
    add("--out", required=True, metavar="FOLDER", help="where the examples go")
    for name, default, meaning in (
        ("--max-length", 128, "tokens in an example"),
        ("--seed", 0, "another one gives other pairs"),
        ("--processes", 1, "that share the work"),
        ("--copies", 1, "how often each document is used, each time with other pairs"),
    ):
        add(name, type=int, default=default, metavar="N", help=f"{meaning} ({default})")
    add(
        "--layout",
        choices=LAYOUTS,
        help="what a line is, a sentence or a paragraph; in both, an empty line begins a new "
        "document (without this, guessed for each file)",
    )
    add("--cased", action="store_true", help="for a vocabulary with capital letters and accents")


def run(options):
    start = time.perf_counter()
    tokenizer = WordPieceTokenizer(options.vocab, lowercase=not options.cased)
    refuse_lost_capitals(tokenizer)
    with Progress(options.corpus) as progress:
        header = write_examples(
            options.corpus,
            tokenizer,
            options.out,
            options.max_length,
            options.seed,
            options.processes,
            progress,
            copies=options.copies,
            layout=options.layout,
        )
    layouts = [f"{n:,} with {WITH[layout]}" for layout, n in header["layouts"].items()]
    guessed = "" if options.layout else ", as guessed"
    print(f"{header['documents']:,} documents ({' and '.join(layouts)}{guessed})")
    unknown = header["unknown"] / header["ids"]
    print(f"{header['sentences']:,} sentences, {header['ids']:,} word pieces, {unknown:.1%} [UNK]")
    print(
        f"{header['examples']:,} examples in {options.out}, {header['fill']:.1%} full; "
        f"each piece {header['tokens'] / header['ids']:.2f} times on average"
    )
    print(f"{time.perf_counter() - start:.1f} s{peak_memory()}")
    return 0


def refuse_lost_capitals(tokenizer):
    """Lower-cased text would find none of the pieces that have capitals."""
    pieces = [p for p in tokenizer.vocabulary.pieces if not p.startswith(("[", "<"))]
    capitals = sum(piece != piece.lower() for piece in pieces)
    if tokenizer.lowercase and capitals > len(pieces) / 10:
        raise ValueError(
            f"The vocabulary has {capitals:,} pieces with capital letters, which text in lower "
            "case never uses: add --cased. Received: no --cased"
        )


def peak_memory():
    """The most memory that this process, and the largest of its children, ever held."""
    if resource is None:
        return ""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    own, largest_child = (
        resource.getrusage(who).ru_maxrss / unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    children = f", {largest_child:.0f} MB in the largest other" if largest_child else ""
    return f", at most {own:.0f} MB of memory{children}"


class Progress:
    """Two bars on a terminal, one after the other; nothing elsewhere."""

    def __init__(self, paths):
        sizes = [p.stat().st_size for p in map(pathlib.Path, paths) if p.is_file()]
        self.totals = {"reading": sum(sizes), "pairing": 1}
        self.bar, self.stage = None, None

    def __call__(self, stage, done):
        if stage != self.stage:
            self.close()
            self.stage = stage
            self.bar = tqdm(
                desc=stage,
                total=self.totals[stage],
                unit="B" if stage == "reading" else "",
                unit_scale=True,
                disable=None,  # None: unless standard error is a terminal
            )
        self.bar.update(done - self.bar.n)

    def close(self):
        if self.bar is not None:
            self.bar.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
