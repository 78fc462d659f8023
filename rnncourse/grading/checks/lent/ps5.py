"""The functions of problem set 5 that another one calls, as a student would write them: the results are new arrays."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.lent import expect_shapes
from rnncourse.grading.checks.wrong import kind


def lstm_step(x: Any, h: Any, c: Any, W_x: Array, W_h: Array, b: Array) -> tuple[Array, Array, Array]:
    """x (B, D), h, c (B, H) to h_next, c_next (B, H) and the gates i, f, g, o side by side (B, 4H).

    Raises ValueError for an array of another shape.
    """
    B, (D, H) = np.shape(x)[0] if np.ndim(x) else 0, (len(W_x), len(W_h))
    expect_shapes("lstm_step", x=(x, "B, D", (B, D)), h=(h, "B, H", (B, H)), c=(c, "B, H", (B, H)))
    a = x @ W_x + h @ W_h + b
    gates = 0.5 + 0.5 * np.tanh(0.5 * a)
    gates[:, 2 * H : 3 * H] = np.tanh(a[:, 2 * H : 3 * H])
    i, f, g, o = gates.reshape(B, 4, H).swapaxes(0, 1)
    c_next = f * c + i * g
    return o * np.tanh(c_next), c_next, gates


def lstm_forward(X: Any, h0: Any, c0: Any, W_x: Array, W_h: Array, b: Array) -> tuple[Array, Array, Array]:
    """X (T, B, D), h0, c0 (B, H) to hs, cs (T, B, H) and gates (T, B, 4H). Raises ValueError for another X."""
    if np.ndim(X) != 3 or len(X) == 0:
        raise ValueError(f"lstm_forward expects X of shape (T, B, D) with at least one step, got {kind(X)}")
    h, c, rows = h0, c0, []
    for x in X:
        h, c, gates = lstm_step(x, h, c, W_x, W_h, b)
        rows.append((h, c, gates))
    hs, cs, all_gates = (np.stack(arrays) for arrays in zip(*rows, strict=True))
    return hs, cs, all_gates


def lstm_step_backward(
    dh: Any, dc: Any, x: Any, h_prev: Any, c_prev: Any, c: Any, gates: Any, W_x: Array, W_h: Array
) -> tuple[Array, ...]:
    """dh, dc, h_prev, c_prev, c (B, H), x (B, D), gates (B, 4H) to dx, dh_prev, dc_prev, dW_x, dW_h, db.

    Raises ValueError for an array of another shape.
    """
    B, (D, H) = np.shape(x)[0] if np.ndim(x) else 0, (len(W_x), len(W_h))
    state = "B, H", (B, H)
    states = {"dh": dh, "dc": dc, "h_prev": h_prev, "c_prev": c_prev, "c": c}
    expect_shapes(
        "lstm_step_backward",
        x=(x, "B, D", (B, D)),
        **{name: (array, *state) for name, array in states.items()},
        gates=(gates, "B, 4H", (B, 4 * H)),
    )
    i, f, g, o = np.reshape(gates, (B, 4, H)).swapaxes(0, 1)
    tanh_c = np.tanh(c)
    total = dc + dh * o * (1 - tanh_c**2)
    A_i, A_f = total * g * i * (1 - i), total * c_prev * f * (1 - f)
    A_g, A_o = total * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    A = np.concatenate([A_i, A_f, A_g, A_o], axis=1)
    return A @ W_x.T, A @ W_h.T, total * f, x.T @ A, h_prev.T @ A, A.sum(axis=0)
