"""What a problem is made of."""

import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rnncourse.grading.checks.attempt import Function, arrays
from rnncourse.grading.checks.kinds import Kind
from rnncourse.grading.checks.structure import single


@dataclass(frozen=True)
class Case:
    """One call of the student's function.

    `part` is the part of the problem it belongs to, `note` says what is special about it, and `args` holds the
    arguments by name, in order. `outputs` are the outputs that count (all if empty), and `untouched` demands that the
    function leaves its inputs as they were and returns no view of them.
    """

    part: str
    note: str
    args: Mapping[str, Any]
    outputs: tuple[str, ...] = ()
    untouched: bool = False

    @cached_property
    def tolerance(self) -> float:
        """The error allowed, relative to max(1, |expected|): 1e-5, or 1e-4 if an input is float32.

        Mistakes are larger by far, and another order of additions, or float32 inside the function, is not a mistake.
        """
        given = (array for value in self.args.values() for array in arrays(value))
        return 1e-4 if any(array.dtype == np.float32 for array in given) else 1e-5

    @property
    def inputs(self) -> str:
        """The arguments in a few words: shapes of arrays, values of anything else."""
        return ", ".join(f"{name} {in_short(value)}" for name, value in self.args.items())


def in_short(value: Any) -> str:
    """A value in a few words, behind its name.

    >>> in_short(np.zeros((2, 3))), in_short([np.zeros(2), np.zeros(1)]), in_short(list("recurrent"))
    ('(2, 3)', 'of shapes (2,), (1,)', "= ['r', 'e', 'c', 'u', 'r', 'r', ...]")
    >>> in_short({"W": np.zeros((2, 3)), "b": np.zeros(3)}), in_short(np.tanh)
    ('= {W (2, 3), b (3,)}', '= tanh')
    """
    if callable(value) and hasattr(value, "__name__"):
        return f"= {value.__name__}"
    if isinstance(value, np.ndarray):
        return f"{value.shape}"
    if isinstance(value, list) and value and all(isinstance(part, np.ndarray) for part in value):
        return f"of shapes {', '.join(str(part.shape) for part in value)}"
    if isinstance(value, dict) and len(arrays(value)) == len(value) > 0:
        return f"= {{{', '.join(f'{name} {array.shape}' for name, array in value.items())}}}"
    return f"= {reprlib.repr(value)}"


@dataclass(frozen=True)
class Problem:
    """A function to write, and what is needed to judge it.

    `outputs` names what the function returns and says of what kind it is: `Numbers("T B H")`, `Count()` (see `kinds`);
    `unpack` takes a returned value apart into these. `parts` are the parts that earn points, each all or nothing.
    `cases(rng)` draws the cases, part by part. `mistakes` and `alternatives` map a description to a function. `lends`
    holds correct versions of the functions that this one calls, used in place of the student's own, so that a mistake
    in one function costs nothing in the next. `reread` is where the book explains the function, and `shapes` where it
    explains the shapes of its arrays.
    """

    name: str
    outputs: Mapping[str, Kind]
    parts: Mapping[str, int]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    reference: Function
    mistakes: Mapping[str, Function]
    alternatives: Mapping[str, Function]
    reread: str
    unpack: Callable[[Collection[str], Any], dict[str, Any]] = single
    lends: Mapping[str, Function] = field(default_factory=dict)
    shapes: str = 'chapter 4, section "Shapes and parameters"'

    @property
    def points(self) -> int:
        """What the whole function is worth."""
        return sum(self.parts.values())
