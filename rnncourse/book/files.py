"""Which files the book is made of, and whether they have changed."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

PASSING = {"__pycache__", ".ipynb_checkpoints", ".virtual_documents"}
"""Folders that interpreters and editors leave behind."""


def tree(*places: Path) -> list[Path]:
    """Every file at or below the given places, sorted, without what editors and interpreters leave behind."""
    found: set[Path] = set()
    for place in places:
        found.update([place] if place.is_file() else (path for path in place.rglob("*") if path.is_file()))
    return sorted(path for path in found if not PASSING.intersection(path.parts))


def chapters(root: Path) -> list[Path]:
    """The chapters' notebooks, in order."""
    return [path for path in tree(root / "chapters") if path.suffix == ".ipynb"]


def book_sources(root: Path) -> list[Path]:
    """All that a page of the book can depend on."""
    pages = (path for path in root.glob("*") if path.suffix in {".yml", ".md", ".bib", ".svg", ".txt"})
    return tree(*pages, *(root / name for name in ("chapters", "exercises", "rnncourse")))


def package_sources(root: Path) -> list[Path]:
    """All, besides its own cells, that a chapter's outputs can depend on: the package and the environment's pins.

    No chapter imports the book's tools or the grader: see `test_the_chapters_import_neither_the_tools_nor_the_grader`.
    """
    package = root / "rnncourse"
    apart = {package / "book", package / "grading"}
    return [path for path in tree(package, root / "constraints.txt") if apart.isdisjoint(path.parents)]


def digest(paths: Iterable[Path], root: Path) -> str:
    """A fingerprint of the files' names below `root` and their contents; a deleted file changes it too."""
    whole = sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


def write(path: Path, text: str) -> bool:
    """Write `text` whole or not at all. Returns whether the file's content changed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return True
