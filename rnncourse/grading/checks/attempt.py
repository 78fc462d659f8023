"""Call a student's function: quietly, on copies, and without letting its errors out."""

import inspect
import io
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

import rnncourse
from rnncourse.grading.checks.problem import Case, Function, Problem

NOT_THEIRS = tuple(module.__path__[0] for module in (np, rnncourse))
"""Where code lives that is not the student's."""


class Result(NamedTuple):
    """What a call of the student's function gave: a value or an error, and its arguments as it left them."""

    value: Any
    error: Exception | None
    args: dict[str, Any]


def attempt(problem: Problem, function: Function, case: Case) -> Result:
    """Call `function` on copies of the inputs."""
    args = {name: deepcopy(value) for name, value in case.args.items()}
    try:
        with muted(), lending(function, problem.lends):
            return Result(function(*args.values()), None, args)
    except Exception as error:  # whatever it is, the report says it
        return Result(None, error, args)


def described(error: Exception) -> str:
    """An error in one line: its type, the student's line that it came from, and the first line of its message."""
    theirs = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(NOT_THEIRS)]
    line = f" in your line {theirs[-1].lineno}, `{theirs[-1].line}`" if theirs and theirs[-1].line else ""
    message = (str(error).splitlines() or [""])[0][:200].rstrip(".")
    return f"{type(error).__name__}{line}" + (f": {message}" if message else "")


@contextmanager
def muted() -> Iterator[None]:
    """No warning and no print of the student's function reaches the notebook: it would be repeated for every case."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield


@contextmanager
def lending(function: Function, lent: Mapping[str, Function]) -> Iterator[None]:
    """While inside, the names in `lent` mean these functions to the code of `function`."""
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    own = {name: scope[name] for name in lent if name in scope}
    scope.update(lent)
    try:
        yield
    finally:
        for name in lent:
            scope.pop(name, None)
        scope.update(own)
