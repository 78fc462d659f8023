"""Layers that treat every entry alike. None has parameters, state, or a use for the mask."""

from typing import Any

import numpy as np

from rnncourse.arrays import Array, Params, State, expect, expect_rng
from rnncourse.layers.contract import Gradients, Mask, Outputs, Rng


class Elementwise:
    """y = φ(x), entry by entry. The tape holds the slopes φ′(x), and the way back multiplies by them.

    A subclass says what φ is in `apply`.
    Raises TypeError or ValueError, naming the argument, if X or dY does not fit.

    >>> class Square(Elementwise):
    ...     def apply(self, X, rng):
    ...         return X**2, 2 * X
    >>> Y, _, tape = Square().forward(np.full((1, 1, 1), 3.0))
    >>> dX, _, _ = Square().backward(np.ones((1, 1, 1)), tape)
    >>> Y.item(), dX.item()
    (9.0, 6.0)
    """

    @property
    def params(self) -> Params:
        """No parameters."""
        return {}

    def apply(self, X: Array, rng: Rng) -> tuple[Array, Array]:
        """X (T, B, D) to φ(X) and φ′(X), both (T, B, D)."""
        raise NotImplementedError(f"expected {type(self).__name__} to say what apply(X, rng) is")

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, D)."""
        Y, slopes = self.apply(expect("X", X, ("T", "B", "D")), rng)
        return Y, state, slopes

    def backward(self, dY: Array, slopes: Array, dstate: State = None) -> Gradients:
        """dY (T, B, D) to dX (T, B, D)."""
        return expect("dY", dY, slopes.shape, slopes.dtype) * slopes, dstate, {}


class Tanh(Elementwise):
    """y = tanh(x).

    >>> Tanh().forward(np.array([[[-1000.0, 0.0, 1000.0]]]))[0]
    array([[[-1.,  0.,  1.]]])
    """

    def apply(self, X: Array, rng: Rng) -> tuple[Array, Array]:
        """tanh′ = 1 − tanh²."""
        Y: Array = np.tanh(X)
        return Y, 1 - Y * Y


class ReLU(Elementwise):
    """y = max(0, x).

    >>> ReLU().forward(np.array([[[-2.0, 0.0, 3.0]]]))[0]
    array([[[0., 0., 3.]]])
    """

    def apply(self, X: Array, rng: Rng) -> tuple[Array, Array]:
        """The slope is 1 where x > 0, else 0 (at 0 too, where there is none)."""
        return np.maximum(X, 0), (X > 0).astype(X.dtype)


class Dropout(Elementwise):
    """In training, each entry is 0 with probability p and 1/(1−p) times itself otherwise; else y = x.

    The factor keeps the mean as it is, so that nothing has to be scaled afterwards. Training is when `forward` is
    given a generator. Each step draws its own entries. Source: Srivastava et al. 2014.
    Raises ValueError unless 0 ≤ p < 1, TypeError if `rng` is not a NumPy generator.

    >>> X = np.ones((1, 1, 4))
    >>> Dropout(0.5).forward(X, rng=np.random.default_rng(0))[0]
    array([[[2., 0., 0., 0.]]])
    >>> Dropout(0.5).forward(X)[0]
    array([[[1., 1., 1., 1.]]])
    """

    def __init__(self, p: float) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"expected p of at least 0 and below 1, got {p}")
        self.p = float(p)

    def apply(self, X: Array, rng: Rng) -> tuple[Array, Array]:
        """The slopes are the factors: 0 or 1/(1−p), and 1 if `rng` is None."""
        if rng is None:
            return X, np.broadcast_to(X.dtype.type(1), X.shape)
        drawn = expect_rng("rng", rng).random(self.drawn_shape(X.shape))
        factors: Array = (drawn >= self.p).astype(X.dtype) / (1 - self.p)
        return X * factors, np.broadcast_to(factors, X.shape)

    def drawn_shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of what is drawn for X of `shape` (T, B, D): a number for every entry."""
        return shape


class SequenceDropout(Dropout):
    """Dropout that draws once for each sequence, and drops the same entries at every step of it.

    A call is a sequence: the next call draws again. Source: Gal & Ghahramani 2016.
    Raises ValueError unless 0 ≤ p < 1, TypeError if `rng` is not a NumPy generator.

    >>> Y, _, _ = SequenceDropout(0.5).forward(np.ones((3, 1, 4)), rng=np.random.default_rng(0))
    >>> Y[:, 0]
    array([[2., 0., 0., 0.],
           [2., 0., 0., 0.],
           [2., 0., 0., 0.]])
    """

    def drawn_shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """(1, B, D): all steps share a draw."""
        return (1, *shape[1:])
