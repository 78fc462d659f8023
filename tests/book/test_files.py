"""What the book is made of, and how a change is seen."""

import re
from pathlib import Path

import pytest

from rnncourse.book import files

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path):
    """A small course's folder."""
    for name in (
        "_config.yml",
        "index.md",
        "constraints.txt",
        "chapters/02-b.ipynb",
        "chapters/01-a.ipynb",
        "chapters/.ipynb_checkpoints/01-a-checkpoint.ipynb",
        "exercises/ps1/a.ipynb",
        "rnncourse/cells.py",
        "rnncourse/__pycache__/cells.pyc",
        "rnncourse/book/static/book.css",
        "rnncourse/grading/batch.py",
        "tests/test_cells.py",
        ".venv/pyvenv.cfg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


def test_chapters_come_in_order_without_checkpoints(course):
    assert names(files.chapters(course), course) == ["chapters/01-a.ipynb", "chapters/02-b.ipynb"]


def test_the_book_depends_on_pages_exercises_package_and_configuration(course):
    assert names(files.book_sources(course), course) == [
        "_config.yml",
        "chapters/01-a.ipynb",
        "chapters/02-b.ipynb",
        "constraints.txt",
        "exercises/ps1/a.ipynb",
        "index.md",
        "rnncourse/book/static/book.css",
        "rnncourse/cells.py",
        "rnncourse/grading/batch.py",
    ]


def test_a_chapters_outputs_depend_neither_on_the_books_look_nor_on_the_grader(course):
    assert names(files.package_sources(course), course) == ["constraints.txt", "rnncourse/cells.py"]


@pytest.mark.parametrize("path", files.chapters(ROOT) + files.package_sources(ROOT)[1:], ids=lambda path: path.stem)
def test_the_chapters_import_neither_the_tools_nor_the_grader(path):
    imported = re.findall(r"(?:import|from) +rnncourse(?:\.| +import +)(?:book|grading)\b.*", path.read_text())
    assert not imported, f"{path.name}: {imported}"


@pytest.mark.parametrize("change", ["edited", "deleted", "added", "renamed"])
def test_every_kind_of_change_changes_the_digest(course, change):
    before = files.digest(files.book_sources(course), course)
    chapter = course / "chapters/01-a.ipynb"
    match change:
        case "edited":
            chapter.write_text("other")
        case "deleted":
            chapter.unlink()
        case "added":
            (course / "chapters/03-c.ipynb").write_text("")
        case "renamed":
            chapter.rename(course / "chapters/01-z.ipynb")
    assert files.digest(files.book_sources(course), course) != before


def test_the_digest_is_of_contents_not_of_dates(course):
    before = files.digest(files.book_sources(course), course)
    (course / "index.md").touch()
    assert files.digest(files.book_sources(course), course) == before


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        files.write(path, "new \udc80")
    assert path.read_text() == "old"
