"""Compare one output of a function with what was expected: kind, dtype, shape, NaN, values, in this order.

The first difference ends it: it is raised as a `Wrong`, in one sentence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.wrong import Wrong, WrongForm, WrongNumbers, WrongShape, kind

AXES = {"N": "window", "T": "time step", "B": "sequence", "D": "input", "H": "hidden unit", "Q": "output"}
"""The letters of the course's shapes, as words."""


def expect_output(name: str, axes: str, got: Any, want: Any, tolerance: float) -> None:
    """Raise `Wrong` unless the output `got` is `want`. `axes` is a string such as "T B H", or "" for a whole number."""
    if axes:
        expect_numbers(name, axes.split(), got, want)
        expect_values(name, axes.split(), got, want, tolerance)
    else:
        expect_count(name, got, want)


def expect_count(name: str, got: Any, want: int) -> None:
    """Raise `Wrong` unless `got` is the whole number `want`, exactly."""
    got = got[()] if isinstance(got, np.ndarray) else got  # an array without axes is a number
    if got is None:
        raise WrongForm(f"{name} is None, expected {want}")
    if isinstance(got, (float, np.floating)):
        raise WrongForm(f"{name} is {got}, a float; it should be a whole number, an int: expected {want}")
    if isinstance(got, bool) or not isinstance(got, (int, np.integer)):
        raise WrongForm(f"{name} should be a number, got {kind(got)}")
    if got != want:
        raise Wrong(f"{name} is {got}, expected {want}")


def expect_array(name: str, got: Any) -> None:
    """Raise `Wrong` unless `got` is a NumPy array."""
    if not isinstance(got, np.ndarray):
        cure = " (np.stack makes one of it)" if isinstance(got, list) else ""
        raise WrongForm(f"{name} should be a NumPy array, got {kind(got)}{cure}")


def expect_numbers(name: str, letters: Sequence[str], got: Any, want: Array) -> None:
    """Raise `Wrong` unless `got` is an array of the shape of `want` that holds finite real numbers."""
    shape = f"{want.shape}, that is ({', '.join(letters)})"
    if got is None:
        raise WrongForm(f"{name} is None, expected an array of shape {shape}")
    expect_array(name, got)
    if got.dtype.kind not in "fiu":
        raise WrongNumbers(f"{name} has dtype {got.dtype}, expected real numbers")
    if got.shape != want.shape:
        raise WrongShape(f"{name} has shape {got.shape}, expected {shape}{shape_hint(got.shape, want.shape)}")
    if got.dtype.kind != "f":
        raise WrongNumbers(
            f"{name} has the integer dtype {got.dtype}, which cuts off what comes after the decimal point"
        )
    bad = ~np.isfinite(got)
    if bad.any():
        first = tuple(np.argwhere(bad)[0])
        raise WrongNumbers(
            f"{name} holds {got[first]} in {bad.sum()} of {got.size} places, the first at "
            f"{place(letters, first)}: an overflow, or a division by zero?"
        )


def expect_values(name: str, letters: Sequence[str], got: Array, want: Array, tolerance: float) -> None:
    """Raise `Wrong` unless the arrays agree. In time it names the first wrong step: later ones inherit the error."""
    error = np.abs(got - want) / np.maximum(1, np.abs(want))
    wrong = error > tolerance
    if not wrong.any():
        return
    in_time = sum(letter in "NT" for letter in letters)  # these axes come first
    first = tuple(np.argwhere(wrong)[0][:in_time])
    worst = np.unravel_index(error[first].argmax(), error[first].shape)
    where = f"first at {name}{''.join(f'[{k}]' for k in first)}," if first else "the largest error is at"
    at = (*first, *worst)
    raise Wrong(
        f"{name} is wrong in {wrong.sum()} of {got.size} places{steps(letters, wrong)}; "
        f"{where} {place(letters[in_time:], worst)}: expected {want[at]:.6g}, got {got[at]:.6g}"
    )


def same(got: Mapping[str, Any], want: Mapping[str, Any], tolerance: float) -> bool:
    """Whether two returned values (outputs by name) are alike, NaN and all: so a known mistake is recognised."""
    if got.keys() != want.keys():
        return False
    try:
        pairs = [(np.asarray(got[name]), np.asarray(want[name])) for name in want]
    except ValueError:  # lists of lists of several lengths
        return False
    if any(array.dtype.kind not in "fiu" for pair in pairs for array in pair):
        return False
    return all(
        np.array_equal(a, b)
        if a.dtype.kind != "f" and b.dtype.kind != "f"
        else a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True)
        for a, b in pairs
    )


def shape_hint(got: tuple[int, ...], want: tuple[int, ...]) -> str:
    """What a wrong shape makes one think of."""
    if len(got) == len(want) and sorted(got) == sorted(want):
        return "; the axes look swapped"
    if len(got) == len(want) + 1:
        return "; there is one axis too many"
    if len(got) == len(want) - 1:
        return "; an axis is missing"
    return ""


def place(letters: Sequence[str], index: Sequence[int]) -> str:
    """An index in words, counted from 0.

    >>> place(["T", "H"], (3, 1))
    'time step 3, hidden unit 1'
    """
    return ", ".join(f"{AXES[letter]} {i}" for letter, i in zip(letters, index, strict=True))


def steps(letters: Sequence[str], wrong: Array) -> str:
    """Which windows or time steps are wrong, where they come first and some are right.

    >>> steps(["T", "H"], np.array([[False], [True], [True]]))
    ', from time step 1 on'
    """
    if letters[0] not in "NT" or len(wrong) == 1:
        return ""
    hit = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
    word = AXES[letters[0]]
    if len(hit) == len(wrong):
        return f", at every {word}"
    if np.array_equal(hit, np.arange(hit[0], len(wrong))):
        return f", from {word} {hit[0]} on"
    return f", at {word}{'s' * (len(hit) > 1)} {', '.join(map(str, hit))}"
