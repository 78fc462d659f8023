"""rnn_forward: the cell run over a sequence, H_t = tanh(X_t W_x + H_{t−1} W_h + b) for t = 1 … T."""

import numpy as np

from rnncourse.grading.checks.compare import several
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_step import cell, huge, rnn_step, single_precision, weights


def rnn_forward(X, h0, W_x, W_h, b):
    """The reference: X (T, B, D), h0 (B, H) to H (T, B, H) and the last state (B, H)."""
    H, (h_last,), _ = cell(W_x, W_h, b).forward(X, (h0,))
    return H, h_last


def draw(rng, T, B, D, H):
    """The five arguments, by name."""
    return {"X": rng.normal(size=(T, B, D)), "h0": rng.uniform(-0.9, 0.9, (B, H)), **weights(rng, D, H)}


def from_zeros(args):
    """The same with an initial state of zeros."""
    return args | {"h0": np.zeros_like(args["h0"])}


def cases(rng):
    """Zero and non-zero initial states, sizes all different and all equal; each size once 1; float32, huge, long."""
    yield Case("from zeros", "All sizes different, h0 = 0", from_zeros(draw(rng, T=6, B=3, D=4, H=5)))
    yield Case("from zeros", "All sizes equal, h0 = 0", from_zeros(draw(rng, T=4, B=4, D=4, H=4)))
    yield Case("from any state", "All sizes different, h0 not 0", draw(rng, T=6, B=3, D=4, H=5))
    yield Case("from any state", "All sizes equal, h0 not 0", draw(rng, T=4, B=4, D=4, H=4))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, T=1, B=3, D=2, H=4))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, T=5, B=1, D=2, H=3))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, T=3, B=4, D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, T=5, B=2, D=4, H=3)))
    yield Case("numbers and inputs", "Inputs 3000 times as large", huge(rng, draw(rng, T=3, B=2, D=4, H=5), "X"))
    yield Case("numbers and inputs", "30 time steps", draw(rng, T=30, B=2, D=3, H=2))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, T=4, B=5, D=3, H=2), untouched=True)


def states(X, h, *weights):
    """The states h_1 … h_T, as a list."""
    H = []
    for x in X:
        h = rnn_step(x, h, *weights)
        H.append(h)
    return H


def from_states(result):
    """Walk through the sequence correctly, then return `result(H, h0)`, where H is the list of states."""
    return lambda X, h0, *weights: result(states(X, h0, *weights), h0)


def both(H):
    """The list of states stacked, and the last of them."""
    return np.stack(H), H[-1]


def not_carried(X, h0, *weights):
    """Every step starts from h0."""
    return both([rnn_step(x, h0, *weights) for x in X])


def along_batch(X, h0, *weights):
    """Walks along the sequences instead of the time steps."""
    h, H = h0, []
    for k in range(X.shape[1]):
        h = rnn_step(X[:, k], h, *weights)
        H.append(h)
    return both(H)


MISTAKES = {
    "h0 is ignored and the state starts from zeros (H[t-1] at t = 0 is not h0, but the last entry of H)": (
        lambda X, h0, *weights: both(states(X, 0 * h0, *weights))
    ),
    "every step starts from h0: the state is not carried on": not_carried,
    "every step reads the first input X[0]": lambda X, h0, *weights: both(states([X[0]] * len(X), h0, *weights)),
    "the sequence is read from its end": lambda X, h0, *weights: both(states(X[::-1], h0, *weights)),
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": along_batch,
    "the state is stored before the step: H holds h_0 … h_{T-1}": from_states(
        lambda H, h0: (np.stack([h0, *H[:-1]]), H[-1])
    ),
    "the state is stored before the step, and h_last is the last one stored": from_states(
        lambda H, h0: both([h0, *H[:-1]])
    ),
    "H also holds the initial state: T+1 states instead of T": from_states(lambda H, h0: both([h0, *H])),
    "H holds the last state only": from_states(lambda H, h0: (H[-1], H[-1])),
    "H holds the last state at every step (one array, stored each time and then written over?)": from_states(
        lambda H, h0: both([H[-1]] * len(H))
    ),
    "the loop ends one step early: the last state is missing from H": from_states(lambda H, h0: both(H[:-1])),
    "the loop ends one step early: the last state stays at zero": from_states(lambda H, h0: both([*H[:-1], 0 * h0])),
    "each state is added to the one before": from_states(lambda H, h0: both(list(np.cumsum(H, axis=0)))),
    "H is returned batch first, (B, T, H)": from_states(lambda H, h0: (np.stack(H, axis=1), H[-1])),
    "h_last is the first state": from_states(lambda H, h0: (np.stack(H), H[0])),
    "h_last is the initial state h0": from_states(lambda H, h0: (np.stack(H), h0.copy())),
    "h_last is the last sequence, H[:, -1], instead of the last time step, H[-1]": from_states(
        lambda H, h0: (np.stack(H), np.stack(H)[:, -1])
    ),
    "h_last keeps a time axis of size 1": from_states(lambda H, h0: (np.stack(H), np.stack(H)[-1:])),
    "the outputs are swapped: h_last comes first": from_states(lambda H, h0: (H[-1], np.stack(H))),
    "only H is returned": from_states(lambda H, h0: np.stack(H)),
}


def all_inputs_first(X, h0, W_x, W_h, b):
    """One product for the inputs of all steps, then the loop: as `rnncourse.recurrence` does it."""
    H = X @ W_x + b
    h = h0
    for t in range(len(H)):
        H[t] = np.tanh(H[t] + h @ W_h)
        h = H[t]
    return H, h


def recursive(X, h0, W_x, W_h, b):
    """By recursion on the length of the sequence."""
    h = rnn_step(X[0], h0, W_x, W_h, b)
    if len(X) == 1:
        return h[None], h
    H, h_last = recursive(X[1:], h, W_x, W_h, b)
    return np.concatenate([h[None], H]), h_last


def one_sequence_at_a_time(X, h0, *weights):
    """Sequence by sequence, in a list in place of a tuple."""
    columns = [np.concatenate(states(X[:, [k]], h0[[k]], *weights)) for k in range(len(h0))]
    H = np.stack(columns, axis=1)
    return [H, H[-1]]


ALTERNATIVES = {
    "a list of states, stacked": from_states(lambda H, h0: both(H)),
    "all input products first": all_inputs_first,
    "recursion": recursive,
    "one sequence at a time, a list of outputs": one_sequence_at_a_time,
    "float32 inside": lambda *args: both(states(*(np.asarray(value, np.float32) for value in args))),
}

PROBLEM = Problem(
    name="rnn_forward",
    outputs={"H": "T B H", "h_last": "B H"},
    unpack=several,
    parts={"from zeros": 2, "from any state": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step": rnn_step},
    reread='chapter 4, section "The cell"',
)
