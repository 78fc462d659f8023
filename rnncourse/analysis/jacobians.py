"""How the last state of a run depends on every earlier one."""

import numpy as np

from rnncourse.analysis.structure import each, leaves, parts
from rnncourse.arrays import Array, State, expect, expect_mask
from rnncourse.layers import Bidirectional, Layer


def state_jacobians(layer: Layer, X: Array, state: State = None, mask: Array | None = None) -> Array:
    """∂s_T/∂s_t along the run of `layer` over X, by lag: J (T+1, B, S, S) with J[k] = ∂s_T/∂s_{T−k} and J[0] = I.

    s_t is the whole state after step t, all its arrays side by side: h; of an LSTM h, then c; of a stack the states
    of its layers. So J[k, b, i, j] is the derivative of number i of sequence b's last state with respect to number j
    of its state k steps before. Nothing is derived here: what the layer's own backward pass makes of the S rows of
    the identity, step by step, is this matrix. Memory (T+1)·B·S² numbers, time S backward passes.
    Raises TypeError or ValueError, naming the argument, if X, `state` or `mask` do not fit or a derivative overflows;
    ValueError for a layer without state, or with one that does not carry a sequence on step by step (`Bidirectional`).

    >>> from rnncourse.cells import RNN
    >>> cell = RNN(1, 2, np.random.default_rng(0))
    >>> J = state_jacobians(cell, np.zeros((3, 1, 1)))
    >>> J.shape
    (4, 1, 2, 2)
    >>> h_3 = cell.forward(np.zeros((3, 1, 1)))[0][-1, 0]
    >>> np.allclose(J[1, 0], np.diag(1 - h_3**2) @ cell.W_h.T)
    True
    """
    if any(isinstance(part, Bidirectional) for part in parts(layer)):
        raise ValueError("expected a layer that goes on step by step, got one with a Bidirectional")
    _, last, _ = layer.forward(X, state, mask)
    if not leaves(last):
        raise ValueError(f"expected a layer with state, got {type(layer).__name__}, which has none")
    T, B = X.shape[:2]
    expect_mask("mask", mask, (T, B))
    real = np.ones((T, B), bool) if mask is None else mask
    states = [state]
    for t in range(T):
        _, state, _ = layer.forward(X[t : t + 1], state, real[t : t + 1])
        states.append(state)

    S = sum(s.shape[-1] for s in leaves(state))
    J = np.empty((T + 1, B, S, S), leaves(state)[0].dtype)
    J[0] = np.eye(S)
    rows = np.tile(np.eye(S, dtype=J.dtype), (B, 1))  # every sequence S times, each copy with a row of its own
    dstate = _like(state, rows)
    for t in reversed(range(T)):
        x, mask_t = (np.repeat(sequences[t : t + 1], S, axis=1) for sequences in (X, real))
        Y, _, tape = layer.forward(x, each(lambda s: np.repeat(s, S, axis=0), states[t]), mask_t)
        _, dstate, _ = layer.backward(np.zeros_like(Y), tape, dstate)
        J[T - t] = np.concatenate(leaves(dstate), axis=-1).reshape(B, S, S)
    return J


def singular_values(J: Array) -> Array:
    """By how much the matrices J (…, S, S) stretch, along S perpendicular directions: (…, S), the largest first.

    The largest is the norm of J: no change of the early state is amplified more. The smallest are directions that are
    forgotten. (Eigenvalues say neither of one matrix, only of its powers in the long run.)
    Raises TypeError or ValueError unless J holds finite floats and its matrices are square.

    >>> singular_values(np.array([[0.0, 2.0], [0.5, 0.0]]))  # both eigenvalues have modulus 1
    array([2. , 0.5])
    """
    if np.ndim(J) < 2 or J.shape[-1] != J.shape[-2]:
        raise ValueError(f"expected J of shape (…, S, S), got {np.shape(J)}")
    expect("J", J, J.shape)
    values: Array = np.linalg.svd(J, compute_uv=False)
    return values


def effective_memory(norms: Array, fraction: float) -> Array:
    """How many steps back until the norm has fallen below `fraction` of what it is at lag 0, and stays below.

    `norms` (T+1,) or (T+1, B) by lag, as `singular_values(J)[..., 0]` gives them. Returns a number for each sequence:
    the first lag from which on all norms are below, or infinity if the one at lag T is not: then memory outlasts
    the run. A norm that falls like λᵏ gives the first k above ln(fraction) / ln(λ); with fraction 1/e this
    is the time constant. Norms may rise before they fall: only the last crossing counts.
    Raises TypeError or ValueError if `norms` does not fit; ValueError for a norm below 0, or of 0 at lag 0, and unless
    0 < fraction ≤ 1.

    >>> effective_memory(0.5 ** np.arange(10.0), fraction=0.1)  # 1/8 is above a tenth, 1/16 is not
    array(4.)
    """
    expect("norms", norms, ("T+1", "B") if np.ndim(norms) == 2 else ("T+1",))
    if norms.min() < 0 or norms[0].min() == 0:
        raise ValueError(f"expected norms from 0, and above 0 at lag 0, got {norms.min():g}")
    if not 0 < fraction <= 1:
        raise ValueError(f"expected fraction above 0 and at most 1, got {fraction}")
    T = len(norms) - 1
    above = norms >= fraction * norms[0]
    last = T - np.argmax(above[::-1], axis=0)
    return np.where(last == T, np.inf, last + 1)


def _like(state: State, rows: Array) -> State:
    """A state of the same structure, whose arrays side by side are `rows`."""
    columns = iter(np.split(rows, np.cumsum([s.shape[-1] for s in leaves(state)]), axis=-1))
    return each(lambda s: next(columns), state)
