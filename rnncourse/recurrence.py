"""Unroll a cell over time, and backpropagate through time: written once, for every cell.

A cell is state' = F(x W_x + b, state). What touches the input is one matrix product for all time steps;
what is nonlinear is the cell's `step`; and the backward pass is a *linear* recurrence, run from the last
step to the first, whose coefficients the cell's `linearize` reads off the forward tape.

Shapes: T time steps, B sequences, D inputs, H hidden units, G gates. A state is a tuple of (B, H) arrays with
h first, because some cells carry more than h. Source: Rumelhart, Hinton & Williams 1986; Werbos 1990.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncourse.arrays import Array, Params, State, expect, expect_mask, expect_positive, flat

if TYPE_CHECKING:
    from rnncourse.cells import Cell

CACHE = 2**17
"""Bytes of tape that `bptt` linearizes at once: small enough to stay in a core's cache."""


class Tape(NamedTuple):
    """What the forward pass leaves for the backward pass: nothing else crosses.

    >>> from rnncourse.cells import LSTM
    >>> _, _, tape = LSTM(4, 6, np.random.default_rng(0)).forward(np.ones((7, 5, 4)))
    >>> tape.X.shape, tape.states.shape, tape.gates.shape, tape.mask
    ((7, 5, 4), (2, 8, 5, 6), (7, 5, 24), None)
    """

    X: Array  # (T, B, D)                   the inputs
    states: Array  # (n_states, T+1, B, H)  states[:, t] is the state before step t
    gates: Array  # (T, B, n_saved·H)       what `step` saved
    mask: Array | None  # (T, B) bool       True where a step is real

    def steps(self, first: int, end: int) -> Tape:
        """The tape of steps first … end−1 alone (views, no copies)."""
        mask = None if self.mask is None else self.mask[first:end]
        return Tape(self.X[first:end], self.states[:, first : end + 1], self.gates[first:end], mask)


def unroll(
    cell: Cell,
    X: Array,
    state: State = None,
    mask: Array | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[Array, State, Tape]:
    """Run `cell` over X, of shape (T, B, D).

    `state` is the state before the first step (zeros if None). Where `mask` (T, B) is False the state waits:
    the step leaves it as it was. `rng` is part of every layer's contract and unused by a plain cell.
    Returns H (T, B, H), the last state, and the `Tape`. H is a view of the tape: copy it before you change it.
    Raises TypeError or ValueError, naming the argument, if an array does not fit the cell.

    >>> from rnncourse.cells import LSTM
    >>> H, (h, c), tape = unroll(LSTM(4, 6, np.random.default_rng(0)), np.ones((7, 5, 4)))
    >>> H.shape, bool((H[-1] == h).all())
    ((7, 5, 6), True)
    """
    (D, width), (H, _), dtype = cell.W_x.shape, cell.W_h.shape, cell.W_h.dtype  # width = G·H
    T, B, _ = expect("X", X, ("T", "B", D), dtype).shape
    expect_mask("mask", mask, (T, B))

    # To need no more memory than the tape, one array holds two things:
    # row t is x_t W_x + b until step t has read it, and then what step t saves.
    rows = np.empty((T, B, max(width, cell.n_saved * H)), dtype)
    XW, gates = rows[..., :width], rows[..., : cell.n_saved * H]
    np.matmul(flat(X), cell.W_x, out=flat(rows)[:, :width])  # every input projection, one matrix product
    XW += cell.b

    states = np.empty((cell.n_states, T + 1, B, H), dtype)
    states[:, 0] = 0 if state is None else expect_state("state", state, cell.n_states, (B, H), dtype)
    state = tuple(states[:, 0])
    for t in range(T):
        new, saved = cell.step(XW[t], state)
        if mask is not None:
            new = tuple(np.where(mask[t, :, None], n, s) for n, s in zip(new, state, strict=True))
        states[:, t + 1] = new
        gates[t] = saved
        state = tuple(states[:, t + 1])
    return states[0, 1:], state, Tape(X, states, gates, mask)


def bptt(cell: Cell, dH: Array, tape: Tape, dstate: State = None) -> tuple[Array, State, Params]:
    """Backpropagation through time: the reverse scan of the cell's backward step.

        dL/dh_t = ∂L_t/∂h_t + (∂h_{t+1}/∂h_t)ᵀ dL/dh_{t+1}        total = immediate + handed back

    `dH` (T, B, H) holds the *immediate* gradients ∂L_t/∂h_t: what each step's loss says to its own state.
    `dstate` is the gradient of the state after the last step, from whatever comes later (none if None).
    Returns dX (T, B, D), the gradient of the state before the first step, and the parameters' gradients.
    Raises TypeError or ValueError, naming the argument, if an array does not fit the tape, or the tape the cell.

    >>> from rnncourse.cells import RNN
    >>> cell = RNN(4, 6, np.random.default_rng(0))
    >>> H, _, tape = unroll(cell, np.ones((7, 5, 4)))
    >>> dX, (dh0,), grads = bptt(cell, np.ones_like(H), tape)
    >>> dX.shape, dh0.shape, {name: g.shape for name, g in grads.items()}
    ((7, 5, 4), (5, 6), {'W_x': (4, 6), 'W_h': (6, 6), 'b': (6,)})
    """
    expect_tape(cell, tape)
    X, states, gates, mask = tape
    (T, B, _), H, dtype = X.shape, states.shape[-1], X.dtype
    expect("dH", dH, (T, B, H), dtype)
    if dstate is None:
        dstate = tuple(np.zeros((B, H), dtype) for _ in states)
    else:
        dstate = expect_state("dstate", dstate, cell.n_states, (B, H), dtype)

    W_hT = np.ascontiguousarray(cell.W_h.T)  # once, for T products with it
    a = np.empty((T, B, cell.b.size), dtype)  # the gradient of x W_x + b at every step
    for first, end in blocks(T, gates[0].nbytes):  # linearize many steps at once, go back through them one by one
        J = cell.linearize(gates[first:end], states[:, first:end], states[:, first + 1 : end + 1])
        for t in reversed(range(first, end)):
            dstate = (dstate[0] + dH[t], *dstate[1:])
            if mask is not None:  # a step that waited hands its gradient straight back
                real = mask[t, :, None]
                waited, dstate = [d * ~real for d in dstate], tuple(d * real for d in dstate)
            a[t], dstate = cell.pullback(dstate, [j[t - first] for j in J], W_hT)
            if mask is not None:
                dstate = tuple(d + w for d, w in zip(dstate, waited, strict=True))
    grads = {
        "W_x": flat(X).T @ flat(a),  # every weight gradient: one matrix product, which is the sum over time
        "b": flat(a).sum(axis=0),
        **cell.recurrent_grads(a, tape),
    }
    grads = {name: grads[name] for name in cell.params}  # in their order
    return (flat(a) @ cell.W_x.T).reshape(X.shape), dstate, grads


def truncated_bptt(cell: Cell, dH: Array, tape: Tape, k1: int, k2: int) -> Params:
    """Truncated BPTT(k1, k2): every k1 steps, send the last k1 losses back through at most k2 steps.

    For each z = k1, 2·k1, … (and T) the gradients ∂L_t/∂h_t of the steps z−k1 ≤ t < z run back through the steps
    z−k2 ≤ t < z and are cut there. So every loss counts once, and reaches between k2−k1+1 and k2 steps back.
    k2 ≥ T is full BPTT; k1 = k2 is training on consecutive chunks with the state handed on, if k1 divides T (else the
    last window, shorter than k1 in losses, still reaches k2 steps back).
    Returns the parameters' gradients. This is for one cell; a model of several layers is cut with k1 = k2 by running it
    on consecutive chunks, as `train.fit` does with `carry_state`.
    Raises ValueError unless 1 ≤ k1 ≤ k2, and as `bptt` does if `dH` does not fit the tape.
    Source: Williams & Peng 1990.

    >>> from rnncourse.cells import RNN
    >>> cell = RNN(4, 6, np.random.default_rng(0))
    >>> H, _, tape = unroll(cell, np.ones((7, 5, 4)))
    >>> full, cut = bptt(cell, np.ones_like(H), tape)[2], truncated_bptt(cell, np.ones_like(H), tape, k1=2, k2=7)
    >>> abs(full["W_h"] - cut["W_h"]).max() < 1e-12
    np.True_
    """
    expect_positive(k1=k1, k2=k2)
    if k1 > k2:
        raise ValueError(f"expected k1 <= k2, got k1 = {k1} and k2 = {k2}")
    expect_tape(cell, tape)
    expect("dH", dH, tape.states[0, 1:].shape, tape.X.dtype)
    T = len(tape.X)
    total = {name: np.zeros_like(value) for name, value in cell.params.items()}
    for start in range(0, T, k1):
        end = min(start + k1, T)
        first = max(0, end - k2)
        window = dH[first:end].copy()
        window[: start - first] = 0  # losses of earlier steps have had their turn
        for name, grad in bptt(cell, window, tape.steps(first, end))[2].items():
            total[name] += grad
    return total


def expect_state(name: str, state: State, n_states: int, shape: tuple[int, ...], dtype: DTypeLike) -> State:
    """Raise unless `state` is a tuple or list of `n_states` arrays of the given shape; return it as a tuple.

    Raises TypeError for anything else, and what `expect` raises for an array that does not fit.

    >>> expect_state("state", np.zeros((5, 6)), 2, (5, 6), np.float64)
    Traceback (most recent call last):
    TypeError: expected state to be a tuple of 2 arrays, got ndarray
    """
    if not isinstance(state, (tuple, list)) or len(state) != n_states:
        got = f"a {type(state).__name__} of {len(state)}" if isinstance(state, (tuple, list)) else type(state).__name__
        raise TypeError(f"expected {name} to be a tuple of {n_states} array{'s' * (n_states > 1)}, got {got}")
    return tuple(expect(f"{name}[{k}]", s, shape, dtype) for k, s in enumerate(state))


def expect_tape(cell: Cell, tape: Tape) -> None:
    """Raise TypeError or ValueError unless `tape` is what `unroll` leaves for a cell of these sizes and this dtype.

    A cell of another kind with the same sizes goes unnoticed: an RNN's tape also fits a ReLURNN.

    >>> from rnncourse.cells import RNN, LSTM
    >>> rng = np.random.default_rng(0)
    >>> expect_tape(LSTM(4, 6, rng), unroll(RNN(4, 6, rng), np.ones((7, 5, 4)))[2])
    Traceback (most recent call last):
    ValueError: expected tape of LSTM with 2 state arrays, 24 saved numbers a step and D = 4, got 1, 6 and 4
    """
    if not isinstance(tape, Tape):
        raise TypeError(f"expected tape to be a Tape, as forward returns it, got {type(tape).__name__}")
    if tape.gates.dtype != cell.W_h.dtype:
        raise TypeError(f"expected tape of dtype {cell.W_h.dtype} (the parameters'), got {tape.gates.dtype}")
    want = cell.n_states, cell.n_saved * len(cell.W_h), len(cell.W_x)
    got = len(tape.states), tape.gates.shape[-1], tape.X.shape[-1]
    if got != want:
        raise ValueError(
            f"expected tape of {type(cell).__name__} with {want[0]} state arrays, {want[1]} saved numbers a step and"
            f" D = {want[2]}, got {got[0]}, {got[1]} and {got[2]}"
        )


def blocks(T: int, nbytes: int) -> list[tuple[int, int]]:
    """The intervals [first, end) that cover 0 … T−1, last one first, each about CACHE bytes at `nbytes` a step.

    >>> blocks(5, CACHE // 2)
    [(3, 5), (1, 3), (0, 1)]
    """
    k = max(1, CACHE // nbytes)
    return [(max(0, end - k), end) for end in range(T, 0, -k)]
