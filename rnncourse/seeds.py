"""Several seeds at once: networks alike but for their numbers, trained side by side.

A step of a small network takes less time to compute than NumPy takes to be called. Matrix products, and all that goes
entry by entry, also take arrays with one more axis in front, and a cell's `step`, `linearize` and `pullback` are made
of nothing else. So one call serves S networks whose parameters are stacked along a leading axis. They share no number:
each learns what it would have learned alone. The loops are those of `rnncourse.recurrence`, with one axis more.

Shapes: S networks, T time steps, B sequences for each network, D inputs, H hidden units, Q outputs.
"""

from collections.abc import Sequence
from copy import copy

import numpy as np

from rnncourse.arrays import Array, Params, expect, flat
from rnncourse.cells import Cell
from rnncourse.layers import Layer, Linear
from rnncourse.optim import positive
from rnncourse.recurrence import Tape, blocks


class Seeds:
    """S networks side by side, each a cell and a linear head that answers once, at the last step.

    `cells` are of one kind, sizes and dtype, and so are the `heads`. `params` holds copies of theirs, stacked: matrices
    as (S, m, n), vectors as (S, 1, n); an optimizer that goes entry by entry, as all in `rnncourse.optim` do, trains
    each network on its own. A cell must index the last axis alone, `s[..., :k]` and not `s[:, :k]`: it is tried once.
    Raises ValueError unless there is a head for each cell and all are alike, TypeError for a cell that does not
    give the same with one more axis.

    >>> from rnncourse.cells import LSTM
    >>> rngs = [np.random.default_rng(s) for s in range(3)]
    >>> model = Seeds([LSTM(4, 6, rng) for rng in rngs], [Linear(6, 2, rng) for rng in rngs])
    >>> outputs, tape = model.forward(np.ones((7, 3, 5, 4)))
    >>> outputs.shape, model.params["cell.W_h"].shape, model.params["cell.b"].shape
    ((3, 5, 2), (3, 6, 24), (3, 1, 24))
    """

    def __init__(self, cells: Sequence[Cell], heads: Sequence[Linear]) -> None:
        expect_alike("cells", cells)
        expect_alike("heads", heads)
        if len(cells) != len(heads):
            raise ValueError(f"expected a head for each of {len(cells)} cells, got {len(heads)}")
        self.params = {**stack("cell.", cells), **stack("head.", heads)}
        self.each = [copy(cell) for cell in cells]  # every cell by itself: its parameters are views of the stack
        self.cell = copy(cells[0])  # and all of them in one
        for name in cells[0].params:
            setattr(self.cell, name, self.params[f"cell.{name}"])
            for s, cell in enumerate(self.each):
                setattr(cell, name, self.params[f"cell.{name}"][s].reshape(cells[s].params[name].shape))
        self.expect_broadcasting()

    def forward(self, X: Array) -> tuple[Array, Tape]:
        """X (T, S, B, D), from states of zeros, to the answers (S, B, Q) and the tape.

        Raises TypeError or ValueError, naming the argument, if X does not fit.
        """
        states, tape = self.unroll(X)
        return states[-1] @ self.params["head.W"] + self.params["head.b"], tape

    def backward(self, dO: Array, tape: Tape) -> Params:
        """The gradient of the answers, dO (S, B, Q), to those of the parameters.

        Raises TypeError or ValueError, naming the argument, if dO does not fit.
        """
        h, W = tape.states[0, -1], self.params["head.W"]
        expect("dO", dO, (*h.shape[:2], W.shape[-1]), h.dtype)
        head = {"head.W": h.swapaxes(-1, -2) @ dO, "head.b": dO.sum(axis=1, keepdims=True)}
        return {**self.bptt(dO @ W.swapaxes(-1, -2), tape), **head}

    def unroll(self, X: Array) -> tuple[Array, Tape]:
        """The cells' loop over time: X (T, S, B, D) to all states h (T, S, B, H), and the tape."""
        cell, (S, D, _), H, dtype = self.cell, self.cell.W_x.shape, self.cell.W_h.shape[1], self.cell.W_h.dtype
        T, _, B, _ = expect("X", X, ("T", S, "B", D), dtype).shape
        XW = X @ cell.W_x + cell.b
        states = np.zeros((cell.n_states, T + 1, S, B, H), dtype)
        gates = np.empty((T, S, B, cell.n_saved * H), dtype)
        for t in range(T):
            states[:, t + 1], gates[t] = cell.step(XW[t], tuple(states[:, t]))
        return states[0, 1:], Tape(X, states, gates, None)

    def bptt(self, dh: Array, tape: Tape) -> Params:
        """The cells' loop back, from the gradient dh (S, B, H) of the last h: the parameters' gradients."""
        cell, (X, states, gates, _) = self.cell, tape
        dstate = (dh, *(np.zeros_like(dh) for _ in states[1:]))
        W_hT = np.ascontiguousarray(cell.W_h.swapaxes(-1, -2))
        a = np.empty((*X.shape[:-1], cell.b.shape[-1]), X.dtype)
        for first, end in blocks(len(X), gates[0].nbytes):
            J = cell.linearize(gates[first:end], states[:, first:end], states[:, first + 1 : end + 1])
            for t in reversed(range(first, end)):
                a[t], dstate = cell.pullback(dstate, [j[t - first] for j in J], W_hT)
        grads = {name: np.empty_like(p) for name, p in self.params.items() if name.startswith("cell.")}
        for s, own in enumerate(self.each):
            x, a_s = X[:, s], a[:, s]
            parts = {"W_x": flat(x).T @ flat(a_s), "b": flat(a_s).sum(axis=0)}
            parts |= own.recurrent_grads(a_s, Tape(x, states[:, :, s], gates[:, s], None))
            for name, part in parts.items():
                grads[f"cell.{name}"][s] = part
        return grads

    def expect_broadcasting(self) -> None:
        """Raise TypeError unless the cells give, side by side, the states and gradients that each gives alone."""
        S, D, _ = self.cell.W_x.shape
        X = np.random.default_rng(0).standard_normal((2, S, S + 1, D)).astype(self.cell.W_h.dtype)
        wanted = f"expected a cell that indexes the last axis alone, as s[..., :k], got {type(self.cell).__name__}"
        try:
            states, tape = self.unroll(X)
            grads = self.bptt(states[-1], tape)
        except (ValueError, IndexError, TypeError) as error:
            raise TypeError(f"{wanted}: {error}") from error
        for s, cell in enumerate(self.each):
            alone, _, own_tape = cell.forward(np.ascontiguousarray(X[:, s]))
            dH = np.zeros_like(alone)
            dH[-1] = alone[-1]
            _, _, own = cell.backward(dH, own_tape)
            pairs = [(alone, states[:, s]), *((g, grads[f"cell.{n}"][s].reshape(g.shape)) for n, g in own.items())]
            if not all(np.allclose(mine, theirs, rtol=1e-3, atol=1e-4) for mine, theirs in pairs):
                raise TypeError(wanted)


def clip_each(grads: Params, max_norm: float) -> Array:
    """Clip the gradient of each of S networks by its own norm, in place: `optim.clip_by_global_norm`, S times.

    Returns the norms (S,) before clipping. Raises ValueError unless `max_norm` is positive, FloatingPointError if a
    gradient is not finite.

    >>> grads = {"a": np.array([[3.0], [0.3]]), "b": np.array([[4.0], [0.4]])}
    >>> clip_each(grads, 1.0), grads["a"]
    (array([5. , 0.5]), array([[0.6],
           [0.3]]))
    """
    positive("max_norm", max_norm)
    norms: Array = np.sqrt(sum((g.astype(np.float64) ** 2).reshape(len(g), -1).sum(axis=1) for g in grads.values()))
    if not np.isfinite(norms).all():
        raise FloatingPointError(f"expected finite gradients, got norms {norms}")
    for g in grads.values():
        g *= (max_norm / np.maximum(norms, max_norm)).astype(g.dtype).reshape(-1, *[1] * (g.ndim - 1))
    return norms


def stack(prefix: str, layers: Sequence[Layer]) -> Params:
    """Copies of the layers' parameters, by name, along a leading axis: (S, m, n) of matrices, (S, 1, n) of vectors.

    >>> {name: p.shape for name, p in stack("head.", [Linear(6, 2, np.random.default_rng(s)) for s in (0, 1)]).items()}
    {'head.W': (2, 6, 2), 'head.b': (2, 1, 2)}
    """
    return {
        prefix + name: np.stack([np.atleast_2d(layer.params[name]) for layer in layers]) for name in layers[0].params
    }


def expect_alike(name: str, layers: Sequence[Layer]) -> None:
    """Raise ValueError unless `layers` are one or more, of one kind, with parameters of the same shapes and dtype.

    >>> expect_alike("heads", [Linear(6, 2, np.random.default_rng(0)), Linear(6, 3, np.random.default_rng(0))])
    Traceback (most recent call last):
    ValueError: expected heads to be alike, got a Linear unlike the first at position 1
    """
    if not layers:
        raise ValueError(f"expected {name} to be one or more, got none")

    def form(layer: Layer) -> object:
        return type(layer), [(key, p.shape, p.dtype) for key, p in layer.params.items()]

    for k, layer in enumerate(layers):
        if form(layer) != form(layers[0]):
            raise ValueError(
                f"expected {name} to be alike, got a {type(layer).__name__} unlike the first at position {k}"
            )
