"""Build the HTML book: execute what changed, then hand over to Jupyter Book with warnings as errors."""

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import rnncourse
from rnncourse.book import execution, files


def is_current(root: Path) -> bool:
    """Whether the built book was made from the sources as they are now."""
    stamp = _stamp(root)
    made_from = stamp.read_text(encoding="utf-8") if stamp.exists() else ""
    return (root / "_build/html/index.html").exists() and made_from == files.digest(files.book_sources(root), root)


def build(root: Path, jobs: int | None = None, say: Callable[[str], None] = print) -> bool:
    """Build the book at `_build/html/index.html` unless it is current. Returns whether there is one to read.

    Every page is written anew: Sphinx repeats no warning for a page it does not read again, and a warning is an error.
    """
    if is_current(root):
        say("The book is up to date: _build/html/index.html")
        return True
    made_from = files.digest(files.book_sources(root), root)
    if execution.execute_chapters(root, jobs, say):
        say("The book was not built: mend the failing cells first.")
        return False
    for stale in ("html", ".doctrees"):
        shutil.rmtree(root / "_build" / stale, ignore_errors=True)
    _stamp(root).unlink(missing_ok=True)
    jupyter_book = str(Path(sysconfig.get_path("scripts"), "jupyter-book"))
    command = [jupyter_book, "build", str(root), "-W", "-n", "--keep-going", "--quiet"]
    if subprocess.run(command, check=False).returncode:
        say("The book was not built: see the warnings above.")
        return False
    files.write(_stamp(root), made_from)
    say("The book is built: _build/html/index.html")
    return True


def pack(root: Path) -> Path:
    """Pack the built book into one archive, written whole or not at all. Returns its path."""
    html = root / "_build/html"
    archive = root / "_build" / f"rnncourse-book-{rnncourse.__version__}.zip"
    draft = archive.with_suffix(".draft")
    with ZipFile(draft, "w", ZIP_DEFLATED) as packed:
        for path in files.tree(html):
            packed.write(path, Path(archive.stem) / path.relative_to(html))
    draft.replace(archive)
    return archive


def _stamp(root: Path) -> Path:
    return root / "_build" / "book.sha256"
