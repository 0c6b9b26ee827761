"""The command line: `python -m bert_course COMMAND`."""

import argparse
import sys


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bert_course", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("doctor", help="what works on this machine, what does not, and the fix")
    parser.parse_args(arguments)

    from bert_course.doctor import main as doctor  # here, for it is slow to start

    return doctor()


if __name__ == "__main__":
    sys.exit(main())
