"""A student's own look at a whole problem set before it is handed in: what the grader will see, and what it is worth.

The notebook is rebuilt as it will be for grading, run from top to bottom in a fresh kernel, and the reports of its
checks are gathered. The checks draw other cases than the grader does, so the points are likely, not certain.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from rnncourse.grading.checks.report import REPORT_MIME
from rnncourse.grading.order import called, defined_again, error, out_of_order
from rnncourse.grading.rebuild import grade_id, rebuild
from rnncourse.grading.release import RELEASE

SECONDS_PER_CELL = 60
"""A cell that takes longer is interrupted. A check stops a function that never returns long before."""


class NotAProblemSet(Exception):
    """A file that is no notebook of a problem set, or none that can be run."""


@dataclass
class SelfCheck:
    """What came of running a notebook: a mark for each function, and what keeps it from being handed in as it is.

    `marks` holds, by function, the points, the points there are, and the report of its check if one was shown.
    """

    name: str
    marks: dict[str, tuple[int, int, str | None]]
    faults: list[str] = field(default_factory=list)

    @property
    def fit(self) -> bool:
        """Whether the notebook can be handed in: it is whole, has its name, and its answers run, from top to bottom."""
        return not self.faults

    def __str__(self) -> str:
        width = max(map(len, [*self.marks, "function", "together"]))
        points = sum(mark[0] for mark in self.marks.values())
        there_are = sum(mark[1] for mark in self.marks.values())
        rows = [f"{name:<{width}}  {got} of {of}" for name, (got, of, _) in self.marks.items()]
        wrong = {name: report for name, (got, of, report) in self.marks.items() if got < of}
        reports = [report or f"{name}: its check did not run" for name, report in wrong.items()]
        verdict = f"Fit to hand in, with {points} of {there_are} points." if self.fit else "Not fit to hand in:"
        faults = [fill(f"- {fault}", 110, subsequent_indent="  ") for fault in self.faults]
        parts = [self.name, "", *rows, f"{'together':<{width}}  {points} of {there_are}", ""]
        return "\n".join([*parts, *(f"{report}\n" for report in reports), verdict, *faults])


def selfcheck(path: Path, root: Path) -> SelfCheck:
    """Rebuild and run the notebook `path`, a copy of one in `root`/exercises, and gather its checks' reports.

    Raises `NotAProblemSet` if there is no such file, it is no notebook, or it belongs to none of the problem sets.
    """
    submitted = read(path)
    source, released = release_of(submitted, root)
    notebook, missing = rebuild(submitted, released)
    run(notebook, path.parent)
    marks = dict(gathered(notebook))
    faults = [f"the cell {name} is missing: put it back, or grading does, as it was released" for name in missing]
    if path.name != source.name:
        faults.append(f"the file is called {path.name}; hand it in as {source.name}, the name the grader looks for")
    faults += [*failures(notebook), *out_of_order(notebook)]
    for name, (got, of, _) in marks.items():
        if got < of:
            faults += defined_again(notebook, name)
    return SelfCheck(f"{source.parent.name}: {path}", marks, faults)


def read(path: Path) -> NotebookNode:
    """The notebook in a file, as nbformat 4. Raises `NotAProblemSet`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notebooks of older formats have cells without ids, which does no harm
            notebook: NotebookNode = nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotAProblemSet(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # nbformat raises many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotAProblemSet(f"{path} is not a notebook: {reason}") from None
    return notebook


def release_of(submitted: NotebookNode, root: Path) -> tuple[Path, NotebookNode]:
    """The released notebook with which a submission shares most of its cells. Raises `NotAProblemSet` if none."""
    there = {name for cell in submitted.cells if (name := grade_id(cell))}
    paths = sorted((root / RELEASE).glob("*/*.ipynb"))
    releases = {path: read(path) for path in paths}
    shared = {path: len(there & graded(notebook)) for path, notebook in releases.items()}
    best = max(shared, key=lambda path: shared[path], default=None)
    if best is None or not shared[best]:
        sets = ", ".join(path.parent.name for path in paths) or "none"
        raise NotAProblemSet(f"expected a notebook of one of the problem sets ({sets}), got one without their cells")
    return best, releases[best]


def graded(notebook: NotebookNode) -> set[str]:
    """The names of a notebook's graded cells, which no other problem set has, and of the answers they grade."""
    names = {name for cell in notebook.cells if (name := grade_id(cell)) and "points" in cell.metadata.nbgrader}
    return names | {name.removeprefix("grade_") for name in names}


def run(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells but those that grading skips, each whatever became of those before it. Old outputs go.

    Raises `NotAProblemSet` if the kernel dies, or if a cell cannot be stopped: nothing after that can be known.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        interrupt_on_timeout=True,
        raise_on_iopub_timeout=True,
        error_on_timeout={"ename": "KeyboardInterrupt", "evalue": "", "traceback": []},  # do not wait once more
        allow_errors=True,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except DeadKernelError:
        raise NotAProblemSet("the notebook's kernel died: does a cell end the process or take all memory?") from None
    except CellTimeoutError:
        *_, last = (cell for cell in notebook.cells if cell.get("execution_count"))
        raise NotAProblemSet(f"{called(last)} runs on when interrupted: does a loop catch every exception?") from None


def gathered(notebook: NotebookNode) -> Iterator[tuple[str, tuple[int, int, str | None]]]:
    """For each graded function of a notebook that was run: its name and its mark."""
    reports = {
        record["function"]: (record["points"], output["data"]["text/plain"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if (record := output.get("data", {}).get(REPORT_MIME))
    }
    for cell in notebook.cells:
        points = cell.metadata.get("nbgrader", {}).get("points")
        if points is not None:
            name = (grade_id(cell) or "").removeprefix("grade_")
            got, report = reports.get(name, (0, None))
            yield name, (got, points, report)


def failures(notebook: NotebookNode) -> Iterator[str]:
    """The cells of the problem set that end in an error. The student's own cells and the examples earn no points."""
    for cell in notebook.cells:
        name = grade_id(cell)
        if name and not name.startswith("check_") and (reason := error(cell)):  # a check fails with its answer
            yield f"the cell {name} {reason}"
