"""Feedback for a class: nbgrader's page for each student, made anew where marks, comments or outputs have changed."""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning

from rnncourse.book.files import digest, tree, write
from rnncourse.grading.batch import KEPT
from rnncourse.grading.checks.attempt import OutOfTime, limited
from rnncourse.grading.course import Course
from rnncourse.grading.release import errors_of, replace

SECONDS = 60.0
"""How long one student's page may take; most need a second. Code can be written whose highlighting needs days."""

READABLE = """<meta name="viewport" content="width=device-width">
<style>
th, td { padding: 0.2em 1em 0.2em 0; vertical-align: top; }
pre { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; }
</style>
</head>"""
"""For the end of a page's head: tables whose columns keep apart, and lines that end where a phone's screen does."""


class NoFeedback(Exception):
    """nbgrader did not write a student's page; what it said is the message."""


@dataclass
class Given:
    """Whose page was written, whose stood as it was, who has none because nothing is graded, and what failed."""

    written: list[str] = field(default_factory=list)
    stood: list[str] = field(default_factory=list)
    ungraded: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def give(
    course: Course,
    assignment: str,
    *,
    force: bool = False,
    tell: Callable[[int, int, int], None] = lambda done, failed, of: None,
) -> Given:
    """Write the feedback of a problem set into feedback/STUDENT/SET; `tell(done, failed, all)` after each student.

    One student's trouble is listed, and the others go on. Raises `CourseError`.
    """
    course.expect_known(assignment)
    given = Given()
    names = course.handed_in(assignment)[0]
    with course.gradebook() as gradebook:
        graded = {one.student_id: marks(one) for one in gradebook.assignment_submissions(assignment)}
    names = sorted({*names, *graded})
    for k, name in enumerate(names, start=1):
        source = course.folder(course.directory.autograded_directory, name, assignment)
        page = course.folder(course.directory.feedback_directory, name, assignment)
        if name not in graded or not any(source.glob("*.ipynb")):
            given.ungraded.append(name)
            continue
        stamp = course.root / KEPT / "feedback" / assignment / name
        key = hashlib.sha256(f"{digest(tree(source), source)} {graded[name]}".encode()).hexdigest()
        if not force and any(page.glob("*.html")) and stamp.exists() and stamp.read_text(encoding="utf-8") == key:
            given.stood.append(name)
        else:
            try:
                generate(course, assignment, name, page)
                write(stamp, key)
                given.written.append(name)
            except (NoFeedback, OSError) as error:
                given.failed[name] = str(error)
        tell(k, len(given.failed), len(names))
    return given


def marks(submission: Any) -> str:
    """Of the gradebook, all that a student's page shows: points, penalties, comments."""
    pages = [
        [
            notebook.name,
            notebook.late_submission_penalty,
            sorted([grade.name, grade.score, grade.max_score] for grade in notebook.grades),
            sorted([comment.name, comment.comment or ""] for comment in notebook.comments),
        ]
        for notebook in submission.notebooks
    ]
    return json.dumps(sorted(pages, key=lambda page: str(page[0])))


def generate(course: Course, assignment: str, student: str, target: Path) -> None:
    """Write a student's page whole, then put it in its place. Raises `NoFeedback`."""
    with tempfile.TemporaryDirectory(prefix=".feedback-", dir=course.root) as folder:
        directory = CourseDirectory(config=course.config, root=str(course.root))
        directory.feedback_directory = Path(folder).name
        directory.assignment_id, directory.student_id = assignment, student
        converter = GenerateFeedback(coursedir=directory, config=course.config)
        with errors_of(converter.log) as said, warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's, harmless
            try:
                with limited(SECONDS):
                    converter.start()
            except OutOfTime as late:
                raise NoFeedback(f"the page {late}: are there cells of many blank lines?") from None
            except (Exception, SystemExit) as error:  # nbgrader raises many kinds, and tells the reason in its log
                raise NoFeedback(said[0] if said else str(error)) from error
        for page in Path(folder).rglob("*.html"):
            page.write_text(page.read_text(encoding="utf-8").replace("</head>", READABLE, 1), encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(target, Path(directory.format_path(folder, student, assignment)), Path(folder))
