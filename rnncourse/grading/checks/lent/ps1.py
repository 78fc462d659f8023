"""The function of problem set 1 that another one may call, as a student would write it."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.wrong import kind


def one_hot(ids: Any, V: Any) -> Array:
    """ids of any shape (…) to rows (…, V), zeros but for a 1 at the id.

    Raises TypeError unless V is a whole number, ValueError for an id that is V or more.
    """
    if not isinstance(V, (int, np.integer)):
        raise TypeError(f"one_hot expects V, the number of tokens, got {kind(V)}")
    if np.max(ids, initial=0) >= V:
        raise ValueError(f"one_hot was given V = {V}, but ids up to {np.max(ids)}: V is the number of tokens")
    rows: Array = np.eye(int(V))[ids]
    return rows
