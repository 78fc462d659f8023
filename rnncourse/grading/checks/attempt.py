"""Call a student's function: quietly, on copies, and without letting its errors out.

This module knows nothing of what is right, so that it can stand beside a stranger's code.
"""

import _thread
import dis
import inspect
import io
import itertools
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import wraps
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import rnncourse
from rnncourse.arrays import Array
from rnncourse.grading.checks.drawing import copied
from rnncourse.grading.checks.wrong import WrongForm, kind

Function: TypeAlias = Callable[..., Any]
"""A function as a student writes it: what it returns is not known until it is called."""

NOT_THEIRS = tuple(module.__path__[0] for module in (np, rnncourse))
"""Where code lives that is not the student's."""


class Failure(NamedTuple):
    """An error in the student's function: its type with those above it, its message's first line, and where it was.

    `line` and `code` are the student's line, None and "" if none of theirs is known.
    """

    types: tuple[str, ...]
    message: str
    line: int | None
    code: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure that an error is."""
        theirs = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(NOT_THEIRS)]
        types = tuple(one.__name__ for one in type(error).__mro__[:-1])
        message = (str(error).splitlines() or [""])[0][:200].rstrip(". ")
        if not theirs or not theirs[-1].line:
            return cls(types, message, None, "")
        return cls(types, message, theirs[-1].lineno, theirs[-1].line[:200])

    def a(self, error: type[Exception]) -> bool:
        """Whether it is an error of this type."""
        return error.__name__ in self.types


class Result(NamedTuple):
    """What a call of the student's function gave: a value or a failure, and its arguments as it left them.

    `shared` says which parts of the value, by place or by key, lie in the memory of which argument.
    """

    value: Any
    failure: Failure | None
    args: dict[str, Any]
    shared: tuple[tuple[Any, str], ...] = ()


def attempt(
    function: Function, args: Mapping[str, Any], lends: Mapping[str, Function], *, untouched: bool = False
) -> Result:
    """Call `function` on copies of the inputs, `lends` in place of the functions of these names; look for memory shared
    with the inputs if they must stay `untouched`. Make it `muted` around all cases.
    """
    args = {name: copied(value) for name, value in args.items()}
    try:
        with lending(function, lends), unwritten():
            value = function(*args.values())
    except (Exception, SystemExit) as error:  # whatever it is, the report says it
        return Result(None, Failure.of(error), args)
    return Result(value, None, args, shared(value, args) if untouched else ())


def shared(value: Any, args: Mapping[str, Any]) -> tuple[tuple[Any, str], ...]:
    """Which parts of a value may lie in the memory of which argument.

    >>> h = np.zeros((2, 3))
    >>> shared((np.ones(2), h[0]), {"x": np.zeros(4), "h": h})
    ((1, 'h'),)
    """
    pairs = itertools.product(parts(value), args.items())
    return tuple(
        (key, name)
        for (key, part), (name, given) in pairs
        if any(np.may_share_memory(new, old) for new in arrays(part) for old in arrays(given))
    )


def parts(value: Any) -> list[tuple[Any, Any]]:
    """The entries of a list, a tuple or a dict, each behind its place or key; else the value itself, as place 0."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value if isinstance(value, (list, tuple)) else [value]))


def arrays(value: Any) -> list[Array]:
    """The arrays in an input or an output: itself, or those in a list, a tuple or a dict.

    >>> len(arrays({"W": np.zeros((2, 3)), "b": np.zeros(3)})), arrays(0.5)
    (2, [])
    """
    return [array for _, array in parts(value) if isinstance(array, np.ndarray)]


def expect_function(name: str, arguments: Collection[str], function: Any) -> None:
    """Raise `WrongForm` unless `function` can be called with so many arguments; they are told by name.

    Nor may it take one of these names from another cell, as it does when an argument's name is misspelt.
    """
    if not callable(function):
        raise WrongForm(f"{name} should be a function, got {kind(function)}")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have none
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise WrongForm(f"{name} should take ({', '.join(arguments)}), yours takes {signature}") from None
    code = getattr(function, "__code__", None)
    used = {one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"} if code else set()
    for argument in arguments:
        if argument in used:
            raise WrongForm(
                f"{name} uses {argument}, but takes {signature}: this {argument} comes from another cell. Is an "
                "argument misspelt?"
            )


class OutOfTime(Exception):
    """A function did not return in time."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in what runs inside when it takes longer. It works in the main thread only, as in notebooks.

    The code inside is interrupted as Ctrl-C would, on every system; a real Ctrl-C stays one.
    """
    late, done, lock, main = False, False, threading.Lock(), threading.main_thread()

    def interrupt() -> None:
        nonlocal late
        with lock:
            late = not done
            if late and hasattr(signal, "pthread_kill"):  # wakes what sleeps, too
                signal.pthread_kill(main.ident or 0, signal.SIGINT)
            elif late:
                _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    in_main = threading.current_thread() is main
    ignored = in_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as in a shell's background jobs
    try:
        if ignored:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if in_main:
            timer.start()
        try:
            yield
        finally:
            with lock:
                done = True
            timer.cancel()
            if ignored:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
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
    own = {name: getattr(np, name) for name in MARKED}
    for name, make in MARKED.items():
        setattr(np, name, make)
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


MARKED = {"empty": marked(np.empty), "empty_like": marked(np.empty_like)}
"""What these functions are while a student's function is called."""
