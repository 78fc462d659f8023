"""Compare what was returned with what was expected: dtypes, shapes, NaN, places in words, likeness of two answers.

`kinds` uses it, output by output; the first difference is raised as a `Wrong`, in one sentence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.wrong import WrongForm, WrongNumbers, WrongShape, kind

AXES = {
    "N": "window",
    "T": "time step",
    "T+1": "lag",
    "L": "layer",
    "B": "sequence",
    "D": "input",
    "H": "hidden unit",
    "3H": "gate entry",
    "4H": "gate entry",
    "2H": "state entry",
    "2": "pass",
    "V": "token",
    "I": "row",
    "J": "column",
}
"""The letters of the course's shapes, as words."""

IN_ORDER = ("N", "T", "T+1")
"""Those along which a computation goes: what is wrong at one place makes all that follows wrong."""


def expect_array(name: str, got: Any) -> None:
    """Raise `Wrong` unless `got` is a NumPy array, and none that hides entries."""
    if isinstance(got, np.ma.MaskedArray):
        raise WrongForm(f"{name} should be a NumPy array, got a masked one: what is masked cannot be compared")
    if not isinstance(got, np.ndarray):
        cure = ""
        if isinstance(got, list) and got:
            cure = f" (np.{'stack' if isinstance(got[0], np.ndarray) else 'array'} makes one of it)"
        raise WrongForm(f"{name} should be a NumPy array, got {kind(got)}{cure}")


def expect_shape(name: str, letters: Sequence[str], got: Any, want: Array) -> None:
    """Raise `Wrong` unless `got` is an array of the shape of `want` that holds numbers, or True and False."""
    shape = f"{want.shape}"
    if letters:
        shape += f", that is ({', '.join(letters)}{',' * (len(letters) == 1)})"
    if got is None:
        raise WrongForm(f"{name} is None, expected an array of shape {shape}")
    expect_array(name, got)
    if got.dtype.kind not in "biuf" or (got.dtype == bool and want.dtype != bool):
        raise WrongNumbers(f"{name} has dtype {got.dtype}, expected real numbers")
    if got.shape != want.shape:
        raise WrongShape(f"{name} has shape {got.shape}, expected {shape}{shape_hint(got.shape, want.shape)}")


def expect_finite(name: str, letters: Sequence[str], got: Array) -> None:
    """Raise `Wrong` unless the array holds finite numbers, in a floating-point dtype."""
    if got.dtype.kind != "f":
        raise WrongNumbers(
            f"{name} has the integer dtype {got.dtype}, expected floats: integers drop what follows the decimal point"
        )
    bad = ~np.isfinite(got)
    if bad.any():
        first = tuple(np.argwhere(bad)[0])
        raise WrongNumbers(
            f"{name} holds {got[first]} in {bad.sum()} of {got.size} places, the first at "
            f"{place(letters, first)}: an overflow, or a division by zero?"
        )


def same(got: Mapping[str, Any], want: Mapping[str, Any], tolerance: float) -> bool:
    """Whether two returned values (outputs by name) are alike, NaN and all: so a known mistake is recognised."""
    return got.keys() == want.keys() and all(same_output(got[name], want[name], tolerance) for name in want)


def same_output(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two outputs are alike: numbers to a tolerance, anything else exactly.

    >>> same_output([1.0, np.nan], np.array([1 + 1e-9, np.nan]), 1e-5), same_output({"the": 0}, {"the": 0}, 1e-5)
    (True, True)
    >>> same_output((np.ones(2), np.ones(3)), (np.ones(2), np.ones(3)), 1e-5), same_output(10**30, 10**30, 1e-5)
    (True, True)
    """
    if type(a) is type(b) is np.ndarray and a.dtype.kind == b.dtype.kind == "f":  # as most are
        return a.shape == b.shape and close(a, b, tolerance)
    if isinstance(a, dict) and isinstance(b, dict):
        return same(a, b, tolerance)
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    if any(isinstance(value, (dict, str)) for value in (a, b)):
        return type(a) is type(b) and bool(a == b)
    try:
        one, other = np.asarray(a), np.asarray(b)
    except ValueError:  # a list, or a tuple, of arrays of several shapes
        return (
            isinstance(a, (list, tuple))
            and isinstance(b, (list, tuple))
            and len(a) == len(b)
            and all(same_output(one, other, tolerance) for one, other in zip(a, b, strict=True))
        )
    kinds = {one.dtype.kind, other.dtype.kind}
    if "U" in kinds:
        return np.array_equal(one, other)
    if not kinds <= set("biuf"):
        return False
    if "f" not in kinds:
        return len(kinds) == 1 and np.array_equal(one, other)
    return one.shape == other.shape and close(one, other, tolerance)


def close(one: Array, other: Array, tolerance: float) -> bool:
    """Whether two arrays of one shape hold the same numbers, to a tolerance, or NaN in the same places.

    Most pairs that are compared differ in the first entry or the last, which are looked at first, or not at all.
    """
    if one is other:
        return True
    for k in (0, -1) if one.size else ():
        a, b = one.item(k), other.item(k)
        if not (a == b or abs(a - b) <= tolerance + tolerance * abs(b) or (a != a and b != b)):
            return False
    return np.array_equal(one, other) or np.allclose(one, other, tolerance, tolerance, equal_nan=True)


def shape_hint(got: tuple[int, ...], want: tuple[int, ...]) -> str:
    """What a wrong shape makes one think of."""
    if len(got) == len(want) and sorted(got) == sorted(want):
        return "; the axes look swapped"
    blocks = got[0] // max(want[0], 1) if len(got) == len(want) == 2 else 0
    if blocks > 1 and got == (blocks * want[0], want[1] / blocks):
        return "; the blocks look joined one below the other (np.concatenate without axis=1?)"
    if len(got) == len(want) + 1:
        return "; there is one axis too many"
    if len(got) == len(want) - 1:
        return "; an axis is missing"
    return ""


def place(letters: Sequence[str], index: Sequence[int]) -> str:
    """An index in words, counted from 0; as it is, if there are no letters for its axes.

    >>> place(["T", "H"], (3, 1)), place([], (3, 1))
    ('time step 3, hidden unit 1', 'entry [3, 1]')
    """
    if not letters:
        return f"entry {[int(i) for i in index]}"
    return ", ".join(f"{AXES[letter]} {i}" for letter, i in zip(letters, index, strict=True))


def steps(letters: Sequence[str], wrong: Array) -> str:
    """Which windows, time steps or lags are wrong, where they come first and some are right.

    >>> steps(["T", "H"], np.array([[False], [True], [True]]))
    ', from time step 1 on'
    """
    if not letters or letters[0] not in IN_ORDER or len(wrong) == 1:
        return ""
    hit = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
    word = AXES[letters[0]]
    if len(hit) == len(wrong):
        return f", at every {word}"
    if np.array_equal(hit, np.arange(hit[0], len(wrong))):
        return f", from {word} {hit[0]} on"
    if len(hit) > 1 and np.array_equal(hit, np.arange(len(hit))):
        return f", up to {word} {hit[-1]}"
    return f", at {word}{'s' * (len(hit) > 1)} {', '.join(map(str, hit))}"


def shown(value: Any) -> str:
    """A value in a sentence: six digits of a float.

    >>> shown(np.float64(2 / 3)), shown(np.int64(7)), shown(np.True_)
    ('0.666667', '7', 'True')
    """
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
