"""The instructor's commands: `grade`, and what stands around it."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from rnncourse.grading import collect, feedback, reports, similar
from rnncourse.grading.batch import Batch, Scheduler
from rnncourse.grading.cluster import Cluster
from rnncourse.grading.course import CourseError
from rnncourse.grading.doctor import walls_missing
from rnncourse.grading.downloads import NoDownloads
from rnncourse.grading.reports import ALL, FAILED, SOME, opened, show

PUBLIC_SEED = "0"
"""What students' own checks could draw from, if they looked."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the instructor's commands to a parser."""

    def add(
        name: str, run: Callable[[argparse.Namespace], int], says: str, *, of_a_set: bool
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=says, description=f"{says[0].upper()}{says[1:]}.")
        command.set_defaults(run=run)
        if of_a_set:
            command.add_argument("assignment", metavar="SET", help="a problem set: ps5, or its whole name ps5-lstm")
        return command

    add(
        "doctor", reports.run_doctor, "say what grading needs, what of it is missing, and how to get it", of_a_set=False
    )
    collects = add("collect", run_collect, "copy downloads into submitted/STUDENT/SET, with their times", of_a_set=True)
    collects.add_argument(
        "place", type=Path, metavar="PATH", help="the zip of a class, or a folder of zips, files, folders"
    )
    grade = add(
        "grade", run_grade, "mark and record what was handed in, side by side, each in a sandbox", of_a_set=True
    )
    grade.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="notebooks at once")
    grade.add_argument(
        "--sandbox",
        choices=("auto", "bwrap", "none"),
        default="auto",
        help="auto and bwrap demand bubblewrap; none runs strangers' code with your own rights",
    )
    grade.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that marks, such as tcp://host:8786")
    grade.add_argument("--force", action="store_true", help="mark again what has its mark")
    add("status", reports.run_status, "say who has what mark, who is late, and why some have none", of_a_set=True)
    gives = add("feedback", run_feedback, "write each student's page into feedback/STUDENT/SET", of_a_set=True)
    gives.add_argument("--force", action="store_true", help="write also the pages that would not change")
    exports = add("export", reports.run_export, "write the marks of all problem sets as CSV", of_a_set=False)
    exports.add_argument(
        "-o", "--output", type=Path, default=Path("grades.csv"), metavar="FILE", help="grades.csv if not said"
    )
    alike = add(
        "similar", reports.run_similar, "report which submissions resemble each other; no verdict", of_a_set=True
    )
    alike.add_argument(
        "--above", type=float, default=similar.THRESHOLD, metavar="SHARE", help="of what two functions hold, 0 to 1"
    )


def run_collect(arguments: argparse.Namespace) -> int:
    """`collect`: returns the exit status. Raises `CourseError` if it was called wrongly."""
    course, assignment = opened(arguments)
    try:
        found = collect.collect(course, assignment, arguments.place)
    except NoDownloads as error:
        raise CourseError(str(error)) from None
    print(f"{assignment}: {len(found.taken)} taken, {len(found.stood)} as before")
    show("note", found.notes)
    show("left aside", found.aside)
    if not found.taken | found.stood:
        raise CourseError(f"expected notebooks of {assignment} in {arguments.place}, found none")
    return SOME if found.aside else ALL


def run_grade(arguments: argparse.Namespace) -> int:
    """`grade`: returns the exit status. Raises `CourseError` if it was called wrongly."""
    if arguments.jobs < 1:
        raise CourseError(f"expected --jobs to be at least 1, got {arguments.jobs}")
    course, assignment = opened(arguments)
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
    seed = course.seed or PUBLIC_SEED
    marking = Cluster(arguments.scheduler) if arguments.scheduler else Scheduler(arguments.jobs)
    with progress() as tell, marking as scheduler:
        outcome = Batch(course, assignment, seed=seed, walls=walls, force=arguments.force, tell=tell).run(scheduler)
    print(f"{assignment}: {len(outcome.recorded)} graded, {len(outcome.stood)} as before")
    show("refused", (f"{student}: {sentence}" for student, sentence in sorted(outcome.refused.items())))
    show("failed", (f"{student}: {sentence}" for student, sentence in sorted(outcome.failed.items())))
    return FAILED if outcome.failed else SOME if outcome.refused else ALL


def run_feedback(arguments: argparse.Namespace) -> int:
    """`feedback`: returns the exit status."""
    course, assignment = opened(arguments)
    with progress() as tell:
        given = feedback.give(course, assignment, force=arguments.force, tell=tell)
    print(f"{assignment}: {len(given.written)} written, {len(given.stood)} as before")
    show("not graded yet", given.ungraded)
    show("failed", (f"{student}: {sentence}" for student, sentence in sorted(given.failed.items())))
    pages = course.folder(course.directory.feedback_directory, "STUDENT", assignment).relative_to(course.root)
    print(f"The pages are {pages}/*.html. Through the exchange: nbgrader release_feedback {assignment}")
    return FAILED if given.failed else SOME if given.ungraded else ALL


@contextmanager
def progress() -> Iterator[Callable[[int, int, int], None]]:
    """A bar on the terminal, and what to tell it: done, failed, all."""
    with tqdm(unit=" students", disable=None) as bar:

        def tell(done: int, failed: int, of: int) -> None:
            bar.total = of
            bar.set_postfix(failed=failed, refresh=False)
            bar.update(done - bar.n)

        yield tell
