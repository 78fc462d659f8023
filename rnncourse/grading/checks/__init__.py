"""Checks: is a student's function right, and if not, what is wrong with it?

One function, one file: `psN/<function>.py` holds a `PROBLEM` made of four things, its cases, its reference, the known
mistakes and the differently written correct solutions. Nothing else registers a check.

`problem` says what a problem is made of. `judge` calls a function (`attempt`, with `lent` versions of those it calls),
takes what it returned apart (`structure`), compares it (`compare`) and names its mistake. `wrong` is what can be wrong,
and `report` shows it. Nothing here knows of nbgrader.
"""

from importlib import import_module
from pkgutil import iter_modules

from rnncourse.grading.checks.problem import Problem


def sets() -> dict[str, list[str]]:
    """The problem sets and the functions of each, by name.

    >>> "rnn_step" in sets()["ps2"]
    True
    """
    folders = [module.name for module in iter_modules(__path__) if module.name.startswith("ps")]
    return {name: [m.name for m in iter_modules(import_module(f"{__name__}.{name}").__path__)] for name in folders}


def find(name: str) -> Problem:
    """The `Problem` whose function is called `name`. Raises LookupError, listing the names there are.

    >>> find("rnn_step").points
    4
    """
    for folder, names in sets().items():
        if name in names:
            problem: Problem = import_module(f"{__name__}.{folder}.{name}").PROBLEM
            return problem
    known = ", ".join(name for names in sets().values() for name in names)
    raise LookupError(f"expected the name of a function that has a check ({known}), got {name!r}")
