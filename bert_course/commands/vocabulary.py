"""`python -m bert_course vocabulary`: text -> the word pieces to cut it into."""

import pathlib

from tqdm import tqdm

from bert_course.text.documents import LAYOUTS, read_documents
from bert_course.text.vocabulary import Vocabulary
from bert_course.text.wordpiece import learn_vocabulary


def add_to(commands):
    parser = commands.add_parser(
        "vocabulary",
        help="text -> the word pieces to cut it into",
        description="Learn word pieces from text and write them to a file, one a line.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--corpus", nargs="+", required=True, metavar="FILE", help="UTF-8 text")
    add("--size", type=int, default=8000, metavar="N", help="how many pieces (8000)")
    add("--out", required=True, metavar="FILE", help="where they go, such as vocab.txt")
    add("--layout", choices=LAYOUTS, help="what a line is (without this, guessed for each file)")
    add("--cased", action="store_true", help="keep capital letters and accents")


def run(options):
    out = pathlib.Path(options.out)
    if out.is_dir() or not out.parent.is_dir():
        raise ValueError(f"The pieces go to a file in a folder that exists. Received: {out}")
    documents = tqdm(
        read_documents(options.corpus, options.layout), "reading", unit=" documents", disable=None
    )
    sentences = (sentence for document in documents for sentence in document)
    pieces = learn_vocabulary(sentences, options.size, lowercase=not options.cased)
    Vocabulary(pieces).save(out)
    print(f"{len(pieces):,} pieces in {out}")
    return 0
