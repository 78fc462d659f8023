"""The functions of problem set 3 that another one calls, as a student would write them."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.lent import expect_shapes
from rnncourse.grading.checks.wrong import kind


def rnn_step_backward(dh: Any, x: Any, h_prev: Any, h: Any, W_x: Array, W_h: Array) -> tuple[Array, ...]:
    """dh, h_prev, h (B, H), x (B, D) to dx (B, D), dh_prev (B, H), dW_x (D, H), dW_h (H, H), db (H,).

    Raises ValueError for an array of another shape.
    """
    B, (D, H) = len(h), W_x.shape
    state = "B, H", (B, H)
    expect_shapes("rnn_step_backward", h=(h, *state), dh=(dh, *state), x=(x, "B, D", (B, D)), h_prev=(h_prev, *state))
    A = dh * (1 - h * h)
    return A @ W_x.T, A @ W_h.T, x.T @ A, h_prev.T @ A, A.sum(axis=0)


def rnn_backward(dH: Any, X: Any, states: Any, h0: Any, W_x: Array, W_h: Array) -> tuple[Array, ...]:
    """dH, states (T, B, H), X (T, B, D), h0 (B, H) to dX (T, B, D), dh0 (B, H), dW_x (D, H), dW_h (H, H), db (H,).

    Raises ValueError for an array of another shape, or if there are no steps.
    """
    if np.ndim(X) != 3 or len(X) == 0:
        raise ValueError(f"rnn_backward expects X of shape (T, B, D) with at least one step, got {kind(X)}")
    (T, B, _), (D, H) = X.shape, W_x.shape
    each = "T, B, H", (T, B, H)
    expect_shapes(
        "rnn_backward", X=(X, "T, B, D", (T, B, D)), dH=(dH, *each), states=(states, *each), h0=(h0, "B, H", (B, H))
    )
    dX, handed_back = np.zeros_like(X), np.zeros_like(h0)
    total: list[Any] = [0, 0, 0]
    for t in reversed(range(T)):
        before = states[t - 1] if t > 0 else h0
        dX[t], handed_back, *grads = rnn_step_backward(dH[t] + handed_back, X[t], before, states[t], W_x, W_h)
        total = [sum_so_far + grad for sum_so_far, grad in zip(total, grads, strict=True)]
    return dX, handed_back, *total
