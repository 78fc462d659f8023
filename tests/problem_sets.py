"""What the tests of all problem sets share: a set's notebook, the names it defines, the report on a function."""

import os
import re
from functools import cache
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np

from rnncourse.grading.checks import find
from rnncourse.grading.checks.judge import Sitting

ROOT = Path(__file__).parent.parent


@cache
def sitting(name, seed):
    return Sitting(find(name), np.random.default_rng(seed))


def judged(name, function, seed=0):
    """The report on a function. What the known mistakes give is computed once for each seed."""
    return sitting(name, seed).judge(function)


@cache
def cells(folder):
    """The cells of the source notebook in solutions/`folder`, by id."""
    (path,) = (ROOT / "solutions" / folder).glob("*.ipynb")
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


@cache
def names(folder):
    """The names that are defined when all cells have run, model answers and closing part included."""
    scope = {}
    with mock.patch.dict(os.environ, MPLBACKEND="Agg"):  # no window
        for cell in cells(folder).values():
            if cell.cell_type == "code" and not re.match("check-|grade-", cell.id):
                exec(compile(cell.source, cell.id, "exec"), scope)
    return scope


def rows(cell):
    """The rows of a cell's tables, each a list of its entries as text."""
    lines = [line for line in cell.source.splitlines() if re.match(r"\|(?!-)", line)]
    return [[entry.strip(" *`").replace("−", "-") for entry in line.strip("|").split("|")] for line in lines]
