"""Read what was handed in: a file from a stranger, of which nothing is taken but the text of its cells."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.grading.clean import NO_TEXT

BYTES, CELLS, LETTERS = 32 * 2**20, 1000, 200_000
"""At most: bytes of a file (pictures in its outputs included), cells, characters of a cell."""

SIGNS = 2_000_000
"""At most: the signs between the values of a file's JSON. Each may cost a hundred bytes of memory when it is read."""

SKIPPED = "skip-execution"
"""The tag of cells that are not run for grading: figures, training. It means something on cells without points only."""


class Refused(Exception):
    """A submission that cannot be graded; a sentence says why. It is worth 0 points."""


def read(path: Path) -> NotebookNode:
    """The notebook in a file, with the text of its cells, their names for nbgrader, and `SKIPPED`; nothing else.

    It may be of nbformat 3 or 4, of any kernel. Raises `Refused` if the file is no notebook, too large, or a link.
    """
    return notebook(parsed(content(path)))


def content(path: Path) -> bytes:
    """The bytes of a regular file, no link. Raises `Refused`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Refused(f"expected the notebook {path.name}, found none") from None
    except OSError:
        raise Refused(f"expected {path.name} to be a file, got a link, or a file that cannot be opened") from None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise Refused(f"expected {path.name} to be a file, got a folder, a pipe or a device")
        if state.st_size > BYTES:
            size = f"{state.st_size / 2**20:.1f} MiB"
            raise Refused(f"expected {path.name} to have at most {BYTES >> 20} MiB, got {size}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(BYTES)
    finally:
        os.close(descriptor)


def parsed(data: bytes) -> Any:
    """The JSON in some bytes. Raises `Refused`."""
    signs = sum(data.count(sign) for sign in b"[{,")
    if signs > SIGNS:
        raise Refused(
            f"expected at most {SIGNS} brackets and commas in a notebook, got {signs}: are its outputs large?"
        )
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("expected a notebook, got a file that is not text in UTF-8") from None
    except (ValueError, RecursionError):
        raise Refused("expected a notebook, got a file that is not JSON: was it saved to its end?") from None


def notebook(document: Any) -> NotebookNode:
    """A notebook of the texts in a document. Raises `Refused` if it is not one."""
    cells = document.get("cells") if isinstance(document, dict) else None
    if cells is None and isinstance(document, dict) and isinstance(document.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in document["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise Refused("expected a notebook, got JSON without a list of cells")
    if len(cells) > CELLS:
        raise Refused(f"expected at most {CELLS} cells, got {len(cells)}")
    new: NotebookNode = new_notebook(cells=[cell_of(cell, k) for k, cell in enumerate(cells) if isinstance(cell, dict)])
    return new


def cell_of(cell: dict[str, Any], k: int) -> NotebookNode:
    """Cell k: a code cell, or a Markdown cell for any other kind. Raises `Refused` if its text is too long."""
    source = text(cell.get("source", cell.get("input")))
    if len(source) > LETTERS:
        raise Refused(f"expected cells of at most {LETTERS} characters, got one of {len(source)}")
    new: NotebookNode = (new_code_cell if cell.get("cell_type") == "code" else new_markdown_cell)(source, id=f"own-{k}")  # type: ignore[no-untyped-call]
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if isinstance(metadata.get("tags"), list) and SKIPPED in metadata["tags"]:
        new.metadata["tags"] = [SKIPPED]
    known = metadata.get("nbgrader")
    if isinstance(known, dict) and isinstance(known.get("grade_id"), str):
        new.metadata["nbgrader"] = {"grade_id": known["grade_id"]}
    return new


def text(source: Any) -> str:
    """The text of a cell, which notebooks store whole or by line; line ends as on Linux, nothing that is no text, nor
    what could steer a terminal that shows it.
    """
    lines = source if isinstance(source, list) else [source]
    whole = "".join(line for line in lines if isinstance(line, str))
    whole = whole.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return NO_TEXT.sub("", whole)
