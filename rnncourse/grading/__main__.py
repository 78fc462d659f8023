"""`python -m rnncourse.grading check NOTEBOOK` says what a student's notebook is worth and whether it can be handed in.

`release` regenerates exercises/ from solutions/, and `in-step` says whether that is needed. `bank` judges all known
mistakes and other solutions, prints a row for each function, and writes the table of the appendix, in two minutes.
`doctor`, `collect`, `grade`, `status`, `feedback`, `export` and `similar` are the instructor's: the page "For
instructors" of the appendix goes through them. All work in the current folder, which must be the project's root, and
end with status 1 if something is wrong.
"""

import argparse
import gc
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from rnncourse.book.files import write
from rnncourse.grading import bank, instructor
from rnncourse.grading.course import CourseError
from rnncourse.grading.release import SOURCE, ReleaseError, out_of_step, release
from rnncourse.grading.selfcheck import NotAProblemSet, selfcheck

BANK_PAGE = "chapters/appendix/graders.md"
"""Where the table of the bank stands."""


def main(argv: list[str] | None = None) -> str | int:
    """Run one command. Returns the exit status, or what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m rnncourse.grading")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("release", help="regenerate exercises/ from solutions/")
    commands.add_parser("in-step", help="say where exercises/ is not what solutions/ gives")
    commands.add_parser("bank", help=f"judge all known mistakes and other solutions; write {BANK_PAGE}")
    checker = commands.add_parser(
        "check", help="run a notebook of a problem set: points, what is wrong, fit to hand in"
    )
    checker.add_argument("notebook", type=Path)
    instructor.add_commands(commands)
    arguments = parser.parse_args(argv)
    root = Path()
    if not (root / SOURCE).is_dir():
        return f"expected the folder {SOURCE}/ here: run this from the project's root"
    try:
        if "run" in arguments:
            return int(arguments.run(arguments))
        if arguments.command == "check":
            checked = selfcheck(arguments.notebook, root)
            print(checked)
            return 0 if checked.fit else 1
        if arguments.command == "bank":
            page = root / BANK_PAGE
            rows = []
            for row in bank.records():
                print(row.row, flush=True)
                rows.append(row)
            write(page, bank.with_table(page.read_text(encoding="utf-8"), rows))
            return 0
        if arguments.command == "release":
            for name in release(root):
                print(f"exercises/{name} changed")
        elif lines := out_of_step(root):
            return "\n".join(["exercises/ is not in step with solutions/; `make exercises` mends it:", *lines])
    except (CourseError, NotAProblemSet, ReleaseError, OSError, SQLAlchemyError) as error:
        return str(error)
    except KeyboardInterrupt:
        return "stopped; what was done is kept, and the same command goes on from there"
    return 0


if __name__ == "__main__":
    status = main()
    gc.freeze()  # else Python, at its end, looks once more at all that was imported: a third of a second
    sys.exit(status)
