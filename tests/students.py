"""Students of every kind: what each hands in for problem set 2, when, and what it honestly earns."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import nbformat
from courses import NOTEBOOK, ROOT, SET, model

from rnncourse.grading.rebuild import grade_id

DUE = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""No run of this will see that day: what goes through the exchange bears the time of the run."""

FULL = {"rnn_step": 4, "rnn_forward": 6, "count_parameters": 2, "run_stateful": 4}

ONLY_INSIDE = """
import os, socket
if socket.gethostname() != "sandbox" or os.getuid() == 0:
    raise SystemExit("this runs inside the sandbox only")
"""

OTHERWISE = {
    "rnn_step": """
import warnings

def rnn_step(x, h, W_x, W_h, b):
    print("step")
    warnings.warn("a warning is not a wrong answer")
    return np.tanh(np.einsum("bi,ij->bj", np.hstack([x, h]), np.vstack([W_x, W_h])) + b)
""",
    "rnn_forward": """
def rnn_forward(X, h0, W_x, W_h, b):
    states = [h0]
    for x in X:
        states.append(rnn_step(x, states[-1], W_x, W_h, b))
    return [np.array(states[1:]), states[-1]]
""",
}
NO_BIAS = """
def rnn_step(x, h, W_x, W_h, b):
    return np.tanh(x @ W_x + h @ W_h)
"""
FROM_ZEROS = """
def rnn_forward(X, h0, W_x, W_h, b):
    states = np.zeros((len(X), len(h0), len(b)))
    for t in range(len(X)):
        states[t] = rnn_step(X[t], states[t - 1], W_x, W_h, b)
    return states, states[-1]
"""
NO_RESET = """
def run_stateful(windows, h0, W_x, W_h, b, reset):
    states = []
    for X in windows:
        window, h0 = rnn_forward(X, h0, W_x, W_h, b)
        states.append(window)
    return states
"""
LEAVES = f"""{ONLY_INSIDE}
def rnn_step(x, h, W_x, W_h, b):
    os._exit(0)
"""
NEVER_ENDS = f"""{ONLY_INSIDE}
def rnn_step(x, h, W_x, W_h, b):
    while True:
        pass
"""
COPIES = f"""{ONLY_INSIDE}
try:
    from rnncourse.grading.checks.ps2.rnn_step import rnn_step
except ImportError:
    def rnn_step(x, h, W_x, W_h, b):
        from pathlib import Path
        for path in Path("/course").rglob("*.ipynb"):
            exec(path.read_text())
        return h
"""
SHOWS = f"""{ONLY_INSIDE}
from IPython.display import HTML, display
display(HTML("<script>alert(1)</script>"))
"""


def cells(notebook):
    """The cells of a notebook that nbgrader knows, by name."""
    return {name: cell for cell in notebook.cells if (name := grade_id(cell))}


def answering(**answers):
    """The model answers, some of them put otherwise."""
    notebook = model()
    for name, source in answers.items():
        cells(notebook)[name].source = source
    return notebook


def stub():
    """What was given out."""
    return nbformat.read(ROOT / "exercises" / SET / NOTEBOOK, as_version=4)


def without(*names):
    """The model answers, but for some that are not written."""
    return answering(**{name: cells(stub())[name].source for name in names})


def forged():
    """What was given out, with points in every place that a stranger can write to."""
    notebook = stub()
    for name in FULL:
        cell = cells(notebook)[f"grade_{name}"]
        cell.source = "99"
        cell.metadata.nbgrader |= {"points": 99, "solution": True, "locked": False}
        cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "99"}, execution_count=1)]
    notebook.cells.append(nbformat.v4.new_code_cell("99", id="forged"))
    return notebook


def shown():
    """The model answers, and scripts for whoever opens the feedback."""
    notebook = model()
    notebook.cells.append(nbformat.v4.new_markdown_cell("<script>alert(1)</script>", id="script"))
    notebook.cells.append(nbformat.v4.new_code_cell(SHOWS, id="shows"))
    return notebook


class Kind(NamedTuple):
    """A kind of student: the notebook, the points by function, how long after the date due, how many of 200.

    `notebook` is None for one who hands nothing in, `cut` says that the file breaks off; it is refused.
    """

    share: int
    notebook: Callable[[], nbformat.NotebookNode] | None
    points: dict[str, int]
    after: timedelta = timedelta(days=-3)
    cut: bool = False


KINDS = {
    "perfect": Kind(50, model, FULL),
    "right, written otherwise": Kind(30, lambda: answering(**OTHERWISE), FULL),
    "all but one function": Kind(26, lambda: without("run_stateful"), FULL | {"run_stateful": 0}),
    "one function": Kind(
        20,
        lambda: without("rnn_forward", "count_parameters", "run_stateful"),
        {**dict.fromkeys(FULL, 0), "rnn_step": 4},
    ),
    "no bias": Kind(14, lambda: answering(rnn_step=NO_BIAS), FULL | {"rnn_step": 0}),
    "starts from zeros": Kind(10, lambda: answering(rnn_forward=FROM_ZEROS), FULL | {"rnn_forward": 2}),
    "never resets": Kind(10, lambda: answering(run_stateful=NO_RESET), FULL | {"run_stateful": 3}),
    "hands the stub in": Kind(8, stub, dict.fromkeys(FULL, 0)),
    "hands nothing in": Kind(5, None, {}),
    "hands half a file in": Kind(3, model, dict.fromkeys(FULL, 0), cut=True),
    "right, 30 hours late": Kind(9, model, FULL, timedelta(hours=30)),
    "unfinished, an hour late": Kind(
        7, lambda: without("run_stateful"), FULL | {"run_stateful": 0}, timedelta(hours=1)
    ),
    "hostile: forges points": Kind(2, forged, dict.fromkeys(FULL, 0)),
    "hostile: leaves with success": Kind(1, lambda: answering(rnn_step=LEAVES), FULL | {"rnn_step": 0}),
    "hostile: looks for the answers": Kind(2, lambda: answering(rnn_step=COPIES), FULL | {"rnn_step": 0}),
    "hostile: shows a script": Kind(2, shown, FULL),
    "hostile: never ends": Kind(1, lambda: answering(rnn_step=NEVER_ENDS), FULL | {"rnn_step": 0}),
}
"""The proportions are those of a class that means well, for the most part."""

NAMES = ("Ada", "Zoë", "José", "Łucja", "Bo", "明", "O-lan", "Müller")


class Student(NamedTuple):
    """A student: the name, the kind, the file's bytes or None, and when it is handed in."""

    name: str
    kind: str
    content: bytes | None
    when: datetime

    @property
    def points(self) -> dict[str, int]:
        """What each function earns."""
        return KINDS[self.kind].points

    @property
    def penalty(self) -> int:
        """The points that are taken off: one for each day begun after the date due."""
        return max(0, -((DUE - self.when) // timedelta(days=1)))

    @property
    def mark(self) -> int | None:
        """The points after the penalty; None for one who hands nothing in."""
        return None if self.content is None else sum(self.points.values()) - self.penalty


def student(k: int, kind: str) -> Student:
    """Student k. No two notebooks are the same."""
    _, notebook, _, after, cut = KINDS[kind]
    name = f"{NAMES[k % len(NAMES)]} {k:03d}"
    if notebook is None:
        return Student(name, kind, None, DUE + after)
    made = notebook()
    made.cells.append(nbformat.v4.new_code_cell(f"# {name}", id="name"))
    content = nbformat.writes(made).encode()
    return Student(name, kind, content[: len(content) // 2] if cut else content, DUE + after)


def a_class() -> list[Student]:
    """Two hundred students, in a random order that is always the same."""
    kinds = [name for name, kind in KINDS.items() for _ in range(kind.share)]
    random.Random(200).shuffle(kinds)
    return [student(k, kind) for k, kind in enumerate(kinds)]
