"""The instructor's commands: `grade`, and what stands around it."""

import argparse
import os
import sys
from pathlib import Path

from tqdm import tqdm

from rnncourse.grading.batch import Batch, Outcome, Scheduler
from rnncourse.grading.course import Course, CourseError
from rnncourse.grading.doctor import walls_missing

ALL, FAILED, SOME = 0, 1, 3
"""Exit statuses: all graded; nothing could be done, or something failed; all graded that could be, and some refused."""

PUBLIC_SEED = "0"
"""What students' own checks could draw from, if they looked."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the instructor's commands to a parser."""
    grade = commands.add_parser("grade", help="mark and record what was handed in, side by side, each in a sandbox")
    grade.add_argument("assignment", help="a problem set, such as ps5")
    grade.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="notebooks at once")
    grade.add_argument(
        "--sandbox",
        choices=("auto", "bwrap", "none"),
        default="auto",
        help="auto and bwrap demand bubblewrap; none runs strangers' code with your own rights",
    )
    grade.add_argument("--force", action="store_true", help="mark again what has its mark")
    grade.set_defaults(run=run_grade)


def run_grade(arguments: argparse.Namespace) -> int:
    """`grade`: returns the exit status."""
    if arguments.jobs < 1:
        raise CourseError(f"expected --jobs to be at least 1, got {arguments.jobs}")
    course = Course(Path())
    assignment = course.assignment(arguments.assignment)
    course.expect_known(assignment)
    walls = arguments.sandbox != "none"
    if walls and (missing := walls_missing()):
        raise CourseError(
            "expected a sandbox, found none: " + "; ".join(missing) + ". `doctor` says how to get it; "
            "`--sandbox none` goes on without, and the marks can be forged"
        )
    if not walls:
        print("No sandbox: the submissions run with your own rights, and the marks can be forged.", file=sys.stderr)
    if course.seed is None:
        print(
            "RNNCOURSE_SEED is not set: the hidden cases are ones that every student can draw. "
            "nbgrader_config.py says where to set it.",
            file=sys.stderr,
        )
    with tqdm(unit=" students", disable=None) as bar, Scheduler(arguments.jobs) as scheduler:

        def tell(done: int, failed: int, of: int) -> None:
            bar.total = of
            bar.set_postfix(failed=failed, refresh=False)
            bar.update(done - bar.n)

        batch = Batch(
            course, assignment, seed=course.seed or PUBLIC_SEED, walls=walls, force=arguments.force, tell=tell
        )
        outcome = batch.run(scheduler)
    print(told(assignment, outcome))
    return FAILED if outcome.failed else SOME if outcome.refused else ALL


def told(assignment: str, outcome: Outcome) -> str:
    """What came of a batch, in lines."""
    lines = [f"{assignment}: {len(outcome.recorded)} graded, {len(outcome.stood)} as before"]
    for word, those in (("refused", outcome.refused), ("failed", outcome.failed)):
        lines += [f"  {word}  {student}: {sentence}" for student, sentence in sorted(those.items())]
    return "\n".join(lines)
