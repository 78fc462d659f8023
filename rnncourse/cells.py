"""Recurrent cells. A cell is four short methods:

`step(xw, state)`             one step forward: the new state, and what to save for the way back
`linearize(gates, prev, new)` the local derivatives of many steps at once, read off the tape
`pullback(dstate, J, W_hT)`   one step backward: linear in `dstate`
`recurrent_grads(a, tape)`    the gradients of the parameters that the inputs do not touch

`rnncourse.recurrence` does the rest. Weights multiply from the right (`x @ W_x`); gates lie side by side, in the order
of `gate_names`. A *pre-activation* s is the sum inside a gate's nonlinearity; `a` is its gradient, throughout.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnncourse import init
from rnncourse.arrays import Array, Params, State, beside, expect_positive, flat, sigmoid, split
from rnncourse.recurrence import Tape, bptt, unroll


class Cell:
    """What all cells share: parameters W_x (D, G·H), W_h (H, G·H), b (G·H,) for G gates, and the layer contract.

    `rng` draws every parameter from U(−1/√H, 1/√H), as torch does. `dtype` is float64 or float32. A cell of your own
    is a subclass with the four methods, of which `recurrent_grads` is often the one here.
    Raises ValueError if D or H is not positive, TypeError if `rng` is not a NumPy generator.

    >>> class Accumulator(Cell):  # h' = h + x W_x + b
    ...     def step(self, xw, state):
    ...         return (state[0] + xw,), xw
    ...     def linearize(self, gates, prev, new):
    ...         return ()
    ...     def pullback(self, dstate, J, W_hT):
    ...         return dstate[0], dstate
    >>> cell = Accumulator(D=1, H=1, rng=np.random.default_rng(0))
    >>> Y, _, tape = cell.forward(np.ones((3, 1, 1)))
    >>> cell.backward(np.ones((3, 1, 1)), tape)[2]["b"]  # b is in h_1 once, in h_2 twice, in h_3 three times
    array([6.])
    """

    gate_names: ClassVar[tuple[str, ...]] = ("h",)
    n_states: int = 1  # arrays in a state
    n_saved: int = 1  # numbers that `step` saves, a unit
    forward, backward = unroll, bptt

    def __init__(self, D: int, H: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        expect_positive(D=D, H=H)
        width = self.n_gates * H
        shapes = (D, width), (H, width), (width,)
        self.W_x, self.W_h, self.b = (init.uniform(shape, H**-0.5, rng, dtype) for shape in shapes)

    @property
    def n_gates(self) -> int:
        """G, the number of blocks that lie side by side in W_x, W_h and b."""
        return len(self.gate_names)

    @property
    def params(self) -> Params:
        """The parameters by name. The arrays are the cell's own: change them in place."""
        return {"W_x": self.W_x, "W_h": self.W_h, "b": self.b}

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """xw (B, G·H), which is x W_x + b, and the state before; the state after, and what to save (B, n_saved·H)."""
        raise NotImplementedError

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """The coefficients of `pullback` for many steps: saved (…, B, n_saved·H) and states (n_states, …, B, H)."""
        raise NotImplementedError

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """The gradient of the state after, to a (B, G·H) and the gradient of the state before."""
        raise NotImplementedError

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dW_h = Σ_t h_{t−1}ᵀ a_t, a (T, B, G·H)."""
        return {"W_h": flat(tape.states[0, :-1]).T @ flat(a)}


class RNN(Cell):
    """The simple recurrent cell, h' = tanh(x W_x + h W_h + b).

    Parameters: D·H + H·H + H. Source: Elman 1990, with tanh.

    >>> cell = RNN(D=4, H=6, rng=np.random.default_rng(0))
    >>> Y, (h,), tape = cell.forward(np.ones((7, 5, 4)))
    >>> Y.shape, h.shape
    ((7, 5, 6), (5, 6))
    """

    @staticmethod
    def activation(s: Array) -> Array:
        """φ = tanh, elementwise."""
        return np.tanh(s)

    @staticmethod
    def slope(h: Array) -> Array:
        """The activation's derivative, as a function of its output: tanh′ = 1 − tanh²."""
        return 1 - h * h

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """h' = φ(x W_x + b + h W_h), which is also all there is to save."""
        (h,) = state
        h = self.activation(xw + h @ self.W_h)
        return (h,), h

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """∂h'/∂(pre-activation), at every step."""
        return (self.slope(gates),)

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """a = dL/dh' ⊙ φ′ goes back to h through W_hᵀ."""
        (dh,) = dstate
        a = J[0] * dh
        return a, (a @ W_hT,)


class ReLURNN(RNN):
    """h' = max(0, x W_x + h W_h + b). The state is not bounded. Source: Le, Jaitly & Hinton 2015.

    >>> ReLURNN(4, 6, np.random.default_rng(0)).forward(np.ones((7, 5, 4)))[0].min() >= 0
    np.True_
    """

    @staticmethod
    def activation(s: Array) -> Array:
        """max(0, s), elementwise."""
        return np.maximum(s, 0)

    @staticmethod
    def slope(h: Array) -> Array:
        """1 where the output is positive, else 0."""
        return (h > 0).astype(h.dtype)


class LSTM(Cell):
    """Long short-term memory: the state is (h, c), and a sum, not a product with W_h, carries c from step to step.

        i, f, o = σ(x W_x + h W_h + b)      g = tanh(x W_x + h W_h + b)      each with its own block of W_x, W_h, b
        c' = f ⊙ c + i ⊙ g                  h' = o ⊙ tanh(c')

    Gates i (input), f (forget), g (candidate), o (output). Parameters: 4(D·H + H·H + H).
    Source: Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000.

    >>> Y, (h, c), tape = LSTM(D=4, H=6, rng=np.random.default_rng(0)).forward(np.ones((7, 5, 4)))
    >>> Y.shape, h.shape, c.shape
    ((7, 5, 6), (5, 6), (5, 6))
    """

    gate_names: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    n_states, n_saved = 2, 4

    def __init__(self, D: int, H: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        super().__init__(D, H, rng, dtype)
        # σ(s) = ½ + ½ tanh(½ s): so one tanh serves all gates, y = β + α tanh(α s) with α = ½ for σ and 1 for tanh,
        # and one formula their derivatives, (1 − y)(y + λ).
        self.alpha: Array = np.repeat(np.array([1 if name == "g" else 0.5 for name in self.gate_names], dtype), H)
        self.beta: Array = 1 - self.alpha
        self.lambda_: Array = 2 * self.alpha - 1

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """The gates, then c', then h'. Saves the gates."""
        h, c = state
        gates = self.squash(xw + h @ self.W_h)
        i, f, g, o = split(gates, 4)
        c = f * c + i * g
        return (o * np.tanh(c), c), gates

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """∂(c', h')/∂(pre-activations); ∂c'/∂c = f; ∂h'/∂c' = o (1 − tanh² c')."""
        i, f, g, o = split(gates, 4)
        tanh_c = np.tanh(new[1])
        return self.slope(gates) * beside(g, prev[1], i, tanh_c), f, o * (1 - tanh_c * tanh_c)

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """dc gathers what reaches c' directly and by way of h'; i, f and g hear of it, o hears of dh."""
        (dh, dc), (Ja, f, Jc) = dstate, J
        dc = dc + dh * Jc
        a = Ja * beside(dc, dc, dc, dh)
        return a, (a @ W_hT, dc * f)

    def squash(self, s: Array) -> Array:
        """Each gate's σ or tanh, elementwise: s (…, G·H)."""
        y: Array = self.beta + self.alpha * np.tanh(self.alpha * s)
        return y

    def slope(self, y: Array) -> Array:
        """The derivative of `squash`, as a function of its output: y (1 − y) for σ, (1 − y)(1 + y) for tanh."""
        slope: Array = (1 - y) * (y + self.lambda_)
        return slope


class GRU(Cell):
    """The gated recurrent unit as torch has it, reset *after* the matrix product.

        r, z = σ(x W_x + h W_h + b)      n = tanh(x W_x + b + r ⊙ (h W_h + b_h))      h' = (1 − z) ⊙ n + z ⊙ h

    Gates r (reset), z (update), n (candidate), each with its own block of W_x, W_h, b; b_h (H,) is the candidate's
    second bias. Parameters: 3(D·H + H·H + H) + H. Source: Cho et al. 2014, in the variant of torch and cuDNN.

    >>> Y, (h,), tape = GRU(D=4, H=6, rng=np.random.default_rng(0)).forward(np.ones((7, 5, 4)))
    >>> Y.shape, h.shape
    ((7, 5, 6), (5, 6))
    """

    gate_names = ("r", "z", "n")
    n_saved = 4

    def __init__(self, D: int, H: int, rng: np.random.Generator, dtype: DTypeLike = np.float64):
        super().__init__(D, H, rng, dtype)
        self.b_h = init.uniform((H,), H**-0.5, rng, dtype)

    @property
    def params(self) -> Params:
        """The parameters by name, b_h with them. The arrays are the cell's own: change them in place."""
        return {**super().params, "b_h": self.b_h}

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """The gates r and z, the candidate n, and the mean of n and h that z weighs. Saves r, z, n and h W_hn + b_h."""
        (h,) = state
        hw, H = h @ self.W_h, h.shape[-1]
        rz = sigmoid(xw[..., : 2 * H] + hw[..., : 2 * H])
        r, z = split(rz, 2)
        q = hw[..., 2 * H :] + self.b_h
        n = np.tanh(xw[..., 2 * H :] + r * q)
        return (n + z * (h - n),), beside(rz, n, q)

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """∂h'/∂(pre-activations) by way of r, z and n; then r and z themselves."""
        r, z, n, q = split(gates, 4)
        Jn = (1 - z) * (1 - n * n)
        return beside(Jn * q * r * (1 - r), (prev[0] - n) * z * (1 - z), Jn), r, z

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """To h directly, by z, and through W_hᵀ."""
        (dh,), (Ja, r, z) = dstate, J
        a = Ja * beside(dh, dh, dh)
        a_r, a_z, a_n = split(a, 3)
        return a, (z * dh + beside(a_r, a_z, r * a_n) @ W_hT,)

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dW_h and dL/db_h: the gradient of h W_h is a, but for the candidate, where r stands in between."""
        r, h, k = split(tape.gates, 4)[0], flat(tape.states[0, :-1]), 2 * len(self.W_h)
        dq = flat(r * a[..., k:])
        return {"W_h": beside(h.T @ flat(a)[:, :k], h.T @ dq), "b_h": dq.sum(axis=0)}


class GRUResetBefore(Cell):
    """The gated recurrent unit as first published, reset *before* the matrix product.

        r, z = σ(x W_x + h W_h + b)      n = tanh(x W_x + b + (r ⊙ h) W_h)      h' = (1 − z) ⊙ n + z ⊙ h

    Gates r, z, n as in `GRU`; the two agree where H = 1 and b_h = 0, and else they are different functions.
    Parameters: 3(D·H + H·H + H). Source: Cho et al. 2014 (z there is the weight of h, as here).

    >>> GRUResetBefore(D=4, H=6, rng=np.random.default_rng(0)).forward(np.ones((7, 5, 4)))[0].shape
    (7, 5, 6)
    """

    gate_names = ("r", "z", "n")
    n_saved = 3

    def step(self, xw: Array, state: State) -> tuple[State, Array]:
        """As `GRU.step`, with two products, because n waits for r. Saves r, z, n."""
        (h,) = state
        k = 2 * h.shape[-1]
        rz = sigmoid(xw[..., :k] + h @ self.W_h[..., :k])
        r, z = split(rz, 2)
        n = np.tanh(xw[..., k:] + (r * h) @ self.W_h[..., k:])
        return (n + z * (h - n),), beside(rz, n)

    def linearize(self, gates: Array, prev: Array, new: Array) -> tuple[Array, ...]:
        """∂(r ⊙ h)/∂(r's pre-activation), ∂h'/∂(those of z and n); then r and z themselves."""
        (r, z, n), h = split(gates, 3), prev[0]
        return h * r * (1 - r), (h - n) * z * (1 - z), (1 - z) * (1 - n * n), r, z

    def pullback(self, dstate: State, J: list[Array], W_hT: Array) -> tuple[Array, State]:
        """To h directly, by z; through r ⊙ h; and through the gates."""
        (dh,), (Jr, Jz, Jn, r, z) = dstate, J
        k = 2 * dh.shape[-1]
        a_n = Jn * dh
        drh = a_n @ W_hT[..., k:, :]
        a_rz = beside(Jr * drh, Jz * dh)
        return beside(a_rz, a_n), (z * dh + r * drh + a_rz @ W_hT[..., :k, :],)

    def recurrent_grads(self, a: Array, tape: Tape) -> Params:
        """dL/dW_h: r and z met h, the candidate met r ⊙ h."""
        (r, _, _), h, k = split(tape.gates, 3), tape.states[0, :-1], 2 * len(self.W_h)
        return {"W_h": beside(flat(h).T @ flat(a)[:, :k], flat(r * h).T @ flat(a)[:, k:])}
