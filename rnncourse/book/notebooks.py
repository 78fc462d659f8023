"""The normal form in which a chapter's notebook is committed.

A notebook is in its normal form when writing it again, after another clean execution, changes no byte:

- each cell has an id of its own, kept from edit to edit;
- execution counts run 1…n;
- metadata says only what means something: `tags`, `mystnb`, `nbgrader`, and the kernel `python3`;
- outputs are text: `text/plain` and glued values (`application/papermill.record/…`). Images, HTML and claims are
  drawn again by the build. Neighbouring chunks of one stream are one chunk. `stderr` is dropped, and so is every
  output of a cell tagged `nbval-ignore-output`.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from rnncourse.book import files

CELL_METADATA = ("mystnb", "nbgrader", "tags")
"""The metadata of a cell that mean something here."""

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""The metadata of every notebook."""

GLUED = "application/papermill.record/"
"""How the MIME types of values begin that the prose quotes."""

UNCOMPARED = "nbval-ignore-output"
"""The tag of a cell whose output differs from run to run, and is not kept."""


def normal_form(notebook: NotebookNode) -> NotebookNode:
    """The notebook's normal form, as a new notebook. Raises ValueError where none exists."""
    normal = deepcopy(notebook)
    normal.nbformat, normal.nbformat_minor = 4, 5
    normal.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    ids = _unique_ids(normal.cells)
    count = 0
    for cell, identity in zip(normal.cells, ids, strict=True):
        cell.id = identity
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)})
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [] if UNCOMPARED in cell.metadata.get("tags", []) else _text_outputs(cell.outputs, count)
    try:
        nbformat.validate(normal)
    except nbformat.ValidationError as error:
        raise ValueError(f"expected a valid notebook, got {error}") from error
    return normal


def dumps(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    text: str = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    return text + "\n"


def read(path: Path) -> NotebookNode:
    """Read a notebook exactly as it is stored. Raises ValueError naming the file when it is no notebook of format 4."""
    try:
        notebook: NotebookNode = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        stored = notebook.nbformat
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"expected {path} to be a Jupyter notebook, got {error}") from error
    if stored != 4:
        raise ValueError(f"expected {path} to be a notebook of format 4, got format {stored}")
    return notebook


def is_normal(path: Path) -> bool:
    """Whether the file holds a notebook in its normal form."""
    return path.read_text(encoding="utf-8") == dumps(normal_form(read(path)))


def save(path: Path, notebook: NotebookNode) -> bool:
    """Write a notebook in its normal form, whole or not at all. Returns whether the file changed."""
    return files.write(path, dumps(normal_form(notebook)))


def _unique_ids(cells: list[NotebookNode]) -> list[str]:
    """Each cell's own id; a missing or repeated one is replaced by the cell's position."""
    taken = {cell.get("id") for cell in cells}
    ids: list[str] = []
    for position, cell in enumerate(cells, start=1):
        identity = cell.get("id")
        if not identity or identity in ids:
            identity, turn = f"cell-{position}", 1
            while identity in taken or identity in ids:
                turn += 1
                identity = f"cell-{position}-{turn}"
        ids.append(identity)
    return ids


def _text_outputs(outputs: list[NotebookNode], count: int) -> list[NotebookNode]:
    kept: list[NotebookNode] = []
    for output in outputs:
        kind = output.output_type
        if kind == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
            kept.append(NotebookNode(output_type=kind, name=output.name, text=output.text))
        elif kind == "error":
            kept.append(NotebookNode(output_type=kind, ename=output.ename, evalue=output.evalue, traceback=[]))
        else:
            data = {mime: value for mime, value in output.data.items() if _is_text(mime)}
            if not data:
                continue
            fields: dict[str, Any] = {"execution_count": count} if kind == "execute_result" else {}
            glue = {key: output.metadata[key] for key in ("scrapbook",) if key in output.get("metadata", {})}
            kept.append(nbformat.from_dict({"output_type": kind, "data": data, "metadata": glue, **fields}))
    return kept


def _is_text(mime: str) -> bool:
    return mime == "text/plain" or mime.startswith(GLUED)
