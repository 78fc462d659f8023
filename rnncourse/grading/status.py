"""Who has what mark of a problem set, who is late, and why some have none: read, not computed."""

import json
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nbgrader.api import SubmittedAssignment
from nbgrader.utils import parse_utc

from rnncourse.grading.batch import KEPT, TROUBLE
from rnncourse.grading.course import Course
from rnncourse.grading.record import timestamp

GRADED, ABSENT, WAITING = "graded", "not handed in", "handed in, not graded yet"
CHANGED, MANUAL = "handed in again since: run grade", "needs a manual grade"
"""What can be said of a student besides "refused: …" and "failed: …"."""


@dataclass(frozen=True)
class Row:
    """A student: the mark after late penalties and the points there are, how late, and what is to be said.

    The mark is None where the gradebook has none.
    """

    student: str
    mark: float | None
    of: float
    late: timedelta
    says: str


def rows(course: Course, assignment: str) -> list[Row]:
    """A row for each student of the gradebook and each who handed something in. Raises `CourseError`."""
    course.expect_known(assignment)
    names, unnamed = course.handed_in(assignment)
    last = trouble(course, assignment)
    refused, failed = last.get("refused", {}), last.get("failed", {})
    with course.gradebook() as gradebook:
        of = gradebook.find_assignment(assignment).max_score
        submissions = {one.student_id: one for one in gradebook.assignment_submissions(assignment)}
        students = {one.id for one in gradebook.students}
        found = []
        for name in sorted(students | submissions.keys() | set(names) | set(unnamed)):
            submission = submissions.get(name)
            says = GRADED if submission else WAITING if name in names else ABSENT
            if submission is not None and name in names and changed(course, assignment, submission):
                says = CHANGED
            elif name in failed:
                says = f"failed: {failed[name]}"
            elif name in refused or name in unnamed:
                says = f"refused: {refused.get(name) or unnamed[name]}"
            elif submission is not None and submission.needs_manual_grade:
                says = MANUAL
            late = timedelta(seconds=int(submission.total_seconds_late)) if submission else timedelta()
            found.append(Row(name, mark(submission), of, late, says))
    return found


def trouble(course: Course, assignment: str) -> dict[str, Any]:
    """What the last batch left to say, as `Batch.run` writes it; empty if there was none."""
    path = course.root / KEPT / TROUBLE / f"{assignment}.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return kept


def mark(submission: SubmittedAssignment | None) -> float | None:
    """The points of a submission after its late penalty."""
    if submission is None:
        return None
    return float(max(0.0, submission.score - (submission.late_submission_penalty or 0)))


def changed(course: Course, assignment: str, submission: SubmittedAssignment) -> bool:
    """Whether something was handed in after what was graded: by its time, or by its files' times."""
    name = submission.student_id
    folder = course.folder(course.directory.submitted_directory, name, assignment)
    when = timestamp(folder)
    try:
        if when and submission.timestamp and parse_utc(when) > submission.timestamp:
            return True
    except ValueError:  # no time that can be read; the grader says so
        pass
    stamp = course.root / KEPT / "recorded" / assignment / name
    graded = stamp.stat().st_mtime if stamp.exists() else float("inf")
    now = time.time()  # a time to come is one that its author chose
    return any(graded < path.lstat().st_mtime <= now for path in folder.glob("*.ipynb"))


def table(rows: list[Row]) -> str:
    """The rows as text, and their totals: how many have a mark, its mean and its median; how many of each kind."""
    if not rows:
        return "no student is known, and nothing was handed in"
    width = max(len(row.student) for row in rows)
    lines = []
    for row in rows:
        points = "–" if row.mark is None else f"{row.mark:g}"
        late = f"{row.late} late; " if row.late else ""
        lines.append(f"{row.student:<{width}}  {points:>5} of {row.of:g}  {late}{row.says}")
    marks = [row.mark for row in rows if row.mark is not None]
    kinds: dict[str, int] = {}
    for row in rows:
        kind = row.says.partition(":")[0]
        kinds[kind] = kinds.get(kind, 0) + 1
    counts = "; ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    total = f"{len(rows)} students: {counts}; {sum(bool(row.late) for row in rows)} late"
    if marks:
        total += f"\n{len(marks)} marks: mean {statistics.mean(marks):.1f}, median {statistics.median(marks):g}"
    return "\n".join([*lines, "", total])
