"""Checks of the problem sets' functions: `check` while you work, `grade` when it counts.

    check.rnn_step(rnn_step)    prints what is right and what is wrong, and returns nothing
    grade.rnn_step(rnn_step)    prints the same for other cases, and returns the points: a whole number

The cases are drawn anew from a seed. For `check` it is always the same; for `grade` it is whatever text the environment
variable RNNCOURSE_SEED holds, which an instructor sets where the grader runs and keeps to themselves (without it, "0").
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.attempt import Function
from rnncourse.grading.checks.judge import judge
from rnncourse.grading.checks.problem import Problem


class _ByName:
    """Calls `verb(problem, function)` as an attribute: `check.rnn_step(f)`. Completion lists the names there are."""

    def __init__(self, verb: Callable[[Problem, Function], Any]) -> None:
        self._verb = verb

    def __getattr__(self, name: str) -> Callable[[Function], Any]:
        try:
            problem = find(name)
        except LookupError as error:
            raise AttributeError(str(error)) from None
        return partial(self._verb, problem)

    def __dir__(self) -> list[str]:
        return [name for names in sets().values() for name in names]


def _check(problem: Problem, function: Function) -> None:
    judge(problem, function, np.random.default_rng(0)).show()


def hidden(seed: str) -> np.random.Generator:
    """What the hidden cases are drawn with."""
    return np.random.default_rng([len(seed), *seed.encode()])


def _grade(problem: Problem, function: Function) -> int:
    report = judge(problem, function, hidden(os.environ.get("RNNCOURSE_SEED") or "0"))
    report.show()
    return report.points


check, grade = _ByName(_check), _ByName(_grade)
"""`check.name(f)` shows what is wrong with f; `grade.name(f)` shows it for other cases and returns the points."""
