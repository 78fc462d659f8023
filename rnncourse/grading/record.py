"""Record a marked notebook in nbgrader's gradebook, as `nbgrader autograde` would have.

The marked notebook already holds its outputs and its points. So nbgrader's own converter runs without its execution: it
puts the locked cells back, saves the points, applies late penalties and writes autograded/. Manual grades and comments
stay what they were.
"""

import logging
import re
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, OverwriteCells, SaveAutoGrades
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning

from rnncourse.grading.course import Course

TIMESTAMP = "timestamp.txt"
"""Where nbgrader writes when something was handed in."""


class NotRecorded(Exception):
    """nbgrader did not take a student's marks; what it said is the message."""


def timestamp(folder: Path) -> str | None:
    """When a folder was handed in, as nbgrader wrote it there; None if it says nothing readable."""
    path = folder / TIMESTAMP
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 200:
        return None
    when = path.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch(r"[\w .:+-]+", when, flags=re.ASCII):  # a path would be read as a time zone
        return None
    try:
        parse_utc(when)
    except (ValueError, OverflowError):
        return None
    return when


def record(course: Course, assignment: str, student: str, marked: dict[str, str], when: str | None) -> None:
    """Write a student's points of a problem set into the gradebook, and the marked notebooks into autograded/.

    `marked` holds the notebooks as JSON by name, `when` is the time of the submission. Done twice, it does the same
    again. Raises `NotRecorded`.
    """
    with tempfile.TemporaryDirectory(prefix=".recording-", dir=course.root) as folder:
        here = Path(folder) / student / assignment
        here.mkdir(parents=True)
        for name, notebook in marked.items():
            (here / f"{name}.ipynb").write_text(notebook, encoding="utf-8")
        if when:
            (here / TIMESTAMP).write_text(when, encoding="utf-8")
        directory = CourseDirectory(config=course.config, root=str(course.root))
        directory.submitted_directory = Path(folder).name
        directory.assignment_id, directory.student_id = assignment, student
        converter = Autograde(coursedir=directory, config=course.config)
        converter.force = True
        converter.sanitize_preprocessors = [OverwriteCells]
        converter.autograde_preprocessors = [SaveAutoGrades, AssignLatePenalties]
        converter.log = logging.getLogger(f"{__name__}.nbgrader")
        converter.log.setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's, harmless
                converter.start()
        except (NbGraderException, SystemExit, OSError, nbformat.ValidationError) as error:
            raise NotRecorded(str(error) or type(error).__name__) from error
