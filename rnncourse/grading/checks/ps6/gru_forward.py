"""gru_forward: the GRU run over a sequence, its state carried from step to step."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.lent import ps6 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps6.gru_step import away_from_0, cell, huge, weights
from rnncourse.grading.checks.structure import several


def gru_forward(X, h0, W_x, W_h, b, b_h, reset):
    """The reference: X (T, B, D), h0 (B, H) to states (T, B, H) and gates (T, B, 3H)."""
    states, _, tape = cell(W_x, W_h, b, b_h, reset).forward(X, (h0,))
    return states, tape.gates[..., : 3 * len(W_h)]


def draw(rng, T, B, D, H, reset="after"):
    """The seven arguments, by name."""
    X, h0 = rng.normal(size=(T, B, D)), away_from_0(rng, (B, H))
    return {"X": X, "h0": h0, **weights(rng, D, H), "reset": reset}


def from_zeros(args):
    """The same with an initial state of zeros."""
    return args | {"h0": np.zeros_like(args["h0"])}


def cases(rng):
    """Zero and non-zero initial states, the other reset, sizes all different and all equal; each once 1; float32, …"""
    yield Case("from zeros", "All sizes different, h0 = 0", from_zeros(draw(rng, T=5, B=3, D=2, H=4)))
    yield Case("from zeros", "All sizes equal, h0 = 0", from_zeros(draw(rng, T=3, B=3, D=3, H=3)))
    yield Case("from any state", "All sizes different, h0 not 0", draw(rng, T=5, B=3, D=2, H=4))
    yield Case("from any state", "All sizes equal, h0 not 0", draw(rng, T=3, B=3, D=3, H=3))
    yield Case("the other reset", 'reset="before"', from_zeros(draw(rng, T=5, B=3, D=2, H=4, reset="before")))
    part, small = "sizes of 1", "One input and one hidden unit (D = H = 1)"
    yield Case(part, "One time step (T = 1)", from_zeros(draw(rng, T=1, B=3, D=2, H=4)))
    yield Case(part, "One sequence (B = 1)", from_zeros(draw(rng, T=4, B=1, D=2, H=3)))
    yield Case(part, small, from_zeros(draw(rng, T=3, B=4, D=1, H=1)))
    part, large = "numbers and inputs", "Inputs 3000 times as large"
    yield Case(part, "Inputs in float32", from_zeros(single_precision(draw(rng, T=4, B=2, D=5, H=3))))
    yield Case(part, large, from_zeros(huge(rng, draw(rng, T=3, B=2, D=3, H=4), "X")))
    yield Case(part, "7 time steps", from_zeros(draw(rng, T=7, B=2, D=3, H=2)))
    yield Case(part, "Your inputs afterwards", from_zeros(draw(rng, T=4, B=5, D=3, H=2)), untouched=True)


def walk(X, h, *others):
    """The states and the gates of every step, as two lists."""
    rows = []
    for x in X:
        h, gates = lent.gru_step(x, h, *others)
        rows.append((h, gates))
    states, all_gates = zip(*rows, strict=True)
    return list(states), list(all_gates)


def stacked(states, gates):
    """The two lists as arrays."""
    return np.stack(states), np.stack(gates)


def walked(result):
    """Walk through the sequence correctly, then return `result(states, gates)`, where both are lists."""
    return lambda *args: result(*walk(*args))


def started(start):
    """Walk from `start(h0)`: a mistake."""
    return lambda X, h0, *others: stacked(*walk(X, start(h0), *others))


def reading(inputs):
    """Walk over `inputs(X)`: a mistake."""
    return lambda X, *others: stacked(*walk(inputs(X), *others))


def stepped(step):
    """Walk by `step(x, h, h0, …)`, which gives what to store and what to hand on: a mistake."""

    def run(X, h0, *others):
        h, rows = h0, []
        for x in X:
            stored, h = step(x, h, h0, *others)
            rows.append(stored)
        return tuple(np.stack(arrays) for arrays in zip(*rows, strict=True))

    return run


def handing_on(carry):
    """Hand on `carry(h, gates, h0)` in place of h: a mistake."""

    def step(x, h, h0, *others):
        h, gates = lent.gru_step(x, h, *others)
        return (h, gates), carry(h, gates, h0)

    return stepped(step)


def calling(call):
    """Call `call(x, h, W_x, W_h, b, b_h, reset)` in place of the step: a mistake."""

    def step(x, h, h0, *others):
        h, gates = call(x, h, *others)
        return (h, gates), h

    return stepped(step)


def stored_before(X, h0, *others):
    """Stores h before the step."""
    states, gates = walk(X, h0, *others)
    return stacked([h0, *states[:-1]], gates)


def with_initial(X, h0, *others):
    """Stores h0 as well."""
    states, gates = walk(X, h0, *others)
    return stacked([h0, *states], gates)


def into_zeros(steps):
    """Into arrays of zeros, at the steps that `steps(X)` gives: a mistake, unless these are all."""

    def run(X, h, W_x, W_h, *others):
        (T, B, _), H = X.shape, len(W_h)
        states, gates = np.zeros((T, B, H)), np.zeros((T, B, 3 * H))
        for t in steps(X):
            h, gates[t] = lent.gru_step(X[t], h, W_x, W_h, *others)
            states[t] = h
        return states, gates

    return run


def into_h0(X, h0, *others):
    """Keeps the state in the array that came as h0."""
    states, gates = [], []
    for x in X:
        h0[:], now = lent.gru_step(x, h0, *others)
        states.append(h0.copy())
        gates.append(now)
    return np.stack(states), np.stack(gates)


def batch_first(X, h0, *others):
    """Takes time for axis 1, in the inputs and in the results."""
    return tuple(np.stack(arrays, axis=1) for arrays in walk(X.swapaxes(0, 1), h0, *others))


def sizes_batch_first(X, h, W_x, W_h, *others):
    """Takes the sizes for (B, T, D), but walks along axis 0."""
    B, T, _ = X.shape
    H = len(W_h)
    states, gates = np.empty((T, B, H)), np.empty((T, B, 3 * H))
    for t in range(T):
        h, gates[t] = lent.gru_step(X[t], h, W_x, W_h, *others)
        states[t] = h
    return states, gates


MISTAKES = {
    "h0 is ignored and the state starts from zeros (states[t - 1] at t = 0 is not h0)": started(lambda h0: 0 * h0),
    "the state is not carried on: every step starts from h0": handing_on(lambda h, gates, h0: h0),
    "the state is set to zeros after every step": handing_on(lambda h, gates, h0: 0 * h),
    "the candidate n is carried on, not the state": handing_on(lambda h, gates, h0: np.split(gates, 3, axis=1)[2]),
    "the mean of old and new state is carried on": stepped(
        lambda x, h, h0, *others: ((new := lent.gru_step(x, h, *others)), (h + new[0]) / 2)
    ),
    'reset is not handed on to gru_step: it is always "after"': calling(
        lambda x, h, W_x, W_h, b, b_h, reset: lent.gru_step(x, h, W_x, W_h, b, b_h, "after")
    ),
    'reset is not handed on to gru_step: it is always "before"': calling(
        lambda x, h, W_x, W_h, b, b_h, reset: lent.gru_step(x, h, W_x, W_h, b, b_h, "before")
    ),
    "x and h are handed to gru_step in the wrong order: x comes first": calling(
        lambda x, h, *others: lent.gru_step(h, x, *others)
    ),
    "zeros are handed to gru_step in place of b_h": calling(
        lambda x, h, W_x, W_h, b, b_h, reset: lent.gru_step(x, h, W_x, W_h, b, 0 * b_h, reset)
    ),
    "every step reads the first input X[0]": reading(lambda X: [X[0]] * len(X)),
    "the sequence is read from its end": reading(lambda X: X[::-1]),
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": reading(
        lambda X: X.swapaxes(0, 1)
    ),
    "the state is written into h0: `h = h0` is a second name, and `h[:] = …` writes into the array": into_h0,
    "X and the results are taken for batch first, (B, T, …); they are (T, B, …)": batch_first,
    "the sizes are read batch first (`B, T, D = X.shape`); they are `T, B, D`": sizes_batch_first,
    "the number of steps is read from X.shape[1], which is B; it is X.shape[0]": reading(
        lambda X: [X[t] for t in range(X.shape[1])]
    ),
    "the loop ends one step early: the last row stays at zero": into_zeros(lambda X: range(len(X) - 1)),
    "the loop ends one step early: the last step is missing from the results": walked(
        lambda *lists: tuple(np.array(rows[:-1]) for rows in lists)
    ),
    "the loop begins at t = 1: the first row stays at zero, and the first input is not read": into_zeros(
        lambda X: range(1, len(X))
    ),
    "the state is stored before the step: states holds those of t = 0 … T-1": stored_before,
    "states also holds the initial state: T+1 of them instead of T": with_initial,
    "states and gates hold those of the last step alone": walked(lambda *lists: tuple(rows[-1] for rows in lists)),
    "states holds the last state alone": walked(lambda states, gates: (states[-1], np.stack(gates))),
    "the last state is returned in place of the gates": walked(lambda states, gates: (np.stack(states), states[-1])),
    "gates holds those of the last step alone": walked(lambda states, gates: (np.stack(states), gates[-1])),
    "states holds the same at every step, that of the last (one array, stored each time and then written over?)": (
        walked(lambda states, gates: stacked([states[-1]] * len(states), gates))
    ),
    "the gates of the last step stand at every step": walked(
        lambda states, gates: stacked(states, [gates[-1]] * len(gates))
    ),
    "states and gates are swapped: states comes first": walked(
        lambda states, gates: (np.stack(gates), np.stack(states))
    ),
    "only states is returned": walked(lambda states, gates: np.stack(states)),
    "the results are returned batch first, (B, T, …)": walked(
        lambda *lists: tuple(np.stack(rows, axis=1) for rows in lists)
    ),
    "the steps are joined along the sequences (np.concatenate); np.stack makes the time axis": walked(
        lambda *lists: tuple(map(np.concatenate, lists))
    ),
    "lists are returned; np.stack makes an array of a list of arrays": walked(lambda *lists: lists),
    "axes of size 1 are squeezed away": walked(lambda *lists: tuple(np.squeeze(rows) for rows in lists)),
}


def all_inputs_first(X, h, W_x, W_h, b, b_h, reset):
    """One product for the inputs of all steps; the gates are written into its result."""
    gates, k = X @ W_x + b, 2 * len(W_h)
    states = []
    for a in gates:
        a[:, :k] += h @ W_h[:, :k]
        a[:, :k] = 0.5 + 0.5 * np.tanh(0.5 * a[:, :k])
        r, z, n = np.split(a, 3, axis=1)
        n += r * (h @ W_h[:, k:] + b_h) if reset == "after" else (r * h) @ W_h[:, k:]
        n[:] = np.tanh(n)
        h = n + z * (h - n)
        states.append(h)
    return np.array(states), gates


def recursive(X, h, *others):
    """By recursion on the length of the sequence."""
    first = lent.gru_step(X[0], h, *others)
    if len(X) == 1:
        return tuple(value[None] for value in first)
    later = recursive(X[1:], first[0], *others)
    return tuple(np.concatenate([now[None], rest]) for now, rest in zip(first, later, strict=True))


def one_sequence_at_a_time(X, h, *others):
    """Sequence by sequence, in a list in place of a tuple."""
    columns = [stacked(*walk(X[:, [k]], h[[k]], *others)) for k in range(len(h))]
    return [np.concatenate(arrays, axis=1) for arrays in zip(*columns, strict=True)]


def one_longer(X, h0, *others):
    """Into an array with a row for the initial state, which is cut off at the end."""
    states, gates = np.zeros((len(X) + 1, *h0.shape)), []
    states[0] = h0
    for t, x in enumerate(X):
        states[t + 1], now = lent.gru_step(x, states[t], *others)
        gates.append(now)
    return states[1:], np.array(gates)


def in_float32(*args):
    """Half the digits."""
    *arrays, reset = args
    return stacked(*walk(*(np.asarray(value, np.float32) for value in arrays), reset))


ALTERNATIVES = {
    "lists, stacked": walked(stacked),
    "into arrays of zeros": into_zeros(lambda X: range(len(X))),
    "all input products first": all_inputs_first,
    "recursion": recursive,
    "one sequence at a time, a list of outputs": one_sequence_at_a_time,
    "an array with a row for the initial state": one_longer,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="gru_forward",
    outputs={"states": Numbers("T B H"), "gates": Gates("T B 3H", gates="rzn")},
    unpack=several,
    parts={"from zeros": 1, "from any state": 1, "the other reset": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=gru_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"gru_step": lent.gru_step},
    reread='chapter 8, section "From the LSTM to the GRU"',
    shapes='"Notation" in the problem set',
)
