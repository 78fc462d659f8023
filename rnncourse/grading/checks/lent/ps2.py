"""The functions of problem set 2, as a student would write them: `last` is a part of `states`."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.wrong import kind


def rnn_step(x: Array, h: Array, W_x: Array, W_h: Array, b: Array) -> Array:
    """x (B, D), h (B, H) to the state after one step, (B, H): tanh(x W_x + h W_h + b)."""
    new: Array = np.tanh(x @ W_x + h @ W_h + b)
    return new


def rnn_forward(X: Any, h0: Any, W_x: Array, W_h: Array, b: Array) -> tuple[Array, Array]:
    """X (T, B, D), h0 (B, H) to states (T, B, H) and last (B, H). Raises TypeError, ValueError for another X or h0."""
    if isinstance(X, tuple):
        raise TypeError("rnn_forward was given a tuple as X. It returns two values: `states, h = rnn_forward(…)`")
    if np.ndim(X) != 3:
        raise ValueError(f"rnn_forward expects X of shape (T, B, D), got {kind(X)}")
    if isinstance(h0, tuple):
        raise TypeError("rnn_forward was given a tuple as h0. It returns two values: `states, h = rnn_forward(…)`")
    B, H = np.shape(X)[1], len(b)
    if np.shape(h0) != (B, H):
        raise ValueError(f"rnn_forward expects h0 of shape (B, H), here ({B}, {H}), got {kind(h0)}")
    h, rows = h0, []
    for x in X:
        h = rnn_step(x, h, W_x, W_h, b)
        rows.append(h)
    states = np.stack(rows)
    return states, states[-1]
