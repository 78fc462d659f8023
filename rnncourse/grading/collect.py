"""Downloads from a learning-management system put where nbgrader looks: submitted/STUDENT/SET/NOTEBOOK, with a time.

A command of its own, not a flag of `grade`: whose a file is, is read off its name, and should be looked at before
there are marks under that name. It asks nothing and can be repeated: a submission is replaced by a newer one only.
"""

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from rnncourse.book.files import write
from rnncourse.grading.course import Course
from rnncourse.grading.downloads import File, files
from rnncourse.grading.names import Names
from rnncourse.grading.record import TIMESTAMP, timestamp


@dataclass
class Collected:
    """Whose notebooks were taken, whose stood because they are as new, and sentences on all that was left aside."""

    taken: set[str] = field(default_factory=set)
    stood: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def collect(course: Course, assignment: str, place: Path) -> Collected:
    """Take a class's notebooks of a problem set from a folder or a zip. Raises `NoDownloads`, `CourseError`."""
    sheets = [sheet.name for sheet in course.sheets(assignment)]
    names = Names(assignment, sheets, [file.parts for file in files(place)])
    collected, taken = Collected(), dict[tuple[str, str], str]()
    if names.around:
        collected.notes.append(printable(f"{names.around}: the one folder around all; students are those within it"))
    for file in files(place):
        shown = "/".join(file.parts)
        owner = names.owner(file.parts)
        if file.refused or isinstance(owner, str):
            collected.aside.append(printable(f"{shown}: {file.refused or owner}"))
            continue
        student, sheet = owner
        target = course.folder(course.directory.submitted_directory, student, assignment)
        if any(path.is_symlink() for path in (target.parent, target, target / f"{sheet}.ipynb")):
            collected.aside.append(printable(f"{shown}: submitted/{student} is a link"))
            continue
        try:
            new = put(file, target, sheet)
        except OSError as error:
            collected.aside.append(printable(f"{shown}: it could not be written ({error})"))
            continue
        if owner in taken:
            winner = shown if new else taken[owner]
            collected.notes.append(printable(f"{student}: two files for {sheet}.ipynb; the newest counts, {winner}"))
        elif not new:
            collected.stood.add(student)
        if new or owner not in taken:
            taken[owner] = shown
        if new:
            collected.taken.add(student)
    collected.stood -= collected.taken
    return collected


def printable(line: str) -> str:
    """A line without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def put(file: File, target: Path, sheet: str) -> bool:
    """Put a file in its place, unless what is there is newer or the same; returns whether it was put."""
    path, old = target / f"{sheet}.ipynb", time_there(target)
    if path.is_file():
        if path.read_bytes() == file.data:
            return False
        if old is not None and (file.when is None or old > file.when):
            return False
    target.mkdir(parents=True, exist_ok=True)
    if file.when is not None:  # first: if the second write is never reached, the same call writes both again
        (target / TIMESTAMP).unlink(missing_ok=True)  # it may be anything
        write(target / TIMESTAMP, f"{file.when:%Y-%m-%d %H:%M:%S} UTC")
    with tempfile.TemporaryDirectory(prefix=".collecting-", dir=target.parent) as folder:
        draft = Path(folder) / path.name
        draft.write_bytes(file.data)
        draft.replace(path)
    return True


def time_there(folder: Path) -> datetime | None:
    """When what is in a folder was handed in; None if that is not known."""
    when = timestamp(folder)
    try:
        return parse_utc(when).replace(tzinfo=UTC) if when else None
    except ValueError:
        return None
