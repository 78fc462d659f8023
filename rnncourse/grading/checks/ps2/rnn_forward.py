"""rnn_forward: the cell run over a sequence, H_t = tanh(X_t W_x + H_{t−1} W_h + b) for t = 1 … T."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps2 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_step import cell, huge, rnn_step, weights
from rnncourse.grading.checks.structure import several


def rnn_forward(X, h0, W_x, W_h, b):
    """The reference: X (T, B, D), h0 (B, H) to states (T, B, H) and last (B, H)."""
    states, (last,), _ = cell(W_x, W_h, b).forward(X, (h0,))
    return states, last


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


def walk(X, h, *weights):
    """The states h_1 … h_T, as a list."""
    states = []
    for x in X:
        h = rnn_step(x, h, *weights)
        states.append(h)
    return states


def walked(result):
    """Walk through the sequence correctly, then return `result(states, h0)`, where states is a list."""
    return lambda X, h0, *weights: result(walk(X, h0, *weights), h0)


def both(states):
    """The list of states stacked, and the last of them."""
    return np.stack(states), states[-1]


def not_carried(X, h0, *weights):
    """Every step starts from h0."""
    return both([rnn_step(x, h0, *weights) for x in X])


def along_batch(X, h0, *weights):
    """Walks along the sequences instead of the time steps."""
    return both(walk(X.swapaxes(0, 1), h0, *weights))


def batch_first(X, h0, *weights):
    """Takes time for axis 1, in the inputs and in the states."""
    states = walk(X.swapaxes(0, 1), h0, *weights)
    return np.stack(states, axis=1), states[-1]


def sizes_batch_first(X, h0, *weights):
    """Takes the sizes for (B, T, D), but walks along axis 0."""
    B, T, _ = X.shape
    states = np.empty((T, B, h0.shape[1]))
    h = h0
    for t in range(T):
        states[t] = h = rnn_step(X[t], h, *weights)
    return states, h


def steps_batch_first(X, h0, *weights):
    """Takes as many steps as there are sequences."""
    h, states = h0, []
    for t in range(X.shape[1]):
        h = rnn_step(X[t], h, *weights)
        states.append(h)
    return both(states)


MISTAKES = {
    "h0 is ignored and the state starts from zeros (states[t-1] at t = 0 is not h0, but the last entry of states)": (
        lambda X, h0, *weights: both(walk(X, 0 * h0, *weights))
    ),
    "h0[0], the first sequence's state, stands for h0, as if that were (1, B, H); it is (B, H)": (
        lambda X, h0, *weights: both(walk(X, h0[0], *weights))
    ),
    "every step starts from h0: the state is not carried on": not_carried,
    "every step reads the first input X[0]": lambda X, h0, *weights: both(walk([X[0]] * len(X), h0, *weights)),
    "the sequence is read from its end": lambda X, h0, *weights: both(walk(X[::-1], h0, *weights)),
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": along_batch,
    "X and states are taken for batch first, (B, T, …); they are (T, B, …)": batch_first,
    "the sizes are read batch first (`B, T, D = X.shape`); they are `T, B, D`": sizes_batch_first,
    "the number of steps is read from X.shape[1], which is B; it is X.shape[0]": steps_batch_first,
    "the state is stored before the step: states holds h_0 … h_{T-1}": walked(
        lambda states, h0: (np.stack([h0, *states[:-1]]), states[-1])
    ),
    "the state is stored before the step, and last is the last one stored": walked(
        lambda states, h0: both([h0, *states[:-1]])
    ),
    "states also holds the initial state: T+1 states instead of T": walked(lambda states, h0: both([h0, *states])),
    "states holds the last state only": walked(lambda states, h0: (states[-1], states[-1])),
    "states holds the last state at every step (one array, stored each time and then written over?)": walked(
        lambda states, h0: both([states[-1]] * len(states))
    ),
    "the loop ends one step early: the last state is missing from states": walked(lambda states, h0: both(states[:-1])),
    "the loop ends one step early: the last state stays at zero": walked(
        lambda states, h0: both([*states[:-1], 0 * h0])
    ),
    "each state is added to the one before": walked(lambda states, h0: both(list(np.cumsum(states, axis=0)))),
    "states is returned batch first, (B, T, H)": walked(lambda states, h0: (np.stack(states, axis=1), states[-1])),
    "axes of size 1 are squeezed away": walked(lambda states, h0: (np.squeeze(states), np.squeeze(states[-1]))),
    "axes of size 1 are squeezed away from states": walked(lambda states, h0: (np.squeeze(states), states[-1])),
    "last is the first state": walked(lambda states, h0: (np.stack(states), states[0])),
    "last is the initial state h0": walked(lambda states, h0: (np.stack(states), h0.copy())),
    "last is the last sequence, states[:, -1], instead of the last time step, states[-1]": walked(
        lambda states, h0: (np.stack(states), np.stack(states)[:, -1])
    ),
    "last keeps a time axis of size 1": walked(lambda states, h0: (np.stack(states), np.stack(states)[-1:])),
    "the outputs are swapped: last comes first": walked(lambda states, h0: (states[-1], np.stack(states))),
    "only states is returned": walked(lambda states, h0: np.stack(states)),
}


def all_inputs_first(X, h0, W_x, W_h, b):
    """One product for the inputs of all steps, then the loop: as `rnncourse.recurrence` does it."""
    states = X @ W_x + b
    h = h0
    for t in range(len(states)):
        states[t] = np.tanh(states[t] + h @ W_h)
        h = states[t]
    return states, h


def recursive(X, h0, W_x, W_h, b):
    """By recursion on the length of the sequence."""
    h = rnn_step(X[0], h0, W_x, W_h, b)
    if len(X) == 1:
        return h[None], h
    later, last = recursive(X[1:], h, W_x, W_h, b)
    return np.concatenate([h[None], later]), last


def one_sequence_at_a_time(X, h0, *weights):
    """Sequence by sequence, in a list in place of a tuple."""
    columns = [np.concatenate(walk(X[:, [k]], h0[[k]], *weights)) for k in range(len(h0))]
    states = np.stack(columns, axis=1)
    return [states, states[-1]]


ALTERNATIVES = {
    "a list of states, stacked": walked(lambda states, h0: both(states)),
    "all input products first": all_inputs_first,
    "recursion": recursive,
    "one sequence at a time, a list of outputs": one_sequence_at_a_time,
    "float32 inside": lambda *args: both(walk(*(np.asarray(value, np.float32) for value in args))),
}

PROBLEM = Problem(
    name="rnn_forward",
    outputs={"states": Numbers("T B H"), "last": Numbers("B H")},
    unpack=several,
    parts={"from zeros": 2, "from any state": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step": lent.rnn_step},
    reread='chapter 4, section "The cell"',
)
