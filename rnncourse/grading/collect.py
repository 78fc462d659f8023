"""Downloads from a learning-management system put where nbgrader looks: submitted/STUDENT/SET/NOTEBOOK, with a time.

A command of its own, not a flag of `grade`: whose a file is, is read off its name, and should be looked at before
there are marks under that name. It asks nothing and can be repeated: a submission is replaced by a newer one only.
"""

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from rnncourse.book.files import write
from rnncourse.grading.course import NAME, Course
from rnncourse.grading.downloads import File, files
from rnncourse.grading.record import TIMESTAMP, timestamp

SYSTEMS = (
    re.compile(r"(?P<student>.+?)_\d+_assignsubmission_file.*"),  # Moodle: Ada Lovelace_1234_assignsubmission_file_
    re.compile(r".+?_(?P<student>[^_]+)_attempt_\d{4}(-\d\d){5}(_.*)?"),  # Blackboard: PS 5_ada_attempt_2026-…
    re.compile(r"(?P<student>[^_]+)_(LATE_)?\d+_\d+(_.*)?"),  # Canvas: lovelaceada_LATE_1234_5678_lstm.ipynb
)
"""How systems name a student's folder or file."""


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
    collected, taken = Collected(), dict[tuple[str, str], tuple[str, ...]]()
    for file in files(place):
        shown = ascii("/".join(file.parts))[1:-1]
        owner = names.owner(file.parts)
        if file.refused or isinstance(owner, str):
            collected.aside.append(f"{shown}: {file.refused or owner}")
            continue
        student, sheet = owner
        target = course.folder(course.directory.submitted_directory, student, assignment)
        if any(path.is_symlink() for path in (target.parent, target, target / f"{sheet}.ipynb")):
            collected.aside.append(f"{shown}: submitted/{student} is a link")
            continue
        new = put(file, target, sheet)
        if owner in taken:
            winner = shown if new else "/".join(taken[owner])
            collected.notes.append(f"{student}: two files for {sheet}.ipynb; the newest counts, {winner}")
        elif not new:
            collected.stood.add(student)
        if new or owner not in taken:
            taken[owner] = file.parts
        if new:
            collected.taken.add(student)
    collected.stood -= collected.taken
    return collected


def put(file: File, target: Path, sheet: str) -> bool:
    """Put a file in its place, unless what is there is newer or the same; returns whether it was put."""
    path, old = target / f"{sheet}.ipynb", time_there(target)
    if path.exists():
        if path.read_bytes() == file.data:
            return False
        if old is not None and (file.when is None or old > file.when):
            return False
    target.mkdir(parents=True, exist_ok=True)
    if file.when is not None:  # first: if the second write is never reached, the same call writes both again
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


def is_systems(name: str) -> bool:
    """Whether a folder or a file was named by a learning-management system."""
    return any(system.fullmatch(name) for system in SYSTEMS)


class Names:
    """Whose a file is, and which notebook, by the folders it lies in and by its name.

    The outermost folder names the student, or what stands before the notebook's name: `ada/lstm.ipynb`,
    `ada_lstm.ipynb`. A folder named after the problem set, or one around all the others, names nobody.
    """

    def __init__(self, assignment: str, sheets: list[str], paths: Iterable[tuple[str, ...]]) -> None:
        self.sets = {assignment, assignment.partition("-")[0]}
        self.sheets = [
            (sheet, re.compile(rf"(?:(?P<own>.+)_)?{re.escape(sheet)}(?:-\d+| ?\(\d+\))?\.ipynb", re.IGNORECASE))
            for sheet in sheets
        ]
        self.around: str | None = None
        notebooks = [path for path in paths if path and path[-1].lower().endswith(".ipynb")]
        first = {path[0] for path in notebooks}
        if len(first) == 1 and not any(map(is_systems, first)):
            inner = [self.owner(path[1:]) for path in notebooks]
            if len({owner for owner in inner if not isinstance(owner, str)}) > 1:
                self.around = first.pop()

    def owner(self, parts: tuple[str, ...]) -> tuple[str, str] | str:
        """The student and the notebook; or a sentence why a file is nobody's."""
        if parts[:1] == (self.around,):
            parts = parts[1:]
        found = [(sheet, match) for sheet, name in self.sheets if parts and (match := name.fullmatch(parts[-1]))]
        if not found:
            return (
                f"no notebook of this problem set; expected {', '.join(f'{sheet}.ipynb' for sheet, _ in self.sheets)}"
            )
        sheet, match = found[0]
        folders = [folder for folder in parts[:-1] if folder not in self.sets]
        named = folders[0] if folders else match["own"]
        if folders and not is_systems(folders[0]) and any(map(is_systems, folders[1:])):
            return "it seems to lie in the zip of a class, within a folder; collect that zip by itself"
        if not named:
            return "its name says nothing of a student; expected STUDENT/NOTEBOOK or STUDENT_NOTEBOOK"
        student = self.student(named, sheet)
        return (student, sheet) if NAME.fullmatch(student) else f"{student!a} is no name of a student"

    def student(self, named: str, sheet: str) -> str:
        """The student in the name of a folder, or in what stands before a notebook's name."""
        for system in SYSTEMS:
            if match := system.fullmatch(named):
                return match["student"].strip()
        for end in (sheet, *self.sets):
            named = re.sub(rf"_{re.escape(end)}$", "", named, flags=re.IGNORECASE)
        return named.strip()
