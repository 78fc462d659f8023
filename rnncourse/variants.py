"""Variants of the cells in `rnncourse.cells`: each a subclass that says only what is different."""

import numpy as np
from numpy.typing import DTypeLike

from rnncourse import init
from rnncourse.arrays import (
    Array,
    Params,
    State,
    beside,
    expect_positive,
    flat,
    sigmoid,
    split,
    standardize,
    standardize_backward,
)
from rnncourse.cells import LSTM, RNN, Cell
from rnncourse.recurrence import Tape


class LeakyReLURNN(RNN):
    """h' = max(s, s/100) of s = x W_x + h W_h + b: no unit's gradient is ever quite 0.

    >>> LeakyReLURNN.activation(np.array([-2.0, 2.0]))
    array([-0.02,  2.  ])
    """

    @staticmethod
    def activation(s: Array) -> Array:
        """max(s, s/100), elementwise."""
        return np.maximum(s, 0.01 * s)

    @staticmethod
    def slope(h: Array) -> Array:
        """1 where the output is positive, else 1/100."""
        return np.where(h > 0, 1, 0.01).astype(h.dtype)


class SkipRNN(RNN):
    """A simple cell with a second connection, from k steps back: h_t = tanh(x_t W_x + h_{t−1} W_h + h_{t−k} W_s + b).

    A gradient reaches n steps back over n/k products instead of n. The state is the last k values of h, newest first;
    all of them wait where a mask says so. Parameters: those of `RNN`, and W_s (H, H).
    Raises ValueError as `RNN` does, and unless k ≥ 2. Source: after Lin et al. 1996, who delay a network's outputs.

    >>> Y, state, tape = SkipRNN(D=4, H=6, k=3, rng=np.random.default_rng(0)).forward(np.ones((7, 5, 4)))
    >>> Y.shape, len(state)
    ((7, 5, 6), 3)
    """

    def __init__(self, D: int, H: int, k: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        expect_positive(k=k)
        if k < 2:
            raise ValueError(f"expected k of at least 2, got {k}: h of the step before has its own weights, W_h")
        super().__init__(D, H, rng, dtype)
        self.n_states = k
        self.W_s = init.uniform((H, H), H**-0.5, rng, dtype)

    @property
    def params(self) -> Params:
        """The parameters by name, W_s with them. The arrays are the cell's own: change them in place."""
        return {**super().params, "W_s": self.W_s}

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """The oldest h is used for the last time and dropped."""
        h = self.activation(xw + state[0] @ self.W_h + state[-1] @ self.W_s)
        return (h, *state[:-1]), h

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """a goes back to the newest h through W_hᵀ and to the oldest through W_sᵀ; the others only moved up."""
        a = J[0] * dstate[0]
        newest, *others = dstate[1:]
        return a, (newest + a @ W_hT, *others, a @ self.W_s.T)

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dW_s = Σ_t h_{t−k}ᵀ a_t, beside dL/dW_h."""
        return {**super().recurrent_grads(a, tape), "W_s": flat(tape.states[-1, :-1]).T @ flat(a)}


class PeepholeLSTM(LSTM):
    """An LSTM whose gates see the cell state: i and f see c, o sees c'.

        i = σ(… + p_i ⊙ c)      f = σ(… + p_f ⊙ c)      o = σ(… + p_o ⊙ c')        the rest as in `LSTM`

    Parameters: those of `LSTM`, and p_i, p_f, p_o (H,). Source: Gers & Schmidhuber 2000.

    >>> list(PeepholeLSTM(4, 6, np.random.default_rng(0)).params)
    ['W_x', 'W_h', 'b', 'p_i', 'p_f', 'p_o']
    """

    def __init__(self, D: int, H: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        super().__init__(D, H, rng, dtype)
        self.p_i, self.p_f, self.p_o = (init.uniform((H,), H**-0.5, rng, dtype) for _ in range(3))

    @property
    def params(self) -> Params:
        """The parameters by name, the peepholes with them. The arrays are the cell's own: change them in place."""
        return {**super().params, "p_i": self.p_i, "p_f": self.p_f, "p_o": self.p_o}

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """i, f and g, then c', then o and h'."""
        h, c = state
        s_i, s_f, s_g, s_o = split(xw + h @ self.W_h, 4)
        i, f, g = sigmoid(s_i + self.p_i * c), sigmoid(s_f + self.p_f * c), np.tanh(s_g)
        c = f * c + i * g
        o = sigmoid(s_o + self.p_o * c)
        return (o * np.tanh(c), c), beside(i, f, g, o)

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """As in `LSTM`, with the peepholes' share in ∂c'/∂c and ∂h'/∂c'."""
        Ja, f, Jc = super().linearize(gates, prev, new)
        J_i, J_f, _, J_o = split(Ja, 4)
        return Ja, f + self.p_i * J_i + self.p_f * J_f, Jc + self.p_o * J_o

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dp = Σ_t (what the peephole saw at t) ⊙ a_t, beside dL/dW_h."""
        a_i, a_f, _, a_o = split(a, 4)
        prev, new = tape.states[1, :-1], tape.states[1, 1:]
        seen = {"p_i": a_i * prev, "p_f": a_f * prev, "p_o": a_o * new}
        return {**super().recurrent_grads(a, tape), **{name: flat(s).sum(axis=0) for name, s in seen.items()}}


class CoupledLSTM(LSTM):
    """An LSTM that writes exactly where it forgets: i = 1 − f, so c' = f ⊙ c + (1 − f) ⊙ g.

    Gates f, g, o. Parameters: 3(D·H + H·H + H). Source: Greff et al. 2017 (CIFG).

    >>> CoupledLSTM(4, 6, np.random.default_rng(0)).W_x.shape
    (4, 18)
    """

    gate_names = ("f", "g", "o")
    n_saved = 3

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """c' is a weighted mean of c and g: it stays within what they span."""
        h, c = state
        gates = self.squash(xw + h @ self.W_h)
        f, g, o = split(gates, 3)
        c = g + f * (c - g)
        return (o * np.tanh(c), c), gates

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """As in `LSTM`, with ∂c'/∂f = c − g and ∂c'/∂g = 1 − f."""
        f, g, o = split(gates, 3)
        tanh_c = np.tanh(new[1])
        return self.slope(gates) * beside(prev[1] - g, 1 - f, tanh_c), f, o * (1 - tanh_c * tanh_c)

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """As in `LSTM`: f and g hear of dc, o hears of dh."""
        (dh, dc), (Ja, f, Jc) = dstate, J
        dc = dc + dh * Jc
        a = Ja * beside(dc, dc, dh)
        return a, (a @ W_hT, dc * f)


class LayerNormCell(Cell):
    """What the two layer-norm cells share: γ ⊙ N(h W_h) stands where the cell had h W_h.

    N takes from its G·H numbers their mean and divides by their deviation, for each sequence at each step by itself, so
    that the size of h W_h no longer depends on W_h's. Parameters: those of the cell, and γ, the `gain` (G·H,), which
    starts at 1. One number has no deviation: with G·H = 1 the cell forgets everything.
    Source: Ba, Kiros & Hinton 2016, in part: there the LSTM's input product and its c' are normalized too, and the RNN
    normalizes the sum of both products. Here it is what is repeated from step to step, the recurrent product, alone.

    >>> cell = LayerNormRNN(4, 6, np.random.default_rng(0))
    >>> h = np.random.default_rng(1).normal(size=(5, 6))
    >>> before = cell.recur(h)
    >>> cell.W_h *= 100
    >>> abs(cell.recur(h) - before).max() < 1e-3
    np.True_
    """

    def __init__(self, D: int, H: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        super().__init__(D, H, rng, dtype)
        self.gain = np.ones_like(self.b)

    @property
    def params(self) -> Params:
        """The parameters by name, the gain with them. The arrays are the cell's own: change them in place."""
        return {**super().params, "gain": self.gain}

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """As in the cell, and then N(h W_h) and 1/deviation, computed again instead of saved."""
        return (*super().linearize(gates, prev, new), *standardize(prev[0] @ self.W_h))

    def recur(self, h: Array) -> Array:
        """γ ⊙ N(h W_h), h (B, H)."""
        return self.gain * standardize(h @ self.W_h)[0]

    def recur_backward(self, a: Array, n: Array, scale: Array, W_hT: Array) -> Array:
        """The gradient of h, given that of γ ⊙ N(h W_h)."""
        return standardize_backward(a * self.gain, n, scale) @ W_hT

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dW_h through N, and dL/dγ = Σ_t a_t ⊙ N(h_{t−1} W_h)."""
        h = tape.states[0, :-1]
        n, scale = standardize(h @ self.W_h)
        ds = standardize_backward(a * self.gain, n, scale)
        return {"W_h": flat(h).T @ flat(ds), "gain": flat(a * n).sum(axis=0)}


class LayerNormRNN(LayerNormCell, RNN):
    """h' = tanh(x W_x + γ ⊙ N(h W_h) + b). Source: Ba, Kiros & Hinton 2016, see `LayerNormCell`.

    >>> LayerNormRNN(4, 6, np.random.default_rng(0)).forward(np.ones((7, 5, 4)))[0].shape
    (7, 5, 6)
    """

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """As `RNN.step`, with the normalized product."""
        (h,) = state
        h = self.activation(xw + self.recur(h))
        return (h,), h

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """As `RNN.pullback`, and through N."""
        (dh,), (slope, n, scale) = dstate, J
        a = slope * dh
        return a, (self.recur_backward(a, n, scale, W_hT),)


class LayerNormLSTM(LayerNormCell, LSTM):
    """An LSTM with x W_x + γ ⊙ N(h W_h) + b in its gates; N is over the four gates together.

    Source: Ba, Kiros & Hinton 2016, see `LayerNormCell`.

    >>> LayerNormLSTM(4, 6, np.random.default_rng(0)).params["gain"].shape
    (24,)
    """

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """As `LSTM.step`, with the normalized product."""
        h, c = state
        gates = self.squash(xw + self.recur(h))
        i, f, g, o = split(gates, 4)
        c = f * c + i * g
        return (o * np.tanh(c), c), gates

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """As `LSTM.pullback`, and through N."""
        (dh, dc), (Ja, f, Jc, n, scale) = dstate, J
        dc = dc + dh * Jc
        a = Ja * beside(dc, dc, dc, dh)
        return a, (self.recur_backward(a, n, scale, W_hT), dc * f)
