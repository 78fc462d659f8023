"""The instructor's commands that only read: `doctor`, `status`, `similar`, and `export`, which writes what it read."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rnncourse.grading import doctor, export, similar, status
from rnncourse.grading.course import Course, CourseError
from rnncourse.grading.machine import MISSING

ALL, FAILED, SOME = 0, 1, 3
"""Exit statuses: all done; nothing could be done, or something failed; all done that could be, and some left out."""


def run_doctor(arguments: argparse.Namespace) -> int:
    """`doctor`: returns the exit status."""
    missing = 0
    for finding in doctor.examined(Course(Path())):
        print(finding)
        missing += finding.state == MISSING
    print("\nGrading can go on." if not missing else f"\nGrading cannot go on: {missing} missing.")
    return FAILED if missing else ALL


def run_status(arguments: argparse.Namespace) -> int:
    """`status`: returns the exit status."""
    course, assignment = opened(arguments)
    print(f"{assignment}\n{status.table(status.rows(course, assignment))}")
    if not status.trouble(course, assignment).get("walls", True):
        print("Marked without a sandbox: any of these marks may be forged.")
    return ALL


def run_export(arguments: argparse.Namespace) -> int:
    """`export`: returns the exit status. Raises `CourseError` if it was called wrongly."""
    try:
        count = export.export(Course(Path()), arguments.output)
    except OSError as error:
        raise CourseError(f"cannot write {arguments.output}: {error.strerror or error}") from None
    print(f"{arguments.output}: {count} rows")
    return ALL


def run_similar(arguments: argparse.Namespace) -> int:
    """`similar`: returns the exit status. Raises `CourseError` if it was called wrongly."""
    if not 0 < arguments.above <= 1:
        raise CourseError(f"expected --above to be a share, above 0 and at most 1, got {arguments.above:g}")
    course, assignment = opened(arguments)
    found, unread = similar.similar(course, assignment, arguments.above)
    print(f"{assignment}: {len(found)} pairs. A report, not a verdict: read both before you ask anybody.")
    for pair in found:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in pair.functions.items())
        print(f"  {pair.one} and {pair.other}: {shares}")
    show("not read", (f"{student}: {sentence}" for student, sentence in sorted(unread.items())))
    return SOME if unread else ALL


def opened(arguments: argparse.Namespace) -> tuple[Course, str]:
    """The course in this folder, and the whole name of the problem set. Raises `CourseError`."""
    course = Course(Path())
    return course, course.assignment(arguments.assignment)


def show(word: str, lines: Iterable[str]) -> None:
    """Print lines behind a word."""
    for line in lines:
        print(f"  {word}  {line}")
