"""Checks of the problem sets' functions: `check` while you work, `grade` when it counts.

    check.rnn_step(rnn_step)    prints what is right and what is wrong, and returns nothing
    grade.rnn_step(rnn_step)    prints the same for other cases, and returns the points: a whole number

The cases are drawn anew from a seed. For `check` it is always the same; for `grade` it is whatever text the environment
variable RNNCOURSE_SEED holds, which an instructor sets where the grader runs and keeps to themselves (without it, "0").
"""

import os
from functools import partial

import numpy as np

from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.judge import judge


class _ByName:
    """Calls `verb(problem, function)` as an attribute: `check.rnn_step(f)`. Completion lists the names there are."""

    def __init__(self, verb):
        self._verb = verb

    def __getattr__(self, name):
        try:
            problem = find(name)
        except LookupError as error:
            raise AttributeError(str(error)) from None
        return partial(self._verb, problem)

    def __dir__(self):
        return [name for names in sets().values() for name in names]


def _check(problem, function):
    judge(problem, function, np.random.default_rng(0)).show()


def _grade(problem, function):
    seed = os.environ.get("RNNCOURSE_SEED") or "0"
    report = judge(problem, function, np.random.default_rng([len(seed), *seed.encode()]))
    report.show()
    return report.points


check, grade = _ByName(_check), _ByName(_grade)
