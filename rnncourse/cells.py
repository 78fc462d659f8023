"""Recurrent cells. A cell is four short methods:

`step(xw, state)`             one step forward: the new state, and what to save for the way back
`linearize(gates, prev, new)` the local derivatives of many steps at once, read off the tape
`pullback(dstate, J, W_hT)`   one step backward: linear in `dstate`
`recurrent_grads(…)`          the gradients of the weights that touch the previous state

`rnncourse.recurrence` does the rest. Weights multiply from the right (`x @ W_x`); gates lie side by side.
"""

import numpy as np

from rnncourse import init
from rnncourse.arrays import expect_positive, flat
from rnncourse.recurrence import bptt, unroll


class Cell:
    """What all cells share: parameters W_x (D, G·H), W_h (H, G·H), b (G·H,), and the layer contract.

    `rng` draws every parameter from U(−1/√H, 1/√H), as torch does. `dtype` is float64 or float32.
    Raises ValueError if D or H is not positive, TypeError if `rng` is not a NumPy generator.
    """

    n_gates = n_states = n_saved = 1
    forward, backward = unroll, bptt

    def __init__(self, D, H, rng, dtype=np.float64):
        expect_positive(D=D, H=H)
        G = self.n_gates * H
        self.W_x, self.W_h, self.b = (init.uniform(s, H**-0.5, rng, dtype) for s in ((D, G), (H, G), (G,)))

    @property
    def params(self):
        """The parameters by name. The arrays are the cell's own: change them in place."""
        return {"W_x": self.W_x, "W_h": self.W_h, "b": self.b}

    def recurrent_grads(self, H_prev, dXW, gates):
        """dL/dW_h = Σ_t h_{t−1}ᵀ a_t: H_prev (T, B, H) and a = dXW (T, B, G·H)."""
        return {"W_h": flat(H_prev).T @ flat(dXW)}


class RNN(Cell):
    """The simple recurrent cell, h' = tanh(x W_x + h W_h + b).

    Parameters: D·H + H·H + H. Source: Elman 1990, with tanh.

    >>> cell = RNN(D=4, H=6, rng=np.random.default_rng(0))
    >>> Y, (h,), tape = cell.forward(np.ones((7, 5, 4)))
    >>> Y.shape, h.shape
    ((7, 5, 6), (5, 6))
    """

    activation = staticmethod(np.tanh)

    @staticmethod
    def slope(h):
        """The activation's derivative, as a function of its output: tanh′ = 1 − tanh²."""
        return 1 - h * h

    def step(self, xw, state):
        """xw (B, H) is x W_x + b, computed already."""
        (h,) = state
        h = self.activation(xw + h @ self.W_h)
        return (h,), h

    def linearize(self, gates, prev, new):
        """∂h'/∂a at every step; `gates` is h' itself."""
        return (self.slope(gates),)

    def pullback(self, dstate, J, W_hT):
        """a = dL/dh' ⊙ φ′ is the gradient of the sum inside the activation; a W_hᵀ goes back to h."""
        a = J[0] * dstate[0]
        return a, (a @ W_hT,)


class ReLURNN(RNN):
    """h' = max(0, x W_x + h W_h + b). The state is not bounded. Source: Le, Jaitly & Hinton 2015."""

    @staticmethod
    def activation(a):
        """max(0, a), elementwise."""
        return np.maximum(a, 0)

    @staticmethod
    def slope(h):
        """1 where the output is positive, else 0."""
        return (h > 0).astype(h.dtype)
