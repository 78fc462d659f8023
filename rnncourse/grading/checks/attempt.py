"""Call a student's function: quietly, on copies, and without letting its errors out."""

import _thread
import inspect
import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.drawing import copied
from rnncourse.grading.checks.problem import Case, Function, Problem


class Result(NamedTuple):
    """What a call of the student's function gave: a value or an error, and its arguments as it left them."""

    value: Any
    error: Exception | None
    args: dict[str, Any]


def attempt(problem: Problem, function: Function, case: Case) -> Result:
    """Call `function` on copies of the inputs. Make it `muted` around all cases."""
    args = {name: copied(value) for name, value in case.args.items()}
    try:
        with lending(function, problem.lends), unwritten():
            return Result(function(*args.values()), None, args)
    except Exception as error:  # whatever it is, the report says it
        return Result(None, error, args)


class OutOfTime(Exception):
    """A function did not return in time."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in what runs inside when it takes longer. It works in the main thread only, as in notebooks.

    The code inside is interrupted as Ctrl-C would, on every system; a real Ctrl-C stays one.
    """
    late, done, lock = False, False, threading.Lock()

    def interrupt() -> None:
        nonlocal late
        with lock:
            late = not done
            if late:
                _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    if threading.current_thread() is threading.main_thread():
        timer.start()
    try:
        try:
            yield
        finally:
            with lock:
                done = True
            timer.cancel()
    except KeyboardInterrupt as stop:
        if not late:
            raise
        raise OutOfTime(f"was still running after {seconds:g} seconds").with_traceback(stop.__traceback__) from None


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


@contextmanager
def unwritten() -> Iterator[None]:
    """While inside, `np.empty` and `np.empty_like` give arrays of NaN, or of the largest integer.

    They would hold what was last in that memory, which may be the right answer of an earlier call.
    """
    own = {name: getattr(np, name) for name in ("empty", "empty_like")}
    for name, make in own.items():
        setattr(np, name, marked(make))
    try:
        yield
    finally:
        for name, make in own.items():
            setattr(np, name, make)


def marked(make: Callable[..., Array]) -> Callable[..., Array]:
    """The same function, whose arrays of numbers hold NaN, or the largest integer of their dtype.

    >>> marked(np.empty)(2), marked(np.empty)(1, dtype=np.int8)
    (array([nan, nan]), array([127], dtype=int8))
    """

    @wraps(make)
    def made(*args: Any, **kwargs: Any) -> Array:
        array = make(*args, **kwargs)
        if array.dtype.kind in "fc":
            array.fill(np.nan)
        elif array.dtype.kind in "iu":
            array.fill(np.iinfo(array.dtype).max)
        return array

    return made
