"""How an attack is handed in: a small notebook from a student who is out for more than points, and what came of it.

Every hostile cell begins with `ONLY_INSIDE`: anywhere but in the sandbox it refuses to run.
"""

import json
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat
from nbformat import NotebookNode

from rnncourse.grading import marking
from rnncourse.grading.course import Sheet
from rnncourse.grading.marking import Marking
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.unit import staged

ROOT = Path(__file__).parents[3]
SEED = "sour cherries 4711"
"""The secret of these tests: nothing inside may find it."""

ONLY_INSIDE = """
import os, socket, sys
if socket.gethostname() != "sandbox" or not os.path.isdir("/course") or os.getuid() == 0:
    raise SystemExit("this attack runs inside the sandbox only")
"""
ARMED = "print('armed')"

STUB = {
    "rnn_step": "def rnn_step(x, h, W_x, W_h, b):\n    raise NotImplementedError()",
    "right rnn_step": "def rnn_step(x, h, W_x, W_h, b):\n    return np.tanh(x @ W_x + h @ W_h + b)",
}


def armed(source: str) -> str:
    """A hostile cell, which refuses to run outside the sandbox."""
    return f"{ONLY_INSIDE}\n{source.strip()}\n"


USUAL = Limits(cell=10.0, function=5.0, submission=40.0)


@dataclass(frozen=True)
class Attack:
    """A submission: what it hands in, and what it must not earn.

    `cells` are the student's own, run first; `answers` the text of their functions, in the order of the set. `measure`
    is what stops it. `edit` changes the document before it is written, cells and metadata at will. It earns `points`
    honestly. `limits` bound it; where `armed` is false, its own first cell cannot say that it ran.
    """

    measure: str
    cells: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=lambda: {"rnn_step": armed(STUB["rnn_step"])})
    edit: Callable[[dict[str, Any]], None] = lambda document: None
    points: int = 0
    problem_set: str = "ps2-rnn"
    limits: Limits = USUAL


@dataclass(frozen=True)
class Marked:
    """What came of it: points by function, the notebook, the seconds it took, and why it was refused, if it was."""

    points: dict[str, int]
    notebook: NotebookNode
    seconds: float
    refused: str | None

    def said(self, source: str) -> str:
        """All text in the outputs of the cell with this source."""
        (cell,) = [cell for cell in self.notebook.cells if cell.source == source]
        return text(cell)

    @property
    def all_said(self) -> str:
        """All text in all outputs."""
        return "\n".join(text(cell) for cell in self.notebook.cells if cell.cell_type == "code")


def text(cell: NotebookNode) -> str:
    """The text in a cell's outputs."""
    parts = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "".join(parts) + "\n".join(line for output in cell.outputs for line in output.get("traceback", ()))


@cache
def sheet(problem_set: str, functions: tuple[str, ...]) -> Sheet:
    """The notebook of a problem set, cut down to its imports and these functions: each with its graded cell."""
    (path,) = (ROOT / "solutions" / problem_set).glob("*.ipynb")
    graded = marking.functions(nbformat.read(path, as_version=4))
    released = nbformat.read(ROOT / "exercises" / problem_set / path.name, as_version=4)
    keep = {"imports", "given", *functions, *(f"grade_{name}" for name in functions)}
    released.cells = [cell for cell in released.cells if grade_id(cell) in keep]
    return Sheet(path.stem, released, {f"grade_{name}": graded[f"grade_{name}"] for name in functions})


def document(attack: Attack, tests: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The notebook that is handed in, as JSON; with `tests` in its graded cells, which a release does not show."""
    notebook = deepcopy(sheet(attack.problem_set, tuple(attack.answers)).released)
    for cell in notebook.cells:
        cell.source = {**attack.answers, **tests}.get(grade_id(cell) or "", cell.source)
    sources = [armed(ARMED), *map(armed, attack.cells)]
    own = [nbformat.v4.new_code_cell(source, id=f"hostile-{k}") for k, source in enumerate(sources)]
    notebook.cells[1:1] = own  # behind the imports
    written: dict[str, Any] = json.loads(nbformat.writes(notebook))
    attack.edit(written)
    return written


def hand_in(attack: Attack, folder: Path) -> Marked:
    """Hand an attack in and mark it."""
    path = folder / "attack.ipynb"
    path.write_text(json.dumps(document(attack)), encoding="utf-8")
    return mark(path, attack)


def mark(path: Path, attack: Attack) -> Marked:
    """Mark what lies in a file."""
    begin = time.monotonic()
    released = sheet(attack.problem_set, tuple(attack.answers))
    prepared, refused = staged(path, released)
    marked = Marking(released.functions, SEED, attack.limits).mark(prepared)
    nbformat.validate(marked)
    points = {
        function: int(cell.outputs[-1].data["text/plain"])
        for cell in marked.cells
        if (function := released.functions.get(grade_id(cell) or ""))
    }
    return Marked(points, marked, time.monotonic() - begin, refused)
