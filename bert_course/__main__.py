"""The command line: `python -m bert_course COMMAND`."""

import argparse
import sys

PROGRAM = "python -m bert_course"
INTERRUPTED = 130  # what shells report for Ctrl-C


def main(arguments=None):
    try:
        options = parse(arguments)
        return options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"{PROGRAM} {options.command}: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    except KeyboardInterrupt:
        print(f"\n{PROGRAM}: interrupted; nothing is half written", file=sys.stderr)
        return INTERRUPTED


def parse(arguments):
    from bert_course.commands import (
        demo,
        examples,
        export,
        fill_mask,
        finetune,
        predict,
        pretrain,
        vocabulary,
        world,
    )  # here, where Ctrl-C is answered in one line

    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Build BERT, and the data it learns from. COMMAND --help says more.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor", help="what works on this machine, what does not, and the fix"
    )
    doctor.set_defaults(run=run_doctor)
    vocabulary.add_to(commands)
    examples.add_to(commands)
    pretrain.add_to(commands)
    fill_mask.add_to(commands)
    finetune.add_to(commands)
    predict.add_to(commands)
    export.add_to(commands)
    demo.add_to(commands)
    world.add_to(commands)
    return parser.parse_args(arguments)


def run_doctor(_):
    from bert_course.doctor import main  # here, for it is slow to start

    return main()


if __name__ == "__main__":
    sys.exit(main())
