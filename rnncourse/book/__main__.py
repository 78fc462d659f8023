"""python -m rnncourse.book: the book's tooling, run from the course's folder."""

import argparse
import sys
from pathlib import Path

from rnncourse.book import build, execution, files, notebooks


def check(paths: list[Path]) -> int:
    """Name the notebooks that are not in their normal form. Returns how many."""
    bad = 0
    for path in paths:
        try:
            fault = "" if notebooks.is_normal(path) else "not in its normal form"
        except ValueError as error:
            fault = str(error)
        if fault:
            bad += 1
            print(f"{path}: {fault}")
    if bad:
        print("To mend it: make notebooks")
    return bad


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rnncourse.book", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, purpose in (
        ("build", "execute the chapters that changed and build the HTML book"),
        ("execute", "execute the chapters that changed, into the book's cache"),
        ("normalize", "execute what changed and rewrite the chapters in their normal form"),
        ("check", "name the chapters that are not in their normal form"),
        ("zip", "pack the built book into one archive"),
    ):
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name in {"build", "execute", "normalize"}:
            command.add_argument("--jobs", type=int, help="notebooks at a time (default: the number of processors)")
    options = parser.parse_args(arguments)

    root = Path.cwd()
    if not (root / "_toc.yml").exists():
        parser.error(f"expected to run in the course's folder, which has a _toc.yml; got {root}")
    match options.command:
        case "build":
            return int(not build.build(root, options.jobs))
        case "execute":
            return int(execution.execute_chapters(root, options.jobs) > 0)
        case "normalize":
            return int(execution.normalize(root, options.jobs) > 0)
        case "check":
            return int(check(files.chapters(root)) > 0)
        case "zip":
            print(f"Packed: {build.pack(root).relative_to(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
