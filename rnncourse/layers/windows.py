"""Looking back over a fixed number of steps: the window, and the two networks of windows that recurrence replaces."""

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from rnncourse.arrays import Array, Params, State, expect, expect_mask, expect_positive
from rnncourse.layers.combinators import Stacked
from rnncourse.layers.contract import Gradients, Layer, Mask, Outputs, Rng
from rnncourse.layers.elementwise import ReLU, Tanh
from rnncourse.layers.steps import Linear
from rnncourse.recurrence import expect_state


class Window:
    """The last k inputs side by side, every `dilation`-th: y_t = [x_t, x_{t−d}, …, x_{t−(k−1)d}], d = `dilation`.

    Followed by `Linear` this is a causal convolution with a kernel of k, the same weights at every step.
    Before the start and where the mask is False inputs count as 0. So it makes no difference whether a sequence begins
    at the first step or after padding, and a window that reads backwards, where the padding comes first, is exact.

    Its state is a tuple of (k−1)·d arrays (B, D), the last inputs, oldest first; None stands for zeros.
    Raises TypeError or ValueError, naming the argument, if an array does not fit.

    >>> X = np.arange(1.0, 6.0).reshape(5, 1, 1)
    >>> Window(2, dilation=3).forward(X)[0][:, 0]
    array([[1., 0.],
           [2., 0.],
           [3., 0.],
           [4., 1.],
           [5., 2.]])
    """

    def __init__(self, k: int, dilation: int = 1) -> None:
        expect_positive(k=k, dilation=dilation)
        self.k, self.dilation = k, dilation

    @property
    def params(self) -> Params:
        """No parameters."""
        return {}

    @property
    def reach(self) -> int:
        """How many steps back it sees, (k−1)·d. A stack of windows sees as far back as theirs add up to."""
        return (self.k - 1) * self.dilation

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, k·D)."""
        T, B, D = expect("X", X, ("T", "B", "D")).shape
        expect_mask("mask", mask, (T, B))
        if mask is not None:
            X = np.where(mask[..., None], X, 0)
        before = np.zeros((self.reach, B, D), X.dtype)
        if state is not None:
            for old, s in zip(before, expect_state("state", state, self.reach, (B, D), X.dtype), strict=True):
                old[:] = s
        inputs = np.concatenate([before, X])
        Y = np.concatenate([inputs[a : a + T] for a in self._starts()], axis=-1)
        return Y, tuple(inputs[T:]), (X, mask)

    def backward(self, dY: Array, tape: tuple[Array, Array | None], dstate: State = None) -> Gradients:
        """dY (T, B, k·D) to dX (T, B, D): an input gathers from every window it stood in."""
        X, mask = tape
        T, B, D = X.shape
        expect("dY", dY, (T, B, self.k * D), X.dtype)
        dinputs = np.zeros((self.reach + T, B, D), X.dtype)
        for a, part in zip(self._starts(), np.split(dY, self.k, axis=-1), strict=True):
            dinputs[a : a + T] += part
        if dstate is not None:
            for d, s in zip(dinputs[T:], expect_state("dstate", dstate, self.reach, (B, D), X.dtype), strict=True):
                d += s
        dX = dinputs[self.reach :]
        if mask is not None:
            dX = np.where(mask[..., None], dX, 0)
        return dX, tuple(dinputs[: self.reach]), {}

    def _starts(self) -> range:
        """Where x_t, x_{t−d}, … stand among the inputs, the state's first, for t = 0."""
        return range(self.reach, -1, -self.dilation)


def window_mlp(k: int, D: int, H: int, Q: int, rng: Generator, dtype: DTypeLike = np.float64) -> Stacked:
    """A multilayer perceptron on the last k inputs: H tanh units, Q outputs, at every step.

    Parameters: (k·D + 1)·H + (H + 1)·Q; they grow with k. It sees k steps, this one among them, and no further.

    >>> model = window_mlp(k=10, D=1, H=16, Q=1, rng=np.random.default_rng(0))
    >>> model.forward(np.zeros((50, 32, 1)))[0].shape
    (50, 32, 1)
    """
    return Stacked(Window(k), Linear(k * D, H, rng, dtype), Tanh(), Linear(H, Q, rng, dtype))


def causal_cnn(
    D: int, H: int, Q: int, depth: int, rng: Generator, k: int = 2, dtype: DTypeLike = np.float64
) -> Stacked:
    """A causal convolutional network: `depth` convolutions of H channels and kernel k, ReLU, then Q outputs.

    Dilations 1, k, k², … make it see k^depth steps, this one among them: to see T steps takes about log_k T layers.
    Source: van den Oord et al. 2016 (WaveNet); Bai, Kolter & Koltun 2018.

    >>> model = causal_cnn(D=1, H=16, Q=1, depth=3, rng=np.random.default_rng(0))
    >>> 1 + sum(layer.reach for layer in model.layers if isinstance(layer, Window))
    8
    """
    expect_positive(depth=depth)
    layers: list[Layer] = []
    for level in range(depth):
        layers += [Window(k, k**level), Linear(k * (H if level else D), H, rng, dtype), ReLU()]
    return Stacked(*layers, Linear(H, Q, rng, dtype))
