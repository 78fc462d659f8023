"""All marks as a table: the columns of `nbgrader export`, quoted as CSV asks for, and written whole or not at all."""

import csv
import io
from pathlib import Path
from typing import Any

from rnncourse.book.files import write
from rnncourse.grading.course import Course
from rnncourse.grading.status import mark

COLUMNS = [
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
]
"""A row for each problem set and each student; who handed nothing in has 0 points and no timestamp."""


def rows(course: Course) -> list[dict[str, Any]]:
    """The table's rows. Raises `CourseError` if there is no gradebook."""
    found = []
    with course.gradebook() as gradebook:
        students = sorted(gradebook.students, key=lambda student: student.id)
        for assignment in sorted(gradebook.assignments, key=lambda assignment: assignment.name):
            submissions = {one.student_id: one for one in gradebook.assignment_submissions(assignment.name)}
            for student in students:
                submission = submissions.get(student.id)
                row = {
                    "assignment": assignment.name,
                    "duedate": assignment.duedate,
                    "timestamp": submission and submission.timestamp,
                    "student_id": student.id,
                    "last_name": student.last_name,
                    "first_name": student.first_name,
                    "email": student.email,
                    "raw_score": submission.score if submission else 0.0,
                    "late_submission_penalty": (submission and submission.late_submission_penalty) or 0.0,
                    "score": mark(submission) or 0.0,
                    "max_score": assignment.max_score,
                }
                found.append({name: cell(value) for name, value in row.items()})
    return found


def cell(value: Any) -> Any:
    """A value as a spreadsheet shows it: a text that begins like a formula stays a text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value


def export(course: Course, path: Path) -> int:
    """Write the table to a file; returns how many rows it has. Raises `CourseError`, and OSError if it cannot write."""
    if not path.absolute().parent.is_dir():
        raise OSError(f"there is no folder {path.parent}")
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    found = rows(course)
    table.writerows(found)
    write(path, text.getvalue())
    return len(found)
