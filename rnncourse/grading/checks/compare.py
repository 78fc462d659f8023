"""Compare what a function returned with what was expected, and say the difference in one sentence.

First the structure (`single`, `several`, `stacked`, `named` take a returned value apart into its outputs, by name),
then each output: kind, shape, dtype, NaN, values, in this order, and the first difference ends it.
"""

import numpy as np

AXES = {"N": "window", "T": "time step", "B": "sequence", "D": "input", "H": "hidden unit", "Q": "output"}
"""The letters of the course's shapes, as words."""


class Wrong(Exception):
    """A sentence that says what is wrong with an answer."""


def single(outputs, value):
    """A function that returns one array."""
    (name,) = outputs
    return {name: value}


def several(outputs, value):
    """A function that returns several values, in a tuple or a list."""
    wanted = f"{len(outputs)} values ({', '.join(outputs)})"
    if not isinstance(value, (tuple, list)):
        raise Wrong(f"it should return {wanted}, got {kind(value)}")
    if len(value) != len(outputs):
        raise Wrong(f"it should return {wanted}, got {len(value)}")
    return dict(zip(outputs, value, strict=True))


def stacked(outputs, value):
    """A function that returns one array, or the list of its rows."""
    (name,) = outputs
    if isinstance(value, (tuple, list)):
        for k, row in enumerate(value):
            if not isinstance(row, np.ndarray):
                raise Wrong(f"{name}[{k}] should be a NumPy array, got {kind(row)}")
        if len({row.shape for row in value}) != 1:
            shapes = ", ".join(str(row.shape) for row in value)
            raise Wrong(f"{name} should hold arrays of one shape, got {shapes or 'an empty list'}")
        value = np.stack(value)
    return {name: value}


def named(outputs, value):
    """A function that returns a dict."""
    if not isinstance(value, dict):
        raise Wrong(f"it should return a dict with the keys {', '.join(outputs)}, got {kind(value)}")
    missing, unknown = [k for k in outputs if k not in value], [str(k) for k in value if k not in outputs]
    if missing or unknown:
        found = {"lacks": missing, "has the unknown": unknown}
        complaints = [f"{complaint} {', '.join(keys)}" for complaint, keys in found.items() if keys]
        raise Wrong(f"the dict it returns {' and '.join(complaints)}")
    return value


def difference(name, axes, got, want, tolerance):
    """A sentence on how the output `got` differs from `want`, or None. `axes` is a string such as "T B H"."""
    want, letters = np.asarray(want), axes.split()
    if got is None:
        return f"{name} is None: is a `return` missing?"
    if not isinstance(got, np.ndarray if letters else (np.ndarray, np.number, int, float)) or isinstance(got, bool):
        return f"{name} should be a {'NumPy array' if letters else 'number'}, got {kind(got)}"
    got = np.asarray(got)
    if got.dtype.kind not in "fiu":
        return f"{name} has dtype {got.dtype}, expected real numbers"
    if got.shape != want.shape:
        named_shape = f"{want.shape}, that is ({', '.join(letters)})" if letters else "a single number"
        return f"{name} has shape {got.shape}, expected {named_shape}{shape_hint(got.shape, want.shape)}"
    if got.dtype.kind != "f" and want.dtype.kind == "f":
        return f"{name} has the integer dtype {got.dtype}, which cuts off what comes after the decimal point"
    if not np.isfinite(got).all():
        bad = ~np.isfinite(got)
        first = tuple(np.argwhere(bad)[0])
        return (
            f"{name} holds {got[first]} in {bad.sum()} of {got.size} places, the first at "
            f"{place(letters, first)}: an overflow, or a division by zero?"
        )
    error = np.abs(got - want) / np.maximum(1, np.abs(want))
    wrong = error > tolerance
    if not wrong.any():
        return None
    if not letters:
        return f"{name} is {got}, expected {want}"
    worst = np.unravel_index(error.argmax(), error.shape)
    g, w = got[worst], want[worst]
    return (
        f"{name} is wrong in {wrong.sum()} of {got.size} places{steps(letters, wrong)}; the largest error is "
        f"{abs(g - w):.2g}, at {place(letters, worst)}: expected {w:.4g}, got {g:.4g}"
    )


def same(got, want, tolerance):
    """Whether two returned values (outputs by name) are alike, NaN and all: so a known mistake is recognised."""
    if got.keys() != want.keys():
        return False
    try:
        pairs = [(np.asarray(got[name]), np.asarray(want[name])) for name in want]
    except ValueError:  # lists of lists of several lengths
        return False
    if any(array.dtype.kind not in "fiu" for pair in pairs for array in pair):
        return False
    return all(a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True) for a, b in pairs)


def kind(value):
    """What a value is, with its article: 'None', 'a list', 'an array of shape (3, 4)'."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"


def shape_hint(got, want):
    """What a wrong shape makes one think of."""
    if len(got) == len(want) and sorted(got) == sorted(want):
        return "; the axes look swapped"
    if len(got) == len(want) + 1:
        return "; there is one axis too many"
    if len(got) == len(want) - 1:
        return "; an axis is missing"
    return ""


def place(letters, index):
    """An index in words, counted from 0.

    >>> place(["T", "H"], (3, 1))
    'time step 3, hidden unit 1'
    """
    return ", ".join(f"{AXES[letter]} {i}" for letter, i in zip(letters, index, strict=True)) or "the number itself"


def steps(letters, wrong):
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
