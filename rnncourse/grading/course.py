"""The course that is graded, as nbgrader knows it: its folders, its problem sets, what was handed in."""

import os
import re
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url

from rnncourse.grading import marking
from rnncourse.grading.unit import Sheet

NAME = re.compile(r"\w[\w.@+ -]{0,63}(?<! )")
"""What the name of a student may look like: letters of any script, digits, and a few signs; no path, no tag, and no
space at its end, which nbgrader takes off."""


class CourseError(Exception):
    """Something is missing before anything can be graded; a sentence says what, and how to get it."""


class Course:
    """The course in a folder, with nbgrader's configuration: the folder's own, and the instructor's."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        before = Path.cwd()
        os.chdir(self.root)
        try:
            app = NbGrader()
            app.initialize([])
        finally:
            os.chdir(before)
        self.config = app.config
        self.directory = CourseDirectory(config=app.config, root=str(self.root))

    @property
    def seed(self) -> str | None:
        """What the hidden cases are drawn from, if the instructor has set it."""
        return os.environ.get("RNNCOURSE_SEED", "") or None

    def folder(self, kind: str, student: str, assignment: str) -> Path:
        """The folder of a kind (submitted, autograded …) that holds a student's notebooks of a problem set."""
        return Path(self.directory.format_path(kind, student, assignment))

    def assignments(self) -> list[str]:
        """The problem sets there are, by name."""
        source = self.root / self.directory.source_directory
        return sorted(path.name for path in source.iterdir() if any(path.glob("*.ipynb"))) if source.is_dir() else []

    def assignment(self, name: str) -> str:
        """The full name of a problem set: "ps5" is ps5-lstm. Raises `CourseError` if there is not just one."""
        source, names = self.directory.source_directory, self.assignments()
        found = [one for one in names if one == name] or [one for one in names if one.startswith(f"{name}-")]
        if len(found) != 1:
            raise CourseError(f"expected a problem set in {source}/, one of {', '.join(names)}; got {name!r}")
        return str(found[0])

    def sheets(self, assignment: str) -> list[Sheet]:
        """The notebooks of a problem set. Raises `CourseError` if they cannot be graded as they are."""
        source = self.folder(self.directory.source_directory, ".", assignment)
        found = []
        for path in sorted(source.glob("*.ipynb")):
            released = self.folder(self.directory.release_directory, ".", assignment) / path.name
            if not released.exists():
                raise CourseError(f"expected the release {released.relative_to(self.root)}: run `make exercises`")
            try:
                functions = marking.functions(nbformat.read(path, as_version=4))
            except marking.NoCheck as error:
                raise CourseError(f"{path.relative_to(self.root)}: {error}") from None
            found.append(Sheet(path.stem, nbformat.read(released, as_version=4), functions))
        return found

    def expect_known(self, assignment: str) -> None:
        """Raise `CourseError` unless the gradebook knows the problem set."""
        if assignment not in self.known():
            raise CourseError(
                f"expected {assignment} in the gradebook, found it missing: "
                f"run `nbgrader generate_assignment {assignment}`"
            )

    def known(self) -> set[str]:
        """The problem sets that the gradebook knows; none if there is no gradebook."""
        try:
            with self.gradebook() as gradebook:
                return {one.name for one in gradebook.assignments}
        except CourseError:
            return set()

    def gradebook(self) -> Gradebook:
        """nbgrader's database, as a context manager. Raises `CourseError` if its file is not there."""
        url = make_url(self.directory.db_url)
        path = Path(url.database or "")
        if url.drivername.startswith("sqlite") and url.database and not path.exists():
            raise CourseError(
                f"expected the gradebook {path.name}, found none: "
                "`nbgrader generate_assignment` makes it, with the problem set that you name"
            )
        return Gradebook(self.directory.db_url, self.directory.course_id)

    def policy(self, assignment: str) -> str:
        """What a late mark depends on: the date due, and what nbgrader is told to do with late submissions."""
        with self.gradebook() as gradebook:
            due = gradebook.find_assignment(assignment).duedate
        late = [self.config.get(name) for name in ("AssignLatePenalties", "LateSubmissionPlugin")]
        return f"{due} {late}"

    def handed_in(self, assignment: str) -> tuple[list[str], dict[str, str]]:
        """The students who handed in a problem set; and those refused by their folder's name, with a sentence why."""
        submitted = self.root / self.directory.submitted_directory
        students: list[str] = []
        refused: dict[str, str] = {}
        for folder in sorted(submitted.iterdir()) if submitted.is_dir() else []:
            if folder.name.startswith(".") or not os.path.lexists(folder / assignment):
                continue
            if not NAME.fullmatch(folder.name):
                refused[ascii(folder.name)] = "the folder's name is no name of a student"
            elif folder.is_symlink() or (folder / assignment).is_symlink() or not (folder / assignment).is_dir():
                refused[folder.name] = "expected a folder, got a link or a file"
            else:
                students.append(folder.name)
        return students, refused
