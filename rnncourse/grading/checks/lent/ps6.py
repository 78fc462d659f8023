"""The function of problem set 6 that another one calls, as a student would write it: the results are new arrays."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.lent import expect_shapes


def gru_step(x: Any, h: Any, W_x: Any, W_h: Any, b: Any, b_h: Any, reset: Any) -> tuple[Array, Array]:
    """x (B, D), h (B, H) to h_next (B, H) and the gates r, z, n side by side (B, 3H).

    Raises ValueError for an array of another shape, and for a `reset` other than "after" and "before".
    """
    B, (D, H) = np.shape(x)[0] if np.ndim(x) else 0, (len(W_x), len(W_h))
    expect_shapes("gru_step", x=(x, "B, D", (B, D)), h=(h, "B, H", (B, H)))
    expect_shapes(
        "gru_step",
        W_h=(W_h, "H, 3H", (H, 3 * H)),
        W_x=(W_x, "D, 3H", (D, 3 * H)),
        b=(b, "3H", (3 * H,)),
        b_h=(b_h, "H", (H,)),
    )
    if not isinstance(reset, str) or reset not in ("after", "before"):
        raise ValueError(f'gru_step expects reset to be "after" or "before", got {reset!r:.40}')
    x_r, x_z, x_n = (x @ W_x + b).reshape(B, 3, H).swapaxes(0, 1)
    W_hr, W_hz, W_hn = np.reshape(W_h, (H, 3, H)).swapaxes(0, 1)
    r, z = (0.5 + 0.5 * np.tanh(0.5 * a) for a in (x_r + h @ W_hr, x_z + h @ W_hz))
    n = np.tanh(x_n + (r * (h @ W_hn + b_h) if reset == "after" else (r * h) @ W_hn))
    return z * h + (1 - z) * n, np.concatenate([r, z, n], axis=1)
