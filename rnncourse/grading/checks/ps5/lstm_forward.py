"""lstm_forward: the LSTM run over a sequence, h and c carried from step to step."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.lent import ps5 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps5.lstm_step import cell, huge, states, weights
from rnncourse.grading.checks.structure import several


def lstm_forward(X, h0, c0, W_x, W_h, b):
    """The reference: X (T, B, D), h0, c0 (B, H) to hs, cs (T, B, H) and gates (T, B, 4H)."""
    _, _, tape = cell(W_x, W_h, b).forward(X, (h0, c0))
    hs, cs = tape.states[:, 1:]
    return hs, cs, np.ascontiguousarray(tape.gates)


def draw(rng, T, B, D, H):
    """The six arguments, by name."""
    start = {f"{name}0": value for name, value in states(rng, B, H).items()}
    return {"X": rng.normal(size=(T, B, D)), **start, **weights(rng, D, H)}


def from_zeros(args):
    """The same with initial states of zeros."""
    return args | {name: np.zeros_like(args[name]) for name in ("h0", "c0")}


def cases(rng):
    """Zero and non-zero initial states, sizes all different and all equal; each size once 1; float32, huge, long."""
    yield Case("from zeros", "All sizes different, h0 = c0 = 0", from_zeros(draw(rng, T=5, B=3, D=2, H=4)))
    yield Case("from zeros", "All sizes equal, h0 = c0 = 0", from_zeros(draw(rng, T=3, B=3, D=3, H=3)))
    yield Case("from any state", "All sizes different, h0 and c0 not 0", draw(rng, T=5, B=3, D=2, H=4))
    yield Case("from any state", "All sizes equal, h0 and c0 not 0", draw(rng, T=3, B=3, D=3, H=3))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, T=1, B=3, D=2, H=4))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, T=4, B=1, D=2, H=3))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, T=3, B=4, D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, T=4, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "Inputs 3000 times as large", huge(rng, draw(rng, T=3, B=2, D=3, H=4), "X"))
    yield Case("numbers and inputs", "7 time steps", draw(rng, T=7, B=2, D=3, H=2))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, T=4, B=5, D=3, H=2), untouched=True)


def walk(X, h, c, *weights):
    """h, c and the gates of every step, as three lists."""
    rows = []
    for x in X:
        h, c, gates = lent.lstm_step(x, h, c, *weights)
        rows.append((h, c, gates))
    return tuple(list(arrays) for arrays in zip(*rows, strict=True))


def stacked(hs, cs, gates):
    """The three lists as arrays."""
    return np.stack(hs), np.stack(cs), np.stack(gates)


def walked(result):
    """Walk through the sequence correctly, then return `result(hs, cs, gates)`, where all three are lists."""
    return lambda *args: result(*walk(*args))


def started(start):
    """Walk from `start(h0, c0)`: a mistake."""
    return lambda X, h0, c0, *weights: stacked(*walk(X, *start(h0, c0), *weights))


def reading(inputs):
    """Walk over `inputs(X)`: a mistake."""
    return lambda X, *others: stacked(*walk(inputs(X), *others))


def handing_on(carry):
    """Start each step from `carry(h, c, h0, c0)`, where h and c are those of the step before: a mistake."""

    def run(X, h0, c0, *weights):
        h, c, rows = h0, c0, []
        for x in X:
            h, c, gates = lent.lstm_step(x, h, c, *weights)
            rows.append((h, c, gates))
            h, c = carry(h, c, h0, c0)
        return tuple(np.stack(arrays) for arrays in zip(*rows, strict=True))

    return run


def calling(step):
    """Call the step in another way: a mistake."""

    def run(X, h, c, *weights):
        rows = []
        for x in X:
            h, c, gates = step(x, h, c, *weights)
            rows.append((h, c, gates))
        return tuple(np.stack(arrays) for arrays in zip(*rows, strict=True))

    return run


def results_swapped(x, h, c, *weights):
    """h and c taken for each other when the step returns them."""
    h, c, gates = lent.lstm_step(x, h, c, *weights)
    return c, h, gates


def stored_before(X, h0, c0, *weights):
    """Stores h and c before the step."""
    hs, cs, gates = walk(X, h0, c0, *weights)
    return stacked([h0, *hs[:-1]], [c0, *cs[:-1]], gates)


def with_initial(X, h0, c0, *weights):
    """Stores h0 and c0 as well."""
    hs, cs, gates = walk(X, h0, c0, *weights)
    return stacked([h0, *hs], [c0, *cs], gates)


def into_zeros(steps):
    """Into arrays of zeros, at the steps that `steps(X)` gives: a mistake, unless these are all."""

    def run(X, h, c, W_x, W_h, b):
        (T, B, _), H = X.shape, len(W_h)
        hs, cs, gates = np.zeros((T, B, H)), np.zeros((T, B, H)), np.zeros((T, B, 4 * H))
        for t in steps(X):
            h, c, gates[t] = lent.lstm_step(X[t], h, c, W_x, W_h, b)
            hs[t], cs[t] = h, c
        return hs, cs, gates

    return run


def one_before(X, h0, c0, W_x, W_h, b):
    """Reads hs[t - 1] and cs[t - 1] at t = 0, too: zeros."""
    return into_zeros(lambda X: range(len(X)))(X, 0 * h0, 0 * c0, W_x, W_h, b)


def batch_first(X, h0, c0, *weights):
    """Takes time for axis 1, in the inputs and in the results."""
    return tuple(np.stack(arrays, axis=1) for arrays in walk(X.swapaxes(0, 1), h0, c0, *weights))


def sizes_batch_first(X, h, c, W_x, W_h, b):
    """Takes the sizes for (B, T, D), but walks along axis 0."""
    B, T, _ = X.shape
    H = len(W_h)
    hs, cs, gates = np.empty((T, B, H)), np.empty((T, B, H)), np.empty((T, B, 4 * H))
    for t in range(T):
        h, c, gates[t] = lent.lstm_step(X[t], h, c, W_x, W_h, b)
        hs[t], cs[t] = h, c
    return hs, cs, gates


MISTAKES = {
    "h0 and c0 are ignored and both states start from zeros (hs[t - 1] at t = 0 is not h0)": one_before,
    "h0 is ignored and h starts from zeros": started(lambda h0, c0: (0 * h0, c0)),
    "c0 is ignored and c starts from zeros": started(lambda h0, c0: (h0, 0 * c0)),
    "c starts from h0, not from c0": started(lambda h0, c0: (h0, h0)),
    "h starts from c0, not from h0": started(lambda h0, c0: (c0, c0)),
    "h0 and c0 are swapped": started(lambda h0, c0: (c0, h0)),
    "c is not carried on: every step starts from c0": handing_on(lambda h, c, h0, c0: (h, c0)),
    "h is not carried on: every step starts from h0": handing_on(lambda h, c, h0, c0: (h0, c)),
    "neither h nor c is carried on: every step starts from h0 and c0": handing_on(lambda h, c, h0, c0: (h0, c0)),
    "c is set to zeros after every step": handing_on(lambda h, c, h0, c0: (h, 0 * c)),
    "c is carried on in place of h, too: the next step reads c twice": handing_on(lambda h, c, h0, c0: (c, c)),
    "h is carried on in place of c, too: the next step reads h twice": handing_on(lambda h, c, h0, c0: (h, h)),
    "tanh(c) is carried on, not c": handing_on(lambda h, c, h0, c0: (h, np.tanh(c))),
    "h and c are handed to lstm_step in the wrong order: h comes first": calling(
        lambda x, h, c, *weights: lent.lstm_step(x, c, h, *weights)
    ),
    "h and c are taken for each other when lstm_step returns them: h_next comes first": calling(results_swapped),
    "every step reads the first input X[0]": reading(lambda X: [X[0]] * len(X)),
    "the sequence is read from its end": reading(lambda X: X[::-1]),
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": reading(
        lambda X: X.swapaxes(0, 1)
    ),
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
    "the states are stored before the step: hs and cs hold those of t = 0 … T-1": stored_before,
    "hs and cs also hold the initial states: T+1 of them instead of T": with_initial,
    "hs, cs and gates hold those of the last step alone": walked(lambda *lists: tuple(rows[-1] for rows in lists)),
    "hs holds the last state alone": walked(lambda hs, cs, gates: (hs[-1], np.stack(cs), np.stack(gates))),
    "cs holds the last state alone": walked(lambda hs, cs, gates: (np.stack(hs), cs[-1], np.stack(gates))),
    "hs and cs hold the last state alone": walked(lambda hs, cs, gates: (hs[-1], cs[-1], np.stack(gates))),
    "gates holds those of the last step alone": walked(lambda hs, cs, gates: (np.stack(hs), np.stack(cs), gates[-1])),
    "hs, cs and gates hold the same at every step: that of the last": walked(
        lambda *lists: tuple(np.stack([rows[-1]] * len(rows)) for rows in lists)
    ),
    "hs and cs hold the same at every step, that of the last (one array, stored each time and then written over?)": (
        walked(lambda hs, cs, gates: stacked([hs[-1]] * len(hs), [cs[-1]] * len(cs), gates))
    ),
    "hs is returned twice, in place of cs, too": walked(lambda hs, cs, gates: stacked(hs, hs, gates)),
    "cs holds tanh(c), not c": walked(lambda hs, cs, gates: stacked(hs, np.tanh(cs), gates)),
    "hs and cs are swapped": walked(lambda hs, cs, gates: stacked(cs, hs, gates)),
    "the gates come first; hs and cs do": walked(lambda hs, cs, gates: (np.stack(gates), np.stack(hs), np.stack(cs))),
    "the results are returned batch first, (B, T, …)": walked(
        lambda *lists: tuple(np.stack(rows, axis=1) for rows in lists)
    ),
    "the steps are joined along the sequences (np.concatenate); np.stack makes the time axis": walked(
        lambda *lists: tuple(map(np.concatenate, lists))
    ),
    "axes of size 1 are squeezed away": walked(lambda *lists: tuple(np.squeeze(rows) for rows in lists)),
}


def all_inputs_first(X, h, c, W_x, W_h, b):
    """One product for the inputs of all steps; the gates are written into its result."""
    gates = X @ W_x + b
    rows = []
    for a in gates:
        a += h @ W_h
        i, f, g, o = np.split(a, 4, axis=1)
        g[:] = np.tanh(g)
        for gate in (i, f, o):
            gate[:] = 0.5 + 0.5 * np.tanh(0.5 * gate)
        c = f * c + i * g
        h = o * np.tanh(c)
        rows.append((h, c))
    hs, cs = (np.array(states) for states in zip(*rows, strict=True))
    return hs, cs, gates


def recursive(X, h, c, *weights):
    """By recursion on the length of the sequence."""
    first = lent.lstm_step(X[0], h, c, *weights)
    if len(X) == 1:
        return tuple(value[None] for value in first)
    later = recursive(X[1:], *first[:2], *weights)
    return tuple(np.concatenate([now[None], rest]) for now, rest in zip(first, later, strict=True))


def one_sequence_at_a_time(X, h, c, *weights):
    """Sequence by sequence, in a list in place of a tuple."""
    columns = [stacked(*walk(X[:, [k]], h[[k]], c[[k]], *weights)) for k in range(len(h))]
    return [np.concatenate(arrays, axis=1) for arrays in zip(*columns, strict=True)]


def one_longer(X, h0, c0, *weights):
    """Into arrays with a row for the initial state, which is cut off at the end."""
    hs, cs = np.zeros((2, len(X) + 1, *h0.shape))
    hs[0], cs[0] = h0, c0
    gates = []
    for t, x in enumerate(X):
        hs[t + 1], cs[t + 1], now = lent.lstm_step(x, hs[t], cs[t], *weights)
        gates.append(now)
    return hs[1:], cs[1:], np.array(gates)


ALTERNATIVES = {
    "lists, stacked": walked(stacked),
    "into arrays of zeros": into_zeros(lambda X: range(len(X))),
    "all input products first": all_inputs_first,
    "recursion": recursive,
    "one sequence at a time, a list of outputs": one_sequence_at_a_time,
    "arrays with a row for the initial state": one_longer,
    "float32 inside": lambda *args: stacked(*walk(*(np.asarray(value, np.float32) for value in args))),
}

PROBLEM = Problem(
    name="lstm_forward",
    outputs={"hs": Numbers("T B H"), "cs": Numbers("T B H"), "gates": Gates("T B 4H")},
    unpack=several,
    parts={"from zeros": 1, "from any state": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=lstm_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"lstm_step": lent.lstm_step},
    reread='chapter 7, section "Two paths"',
    shapes='"Notation" in the problem set',
)
