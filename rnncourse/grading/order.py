"""What a notebook defines too late, or not at all.

In a kernel that has run for long, each cell finds what any other has ever defined. Grading starts a new one, and runs
the cells once, from top to bottom.
"""

import re
from collections.abc import Iterator
from symtable import symtable

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from rnncourse.grading.checks.report import REPORT_MIME
from rnncourse.grading.rebuild import grade_id

UNDEFINED = re.compile(r"name\s+'(\w+)'\s+is\s+not\s+defined")
"""What Python says of a name that is not there, also where a report wraps it."""


def out_of_order(notebook: NotebookNode) -> list[str]:
    """A sentence for each name that was missing when `notebook`, which holds its outputs, ran from top to bottom.

    It says which function missed the name, or else which cell, and where the name is defined.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    told: dict[str, str] = {}
    for name, sentence in [*of_functions(cells), *of_cells(cells)]:
        if sentence:
            told.setdefault(name, sentence)
    return list(told.values())


def of_functions(cells: list[NotebookNode]) -> Iterator[tuple[str, str | None]]:
    """The names that functions missed, each with the sentence on it, if there is one to say."""
    for k, cell in enumerate(cells):
        for function, name in missed_by_functions(cell):
            yield name, told_of_function(function, name, cells[:k], cells[k:])


def of_cells(cells: list[NotebookNode]) -> Iterator[tuple[str, str | None]]:
    """The names that cells missed, each with the sentence on it, if there is one to say."""
    for k, cell in enumerate(cells):
        for name in missed(cell):
            yield name, told_of_cell(cell, name, cells[: k + 1], cells[k + 1 :])


def told_of_function(function: str, name: str, above: list[NotebookNode], below: list[NotebookNode]) -> str | None:
    """The sentence on a name that a function missed when it was checked between these cells.

    None if a cell above defines it and did not fail: in a branch that was not taken, say.
    """
    if before := defining(name, above):
        reason = error(before[-1])
        where = f"{function} uses {name}, which {called(before[-1])} should define"
        return f"{where}; that cell {reason}" if reason else None
    if after := defining(name, below):
        return too_late(function, name, after[0])
    return f"{function} uses {name}, which no cell defines: is it misspelt, or was its cell deleted?"


def told_of_cell(cell: NotebookNode, name: str, above: list[NotebookNode], below: list[NotebookNode]) -> str | None:
    """The sentence on a name that a cell missed, if it comes too late, or is that of the function to check.

    Otherwise there is none to say: an example, for one, fails with the example before it.
    """
    if defining(name, above):
        return None
    if after := defining(name, below):
        return too_late(called(cell), name, after[0])
    return f"{name} is missing: no cell defines it" if grade_id(cell) == f"check_{name}" else None


def defined_again(notebook: NotebookNode, function: str) -> list[str]:
    """A sentence for each cell that defines a function of the problem set anew, below its own cell and its check."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    own = [grade_id(cell) for cell in cells].index(function)
    again = defining(function, cells[own + 1 :])
    return [f"{called(cell)} defines {function} again, too late; what counts is the cell {function}" for cell in again]


def defining(name: str, cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells that define a name."""
    return [cell for cell in cells if name in names(cell.source)]


def too_late(user: str, name: str, cell: NotebookNode) -> str:
    """The sentence on a name that is defined in a later cell."""
    where = f"{user} uses {name}, which is not defined until {called(cell)}, further down"
    return f"{where}: move that above, for grading runs the notebook once, from top to bottom"


def names(source: str) -> set[str]:
    """The names that a cell defines: by assignment, `def`, `class` or `import`.

    Of a cell that Python cannot read, they are those of the functions and classes that begin a line.

    >>> sorted(names("%matplotlib inline\\nimport numpy as np\\ndef g(a):\\n    b = a"))
    ['g', 'np']
    """
    try:
        table = symtable(TransformerManager().transform_cell(source), "cell", "exec")
    except (SyntaxError, ValueError):
        return set(re.findall(r"^(?:def|class) +(\w+)", source, re.MULTILINE))
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def missed_by_functions(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The functions that did not find a name when the check in this cell called them, each with the name."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if record := data.get(REPORT_MIME):
            for name in UNDEFINED.findall(data["text/plain"]):
                yield record["function"], name


def missed(cell: NotebookNode) -> list[str]:
    """The name that a cell itself did not find, as a list, which is empty if that is not how it ended."""
    errors = [output.evalue for output in cell.get("outputs", []) if output.get("ename") == "NameError"]
    return UNDEFINED.findall(" ".join(errors))


def error(cell: NotebookNode) -> str:
    """How a cell failed, "raises KeyError: 'h'", or "" if it did not. One that is interrupted took too long."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            if output.ename == "KeyboardInterrupt":
                return "was still running when its time was up: does a loop never end?"
            reason = (output.evalue.splitlines() or [""])[0]
            return f"raises {output.ename}" + (f": {reason}" if reason else "")
    return ""


def called(cell: NotebookNode) -> str:
    """What to call a cell: by its name if the problem set gave it one, or by its first line."""
    if name := grade_id(cell):
        return f"the cell {name}"
    lines = [line.strip() for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]
    first = lines[0] if lines else ""
    return f"the cell that begins with `{first if len(first) <= 50 else first[:49] + '…'}`"
