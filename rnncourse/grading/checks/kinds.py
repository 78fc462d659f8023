"""What an output is: an array of numbers, a count, a vocabulary … and so how it is compared, in which order.

Each kind has one method, `expect(name, got, want, tolerance)`, which raises a `Wrong` at the first difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.compare import IN_ORDER, expect_finite, expect_shape, place, shown, steps
from rnncourse.grading.checks.wrong import Wrong, WrongForm, WrongNumbers, kind


@dataclass(frozen=True)
class Numbers:
    """An array of real numbers, in floating point, with these `axes`: letters of `AXES`, such as "T B H".

    Of an array whose axes begin in time it names the first wrong step, since later ones inherit the error; so of one
    whose first axis is the lag, "T+1". Without `axes` it may have any number of them, and places are indices.
    """

    axes: str = ""

    def expect(self, name: str, got: Any, want: Array, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`, to a tolerance relative to max(1, |want|)."""
        letters = self.axes.split()
        expect_shape(name, letters, got, want)
        expect_finite(name, letters, got)
        error = np.abs(got - want) / np.maximum(1, np.abs(want))
        self.expect_none(name, got, want, error, error > tolerance)

    def expect_none(self, name: str, got: Array, want: Array, error: Array, wrong: Array) -> None:
        """Raise `Wrong` if there is an entry that is `wrong`, with the place of the worst."""
        if not wrong.any():
            return
        letters = self.axes.split()
        in_time = sum(letter in IN_ORDER for letter in letters)  # these axes come first
        first = tuple(np.argwhere(wrong)[self.which_first()][:in_time]) if in_time else ()
        worst = np.unravel_index(error[first].argmax(), error[first].shape)
        where = f"first at {name}{''.join(f'[{k}]' for k in first)}" if first else "the largest error is"
        at = (*first, *worst)
        there = f"{',' if first else ' at'} {self.place(letters[in_time:], worst, got)}" if worst else ""
        coarse = "; its dtype float16 keeps three digits only" if got.dtype == np.float16 else ""
        raise Wrong(
            f"{name} is wrong in {wrong.sum()} of {got.size} places{steps(letters, wrong)}{self.which_blocks(wrong)}; "
            f"{where}{there}: expected {shown(want[at])}, got {shown(got[at])}{coarse}"
        )

    def place(self, letters: Sequence[str], index: Sequence[int], got: Array) -> str:
        """An index of `got` in words, behind its axes in time."""
        return place(letters, index)

    def which_blocks(self, wrong: Array) -> str:
        """Which blocks of the last axis are wrong, where there are several and some are right."""
        return ""

    def which_first(self) -> int:
        """Which of the wrong entries to name, in the order of time."""
        return 0


class NumbersBackward(Numbers):
    """`Numbers` that are computed from the last time step to the first: earlier ones inherit the error."""

    def which_first(self) -> int:
        """The last one."""
        return -1


@dataclass(frozen=True)
class Gates(Numbers):
    """`Numbers` whose last axis, "4H" or "3H", holds a block of H units for each of the `gates`, side by side."""

    gates: str = "ifgo"

    def expect(self, name: str, got: Any, want: Array, tolerance: float) -> None:
        """As `Numbers`; raise `WrongForm` with how they become one array for the gates of one step in a list."""
        if isinstance(got, (list, tuple)) and len(got) == len(self.gates) and "T" not in self.axes:
            cure = "np.concatenate with axis=-1 puts them side by side"
            raise WrongForm(f"{name} should be one NumPy array, got {kind(got)} of {len(got)} ({cure})")
        super().expect(name, got, want, tolerance)

    def place(self, letters: Sequence[str], index: Sequence[int], got: Array) -> str:
        """An index in words: the last axis as a gate and a unit."""
        gate, unit = divmod(int(index[-1]), got.shape[-1] // len(self.gates))
        before = [place(letters[:-1], index[:-1])] * (len(index) > 1)
        return ", ".join([*before, f"gate {self.gates[gate]}, hidden unit {unit}"])

    def which_blocks(self, wrong: Array) -> str:
        """The gates that are wrong, unless all are."""
        blocks = np.split(wrong, len(self.gates), axis=-1)
        hit = [gate for gate, block in zip(self.gates, blocks, strict=True) if block.any()]
        return f", in gate{'s' * (len(hit) > 1)} {', '.join(hit)}" if len(hit) < len(self.gates) else ""


class Integers(Numbers):
    """An array of whole numbers, with these axes."""

    def expect(self, name: str, got: Any, want: Array, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`, exactly."""
        expect_shape(name, self.axes.split(), got, want)
        if got.dtype.kind not in "iu":
            raise WrongNumbers(f"{name} has dtype {got.dtype}, expected whole numbers, an integer dtype")
        error = np.abs(got.astype(np.float64) - want)
        self.expect_none(name, got, want, error, got != want)


class Flags(Numbers):
    """An array of True and False, with these axes."""

    def expect(self, name: str, got: Any, want: Array, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`."""
        expect_shape(name, self.axes.split(), got, want)
        if got.dtype != bool:
            raise WrongNumbers(f"{name} has dtype {got.dtype}, expected True and False, the dtype bool")
        self.expect_none(name, got, want, got != want, got != want)


class Arrays:
    """A dict of arrays of real numbers, in floating point, of at most two axes: gradients by name."""

    def expect(self, name: str, got: Any, want: Mapping[str, Array], tolerance: float) -> None:
        """Raise `Wrong` unless `got` has the keys of `want`, and its arrays, to the tolerance of `Numbers`."""
        if not isinstance(got, dict):
            raise WrongForm(f"{name} should be a dict of arrays, got {kind(got)}")
        expect_keys(name, got, want)
        for key, array in want.items():
            Numbers(" ".join("IJ"[: array.ndim])).expect(f"{name}[{key!r}]", got[key], array, tolerance)


class Count:
    """One whole number."""

    def expect(self, name: str, got: Any, want: int, tolerance: float) -> None:
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


class Number:
    """One real number: a float, or a NumPy number or array without axes."""

    def expect(self, name: str, got: Any, want: float, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`, to a tolerance relative to max(1, |want|)."""
        got = got[()] if isinstance(got, np.ndarray) else got
        if got is None:
            raise WrongForm(f"{name} is None, expected a number")
        if isinstance(got, (bool, np.bool_)) or not isinstance(got, (int, float, np.integer, np.floating)):
            raise WrongForm(f"{name} should be one number, got {kind(got)}")
        if got == want:
            return
        if np.isfinite(want) and not np.isfinite(got):
            raise WrongNumbers(
                f"{name} is {got}, expected {want:.6g}: an overflow, a logarithm of 0, or a division by 0?"
            )
        if not np.isfinite(want) or abs(got - want) > tolerance * max(1, abs(want)):
            raise Wrong(f"{name} is {got:.6g}, expected {want:.6g}")


class Flag:
    """True or False."""

    def expect(self, name: str, got: Any, want: bool, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`."""
        got = got[()] if isinstance(got, np.ndarray) else got
        if not isinstance(got, (bool, np.bool_)):
            raise WrongForm(f"{name} should be True or False, got {kind(got)}")
        if got != want:
            raise Wrong(f"{name} is {bool(got)}, expected {want}")


class Items:
    """A list, or a dict, whose entries, strings and whole numbers, are compared exactly: tokens, a vocabulary.

    A tuple stands for a list, and NumPy's numbers and strings for Python's.
    """

    def expect(self, name: str, got: Any, want: Any, tolerance: float) -> None:
        """Raise `Wrong` unless `got` is `want`, with the first key or the first entry that differs."""
        if not isinstance(got, dict if isinstance(want, dict) else (list, tuple)):
            raise WrongForm(f"{name} should be a {type(want).__name__}, got {kind(got)}")
        if isinstance(want, dict):
            self._expect_dict(name, got, want)
        else:
            self._expect_list(name, got, want)

    def _expect_dict(self, name: str, got: Any, want: dict[Any, Any]) -> None:
        expect_keys(name, got, want)
        for key, value in want.items():
            if not equal(got[key], value):
                raise Wrong(f"{name}[{key!r}] is {got[key]!r}, expected {value!r}")

    def _expect_list(self, name: str, got: Any, want: list[Any]) -> None:
        for k, (ours, theirs) in enumerate(zip(want, got, strict=False)):
            if not equal(theirs, ours):
                raise Wrong(f"{name}[{k}] is {theirs!r}, expected {ours!r}")
        if len(got) != len(want):
            raise Wrong(f"{name} has {len(got)} entries, expected {len(want)}")


def equal(got: Any, want: str | int) -> bool:
    """Whether an entry is the one that is wanted; 1.0 is not 1, for it is no index."""
    return isinstance(got, (str, int, np.integer)) and bool(got == want)


def expect_keys(name: str, got: Mapping[Any, Any], want: Mapping[Any, Any]) -> None:
    """Raise `Wrong` unless two dicts have the same keys, with the first that is missing or too many."""
    missing, extra = [key for key in want if key not in got], [key for key in got if key not in want]
    count = f"{name} has {len(got)} key{'s' * (len(got) != 1)}, expected {len(want)}"
    if missing:
        raise Wrong(f"{count}; it lacks {missing[0]!r}")
    if extra:
        raise Wrong(f"{count}; {extra[0]!r} should not be there")


Kind: TypeAlias = Numbers | Arrays | Count | Number | Flag | Items
"""What an output is, and so how it is compared."""
