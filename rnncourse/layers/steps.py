"""Layers that treat every step alike: what comes out at a step depends on that step's input only.

None has a state, none needs the mask: a padded step's output is as meaningless as its input, and goes nowhere.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from rnncourse import init
from rnncourse.arrays import (
    Array,
    Params,
    State,
    expect,
    expect_dtype,
    expect_ids,
    expect_positive,
    expect_rng,
    flat,
    standardize,
    standardize_backward,
)
from rnncourse.layers.contract import Gradients, Mask, Outputs, Rng


class Linear:
    """y = x W + b at every step: W (D, Q), b (Q,). Also the output head of a recurrent network.

    Both drawn from U(−1/√D, 1/√D), as torch does.
    Raises TypeError or ValueError, naming the argument, if X or dY does not fit.

    >>> Linear(3, 2, np.random.default_rng(0)).forward(np.zeros((7, 5, 3)))[0].shape
    (7, 5, 2)
    """

    def __init__(self, D: int, Q: int, rng: Generator, dtype: DTypeLike = np.float64) -> None:
        expect_positive(D=D, Q=Q)
        self.W, self.b = (init.uniform(s, D**-0.5, rng, dtype) for s in ((D, Q), (Q,)))

    @property
    def params(self) -> Params:
        """The parameters by name. The arrays are the layer's own: change them in place."""
        return {"W": self.W, "b": self.b}

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, Q)."""
        expect("X", X, ("T", "B", len(self.W)), self.W.dtype)
        return (flat(X) @ self.W + self.b).reshape(*X.shape[:-1], -1), state, X

    def backward(self, dY: Array, X: Array, dstate: State = None) -> Gradients:
        """dY (T, B, Q) to dX (T, B, D)."""
        expect("dY", dY, (*X.shape[:-1], self.W.shape[1]), self.W.dtype)
        grads = {"W": flat(X).T @ flat(dY), "b": flat(dY).sum(axis=0)}
        return (flat(dY) @ self.W.T).reshape(X.shape), dstate, grads


class Embedding:
    """Row x of the table W (V, D) for the id x: a one-hot vector times W, without the multiplications by 0.

    Drawn from N(0, 1), as torch does. The row of the id `padding`, if one is given, is 0 and its gradient is 0, so
    that no optimizer moves it. Pre-trained rows go in by `W[:] = …`; `Frozen` keeps them as they are.
    Raises TypeError or ValueError, naming the argument, if ids or dY do not fit, or `padding` is no id.

    >>> table = Embedding(1000, 8, np.random.default_rng(0))
    >>> ids = np.array([[3, 14], [15, 3]])
    >>> Y, _, _ = table.forward(ids)
    >>> Y.shape, (Y[0, 0] == Y[1, 1]).all()
    ((2, 2, 8), np.True_)
    """

    def __init__(
        self, V: int, D: int, rng: Generator, padding: int | None = None, dtype: DTypeLike = np.float64
    ) -> None:
        expect_positive(V=V, D=D)
        self.W = expect_rng("rng", rng).standard_normal((V, D)).astype(expect_dtype(dtype))
        self.padding = padding
        if padding is not None:
            self.W[expect_ids("padding", padding, V, ())] = 0

    @property
    def params(self) -> Params:
        """The table by its name, W. The array is the layer's own: change it in place."""
        return {"W": self.W}

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """Ids X (T, B), integers 0 … V−1, to Y (T, B, D)."""
        expect_ids("X", X, len(self.W), ("T", "B"))
        return self.W[X], state, X

    def backward(self, dY: Array, X: Array, dstate: State = None) -> Gradients:
        """dY (T, B, D) to the table's gradient: an id that came n times gathers n terms. Ids have none: dX is None."""
        expect("dY", dY, (*X.shape, self.W.shape[1]), self.W.dtype)
        dW = np.zeros_like(self.W)
        np.add.at(dW, X, dY)
        if self.padding is not None:
            dW[self.padding] = 0
        return None, dstate, {"W": dW}


class LayerNorm:
    """y = gain ⊙ x̂ + bias, where x̂ = (x − mean(x)) / √(var(x) + 10⁻⁵), over the D entries of one step of one sequence.

    gain (D,) starts at 1, bias (D,) at 0. With no statistics over batch or time, padding and other sequences change
    nothing. Source: Ba, Kiros & Hinton 2016.
    Raises TypeError or ValueError, naming the argument, if X or dY does not fit.

    >>> Y, _, _ = LayerNorm(2).forward(np.array([[[3.0, 5.0]], [[-10.0, 10.0]]]))
    >>> Y[:, 0].round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    def __init__(self, D: int, dtype: DTypeLike = np.float64) -> None:
        expect_positive(D=D)
        expect_dtype(dtype)
        self.gain, self.bias = np.ones(D, dtype), np.zeros(D, dtype)

    @property
    def params(self) -> Params:
        """The parameters by name. The arrays are the layer's own: change them in place."""
        return {"gain": self.gain, "bias": self.bias}

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, D)."""
        expect("X", X, ("T", "B", len(self.gain)), self.gain.dtype)
        X_hat, scale = standardize(X)
        return X_hat * self.gain + self.bias, state, (X_hat, scale)

    def backward(self, dY: Array, tape: tuple[Array, Array], dstate: State = None) -> Gradients:
        """dY (T, B, D) to dX (T, B, D), by way of mean and variance too."""
        X_hat, scale = tape
        expect("dY", dY, X_hat.shape, self.gain.dtype)
        grads = {"gain": flat(dY * X_hat).sum(axis=0), "bias": flat(dY).sum(axis=0)}
        return standardize_backward(dY * self.gain, X_hat, scale), dstate, grads
