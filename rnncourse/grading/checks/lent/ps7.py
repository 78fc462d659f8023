"""The function of problem set 7 that another one calls, as a student would write it."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.lent.ps2 import rnn_forward as rnn_forward
from rnncourse.grading.checks.wrong import kind


def reverse_padded(X: Any, mask: Any) -> Array:
    """X (T, B, …), mask (T, B) to a new array: the real steps of each sequence in reverse order, pads as they were.

    Raises TypeError for a tuple, ValueError for an array of another shape.
    """
    if isinstance(X, tuple):
        raise TypeError("reverse_padded was given a tuple as X. rnn_forward returns two values: `states, h = …`")
    if np.ndim(X) < 2:
        raise ValueError(f"reverse_padded expects X of shape (T, B, …), got {kind(X)}")
    if np.shape(mask) != np.shape(X)[:2]:
        raise ValueError(f"reverse_padded expects mask of shape (T, B), here {np.shape(X)[:2]}, got {kind(mask)}")
    reverse: Array = X.copy()
    for b in range(X.shape[1]):
        real = np.flatnonzero(mask[:, b])
        reverse[real, b] = X[real[::-1], b]
    return reverse
