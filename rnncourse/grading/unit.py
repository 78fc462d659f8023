"""The unit of work: one notebook to mark, with all that its mark depends on and nothing else.

It can be marked beside others, on another machine, or not at all if the same has been marked before.
"""

import hashlib
import json
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

import rnncourse
from rnncourse.book.files import digest, tree
from rnncourse.grading import clean, submission
from rnncourse.grading.marking import Marking
from rnncourse.grading.rebuild import rebuild
from rnncourse.grading.sandbox.bubblewrap import Limits


@dataclass(frozen=True)
class Sheet:
    """A notebook of a problem set: as it was released, and the function that each graded cell names."""

    name: str
    released: NotebookNode
    functions: dict[str, str]


@dataclass(frozen=True)
class Unit:
    """A notebook as JSON, rebuilt for grading, and how to mark it: see `Marking`."""

    notebook: str
    functions: dict[str, str]
    seed: str
    limits: Limits
    walls: bool

    @cached_property
    def key(self) -> str:
        """The fingerprint of all that the mark depends on."""
        whole = [self.notebook, self.functions, self.seed, asdict(self.limits), self.walls, code(), np.__version__]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    def mark(self) -> str:
        """The notebook with its outputs and points, as JSON."""
        notebook = nbformat.reads(self.notebook, as_version=4)
        marked = Marking(self.functions, self.seed, self.limits, self.walls).mark(notebook)
        return str(nbformat.writes(marked))


@cache
def code() -> str:
    """The fingerprint of the package without the book's tools: its checks, its references, its grader."""
    package = Path(rnncourse.__file__).parent
    return digest((path for path in tree(package) if package / "book" not in path.parents), package)


def staged(path: Path, sheet: Sheet) -> tuple[NotebookNode, str | None]:
    """What a student handed in, rebuilt around the released notebook; and a sentence if it could not be read.

    Then it is the released notebook, worth 0 points, with that sentence at its top. The course's own text stays as it
    is; of the student's Markdown nothing comes to life.
    """
    ours = {cell.source for cell in sheet.released.cells if cell.cell_type == "markdown"}
    try:
        notebook, _ = rebuild(submission.read(path), sheet.released)
    except submission.Refused as refused:
        notebook = deepcopy(sheet.released)
        notice = new_markdown_cell(f"**This notebook could not be graded:** {refused}.", id="refused")
        notebook.cells.insert(0, notice)
        return notebook, str(refused)
    for cell in notebook.cells:
        if cell.cell_type != "code" and cell.source not in ours:
            cell.source = clean.markdown(cell.source)
    return notebook, None
