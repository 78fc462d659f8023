"""Small, real data sets that need no network, and generated tasks. Nothing is downloaded or cached.

README.md beside this file names each source and licence.
"""

import inspect
import re
from importlib.resources import files
from itertools import groupby

import numpy as np

from rnncourse.arrays import expect_positive, expect_rng

HEADING = re.compile(r"^.*\n-{3,}$", re.MULTILINE)
PROSE = re.compile(r"[a-z][a-z0-9 ,.:;'()-]{20,}\.")


def sunspots():
    """Yearly mean sunspot numbers, 1700–2008.

    Returns (years, numbers): int (309,) and float64 (309,), a count of spots and groups, which has no unit.
    Source: National Geophysical Data Center, by way of statsmodels. Public domain.

    >>> years, numbers = sunspots()
    >>> int(years[numbers.argmax()]), float(numbers.max())
    (1957, 190.2)
    """
    with (files(__name__) / "sunspots.csv").open() as file:
        years, numbers = np.loadtxt(file, delimiter=",", skiprows=1, unpack=True)
    return years.astype(int), numbers


def numpy_prose():
    """English sentences from the docstrings of NumPy's own functions: one string, a paragraph a line, lower case.

    Takes from `numpy`'s public callables every block of lines with one indent that reads as prose (it starts with a
    letter, ends with a full stop, and holds only letters, digits, spaces and common punctuation), each once, in the
    order of the callables' names; backquotes are dropped. The text is that of the NumPy you have installed.
    Source: NumPy. Licence: BSD 3-Clause.

    >>> numpy_prose().splitlines()[0]
    'calculate the absolute value element-wise.'
    """
    blocks = {}
    for name in sorted(dir(np)):
        if not name.startswith("_") and callable(getattr(np, name)):
            text = HEADING.sub("\n", inspect.getdoc(getattr(np, name)) or "").replace("`", "")
            for _, lines in groupby(text.splitlines(), key=_indent):
                blocks[" ".join(" ".join(lines).split()).lower()] = None
    return "\n".join(b for b in blocks if PROSE.fullmatch(b))


def flip_flop(T, B, rng, p=0.05):
    """The flip-flop task: remember the sign of the last pulse.

    At each step comes a pulse of −1 or +1 with probability p, else 0; the first step always has one. The target is the
    last pulse so far: class 0 for −1, class 1 for +1.
    Returns X float64 (T, B, 1) and targets int (T, B). Generated.
    Raises ValueError unless T and B are positive integers and 0 < p ≤ 1, TypeError if `rng` is not a NumPy generator.

    >>> X, targets = flip_flop(6, 1, np.random.default_rng(3), p=0.5)
    >>> X[:, 0, 0], targets[:, 0]
    (array([ 1., -1.,  0.,  0.,  1.,  1.]), array([1, 0, 0, 0, 1, 1]))
    """
    expect_positive(T=T, B=B)
    expect_rng("rng", rng)
    if not 0 < p <= 1:
        raise ValueError(f"expected p above 0 and at most 1, got {p}")
    pulse = rng.random((T, B)) < p
    pulse[0] = True
    X = np.where(pulse, rng.choice([-1.0, 1.0], (T, B)), 0.0)
    last = np.maximum.accumulate(np.where(pulse, np.arange(T)[:, None], 0), axis=0)
    targets = np.take_along_axis(X, last, axis=0) > 0
    return X[..., None], targets.astype(int)


def delayed_recall(T, B, lag, rng):
    """The delayed recall task: say what came `lag` steps ago.

    Each input is −1 or +1 with equal probability. The target at step t is the input at step t − `lag`: class 0 for −1,
    class 1 for +1.
    Returns X float64 (T, B, 1) and targets int (T − lag, B), those of the steps from `lag` on. Generated.
    Raises ValueError unless T, B and lag are positive integers and lag < T, TypeError if `rng` is not a NumPy
    generator.

    >>> X, targets = delayed_recall(5, 1, 2, np.random.default_rng(0))
    >>> X[:, 0, 0], targets[:, 0]
    (array([ 1.,  1.,  1., -1., -1.]), array([1, 1, 1]))
    """
    expect_positive(T=T, B=B, lag=lag)
    expect_rng("rng", rng)
    if lag >= T:
        raise ValueError(f"expected lag below T = {T}, got {lag}")
    X = rng.choice([-1.0, 1.0], (T, B))
    return X[..., None], (X[: T - lag] > 0).astype(int)


def _indent(line):
    return len(line) - len(line.lstrip()) if line.strip() else None
