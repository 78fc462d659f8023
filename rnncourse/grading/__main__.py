"""`python -m rnncourse.grading release` regenerates exercises/ from solutions/; `in-step` says whether that is needed.

Both work in the current folder, which must be the project's root, and end with status 1 if something is wrong.
"""

import argparse
import sys
from pathlib import Path

from rnncourse.grading.release import SOURCE, ReleaseError, out_of_step, release


def main(argv: list[str] | None = None) -> str | int:
    """Run one command. Returns the exit status, or what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m rnncourse.grading")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("release", help="regenerate exercises/ from solutions/")
    commands.add_parser("in-step", help="say where exercises/ is not what solutions/ gives")
    command = parser.parse_args(argv).command
    root = Path()
    if not (root / SOURCE).is_dir():
        return f"expected the folder {SOURCE}/ here: run this from the project's root"
    try:
        if command == "release":
            for name in release(root):
                print(f"exercises/{name} changed")
        elif lines := out_of_step(root):
            return "\n".join(["exercises/ is not in step with solutions/; `make exercises` mends it:", *lines])
    except ReleaseError as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
