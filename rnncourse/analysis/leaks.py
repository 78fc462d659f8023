"""What moves an output and must not. Each test changes something and looks whether what should stay does."""

from typing import NamedTuple

import numpy as np

from rnncourse.analysis.structure import leaves
from rnncourse.arrays import Array, expect_mask, expect_rng
from rnncourse.layers import Layer


class Leaks(NamedTuple):
    """The largest change of what must not move, by what was changed; None where there was nothing to change.

    Rounding may differ between two batches, so a sound layer shows some 1e-16 times its outputs' size; a leak is
    larger by far. Printed, it is a report.

    >>> print(Leaks(future=0.25, pads=None, order=0.0, neighbors=0.0))
    the future moves earlier outputs by: 0.25
    padding moves real steps by: not tested (no padding)
    the order of the batch moves a sequence by: 0
    other sequences move a sequence by: 0
    """

    future: float | None
    pads: float | None
    order: float | None
    neighbors: float | None

    def __str__(self) -> str:
        lines = {
            "the future moves earlier outputs by": (self.future, "one step"),
            "padding moves real steps by": (self.pads, "no padding"),
            "the order of the batch moves a sequence by": (self.order, "one sequence"),
            "other sequences move a sequence by": (self.neighbors, "one sequence"),
        }
        return "\n".join(
            f"{what}: " + (f"not tested ({why})" if moved is None else f"{moved:.2g}")
            for what, (moved, why) in lines.items()
        )


def leak_test(layer: Layer, X: Array, rng: np.random.Generator, mask: Array | None = None) -> Leaks:
    """Change what must not matter, and see by how much the outputs of `layer`, outside training, move.

    X (T, B, D), or ids (T, B), is any batch the layer takes; what is changed becomes other numbers, drawn with `rng`
    (other ids among 0 … max X). Outputs are compared where `mask` (T, B) is True, as are the last states, but for:

    - the future: all inputs from step t on, for every t. Outputs before t must not move, if the layer is causal. A
      bidirectional one is not, and may not be used where the future is what is asked for.
    - pads: all inputs where the mask is False.
    - order: the sequences' places in the batch, all moved by one.
    - neighbors: all sequences but one, for every one.

    Raises TypeError or ValueError, naming the argument, if X or `mask` does not fit; TypeError if `rng` is no NumPy
    generator; ValueError for ids that are all 0, which leave no other id to draw.

    >>> from rnncourse.cells import RNN
    >>> from rnncourse.layers import Bidirectional
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(7, 5, 4))
    >>> leak_test(RNN(4, 6, rng), X, rng).future
    0.0
    >>> leak_test(Bidirectional(RNN(4, 6, rng), RNN(4, 6, rng)), X, rng).future > 0.01
    True
    """
    expect_rng("rng", rng)
    Y, state, _ = layer.forward(X, None, mask)
    T, B = X.shape[:2]
    expect_mask("mask", mask, (T, B))
    real = np.ones((T, B), bool) if mask is None else mask
    other = _other(X, rng)

    def run(X: Array, roll: int = 0) -> tuple[Array, list[Array]]:
        """Outputs and last states, with the batch rolled on before and back after."""
        mask_rolled = None if mask is None else np.roll(mask, roll, axis=1)
        Y, state, _ = layer.forward(np.roll(X, roll, axis=1), None, mask_rolled)
        return np.roll(Y, -roll, axis=1), [np.roll(s, -roll, axis=0) for s in leaves(state)]

    def moved(changed: tuple[Array, list[Array]], batch: slice = slice(None)) -> float:
        """The largest change of the real outputs and the last states of the sequences `batch`."""
        pairs = [(changed[0][:, batch][real[:, batch]], Y[:, batch][real[:, batch]])]
        pairs += [(new[batch], old[batch]) for new, old in zip(changed[1], leaves(state), strict=True)]
        return _largest(pairs)

    future = pads = order = neighbors = None
    if T > 1:
        runs = [(t, run(np.concatenate([X[:t], other[t:]]))[0]) for t in range(1, T)]
        future = _largest([(new[:t][real[:t]], Y[:t][real[:t]]) for t, new in runs])
    if not real.all():
        pads = moved(run(_where(real, X, other)))
    if B > 1:
        order = moved(run(X, roll=1))
        alone = [slice(b, b + 1) for b in range(B)]
        neighbors = float(np.max([moved(run(_where(np.arange(B) == b, X, other)), alone[b]) for b in range(B)]))
    return Leaks(future, pads, order, neighbors)


def _other(X: Array, rng: np.random.Generator) -> Array:
    """X with every entry changed."""
    other: Array
    if X.dtype.kind == "f":
        other = X + rng.normal(size=X.shape).astype(X.dtype)
    elif not X.any():
        raise ValueError("expected X with at least two different ids, got 0 alone")
    else:
        largest = int(X.max())  # in a small dtype, sums of ids overflow
        other = ((X.astype(int) + rng.integers(1, largest, X.shape, endpoint=True)) % (largest + 1)).astype(X.dtype)
    return other


def _where(keep: Array, X: Array, other: Array) -> Array:
    """X (T, B) or (T, B, D) at the steps and sequences to `keep`, else `other`."""
    return np.where(keep if X.ndim == 2 else keep[..., None], X, other)


def _largest(pairs: list[tuple[Array, Array]]) -> float:
    """The largest |new − old| of all pairs; NaN if one is, which `max` might pass over."""
    return float(np.max([abs(new - old).max(initial=0) for new, old in pairs]))
