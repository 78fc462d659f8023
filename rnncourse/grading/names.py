"""Whose a file is, read off the names that learning-management systems give to folders and files."""

import re
import unicodedata
from collections.abc import Iterable

from rnncourse.grading.course import NAME

SYSTEMS = (
    # Moodle: Ada Lovelace_1234_assignsubmission_file_
    re.compile(r"(?P<student>.+?)_(?P<id>\d+)_assignsubmission_file.*"),
    # Canvas: lovelaceada_LATE_1234_5678_lstm.ipynb
    re.compile(r"(?P<student>[^_]+)_(LATE_)?(?P<id>\d+)_\d+(_.*)?"),
    # Blackboard: PS 5_ada_attempt_2026-11-20-12-00-00_lstm.ipynb
    re.compile(r".+?_(?P<student>[^_]+)_attempt_\d{4}(-\d\d){5}(_.*)?"),
)
"""How systems name a student's folder or file; the number after the name tells students of one name apart.

Each is tried in its turn, and none can be led astray by the name that a student gives a file: it stands at the end.
"""


def is_systems(name: str) -> bool:
    """Whether a folder or a file was named by a learning-management system."""
    return any(system.fullmatch(name) for system in SYSTEMS)


def plain(name: str) -> str:
    """A name without spaces around it, its letters composed: systems write the same ë in two ways."""
    return unicodedata.normalize("NFC", name).strip()


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
        self.ids: dict[str, set[str]] = {}
        notebooks = [path for path in paths if path and path[-1].lower().endswith(".ipynb")]
        first = {path[0] for path in notebooks}
        if len(first) == 1 and not any(map(is_systems, first)):
            inner = [self.owner(path[1:]) for path in notebooks]
            if len({owner for owner in inner if not isinstance(owner, str)}) > 1:
                self.around = first.pop()
        for path in notebooks:
            _, named = self.named(path)
            for system in SYSTEMS:
                if (match := system.fullmatch(named or "")) and "id" in system.groupindex:
                    self.ids.setdefault(plain(match["student"]), set()).add(match["id"])

    def named(self, parts: tuple[str, ...]) -> tuple[str | None, str | None]:
        """Which notebook a file is, if any, and the part of its path that names the student."""
        if parts[:1] == (self.around,):
            parts = parts[1:]
        for sheet, name in self.sheets:
            if parts and (match := name.fullmatch(parts[-1])):
                folders = [folder for folder in parts[:-1] if folder not in self.sets]
                return sheet, folders[0] if folders else match["own"]
        return None, None

    def owner(self, parts: tuple[str, ...]) -> tuple[str, str] | str:
        """The student and the notebook; or a sentence why a file is nobody's."""
        sheet, named = self.named(parts)
        if sheet is None:
            known = ", ".join(f"{sheet}.ipynb" for sheet, _ in self.sheets)
            return f"no notebook of this problem set; expected {known}"
        if named is None:
            return "its name says nothing of a student; expected STUDENT/NOTEBOOK or STUDENT_NOTEBOOK"
        if not is_systems(named) and any(map(is_systems, parts[:-1])):
            return "it seems to lie in the zip of a class, within a folder; collect that zip by itself"
        student = self.student(named, sheet)
        if len(self.ids.get(student, ())) > 1:
            return f"more than one student is called {student}: rename their folders or files"
        return (student, sheet) if NAME.fullmatch(student) else f"{student!a} is no name of a student"

    def student(self, named: str, sheet: str) -> str:
        """The student in the name of a folder, or in what stands before a notebook's name."""
        for system in SYSTEMS:
            if match := system.fullmatch(named):
                return plain(match["student"])
        for end in (sheet, *self.sets):
            named = re.sub(rf"_{re.escape(end)}$", "", named, flags=re.IGNORECASE)
        return plain(named)
